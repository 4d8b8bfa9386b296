//! The plan for Terraform: `main.tf`, `variables.tf`, `outputs.tf`, `versions.tf`; with several
//! regions these call a module `client`, once a region.

mod access;
mod objects;
mod root;
mod streams;

use super::hcl::{self, Expression, Item, block, comment, data, set, text};
use super::parameter::{Kind, Parameter, Tool};
use super::plan::{Plan, Topology};

/// The resources argue with names of this release of the provider.
const PROVIDER: &str = ">= 5.70";
/// Older ones do not know all functions that are used.
const TERRAFORM: &str = ">= 1.5";

/// What the files are called, here and in the folder of a module.
pub const NAMES: [&str; 4] = ["main.tf", "variables.tf", "outputs.tf", "versions.tf"];

/// A file and its text.
pub type File = (String, String);

/// All files, in the order they are best read.
pub fn files(plan: &Plan) -> Vec<File> {
    if plan.regions.len() > 1 {
        let mut files = root::files(plan);
        let client = client(plan).into_iter();
        files.extend(client.map(|(name, text)| (format!("client/{name}"), text)));
        return files;
    }
    let mut files = client(plan);
    let region = Parameter::new("region", Kind::Any, "Region of everything here");
    let region = match plan.regions.first() {
        Some(known) => region.or(known),
        None => region,
    };
    for (name, text) in &mut files {
        if name == "main.tf" {
            let provider = block("provider \"aws\"", vec![set("region", "var.region")]);
            *text = format!("{}\n{}\n{}", head(plan), hcl::file(&[provider]), text);
        }
        if name == "variables.tf" {
            *text = format!("{}\n{text}", hcl::file(&[variable(&region)]));
        }
    }
    files
}

/// The resources of one region.
fn client(plan: &Plan) -> Vec<File> {
    let mut main = vec![
        data("aws_caller_identity", "current", Vec::new()),
        data("aws_partition", "current", Vec::new()),
        data("aws_region", "current", Vec::new()),
        block("locals", locals(plan)),
    ];
    main.extend(streams::metric_stream(plan));
    main.extend(streams::delivery(plan));
    main.extend(objects::bucket(plan));
    main.extend(objects::queue(plan));
    main.extend(objects::function(plan));
    main.extend(access::roles(plan));
    main.extend(access::reader(plan));
    let variables: Vec<Item> = parameters(plan).map(variable).collect();
    vec![
        ("main.tf".to_owned(), hcl::file(&main)),
        ("variables.tf".to_owned(), hcl::file(&variables)),
        ("outputs.tf".to_owned(), hcl::file(&outputs(plan))),
        ("versions.tf".to_owned(), hcl::file(&[versions()])),
    ]
}

fn parameters(plan: &Plan) -> impl Iterator<Item = &Parameter> {
    plan.parameters.iter().filter(|parameter| parameter.tool != Tool::CloudFormation)
}

fn head(plan: &Plan) -> String {
    let way = format!(
        "{}\nWritten by `hydrant deploy terraform`; written anew, the same settings give the same text.",
        plan.about
    );
    hcl::file(&[comment(&way)])
}

fn locals(plan: &Plan) -> Vec<Item> {
    let bucket = match &plan.bucket.name {
        Some(name) => text("bucket_name", name),
        None => set("bucket_name", "\"${var.name}-${local.account}-${local.region}\""),
    };
    vec![
        set("account", "data.aws_caller_identity.current.account_id"),
        set("partition", "data.aws_partition.current.partition"),
        set("region", "data.aws_region.current.id"),
        bucket,
    ]
}

fn versions() -> Item {
    let aws = Expression::Object(vec![
        ("source".to_owned(), Expression::Text("hashicorp/aws".to_owned())),
        ("version".to_owned(), Expression::Text(PROVIDER.to_owned())),
    ]);
    block(
        "terraform",
        vec![
            text("required_version", TERRAFORM),
            Item::Blank,
            block("required_providers", vec![Item::Attribute("aws".to_owned(), aws)]),
        ],
    )
}

fn variable(parameter: &Parameter) -> Item {
    let kind = match parameter.kind {
        Kind::Number(..) | Kind::Numbers(_) => "number",
        Kind::Flag => "bool",
        _ => "string",
    };
    let mut items = vec![text("description", &parameter.about), set("type", kind)];
    if let Some(default) = &parameter.default {
        let default = if kind == "string" { hcl::quoted(default) } else { default.clone() };
        items.push(set("default", default));
    }
    if parameter.sensitive {
        items.push(set("sensitive", "true"));
    }
    if let Some((condition, rule)) = condition(parameter) {
        let message = format!("{} must be {rule}.", parameter.name);
        items.push(Item::Blank);
        let check = vec![set("condition", condition), text("error_message", message)];
        items.push(block("validation", check));
    }
    block(format!("variable \"{}\"", parameter.name), items)
}

fn condition(parameter: &Parameter) -> Option<(String, String)> {
    let name = format!("var.{}", parameter.name);
    match &parameter.kind {
        Kind::Any | Kind::Flag => None,
        Kind::Text(pattern, rule) => {
            Some((format!("can(regex({}, {name}))", hcl::quoted(pattern)), (*rule).to_owned()))
        }
        Kind::Choice(choices) => {
            let list: Vec<String> = choices.iter().map(|choice| hcl::quoted(choice)).collect();
            let rule = format!("one of {}", choices.join(", "));
            Some((format!("contains([{}], {name})", list.join(", ")), rule))
        }
        Kind::Number(least, most) => Some((
            format!("{name} >= {least} && {name} <= {most}"),
            format!("from {least} to {most}"),
        )),
        Kind::Numbers(numbers) => {
            let list: Vec<String> = numbers.iter().map(u32::to_string).collect();
            let list = list.join(", ");
            Some((format!("contains([{list}], {name})"), format!("one of {list}")))
        }
    }
}

/// Name, expression, description.
fn output_list(plan: &Plan) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut list = vec![
        ("metric_stream_name", "aws_cloudwatch_metric_stream.metrics.name", "The metric stream"),
        (
            "delivery_stream_name",
            "aws_kinesis_firehose_delivery_stream.metrics.name",
            "The Firehose stream",
        ),
        ("bucket", "aws_s3_bucket.metrics.bucket", "The bucket"),
        (
            "firehose_log_group",
            "aws_cloudwatch_log_group.firehose.name",
            "What Firehose says when it cannot deliver",
        ),
    ];
    if plan.queue.is_some() {
        let url =
            ("queue_url", "aws_sqs_queue.objects.url", "The queue: sqs_queue_url of the source");
        list.push(url);
        list.push((
            "dead_letter_queue_url",
            "aws_sqs_queue.dead_letters.url",
            "What was refused five times",
        ));
    }
    if let Some(reader) = &plan.reader {
        list.push((
            "reader_policy_arn",
            "aws_iam_policy.reader.arn",
            "What Hydrant may do: attach it to the role that Hydrant has",
        ));
        if reader.role {
            list.push((
                "reader_role_arn",
                "aws_iam_role.reader.arn",
                "The role: assume_role.role_arn of the source",
            ));
        }
    }
    if plan.topology == Topology::Lambda {
        list.push(("function_name", "aws_lambda_function.hydrant.function_name", "The function"));
    }
    list
}

fn outputs(plan: &Plan) -> Vec<Item> {
    let output = |(name, value, about): (&str, &str, &str)| {
        let items = vec![text("description", about), set("value", value)];
        block(format!("output \"{name}\""), items)
    };
    output_list(plan).into_iter().map(output).collect()
}
