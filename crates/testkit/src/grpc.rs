//! A scripted gRPC peer on loopback: answers with a status, resets, goes away, drops its trailers,
//! answers as something else does. It records what it is asked; a call is one request whose body is
//! kept with the five bytes before its message.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::wire::Received;

/// What a peer does with a call.
#[derive(Clone, Debug)]
pub enum GrpcReply {
    /// A message and a status in the trailers.
    Status {
        /// `grpc-status`.
        code: u16,
        /// `grpc-message`, encoded already.
        text: String,
        /// More trailers.
        trailers: Vec<(&'static str, String)>,
        /// The bytes before the trailers: prefix and message.
        data: Vec<u8>,
    },
    /// The status stands in the headers; there is no more.
    HeadersOnly(u16, String),
    /// Headers and data, and no trailers.
    NoTrailers(Vec<u8>),
    /// An answer of HTTP that is none of gRPC.
    Http {
        /// Status.
        status: u16,
        /// Headers.
        headers: Vec<(&'static str, String)>,
        /// Body.
        body: Vec<u8>,
    },
    /// RST_STREAM with this code.
    Reset(u32),
    /// GOAWAY with this code for the whole connection.
    GoAway(u32),
    /// Half an answer, then the connection is closed.
    Cut,
    /// Never answers.
    Hang,
}

impl GrpcReply {
    /// A status in the trailers, with an empty message before it when it is 0.
    pub fn status(code: u16, text: &str) -> GrpcReply {
        let data = if code == 0 { vec![0; 5] } else { Vec::new() };
        GrpcReply::Status { code, text: text.to_owned(), trailers: Vec::new(), data }
    }
    /// Status 0 with this message.
    pub fn message(message: &[u8]) -> GrpcReply {
        let length = u32::try_from(message.len()).expect("a test's message");
        let data = [&[0][..], &length.to_be_bytes(), message].concat();
        GrpcReply::Status { code: 0, text: String::new(), trailers: Vec::new(), data }
    }
    /// With one more trailer (statuses only).
    pub fn with(mut self, name: &'static str, value: &str) -> GrpcReply {
        if let GrpcReply::Status { trailers, .. } = &mut self {
            trailers.push((name, value.to_owned()));
        }
        self
    }
}

type Script = Box<dyn FnMut(&Received) -> GrpcReply + Send>;

struct Shared {
    script: Mutex<Script>,
    requests: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    /// The next connections get the second bytes instead of a conversation, once they have said the first.
    raw: Mutex<VecDeque<(&'static [u8], Vec<u8>)>>,
}

/// A peer. Dropped, it closes every connection and its port.
pub struct GrpcPeer {
    address: SocketAddr,
    tls: bool,
    shared: Arc<Shared>,
    runtime: Option<tokio::runtime::Runtime>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl GrpcPeer {
    /// Answers every call alike, in plaintext.
    pub fn start(reply: GrpcReply) -> GrpcPeer {
        Self::scripted(move |_| reply.clone())
    }
    /// Asks `script` what to do with each call.
    pub fn scripted(script: impl FnMut(&Received) -> GrpcReply + Send + 'static) -> GrpcPeer {
        Self::listen(Box::new(script), None)
    }
    /// Like [`GrpcPeer::start`], by TLS with HTTP/2 offered.
    pub fn start_tls(config: &ServerConfig, reply: GrpcReply) -> GrpcPeer {
        let mut config = config.clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self::listen(Box::new(move |_| reply.clone()), Some(Arc::new(config)))
    }
    fn listen(script: Script, tls: Option<Arc<ServerConfig>>) -> GrpcPeer {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be built");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            requests: Mutex::new(Vec::new()),
            connections: AtomicUsize::new(0),
            raw: Mutex::new(VecDeque::new()),
        });
        let (is_tls, for_task) = (tls.is_some(), Arc::clone(&shared));
        runtime.spawn(accept(listener, tls.map(TlsAcceptor::from), for_task));
        GrpcPeer { address, tls: is_tls, shared, runtime: Some(runtime) }
    }
    /// `scheme://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.address)
    }
    /// From now on asks this script.
    pub fn set_script(&self, script: impl FnMut(&Received) -> GrpcReply + Send + 'static) {
        *lock(&self.shared.script) = Box::new(script);
    }
    /// One of the next connections is answered with these bytes, once it has said `after`.
    pub fn answer_connection(&self, after: &'static [u8], bytes: impl Into<Vec<u8>>) {
        lock(&self.shared.raw).push_back((after, bytes.into()));
    }
    /// All calls so far.
    pub fn requests(&self) -> Vec<Received> {
        lock(&self.shared.requests).clone()
    }
    /// How many connections so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for GrpcPeer {
    fn drop(&mut self) {
        // May be dropped inside a test's own runtime, where one must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        tokio::spawn(async move {
            let raw = lock(&shared.raw).pop_front();
            // A client that goes away is a normal end of a scripted conversation.
            match (raw, tls) {
                (Some((after, bytes)), _) => say(stream, after, &bytes).await.ok(),
                (None, None) => converse(stream, shared).await.ok(),
                (None, Some(tls)) => match tls.accept(stream).await {
                    Ok(stream) => converse(stream, shared).await.ok(),
                    Err(_) => None,
                },
            }
        });
    }
}

