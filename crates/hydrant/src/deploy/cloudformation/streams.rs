//! The metric stream and the Firehose stream.

use super::super::filters::{Filters, Names};
use super::super::parameter::camel;
use super::super::plan::{AccessKey, AttributeValue, Delivery, Http, Plan};
use super::super::yaml::{Entry, Node, attribute, bare, entry, reference, remarked, sub, text};
use super::objects::ERRORS;
use super::{resource, resource_with};

pub(super) fn metric_stream(plan: &Plan) -> Vec<Entry> {
    let mut properties = vec![
        entry("Name", reference("Name")),
        entry("RoleArn", attribute("MetricStreamRole.Arn")),
        entry("FirehoseArn", attribute("DeliveryStream.Arn")),
        entry("OutputFormat", text(plan.metric_stream.output_format)),
        entry("IncludeLinkedAccountsMetrics", reference("IncludeLinkedAccountsMetrics")),
    ];
    let mut comment = None;
    match &plan.metric_stream.filters {
        Filters::All => {
            let what = "No filter: every metric of account and region is streamed, and billed.";
            comment = Some(what.to_owned());
        }
        Filters::Include(names) => properties.push(entry("IncludeFilters", filters(names))),
        Filters::Exclude(names) => properties.push(entry("ExcludeFilters", filters(names))),
    }
    let stream = resource("MetricStream", "AWS::CloudWatch::MetricStream", properties);
    vec![Entry { comment, ..stream }]
}

fn filters(names: &Names) -> Node {
    let filter = |(namespace, metric_names): (&String, &Option<Vec<String>>)| {
        let mut items = vec![entry("Namespace", text(namespace))];
        if let Some(metric_names) = metric_names {
            let list = metric_names.iter().map(text).collect();
            items.push(entry("MetricNames", Node::List(list)));
        }
        Node::Map(items)
    };
    Node::List(names.iter().map(filter).collect())
}

pub(super) fn delivery(plan: &Plan) -> Vec<Entry> {
    let encryption = Node::Map(vec![entry("KeyType", text("AWS_OWNED_CMK"))]);
    let mut properties = vec![
        entry("DeliveryStreamName", reference("Name")),
        entry("DeliveryStreamType", text("DirectPut")),
        remarked(
            "What waits in Firehose is encrypted; a key of AWS costs nothing and needs no permission.",
            "DeliveryStreamEncryptionConfigurationInput",
            encryption,
        ),
    ];
    let mut streams = vec![("DeliveryLog", "DestinationDelivery")];
    match &plan.delivery {
        Delivery::Http(http) => {
            streams.push(("BackupLog", "BackupDelivery"));
            let configuration = Node::Map(endpoint(http));
            properties.push(entry("HttpEndpointDestinationConfiguration", configuration));
        }
        Delivery::Objects { prefix } => {
            let configuration = Node::Map(objects(prefix));
            properties.push(entry("ExtendedS3DestinationConfiguration", configuration));
        }
    }
    let group = vec![
        entry("LogGroupName", sub("/aws/kinesisfirehose/${Name}")),
        entry("RetentionInDays", reference("LogRetentionDays")),
    ];
    let mut all = vec![
        resource("DeliveryStream", "AWS::KinesisFirehose::DeliveryStream", properties),
        resource_with("FirehoseLogs", "AWS::Logs::LogGroup", super::objects::deleted(), group),
    ];
    for (name, stream) in streams {
        let properties = vec![
            entry("LogGroupName", reference("FirehoseLogs")),
            entry("LogStreamName", text(stream)),
        ];
        all.push(resource(name, "AWS::Logs::LogStream", properties));
    }
    all
}

fn logging(stream: &str) -> Entry {
    let items = vec![
        entry("Enabled", bare(true)),
        entry("LogGroupName", reference("FirehoseLogs")),
        entry("LogStreamName", reference(stream)),
    ];
    entry("CloudWatchLoggingOptions", Node::Map(items))
}

fn buffering() -> Entry {
    let items = vec![
        entry("SizeInMBs", reference("BufferingSize")),
        entry("IntervalInSeconds", reference("BufferingInterval")),
    ];
    entry("BufferingHints", Node::Map(items))
}

fn role() -> Entry {
    entry("RoleARN", attribute("FirehoseRole.Arn"))
}

fn endpoint(http: &Http) -> Vec<Entry> {
    let mut target = vec![entry("Url", reference(camel(http.url))), entry("Name", text(http.name))];
    if let AccessKey::Variable(parameter) = http.access_key {
        target.push(entry("AccessKey", reference(camel(parameter))));
    }
    let mut items = vec![entry("EndpointConfiguration", Node::Map(target)), role()];
    if let AccessKey::Secret(parameter) = http.access_key {
        let secret = vec![
            entry("Enabled", bare(true)),
            role(),
            entry("SecretARN", reference(camel(parameter))),
        ];
        items.push(remarked(
            "Read again every ten minutes: a new key needs no deployment.",
            "SecretsManagerConfiguration",
            Node::Map(secret),
        ));
    }
    let mut request = vec![entry("ContentEncoding", text("GZIP"))];
    if !http.attributes.is_empty() {
        let attribute = |(name, value): &(String, AttributeValue)| {
            let value = match value {
                AttributeValue::Literal(literal) => text(literal),
                AttributeValue::Parameter(parameter) => reference(camel(parameter)),
            };
            Node::Map(vec![entry("AttributeName", text(name)), entry("AttributeValue", value)])
        };
        let attributes = http.attributes.iter().map(attribute).collect();
        request.push(entry("CommonAttributes", Node::List(attributes)));
    }
    let retry = vec![entry("DurationInSeconds", reference("RetryDuration"))];
    let backup = vec![
        entry("BucketARN", attribute("Bucket.Arn")),
        role(),
        entry("ErrorOutputPrefix", text(ERRORS)),
        entry("CompressionFormat", text("GZIP")),
        logging("BackupLog"),
    ];
    items.extend([
        buffering(),
        entry("RetryOptions", Node::Map(retry)),
        entry("RequestConfiguration", Node::Map(request)),
        logging("DeliveryLog"),
        entry("S3BackupMode", text("FailedDataOnly")),
        remarked(
            "What could not be delivered; hydrant replay puts it back.",
            "S3Configuration",
            Node::Map(backup),
        ),
    ]);
    items
}

fn objects(prefix: &str) -> Vec<Entry> {
    vec![
        entry("BucketARN", attribute("Bucket.Arn")),
        role(),
        entry("Prefix", text(format!("{prefix}!{{timestamp:yyyy/MM/dd/HH/}}"))),
        entry("ErrorOutputPrefix", text(ERRORS)),
        buffering(),
        entry("CompressionFormat", text("GZIP")),
        logging("DeliveryLog"),
    ]
}
