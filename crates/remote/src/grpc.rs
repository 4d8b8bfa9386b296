//! gRPC over HTTP/2: one unary call, one answer.
//!
//! Owns the connections to one endpoint, the framing of one message each way, and the reading of a
//! status from trailers or headers. Always holds: one connection carries all calls, with pings while
//! calls are open; a call that the server let go (graceful GOAWAY, REFUSED_STREAM) is made again at
//! once; no more of an answer is read than asked for.
//! `https_proxy` is honoured by CONNECT; plaintext goes to the endpoint directly. Deliberately not
//! here: streaming calls, load balancing over the addresses of a name, compressing (the caller
//! does), and what a status means.

mod body;
mod endpoint;
mod status;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt;

use crate::client;
use crate::unreachable::{Unreachable, Why, describe, find};
use crate::{Answer, ClientConfig, TlsError, retry_after, tls};

use body::{Framed, unframe};
use endpoint::Endpoint;
pub use status::{Code, Message, Status};

/// A graceful GOAWAY may race with a request; thrice in a row it is no race any more.
const TRIES_MAX: u32 = 3;
/// Pings in the time of one call. grpc-go closes connections that are pinged a third time without
/// an answer in between ("too_many_pings"); a peer that is gone is noticed within the call.
const PINGS_PER_CALL: u32 = 3;
/// The prefix of a message: one byte for compressed or not, four for its length.
const PREFIX: usize = 5;

/// One endpoint. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Channel {
    http: reqwest::Client,
    endpoint: Endpoint,
    /// It has spoken HTTP/2 to us once: what fails later is no fault of the settings.
    known: Arc<AtomicBool>,
    answer_bytes: usize,
    connect_timeout: Duration,
    request_timeout: Duration,
}

/// A unary call.
#[derive(Clone, Debug)]
pub struct Call {
    /// `/package.Service/Method`.
    pub path: &'static str,
    /// Metadata; names of binary values end in `-bin`, and those are base64 already.
    pub metadata: Vec<(HeaderName, HeaderValue)>,
    /// `grpc-encoding` of the message, when it is compressed.
    pub encoding: Option<&'static str>,
    /// The message.
    pub message: Bytes,
}

/// What came back.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A gRPC status.
    Status(Status),
    /// A gRPC answer that ended without one: something in between drops trailers.
    NoStatus,
    /// An answer of HTTP that is none of gRPC: a proxy, a page, another service.
    Http(Answer),
}

