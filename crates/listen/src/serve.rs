//! Accept, shake hands, read heads, call the handler, drain.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::sync::watch;

use crate::ServerTls;

/// A bound socket.
pub struct Listener {}

impl Listener {
    /// Binds `address` (`host:port`; port 0 picks one).
    pub async fn bind(_address: &str) -> std::io::Result<Listener> {
        unimplemented!()
    }
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        unimplemented!()
    }
}

/// Bounds on what a stranger can hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the request head.
    pub header_bytes: usize,
    /// Time to send the head, and to shake TLS hands.
    pub header_time: Duration,
    /// Connections at a time; more wait in the kernel's queue.
    pub connections: usize,
    /// How long an idle connection is kept.
    pub idle_time: Duration,
    /// After `stop`, how long requests in flight may take.
    pub drain_time: Duration,
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Address.
    pub address: SocketAddr,
}

/// Serves until `stop` turns true, then finishes the requests in flight (at most `drain_time`).
pub async fn serve<H, F>(
    _listener: Listener,
    _tls: Option<ServerTls>,
    _limits: Limits,
    _stop: watch::Receiver<bool>,
    _handler: H,
) where
    H: Fn(Request<Incoming>, Peer) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    unimplemented!()
}
