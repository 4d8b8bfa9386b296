//! Settings as the wiring takes them: checked, with defaults filled in.

use std::path::PathBuf;
use std::time::Duration;

use delivery::StreamConfig;

use super::Problem;
use super::quantity::duration_text;
use crate::cli::TagsFetchArgs;

/// Everything in the settings file.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Journal, quarantine, local backups, state.
    pub data_dir: PathBuf,
    /// The disk, shared out.
    pub budget: Budget,
    /// The admin port.
    pub admin: Admin,
    /// Logging.
    pub log: Log,
    /// Sources that listen, by the order of the file.
    pub sources: Vec<FirehoseSource>,
    /// Sources in place of AWS, by the order of the file.
    pub apis: Vec<ApiSource>,
    /// Sources that read objects, by the order of the file.
    pub objects: Vec<ObjectSource>,
    /// Streams, by the order of the file; at least one, or a source that can be told of some.
    pub streams: Vec<StreamConfig>,
    /// Snapshots of tags that this process fetches itself, one for each file.
    pub tag_refreshes: Vec<TagsFetchArgs>,
    /// What is allowed, but worth a word at start.
    pub warnings: Vec<Problem>,
}

/// `disk_budget` and its shares, in bytes. The shares sum up to at most the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// All of it.
    pub total_bytes: u64,
    /// Journal: segments and side files.
    pub journal_bytes: u64,
    /// Backups in the data folder.
    pub backup_bytes: u64,
    /// Quarantine.
    pub quarantine_bytes: u64,
    /// Keys of repeats, cursors, state.
    pub state_bytes: u64,
}

/// `admin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// `host:port`.
    pub listen: String,
}

/// `log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// `format`.
    pub format: LogFormat,
    /// `level`.
    pub level: LogLevel,
}

/// `log.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// Text.
    Text,
    /// One JSON object a line.
    Json,
}

/// `log.level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Only what a human must act on.
    Error,
    /// And what may become that.
    Warn,
    /// And one line per fact.
    Info,
    /// And each request.
    Debug,
    /// And everything else.
    Trace,
}

/// A source of type `s3`, `file` or `stdin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectSource {
    /// A bucket.
    S3(Box<intake::objects::s3::Config>),
    /// A folder, or standard input.
    Files(intake::objects::files::Config),
}

impl ObjectSource {
    /// Its name in the settings.
    pub fn name(&self) -> &str {
        match self {
            ObjectSource::S3(config) => &config.name,
            ObjectSource::Files(config) => &config.name,
        }
    }

    /// Type and place, for a person.
    pub fn place(&self) -> String {
        let again = |interval: Option<Duration>| match interval {
            None => "once".to_owned(),
            Some(interval) => format!("every {}", duration_text(interval)),
        };
        match self {
            ObjectSource::S3(config) => {
                let bucket = config.bucket.as_deref().unwrap_or("*");
                let place = format!("s3 s3://{bucket}/{}", config.prefix);
                match &config.sqs_queue_url {
                    Some(queue) => format!("{place}, told by {queue}"),
                    None => format!("{place}, listed {}", again(config.interval)),
                }
            }
            ObjectSource::Files(config) => match &config.path {
                Some(path) => format!("file {}, read {}", path.display(), again(config.interval)),
                None => "stdin, read once".to_owned(),
            },
        }
    }
}

/// A source of type `firehose`.
#[derive(Clone, Debug)]
pub struct FirehoseSource {
    /// Its name in the settings.
    pub name: String,
    /// `host:port`.
    pub listen: String,
    /// Keys and leniency; replaced by a reload.
    pub access: intake::firehose::Access,
    /// Certificate and key; `None` is plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Limits.
    pub limits: intake::firehose::Limits,
}

/// A source of type `aws_api`.
#[derive(Clone, Debug)]
pub struct ApiSource {
    /// Its name in the settings.
    pub name: String,
    /// `host:port`.
    pub listen: String,
    /// `region`.
    pub region: String,
    /// Who may call; replaced by a reload.
    pub credentials: Vec<cloud::api::Credential>,
    /// Unsigned calls are taken, as this account; replaced by a reload.
    pub unsigned_account: Option<String>,
    /// Where the buckets of streams made through the API are; AWS when not given.
    pub s3_endpoint_url: Option<String>,
    /// `http://` endpoints are taken; replaced by a reload.
    pub allow_http_endpoints: bool,
    /// Seals access keys of endpoints; without it a key is made in the data folder.
    pub seal_key: Option<remote::Secret>,
    /// A minute is closed this long after it is over.
    pub window_grace: Duration,
    /// Bytes of closed windows kept.
    pub windows_bytes: u64,
    /// Raw values kept for additional statistics.
    pub raw_values_max: usize,
    /// Certificate and key; `None` is plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Limits.
    pub limits: ApiLimits,
}

/// `limits` of a source of type `aws_api`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiLimits {
    /// Bytes of a request body, on the wire and inflated.
    pub body_bytes: usize,
    /// Bytes of a request head.
    pub header_bytes: usize,
    /// Time to send the head.
    pub header_time: Duration,
    /// Time to send the body.
    pub body_time: Duration,
    /// Connections at a time.
    pub connections: usize,
    /// Body bytes held in memory by all requests of the process.
    pub in_flight_bytes: usize,
    /// How long a request waits for its share of `in_flight`; then it is throttled.
    pub wait: Duration,
}

impl Default for ApiLimits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            // The largest call of AWS: 4 MiB of records, in base64, with room for its JSON.
            body_bytes: 8 * MIB,
            header_bytes: 64 * 1024,
            header_time: Duration::from_secs(10),
            body_time: Duration::from_secs(60),
            connections: 1024,
            in_flight_bytes: 32 * MIB,
            // SDKs give up after 60 s.
            wait: Duration::from_secs(20),
        }
    }
}

/// `tls` of a source; both files could be read when the settings were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM certificate chain.
    pub cert_file: PathBuf,
    /// PEM private key.
    pub key_file: PathBuf,
}
