//! `destination:` of a stream.

mod credentials;
mod dynatrace;
mod http_endpoint;
mod otlp;
mod prometheus;
pub(super) mod s3;

use std::path::PathBuf;
use std::time::Duration;

use delivery::Destination;
use delivery::sink::{self, file};
use remote::{ClientConfig, TlsConfig};

use super::place::readable_file;
use super::{GIB, MIB, optional};
use crate::settings::read::{At, Found, Report, Section, Spot};

/// DNS, TCP and TLS to another continent take one second; ten allow for lost packets.
const CONNECT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
/// A backend that has not answered after half a minute is taken for gone, and asked again.
const REQUEST_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// A longer wait would hide an outage.
const TIMEOUT_MAX: Duration = Duration::from_secs(300);
const TIMEOUT_MIN: Duration = Duration::from_millis(100);
/// Dynatrace names up to 1,000 refused lines in an answer; more is not a metrics answer.
const ANSWER_BYTES: usize = MIB as usize;

/// A file of 100 MiB opens in any editor and holds a quarter of a million points.
const ROTATE_SIZE_DEFAULT: u64 = 100 * MIB;
/// With the size above: one gigabyte, which fits beside the journal anywhere.
const KEEP_DEFAULT: u64 = 10;
const KEEP_MAX: u64 = 100_000;

/// A destination as it was read.
pub(super) struct ReadDestination {
    /// `None` when something in it is wrong.
    pub(super) config: Option<Destination>,
    /// Where `from_request` stands, in drop-in mode.
    pub(super) from_request: Option<Spot>,
    /// The file it writes.
    pub(super) file: Option<Found<PathBuf>>,
}

#[derive(Clone, Copy)]
enum Type {
    Dynatrace,
    Otlp,
    Prometheus,
    HttpEndpoint,
    S3,
    File,
    Blackhole,
}

const TYPES_HINT: &str =
    "one of dynatrace, otlp, prometheus_remote_write, http_endpoint, s3, file or blackhole";

/// `destination`.
pub(super) fn destination(report: &Report, stream: &Section<'_>) -> Option<ReadDestination> {
    let section = stream.need("destination", "say where it goes, beginning with its type")?;
    let section = section.section()?;
    let types = [
        ("dynatrace", Type::Dynatrace),
        ("otlp", Type::Otlp),
        ("prometheus_remote_write", Type::Prometheus),
        ("http_endpoint", Type::HttpEndpoint),
        ("s3", Type::S3),
        ("file", Type::File),
        ("blackhole", Type::Blackhole),
    ];
    let kind = section.need("type", TYPES_HINT);
    let Some(kind) = kind.and_then(|at| at.choice(&types, &[])) else {
        section.finish_untyped();
        return None;
    };
    let read = match kind {
        Type::Dynatrace => dynatrace::destination(report, &section),
        Type::Otlp => {
            otlp::config(report, &section).map(|config| fixed(sink::Config::Otlp(config)))
        }
        Type::Prometheus => prometheus::config(report, &section)
            .map(|config| fixed(sink::Config::Prometheus(config))),
        Type::HttpEndpoint => http_endpoint::config(report, &section)
            .map(|config| fixed(sink::Config::HttpEndpoint(config))),
        Type::S3 => s3::config(report, &section).map(|config| fixed(sink::Config::S3(config))),
        Type::File => file(&section),
        Type::Blackhole => Some(fixed(sink::Config::Blackhole)),
    };
    section.finish();
    read
}

fn fixed(config: sink::Config) -> ReadDestination {
    ReadDestination { config: Some(Destination::Fixed(config)), from_request: None, file: None }
}

fn file(section: &Section<'_>) -> Option<ReadDestination> {
    let path = section.need_text("path", "for instance path: ./metrics.ndjson");
    let contents = [("ndjson", file::Content::Ndjson)];
    let content =
        optional(section.get("format"), file::Content::Ndjson, |at| at.choice(&contents, &["raw"]));
    let rotate_size = optional(section.get("rotate_size"), ROTATE_SIZE_DEFAULT, |at| {
        at.size(MIB..=1024 * GIB).map(|found| found.value)
    });
    let keep = optional(section.get("keep"), KEEP_DEFAULT, |at| at.number(0..=KEEP_MAX));
    let path = path?;
    let path = Found { value: PathBuf::from(path.value), spot: path.spot };
    let config = file::Config {
        path: path.value.clone(),
        content: content?,
        rotate_bytes: rotate_size?,
        keep: u32::try_from(keep?).ok()?,
    };
    Some(ReadDestination { file: Some(path), ..fixed(sink::Config::File(config)) })
}

/// `ca_file`, `connect_timeout` and `request_timeout`, which all HTTP destinations have.
pub(super) fn client(section: &Section<'_>, request_default: Duration) -> Option<ClientConfig> {
    let ca_file = match section.get("ca_file") {
        None => Some(None),
        Some(at) => readable_file(&at).map(|found| Some(found.value)),
    };
    let time = |at: &At<'_>| at.duration(TIMEOUT_MIN..=TIMEOUT_MAX);
    let connect = optional(section.get("connect_timeout"), CONNECT_TIMEOUT_DEFAULT, time);
    let request = optional(section.get("request_timeout"), request_default, time);
    Some(ClientConfig {
        tls: TlsConfig { ca_file: ca_file?, accept_invalid: false },
        connect_timeout: connect?,
        request_timeout: request?,
        answer_bytes: ANSWER_BYTES,
    })
}

/// `format` of records: the forms of CloudWatch.
fn records(section: &Section<'_>, default: metric::Format) -> Option<metric::Format> {
    let formats = [
        ("json", metric::Format::Json),
        ("opentelemetry1.0", metric::Format::Otel10),
        ("opentelemetry0.7", metric::Format::Otel07),
    ];
    optional(section.get("format"), default, |at| at.choice(&formats, &[]))
}
