//! `sources:` of type `aws_api`.

use std::time::Duration;

use aws::iam::Policy;
use cloud::api::Credential;
use remote::Secret;

use super::super::place::{listen_address, url};
use super::super::{DAY, GIB, KIB, MIB, TIB, optional, whole};
use super::firehose::tls;
use super::{Read, Source};
use crate::settings::read::{At, Found, Report, Section};
use crate::settings::types::{ApiLimits, ApiSource};

/// Enough for samples that are a network's delay late; AWS itself takes minutes.
const GRACE_DEFAULT: Duration = Duration::from_secs(5);
/// A metric stream that is later than this is of no use to an alarm.
const GRACE_MAX: Duration = Duration::from_secs(600);
/// Two days of 10,000 series a minute, at 60 bytes each.
const WINDOWS_DEFAULT: u64 = 2 * GIB;
/// Below this there would be no window for a late sample.
const WINDOWS_MIN: u64 = 16 * MIB;
/// 16 bytes each: 16 MB, the raw values of a minute of a thousand busy metrics.
const RAW_VALUES_DEFAULT: u64 = 1_000_000;
/// More would be gigabytes of memory.
const RAW_VALUES_MAX: u64 = 100_000_000;
/// AWS's own bounds of an access key id.
const KEY_ID_CHARACTERS: std::ops::RangeInclusive<usize> = 4..=128;
/// Above a hundred thousand sockets the kernel's own limits come first.
const CONNECTIONS_MAX: u64 = 100_000;
/// SDKs wait a minute for an answer.
const WAIT_MAX: Duration = Duration::from_secs(55);

/// The source; its type is known.
pub(super) fn source(report: &Report, name: Found<String>, section: Section<'_>) -> Source {
    let listen = section.need("listen", "for instance: listen: 127.0.0.1:4566");
    let listen = listen.and_then(|at| listen_address(&at));
    let region = section.need("region", "for instance: region: eu-west-1");
    let region = region.and_then(|at| region_name(&at));
    let credentials = credentials(report, &section);
    let unsigned = match section.get("unsigned_account") {
        None => Some(None),
        Some(at) => account(&at).map(Some),
    };
    someone(report, &section);
    let s3 = match section.get("s3_endpoint_url") {
        None => Some(None),
        Some(at) => url(report, &at).map(|found| Some(found.value)),
    };
    let allow_http = optional(section.get("allow_http_endpoints"), false, At::boolean);
    let seal_key = match section.get("seal_key") {
        None => Some(None),
        Some(at) => seal_key(&at).map(Some),
    };
    let grace = optional(section.get("window_grace"), GRACE_DEFAULT, |at| {
        at.duration(Duration::ZERO..=GRACE_MAX)
    });
    let windows = optional(section.get("windows_size"), WINDOWS_DEFAULT, |at| {
        at.size(WINDOWS_MIN..=TIB).map(|found| found.value)
    });
    let raw = optional(section.get("raw_values_max"), RAW_VALUES_DEFAULT, |at| {
        at.number(0..=RAW_VALUES_MAX)
    });
    let tls = match section.get("tls") {
        None => Some(None),
        Some(at) => tls(report, &at).map(Some),
    };
    let limits = optional(section.get("limits"), ApiLimits::default(), limits);
    section.finish();
    let address = listen.as_ref().map(|found| found.value.clone());
    let config = whole(|| {
        Some(ApiSource {
            name: name.value.clone(),
            listen: address?,
            region: region?,
            credentials: credentials?,
            unsigned_account: unsigned?,
            s3_endpoint_url: s3?,
            allow_http_endpoints: allow_http?,
            seal_key: seal_key?,
            window_grace: grace?,
            windows_bytes: windows?,
            raw_values_max: usize::try_from(raw?).ok()?,
            tls: tls?,
            limits: limits?,
        })
    });
    let config = config.map(|api| Read::Api(Box::new(api)));
    Source { name, is_api: true, listen, keys: None, config }
}

/// Without anybody who may call it is of no use.
fn someone(report: &Report, section: &Section<'_>) {
    let given = section.get("credentials").is_some() || section.get("unsigned_account").is_some();
    if !given {
        let hint = "give credentials: [ { access_key_id, secret_access_key, account_id } ], or \
                    unsigned_account for calls without a signature";
        report.error(&section.spot(), "lets nobody call", Some(hint.to_owned()));
    }
}

/// Signatures name it, and so do ARNs.
fn region_name(at: &At<'_>) -> Option<String> {
    let found = at.text()?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if found.value.len() <= 64 && found.value.chars().all(allowed) {
        return Some(found.value);
    }
    at.note("must be the name of a region", &found, "for instance eu-west-1");
    None
}

fn account(at: &At<'_>) -> Option<String> {
    let found = at.text()?;
    if found.value.len() == 12 && found.value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(found.value);
    }
    let hint = "write it in quotes, so that YAML keeps its zeros: \"111122223333\"";
    at.note("must be an account id of 12 digits", &found, hint);
    None
}

