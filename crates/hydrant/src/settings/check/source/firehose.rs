//! `sources:` of type `firehose`.

use std::time::Duration;

use intake::firehose::{Access, Limits};
use remote::Secret;

use super::super::place::{is_header_text, listen_address, readable_file};
use super::super::{GIB, KIB, MIB, optional, whole};
use super::{Read, Source};
use crate::access_key;
use crate::settings::read::{At, Found, Report, Section};
use crate::settings::types::{FirehoseSource, TlsFiles};

/// Deflate cannot do better, so more would be no limit.
const RATIO_MAX: u64 = 1032;
/// AWS's schema says 10,000; an emulator may go further.
const RECORDS_MAX: u64 = 100_000;
/// Above a hundred thousand sockets the kernel's own limits come first.
const CONNECTIONS_MAX: u64 = 100_000;
/// Firehose gives up after three minutes: a later answer reaches nobody.
const WAIT_MAX: Duration = Duration::from_secs(170);

/// The source; its type is known.
pub(super) fn source(report: &Report, name: Found<String>, section: Section<'_>) -> Source {
    let listen = section.need("listen", "for instance: listen: 127.0.0.1:4433");
    let listen = listen.and_then(|at| listen_address(&at));
    let keys = access_keys(report, &section);
    let count = keys.as_ref().map(Vec::len);
    let keys_spot = section.spot_of("access_keys");
    let lenient = optional(section.get("lenient"), false, At::boolean);
    let tls = match section.get("tls") {
        None => Some(None),
        Some(at) => tls(report, &at).map(Some),
    };
    let limits = optional(section.get("limits"), Limits::default(), limits);
    section.finish();
    let address = listen.as_ref().map(|found| found.value.clone());
    let config = whole(|| {
        let access = Access { keys: keys?, lenient: lenient? };
        let (name, listen) = (name.value.clone(), address?);
        Some(FirehoseSource { name, listen, access, tls: tls?, limits: limits? })
    });
    let keys = count.map(|value| Found { value, spot: keys_spot });
    Source { name, is_api: false, listen, keys, config: config.map(Read::Firehose) }
}

fn access_keys(report: &Report, section: &Section<'_>) -> Option<Vec<Secret>> {
    let Some(at) = section.get("access_keys") else { return Some(Vec::new()) };
    let items = at.one_or_list()?;
    let keys: Vec<_> = items.iter().filter_map(At::secret).collect();
    let good = keys.iter().filter(|key| check_key(report, key)).count();
    (good == items.len()).then(|| keys.into_iter().map(|key| key.value).collect())
}

fn check_key(report: &Report, key: &Found<Secret>) -> bool {
    let text = key.value.expose();
    let rule = if text.len() > access_key::BYTES_MAX {
        "an access key has at most 4096 bytes"
    } else if !is_header_text(text) {
        "holds a character that an HTTP header cannot carry"
    } else {
        return true;
    };
    report.error(&key.spot, rule, Some("take one of visible ASCII characters".to_owned()));
    false
}

/// Both files, tried as they will be used: a key that does not fit its certificate is found here.
pub(super) fn tls(report: &Report, at: &At<'_>) -> Option<TlsFiles> {
    let section = at.section()?;
    let hint = "give both, cert_file and key_file";
    let cert = section.need("cert_file", hint).and_then(|at| readable_file(&at));
    let key = section.need("key_file", hint).and_then(|at| readable_file(&at));
    section.finish();
    let (cert, key) = (cert?, key?);
    if at.is_elsewhere() {
        return Some(TlsFiles { cert_file: cert.value, key_file: key.value });
    }
    if let Err(error) = listen::ServerTls::load(&cert.value, &key.value) {
        let hint =
            "both are PEM: the chain, the server's own first, and its private key".to_owned();
        report.error(&cert.spot, format!("cannot be used: {error}"), Some(hint));
        return None;
    }
    Some(TlsFiles { cert_file: cert.value, key_file: key.value })
}

fn limits(at: &At<'_>) -> Option<Limits> {
    let section = at.section()?;
    let default = Limits::default();
    let second = Duration::from_secs(1);
    let minutes = |count: u64| Duration::from_secs(count * 60);
    let size = |key, least: u64, most: u64, default: u64| {
        let read = |at: &At<'_>| at.size(least..=most).map(|found| found.value);
        optional(section.get(key), default, read)
    };
    let number = |key, most: u64, default: u64| {
        optional(section.get(key), default, |at| at.number(1..=most))
    };
    let time = |key, least: Duration, most: Duration, default: Duration| {
        optional(section.get(key), default, |at| at.duration(least..=most))
    };
    let body = size("body", KIB, GIB, default.body_bytes);
    let ratio = number("ratio", RATIO_MAX, default.ratio.into());
    let records = number("records", RECORDS_MAX, default.records.into());
    let record = size("record", KIB, 64 * MIB, default.record_bytes as u64);
    let headers = size("headers", 8 * KIB, MIB, default.header_bytes as u64);
    let header_time = time("header_time", second, minutes(5), default.header_time);
    let body_time = time("body_time", second, minutes(30), default.body_time);
    let connections = number("connections", CONNECTIONS_MAX, default.connections as u64);
    let in_flight = size("in_flight", MIB, 4 * GIB - 1, default.in_flight_bytes as u64);
    let wait = time("wait", Duration::ZERO, WAIT_MAX, default.wait);
    section.finish();
    Some(Limits {
        body_bytes: body?,
        ratio: u32::try_from(ratio?).ok()?,
        records: u32::try_from(records?).ok()?,
        record_bytes: usize::try_from(record?).ok()?,
        header_bytes: usize::try_from(headers?).ok()?,
        header_time: header_time?,
        body_time: body_time?,
        connections: usize::try_from(connections?).ok()?,
        in_flight_bytes: usize::try_from(in_flight?).ok()?,
        wait: wait?,
    })
}
