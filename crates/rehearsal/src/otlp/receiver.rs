//! The server: encoding, faults on order, then the data points.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::sync::watch;

use super::{answer, json, message, rules, sight, wire};
use crate::door::{self, Checking};
use crate::fault::{Fault, Faults};
use crate::ledger::Ledger;
use crate::stats::Stats;

/// Path of metrics on an OTLP endpoint.
const PATH: &str = "/v1/metrics";

/// Largest request, plain: four times the default of the usual receivers.
const PLAIN_BYTES_MAX: usize = 16 * 1024 * 1024;

/// An injected partial refusal takes every third point; the ledger sees none of a request then.
const PARTIAL_EVERY: u64 = 3;

/// Protobuf or JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Protobuf,
    Json,
}

impl Encoding {
    fn of(media: &str) -> Option<Self> {
        match media.split(';').next().map(str::trim) {
            Some("application/x-protobuf") => Some(Encoding::Protobuf),
            Some("application/json") => Some(Encoding::Json),
            _ => None,
        }
    }

    pub(super) fn media(self) -> &'static str {
        match self {
            Encoding::Protobuf => "application/x-protobuf",
            Encoding::Json => "application/json",
        }
    }
}

/// What the receiver is told.
#[derive(Clone)]
pub struct Options {
    /// Headers that every request must have, for instance `authorization`; without them it is 401.
    pub required_headers: Vec<(String, String)>,
    /// How closely it looks.
    pub checking: Checking,
    /// Whether summaries are taken; some backends refuse them.
    pub summaries: Summaries,
    /// Where it enters what it saw.
    pub ledger: Option<Arc<Mutex<Ledger>>>,
}

/// What becomes of summary points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Summaries {
    /// Taken.
    Taken,
    /// Rejected point by point in a partial success, as Dynatrace's OTLP endpoint does.
    Rejected,
}

/// An OTLP/HTTP backend. Clones are the same receiver.
#[derive(Clone)]
pub struct Receiver {
    options: Arc<Options>,
    stats: Arc<Stats>,
    faults: Faults,
}

/// Why a body was not taken.
type Refusal = (StatusCode, String);

impl Receiver {
    /// A receiver without faults.
    pub fn new(options: Options) -> Self {
        Self { options: Arc::new(options), stats: Arc::default(), faults: Faults::default() }
    }

    /// Counters, readable while it runs.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// What goes wrong.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Serves until `stop` turns true.
    pub async fn serve(self, listener: listen::Listener, stop: watch::Receiver<bool>) {
        let handler = move |request: Request<Incoming>, _| {
            let receiver = self.clone();
            async move { receiver.answer(request).await }
        };
        listen::serve(listener, None, door::LIMITS, stop, handler).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        match door::read(body, PLAIN_BYTES_MAX).await {
            Ok(body) => self.respond(&head, &body).await,
            Err(_) => {
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                answer::failed(Encoding::Protobuf, status, "request is too large")
            }
        }
    }

    /// Answers one request whose body has been read.
    async fn respond(&self, head: &Parts, body: &[u8]) -> Response<Full<Bytes>> {
        self.stats.request();
        let fault = self.faults.draw();
        let response = match door::ordered(fault).await {
            Some(response) => response,
            None => self.take(head, body, fault == Some(Fault::Partial)),
        };
        if !response.status().is_success() {
            self.stats.error(|| {
                let text = String::from_utf8_lossy(&door::text_of(&response)).into_owned();
                format!("{}: {text}", response.status().as_u16())
            });
        }
        response
    }

    fn take(&self, head: &Parts, body: &[u8], partial: bool) -> Response<Full<Bytes>> {
        let media = head.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let encoding = Encoding::of(media.unwrap_or(""));
        let encoding_or_default = encoding.unwrap_or(Encoding::Protobuf);
        let taken = self.check_head(head, encoding).and_then(|encoding| {
            door::with_space(|space| {
                let plain = inflate(head, body, space)?;
                self.read(encoding, plain, partial)
            })
        });
        match taken {
            Ok((rejected, message)) => answer::exported(encoding_or_default, rejected, &message),
            Err((status, message)) => answer::failed(encoding_or_default, status, &message),
        }
    }

