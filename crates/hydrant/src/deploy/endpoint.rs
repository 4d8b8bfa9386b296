//! Where Firehose delivers over HTTP, and what it says there.

use super::parameter::{Kind, Parameter};
use super::pick::Picked;
use super::plan::AttributeValue;
use super::refusal::Refusal;
use crate::cli::DeployOptions;

/// The only port that Firehose delivers to.
const PORT: u16 = 443;
/// Bounds of AWS.
const URL_MAX: usize = 1000;
const ATTRIBUTE_NAME_MAX: usize = 256;
const ATTRIBUTE_VALUE_MAX: usize = 1024;
const ATTRIBUTES_MAX: usize = 50;
/// Base64 makes four bytes of three; the rest is the JSON around ten thousand records.
const BODY_OF_BUFFER: u64 = 2;
/// The default of `buffering_size`.
const BUFFER_BYTES: u64 = 3 << 20;

/// Dynatrace's own endpoints, of all, the US and the EU.
const DYNATRACE: [&str; 9] = [
    "https://aws.cloud.dynatrace.com",
    "https://aws.cloud.dynatrace.com/",
    "https://aws.cloud.dynatrace.com/metrics",
    "https://us.aws.cloud.dynatrace.com",
    "https://us.aws.cloud.dynatrace.com/",
    "https://us.aws.cloud.dynatrace.com/metrics",
    "https://eu.aws.cloud.dynatrace.com",
    "https://eu.aws.cloud.dynatrace.com/",
    "https://eu.aws.cloud.dynatrace.com/metrics",
];
const DYNATRACE_DEFAULT: &str = "https://aws.cloud.dynatrace.com/metrics";

/// The URL of Hydrant.
pub(super) fn of_hydrant(
    picked: &Picked<'_>,
    options: &DeployOptions,
    notes: &mut Vec<String>,
) -> Result<Parameter, Refusal> {
    let source = picked.source.as_deref().unwrap_or_default();
    let listen = picked.door.map_or("", |door| door.listen.as_str());
    let (host, port) = listen.rsplit_once(':').unwrap_or((listen, ""));
    let url = match &options.endpoint_url {
        Some(url) => check_url(url)?,
        None if port == "443" && is_public_name(host) => format!("https://{host}/"),
        None => {
            let why = if port == "443" {
                "which says no name that the world knows"
            } else {
                "and Firehose delivers to port 443 only"
            };
            return Err(Refusal::usage(
                format!("sources.{source} listens on {listen}, {why}"),
                "say where Firehose finds it, behind a load balancer or by itself: \
                 --endpoint-url https://metrics.example.com/",
            ));
        }
    };
    if let Some(door) = picked.door {
        if door.tls.is_none() {
            notes.push(format!(
                "sources.{source} has no tls: {url} must end TLS in front of it, with a certificate \
                 that the public trusts"
            ));
        }
        if door.limits.body_bytes < BUFFER_BYTES * BODY_OF_BUFFER {
            notes.push(format!(
                "sources.{source}.limits.body is small: keep it above twice buffering_size, or lower \
                 that"
            ));
        }
    }
    let kind = Kind::Text("^https://[^/:@]+(:443)?(/.*)?$", "an https URL on port 443");
    let about =
        "Where Firehose finds Hydrant: https, port 443, a certificate that the public trusts";
    Ok(Parameter::new("endpoint_url", kind, about).or(url))
}

/// The URL of Dynatrace's own endpoint.
pub(super) fn of_dynatrace(options: &DeployOptions) -> Result<Parameter, Refusal> {
    let url = options.endpoint_url.as_deref().unwrap_or(DYNATRACE_DEFAULT);
    if !DYNATRACE.contains(&url) {
        return Err(Refusal::usage(
            format!("{url} is none of Dynatrace's own endpoints"),
            "take https://aws.cloud.dynatrace.com/metrics, or that of us.aws or eu.aws; another \
             receiver is --topology http",
        ));
    }
    let about = "Dynatrace's endpoint for metric streams: of all, the US or the EU";
    let kind = Kind::Choice(DYNATRACE.to_vec());
    Ok(Parameter::new("firehose_http_delivery_endpoint", kind, about).or(url))
}

