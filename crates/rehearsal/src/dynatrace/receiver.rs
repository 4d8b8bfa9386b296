//! The server: token, encoding, faults on order, then the lines.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::sync::watch;

use super::line::{Line, Payload};
use super::request::{self, Judgement, PLAIN_BYTES_MAX};
use super::{answer, key};
use crate::door::{self, Checking};
use crate::fault::{Fault, Faults};
use crate::ledger::{Ledger, Values};
use crate::stats::Stats;

/// Path of the metric ingestion, after the base of the environment.
const PATH: &str = "/api/v2/metrics/ingest";

/// An injected partial refusal takes every third line.
const PARTIAL_EVERY: u64 = 3;

/// An API token.
#[derive(Clone, Debug)]
pub struct Token {
    /// The whole token.
    pub secret: String,
    /// Whether it has the scope `metrics.ingest`.
    pub may_ingest: bool,
}

/// What the receiver is told.
#[derive(Clone)]
pub struct Options {
    /// Tokens it knows.
    pub tokens: Vec<Token>,
    /// How closely it looks.
    pub checking: Checking,
    /// Where it enters what it saw.
    pub ledger: Option<Arc<Mutex<Ledger>>>,
    /// The time, ms since the epoch.
    pub now_ms: fn() -> i64,
}

/// A Dynatrace environment as far as metric ingestion goes. Clones are the same receiver.
#[derive(Clone)]
pub struct Receiver {
    options: Arc<Options>,
    stats: Arc<Stats>,
    faults: Faults,
}

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
            Err(_) => answer::refused(&request::Refusal::TooLarge),
        }
    }

    /// Answers one request whose body has been read.
    async fn respond(&self, head: &Parts, body: &[u8]) -> Response<Full<Bytes>> {
        self.stats.request();
        let fault = self.faults.draw();
        let response = match door::ordered(fault).await {
            Some(response) => response,
            None => match self.check_head(head) {
                Some(refusal) => refusal,
                None => door::with_space(|space| {
                    self.take(head, body, fault == Some(Fault::Partial), space)
                }),
            },
        };
        if !response.status().is_success() {
            self.stats.error(|| {
                let text = String::from_utf8_lossy(&door::text_of(&response)).into_owned();
                format!("{}: {text}", response.status().as_u16())
            });
        }
        response
    }

    fn check_head(&self, head: &Parts) -> Option<Response<Full<Bytes>>> {
        let refuse = |status, message| Some(answer::error(status, message));
        let path = head.uri.path();
        let prefix = path.strip_suffix(PATH);
        if !prefix.is_some_and(|prefix| prefix.is_empty() || prefix.starts_with("/e/")) {
            return refuse(StatusCode::NOT_FOUND, "not found");
        }
        if head.method != Method::POST {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
        }
        let text = |name| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
        let given = text(header::AUTHORIZATION).strip_prefix("Api-Token ");
        let token = self.options.tokens.iter().find(|token| given == Some(&token.secret));
        match token {
            None => return refuse(StatusCode::UNAUTHORIZED, "Token Authentication failed"),
            Some(token) if !token.may_ingest => {
                let message = "Token is missing required scope. Use one of: metrics.ingest";
                return refuse(StatusCode::FORBIDDEN, message);
            }
            Some(_) => {}
        }
        let media = text(header::CONTENT_TYPE);
        if !media.starts_with("text/plain") {
            let message = "content type must be text/plain";
            return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        }
        None
    }

    fn take(
        &self,
        head: &Parts,
        body: &[u8],
        partial: bool,
        space: &mut door::Space,
    ) -> Response<Full<Bytes>> {
        let body = match door::encoding(&head.headers) {
            "" => body,
            "gzip" => match space.gunzip(body, PLAIN_BYTES_MAX) {
                Ok(plain) => plain,
                Err(codec::gzip::InflateError::TooLarge { .. }) => {
                    return answer::refused(&request::Refusal::TooLarge);
                }
                Err(fault) => return answer::error(StatusCode::BAD_REQUEST, &fault.to_string()),
            },
            other => {
                let message = format!("content encoding '{other}' is not supported");
                return answer::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message);
            }
        };
        let judged = match self.options.checking {
            Checking::Counting => request::count(body),
            Checking::Strict => self.judge(body, partial),
        };
        match judged {
            Ok(judgement) => {
                let points = judgement.points;
                self.stats.points(points, judgement.lines_invalid, body.len());
                answer::judged(&judgement)
            }
            Err(refusal) => answer::refused(&refusal),
        }
    }

    fn judge(&self, body: &[u8], partial: bool) -> Result<Judgement, request::Refusal> {
        let ledger = self.options.ledger.as_ref();
        let mut ledger = ledger.map(|ledger| ledger.lock().unwrap_or_else(|e| e.into_inner()));
        let mut lines = 0u64;
        request::judge(body, (self.options.now_ms)(), |line| {
            lines += 1;
            if partial && lines.is_multiple_of(PARTIAL_EVERY) {
                return Err("refused on order".to_owned());
            }
            if let Some(ledger) = &mut ledger {
                enter(ledger, line);
            }
            Ok(())
        })
    }
}

/// Enters the point of a line. A single number is an additional statistic, which nobody promised.
fn enter(ledger: &mut Ledger, line: &Line) {
    let Line::Data { key, dimensions, payload: Payload::Gauge(gauge), timestamp_ms } = line else {
        return;
    };
    let values = Values {
        min: Some(gauge.min),
        max: Some(gauge.max),
        sum: Some(gauge.sum),
        count: Some(gauge.count),
    };
    let identity = key::identity_of_line(key, dimensions);
    ledger.sight(&identity, timestamp_ms.unwrap_or(0), values);
}

#[cfg(test)]
mod tests;
