//! What a delivery stream is told.

use std::path::PathBuf;
use std::time::Duration;

use aws::firehose::prefix::{Prefix, Prefixes, Use};
use codec::container::Container;
use remote::aws::IdentityConfig;
use rules::{Enrichment, Filter};

use crate::sink;

/// One delivery stream, checked.
///
/// A delivery stream made through the API is one too, whatever its records hold. Its settings are:
///
/// | member | HTTP endpoint | S3 |
/// | --- | --- | --- |
/// | `name` | its name: it stands in the keys of objects | the same |
/// | `sources` | its topic alone | the same |
/// | `include`, `exclude`, `enrich` | nothing: they are for points | the same |
/// | `content` | [`sink::Content::Records`] without a delimiter | with that of `AppendDelimiterToRecord` |
/// | `source_arn` | its ARN | |
/// | `version` | of the backup in S3 | of the objects |
/// | `record_bytes` | [`sink::http_endpoint::RECORD_BYTES_MAX`]; not used for records | |
/// | `bytes_max` | `SizeInMBs`, at most 64 MiB | the same; Firehose's 65 to 128 become 64 |
/// | `client` | 180 s for an answer, as Firehose waits | that of the identity |
/// | `buffering` | `SizeInMBs` (5), `IntervalInSeconds` (300); 0 s does not wait | the same |
/// | `retry_duration` | `DurationInSeconds`, 0 to 7,200 s (300) | 24 h, as Firehose tries S3 |
/// | `start_from` | its first sequence: what lies before was put into a stream that is gone | the same |
/// | `backup.mode` | as `S3BackupMode` | failed data only |
/// | `backup.s3` | `S3Configuration`; without an error prefix an empty text | none: what S3 does not take stays here |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamConfig {
    /// Name in the settings; also the name of its cursor.
    pub name: String,
    /// Names of its sources.
    pub sources: Vec<String>,
    /// Include filters; empty takes all.
    pub include: Vec<Filter>,
    /// Exclude filters.
    pub exclude: Vec<Filter>,
    /// What is added to points.
    pub enrich: Enrichment,
    /// Where it goes.
    pub destination: Destination,
    /// When it wakes.
    pub buffering: Buffering,
    /// How long it is retried before the backup takes it.
    pub retry_duration: Duration,
    /// Where a new stream starts.
    pub start_from: StartFrom,
    /// Backup; there always is one.
    pub backup: BackupConfig,
    /// Past this many bytes of journal the oldest data goes to backup.
    pub max_backlog_bytes: u64,
    /// Requests in flight at a time.
    pub concurrency: usize,
}

/// A fixed destination, or the one each delivery names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// From the settings.
    Fixed(sink::Config),
    /// Drop-in for Dynatrace's endpoint: target and token from the request.
    FromRequest(FromRequest),
}

/// Drop-in mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromRequest {
    /// Everything but URL and token, which each lane has of its own.
    pub dynatrace: sink::dynatrace::Config,
    /// Hosts a delivery may name: exact, or `*.suffix`.
    pub allowed_hosts: Vec<String>,
    /// Seals tokens at rest.
    pub token_key: remote::Secret,
    /// Lanes at most.
    pub lanes_max: usize,
}

/// Size or interval, whichever first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffering {
    /// Raw bytes.
    pub size_bytes: u64,
    /// Age of the oldest; zero does not wait.
    pub interval: Duration,
}

impl Buffering {
    /// Of a copy of all data: Firehose's own defaults for S3. A file is gathered in memory, one a
    /// stream, so it is never larger.
    pub const ALL_DATA: Buffering =
        Buffering { size_bytes: 5 * 1024 * 1024, interval: Duration::from_secs(300) };
}

/// `start_from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartFrom {
    /// After what is there.
    Newest,
    /// At the oldest kept.
    Oldest,
    /// At this sequence of its topics: what lies before it was never its own.
    At(u64),
}

/// `backup`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupConfig {
    /// What is backed up.
    pub mode: BackupMode,
    /// Where; with `s3`, where it waits until the bucket has it.
    pub directory: PathBuf,
    /// A bucket that takes it from there.
    pub s3: Option<S3Backup>,
}

/// `backup.s3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Backup {
    /// Bucket.
    pub bucket: String,
    /// Prefix of source records (AllData), perhaps with expressions.
    pub prefix: String,
    /// Prefix of failed data, with `!{firehose:error-output-type}`.
    pub error_output_prefix: String,
    /// How objects are compressed.
    pub compression: Container,
    /// Key of KMS to encrypt with.
    pub kms_key_id: Option<String>,
    /// The version in the keys of objects, from 1.
    pub version: u32,
    /// When the copy of all data is written; beyond `ALL_DATA` in size it counts as that.
    pub all_data: Buffering,
    /// Who we are, and where S3 is.
    pub identity: IdentityConfig,
}

impl S3Backup {
    /// Checks what the settings' own types do not; the error begins with the key that is wrong.
    pub fn check(&self) -> Result<(), String> {
        Prefixes::parse(&self.prefix, &self.error_output_prefix).map(|_| ()).map_err(|error| {
            let key = match Prefix::parse(&self.prefix, Use::Delivery) {
                Ok(_) => "error_output_prefix",
                Err(_) => "prefix",
            };
            format!("{key}: {error}")
        })
    }
}

/// `backup.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupMode {
    /// Only what could not be delivered.
    FailedDataOnly,
    /// Every record, besides.
    AllData,
}
