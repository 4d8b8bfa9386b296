//! Where lines go: the base URL of an environment in any form people write it, and, for drop-in
//! mode, whether a request may name it.
//!
//! A target named by a sender is a way to make us call any host, so it is matched against an
//! allow-list by its exact text after normalisation. Not here: name resolution; an allowed name is
//! trusted to point where its owner wants.

/// Path of the ingest API below the base.
const INGEST: &str = "/api/v2/metrics/ingest";

/// A OneAgent's local endpoint has this path and no base.
const LOCAL: &str = "/metrics/ingest";

/// Longest URL that is looked at; browsers and proxies take about as much.
const URL_MAX: usize = 2_048;

/// What a delivery says about where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    /// Normalised base URL.
    pub(crate) url: String,
    /// `require-valid-certificate: false`.
    pub(crate) accept_invalid: bool,
}

/// The target named by the common attributes of a delivery, if it is one of the allowed hosts.
/// The error is for the sender.
pub(crate) fn target(
    attributes: &[(String, String)],
    allowed_hosts: &[String],
) -> Result<Target, String> {
    let value = |name: &str| {
        let found = attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    };
    let Some(named) = value("dt-url").filter(|named| !named.is_empty()) else {
        return Err(
            "common attribute dt-url is missing: set it to the URL of the environment, for \
                    instance https://abc12345.live.dynatrace.com"
                .to_owned(),
        );
    };
    let url = normalise_url(named).map_err(|why| format!("common attribute dt-url: {why}"))?;
    if !url_allowed(&url, allowed_hosts) {
        return Err(format!("dt-url {url}: this host is not in allowed_hosts of the settings"));
    }
    // Only a plain "false" turns verification off; anything unclear keeps it on.
    let accept_invalid = value("require-valid-certificate")
        .is_some_and(|required| required.eq_ignore_ascii_case("false"));
    Ok(Target { url, accept_invalid })
}

/// The base URL: trimmed, scheme and host in lower case, without default port, trailing slashes and
/// the parts of the API people paste along; `apps` addresses become `live` ones, which is where
/// API tokens are taken. The error says what is wrong.
pub(crate) fn normalise_url(raw: &str) -> Result<String, String> {
    let raw = raw.trim();
    if raw.len() > URL_MAX {
        return Err(format!("the URL is longer than {URL_MAX} characters"));
    }
    let shown = |why: &str| Err(format!("{raw:?} {why}"));
    if !raw.bytes().all(|b| b.is_ascii_graphic()) || raw.contains('\\') {
        return shown("holds characters that no URL has");
    }
    let Some((scheme, rest)) = raw.split_once("://") else {
        return shown("is no URL: it must begin with https:// (or http://)");
    };
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "https" && scheme != "http" {
        return shown("must begin with https:// (or http://)");
    }
    if rest.contains(['?', '#']) {
        return shown("must not have a query or a fragment");
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        // Not quoted: what stands before the @ may be a secret.
        return Err("the URL must not hold a user name or password".to_owned());
    }
    let Some((host, port)) = host_and_port(authority) else {
        return shown("has no usable host and port");
    };
    let port = port.filter(|port| *port != default_port(&scheme));
    let port = port.map_or(String::new(), |port| format!(":{port}"));
    Ok(format!("{scheme}://{}{port}{}", live(&host), base_path(path)))
}

/// The URL that lines are posted to.
pub(crate) fn ingest_url(base: &str) -> String {
    if base.ends_with(LOCAL) { base.to_owned() } else { format!("{base}{INGEST}") }
}

/// True when a normalised base URL is allowed. Plain http, which would show the token on the way,
/// is allowed only where the entry itself begins with `http://`, or names this very machine.
///
/// An entry is an exact host, or `*.suffix` for all names below a domain; upper and lower case are
/// the same. With a port it allows that port only; without one an exact host is allowed on any port
/// (ActiveGates listen on 9999), names below a domain on 443 only.
fn url_allowed(url: &str, allowed: &[String]) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let authority = rest.split('/').next().unwrap_or(rest);
    let Some((host, port)) = host_and_port(authority) else { return false };
    let port = port.unwrap_or(default_port(scheme));
    allowed.iter().any(|entry| {
        let entry = entry.trim().trim_end_matches('/').to_ascii_lowercase();
        let (entry_scheme, entry) = match entry.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, entry.as_str()),
        };
        let scheme_ok = match entry_scheme {
            Some(entry_scheme) => entry_scheme == scheme,
            None => scheme == "https" || is_loopback(entry),
        };
        scheme_ok && entry_matches(entry, &host, port, scheme)
    })
}

fn entry_matches(entry: &str, host: &str, port: u16, scheme: &str) -> bool {
    let Some((entry_host, entry_port)) = entry_parts(entry) else { return false };
    let Some(suffix) = entry_host.strip_prefix("*.") else {
        return host == entry_host && entry_port.is_none_or(|entry_port| entry_port == port);
    };
    let below = host.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.'));
    let port_ok = entry_port.unwrap_or(default_port(scheme)) == port;
    !suffix.is_empty() && is_name(host) && below.is_some_and(|label| !label.is_empty()) && port_ok
}

/// An entry that names this machine: nothing sent there can be read on the way.
fn is_loopback(entry: &str) -> bool {
    entry_parts(entry).is_some_and(|(host, _)| matches!(host, "127.0.0.1" | "[::1]" | "localhost"))
}

/// Host and port of an entry of the allow-list, which may begin with `*.`.
fn entry_parts(entry: &str) -> Option<(&str, Option<u16>)> {
    match entry.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => Some((host, Some(port.parse().ok()?))),
        _ => Some((entry, None)),
    }
}

fn default_port(scheme: &str) -> u16 {
    if scheme == "http" { 80 } else { 443 }
}

/// Host in lower case and port of an authority. Hosts are names, four plain decimal numbers, or an
/// IPv6 address in brackets; the other spellings of addresses (`0x7f.1`, `2130706433`) that some
/// resolvers take for one are refused.
fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port = match port {
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => {
            Some(port.parse().ok().filter(|port: &u16| *port != 0)?)
        }
        Some(_) => return None,
        None => None,
    };
    let host = host.to_ascii_lowercase();
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let usable = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_name(&host) || host.parse::<std::net::Ipv4Addr>().is_ok(),
    };
    usable.then_some((host, port))
}

/// Labels of letters, digits, hyphen and underscore, the last of which begins with a letter, as
/// every top-level domain does and no spelling of an address.
fn is_name(host: &str) -> bool {
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let last = host.rsplit('.').next().unwrap_or(host);
    host.len() <= 253
        && host.split('.').all(label_ok)
        && last.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn live(host: &str) -> String {
    match host.strip_suffix(".apps.dynatrace.com") {
        Some(environment) => format!("{environment}.live.dynatrace.com"),
        None => host.to_owned(),
    }
}

/// Path without trailing slashes and without what belongs to the API.
fn base_path(path: &str) -> &str {
    let mut path = path.trim_end_matches('/');
    for api in [INGEST, "/api/v2/metrics", "/api/v2", "/api"] {
        if let Some(base) = path.strip_suffix(api) {
            path = base.trim_end_matches('/');
            break;
        }
    }
    path
}

#[cfg(test)]
mod tests;
