//! Destination type `prometheus_remote_write`.

use delivery::sink::prometheus::{Config, Naming};

use super::super::place::url;
use super::super::{KIB, MIB, optional};
use super::credentials::credentials;
use super::{REQUEST_TIMEOUT_DEFAULT, client};
use crate::settings::read::{At, Found, Report, Section};

/// A point has five samples, and one request is in flight at a time: fewer would be a round trip for
/// every few hundred points.
const SAMPLES_MAX_DEFAULT: u64 = 10_000;
const SAMPLES_MAX_MAX: u64 = 100_000;
/// Ten thousand samples have some 3 MiB plain. Receivers refuse requests above 10 MiB and more; vmagent
/// sends up to 8.
const BYTES_MAX_DEFAULT: u64 = 4 * MIB;
const BYTES_MAX_MAX: u64 = 32 * MIB;

/// The destination.
pub(super) fn config(report: &Report, section: &Section<'_>) -> Option<Config> {
    let hint = "for instance url: http://127.0.0.1:9090/api/v1/write";
    let target = section.need("url", hint).and_then(|at| url(report, &at));
    target.iter().for_each(|target| warn_of_path(report, target));
    let namings = [("yace", Naming::Yace), ("otel", Naming::Otel)];
    // yace: what dashboards for CloudWatch in Prometheus are written for.
    let naming = optional(section.get("naming"), Naming::Yace, |at| at.choice(&namings, &[]));
    let credentials = credentials(report, section, section.get("basic_auth"));
    let labels = optional(section.get("external_labels"), Vec::new(), |at| labels(report, at));
    // On: type and unit are shown where a metric is looked up, for a few lines now and then.
    let metadata = optional(section.get("metadata"), true, At::boolean);
    let samples_max = optional(section.get("samples_max"), SAMPLES_MAX_DEFAULT, |at| {
        at.number(1..=SAMPLES_MAX_MAX)
    });
    let bytes_max = optional(section.get("bytes_max"), BYTES_MAX_DEFAULT, |at| {
        at.size(64 * KIB..=BYTES_MAX_MAX).map(|found| found.value)
    });
    let client = client(section, REQUEST_TIMEOUT_DEFAULT);
    let credentials = credentials?;
    Some(Config {
        url: target?.value,
        naming: naming?,
        headers: credentials.headers,
        basic_auth: credentials.basic_auth,
        bearer_token: credentials.bearer_token,
        oauth2: credentials.oauth2,
        external_labels: labels?,
        metadata: metadata?,
        samples_max: u32::try_from(samples_max?).ok()?,
        bytes_max: usize::try_from(bytes_max?).ok()?,
        client: client?,
    })
}

/// Requests go to the URL as it is, and no receiver takes samples at its root.
fn warn_of_path(report: &Report, target: &Found<String>) {
    let place = target.value.split(['?', '#']).next().unwrap_or_default();
    let path = place.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    if path.is_none_or(|(_, path)| path.is_empty()) {
        let hint = "Prometheus and VictoriaMetrics receive at /api/v1/write, Mimir at /api/v1/push";
        report.warning(
            &target.spot,
            "has no path, and is posted to as it is",
            Some(hint.to_owned()),
        );
    }
}

fn labels(report: &Report, at: &At<'_>) -> Option<Vec<(String, String)>> {
    at.each_named(|(name, at)| {
        // An empty value takes the label away.
        let value = at.text_or_empty()?;
        if is_label(&name.value) {
            return Some((name.value, value.value));
        }
        let hint = "letters, digits and _, not a digit first, and not __ first".to_owned();
        report.error(&name.spot, "is not a label name", Some(hint));
        None
    })
}

/// Prometheus's own rule; `__` belongs to Prometheus.
fn is_label(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with("__")
}
