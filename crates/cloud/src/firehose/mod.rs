//! The Firehose API: delivery streams, and the records put into them.
//!
//! Owns the delivery streams as they are kept, the twelve operations, and AWS's texts for what is wrong
//! with a call. Always holds: a stream is `ACTIVE` as soon as it is created; every default is filled in
//! before it is kept; an access key is kept sealed and never told. What is not built (other sources,
//! destinations and processors) is refused at creation. Deliberately not here: delivery, which reads
//! the topic of a stream; and who may call.

mod check;
mod configure;
mod describe;
mod encryption;
mod endpoint;
mod manage;
mod pattern;
pub mod put;
mod tags;

use std::collections::BTreeMap;

use aws::api::{Fault, Shape, Value};
use entry::seal::{SealError, SealKey};
use serde::{Deserialize, Serialize};

use crate::api::{Caller, Context};
use crate::registry::Resources;
use check::Rule;
use pattern::Pattern;

/// A delivery stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeliveryStream {
    /// Name.
    pub name: String,
    /// Account.
    pub account: String,
    /// ARN.
    pub arn: String,
    /// Grows with every change of the configuration; 1 at first.
    pub version: u64,
    /// Milliseconds since the epoch.
    pub created_ms: i64,
    /// The same; `None` before the first change.
    pub updated_ms: Option<i64>,
    /// Tags, by key.
    pub tags: BTreeMap<String, String>,
    /// State of its encryption, and the key's ARN and type.
    pub encryption: Encryption,
    /// `ThroughputHintInMBs`.
    pub throughput_hint: Option<i64>,
    /// Where it delivers.
    pub destination: Destination,
    /// First sequence of its topic that is its own: what lies before was put into a stream of the
    /// same name that was deleted, and went with it.
    #[serde(default)]
    pub first: u64,
}

/// The encryption state machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Encryption {
    /// On.
    pub enabled: bool,
    /// `AWS_OWNED_CMK` or `CUSTOMER_MANAGED_CMK`.
    pub key_type: Option<String>,
    /// Key of the customer.
    pub key_arn: Option<String>,
    /// When it was started or stopped within the last day, milliseconds since the epoch.
    #[serde(default)]
    pub changes_ms: Vec<i64>,
}

/// `ProcessingConfiguration`, as it was given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Processing {
    /// `Enabled`.
    pub enabled: bool,
    /// Types with the names and values of their parameters.
    pub processors: Vec<(String, Vec<(String, String)>)>,
}

/// A destination with its defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Destination {
    /// An HTTP endpoint, with its backup bucket.
    HttpEndpoint(Box<HttpEndpoint>),
    /// A bucket.
    S3(Box<S3>),
}

impl Default for Destination {
    fn default() -> Destination {
        Destination::S3(Box::default())
    }
}

/// `HttpEndpointDestinationConfiguration`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HttpEndpoint {
    /// `Url`.
    pub url: String,
    /// `Name`.
    pub name: Option<String>,
    /// `AccessKey`, sealed (base64 of what `entry::seal` makes).
    pub sealed_access_key: Option<String>,
    /// `SizeInMBs` and `IntervalInSeconds`.
    pub buffering: (u32, u32),
    /// `ContentEncoding` is GZIP.
    pub gzip: bool,
    /// `CommonAttributes`.
    pub common_attributes: Vec<(String, String)>,
    /// `RetryOptions`.
    pub retry_seconds: u32,
    /// `S3BackupMode` is AllData.
    pub all_data: bool,
    /// `RoleARN`, when given.
    pub role_arn: Option<String>,
    /// `CloudWatchLoggingOptions`: enabled, group, stream.
    pub logging: (bool, Option<String>, Option<String>),
    /// `S3Configuration`.
    pub backup: S3,
    /// `ProcessingConfiguration`, when given; nothing in it is enabled.
    #[serde(default)]
    pub processing: Option<Processing>,
    /// `SecretsManagerConfiguration`, which is not enabled.
    #[serde(default)]
    pub secrets_off: Secrets,
}

/// `SecretARN` and `RoleARN`, when given.
pub type Secrets = (Option<String>, Option<String>);