/// There can be no channel.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// What was given is no endpoint.
    #[error("{0}")]
    Endpoint(String),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Channel {
    /// To `host:port` or `https://host:port` by TLS, to `http://host:port` in plaintext. Connects
    /// with the first call.
    pub fn new(endpoint: &str, config: &ClientConfig) -> Result<Channel, ChannelError> {
        let endpoint = Endpoint::parse(endpoint).map_err(ChannelError::Endpoint)?;
        let ping = config.request_timeout / PINGS_PER_CALL;
        let builder = || {
            let builder = client::builder(config)
                .http2_prior_knowledge()
                .http2_keep_alive_interval(ping)
                .http2_keep_alive_timeout(ping);
            // A proxy for plaintext would have to speak HTTP/2 without TLS itself; none does.
            if endpoint.is_plain() { builder.no_proxy() } else { builder }
        };
        Ok(Channel {
            http: tls::build(builder, &config.tls)?,
            endpoint,
            known: Arc::default(),
            answer_bytes: config.answer_bytes,
            connect_timeout: config.connect_timeout,
            request_timeout: config.request_timeout,
        })
    }

    /// One attempt.
    pub async fn call(&self, call: Call) -> Result<Outcome, Unreachable> {
        let headers = self.headers(&call);
        let mut tries = 1;
        loop {
            let body = Framed::new(call.encoding.is_some(), call.message.clone());
            match self.attempt(call.path, headers.clone(), body).await {
                Err(error) if tries < TRIES_MAX && was_let_go(&error) => tries += 1,
                Err(error) => return Err(self.explain(&error)),
                Ok(answer) => {
                    self.known.store(true, Ordering::Relaxed);
                    return answer;
                }
            }
        }
    }

    /// `host:port`.
    pub fn place(&self) -> &str {
        self.endpoint.place()
    }

    fn headers(&self, call: &Call) -> HeaderMap {
        let mut headers: HeaderMap = call.metadata.iter().cloned().collect();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        // At most eight digits; 99999999 ms are 27 hours.
        let millis = self.request_timeout.as_millis().clamp(1, 99_999_999);
        if let Ok(value) = HeaderValue::from_str(&format!("{millis}m")) {
            headers.insert("grpc-timeout", value);
        }
        if let Some(encoding) = call.encoding {
            headers.insert("grpc-encoding", HeaderValue::from_static(encoding));
        }
        headers
    }

    async fn attempt(
        &self,
        path: &str,
        headers: HeaderMap,
        body: Framed,
    ) -> Result<Result<Outcome, Unreachable>, reqwest::Error> {
        let request = self.http.post(self.endpoint.url(path)).headers(headers);
        let response = request.body(reqwest::Body::wrap(body)).send().await?;
        let (parts, mut body) = http::Response::<reqwest::Body>::from(response).into_parts();
        let (mut bytes, mut trailers) = (Vec::new(), None);
        while let Some(frame) = body.frame().await {
            match frame?.into_data() {
                Ok(data) if bytes.len() + data.len() > self.answer_bytes + PREFIX => {
                    return Ok(Err(self.too_long()));
                }
                Ok(data) => bytes.extend_from_slice(&data),
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        Ok(Ok(read(&parts, trailers, bytes)))
    }

    fn too_long(&self) -> Unreachable {
        let detail = format!("{}: an answer of over {} bytes", self.place(), self.answer_bytes);
        Unreachable { why: Why::Protocol, detail }
    }

    fn explain(&self, error: &reqwest::Error) -> Unreachable {
        let (why, cause) = describe(error);
        let cause = match why {
            Why::Timeout if error.is_connect() => {
                format!("not connected within {:?}", self.connect_timeout)
            }
            Why::Timeout if find::<hyper::Error>(error).is_some_and(hyper::Error::is_timeout) => {
                "no answer to a ping, the connection is dead".to_owned()
            }
            Why::Timeout => format!("no whole answer within {:?}", self.request_timeout),
            _ => cause,
        };
        let place = self.place();
        // A port of another kind answers nonsense or hangs up; which of both is seen is a race.
        let hint = match why {
            Why::Tls => tls_hint(error, &self.endpoint),
            Why::Protocol => Some(self.endpoint.not_http2()),
            // A reset in a frame comes from someone who speaks HTTP/2.
            Why::Reset if find::<h2::Error>(error).is_some_and(h2::Error::is_remote) => None,
            Why::Reset if !self.known.load(Ordering::Relaxed) => Some(self.endpoint.not_http2()),
            _ => None,
        };
        let detail = match hint {
            Some(hint) => format!("{place}: {cause} ({hint})"),
            None => format!("{place}: {cause}"),
        };
        Unreachable { why, detail }
    }
}

/// What the parts of an answer say. A status may stand in the trailers, or with no message at all
/// in the headers ("Trailers-Only").
fn read(parts: &http::response::Parts, trailers: Option<HeaderMap>, body: Vec<u8>) -> Outcome {
    let body = Bytes::from(body);
    let status = trailers.as_ref().and_then(Status::read).or_else(|| Status::read(&parts.headers));
    if let Some(status) = status {
        let named = parts.headers.get("grpc-encoding").and_then(|value| value.to_str().ok());
        let answer = unframe(&body).map(|(compressed, bytes)| {
            let encoding = compressed.then(|| named.unwrap_or_default().to_owned());
            Message { encoding, bytes }
        });
        return Outcome::Status(Status { answer, ..status });
    }
    let media = parts.headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    if parts.status == 200 && media.starts_with(b"application/grpc") {
        return Outcome::NoStatus;
    }
    Outcome::Http(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers.clone(),
        body,
        retry_after: retry_after::parse(&parts.headers, jiff::Timestamp::now()),
    })
}

/// Did the server let the call go without fault of its own or ours? It went away in good order, or
/// refused the stream, or the call was still waiting for a connection that ended.
fn was_let_go(error: &reqwest::Error) -> bool {
    let Some(error) = find::<h2::Error>(error) else { return was_dropped(error) };
    let graceful = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
    error.is_remote() && (graceful || error.reason() == Some(h2::Reason::REFUSED_STREAM))
}

/// Was the call still waiting for the connection when that ended? What ended it is not told then.
fn was_dropped(error: &reqwest::Error) -> bool {
    let dropped = |error: &hyper::Error| error.is_canceled() || error.is_closed();
    find::<h2::Error>(error).is_none() && find::<hyper::Error>(error).is_some_and(dropped)
}

/// What is behind a failed handshake, where the failure tells.
fn tls_hint(error: &reqwest::Error, endpoint: &Endpoint) -> Option<&'static str> {
    use rustls::{AlertDescription, Error};
    match find::<Error>(error) {
        // It hung up in the middle.
        None | Some(Error::InvalidMessage(_)) => Some(endpoint.not_tls()),
        Some(
            Error::NoApplicationProtocol
            | Error::AlertReceived(AlertDescription::NoApplicationProtocol),
        ) => Some(endpoint.not_http2()),
        _ => None,
    }
}
