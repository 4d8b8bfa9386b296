//! One HTTP request, one answer.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::{TlsConfig, TlsError};

/// How to reach a backend.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// TLS.
    pub tls: TlsConfig,
    /// Time for DNS, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Time for the whole exchange.
    pub request_timeout: Duration,
    /// Most bytes of an answer's body that are read; the rest is dropped and the body marked cut.
    pub answer_bytes: usize,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// POST, mostly.
    pub method: Method,
    /// Full URL.
    pub url: String,
    /// Headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Body.
    pub body: Bytes,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, at most `answer_bytes` of it.
    pub body: Bytes,
    /// `Retry-After`, seconds or HTTP date, as a duration from now.
    pub retry_after: Option<Duration>,
}

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

/// The client. Cheap to clone; keeps connections. Never follows a redirect, never retries.
#[derive(Clone)]
pub struct Client {}

impl Client {
    /// Builds.
    pub fn new(_config: &ClientConfig) -> Result<Client, TlsError> {
        unimplemented!()
    }
    /// One attempt.
    pub async fn send(&self, _request: Request) -> Result<Answer, Unreachable> {
        unimplemented!()
    }
}
