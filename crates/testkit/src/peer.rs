//! A scripted HTTP peer on loopback, in plain threads: answers, is slow, answers half, resets,
//! never answers, talks garbage. It records what it is asked, and its behaviour can be switched
//! while it runs.

use std::collections::HashMap;
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::wire::{Received, read_request};

/// What a peer does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A whole answer with Content-Length; the connection stays open.
    Http {
        /// Status code.
        status: u16,
        /// Headers besides Content-Length.
        headers: Vec<(String, String)>,
        /// Body.
        body: Vec<u8>,
    },
    /// Waits, then does the other thing.
    After(Duration, Box<Reply>),
    /// Says it will send more than it does: half a body, then closes.
    Half,
    /// Closes without a byte.
    Close,
    /// Resets the connection.
    Reset,
    /// Never answers; keeps the connection open until the peer is dropped.
    Hang,
    /// Sends these bytes and closes.
    Raw(Vec<u8>),
}

impl Reply {
    /// A status with an empty body.
    pub fn status(status: u16) -> Reply {
        Reply::Http { status, headers: Vec::new(), body: Vec::new() }
    }
    /// A status with a body of this type.
    pub fn body(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        Reply::status(status).with_body(body).with("Content-Type", content_type)
    }
    /// JSON with this status.
    pub fn json(status: u16, body: &str) -> Reply {
        Reply::body(status, "application/json", body)
    }
    /// 302 to `location`.
    pub fn redirect(location: &str) -> Reply {
        Reply::status(302).with("Location", location)
    }
    /// Not HTTP.
    pub fn garbage() -> Reply {
        Reply::Raw(b"\x00\x01SSH-2.0-nonsense\r\n\r\n".to_vec())
    }
    /// The same a while later.
    pub fn after(self, delay: Duration) -> Reply {
        Reply::After(delay, Box::new(self))
    }
    /// With one more header (whole answers only).
    pub fn with(mut self, name: &str, value: &str) -> Reply {
        if let Reply::Http { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
    fn with_body(mut self, content: impl Into<Vec<u8>>) -> Reply {
        if let Reply::Http { body, .. } = &mut self {
            *body = content.into();
        }
        self
    }
}

type Script = Box<dyn FnMut(&Received) -> Reply + Send>;

struct Shared {
    script: Mutex<Script>,
    requests: Mutex<Vec<Received>>,
    arrived: Condvar,
    connections: AtomicUsize,
    open: Mutex<HashMap<usize, TcpStream>>,
    stopped: AtomicBool,
    tls: Option<Arc<ServerConfig>>,
}

/// A peer. Dropped, it closes every connection and its port.
pub struct Peer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Peer {
    /// Answers every request alike, until [`Peer::set`].
    pub fn start(reply: Reply) -> Peer {
        Self::scripted(move |_| reply.clone())
    }
    /// Asks `script` what to do with each request; requests come one after the other.
    pub fn scripted(script: impl FnMut(&Received) -> Reply + Send + 'static) -> Peer {
        Self::listen(Box::new(script), None)
    }
    /// Like [`Peer::start`], by TLS.
    pub fn start_tls(config: Arc<ServerConfig>, reply: Reply) -> Peer {
        Self::listen(Box::new(move |_| reply.clone()), Some(config))
    }
    fn listen(script: Script, tls: Option<Arc<ServerConfig>>) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            requests: Mutex::new(Vec::new()),
            arrived: Condvar::new(),
            connections: AtomicUsize::new(0),
            open: Mutex::new(HashMap::new()),
            stopped: AtomicBool::new(false),
            tls,
        });
        let for_thread = Arc::clone(&shared);
        std::thread::spawn(move || accept(&listener, &for_thread));
        Peer { address, shared }
    }
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// URL of a path on it.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}{path}", self.address.port())
    }
    /// From now on answers like this.
    pub fn set(&self, reply: Reply) {
        self.set_script(move |_| reply.clone());
    }
    /// From now on asks this script.
    pub fn set_script(&self, script: impl FnMut(&Received) -> Reply + Send + 'static) {
        *lock(&self.shared.script) = Box::new(script);
    }
    /// All requests so far.
    pub fn requests(&self) -> Vec<Received> {
        lock(&self.shared.requests).clone()
    }
    /// How many requests so far.
    pub fn count(&self) -> usize {
        lock(&self.shared.requests).len()
    }
    /// How many connections so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
    /// Waits until there were `count` requests, and returns them; panics after `within`.
    pub fn wait_for(&self, count: usize, within: Duration) -> Vec<Received> {
        let deadline = Instant::now() + within;
        let mut requests = lock(&self.shared.requests);
        while requests.len() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited for {count} requests, saw {}", requests.len());
            let waited = self.shared.arrived.wait_timeout(requests, left);
            requests = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        requests.clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the accept loop; if that fails the loop ends with the process.
        TcpStream::connect(self.address).ok();
        for (_, stream) in lock(&self.shared.open).drain() {
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

/// A port on loopback that nobody listens on (it was bound a moment ago).
pub fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let number = shared.connections.fetch_add(1, Ordering::SeqCst);
        if let Ok(clone) = stream.try_clone() {
            lock(&shared.open).insert(number, clone);
        }
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            // A client that goes away mid-request is a normal end of a scripted conversation.
            serve(stream, &shared).ok();
            // The last clone: what serve dropped is closed (or reset) on the wire now.
            lock(&shared.open).remove(&number);
        });
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let raw = stream.try_clone()?;
    match &shared.tls {
        None => converse(BufReader::new(stream), &raw, shared),
        Some(config) => {
            let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
            converse(BufReader::new(StreamOwned::new(connection, stream)), &raw, shared)
        }
    }
}

fn converse(
    mut stream: BufReader<impl Read + Write>,
    raw: &TcpStream,
    shared: &Shared,
) -> io::Result<()> {
    while let Some(request) = read_request(&mut stream)? {
        let reply = (lock(&shared.script))(&request);
        lock(&shared.requests).push(request);
        shared.arrived.notify_all();
        if !answer(stream.get_mut(), raw, reply)? {
            break;
        }
    }
    Ok(())
}

/// True when the connection stays open.
fn answer(stream: &mut (impl Read + Write), raw: &TcpStream, reply: Reply) -> io::Result<bool> {
    match reply {
        Reply::Http { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} Scripted\r\n");
            for (name, value) in &headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
            stream.write_all(head.as_bytes())?;
            stream.write_all(&body)?;
            stream.flush()?;
            Ok(true)
        }
        Reply::After(delay, then) => {
            std::thread::sleep(delay);
            answer(stream, raw, *then)
        }
        Reply::Half => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")?;
            stream.flush()?;
            Ok(false)
        }
        Reply::Raw(bytes) => {
            stream.write_all(&bytes)?;
            stream.flush()?;
            Ok(false)
        }
        Reply::Close => Ok(false),
        Reply::Reset => {
            // Linger zero makes the close a reset.
            rustix::net::sockopt::set_socket_linger(raw, Some(Duration::ZERO))?;
            Ok(false)
        }
        Reply::Hang => {
            // Until the client gives up, or the peer is dropped and shuts the socket.
            let mut byte = [0];
            while stream.read(&mut byte)? > 0 {}
            Ok(false)
        }
    }
}
