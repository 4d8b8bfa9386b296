//! Roles and policies.

use super::super::hcl::{self, Expression, Item, block, comment, data, resource, set, text};
use super::super::plan::Plan;
use super::super::policy::{self, Condition, Operand, Principal, Statement, Target, Trust};

pub(super) fn roles(plan: &Plan) -> Vec<Item> {
    let mut all = Vec::new();
    for role in &plan.roles {
        let id = role.id;
        let name = format!("\"${{var.name}}-${{local.region}}-{}\"", role.id.replace('_', "-"));
        all.push(data("aws_iam_policy_document", &format!("{id}_trust"), vec![trust(role.trust)]));
        all.push(resource(
            "aws_iam_role",
            id,
            vec![
                set("name", name.clone()),
                set("assume_role_policy", format!("data.aws_iam_policy_document.{id}_trust.json")),
            ],
        ));
        all.push(document(id, &role.statements));
        all.push(resource(
            "aws_iam_role_policy",
            id,
            vec![
                set("name", name),
                set("role", format!("aws_iam_role.{id}.id")),
                set("policy", format!("data.aws_iam_policy_document.{id}.json")),
            ],
        ));
    }
    all
}

pub(super) fn reader(plan: &Plan) -> Vec<Item> {
    let Some(reader) = &plan.reader else { return Vec::new() };
    let name = "\"${var.name}-${local.region}-reader\"";
    let mut all = vec![
        document("reader", &reader.statements),
        resource(
            "aws_iam_policy",
            "reader",
            vec![
                set("name", name),
                text("description", "What Hydrant needs to read bucket and queue"),
                set("policy", "data.aws_iam_policy_document.reader.json"),
            ],
        ),
    ];
    if reader.role {
        let trusted =
            Trust::Principal { arn: "reader_principal_arn", external_id: "reader_external_id" };
        all.push(data("aws_iam_policy_document", "reader_trust", vec![trust(trusted)]));
        all.push(resource(
            "aws_iam_role",
            "reader",
            vec![
                set("name", name),
                set("assume_role_policy", "data.aws_iam_policy_document.reader_trust.json"),
            ],
        ));
        all.push(resource(
            "aws_iam_role_policy_attachment",
            "reader",
            vec![
                set("role", "aws_iam_role.reader.name"),
                set("policy_arn", "aws_iam_policy.reader.arn"),
            ],
        ));
    }
    all
}

fn trust(trust: Trust) -> Item {
    let (kind, who, external_id) = match trust {
        Trust::ServiceWithAccount(service) => {
            ("Service", Expression::Text(service.to_owned()), Some("local.account".to_owned()))
        }
        Trust::Service(service) => ("Service", Expression::Text(service.to_owned()), None),
        Trust::Principal { arn, external_id } => {
            ("AWS", Expression::Bare(format!("var.{arn}")), Some(format!("var.{external_id}")))
        }
    };
    let identifiers = Expression::List(vec![who]);
    let mut items = vec![
        set("actions", "[\"sts:AssumeRole\"]"),
        Item::Blank,
        block(
            "principals",
            vec![text("type", kind), Item::Attribute("identifiers".to_owned(), identifiers)],
        ),
    ];
    if let Some(external_id) = external_id {
        items.push(Item::Blank);
        if matches!(trust, Trust::ServiceWithAccount(_)) {
            items.push(comment(
                "The service names the account that it acts for: this one, and no other.",
            ));
        }
        items.push(condition_block("StringEquals", "sts:ExternalId", vec![external_id]));
    }
    block("statement", items)
}

pub(super) fn document(id: &str, statements: &[Statement]) -> Item {
    let mut items = Vec::new();
    for statement in statements {
        if !items.is_empty() {
            items.push(Item::Blank);
        }
        items.push(block("statement", self::statement(statement)));
    }
    data("aws_iam_policy_document", id, items)
}

fn statement(statement: &Statement) -> Vec<Item> {
    let texts = |list: &[&str]| {
        Expression::List(list.iter().map(|one| Expression::Text((*one).to_owned())).collect())
    };
    let resources = statement.resources.iter().map(|one| Expression::Bare(target(one))).collect();
    let mut items = vec![text("sid", statement.sid)];
    if statement.effect != "Allow" {
        items.push(text("effect", statement.effect));
    }
    items.push(Item::Attribute("actions".to_owned(), texts(&statement.actions)));
    items.push(Item::Attribute("resources".to_owned(), Expression::List(resources)));
    if let Some(principal) = statement.principal {
        let (kind, who) = match principal {
            Principal::Anyone => ("*", "\"*\"".to_owned()),
            Principal::Account => {
                ("AWS", "\"arn:${local.partition}:iam::${local.account}:root\"".to_owned())
            }
            Principal::Service(service) => ("Service", format!("\"{service}\"")),
        };
        let principal = vec![text("type", kind), set("identifiers", format!("[{who}]"))];
        items.extend([Item::Blank, block("principals", principal)]);
    }
    for Condition { test, key, value } in &statement.conditions {
        items.extend([Item::Blank, condition_block(test, key, operand(*value))]);
    }
    items
}

fn condition_block(test: &str, variable: &str, values: Vec<String>) -> Item {
    let values = Expression::List(values.into_iter().map(Expression::Bare).collect());
    block(
        "condition",
        vec![
            text("test", test),
            text("variable", variable),
            Item::Attribute("values".to_owned(), values),
        ],
    )
}

fn operand(operand: Operand) -> Vec<String> {
    let list: &[&str] = match operand {
        Operand::Account => &["local.account"],
        Operand::S3 => &["\"s3.${local.region}.${data.aws_partition.current.dns_suffix}\""],
        Operand::Bucket => &["aws_s3_bucket.metrics.arn"],
        Operand::BucketAndObjects => {
            &["aws_s3_bucket.metrics.arn", "\"${aws_s3_bucket.metrics.arn}/*\""]
        }
        Operand::Word(word) => return vec![format!("\"{word}\"")],
    };
    list.iter().map(|one| (*one).to_owned()).collect()
}

fn target(target: &Target) -> String {
    match target {
        Target::DeliveryStream => "aws_kinesis_firehose_delivery_stream.metrics.arn".to_owned(),
        Target::Bucket => "aws_s3_bucket.metrics.arn".to_owned(),
        Target::Objects(prefix) => {
            let prefix = hcl::escaped(&policy::literal(prefix));
            format!("\"${{aws_s3_bucket.metrics.arn}}/{prefix}*\"")
        }
        Target::Key => "aws_kms_key.metrics.arn".to_owned(),
        Target::FirehoseLogs => "\"${aws_cloudwatch_log_group.firehose.arn}:*\"".to_owned(),
        Target::FunctionLogs => "\"${aws_cloudwatch_log_group.function.arn}:*\"".to_owned(),
        Target::Secret(parameter) => format!("var.{parameter}"),
        Target::Queue => "aws_sqs_queue.objects.arn".to_owned(),
        Target::Other(rest) => format!("\"arn:${{local.partition}}:{rest}\""),
        Target::Itself => "\"*\"".to_owned(),
    }
}
