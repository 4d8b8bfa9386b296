//! What `DescribeDeliveryStream` tells of a stream.
//!
//! Always holds: what was configured is told as it was given, what was not with its default, so that
//! a tool that compares finds no difference; an access key is not told.

use aws::api::{Fault, Shape, Value};
use serde::Deserialize;

use super::check::{At, Checks, Rule};
use super::pattern::Pattern;
use super::{
    Asked, DESTINATION_ID, DeliveryStream, Destination, HttpEndpoint, NAME, Processing, S3, arn,
};

/// Most that `Limit` may say.
pub(super) const LIMIT_MAX: i64 = 10_000;

/// `DescribeDeliveryStream`.
pub(super) fn stream(asked: &Asked<'_>) -> Result<Shape<'static>, Fault> {
    let mut checks = Checks::default();
    let at = At::root(asked.input);
    let name = at.must(&mut checks, "DeliveryStreamName", &NAME);
    at.number(&mut checks, "Limit", 1, LIMIT_MAX);
    let rule = Rule::of(1, 100, Pattern::DestinationId);
    let after = at.text(&mut checks, "ExclusiveStartDestinationId", &rule);
    checks.done()?;
    let found = asked.stream(&name)?;
    // There is one destination: any start at it or after it is past the end.
    let past = after.is_some_and(|after| after.as_str() >= DESTINATION_ID);
    let told = match found {
        Some(stream) => description(&stream, !past),
        None => description(&of_settings(asked, name), false),
    };
    Ok(Shape::Members(Value::map([("DeliveryStreamDescription", Some(told))])))
}

/// A stream of the settings: its destination may be one that the API has no words for.
fn of_settings(asked: &Asked<'_>, name: String) -> DeliveryStream {
    let arn = arn(asked.context, &asked.caller.account, &name);
    DeliveryStream { arn, name, version: 1, ..DeliveryStream::default() }
}

fn description(stream: &DeliveryStream, with_destination: bool) -> Value<'static> {
    let destination = with_destination.then(|| destination(&stream.destination));
    let source = stream.throughput_hint.map(|hint| {
        let told = Value::map([("ThroughputHintInMBs", Some(Value::Int(hint)))]);
        Value::map([("DirectPutSourceDescription", Some(told))])
    });
    let created = Some(stream.created_ms).filter(|at| *at != 0);
    Value::map([
        ("DeliveryStreamName", text(&stream.name)),
        ("DeliveryStreamARN", text(&stream.arn)),
        ("DeliveryStreamStatus", Some(Value::text("ACTIVE"))),
        ("DeliveryStreamEncryptionConfiguration", Some(encryption(stream))),
        ("DeliveryStreamType", Some(Value::text("DirectPut"))),
        ("VersionId", Some(Value::text(stream.version.to_string()))),
        ("CreateTimestamp", created.map(time)),
        ("LastUpdateTimestamp", stream.updated_ms.map(time)),
        ("Source", source),
        ("Destinations", Some(Value::List(destination.into_iter().collect()))),
        ("HasMoreDestinations", Some(Value::Bool(false))),
    ])
}

fn encryption(stream: &DeliveryStream) -> Value<'static> {
    let encryption = &stream.encryption;
    if !encryption.enabled {
        return Value::map([("Status", Some(Value::text("DISABLED")))]);
    }
    Value::map([
        ("KeyARN", maybe(&encryption.key_arn)),
        ("KeyType", maybe(&encryption.key_type)),
        ("Status", Some(Value::text("ENABLED"))),
    ])
}

fn destination(destination: &Destination) -> Value<'static> {
    let id = ("DestinationId", text(DESTINATION_ID));
    match destination {
        Destination::HttpEndpoint(endpoint) => {
            Value::map([id, ("HttpEndpointDestinationDescription", Some(http(endpoint)))])
        }
        Destination::S3(bucket) if bucket.extended => Value::map([
            id,
            ("S3DestinationDescription", Some(s3(bucket))),
            ("ExtendedS3DestinationDescription", Some(extended(bucket))),
        ]),
        Destination::S3(bucket) => Value::map([id, ("S3DestinationDescription", Some(s3(bucket)))]),
    }
}