async fn say(mut stream: TcpStream, after: &[u8], bytes: &[u8]) -> io::Result<()> {
    let mut seen = Vec::new();
    while !seen.windows(after.len()).any(|window| window == after) {
        if stream.read_buf(&mut seen).await? == 0 {
            return Ok(());
        }
    }
    stream.write_all(bytes).await?;
    while stream.read_buf(&mut seen).await? > 0 {}
    Ok(())
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    shared: Arc<Shared>,
) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(stream).await?;
    let (end, mut ended) = tokio::sync::mpsc::channel::<Option<h2::Reason>>(1);
    loop {
        tokio::select! {
            accepted = connection.accept() => {
                let Some(accepted) = accepted else { return Ok(()) };
                let (request, respond) = accepted?;
                tokio::spawn(serve(request, respond, Arc::clone(&shared), end.clone()));
            }
            how = ended.recv() => match how.flatten() {
                Some(reason) => connection.abrupt_shutdown(reason),
                None => return Ok(()),
            },
        }
    }
}

type End = tokio::sync::mpsc::Sender<Option<h2::Reason>>;

async fn serve(
    request: http::Request<h2::RecvStream>,
    mut respond: SendResponse<Bytes>,
    shared: Arc<Shared>,
    end: End,
) -> Result<(), h2::Error> {
    let (parts, mut body) = request.into_parts();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut received = Received {
        method: parts.method.to_string(),
        target: parts.uri.path().to_owned(),
        headers: parts.headers.iter().map(|(n, v)| (n.to_string(), text(v))).collect(),
        body: Vec::new(),
    };
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        received.body.extend_from_slice(&chunk);
    }
    let reply = (lock(&shared.script))(&received);
    lock(&shared.requests).push(received);
    answer(&mut respond, reply, &end).await
}

fn head(status: u16, headers: &[(&'static str, String)]) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(status).expect("a test's status");
    *response.headers_mut() = map(headers);
    response
}

fn map(headers: &[(&'static str, String)]) -> HeaderMap {
    let value = |value: &str| HeaderValue::from_str(value).expect("a test's header");
    headers.iter().map(|(n, v)| (HeaderName::from_static(n), value(v))).collect()
}

async fn answer(
    respond: &mut SendResponse<Bytes>,
    reply: GrpcReply,
    end: &End,
) -> Result<(), h2::Error> {
    let grpc = ("content-type", "application/grpc".to_owned());
    let status =
        |code: u16, text: String| [("grpc-status", code.to_string()), ("grpc-message", text)];
    match reply {
        GrpcReply::Status { code, text, trailers, data } => {
            // As grpc-go names it, also for messages that are not compressed after all.
            let encoding = ("grpc-encoding", "gzip".to_owned());
            let mut stream = respond.send_response(head(200, &[grpc, encoding]), false)?;
            stream.send_data(Bytes::from(data), false)?;
            stream.send_trailers(map(&[&status(code, text)[..], &trailers].concat()))?;
        }
        GrpcReply::HeadersOnly(code, text) => {
            let headers = [&[grpc][..], &status(code, text)].concat();
            respond.send_response(head(200, &headers), true)?;
        }
        GrpcReply::NoTrailers(data) => {
            let mut stream = respond.send_response(head(200, &[grpc]), false)?;
            stream.send_data(Bytes::from(data), true)?;
        }
        GrpcReply::Http { status, headers, body } => {
            let mut stream = respond.send_response(head(status, &headers), false)?;
            stream.send_data(Bytes::from(body), true)?;
        }
        GrpcReply::Reset(code) => respond.send_reset(h2::Reason::from(code)),
        GrpcReply::GoAway(code) => {
            // A full channel means that the connection is ending already.
            end.send(Some(h2::Reason::from(code))).await.ok();
            // Giving up the stream would be a reset, and race with the other.
            std::future::pending::<()>().await;
        }
        GrpcReply::Cut => {
            let mut stream = respond.send_response(head(200, &[grpc]), false)?;
            stream.send_data(Bytes::from_static(&[0, 0]), false)?;
            // Until the frames are written; nothing tells when that is.
            tokio::time::sleep(Duration::from_millis(50)).await;
            end.send(None).await.ok();
        }
        GrpcReply::Hang => std::future::pending().await,
    }
    Ok(())
}