    fn check_head(&self, head: &Parts, encoding: Option<Encoding>) -> Result<Encoding, Refusal> {
        let refuse = |status, message: &str| Err((status, message.to_owned()));
        if head.uri.path() != PATH {
            return refuse(StatusCode::NOT_FOUND, "not found");
        }
        if head.method != Method::POST {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
        }
        for (name, value) in &self.options.required_headers {
            let given = head.headers.get(name).and_then(|v| v.to_str().ok());
            if given != Some(value) {
                return refuse(StatusCode::UNAUTHORIZED, "unauthenticated");
            }
        }
        encoding.ok_or_else(|| {
            let message = "content type is neither application/x-protobuf nor application/json";
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, message.to_owned())
        })
    }

    /// Reads the body; returns how many points were rejected, and why.
    fn read(
        &self,
        encoding: Encoding,
        plain: &[u8],
        partial: bool,
    ) -> Result<(u64, String), Refusal> {
        let bad = |fault: String| (StatusCode::BAD_REQUEST, fault);
        if self.options.checking == Checking::Counting && encoding == Encoding::Protobuf {
            let points = wire::count_points(plain).map_err(bad)?;
            self.stats.points(points, 0, plain.len());
            return Ok((0, String::new()));
        }
        let mut request = match encoding {
            Encoding::Protobuf => wire::read(plain).map_err(bad)?,
            Encoding::Json => json::read(plain).map_err(bad)?,
        };
        let points = rules::check(&request).map_err(bad)?;
        let (rejected, why) = match (self.options.summaries, partial) {
            (Summaries::Rejected, _) => {
                (drop_summaries(&mut request), "summaries are not supported")
            }
            (Summaries::Taken, true) => {
                request.resource_metrics.clear();
                (points.div_ceil(PARTIAL_EVERY), "refused on order")
            }
            (Summaries::Taken, false) => (0, ""),
        };
        if let Some(ledger) = &self.options.ledger {
            sight::enter(&request, &mut ledger.lock().unwrap_or_else(|e| e.into_inner()));
        }
        self.stats.points(points - rejected, rejected, plain.len());
        Ok((rejected, why.to_owned()))
    }
}

/// Takes summaries out and returns how many points they had.
fn drop_summaries(request: &mut message::Request) -> u64 {
    let mut dropped = 0;
    let scopes = request.resource_metrics.iter_mut().flat_map(|group| &mut group.scope_metrics);
    for metric in scopes.flat_map(|scope| &mut scope.metrics) {
        dropped += metric.summary.take().map_or(0, |summary| summary.data_points.len() as u64);
    }
    dropped
}

fn inflate<'a>(
    head: &Parts,
    body: &'a [u8],
    space: &'a mut door::Space,
) -> Result<&'a [u8], Refusal> {
    use codec::gzip::InflateError;
    use codec::zstd::ZstdError;
    let large = || (StatusCode::PAYLOAD_TOO_LARGE, "request is too large".to_owned());
    let bad = |fault: String| (StatusCode::BAD_REQUEST, fault);
    match door::encoding(&head.headers) {
        "" | "identity" => Ok(body),
        "gzip" => space.gunzip(body, PLAIN_BYTES_MAX).map_err(|fault| match fault {
            InflateError::TooLarge { .. } => large(),
            other => bad(other.to_string()),
        }),
        "zstd" => space.unzstd(body, PLAIN_BYTES_MAX).map_err(|fault| match fault {
            ZstdError::TooLarge { .. } => large(),
            other => bad(other.to_string()),
        }),
        other => {
            let message = format!("content encoding '{other}' is not supported");
            Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
        }
    }
}

#[cfg(test)]
mod tests;
