//! One connection: shake hands, read heads, call the handler, close.
//!
//! A handler that panics answers 500. A client that is slower than the limits is let go.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::watched::{Vigil, Watched};
use crate::{Limits, Peer, Seldom, ServerTls};

/// hyper takes no less.
const BUFFER_MIN: usize = 8 * 1024;

/// What all connections of a listener share.
pub(crate) struct House<H> {
    pub(crate) handler: H,
    pub(crate) limits: Limits,
    pub(crate) tls: Option<ServerTls>,
    pub(crate) bad_handshakes: Seldom,
    pub(crate) bad_requests: Seldom,
}

/// From accept to close.
pub(crate) async fn attend<H, F>(
    house: Arc<House<H>>,
    stream: TcpStream,
    peer: Peer,
    stop: watch::Receiver<bool>,
) where
    H: Fn(Request<Incoming>, Peer) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    // Answers are small and whole; waiting for more to send would only add 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(peer = %peer.address, %error, "tcp_nodelay not set");
    }
    let Some(tls) = house.tls.clone() else {
        return converse(&house, stream, peer, stop).await;
    };
    let handshake = TlsAcceptor::from(tls.config()).accept(stream);
    let shaken = tokio::time::timeout(house.limits.header_time, handshake).await;
    let problem = match shaken {
        Ok(Ok(stream)) => return converse(&house, stream, peer, stop).await,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("not done after {:?}", house.limits.header_time),
    };
    if let Some(held_back) = house.bad_handshakes.pass() {
        tracing::warn!(peer = %peer.address, problem, held_back, "tls handshake failed");
    }
}

async fn converse<H, F, S>(
    house: &Arc<House<H>>,
    stream: S,
    peer: Peer,
    mut stop: watch::Receiver<bool>,
) where
    H: Fn(Request<Incoming>, Peer) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = &house.limits;
    let vigil = Vigil::new(limits.header_time, limits.idle_time);
    let service = Dispatch { handler: house.handler.clone(), peer, vigil: Arc::clone(&vigil) };
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&vigil)));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            // The vigil tells a slow head from an idle connection; hyper's own timer does not.
            .header_read_timeout(None)
            .max_buf_size(limits.header_bytes.max(BUFFER_MIN))
            .max_header_size(limits.header_bytes)
            // A client may shut its sending side and wait for the answer.
            .half_close(true)
            .serve_connection(io, service)
    );
    let mut told = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    report(house, peer, &error);
                }
                return;
            }
            // A dropped sender counts as a stop: nobody is left who could say it.
            _ = stop.wait_for(|stop| *stop), if !told => {
                told = true;
                vigil.stopping();
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep_until(vigil.look_again()) => {
                if vigil.is_over() {
                    tracing::debug!(peer = %peer.address, "slow or idle connection closed");
                    return;
                }
            }
        }
    }
}

fn report<H>(house: &House<H>, peer: Peer, error: &hyper::Error) {
    // A client may go away whenever it likes; only what is not HTTP deserves a line.
    if !error.is_parse() {
        tracing::debug!(peer = %peer.address, %error, "connection ended early");
    } else if let Some(held_back) = house.bad_requests.pass() {
        tracing::warn!(peer = %peer.address, %error, held_back, "request head refused");
    }
}

struct Dispatch<H> {
    handler: H,
    peer: Peer,
    vigil: Arc<Vigil>,
}

impl<H, F> Service<Request<Incoming>> for Dispatch<H>
where
    H: Fn(Request<Incoming>, Peer) -> F,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Handling<F>;

    fn call(&self, request: Request<Incoming>) -> Handling<F> {
        self.vigil.busy();
        let started = catch_unwind(AssertUnwindSafe(|| (self.handler)(request, self.peer)));
        Handling { future: started.ok().map(Box::pin), vigil: Arc::clone(&self.vigil) }
    }
}

/// A running handler; `None` once it has panicked.
struct Handling<F> {
    future: Option<Pin<Box<F>>>,
    vigil: Arc<Vigil>,
}

impl<F> Future for Handling<F>
where
    F: Future<Output = Response<Full<Bytes>>>,
{
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let me = self.get_mut();
        let polled = me
            .future
            .as_mut()
            .map(|future| catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))));
        match polled {
            Some(Ok(Poll::Pending)) => Poll::Pending,
            Some(Ok(Poll::Ready(response))) => {
                me.vigil.idle();
                Poll::Ready(Ok(response))
            }
            // The panic hook has written what and where; this says what became of it.
            Some(Err(_)) | None => {
                me.future = None;
                me.vigil.idle();
                tracing::error!("a request handler panicked; answered 500");
                let mut response = Response::new(Full::new(Bytes::from_static(b"internal error")));
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                Poll::Ready(Ok(response))
            }
        }
    }
}