fn http(http: &HttpEndpoint) -> Value<'static> {
    let endpoint = Value::map([("Url", text(&http.url)), ("Name", maybe(&http.name))]);
    let attribute = |(name, value): &(String, String)| {
        Value::map([("AttributeName", text(name)), ("AttributeValue", text(value))])
    };
    let attributes = http.common_attributes.iter().map(attribute).collect();
    let encoding = if http.gzip { "GZIP" } else { "NONE" };
    let request = Value::map([
        ("ContentEncoding", text(encoding)),
        ("CommonAttributes", Some(Value::List(attributes))),
    ]);
    let secrets = Value::map([
        ("SecretARN", maybe(&http.secrets_off.0)),
        ("RoleARN", maybe(&http.secrets_off.1)),
        ("Enabled", Some(Value::Bool(false))),
    ]);
    let mode = if http.all_data { "AllData" } else { "FailedDataOnly" };
    Value::map([
        ("EndpointConfiguration", Some(endpoint)),
        ("BufferingHints", Some(buffering(http.buffering))),
        ("CloudWatchLoggingOptions", Some(logging(&http.logging))),
        ("RequestConfiguration", Some(request)),
        ("ProcessingConfiguration", http.processing.as_ref().map(processing)),
        ("RoleARN", maybe(&http.role_arn)),
        ("RetryOptions", Some(retry(http.retry_seconds))),
        ("S3BackupMode", text(mode)),
        ("S3DestinationDescription", Some(s3(&http.backup))),
        ("SecretsManagerConfiguration", Some(secrets)),
    ])
}

/// The eight members that every bucket has.
fn s3(s3: &S3) -> Value<'static> {
    let encryption = match &s3.kms_key_arn {
        None => Value::map([("NoEncryptionConfig", text("NoEncryption"))]),
        Some(key) => {
            let key = Value::map([("AWSKMSKeyARN", text(key))]);
            Value::map([("KMSEncryptionConfig", Some(key))])
        }
    };
    Value::map([
        ("RoleARN", text(&s3.role_arn)),
        ("BucketARN", text(&s3.bucket_arn)),
        ("Prefix", maybe(&s3.prefix)),
        ("ErrorOutputPrefix", maybe(&s3.error_output_prefix)),
        ("BufferingHints", Some(buffering(s3.buffering))),
        ("CompressionFormat", text(&s3.compression)),
        ("EncryptionConfiguration", Some(encryption)),
        ("CloudWatchLoggingOptions", Some(logging(&s3.logging))),
    ])
}

fn extended(bucket: &S3) -> Value<'static> {
    let partitioning = bucket.partitioning_off.map(|seconds| {
        Value::map([("Enabled", Some(Value::Bool(false))), ("RetryOptions", Some(retry(seconds)))])
    });
    let conversion = bucket.conversion_off.clone();
    let conversion = conversion.and_then(|given| Value::deserialize(given).ok());
    let Value::Map(mut members) = s3(bucket) else { return Value::Null };
    let more = Value::map([
        ("ProcessingConfiguration", bucket.processing.as_ref().map(processing)),
        ("S3BackupMode", text("Disabled")),
        ("DataFormatConversionConfiguration", Some(conversion.unwrap_or_else(disabled))),
        ("DynamicPartitioningConfiguration", partitioning),
        ("FileExtension", maybe(&bucket.file_extension)),
        ("CustomTimeZone", text(bucket.custom_time_zone.as_deref().unwrap_or("UTC"))),
    ]);
    if let Value::Map(more) = more {
        members.extend(more);
    }
    Value::Map(members)
}

fn processing(processing: &Processing) -> Value<'static> {
    let parameter = |(name, value): &(String, String)| {
        Value::map([("ParameterName", text(name)), ("ParameterValue", text(value))])
    };
    let processor = |(kind, parameters): &(String, Vec<(String, String)>)| {
        let parameters = parameters.iter().map(parameter).collect();
        Value::map([("Type", text(kind)), ("Parameters", Some(Value::List(parameters)))])
    };
    let processors = processing.processors.iter().map(processor).collect();
    Value::map([
        ("Enabled", Some(Value::Bool(processing.enabled))),
        ("Processors", Some(Value::List(processors))),
    ])
}

fn logging((enabled, group, stream): &(bool, Option<String>, Option<String>)) -> Value<'static> {
    Value::map([
        ("Enabled", Some(Value::Bool(*enabled))),
        ("LogGroupName", maybe(group)),
        ("LogStreamName", maybe(stream)),
    ])
}

fn buffering((size, interval): (u32, u32)) -> Value<'static> {
    Value::map([
        ("SizeInMBs", Some(Value::Int(size.into()))),
        ("IntervalInSeconds", Some(Value::Int(interval.into()))),
    ])
}

fn retry(seconds: u32) -> Value<'static> {
    Value::map([("DurationInSeconds", Some(Value::Int(seconds.into())))])
}

fn disabled() -> Value<'static> {
    Value::map([("Enabled", Some(Value::Bool(false)))])
}

fn time(milliseconds: i64) -> Value<'static> {
    Value::Time(milliseconds as f64 / 1e3)
}

fn text(text: &str) -> Option<Value<'static>> {
    Some(Value::text(text.to_owned()))
}

fn maybe(value: &Option<String>) -> Option<Value<'static>> {
    value.as_deref().and_then(text)
}
