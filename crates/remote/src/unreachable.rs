//! Why there is no answer, told from the types in the error's chain and not from its text.

use std::error::Error;
use std::io;

use crate::certificate;

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
    for link in links(error) {
        if let Some(why) = of_link(link, connecting) {
            found = Some((why, text_of(link)));
        }
        deepest = Some(link);
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

/// The deepest cause of this type.
pub(crate) fn find<T: Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    links(error).filter_map(|link| link.downcast_ref()).last()
}

/// The causes below `error`, the nearest first.
fn links<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |link| {
        let link = *link;
        inner_of(link).or_else(|| link.source())
    })
}

/// What an `io::Error` was made of; its `source` skips this link.
fn inner_of<'a>(link: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let io = link.downcast_ref::<io::Error>()?;
    io.get_ref().map(|inner| inner as &'a (dyn Error + 'static))
}

fn text_of(link: &(dyn Error + 'static)) -> String {
    match link.downcast_ref::<rustls::Error>() {
        Some(error) => certificate::told(error),
        None => link.to_string(),
    }
}

/// The deepest link that has an opinion decides.
fn of_link(link: &(dyn Error + 'static), connecting: bool) -> Option<Why> {
    if link.is::<rustls::Error>() {
        return Some(Why::Tls);
    }
    if let Some(error) = link.downcast_ref::<h2::Error>() {
        return Some(of_http2(error));
    }
    if let Some(error) = link.downcast_ref::<hyper::Error>() {
        if error.is_timeout() {
            return Some(Why::Timeout);
        }
        let whole = !error.is_parse() && (error.is_incomplete_message() || error.is_canceled());
        let reset = whole || error.is_closed() || error.is_body_write_aborted();
        return Some(if reset { Why::Reset } else { Why::Protocol });
    }
    of_io(link.downcast_ref::<io::Error>()?, connecting)
}

/// What the peer says in frames is a reset; what it says that is no HTTP/2 is none.
fn of_http2(error: &h2::Error) -> Why {
    match error.get_io() {
        Some(io) => of_io(io, false).unwrap_or(Why::Reset),
        None if error.is_library() => Why::Protocol,
        None => Why::Reset,
    }
}

fn of_io(error: &io::Error, connecting: bool) -> Option<Why> {
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
