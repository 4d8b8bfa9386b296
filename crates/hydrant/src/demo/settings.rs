//! The settings of the demo: what a settings file would say, with addresses picked by the system.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cloud::api::Credential;
use delivery::sink::{Config as Sink, dynatrace, file, otlp};
use delivery::{BackupConfig, BackupMode, Buffering, Destination, StartFrom, StreamConfig};
use intake::firehose::{Access, Limits};
use remote::{ClientConfig, Secret, TlsConfig};

use super::cloud as aws;
use crate::settings::{
    Admin, ApiLimits, ApiSource, Budget, FirehoseSource, Log, LogFormat, LogLevel, Settings,
};

pub(super) const SOURCE: &str = "firehose";
pub(super) const TO_DYNATRACE: &str = "to-dynatrace";
pub(super) const TO_OTEL: &str = "to-otel";
/// The source in place of AWS.
pub(super) const CLOUD: &str = "cloud";
/// What a person puts into the running demo goes here.
pub(super) const YOURS: &str = "yours";
pub(super) const ACCESS_KEY: &str = "demo-access-key";
pub(super) const TOKEN: &str = "dt0c01.DEMO.NOT-A-SECRET";

/// Only what a person must know: the demo has a view of its own.
pub(super) const LOG: Log = Log { format: LogFormat::Text, level: LogLevel::Warn };

/// A quarter of a gibibyte is plenty for a demo and fits any machine.
const BUDGET: u64 = 256 * 1024 * 1024;
/// A person puts a few metrics.
const FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Settings for two destinations at these addresses.
pub(super) fn settings(data_dir: &Path, dynatrace_at: &str, otlp_at: &str) -> Settings {
    let to_dynatrace = Sink::Dynatrace(dynatrace::Config {
        url: format!("http://{dynatrace_at}"),
        api_token: Secret::new(TOKEN),
        too_old: dynatrace::TooOld::Quarantine,
        percentiles: false,
        metadata: true,
        digit_section: dynatrace::DigitSection::AsIs,
        compression: true,
        client: client(),
    });
    let to_otel = Sink::Otlp(otlp::Config {
        endpoint: format!("http://{otlp_at}"),
        protocol: otlp::Protocol::HttpProtobuf,
        compression: otlp::Compression::Gzip,
        headers: Vec::new(),
        bearer_token: None,
        oauth2: None,
        resource_attributes: vec![("service.name".to_owned(), "hydrant-demo".to_owned())],
        points: otlp::Points::Summary,
        dimensions: otlp::Dimensions::List,
        points_max: 10_000,
        bytes_max: 1024 * 1024,
        client: client(),
    });
    let to_file = Sink::File(file::Config {
        path: yours(data_dir),
        content: file::Content::Ndjson,
        rotate_bytes: FILE_BYTES,
        keep: 1,
    });
    Settings {
        data_dir: data_dir.to_owned(),
        budget: Budget {
            total_bytes: BUDGET,
            journal_bytes: BUDGET / 2,
            backup_bytes: BUDGET / 4,
            quarantine_bytes: BUDGET / 8,
            state_bytes: BUDGET / 8,
        },
        admin: Admin { listen: "127.0.0.1:0".to_owned() },
        log: LOG,
        apis: vec![api()],
        objects: Vec::new(),
        sources: vec![FirehoseSource {
            name: SOURCE.to_owned(),
            listen: "127.0.0.1:0".to_owned(),
            access: Access { keys: vec![Secret::new(ACCESS_KEY)], lenient: false },
            tls: None,
            limits: Limits::default(),
        }],
        streams: vec![
            stream(data_dir, (TO_DYNATRACE, SOURCE), to_dynatrace),
            stream(data_dir, (TO_OTEL, SOURCE), to_otel),
            stream(data_dir, (YOURS, CLOUD), to_file),
        ],
        tag_refreshes: Vec::new(),
        warnings: Vec::new(),
    }
}

/// The file with what a person puts.
pub(super) fn yours(data_dir: &Path) -> PathBuf {
    data_dir.join("yours.ndjson")
}

fn api() -> ApiSource {
    ApiSource {
        name: CLOUD.to_owned(),
        listen: aws::listen(),
        region: aws::REGION.to_owned(),
        credentials: vec![Credential {
            access_key_id: aws::KEY.to_owned(),
            secret_access_key: aws::KEY.into(),
            session_token: None,
            account_id: aws::ACCOUNT.to_owned(),
            policy: None,
        }],
        unsigned_account: None,
        s3_endpoint_url: None,
        allow_http_endpoints: true,
        seal_key: None,
        window_grace: Duration::from_secs(1),
        windows_bytes: BUDGET / 4,
        raw_values_max: 100_000,
        tls: None,
        limits: ApiLimits::default(),
    }
}

fn stream(data_dir: &Path, (name, source): (&str, &str), destination: Sink) -> StreamConfig {
    StreamConfig {
        name: name.to_owned(),
        sources: vec![source.to_owned()],
        include: Vec::new(),
        exclude: Vec::new(),
        enrich: rules::Enrichment::default(),
        destination: Destination::Fixed(destination),
        buffering: Buffering { size_bytes: 5 * 1024 * 1024, interval: Duration::ZERO },
        retry_duration: Duration::from_secs(300),
        start_from: StartFrom::Newest,
        backup: BackupConfig {
            mode: BackupMode::FailedDataOnly,
            directory: data_dir.join("backup").join(name),
            s3: None,
        },
        max_backlog_bytes: BUDGET / 4,
        concurrency: 4,
    }
}

fn client() -> ClientConfig {
    ClientConfig {
        tls: TlsConfig::default(),
        connect_timeout: Duration::from_secs(5),
        request_timeout: Duration::from_secs(30),
        answer_bytes: 1024 * 1024,
    }
}