/// `S3DestinationConfiguration` and what `ExtendedS3DestinationConfiguration` adds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct S3 {
    /// `RoleARN`.
    pub role_arn: String,
    /// `BucketARN`.
    pub bucket_arn: String,
    /// `Prefix`.
    pub prefix: Option<String>,
    /// `ErrorOutputPrefix`.
    pub error_output_prefix: Option<String>,
    /// `SizeInMBs` and `IntervalInSeconds`.
    pub buffering: (u32, u32),
    /// `CompressionFormat`, AWS's word.
    pub compression: String,
    /// `AWSKMSKeyARN`.
    pub kms_key_arn: Option<String>,
    /// As in [`HttpEndpoint`].
    pub logging: (bool, Option<String>, Option<String>),
    /// It was made as `ExtendedS3DestinationConfiguration`.
    pub extended: bool,
    /// `FileExtension`.
    pub file_extension: Option<String>,
    /// `CustomTimeZone`.
    pub custom_time_zone: Option<String>,
    /// The delimiter of the processor `AppendDelimiterToRecord`.
    pub delimiter: Option<String>,
    /// `ProcessingConfiguration`, when given.
    #[serde(default)]
    pub processing: Option<Processing>,
    /// `DynamicPartitioningConfiguration` was given, disabled, with this `RetryOptions`.
    #[serde(default)]
    pub partitioning_off: Option<u32>,
    /// `DataFormatConversionConfiguration`, disabled, as it was given.
    #[serde(default)]
    pub conversion_off: Option<serde_json::Value>,
}

/// An access key, opened. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey(String);

impl AccessKey {
    /// The key.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessKey(***)")
    }
}

/// The access key of a stream's endpoint, when it has one.
pub fn access_key(stream: &DeliveryStream, seal: &SealKey) -> Result<Option<AccessKey>, SealError> {
    let Destination::HttpEndpoint(endpoint) = &stream.destination else { return Ok(None) };
    let Some(sealed) = &endpoint.sealed_access_key else { return Ok(None) };
    let mut bytes = Vec::new();
    codec::base64::decode_into(sealed.as_bytes(), &mut bytes).map_err(|_| SealError::Damaged)?;
    let opened = seal.open(&bytes, &seal_context(&stream.arn))?;
    let key = String::from_utf8(opened).map_err(|_| SealError::Damaged)?;
    Ok(Some(AccessKey(key)))
}

/// What a sealed key belongs to: it opens nowhere else.
fn seal_context(arn: &str) -> Vec<u8> {
    format!("AccessKey of {arn}").into_bytes()
}

/// The topic of a delivery stream: see [`topic_of`].
pub fn topic(context: &Context, account: &str, name: &str) -> Option<String> {
    let (now, config) = (context.registry.now(), &context.config);
    topic_of(&now, &config.source, &config.delivery_streams, account, name)
}

/// The topic of a delivery stream, when there is one of that name: made through the API, or one of the
/// settings, which has one topic whoever asks.
pub fn topic_of(
    resources: &Resources,
    source: &str,
    of_settings: &[String],
    account: &str,
    name: &str,
) -> Option<String> {
    if resources.delivery_streams.contains_key(&crate::registry::key(account, name)) {
        return Some(made_topic(source, account, name));
    }
    let there = of_settings.iter().any(|stream| stream == name);
    there.then(|| crate::delivery_topic(source, name))
}

/// The topic of a delivery stream made through the API: one for each account. No name has a `~`, so
/// it is never that of a stream of the settings; a `/` would not do, since names of backup files hold
/// the name of the topic.
pub fn made_topic(source: &str, account: &str, name: &str) -> String {
    crate::delivery_topic(source, &format!("{account}~{name}"))
}

/// Whether a delivery stream of that name is there for an account.
pub fn exists(context: &Context, account: &str, name: &str) -> bool {
    let key = crate::registry::key(account, name);
    of_settings(context, name) || context.registry.now().delivery_streams.contains_key(&key)
}

