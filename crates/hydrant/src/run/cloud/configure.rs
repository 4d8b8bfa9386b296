//! From a delivery stream of the API to the settings of a stream.

use std::path::PathBuf;
use std::time::Duration;

use cloud::firehose::{AccessKey, DeliveryStream, Destination as Made, HttpEndpoint, S3};
use codec::container::Container;
use delivery::sink::{self, Content, http_endpoint, s3};
use delivery::{
    BackupConfig, BackupMode, Buffering, Destination, S3Backup, StartFrom, StreamConfig,
};
use remote::aws::IdentityConfig;
use remote::{ClientConfig, Secret, TlsConfig};

const MIB: u64 = 1 << 20;
/// Firehose waits this long for an answer of an endpoint.
const ANSWER_TIME: Duration = Duration::from_secs(180);
/// And this long it tries to bring data to S3.
const S3_TIME: Duration = Duration::from_secs(24 * 3600);
/// An answer of S3 may take its time; half a minute without a byte is a lost connection.
const S3_ANSWER_TIME: Duration = Duration::from_secs(30);
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// An answer that is longer is no answer of the protocol.
const ANSWER_BYTES: usize = 1 << 20;
/// As streams of the settings have it.
const CONCURRENCY: usize = 4;

/// What delivery streams of one source have in common.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub source: String,
    pub region: String,
    pub s3_endpoint_url: Option<String>,
    pub backups: PathBuf,
    pub max_backlog_bytes: u64,
}

impl Plan {
    /// The settings of a delivery stream, whose access key is opened.
    pub(super) fn stream(&self, stream: &DeliveryStream, key: Option<AccessKey>) -> StreamConfig {
        let mut backup = BackupConfig {
            mode: BackupMode::FailedDataOnly,
            directory: self.backups.join(&stream.account).join(&stream.name),
            s3: None,
        };
        let (destination, hints, retry) = match &stream.destination {
            Made::HttpEndpoint(endpoint) => {
                if endpoint.all_data {
                    backup.mode = BackupMode::AllData;
                }
                backup.s3 = Some(self.backup(&endpoint.backup, stream.version));
                let retry = Duration::from_secs(u64::from(endpoint.retry_seconds));
                let config = http(stream, endpoint, key);
                (sink::Config::HttpEndpoint(config), endpoint.buffering, retry)
            }
            Made::S3(bucket) => {
                let config = self.bucket(bucket, stream.version);
                (sink::Config::S3(config), bucket.buffering, S3_TIME)
            }
        };
        StreamConfig {
            name: stream.name.clone(),
            sources: vec![self.source.clone()],
            include: Vec::new(),
            exclude: Vec::new(),
            enrich: rules::Enrichment::default(),
            destination: Destination::Fixed(destination),
            buffering: buffering(hints),
            retry_duration: retry,
            start_from: StartFrom::At(stream.first),
            backup,
            max_backlog_bytes: self.max_backlog_bytes,
            concurrency: CONCURRENCY,
        }
    }

    fn bucket(&self, bucket: &S3, version: u64) -> s3::Config {
        let delimiter = bucket.delimiter.clone().unwrap_or_default().into_bytes();
        s3::Config {
            bucket: name_of(&bucket.bucket_arn),
            prefix: bucket.prefix.clone().unwrap_or_default(),
            file_extension: bucket.file_extension.clone(),
            custom_time_zone: bucket.custom_time_zone.clone().unwrap_or_else(|| "UTC".to_owned()),
            compression: container(&bucket.compression),
            content: Content::Records { delimiter },
            version: number(version),
            kms_key_id: bucket.kms_key_arn.clone(),
            bytes_max: bytes(bucket.buffering.0, *s3::BYTES_MAX.end()),
            identity: self.identity(),
        }
    }

    fn backup(&self, bucket: &S3, version: u64) -> S3Backup {
        S3Backup {
            bucket: name_of(&bucket.bucket_arn),
            prefix: bucket.prefix.clone().unwrap_or_default(),
            error_output_prefix: bucket.error_output_prefix.clone().unwrap_or_default(),
            compression: container(&bucket.compression),
            kms_key_id: bucket.kms_key_arn.clone(),
            version: number(version),
            all_data: buffering(bucket.buffering),
            identity: self.identity(),
        }
    }

    /// Credentials are those of AWS's own chain: roles are kept and told, not assumed.
    fn identity(&self) -> IdentityConfig {
        IdentityConfig {
            region: Some(self.region.clone()),
            profile: None,
            endpoint_url: self.s3_endpoint_url.clone(),
            assume_role: None,
            client: client(S3_ANSWER_TIME),
        }
    }
}

fn http(
    stream: &DeliveryStream,
    endpoint: &HttpEndpoint,
    key: Option<AccessKey>,
) -> http_endpoint::Config {
    http_endpoint::Config {
        url: endpoint.url.clone(),
        access_key: key.map(|key| Secret::new(key.expose())),
        common_attributes: endpoint.common_attributes.clone(),
        source_arn: stream.arn.clone(),
        gzip: endpoint.gzip,
        content: Content::Records { delimiter: Vec::new() },
        record_bytes: http_endpoint::RECORD_BYTES_MAX,
        bytes_max: bytes(endpoint.buffering.0, http_endpoint::BYTES_MAX),
        client: client(ANSWER_TIME),
    }
}

fn client(request_timeout: Duration) -> ClientConfig {
    ClientConfig {
        tls: TlsConfig::default(),
        connect_timeout: CONNECT_TIME,
        request_timeout,
        answer_bytes: ANSWER_BYTES,
    }
}

/// `SizeInMBs` and `IntervalInSeconds`.
fn buffering((size, interval): (u32, u32)) -> Buffering {
    let interval = Duration::from_secs(u64::from(interval));
    Buffering { size_bytes: u64::from(size) * MIB, interval }
}

/// `arn:aws:s3:::name`.
fn name_of(arn: &str) -> String {
    arn.rsplit(':').next().unwrap_or_default().to_owned()
}

/// The API takes these words alone.
fn container(word: &str) -> Container {
    Container::named(word).unwrap_or_default()
}

fn number(version: u64) -> u32 {
    u32::try_from(version).unwrap_or(u32::MAX)
}

fn bytes(mebibytes: u32, most: usize) -> usize {
    (mebibytes as usize).saturating_mul(1 << 20).clamp(1, most)
}
