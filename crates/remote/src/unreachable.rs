//! Why there is no answer, told from the types in the error's chain and not from its text.

use std::error::Error;
use std::io;

/// No answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{why}: {detail}")]
pub struct Unreachable {
    /// Kind.
    pub why: Why,
    /// For a person: names host and cause, never a secret.
    pub detail: String,
}

/// Why there is no answer. A closed set; each is an error code of a failed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Name does not resolve.
    Dns,
    /// TCP refused or unreachable.
    Connect,
    /// TLS: certificate not valid, or handshake failed.
    Tls,
    /// No answer in time.
    Timeout,
    /// Connection closed or reset before a whole answer.
    Reset,
    /// Not HTTP.
    Protocol,
    /// The request itself could not be made (URL, header).
    Request,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Why::Dns => "dns",
            Why::Connect => "connect",
            Why::Tls => "tls",
            Why::Timeout => "timeout",
            Why::Reset => "reset",
            Why::Protocol => "protocol",
            Why::Request => "request",
        })
    }
}

/// The kind of `error`, and the text of the link of its chain that decided. No link below the first
/// shows the URL.
pub(crate) fn describe(error: &reqwest::Error) -> (Why, String) {
    if error.is_builder() {
        return (Why::Request, "the request could not be built".to_owned());
    }
    let connecting = error.is_connect();
    let mut found = None;
    let mut deepest: Option<&(dyn Error + 'static)> = None;
    let mut next = error.source();
    while let Some(link) = next {
        if let Some(why) = of_link(link, connecting) {
            found = Some((why, text_of(link)));
        }
        deepest = Some(link);
        next = inner_of(link).or_else(|| link.source());
    }
    let (why, text) = found.unwrap_or_else(|| {
        let why = if connecting { Why::Connect } else { Why::Reset };
        (why, deepest.map_or_else(|| "connection failed".to_owned(), ToString::to_string))
    });
    if error.is_timeout() {
        (Why::Timeout, text)
    } else if error.is_dns() {
        (Why::Dns, format!("name not resolved: {}", deepest.map_or(text, ToString::to_string)))
    } else {
        (why, text)
    }
}

/// What an `io::Error` was made of; its `source` skips this link.
fn inner_of<'a>(link: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let io = link.downcast_ref::<io::Error>()?;
    io.get_ref().map(|inner| inner as &'a (dyn Error + 'static))
}

fn text_of(link: &(dyn Error + 'static)) -> String {
    if link.is::<rustls::Error>() {
        return format!("tls: {link}");
    }
    link.to_string()
}

/// The deepest link that has an opinion decides.
fn of_link(link: &(dyn Error + 'static), connecting: bool) -> Option<Why> {
    if link.is::<rustls::Error>() {
        return Some(Why::Tls);
    }
    if let Some(error) = link.downcast_ref::<hyper::Error>() {
        let whole = !error.is_parse() && (error.is_incomplete_message() || error.is_canceled());
        let reset = whole || error.is_closed() || error.is_body_write_aborted();
        return Some(if reset { Why::Reset } else { Why::Protocol });
    }
    let error = link.downcast_ref::<io::Error>()?;
    match error.kind() {
        // The peer hung up inside the handshake: it speaks no TLS, or none that we do.
        io::ErrorKind::UnexpectedEof if connecting => Some(Why::Tls),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::UnexpectedEof => Some(Why::Reset),
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::PermissionDenied => Some(Why::Connect),
        io::ErrorKind::TimedOut => Some(Why::Timeout),
        _ => None,
    }
}