/// ARN of a delivery stream.
pub fn arn(context: &Context, account: &str, name: &str) -> String {
    let resource = format!("deliverystream/{name}");
    aws::arn::of("firehose", &context.config.region, account, &resource)
}

/// Does an operation; `None` when this service has none of that name.
pub async fn call(
    context: &Context,
    caller: &Caller,
    operation: &str,
    input: &Value<'_>,
) -> Option<Result<Shape<'static>, Fault>> {
    let asked = Asked { context, caller, input };
    Some(match operation {
        "CreateDeliveryStream" => manage::create(&asked),
        "DeleteDeliveryStream" => manage::delete(&asked),
        "DescribeDeliveryStream" => describe::stream(&asked),
        "ListDeliveryStreams" => manage::list(&asked),
        "ListTagsForDeliveryStream" => tags::list(&asked),
        "PutRecord" | "PutRecordBatch" => match put::Put::of(operation, input) {
            Ok(put) => put.store(context, caller).await,
            Err(fault) => Err(fault),
        },
        "StartDeliveryStreamEncryption" => encryption::start(&asked),
        "StopDeliveryStreamEncryption" => encryption::stop(&asked),
        "TagDeliveryStream" => tags::tag(&asked),
        "UntagDeliveryStream" => tags::untag(&asked),
        "UpdateDestination" => manage::update(&asked),
        _ => return None,
    })
}

/// What an operation is given.
struct Asked<'a> {
    context: &'a Context,
    caller: &'a Caller,
    input: &'a Value<'a>,
}

impl Asked<'_> {
    /// The stream, when it was made through the API; `None` when it is one of the settings.
    fn stream(&self, name: &str) -> Result<Option<DeliveryStream>, Fault> {
        let now = self.context.registry.now();
        match now.delivery_streams.get(&self.key(name)) {
            Some(stream) => Ok(Some(stream.clone())),
            None if of_settings(self.context, name) => Ok(None),
            None => Err(self.missing(name)),
        }
    }

    fn key(&self, name: &str) -> String {
        crate::registry::key(&self.caller.account, name)
    }

    /// Changes a stream; what is refused changes nothing.
    fn change(
        &self,
        name: &str,
        change: impl FnOnce(&mut DeliveryStream) -> Result<(), Fault>,
    ) -> Result<Shape<'static>, Fault> {
        let done = self.context.registry.change(|all| {
            let stream = all.delivery_streams.get_mut(&self.key(name));
            change(stream.ok_or_else(|| self.missing(name))?)
        });
        done.map(|()| EMPTY).map_err(unkept)
    }

    /// Why there is no stream of that name to change.
    fn missing(&self, name: &str) -> Fault {
        if of_settings(self.context, name) {
            return fixed(name);
        }
        not_found(name, &self.caller.account)
    }
}

/// The answer of operations that have nothing to say.
const EMPTY: Shape<'static> = Shape::None;

/// Name of a delivery stream.
const NAME: Rule = Rule::of(1, 64, Pattern::Name);

/// The one destination of a stream.
const DESTINATION_ID: &str = "destinationId-000000000001";

fn of_settings(context: &Context, name: &str) -> bool {
    context.config.delivery_streams.iter().any(|stream| stream == name)
}

fn not_found(name: &str, account: &str) -> Fault {
    let text = format!("Firehose {name} under account {account} not found.");
    Fault::new("ResourceNotFoundException", 400, text)
}

fn invalid(text: impl Into<String>) -> Fault {
    Fault::new("InvalidArgumentException", 400, text)
}

fn in_use(text: impl Into<String>) -> Fault {
    Fault::new("ResourceInUseException", 400, text)
}

fn exceeded(text: impl Into<String>) -> Fault {
    Fault::new("LimitExceededException", 400, text)
}

fn fixed(name: &str) -> Fault {
    in_use(format!(
        "Firehose {name} is a stream of this server's settings; it is changed there, not by the API"
    ))
}

/// A change that was refused, or that the disk did not take.
fn unkept(failed: Result<Fault, String>) -> Fault {
    failed.unwrap_or_else(|text| Fault::new("InternalFailure", 500, text))
}

#[cfg(test)]
mod tests;
