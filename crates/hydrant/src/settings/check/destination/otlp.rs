//! Destination type `otlp`.

use std::time::Duration;

use delivery::sink::otlp::{Compression, Config, Points, Protocol};
use http::{HeaderName, HeaderValue};
use remote::{OAuth2Config, Secret};

use super::super::place::url;
use super::super::source::is_header_text;
use super::super::{KIB, MIB, optional};
use super::client;
use crate::settings::read::{At, Found, Report, Section};

/// The OpenTelemetry Collector's own batch size; receivers are built for it.
const POINTS_MAX_DEFAULT: u64 = 8192;
const POINTS_MAX_MAX: u64 = 100_000;
/// Receivers refuse bodies above 4 MiB to 20 MiB; the lowest of these is safe everywhere.
const BYTES_MAX_DEFAULT: u64 = 4 * MIB;
const BYTES_MAX_MAX: u64 = 64 * MIB;
/// Tokens live minutes to hours; a minute covers a slow request and two clocks that differ.
const TOKEN_RENEW_BEFORE: Duration = Duration::from_secs(60);

/// Headers that say what the body is: they are ours.
const OWN_HEADERS: [&str; 5] =
    ["content-type", "content-encoding", "content-length", "transfer-encoding", "host"];

/// The destination.
pub(super) fn config(report: &Report, section: &Section<'_>) -> Option<Config> {
    let hint = "for instance endpoint: https://collector.example.com:4318";
    let endpoint = section.need("endpoint", hint).and_then(|at| url(report, &at));
    let protocols = [("http/protobuf", Protocol::HttpProtobuf), ("http/json", Protocol::HttpJson)];
    // protobuf: every receiver must take it, and it is a third of the size.
    let protocol = optional(section.get("protocol"), Protocol::HttpProtobuf, |at| {
        at.choice(&protocols, &["grpc"])
    });
    let compressions =
        [("gzip", Compression::Gzip), ("none", Compression::None), ("zstd", Compression::Zstd)];
    // gzip: the one compression that every receiver takes.
    let compression =
        optional(section.get("compression"), Compression::Gzip, |at| at.choice(&compressions, &[]));
    let headers = optional(section.get("headers"), Vec::new(), |at| headers(report, at));
    let credentials = credentials(report, section, headers.as_deref().unwrap_or_default());
    let attributes = optional(section.get("resource_attributes"), Vec::new(), resource_attributes);
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
    let client = client(section);
    let credentials = credentials?;
    Some(Config {
        endpoint: endpoint?.value,
        protocol: protocol?,
        compression: compression?,
        headers: headers?,
        bearer_token: credentials.bearer_token,
        oauth2: credentials.oauth2,
        resource_attributes: attributes?,
        points: points?,
        points_max: u32::try_from(points_max?).ok()?,
        bytes_max: usize::try_from(bytes_max?).ok()?,
        client: client?,
    })
}

fn headers(report: &Report, at: &At<'_>) -> Option<Vec<(String, Secret)>> {
    let named = at.named()?;
    let count = named.len();
    let read = |(name, at): (Found<String>, At<'_>)| {
        let value = at.secret();
        let lower = name.value.to_ascii_lowercase();
        if HeaderName::from_bytes(lower.as_bytes()).is_err() {
            report.error(&name.spot, "is not a header name", None);
            return None;
        }
        if OWN_HEADERS.contains(&lower.as_str()) {
            let hint = "compression and protocol decide it".to_owned();
            report.error(&name.spot, "is set by Hydrant itself", Some(hint));
            return None;
        }
        let value = value?;
        if HeaderValue::from_str(value.value.expose()).is_err() {
            report.error(&value.spot, "holds a character that an HTTP header cannot carry", None);
            return None;
        }
        Some((name.value, value.value))
    };
    let headers: Vec<_> = named.into_iter().filter_map(read).collect();
    (headers.len() == count).then_some(headers)
}

/// As whom.
struct Credentials {
    bearer_token: Option<Secret>,
    oauth2: Option<OAuth2Config>,
}

/// At most one of `bearer_token`, `oauth2` and an `Authorization` header.
fn credentials(
    report: &Report,
    section: &Section<'_>,
    headers: &[(String, Secret)],
) -> Option<Credentials> {
    let bearer = section.get("bearer_token");
    let oauth2 = section.get("oauth2");
    let by_header = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let ways =
        [("bearer_token", bearer.is_some()), ("oauth2", oauth2.is_some()), ("headers", by_header)];
    let mut given = ways.iter().filter(|(_, given)| *given).map(|(key, _)| *key);
    if let (Some(one), Some(two)) = (given.next(), given.next()) {
        let rule = format!("cannot be given together with {two}");
        let hint = "each would set the Authorization header; keep one".to_owned();
        report.error(&section.spot_of(one), rule, Some(hint));
    }
    let bearer_token = match bearer {
        None => Some(None),
        Some(at) => bearer_token(report, &at).map(Some),
    };
    let oauth2 = match oauth2 {
        None => Some(None),
        Some(at) => at.section().and_then(|section| oauth2_config(report, section)).map(Some),
    };
    Some(Credentials { bearer_token: bearer_token?, oauth2: oauth2? })
}

fn bearer_token(report: &Report, at: &At<'_>) -> Option<Secret> {
    let found = at.secret()?;
    if is_header_text(found.value.expose()) {
        return Some(found.value);
    }
    report.error(&found.spot, "holds a character that an HTTP header cannot carry", None);
    None
}

fn oauth2_config(report: &Report, section: Section<'_>) -> Option<OAuth2Config> {
    let hint = "for instance token_url: https://login.example.com/oauth2/token";
    let token_url = section.need("token_url", hint).and_then(|at| url(report, &at));
    let client_id = section.need_text("client_id", "the id the provider gave to this client");
    let hint = "the secret the provider gave to this client, for instance ${CLIENT_SECRET}";
    let client_secret = section.need("client_secret", hint).and_then(|at| at.secret());
    let audience = section.text("audience");
    let scope = section.text("scope");
    section.finish();
    Some(OAuth2Config {
        token_url: token_url?.value,
        client_id: client_id?.value,
        client_secret: client_secret?.value,
        audience: audience.map(|found| found.value),
        scope: scope.map(|found| found.value),
        renew_before: TOKEN_RENEW_BEFORE,
    })
}

fn resource_attributes(at: &At<'_>) -> Option<Vec<(String, String)>> {
    let named = at.named()?;
    let count = named.len();
    let read = |(name, at): (Found<String>, At<'_>)| Some((name.value, at.text()?.value));
    let attributes: Vec<_> = named.into_iter().filter_map(read).collect();
    (attributes.len() == count).then_some(attributes)
}
