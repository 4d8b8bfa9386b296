//! Destination type `http_endpoint`.

use std::time::Duration;

use delivery::sink::http_endpoint::{Config, Content};

use super::super::place::{header_secret, url};
use super::super::{KIB, MIB, optional};
use super::{client, records};
use crate::settings::read::{At, Report, Section};

/// Firehose waits three minutes for an answer.
const REQUEST_TIMEOUT_DEFAULT: Duration = Duration::from_secs(180);
/// CloudWatch's own records are of this size.
const RECORD_DEFAULT: u64 = 128 * KIB;
/// Most that PutRecord takes.
const RECORD_MAX: u64 = 1000 * KIB;
/// Several receivers refuse more than a few megabytes; this one passes everywhere.
const REQUEST_DEFAULT: u64 = MIB;
/// Firehose's own most.
const REQUEST_MAX: u64 = 64 * MIB;

/// The destination.
pub(super) fn config(report: &Report, section: &Section<'_>) -> Option<Config> {
    let hint = "for instance url: https://aws-api.example.com/metrics";
    let target = section.need("url", hint).and_then(|at| url(report, &at));
    let key = match section.get("access_key") {
        None => Some(None),
        Some(at) => header_secret(report, &at).map(Some),
    };
    let attributes = optional(section.get("common_attributes"), Vec::new(), At::named_texts);
    let source_arn = section.text("source_arn").map(|found| found.value).unwrap_or_default();
    let compressions = [("gzip", true), ("none", false)];
    // gzip: what the guides of all receivers tell to choose in Firehose.
    let gzip = optional(section.get("compression"), true, |at| at.choice(&compressions, &[]));
    let format = records(section, metric::Format::Otel10);
    let size = |key, most, default| {
        let read = |at: &At<'_>| at.size(KIB..=most).map(|found| found.value);
        optional(section.get(key), default, read)
    };
    let record = size("record_size", RECORD_MAX, RECORD_DEFAULT);
    let request = size("request_size", REQUEST_MAX, REQUEST_DEFAULT);
    if let (Some(record), Some(request)) = (record, request)
        && record > request
    {
        let hint = "a request holds at least one record; raise request_size".to_owned();
        report.error(&section.spot_of("record_size"), "is more than request_size", Some(hint));
        return None;
    }
    let client = client(section, REQUEST_TIMEOUT_DEFAULT);
    Some(Config {
        url: target?.value,
        access_key: key?,
        common_attributes: attributes?,
        source_arn,
        gzip: gzip?,
        content: Content::Points(format?),
        record_bytes: usize::try_from(record?).ok()?,
        bytes_max: usize::try_from(request?).ok()?,
        client: client?,
    })
}
