//! The Lambda runtime API, spoken by us: next invocation, its answer or its error, or that we cannot
//! begin.
//!
//! Our own and not a library's: four requests on one connection to the same machine. It starts
//! without the HTTP client of destinations (no certificates to load before the first invocation is
//! asked for, no proxy between us and the runtime) and adds no package. Always holds: asking for the
//! next invocation has no time limit, since the process may be frozen while it waits. Deliberately
//! not here: what an event means.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::fault::{Fault, UNKNOWN_EVENT};

/// Version of the API, the first part of every path.
const VERSION: &str = "2018-06-01";
/// The largest event is 6 MB of a synchronous call; some room for how AWS counts.
const EVENT_BYTES_MAX: usize = 8 << 20;
/// The API is on this machine: an answer that takes longer does not come.
const POST_TIME: Duration = Duration::from_secs(5);

/// The API, as `AWS_LAMBDA_RUNTIME_API` names it.
pub(super) struct Api {
    authority: String,
    /// `/2018-06-01/runtime`, perhaps below a path that an emulator gives.
    base: String,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// One invocation.
pub(super) struct Invocation {
    /// `Lambda-Runtime-Aws-Request-Id`.
    pub request_id: String,
    /// `Lambda-Runtime-Deadline-Ms`, milliseconds since the epoch; 0 when it was not told.
    pub deadline_ms: i64,
    /// `Lambda-Runtime-Trace-Id`, empty without one.
    pub trace_id: String,
    /// The event, or why it was not read: that fails this invocation alone.
    pub event: Result<Bytes, Fault>,
}

/// The runtime API does not do what it should; nothing can be done without it.
#[derive(Debug, thiserror::Error)]
#[error("lambda runtime api {authority}: {doing}: {why}")]
pub(super) struct ApiError {
    authority: String,
    doing: &'static str,
    why: String,
}

/// What became of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// It was taken.
    Taken,
    /// It was not, with this status: the invocation has no answer yet.
    Refused(u16),
}

impl Api {
    /// `host:port`, with or without a path, with or without `http://`.
    pub(super) fn new(address: &str) -> Api {
        let address = address.strip_prefix("http://").unwrap_or(address).trim_end_matches('/');
        let (authority, path) = match address.split_once('/') {
            Some((authority, path)) => (authority.to_owned(), format!("/{path}")),
            None => (address.to_owned(), String::new()),
        };
        Api { authority, base: format!("{path}/{VERSION}/runtime"), connection: None }
    }

    /// Waits for the next invocation, however long.
    pub(super) async fn next(&mut self) -> Result<Invocation, ApiError> {
        let doing = "next invocation";
        let path = format!("{}/invocation/next", self.base);
        let (parts, body) = self.ask(doing, &path, None).await?.into_parts();
        if parts.status != StatusCode::OK {
            return Err(self.error(doing, format!("answered {}", parts.status)));
        }
        let header = |name: &str| text(&parts.headers, name).to_owned();
        let request_id = header("lambda-runtime-aws-request-id");
        if request_id.is_empty() {
            return Err(self.error(doing, "the answer names no request id".to_owned()));
        }
        let event = match Limited::new(body, EVENT_BYTES_MAX).collect().await {
            Ok(event) => Ok(event.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                // What is left of it stands on the connection.
                self.connection = None;
                let most = EVENT_BYTES_MAX >> 20;
                let message = format!("the event has more than {most} MiB; Lambda's limit is 6 MB");
                Err(Fault::new(UNKNOWN_EVENT, message))
            }
            Err(error) => return Err(self.error(doing, format!("reading the event: {error}"))),
        };
        Ok(Invocation {
            request_id,
            deadline_ms: header("lambda-runtime-deadline-ms").parse().unwrap_or(0),
            trace_id: header("lambda-runtime-trace-id"),
            event,
        })
    }

    /// Answers an invocation.
    pub(super) async fn answer(&mut self, id: &str, body: Bytes) -> Result<Answered, ApiError> {
        let path = format!("{}/invocation/{id}/response", self.base);
        self.post("response", &path, body, None).await
    }

    /// Fails an invocation.
    pub(super) async fn fail(&mut self, id: &str, fault: &Fault) -> Result<Answered, ApiError> {
        let path = format!("{}/invocation/{id}/error", self.base);
        self.post("invocation error", &path, fault.body(), Some(fault.kind)).await
    }

    /// Says that the function cannot begin.
    pub(super) async fn fail_init(&mut self, fault: &Fault) -> Result<Answered, ApiError> {
        let path = format!("{}/init/error", self.base);
        self.post("init error", &path, fault.body(), Some(fault.kind)).await
    }

    async fn post(
        &mut self,
        doing: &'static str,
        path: &str,
        body: Bytes,
        kind: Option<&'static str>,
    ) -> Result<Answered, ApiError> {
        let authority = self.authority.clone();
        let asked = timeout(POST_TIME, async {
            let answer = self.ask(doing, path, Some((body, kind))).await?;
            let status = answer.status();
            // Read to its end, so that the connection can be used again.
            let rest = Limited::new(answer.into_body(), EVENT_BYTES_MAX).collect().await;
            if rest.is_err() {
                self.connection = None;
            }
            Ok(status)
        });
        let status = asked.await.map_err(|_| ApiError {
            authority,
            doing,
            why: format!("no answer within {POST_TIME:?}"),
        })??;
        // 500 is the API's word for "this environment is broken, end at once".
        match status.as_u16() {
            200..300 => Ok(Answered::Taken),
            500.. => Err(self.error(doing, format!("answered {status}"))),
            other => Ok(Answered::Refused(other)),
        }
    }

    /// One request. A kept connection that has gone away meanwhile is replaced once.
    async fn ask(
        &mut self,
        doing: &'static str,
        path: &str,
        body: Option<(Bytes, Option<&'static str>)>,
    ) -> Result<http::Response<Incoming>, ApiError> {
        let kept = self.connection.is_some();
        let first = self.try_ask(path, body.clone()).await;
        match first {
            Err(_) if kept => {
                let again = self.try_ask(path, body).await;
                again.map_err(|why| self.error(doing, why))
            }
            other => other.map_err(|why| self.error(doing, why)),
        }
    }

    async fn try_ask(
        &mut self,
        path: &str,
        body: Option<(Bytes, Option<&'static str>)>,
    ) -> Result<http::Response<Incoming>, String> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let mut request = Request::builder().uri(path).header("host", &self.authority);
        request = request.method(if body.is_some() { Method::POST } else { Method::GET });
        if let Some((_, kind)) = &body {
            request = request.header("content-type", "application/json");
            if let Some(kind) = kind {
                request = request.header("lambda-runtime-function-error-type", *kind);
            }
        }
        let body = Full::new(body.map(|(bytes, _)| bytes).unwrap_or_default());
        let request = request.body(body).map_err(|error| error.to_string())?;
        connection.ready().await.map_err(|error| error.to_string())?;
        let answer = connection.send_request(request).await.map_err(|error| error.to_string())?;
        self.connection = Some(connection);
        Ok(answer)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let stream = TcpStream::connect(&self.authority).await.map_err(|e| e.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to the runtime api ended");
            }
        });
        Ok(sender)
    }

    fn error(&self, doing: &'static str, why: String) -> ApiError {
        ApiError { authority: self.authority.clone(), doing, why }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}