/// What Dynatrace's endpoint, and Hydrant in its place, is told with each delivery.
pub(super) fn dynatrace_parameters(known: Option<String>) -> [Parameter; 2] {
    let kind = Kind::Text("^https://.+$", "an https URL");
    let about =
        "URL of the Dynatrace environment, for instance https://abc12345.live.dynatrace.com";
    let url = Parameter::new("dynatrace_environment_url", kind, about);
    let about = "false takes any certificate of that URL";
    [
        match known {
            Some(known) => url.or(known),
            None => url,
        },
        Parameter::new("require_valid_certificate", Kind::Flag, about).or(true),
    ]
}

/// What AWS allows of a common attribute.
pub(super) fn check_attribute(name: &str, value: &str) -> Result<(), Refusal> {
    let is_text = |text: &str| !text.chars().any(char::is_control);
    let fits = name.chars().count() <= ATTRIBUTE_NAME_MAX
        && value.chars().count() <= ATTRIBUTE_VALUE_MAX
        && !name.trim().is_empty();
    if fits && is_text(name) && is_text(value) {
        return Ok(());
    }
    Err(Refusal::usage(
        format!("--attribute {name:?} cannot be a common attribute"),
        "a name has at most 256 characters, a value 1024, and neither has control characters",
    ))
}

/// Whom a role may be given to: never everybody.
pub(super) fn check_principal(arn: &str) -> Result<(), Refusal> {
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let [arn_word, _partition, service, region, account, rest] =
        [next(), next(), next(), next(), next(), next()];
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if arn_word == "arn" && service == "iam" && region.is_empty() && is_account && !rest.is_empty()
    {
        return Ok(());
    }
    Err(Refusal::usage(
        format!("--reader {arn}: is not the ARN of a role, user or account"),
        "write it like arn:aws:iam::111122223333:role/hydrant",
    ))
}

/// Each name once, and no more than Firehose sends.
pub(super) fn check_room(name: &str, others: &[(String, AttributeValue)]) -> Result<(), Refusal> {
    if others.iter().any(|(other, _)| other == name) {
        let what = format!("--attribute {name:?} is given already");
        return Err(Refusal::usage(what, "keep one: a delivery has each attribute once"));
    }
    if others.len() >= ATTRIBUTES_MAX {
        let what = "there are more common attributes than Firehose takes";
        return Err(Refusal::usage(what, "keep 50, those of Dynatrace counted"));
    }
    Ok(())
}

fn check_url(url: &str) -> Result<String, Refusal> {
    let refuse = |why: &str| {
        Refusal::usage(
            format!("--endpoint-url {url}: {why}"),
            "write it like https://metrics.example.com/: Firehose delivers to https on port 443 only",
        )
    };
    let parsed: http::Uri = url.parse().map_err(|_| refuse("is no URL"))?;
    let authority = parsed.authority().map_or("", http::uri::Authority::as_str);
    if parsed.scheme_str() != Some("https") {
        return Err(refuse("is not https"));
    }
    if parsed.port_u16().is_some_and(|port| port != PORT) {
        return Err(refuse("names another port than 443"));
    }
    if authority.contains('@') {
        return Err(refuse("holds a user or password; the access key is what Firehose sends"));
    }
    if !is_public_name(parsed.host().unwrap_or("")) {
        return Err(refuse("must name a host with a public certificate, not an address"));
    }
    if url.len() > URL_MAX {
        return Err(refuse("is longer than 1000 characters"));
    }
    Ok(url.to_owned())
}

/// A name of DNS with a dot in it: what a public certificate can be for.
fn is_public_name(host: &str) -> bool {
    let is_address = host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[');
    !is_address && host.contains('.') && !host.ends_with(".local")
}
