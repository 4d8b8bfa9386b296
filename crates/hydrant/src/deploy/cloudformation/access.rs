//! Roles and policies.

use super::super::parameter::camel;
use super::super::plan::Plan;
use super::super::policy::{self, Condition, Operand, Principal, Statement, Target, Trust};
use super::super::yaml::{Entry, Node, attribute, entry, reference, remarked, sub, text};
use super::{bucket_name, resource};

/// The only version of the policy language there is to use.
const VERSION: &str = "2012-10-17";

pub(super) fn roles(plan: &Plan) -> Vec<Entry> {
    let role = |role: &super::super::policy::Role| {
        let name = camel(role.id);
        let policy = vec![
            entry("PolicyName", text(role.id.replace('_', "-"))),
            entry("PolicyDocument", document(plan, &role.statements)),
        ];
        let properties = vec![
            entry("AssumeRolePolicyDocument", trust(role.trust)),
            entry("Policies", Node::List(vec![Node::Map(policy)])),
        ];
        resource(&format!("{name}Role"), "AWS::IAM::Role", properties)
    };
    plan.roles.iter().map(role).collect()
}

pub(super) fn reader(plan: &Plan) -> Vec<Entry> {
    let Some(reader) = &plan.reader else { return Vec::new() };
    let policy = vec![
        entry("Description", text("What Hydrant needs to read bucket and queue")),
        entry("PolicyDocument", document(plan, &reader.statements)),
    ];
    let mut all = vec![resource("ReaderPolicy", "AWS::IAM::ManagedPolicy", policy)];
    if reader.role {
        let trusted =
            Trust::Principal { arn: "reader_principal_arn", external_id: "reader_external_id" };
        let role = vec![
            entry("AssumeRolePolicyDocument", trust(trusted)),
            entry("ManagedPolicyArns", Node::List(vec![reference("ReaderPolicy")])),
        ];
        all.push(resource("ReaderRole", "AWS::IAM::Role", role));
    }
    all
}

fn trust(trust: Trust) -> Node {
    let (principal, external_id) = match trust {
        Trust::ServiceWithAccount(service) => {
            (entry("Service", text(service)), Some(reference("AWS::AccountId")))
        }
        Trust::Service(service) => (entry("Service", text(service)), None),
        Trust::Principal { arn, external_id } => {
            (entry("AWS", reference(camel(arn))), Some(reference(camel(external_id))))
        }
    };
    let mut statement = vec![
        entry("Effect", text("Allow")),
        entry("Principal", Node::Map(vec![principal])),
        entry("Action", text("sts:AssumeRole")),
    ];
    if let Some(external_id) = external_id {
        let equals = Node::Map(vec![entry("sts:ExternalId", external_id)]);
        let condition = Node::Map(vec![entry("StringEquals", equals)]);
        statement.push(if matches!(trust, Trust::ServiceWithAccount(_)) {
            let why = "The service names the account that it acts for: this one, and no other.";
            remarked(why, "Condition", condition)
        } else {
            entry("Condition", condition)
        });
    }
    policy(vec![Node::Map(statement)])
}

fn policy(statements: Vec<Node>) -> Node {
    Node::Map(vec![
        entry("Version", Node::Text(VERSION.to_owned())),
        entry("Statement", Node::List(statements)),
    ])
}

pub(super) fn document(plan: &Plan, statements: &[Statement]) -> Node {
    policy(statements.iter().map(|one| Node::Map(statement(plan, one))).collect())
}

fn statement(plan: &Plan, statement: &Statement) -> Vec<Entry> {
    let actions = statement.actions.iter().map(|action| text(*action)).collect();
    let resources = statement.resources.iter().map(|one| target(plan, one)).collect();
    let mut items =
        vec![entry("Sid", text(statement.sid)), entry("Effect", text(statement.effect))];
    if let Some(who) = statement.principal {
        let who = match who {
            Principal::Anyone => text("*"),
            Principal::Account => {
                let root = sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root");
                Node::Map(vec![entry("AWS", root)])
            }
            Principal::Service(service) => Node::Map(vec![entry("Service", text(service))]),
        };
        items.push(entry("Principal", who));
    }
    items.push(entry("Action", Node::List(actions)));
    items.push(entry("Resource", Node::List(resources)));
    if !statement.conditions.is_empty() {
        items.push(entry("Condition", conditions(plan, &statement.conditions)));
    }
    items
}

/// One entry a test, as the policy language has it.
fn conditions(plan: &Plan, conditions: &[Condition]) -> Node {
    let mut tests: Vec<Entry> = Vec::new();
    for Condition { test, key, value } in conditions {
        let new = entry(*key, operand(plan, *value));
        match tests.iter_mut().find(|known| known.key == *test) {
            Some(Entry { node: Node::Map(entries), .. }) => entries.push(new),
            _ => tests.push(entry(*test, Node::Map(vec![new]))),
        }
    }
    Node::Map(tests)
}

/// By its name, since the queue's policy must be there before the bucket is.
fn bucket_arn(plan: &Plan, rest: &str) -> Node {
    sub(format!("arn:${{AWS::Partition}}:s3:::{}{rest}", bucket_name(plan)))
}

fn operand(plan: &Plan, operand: Operand) -> Node {
    match operand {
        Operand::Account => reference("AWS::AccountId"),
        Operand::S3 => sub("s3.${AWS::Region}.${AWS::URLSuffix}"),
        Operand::Bucket => bucket_arn(plan, ""),
        Operand::BucketAndObjects => Node::List(vec![bucket_arn(plan, ""), bucket_arn(plan, "/*")]),
        Operand::Word(word) => text(word),
    }
}

fn target(plan: &Plan, target: &Target) -> Node {
    match target {
        Target::DeliveryStream => attribute("DeliveryStream.Arn"),
        Target::Bucket => bucket_arn(plan, ""),
        Target::Objects(prefix) => {
            let prefix = policy::literal(prefix).replace("${", "${!");
            bucket_arn(plan, &format!("/{prefix}*"))
        }
        Target::Key => attribute("Key.Arn"),
        Target::FirehoseLogs => attribute("FirehoseLogs.Arn"),
        Target::FunctionLogs => attribute("FunctionLogs.Arn"),
        Target::Secret(parameter) => reference(camel(parameter)),
        Target::Queue => attribute("Queue.Arn"),
        Target::Other(rest) => sub(format!("arn:${{AWS::Partition}}:{rest}")),
        Target::Itself => text("*"),
    }
}
