//! The Firehose API: delivery streams, and the records put into them.

use std::collections::BTreeMap;

use aws::api::{Fault, Shape, Value};
use serde::{Deserialize, Serialize};

use crate::api::{Caller, Context};

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
}

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
}

/// Does an operation; `None` when this service has none of that name.
pub async fn call(
    context: &Context,
    caller: &Caller,
    operation: &str,
    input: &Value<'_>,
) -> Option<Result<Shape<'static>, Fault>> {
    let (_, _, _, _) = (context, caller, operation, input);
    None
}
