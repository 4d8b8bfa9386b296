//! One HTTP request, one answer.
//!
//! Owns a connection pool. Always holds: one attempt a call (a request that met a kept connection which the
//! peer was just closing is sent again at once), no redirect followed, no body decoded, no more of an
//! answer read than asked for. `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` (in
//! either case) are honoured; with a proxy a `dns` or `connect` failure is the proxy's. What an answer
//! means is the caller's business.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use hyper::ext::ReasonPhrase;
use reqwest::Url;

use crate::unreachable::{Unreachable, Why, describe};
use crate::{TlsConfig, TlsError, retry_after, tls, url};

/// Connections are closed on our side before most peers and middle boxes do it (60 s and more), so
/// that a request does not meet a connection that is just being closed.
const POOL_IDLE: Duration = Duration::from_secs(30);
/// A stream has a few requests in flight; more idle connections than this to one host is waste.
const POOL_PER_HOST: usize = 16;
/// Kept connections may all have been closed by the peer; thrice in a row it is no race any more.
const TRIES_MAX: u32 = 3;

/// Who we are.
const USER_AGENT: &str = concat!("hydrant/", env!("CARGO_PKG_VERSION"));

/// How to reach a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// TLS.
    pub tls: TlsConfig,
    /// Time for DNS, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Time for the whole exchange.
    pub request_timeout: Duration,
    /// Most bytes of an answer's body that are read; the rest is dropped (and the connection with it),
    /// so a body of exactly this length may have been longer.
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
    /// Body as it came (a content encoding is not undone), at most `answer_bytes` of it.
    pub body: Bytes,
    /// `Retry-After`, seconds or HTTP date, as a duration from now.
    pub retry_after: Option<Duration>,
}

/// The client. Cheap to clone; keeps connections. Never follows a redirect, never retries.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    /// The peer's last answer was read whole: a connection to it may be kept.
    answered: Arc<AtomicBool>,
    answer_bytes: usize,
    connect_timeout: Duration,
    request_timeout: Duration,
}

/// How long an exchange may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Time without a byte: until the head of the answer, and between two pieces of its body.
    pub(crate) silence: Duration,
    /// Time for all of it.
    pub(crate) whole: Duration,
}

/// An answer whose body is still coming.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) retry_after: Option<Duration>,
    response: reqwest::Response,
    client: Client,
    place: String,
    limits: Limits,
}

/// What clients of either kind have in common: one attempt, nothing followed, the limits of the settings.
pub(crate) fn builder(config: &ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .tcp_nodelay(true)
        .connect_timeout(config.connect_timeout)
        .timeout(config.request_timeout)
        .pool_idle_timeout(POOL_IDLE)
}

impl Client {
    /// Builds. Without any CA certificate on this machine `http://` works and `https://` fails per
    /// request, as `tls`.
    pub fn new(config: &ClientConfig) -> Result<Client, TlsError> {
        Self::shaped(config, |builder| builder)
    }

