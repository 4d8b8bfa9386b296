//! Destination type `dynatrace`, fixed or taken from the request.

use delivery::sink::Config as SinkConfig;
use delivery::sink::dynatrace::{Config, DigitSection, TooOld};
use delivery::{Destination, FromRequest};
use remote::Secret;

use super::super::optional;
use super::super::place::{is_header_text, url};
use super::{REQUEST_TIMEOUT_DEFAULT, ReadDestination, client, fixed};
use crate::settings::read::{At, Found, Report, Section};

/// Each lane has a cursor and a worker; a company has few environments.
const LANES_MAX: u64 = 64;
/// What the seal makes a key of.
const TOKEN_KEY_BYTES_MIN: usize = entry::seal::KEY_TEXT_MIN;

/// Everything but where it goes and as whom.
fn manner(section: &Section<'_>) -> Option<Config> {
    let olds = [("quarantine", TooOld::Quarantine), ("restamp", TooOld::Restamp)];
    let too_old = optional(section.get("too_old"), TooOld::Quarantine, |at| at.choice(&olds, &[]));
    // Off: each percentile is a metric more, which Dynatrace bills.
    let percentiles = optional(section.get("percentiles"), false, At::boolean);
    // On: units are shown in charts, at the cost of one line per key and process.
    let metadata = optional(section.get("metadata"), true, At::boolean);
    let digits = [("as_is", DigitSection::AsIs), ("underscore", DigitSection::Underscore)];
    let digit_section =
        optional(section.get("digit_section"), DigitSection::AsIs, |at| at.choice(&digits, &[]));
    // On: lines compress tenfold.
    let compressions = [("gzip", true), ("none", false)];
    let compression =
        optional(section.get("compression"), true, |at| at.choice(&compressions, &[]));
    let client = client(section, REQUEST_TIMEOUT_DEFAULT);
    Some(Config {
        url: String::new(),
        api_token: Secret::default(),
        too_old: too_old?,
        percentiles: percentiles?,
        metadata: metadata?,
        digit_section: digit_section?,
        compression: compression?,
        client: client?,
    })
}

/// The destination.
pub(super) fn destination(report: &Report, section: &Section<'_>) -> Option<ReadDestination> {
    let manner = manner(section);
    let Some(at) = section.get("from_request") else {
        let hint = "for instance url: https://abc12345.live.dynatrace.com";
        let target = section.need("url", hint).and_then(|at| url(report, &at));
        let hint = "give a token with scope metrics.ingest, for instance ${DT_TOKEN}";
        let token = section.need("api_token", hint).and_then(|at| at.secret());
        let token = token.filter(|token| check_token(report, token));
        let config = Config { url: target?.value, api_token: token?.value, ..manner? };
        return Some(fixed(SinkConfig::Dynatrace(config)));
    };
    for key in ["url", "api_token"] {
        if section.get(key).is_some() {
            let rule = "cannot be given together with from_request";
            let hint = "target and token come from each request; remove one of the two";
            report.error(&section.spot_of(key), rule, Some(hint.to_owned()));
        }
    }
    let spot = section.spot_of("from_request");
    let read = at.section().and_then(|section| from_request(report, section, manner));
    // Also when it is wrong inside: relations must know that it is a drop-in.
    Some(ReadDestination {
        config: read.map(Destination::FromRequest),
        from_request: Some(spot),
        file: None,
    })
}

fn from_request(
    report: &Report,
    section: Section<'_>,
    manner: Option<Config>,
) -> Option<FromRequest> {
    let hint = "name the hosts that may be asked for, for instance [\"*.live.dynatrace.com\"]";
    let hosts = section.need("allowed_hosts", hint).and_then(|at| allowed_hosts(report, &at));
    let hint = "a random text that seals tokens at rest, for instance ${file:/run/secrets/key}";
    let key = section.need("token_key", hint).and_then(|at| at.secret());
    let key = key.filter(|key| check_token_key(report, key));
    let lanes = optional(section.get("lanes"), LANES_MAX, |at| at.number(1..=LANES_MAX));
    section.finish();
    Some(FromRequest {
        dynatrace: manner?,
        allowed_hosts: hosts?,
        token_key: key?.value,
        lanes_max: usize::try_from(lanes?).ok()?,
    })
}

fn allowed_hosts(report: &Report, at: &At<'_>) -> Option<Vec<String>> {
    let hosts = at.texts();
    if hosts.is_empty() && at.one_or_list().is_some_and(|items| items.is_empty()) {
        let hint = "name at least one host".to_owned();
        report.error(&at.spot(), "allows no host, so nothing could be delivered", Some(hint));
        return None;
    }
    let wrong: Vec<_> = hosts.iter().filter(|host| !is_host_pattern(&host.value)).collect();
    for host in &wrong {
        let hint = "write abc12345.live.dynatrace.com, or *.live.dynatrace.com".to_owned();
        report.error(&host.spot, "must be a host, or \"*.\" and a domain", Some(hint));
    }
    wrong.is_empty().then(|| hosts.into_iter().map(|found| found.value).collect())
}

/// `*.com` would allow every host there is, so a suffix has at least two labels.
fn is_host_pattern(text: &str) -> bool {
    let (labels_min, host) = match text.strip_prefix("*.") {
        Some(suffix) => (2, suffix),
        None => (1, text),
    };
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    // A port may follow, as in rehearsals on loopback.
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => host,
    };
    host.split('.').count() >= labels_min && host.split('.').all(is_label)
}

fn check_token(report: &Report, token: &Found<Secret>) -> bool {
    let good = is_header_text(token.value.expose());
    if !good {
        let hint = "it often is a line break at its end".to_owned();
        let rule = "holds a character that an HTTP header cannot carry";
        report.error(&token.spot, rule, Some(hint));
    }
    good
}

fn check_token_key(report: &Report, key: &Found<Secret>) -> bool {
    let good = key.value.expose().len() >= TOKEN_KEY_BYTES_MIN;
    if !good {
        let rule = format!("must have at least {TOKEN_KEY_BYTES_MIN} bytes");
        let hint = "make one with: openssl rand -base64 32".to_owned();
        report.error(&key.spot, rule, Some(hint));
    }
    good
}
