//! The port for SDKs: one request from its head to its answer.
//!
//! Owns limits and inflating; what a call means is `cloud`'s. Always holds: memory is bounded by the
//! process's `Permits` whatever arrives; what a call changed is in force when it is answered.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws::api::{Answer, Fault};
use bytes::Bytes;
use cloud::api::{Context, Incoming};
use codec::gzip::InflateError;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming as Stream};
use intake::firehose::{Permit, Permits};
use listen::{Listener, Peer, Seldom, ServerTls};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::made::Made;
use crate::settings::ApiLimits;

/// SDKs keep connections for a minute; it should not be us who closes one under a request.
const IDLE_TIME: Duration = Duration::from_secs(75);
/// Calls in flight are given this long when the port closes.
const DRAIN_TIME: Duration = Duration::from_secs(20);
/// How long an answer waits until what it changed is in force. A worker with a request in flight takes
/// longer to be replaced; then it is in force a little later.
const FOLLOW_TIME: Duration = Duration::from_secs(5);
/// The share of a body that does not say how long it is, until it is longer.
const UNTOLD_BYTES: usize = 64 * 1024;
/// A body this small is inflated where it is; handing it to another thread would cost more.
const INFLATE_HERE_MAX: usize = 16 * 1024;

/// What requests share.
pub(super) struct Port {
    pub name: String,
    pub limits: ApiLimits,
    pub context: Arc<ArcSwap<Context>>,
    pub permits: Arc<Permits>,
    pub made: Arc<Made>,
    pub seldom: Seldom,
}

/// A body, and what its memory is accounted by.
struct Received {
    wire: Bytes,
    /// Inflated, when it was compressed.
    plain: Option<Vec<u8>>,
    _permits: (Permit, Option<Permit>, Option<Permit>),
}

impl Port {
    /// Answers calls until `stop` turns true, then finishes those in flight.
    pub(super) async fn serve(
        self,
        listener: Listener,
        tls: Option<ServerTls>,
        stop: watch::Receiver<bool>,
    ) {
        let limits = listen::Limits {
            header_bytes: self.limits.header_bytes,
            header_time: self.limits.header_time,
            connections: self.limits.connections,
            idle_time: IDLE_TIME,
            drain_time: DRAIN_TIME,
        };
        let port = Arc::new(self);
        let handler = move |request: Request<Stream>, peer: Peer| {
            let port = Arc::clone(&port);
            async move { port.respond(request, peer).await }
        };
        listen::serve(listener, tls, limits, stop, handler).await;
    }

    async fn respond(&self, request: Request<Stream>, peer: Peer) -> Response<Full<Bytes>> {
        let (parts, mut body) = request.into_parts();
        let context = Arc::clone(&self.context.load());
        let received = self.receive(&parts, &mut body).await;
        let headers = texts(&parts.headers);
        let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
        let (wire, plain) = match &received {
            Ok(received) => {
                let wire: &[u8] = &received.wire;
                (wire, received.plain.as_deref().unwrap_or(wire))
            }
            Err(_) => (&[][..], &[][..]),
        };
        let method = parts.method.as_str();
        let incoming = Incoming { method, path, query, headers: &headers, body: wire, plain };
        let answer = match &received {
            Ok(_) => {
                let before = *context.registry.changes().borrow();
                let answer = context.respond(&incoming).await;
                let after = *context.registry.changes().borrow();
                if after != before && timeout(FOLLOW_TIME, self.made.followed(after)).await.is_err()
                {
                    tracing::warn!(source = self.name, "a change takes long to be in force");
                }
                answer
            }
            Err(fault) => context.refuse(&incoming, fault),
        };
        self.note(&answer, peer);
        let unread = !body.is_end_stream();
        response(answer, unread)
    }

    /// One line for what an operator should know: who is not let in, and what failed here.
    fn note(&self, answer: &Answer, peer: Peer) {
        if (answer.meant != 403 && answer.meant < 500) || answer.body.len() > 64 * 1024 {
            return;
        }
        if let Some(held_back) = self.seldom.pass() {
            let told = String::from_utf8_lossy(&answer.body);
            let (source, status, peer) = (self.name.as_str(), answer.status, peer.address);
            tracing::warn!(source, status, %peer, told = %told, held_back, "call refused");
        }
    }

    async fn receive(&self, parts: &Parts, body: &mut Stream) -> Result<Received, Fault> {
        let limits = &self.limits;
        let told = body.size_hint().exact();
        let length = told.unwrap_or(limits.body_bytes as u64);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > limits.body_bytes {
            return Err(self.too_large());
        }
        let encoding = encoding(&parts.headers);
        let gzip = match encoding.to_ascii_lowercase().as_str() {
            "" | "identity" => false,
            "gzip" | "x-gzip" => true,
            _ => {
                let text = format!("Content-Encoding {encoding} is not known here: gzip, or none");
                return Err(Fault::serialization(text));
            }
        };
        // Without a length most bodies are small; one that is not asks for the rest when it comes.
        let first = if told.is_some() { length } else { UNTOLD_BYTES.min(length) };
        let permit = self.permits.wire(first, limits.wait).await.ok_or_else(busy)?;
        let (wire, more) = self.collect(body, first, length).await?;
        if !gzip {
            return Ok(Received { wire, plain: None, _permits: (permit, more, None) });
        }
        let (plain, for_plain) = self.inflated(&wire).await?;
        Ok(Received { wire, plain: Some(plain), _permits: (permit, more, Some(for_plain)) })
    }

