//! Addresses, URLs, names and files: text that must have a form.

use std::fs::File;
use std::net::IpAddr;
use std::path::PathBuf;

use remote::Secret;

use crate::settings::read::{At, Found, Report};

/// A name becomes a folder and a label value; 100 characters fit every file system.
const NAME_CHARACTERS_MAX: usize = 100;

/// `host:port`, split.
pub(super) struct Address<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
}

/// Splits `host:port`; an IPv6 host stands in brackets.
pub(super) fn split_address(text: &str) -> Option<Address<'_>> {
    let (host, port) = text.rsplit_once(':')?;
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse::<u16>().ok().filter(|_| digits)?;
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let good = match bracketed {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            !host.is_empty() && host.chars().all(allowed)
        }
    };
    good.then_some(Address { host, port })
}

impl Address<'_> {
    fn ip(&self) -> Option<IpAddr> {
        self.host.trim_matches(['[', ']']).parse().ok()
    }

    /// Only this machine can reach it.
    pub(super) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// Both cannot be bound at once. Port 0 picks a free one each time.
    pub(super) fn collides(&self, other: &Address<'_>) -> bool {
        let any = |address: &Address<'_>| address.ip().is_some_and(|ip| ip.is_unspecified());
        let both_loopback = self.is_loopback() && other.is_loopback() && {
            let (one, two) = (self.ip(), other.ip());
            one.is_none() || two.is_none() || one == two
        };
        self.port == other.port
            && self.port != 0
            && (self.host == other.host || any(self) || any(other) || both_loopback)
    }
}

/// `host:port` to listen on.
pub(super) fn listen_address(at: &At<'_>) -> Option<Found<String>> {
    let found = at.text()?;
    if split_address(&found.value).is_some() {
        return Some(found);
    }
    let hint = if found.value.contains("://") {
        "write host and port only; TLS is turned on by tls:"
    } else if found.value.bytes().all(|byte| byte.is_ascii_digit()) {
        "write 127.0.0.1:4433 for this machine only, or 0.0.0.0:4433 for all"
    } else {
        "for instance 127.0.0.1:4433, or [::1]:4433"
    };
    at.note("must be an address host:port", &found, hint);
    None
}

/// An `http://` or `https://` URL with a host.
pub(super) fn url(report: &Report, at: &At<'_>) -> Option<Found<String>> {
    url_like(report, at, "for instance https://host.example.com")
}

/// The same, with a hint of its own.
pub(super) fn url_like(report: &Report, at: &At<'_>, hint: &str) -> Option<Found<String>> {
    let found = at.text()?;
    // As the client will judge it: what passes here must not fail at the first request.
    let usable = remote::check_url(&found.value);
    let parsed = found.value.parse::<http::Uri>().ok();
    let scheme = parsed.as_ref().and_then(http::Uri::scheme_str);
    let host = parsed.as_ref().and_then(http::Uri::host).filter(|host| !host.is_empty());
    let is_web = matches!(scheme, Some("http" | "https"));
    let (true, Some(scheme), Some(host), Ok(())) = (is_web, scheme, host, &usable) else {
        let why =
            usable.err().filter(|_| is_web).map_or_else(String::new, |why| format!(": {why}"));
        at.note(&format!("must be a URL that begins with https:// or http://{why}"), &found, hint);
        return None;
    };
    let user = parsed.as_ref().and_then(http::Uri::authority).map(http::uri::Authority::as_str);
    if user.is_some_and(|authority| authority.contains('@')) {
        at.hide_and_note("must not hold a user or password", "use the keys for credentials");
        return None;
    }
    let address = Address { host, port: 0 };
    if scheme == "http" && !address.is_loopback() {
        let rule = "goes over plain HTTP: metrics and credentials can be read on the way";
        report.warning(&found.spot, rule, Some("use https:// where the receiver can".to_owned()));
    }
    // Schemes have no case; the rest of the URL may have one.
    let rest = found.value.get(scheme.len()..).unwrap_or_default();
    let value = format!("{scheme}{rest}");
    Some(Found { value, ..found })
}

/// A name that people give to a source or stream: it becomes a folder and a label value.
pub(super) fn check_name(report: &Report, name: &Found<String>) {
    let text = &name.value;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let length = text.chars().count();
    let rule = if text.is_empty() || !text.chars().all(allowed) {
        "a name takes the letters A-Z, a-z, the digits, \".\", \"_\" and \"-\""
    } else if text.starts_with('.') {
        "a name must not begin with \".\""
    } else if text == "sources" || text.ends_with(delivery::ALL_DATA_SUFFIX) {
        "a name must not be \"sources\" nor end with \".all-data\""
    } else if length > NAME_CHARACTERS_MAX {
        "a name has at most 100 characters"
    } else {
        return;
    };
    report.error(&name.spot, rule, Some("it becomes a folder in data_dir".to_owned()));
}

/// A file that can be read now.
pub(super) fn readable_file(at: &At<'_>) -> Option<Found<PathBuf>> {
    let found = at.text()?;
    let path = PathBuf::from(&found.value);
    if at.is_elsewhere() {
        return Some(Found { value: path, spot: found.spot });
    }
    let problem = match File::open(&path).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_dir() => "it is a folder".to_owned(),
        Ok(_) => return Some(Found { value: path, spot: found.spot }),
        Err(error) => error.to_string(),
    };
    let hint = "the path is relative to the current directory; check name and permissions";
    at.note(&format!("cannot be read: {problem}"), &found, hint);
    None
}

/// A secret that is sent in a header.
pub(super) fn header_secret(report: &Report, at: &At<'_>) -> Option<Secret> {
    let found = at.secret()?;
    if is_header_text(found.value.expose()) {
        return Some(found.value);
    }
    report.error(&found.spot, "holds a character that an HTTP header cannot carry", None);
    None
}

/// What an HTTP header carries unchanged: visible ASCII, blanks inside.
pub(super) fn is_header_text(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) && text.trim() == text
}
