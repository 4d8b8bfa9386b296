//! The metric stream and the Firehose stream.

use super::super::filters::{Filters, Names};
use super::super::hcl::{Expression, Item, block, comment, resource, set, text};
use super::super::plan::{AccessKey, AttributeValue, Delivery, Http, Plan};

/// Reference to the role of Firehose.
const ROLE: &str = "aws_iam_role.firehose.arn";

pub(super) fn metric_stream(plan: &Plan) -> Vec<Item> {
    let mut items = vec![
        set("name", "var.name"),
        set("role_arn", "aws_iam_role.metric_stream.arn"),
        set("firehose_arn", "aws_kinesis_firehose_delivery_stream.metrics.arn"),
        text("output_format", plan.metric_stream.output_format),
        set("include_linked_accounts_metrics", "var.include_linked_accounts_metrics"),
    ];
    match &plan.metric_stream.filters {
        Filters::All => {
            items.push(Item::Blank);
            items.push(comment(
                "No filter: every metric of account and region is streamed, and billed.",
            ));
        }
        Filters::Include(names) => filters("include_filter", names, &mut items),
        Filters::Exclude(names) => filters("exclude_filter", names, &mut items),
    }
    vec![resource("aws_cloudwatch_metric_stream", "metrics", items)]
}

fn filters(head: &str, names: &Names, items: &mut Vec<Item>) {
    for (namespace, metric_names) in names {
        let mut filter = vec![text("namespace", namespace)];
        if let Some(metric_names) = metric_names {
            let list = metric_names.iter().map(|name| Expression::Text(name.clone())).collect();
            filter.push(Item::Attribute("metric_names".to_owned(), Expression::List(list)));
        }
        items.push(Item::Blank);
        items.push(block(head, filter));
    }
}

pub(super) fn delivery(plan: &Plan) -> Vec<Item> {
    let (destination, configuration) = match &plan.delivery {
        Delivery::Http(http) => ("http_endpoint", endpoint(http)),
        Delivery::Objects { prefix } => ("extended_s3", objects(prefix)),
    };
    let items = vec![
        set("name", "var.name"),
        text("destination", destination),
        Item::Blank,
        comment(
            "What waits in Firehose is encrypted; a key of AWS costs nothing and needs no permission.",
        ),
        block(
            "server_side_encryption",
            vec![set("enabled", "true"), text("key_type", "AWS_OWNED_CMK")],
        ),
        Item::Blank,
        block(format!("{destination}_configuration"), configuration),
        Item::Blank,
        comment("Firehose tries the role's permissions when it is made."),
        set("depends_on", "[aws_iam_role_policy.firehose]"),
    ];
    let group = vec![
        set("name", "\"/aws/kinesisfirehose/${var.name}\""),
        set("retention_in_days", "var.log_retention_days"),
    ];
    let mut all = vec![
        resource("aws_kinesis_firehose_delivery_stream", "metrics", items),
        resource("aws_cloudwatch_log_group", "firehose", group),
    ];
    all.extend(log_streams(plan).iter().map(|(id, name)| {
        let items = vec![
            text("name", *name),
            set("log_group_name", "aws_cloudwatch_log_group.firehose.name"),
        ];
        resource("aws_cloudwatch_log_stream", id, items)
    }));
    all
}

/// The console's own names.
fn log_streams(plan: &Plan) -> &'static [(&'static str, &'static str)] {
    match plan.delivery {
        Delivery::Http(_) => &[("delivery", "DestinationDelivery"), ("backup", "BackupDelivery")],
        Delivery::Objects { .. } => &[("delivery", "DestinationDelivery")],
    }
}

fn logging(stream: &str) -> Item {
    let items = vec![
        set("enabled", "true"),
        set("log_group_name", "aws_cloudwatch_log_group.firehose.name"),
        set("log_stream_name", format!("aws_cloudwatch_log_stream.{stream}.name")),
    ];
    block("cloudwatch_logging_options", items)
}

fn endpoint(http: &Http) -> Vec<Item> {
    let mut items = vec![set("url", format!("var.{}", http.url)), text("name", http.name)];
    if let AccessKey::Variable(parameter) = http.access_key {
        items.push(set("access_key", format!("var.{parameter}")));
    }
    items.extend([
        set("role_arn", ROLE),
        set("buffering_size", "var.buffering_size"),
        set("buffering_interval", "var.buffering_interval"),
        set("retry_duration", "var.retry_duration"),
        text("s3_backup_mode", "FailedDataOnly"),
    ]);
    if let AccessKey::Secret(parameter) = http.access_key {
        items.push(Item::Blank);
        items.push(comment("Read again every ten minutes: a new key needs no deployment."));
        let secret = vec![
            set("enabled", "true"),
            set("role_arn", ROLE),
            set("secret_arn", format!("var.{parameter}")),
        ];
        items.push(block("secrets_manager_configuration", secret));
    }
    let mut request = vec![text("content_encoding", "GZIP")];
    for (name, value) in &http.attributes {
        let value = match value {
            AttributeValue::Literal(literal) => text("value", literal),
            AttributeValue::Parameter(parameter) => {
                set("value", format!("tostring(var.{parameter})"))
            }
        };
        request.push(Item::Blank);
        request.push(block("common_attributes", vec![text("name", name), value]));
    }
    items.extend([Item::Blank, block("request_configuration", request)]);
    items.extend([Item::Blank, logging("delivery")]);
    let backup = vec![
        set("role_arn", ROLE),
        set("bucket_arn", "aws_s3_bucket.metrics.arn"),
        text("error_output_prefix", super::objects::ERRORS),
        text("compression_format", "GZIP"),
        Item::Blank,
        logging("backup"),
    ];
    items.extend([
        Item::Blank,
        comment("What could not be delivered; `hydrant replay` puts it back."),
        block("s3_configuration", backup),
    ]);
    items
}

fn objects(prefix: &str) -> Vec<Item> {
    vec![
        set("role_arn", ROLE),
        set("bucket_arn", "aws_s3_bucket.metrics.arn"),
        text("prefix", format!("{prefix}!{{timestamp:yyyy/MM/dd/HH/}}")),
        text("error_output_prefix", super::objects::ERRORS),
        set("buffering_size", "var.buffering_size"),
        set("buffering_interval", "var.buffering_interval"),
        text("compression_format", "GZIP"),
        Item::Blank,
        logging("delivery"),
    ]
}