    /// What the trailer says is believed first, and what it says is all that may come out then: a
    /// sender that says less than there is has to wait for the share of the largest body.
    async fn inflated(&self, wire: &Bytes) -> Result<(Vec<u8>, Permit), Fault> {
        let most = self.limits.body_bytes;
        let mut room = claimed(wire).min(most);
        loop {
            let permit = self.permits.plain(room, self.limits.wait).await.ok_or_else(busy)?;
            match self.inflate(wire.clone(), room).await? {
                Ok(plain) => return Ok((plain, permit)),
                Err(InflateError::TooLarge { .. }) if room < most => room = most,
                Err(InflateError::TooLarge { .. }) => return Err(self.too_large()),
                Err(error) => return Err(Fault::serialization(format!("gzip: {error}"))),
            }
        }
    }

    /// The body, and the share for what of it is more than `first`, for which there is one already.
    async fn collect(
        &self,
        body: &mut Stream,
        first: usize,
        length: usize,
    ) -> Result<(Bytes, Option<Permit>), Fault> {
        let deadline = Instant::now() + self.limits.body_time;
        let mut whole: Option<Bytes> = None;
        let mut buffer = Vec::new();
        let mut more = None;
        loop {
            let frame = timeout_at(deadline, body.frame()).await.map_err(|_| self.too_slow())?;
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|error| Fault::serialization(format!("body: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            // Most bodies come in one piece; what does not is put together.
            match (whole.take(), buffer.is_empty()) {
                (None, true) => whole = Some(data),
                (before, _) => {
                    if buffer.is_empty() {
                        buffer.reserve(first);
                    }
                    buffer.extend_from_slice(&before.unwrap_or_default());
                    buffer.extend_from_slice(&data);
                }
            }
            let received = whole.as_ref().map_or(buffer.len(), Bytes::len);
            if received > self.limits.body_bytes {
                return Err(self.too_large());
            }
            if received > first && more.is_none() {
                let rest = self.permits.wire(length - first, self.limits.wait);
                more = Some(rest.await.ok_or_else(busy)?);
            }
        }
        Ok((whole.unwrap_or_else(|| Bytes::from(buffer)), more))
    }

    async fn inflate(
        &self,
        wire: Bytes,
        room: usize,
    ) -> Result<Result<Vec<u8>, InflateError>, Fault> {
        let permits = Arc::clone(&self.permits);
        let small = wire.len() <= INFLATE_HERE_MAX;
        let work = move || {
            let mut plain = Vec::with_capacity(room);
            permits
                .inflating(|inflater, _| inflater.gunzip(&wire, &mut plain, room))
                .map(|()| plain)
        };
        if small {
            return Ok(work());
        }
        let turn = self.permits.worker().await;
        let inflating = tokio::task::spawn_blocking(move || {
            let inflated = work();
            drop(turn);
            inflated
        });
        inflating.await.map_err(|_| Fault::new("InternalFailure", 500, "internal error"))
    }

    fn too_slow(&self) -> Fault {
        let within = self.limits.body_time;
        let text = format!("The request body did not arrive within {within:?}.");
        Fault::common("RequestTimeoutException", "RequestTimeout", 400, text)
    }

    fn too_large(&self) -> Fault {
        let most = self.limits.body_bytes;
        let text = format!("Request size exceeded {most} bytes (limits.body of this server)");
        Fault::common("RequestEntityTooLargeException", "RequestEntityTooLarge", 413, text)
    }
}

/// No share of memory within the time: SDKs repeat it by themselves.
fn busy() -> Fault {
    Fault::common("ThrottlingException", "Throttling", 400, "Rate exceeded")
}

/// What the trailer says, to be held to it; at least something.
fn claimed(wire: &Bytes) -> usize {
    wire.last_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize).max(1024)
}

fn encoding(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_ENCODING);
    value.and_then(|value| value.to_str().ok()).map_or("", str::trim)
}

/// Headers that are text. Others can be in no signature.
fn texts(headers: &HeaderMap) -> Vec<(&str, &str)> {
    let mut texts = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        if let Ok(value) = std::str::from_utf8(value.as_bytes()) {
            texts.push((name.as_str(), value));
        }
    }
    texts
}

fn response(answer: Answer, unread: bool) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    if unread {
        // The rest of the body stands between us and the next request.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
