//! The plan for CloudFormation: `template.yaml`, the same for every region.

mod access;
mod objects;
mod streams;

use super::parameter::{Kind, Parameter, Tool};
use super::plan::{Plan, Topology};
use super::yaml::{Entry, Node, attribute, bare, document, entry, reference, text};

/// A file and its text.
pub type File = (String, String);

/// The template.
pub fn files(plan: &Plan) -> Vec<File> {
    let mut resources = streams::metric_stream(plan);
    resources.extend(streams::delivery(plan));
    resources.extend(objects::bucket(plan));
    resources.extend(objects::queue(plan));
    resources.extend(objects::function(plan));
    resources.extend(access::roles(plan));
    resources.extend(access::reader(plan));
    let about =
        format!("{}. Written by hydrant deploy cloudformation.", plan.about.replace("->", "to"));
    let parameters = plan.parameters.iter().filter(|parameter| parameter.tool != Tool::Terraform);
    let template = [
        entry("AWSTemplateFormatVersion", Node::Text("2010-09-09".to_owned())),
        entry("Description", text(about)),
        entry("Parameters", Node::Map(parameters.map(parameter).collect())),
        entry("Resources", Node::Map(resources)),
        entry("Outputs", Node::Map(outputs(plan))),
    ];
    vec![("template.yaml".to_owned(), document(&template))]
}

fn parameter(parameter: &Parameter) -> Entry {
    let numeric = matches!(parameter.kind, Kind::Number(..) | Kind::Numbers(_));
    let mut items = vec![
        entry("Description", text(&parameter.about)),
        entry("Type", text(if numeric { "Number" } else { "String" })),
    ];
    if let Some(default) = &parameter.default {
        let default = if numeric { bare(default) } else { text(default) };
        items.push(entry("Default", default));
    }
    match &parameter.kind {
        Kind::Any => {}
        Kind::Text(pattern, rule) => {
            items.push(entry("AllowedPattern", text(*pattern)));
            items.push(entry("ConstraintDescription", text(*rule)));
        }
        Kind::Flag => {
            items.push(entry("AllowedValues", Node::List(vec![text("true"), text("false")])));
        }
        Kind::Choice(choices) => {
            let choices = choices.iter().map(|choice| text(*choice)).collect();
            items.push(entry("AllowedValues", Node::List(choices)));
        }
        Kind::Numbers(numbers) => {
            items.push(entry("AllowedValues", Node::List(numbers.iter().map(bare).collect())));
        }
        Kind::Number(least, most) => {
            items.push(entry("MinValue", bare(least)));
            items.push(entry("MaxValue", bare(most)));
        }
    }
    if parameter.sensitive {
        items.push(entry("NoEcho", bare(true)));
    }
    entry(parameter.camel(), Node::Map(items))
}

/// A resource.
fn resource(name: &str, kind: &str, properties: Vec<Entry>) -> Entry {
    resource_with(name, kind, Vec::new(), properties)
}

/// A resource with entries beside its properties.
fn resource_with(name: &str, kind: &str, beside: Vec<Entry>, properties: Vec<Entry>) -> Entry {
    let mut items = vec![entry("Type", text(kind))];
    items.extend(beside);
    items.push(entry("Properties", Node::Map(properties)));
    entry(name, Node::Map(items))
}

/// The bucket's name, as `!Sub` takes it.
fn bucket_name(plan: &Plan) -> String {
    let made = || "${Name}-${AWS::AccountId}-${AWS::Region}".to_owned();
    plan.bucket.name.clone().unwrap_or_else(made)
}

fn outputs(plan: &Plan) -> Vec<Entry> {
    let mut list = vec![
        ("MetricStreamName", reference("MetricStream"), "The metric stream"),
        ("DeliveryStreamName", reference("DeliveryStream"), "The Firehose stream"),
        ("BucketName", reference("Bucket"), "The bucket"),
        (
            "FirehoseLogGroup",
            reference("FirehoseLogs"),
            "What Firehose says when it cannot deliver",
        ),
    ];
    if plan.queue.is_some() {
        list.push(("QueueUrl", reference("Queue"), "The queue; sqs_queue_url of the source"));
        list.push(("DeadLetterQueueUrl", reference("DeadLetters"), "What was refused five times"));
    }
    if let Some(reader) = &plan.reader {
        let about = "What Hydrant may do; attach it to the role that Hydrant has";
        list.push(("ReaderPolicyArn", reference("ReaderPolicy"), about));
        if reader.role {
            let about = "The role; assume_role.role_arn of the source";
            list.push(("ReaderRoleArn", attribute("ReaderRole.Arn"), about));
        }
    }
    if plan.topology == Topology::Lambda {
        list.push(("FunctionName", reference("Function"), "The function"));
    }
    let output = |(name, value, about): (&str, Node, &str)| {
        entry(name, Node::Map(vec![entry("Description", text(about)), entry("Value", value)]))
    };
    list.into_iter().map(output).collect()
}
