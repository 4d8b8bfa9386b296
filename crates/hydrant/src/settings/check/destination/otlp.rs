//! Destination type `otlp`.

use delivery::sink::otlp::{Compression, Config, Dimensions, Points, Protocol};

use super::super::place::{split_address, url};
use super::super::{KIB, MIB, optional};
use super::credentials::credentials;
use super::{REQUEST_TIMEOUT_DEFAULT, client};
use crate::settings::read::{At, Found, Report, Section};

/// The OpenTelemetry Collector's own batch size; receivers are built for it.
const POINTS_MAX_DEFAULT: u64 = 8192;
const POINTS_MAX_MAX: u64 = 100_000;
/// Receivers refuse bodies above 4 MiB to 20 MiB; the lowest of these is safe everywhere.
const BYTES_MAX_DEFAULT: u64 = 4 * MIB;
const BYTES_MAX_MAX: u64 = 64 * MIB;

/// The destination.
pub(super) fn config(report: &Report, section: &Section<'_>) -> Option<Config> {
    let hint = "for instance endpoint: https://collector.example.com:4318";
    let endpoint = section.need("endpoint", hint);
    let protocols = [
        ("http/protobuf", Protocol::HttpProtobuf),
        ("http/json", Protocol::HttpJson),
        ("grpc", Protocol::Grpc),
    ];
    // protobuf: every receiver must take it, and it is a third of the size.
    let protocol =
        optional(section.get("protocol"), Protocol::HttpProtobuf, |at| at.choice(&protocols, &[]));
    let grpc = protocol == Some(Protocol::Grpc);
    let endpoint = endpoint.and_then(|at| endpoint_of(report, &at, grpc));
    let compressions =
        [("gzip", Compression::Gzip), ("none", Compression::None), ("zstd", Compression::Zstd)];
    // gzip: the one compression that every receiver takes.
    let compression =
        optional(section.get("compression"), Compression::Gzip, |at| at.choice(&compressions, &[]));
    if grpc && compression == Some(Compression::Zstd) {
        let hint = "take gzip, which every gRPC receiver knows".to_owned();
        report.error(&section.spot_of("compression"), "is not known to gRPC", Some(hint));
        return None;
    }
    let dimensions = dimensions(report, section, protocol);
    let credentials = credentials(report, section, None);
    let attributes = optional(section.get("resource_attributes"), Vec::new(), At::named_texts);
    let points = [
        ("summary", Points::Summary),
        ("gauges", Points::Gauges),
        ("delta_histogram", Points::DeltaHistogram),
    ];
    // summary: nothing is lost, and records can be forwarded by copying.
    let points = optional(section.get("points"), Points::Summary, |at| at.choice(&points, &[]));
    let points_max =
        optional(section.get("points_max"), POINTS_MAX_DEFAULT, |at| at.number(1..=POINTS_MAX_MAX));
    let bytes_max = optional(section.get("bytes_max"), BYTES_MAX_DEFAULT, |at| {
        at.size(64 * KIB..=BYTES_MAX_MAX).map(|found| found.value)
    });
    let client = client(section, REQUEST_TIMEOUT_DEFAULT);
    let credentials = credentials?;
    Some(Config {
        endpoint: endpoint?.value,
        protocol: protocol?,
        compression: compression?,
        headers: credentials.headers,
        bearer_token: credentials.bearer_token,
        oauth2: credentials.oauth2,
        resource_attributes: attributes?,
        points: points?,
        dimensions: dimensions?,
        points_max: u32::try_from(points_max?).ok()?,
        bytes_max: usize::try_from(bytes_max?).ok()?,
        client: client?,
    })
}

/// list: what CloudWatch sends; the other is for series that are named by the text already.
fn dimensions(
    report: &Report,
    section: &Section<'_>,
    protocol: Option<Protocol>,
) -> Option<Dimensions> {
    let forms = [("list", Dimensions::List), ("json_text", Dimensions::JsonText)];
    let form = optional(section.get("dimensions"), Dimensions::List, |at| at.choice(&forms, &[]))?;
    if form == Dimensions::JsonText && protocol.is_some_and(|one| one != Protocol::HttpJson) {
        let hint = "json_text goes with protocol: http/json".to_owned();
        report.error(&section.spot_of("dimensions"), "is not known to this protocol", Some(hint));
        return None;
    }
    Some(form)
}

/// gRPC takes `host:port`, the others a URL.
fn endpoint_of(report: &Report, at: &At<'_>, grpc: bool) -> Option<Found<String>> {
    let found = at.text()?;
    if grpc && !found.value.contains("://") {
        if split_address(&found.value).is_some() {
            warn_of_port(report, &found, grpc);
            return Some(found);
        }
        let hint = "for instance collector.example.com:4317, with TLS; http://host:4317 is without";
        at.note("must be host:port, or a URL", &found, hint);
        return None;
    }
    let found = url(report, at)?;
    let path = found.value.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    if grpc && path.is_some_and(|(_, path)| !path.is_empty()) {
        at.note("has a path, and gRPC has none", &found, "give host and port only");
        return None;
    }
    warn_of_port(report, &found, grpc);
    Some(found)
}

fn warn_of_port(report: &Report, found: &Found<String>, grpc: bool) {
    let port = |port: &str| found.value.trim_end_matches('/').ends_with(port);
    let rule = match (grpc, port(":4317"), port(":4318")) {
        (false, true, _) => "is the port of OTLP over gRPC, and protocol is HTTP",
        (true, _, true) => "is the port of OTLP over HTTP, and protocol is grpc",
        _ => return,
    };
    report.warning(&found.spot, rule, Some("4317 is gRPC, 4318 is HTTP".to_owned()));
}