/// As what seals with it demands.
fn seal_key(at: &At<'_>) -> Option<Secret> {
    let found = at.secret()?;
    match entry::seal::SealKey::from_text(found.value.expose()) {
        Ok(_) => Some(found.value),
        Err(error) => {
            let hint = "for instance the output of: openssl rand -base64 48";
            at.hide_and_note(&error.to_string(), hint);
            None
        }
    }
}

fn credentials(report: &Report, section: &Section<'_>) -> Option<Vec<Credential>> {
    let Some(at) = section.get("credentials") else { return Some(Vec::new()) };
    let items = at.list()?;
    if items.is_empty() && section.get("unsigned_account").is_none() {
        report.error(&at.spot(), "holds no credential", Some("give at least one".to_owned()));
    }
    let mut taken: Vec<String> = Vec::new();
    let mut all = Vec::new();
    for item in &items {
        let Some((credential, id)) = item.section().and_then(|section| credential(report, section))
        else {
            continue;
        };
        if taken.contains(&id.value) {
            let hint = "an access key id belongs to one account".to_owned();
            report.error(&id.spot, "is given twice", Some(hint));
        }
        taken.push(id.value);
        all.push(credential);
    }
    (all.len() == items.len()).then_some(all)
}

fn credential(report: &Report, section: Section<'_>) -> Option<(Credential, Found<String>)> {
    let id = section.need_text("access_key_id", "for instance access_key_id: AKIDEXAMPLE");
    let id = id.filter(|found| is_key_id(report, found));
    let hint = "for instance secret_access_key: ${SECRET_ACCESS_KEY}";
    let secret = section.need("secret_access_key", hint).and_then(|at| at.secret());
    let hint = "the account it belongs to: account_id: \"111122223333\"";
    let account = section.need("account_id", hint).and_then(|at| account(&at));
    let token = match section.get("session_token") {
        None => Some(None),
        Some(at) => at.secret().map(|found| Some(found.value.expose().into())),
    };
    let policy = match section.get("policy") {
        None => Some(None),
        Some(at) => policy(report, &at).map(Some),
    };
    section.finish();
    let id = id?;
    let credential = Credential {
        access_key_id: id.value.clone(),
        secret_access_key: secret?.value.expose().into(),
        session_token: token?,
        account_id: account?,
        policy: policy?,
    };
    Some((credential, id))
}

fn is_key_id(report: &Report, found: &Found<String>) -> bool {
    let length = found.value.chars().count();
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if KEY_ID_CHARACTERS.contains(&length) && found.value.chars().all(allowed) {
        return true;
    }
    let rule = "must be an access key id";
    let hint = "4 to 128 letters and digits, for instance AKIDEXAMPLE".to_owned();
    report.error(&found.spot, rule, Some(hint));
    false
}

fn policy(report: &Report, at: &At<'_>) -> Option<Policy> {
    let document = at.json()?;
    match Policy::read(&document.value) {
        Ok(policy) => Some(policy),
        Err(why) => {
            let hint = "statements have Effect, Action and Resource (and Sid); conditions, \
                        principals and negations are not known here";
            let rule = format!("is no policy that can be kept to: {why}");
            report.error(&document.spot, rule, Some(hint.to_owned()));
            None
        }
    }
}

fn limits(at: &At<'_>) -> Option<ApiLimits> {
    let section = at.section()?;
    let default = ApiLimits::default();
    let second = Duration::from_secs(1);
    let size = |key, least: u64, most: u64, default: usize| {
        let read = |at: &At<'_>| at.size(least..=most).map(|found| found.value);
        optional(section.get(key), default as u64, read).and_then(|n| usize::try_from(n).ok())
    };
    let time = |key, least: Duration, most: Duration, default: Duration| {
        optional(section.get(key), default, |at| at.duration(least..=most))
    };
    let body = size("body", MIB, 64 * MIB, default.body_bytes);
    let headers = size("headers", 8 * KIB, MIB, default.header_bytes);
    let header_time = time("header_time", second, DAY / 288, default.header_time);
    let body_time = time("body_time", second, DAY / 48, default.body_time);
    let connections = optional(section.get("connections"), default.connections as u64, |at| {
        at.number(1..=CONNECTIONS_MAX)
    });
    let in_flight = size("in_flight", MIB, 4 * GIB - 1, default.in_flight_bytes);
    let wait = time("wait", Duration::ZERO, WAIT_MAX, default.wait);
    section.finish();
    Some(ApiLimits {
        body_bytes: body?,
        header_bytes: headers?,
        header_time: header_time?,
        body_time: body_time?,
        connections: usize::try_from(connections?).ok()?,
        in_flight_bytes: in_flight?,
        wait: wait?,
    })
}
