//! What both receivers do alike: bodies with a bound, encodings, answers, faults on order.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use codec::gzip::{InflateError, Inflater};
use codec::zstd::ZstdError;
use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde_json::Value;

use crate::fault::Fault;

/// How closely a receiver looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checking {
    /// Every rule, every line.
    Strict,
    /// Points are counted and nothing else, so that a load test measures the sender.
    Counting,
}

/// A buffer larger than this is not kept.
const SPARE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Limits of the receivers' sockets: they face Hydrant on loopback, not the world.
pub(crate) const LIMITS: listen::Limits = listen::Limits {
    header_bytes: 64 * 1024,
    header_time: Duration::from_secs(30),
    connections: 256,
    idle_time: Duration::from_secs(120),
    drain_time: Duration::from_secs(5),
};

/// The body does not end within its bound.
#[derive(Debug)]
pub(crate) struct BodyFault;

/// Reads a body of at most `limit` bytes as sent.
pub(crate) async fn read(body: Incoming, limit: usize) -> Result<Bytes, BodyFault> {
    let collected = Limited::new(body, limit).collect().await.map_err(|_| BodyFault)?;
    Ok(collected.to_bytes())
}

/// `Content-Encoding`, empty when there is none.
pub(crate) fn encoding(headers: &HeaderMap) -> &str {
    match headers.get(header::CONTENT_ENCODING) {
        None => "",
        Some(value) => value.to_str().unwrap_or("?"),
    }
}

/// What a body is inflated with and into.
#[derive(Default)]
pub(crate) struct Space {
    inflater: Inflater,
    plain: Vec<u8>,
}

thread_local! {
    static SPARE: Cell<Option<Space>> = const { Cell::new(None) };
}

/// Runs `work` with the thread's space, so that a receiver costs less than what it receives from.
pub(crate) fn with_space<T>(work: impl FnOnce(&mut Space) -> T) -> T {
    let mut space = SPARE.take().unwrap_or_default();
    let done = work(&mut space);
    if space.plain.capacity() <= SPARE_BYTES_MAX {
        SPARE.set(Some(space));
    }
    done
}

impl Space {
    /// The content of `body`.
    pub(crate) fn gunzip(&mut self, body: &[u8], limit: usize) -> Result<&[u8], InflateError> {
        self.inflater.gunzip(body, &mut self.plain, limit).map(|()| self.plain.as_slice())
    }

    /// The same of zstd.
    pub(crate) fn unzstd(&mut self, body: &[u8], limit: usize) -> Result<&[u8], ZstdError> {
        self.plain.clear();
        codec::zstd::decompress(body, &mut self.plain, limit).map(|()| self.plain.as_slice())
    }
}

/// An answer with a body.
pub(crate) fn answer(status: StatusCode, media: &str, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    if let Ok(media) = media.parse() {
        response.headers_mut().insert(header::CONTENT_TYPE, media);
    }
    response
}

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    answer(status, "application/json; charset=utf-8", body.to_string().into_bytes())
}

/// The text of an answer made here.
pub(crate) fn text_of(response: &Response<Full<Bytes>>) -> Bytes {
    response.body().clone().into_inner().unwrap_or_default()
}

/// Carries out a fault: waits, or gives the answer that is sent instead of the work.
pub(crate) async fn ordered(fault: Option<Fault>) -> Option<Response<Full<Bytes>>> {
    let with_header = |status: u16, name: &'static str, value: Option<u64>| {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let text = format!("{} on order", status.as_u16());
        let mut response = answer(status, "text/plain", text.into_bytes());
        if let Some(value) = value {
            response.headers_mut().insert(name, value.into());
        }
        Some(response)
    };
    match fault? {
        Fault::Status(status, retry_after) => with_header(status, "retry-after", retry_after),
        Fault::RateLimited(reset_us) => with_header(429, "x-ratelimit-reset", Some(reset_us)),
        Fault::Slow(time) => {
            tokio::time::sleep(time).await;
            None
        }
        Fault::Partial => None,
        Fault::Garbage => {
            Some(answer(StatusCode::OK, "text/html", b"<html>not an answer</html>".to_vec()))
        }
    }
}
