//! What no delivery could ever be made with, refused before a stream takes records for it.
//!
//! AWS's model takes any text after `https://` and any key; a stream of such a text would take
//! records and never start.

use std::net::Ipv6Addr;

use super::check::Checks;

/// Bytes of an access key at most: what a sender puts into a header.
const ACCESS_KEY_BYTES: usize = 4_096;

/// A `Url` that fits its pattern.
pub(super) fn url(url: &str, checks: &mut Checks) {
    if let Some(what) = unusable(url) {
        checks.refuse(format!(
            "EndpointConfiguration: Url {what}; give it as https://host/path or \
             https://host:port/path"
        ));
    }
}

fn unusable(url: &str) -> Option<&'static str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Some("holds white space or a control character");
    }
    if url.contains('#') {
        return Some("holds a fragment (#), which is never sent");
    }
    let (authority, _) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Some("holds a user name or password, which is not sent (there is AccessKey)");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() {
        return Some("has no host");
    }
    if !port.is_none_or(is_port) {
        return Some("has a port that is none");
    }
    let address = host.strip_prefix('[').map(|host| host.strip_suffix(']').unwrap_or_default());
    let sound = match address {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.contains(['<', '>', '[', ']', '\\', '^', '|', '%', ':', '"', '`', '{', '}']),
    };
    if sound { None } else { Some("has a host that is none") }
}

/// One that is empty is that of the scheme.
fn is_port(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.is_empty() || (digits && text.parse::<u16>().is_ok())
}

/// An `AccessKey`.
pub(super) fn access_key(key: &str, checks: &mut Checks) {
    if key.chars().any(|c| c.is_ascii_control() && c != '\t') {
        checks.refuse(
            "EndpointConfiguration: AccessKey holds a control character, often a line end from a \
             file, and goes into a header, which takes none \
             (HttpEndpoint.MakeRequestFailure.IllegalCharacterInHeaderValue): give it without",
        );
    }
    if key.len() > ACCESS_KEY_BYTES {
        checks.refuse(format!(
            "EndpointConfiguration: AccessKey has more than {ACCESS_KEY_BYTES} bytes: give a \
             shorter one"
        ));
    }
}