    /// Builds one that is set up further: without proxies, for an address on this very network.
    pub(crate) fn shaped(
        config: &ClientConfig,
        shape: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<Client, TlsError> {
        let shaped = || shape(builder(config).http1_only().pool_max_idle_per_host(POOL_PER_HOST));
        Ok(Client {
            http: tls::build(shaped, &config.tls)?,
            answered: Arc::default(),
            answer_bytes: config.answer_bytes,
            connect_timeout: config.connect_timeout,
            request_timeout: config.request_timeout,
        })
    }

    /// One attempt.
    pub async fn send(&self, request: Request) -> Result<Answer, Unreachable> {
        let result = match self.reach(request).await {
            Ok(incoming) => incoming.read(self.answer_bytes).await,
            Err(error) => Err(error),
        };
        self.answered.store(result.is_ok(), Ordering::Relaxed);
        result
    }

    /// The head of an answer. A reset before any of it, of a peer that answered last time, most likely means
    /// that the peer closed the connection which we had kept: that says nothing about the request.
    async fn reach(&self, request: Request) -> Result<Incoming, Unreachable> {
        let tries = if self.answered.load(Ordering::Relaxed) { TRIES_MAX } else { 1 };
        for _ in 1..tries {
            match self.open(request.clone(), self.limits()).await {
                Err(error) if error.why == Why::Reset => {}
                result => return result,
            }
        }
        self.open(request, self.limits()).await
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits { silence: self.request_timeout, whole: self.request_timeout }
    }

    pub(crate) fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    /// One attempt; returns when the head of the answer is here.
    pub(crate) async fn open(
        &self,
        mut request: Request,
        limits: Limits,
    ) -> Result<Incoming, Unreachable> {
        let body = std::mem::take(&mut request.body);
        self.open_with(request, reqwest::Body::from(body), limits).await
    }

    /// The same with a body of another kind.
    pub(crate) async fn open_with(
        &self,
        request: Request,
        body: reqwest::Body,
        limits: Limits,
    ) -> Result<Incoming, Unreachable> {
        let refuse = |why| Unreachable { why: Why::Request, detail: format!("not a url: {why}") };
        let url = url::parse(&request.url).map_err(refuse)?;
        let place = place_of(&url);
        let mut builder = self.http.request(request.method, url).body(body);
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        let sent = builder.timeout(limits.whole).send();
        let response = tokio::time::timeout(limits.silence, sent).await;
        let response = response.map_err(|_| silent(&place, limits.silence))?;
        let mut response = response.map_err(|error| self.explain(&place, limits.whole, &error))?;
        let headers = std::mem::take(response.headers_mut());
        Ok(Incoming {
            status: response.status().as_u16(),
            retry_after: retry_after::parse(&headers, jiff::Timestamp::now()),
            headers,
            response,
            client: self.clone(),
            place,
            limits,
        })
    }

    fn explain(&self, place: &str, whole: Duration, error: &reqwest::Error) -> Unreachable {
        let (why, cause) = describe(error);
        let cause = match why {
            Why::Timeout if error.is_connect() => {
                format!("not connected within {:?}", self.connect_timeout)
            }
            Why::Timeout => return silent(place, whole),
            _ => cause,
        };
        Unreachable { why, detail: format!("{place}: {cause}") }
    }

    /// `Authorization: Basic` for these.
    pub(crate) fn basic(&self, user: &str, password: &str) -> Option<HeaderValue> {
        let request = self.http.get("http://localhost").basic_auth(user, Some(password)).build();
        let mut value = request.ok()?.headers().get(http::header::AUTHORIZATION).cloned()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl Incoming {
    /// The reason phrase; hyper keeps it only when it is not the usual one.
    pub(crate) fn reason(&self) -> String {
        match self.response.extensions().get::<ReasonPhrase>() {
            Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            None => self.response.status().canonical_reason().unwrap_or_default().to_owned(),
        }
    }

    /// The next bytes of the body.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Unreachable> {
        let next = tokio::time::timeout(self.limits.silence, self.response.chunk()).await;
        let next = next.map_err(|_| silent(&self.place, self.limits.silence))?;
        next.map_err(|error| self.client.explain(&self.place, self.limits.whole, &error))
    }

    /// The answer with at most `most` bytes of its body.
    pub(crate) async fn read(mut self, most: usize) -> Result<Answer, Unreachable> {
        let mut body: Vec<u8> = Vec::new();
        while body.len() < most {
            let Some(chunk) = self.chunk().await? else { break };
            let room = most - body.len();
            body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        }
        Ok(Answer {
            status: self.status,
            headers: self.headers,
            body: Bytes::from(body),
            retry_after: self.retry_after,
        })
    }
}

fn silent(place: &str, within: Duration) -> Unreachable {
    let detail = format!("{place}: no whole answer within {within:?}");
    Unreachable { why: Why::Timeout, detail }
}

/// `host:port`, all of a URL that is shown to anyone.
pub(crate) fn place_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
