//! Accept, hand over, drain.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::connection::{House, attend};
use crate::{Seldom, ServerTls};

/// After an accept error that is the process's own (out of descriptors, out of memory): long enough
/// for a connection to end, short enough that nobody notices.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    socket: Arc<TcpListener>,
    address: SocketAddr,
}

/// Leads to the socket of a [`Listener`] as long as that is served, and does not hold it.
#[derive(Clone, Debug)]
pub struct Heir {
    socket: Weak<TcpListener>,
    address: SocketAddr,
}

impl Listener {
    /// Binds `address` (`host:port`; port 0 picks one).
    pub async fn bind(address: &str) -> io::Result<Listener> {
        let socket = Arc::new(TcpListener::bind(address).await?);
        let address = socket.local_addr()?;
        Ok(Listener { socket, address })
    }

    /// For who will take the place of this one.
    pub fn heir(&self) -> Heir {
        Heir { socket: Arc::downgrade(&self.socket), address: self.address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Heir {
    /// The same socket: who connects is not refused while one place is left and the other taken.
    pub fn listener(&self) -> Option<Listener> {
        Some(Listener { socket: self.socket.upgrade()?, address: self.address })
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

/// Serves until `stop` turns true (or its sender is gone), then finishes the requests in flight
/// (at most `drain_time`). A head over the limit is answered 431, one that is not HTTP 400, a handler
/// that panics 500.
pub async fn serve<H, F>(
    listener: Listener,
    tls: Option<ServerTls>,
    limits: Limits,
    stop: watch::Receiver<bool>,
    handler: H,
) where
    H: Fn(Request<Incoming>, Peer) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let bad_handshakes = Seldom::default();
    let bad_requests = Seldom::default();
    let house = Arc::new(House { handler, limits, tls, bad_handshakes, bad_requests });
    let mut connections = JoinSet::new();
    accept_all(&listener.socket, &house, &mut connections, stop).await;
    // From here on the port is free, also for a successor of this process; or it is its heir's.
    drop(listener);
    let drained = tokio::time::timeout(limits.drain_time, join_all(&mut connections)).await;
    if drained.is_err() {
        tracing::warn!(connections = connections.len(), "requests in flight given up");
        connections.shutdown().await;
    }
}

async fn accept_all<H, F>(
    socket: &TcpListener,
    house: &Arc<House<H>>,
    connections: &mut JoinSet<()>,
    mut stop: watch::Receiver<bool>,
) where
    H: Fn(Request<Incoming>, Peer) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let seats = Arc::new(Semaphore::new(house.limits.connections));
    let for_connections = stop.clone();
    let stopped = stop.wait_for(|stop| *stop);
    tokio::pin!(stopped);
    let failures = Seldom::default();
    loop {
        let seat = tokio::select! {
            _ = &mut stopped => return,
            seat = Arc::clone(&seats).acquire_owned() => seat,
        };
        // The semaphore is never closed.
        let Ok(seat) = seat else { return };
        let (stream, address) = tokio::select! {
            _ = &mut stopped => return,
            accepted = accept(socket, &failures) => accepted,
        };
        while let Some(ended) = connections.try_join_next() {
            report(ended);
        }
        let (house, stop) = (Arc::clone(house), for_connections.clone());
        connections.spawn(async move {
            attend(house, stream, Peer { address }, stop).await;
            drop(seat);
        });
    }
}

/// The next connection. Errors of one connection are skipped; errors of the process are waited out.
async fn accept(socket: &TcpListener, failures: &Seldom) -> (TcpStream, SocketAddr) {
    loop {
        match socket.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                if let Some(held_back) = failures.pass() {
                    tracing::warn!(%error, held_back, "accept failed; trying again");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

async fn join_all(connections: &mut JoinSet<()>) {
    while let Some(ended) = connections.join_next().await {
        report(ended);
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection panicked");
    }
}
