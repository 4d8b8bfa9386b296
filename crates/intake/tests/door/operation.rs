//! Health checks, a disk that is slow or full, TLS, and the end.

use std::fmt;
use std::io::{self, BufReader, IoSlice, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use bytes::Bytes;
use intake::firehose::{Permits, Reason};
use journal::{Body, Disk, File, Item, Listed, Options, RealDisk};
use listen::ServerTls;
use remote::{Client, ClientConfig, Request, TlsConfig, Why};
use testkit::{Authority, TempDir, exchange, read_answer};

use crate::common::{METRIC, Plan, Post, noise, open};

/// *Scenario:* what load balancers and browsers send, on any path, without a key.
/// *Guarantees:* 200 with a short body, counted apart, no delivery and no rejection.
#[test]
fn health_checks_are_answered() {
    let door = open(Plan::keys(&["key"]));
    for (n, method) in ["GET", "HEAD", "OPTIONS"].into_iter().enumerate() {
        let request =
            format!("{method} /any/path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let mut stream = TcpStream::connect(door.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert_eq!(answer.ends_with("{\"status\":\"ok\"}"), method != "HEAD", "{answer}");
        assert_eq!(door.source.stats().health_checks.get(), n as u64 + 1);
    }
    assert_eq!(door.source.stats().requests.get(), 0);
    assert!(Reason::ALL.into_iter().all(|reason| door.source.stats().rejected(reason) == 0));
}

/// *Scenario:* deliveries until the journal is full; small and large ones then.
/// *Guarantees:* 503 that says who holds the space; nothing ever 413; health checks still 200.
#[test]
fn full_journal_is_answered_503() {
    let options = Options {
        segment_bytes: 1 << 20,
        budget_bytes: 4 << 20,
        topic_bytes: 4 << 20,
        ..Options::default()
    };
    let door = open(Plan { options, ..Plan::default() });
    let mut last = None;
    for n in 0..20 {
        let answer = door.send(&Post::with_id(&n.to_string(), &[noise(n, 500_000)]));
        if answer.status != 200 {
            last = Some(answer);
            break;
        }
    }
    let full = last.unwrap();
    assert_eq!(full.status, 503);
    assert!(full.text().contains("full"), "{}", full.text());
    assert!(door.source.stats().rejected(Reason::JournalFull) > 0);
    let large = door.send(&Post::with_id("large", &vec![noise(1, 1_000_000); 6]));
    assert_eq!(large.status, 503);
    let health = exchange(door.address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(health.status, 200);
}

/// A real disk whose syncs wait for leave.
#[derive(Debug)]
struct GatedDisk(Arc<Gate>);

#[derive(Debug)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
    failing: AtomicBool,
}

impl Gate {
    fn new() -> Arc<Gate> {
        let (open, opened) = (Mutex::new(true), Condvar::new());
        Arc::new(Gate { open, opened, failing: AtomicBool::new(false) })
    }
    fn set(&self, open: bool) {
        *self.open.lock().unwrap() = open;
        self.opened.notify_all();
    }
    fn pass(&self) {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
    }
}

struct GatedFile {
    file: Arc<dyn File>,
    gate: Arc<Gate>,
}

impl fmt::Debug for GatedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file.fmt(f)
    }
}

impl File for GatedFile {
    fn read_at(&self, into: &mut Vec<u8>, length: usize, offset: u64) -> io::Result<()> {
        self.file.read_at(into, length, offset)
    }
    fn write_at(&self, pieces: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.file.write_at(pieces, offset)
    }
    fn sync(&self) -> io::Result<()> {
        self.gate.pass();
        if self.gate.failing.load(Ordering::SeqCst) {
            return Err(io::Error::other("scripted"));
        }
        self.file.sync()
    }
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }
    fn cut(&self, length: u64) -> io::Result<()> {
        self.file.cut(length)
    }
    fn reserve(&self, length: u64) -> io::Result<()> {
        self.file.reserve(length)
    }
}

impl GatedDisk {
    fn gated(&self, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(GatedFile { file, gate: Arc::clone(&self.0) })
    }
}

impl Disk for GatedDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_dir(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        RealDisk.list(path)
    }
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(self.gated(RealDisk.create(path)?))
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(self.gated(RealDisk.open(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
    fn now_ms(&self) -> u64 {
        RealDisk.now_ms()
    }
    fn random(&self) -> u64 {
        RealDisk.random()
    }
}

/// *Scenario:* a delivery and its repeat while the disk's syncs hang; then the disk goes on.
/// *Guarantees:* neither is answered before the sync has returned; both are afterwards (I1).
#[test]
fn yes_comes_after_the_sync() {
    let gate = Gate::new();
    let disk = Arc::new(GatedDisk(Arc::clone(&gate)));
    let door = open(Plan { disk, ..Plan::default() });
    assert_eq!(door.send(&Post::with_id("first", &[METRIC])).status, 200);
    gate.set(false);
    let end = door.topic.end();
    let clients: Vec<_> = (0..2)
        .map(|_| {
            let stream = TcpStream::connect(door.address).unwrap();
            (&stream).write_all(&Post::metrics().gzip().bytes()).unwrap();
            stream
        })
        .collect();
    door.until(|door| door.source.stats().requests.get() == 3);
    for stream in &clients {
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let early = (&*stream).read(&mut [0; 1]);
        assert!(early.is_err(), "answered before the sync");
    }
    assert_eq!((door.topic.end(), door.source.stats().accepted.get()), (end, 1));
    gate.set(true);
    for stream in &clients {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        assert_eq!(read_answer(&mut BufReader::new(stream)).unwrap().status, 200);
    }
    assert_eq!(door.topic.end(), end + 1);
}

/// *Scenario:* the disk's syncs fail, for small and for large bodies; then the disk is well again.
/// *Guarantees:* 503 and no entry; the same deliveries sent again are stored, and are no repeats.
#[test]
fn failing_disk_is_answered_503() {
    let gate = Gate::new();
    let disk = Arc::new(GatedDisk(Arc::clone(&gate)));
    let options = Options { retry_after: Duration::from_millis(10), ..Options::default() };
    let door = open(Plan { disk, options, ..Plan::default() });
    assert_eq!(door.send(&Post::with_id("first", &[METRIC])).status, 200);
    gate.failing.store(true, Ordering::SeqCst);
    let small = Post::metrics();
    let large = Post::with_id("large", &vec![noise(1, 1_000_000); 5]);
    let answer = door.send(&small);
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("disk"), "{}", answer.text());
    assert_eq!(door.send(&large).status, 503);
    assert_eq!(door.stored().len(), 1);
    assert!(door.source.stats().rejected(Reason::Disk) > 0);
    gate.failing.store(false, Ordering::SeqCst);
    door.until(|door| door.send(&small).status == 200);
    assert_eq!(door.send(&large).status, 200);
    assert_eq!((door.stored().len(), door.source.stats().repeats.get()), (3, 0));
}

/// *Scenario:* the memory for bodies is held by others for longer than a request waits.
/// *Guarantees:* 503, in time; then all is well again.
#[test]
fn no_memory_is_answered_503() {
    let door = open(Plan::limits(|limits| {
        limits.in_flight_bytes = 2 << 20;
        limits.wait = Duration::from_millis(200);
    }));
    // A body that never comes holds the share of its length.
    let holder = TcpStream::connect(door.address).unwrap();
    let head = Post::metrics().header("Content-Length", "1048576").head();
    (&holder).write_all(head.as_bytes()).unwrap();
    door.until(|door| door.permits.free_bytes() < 2 << 20);
    let answer = door.send(&Post::metrics());
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("200ms"), "{}", answer.text());
    assert_eq!(door.source.stats().rejected(Reason::Busy), 1);
    drop(holder);
    door.until(|door| door.permits.free_bytes() == 2 << 20);
    assert_eq!(door.send(&Post::metrics()).status, 200);
}

/// *Scenario:* budgets of odd sizes.
/// *Guarantees:* never zero permits, which would be a door that never opens.
#[test]
fn tiny_budgets_still_open() {
    assert!(Permits::new(0).free_bytes() > 0);
    assert_eq!(Permits::new(32 << 20).free_bytes(), 32 << 20);
}

/// *Scenario:* deliveries by TLS; the certificate is replaced between them.
/// *Guarantees:* both are stored; the client that trusts only the new authority is served after.
#[test]
fn deliveries_by_tls_with_a_reload() {
    let dir = TempDir::new("intake");
    let (old, new) = (Authority::new(), Authority::new());
    let write = |authority: &Authority| {
        let identity = authority.sign("127.0.0.1");
        (dir.write("a.crt", identity.cert_pem), dir.write("a.key", identity.key_pem))
    };
    let (cert, key) = write(&old);
    let tls = ServerTls::load(&cert, &key).unwrap();
    let door = open(Plan { tls: Some(tls.clone()), ..Plan::default() });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let deliver = |authority: &Authority, id: &str| {
        let ca_file = Some(dir.write("ca.pem", authority.ca_pem()));
        let client = Client::new(&ClientConfig {
            tls: TlsConfig { ca_file, accept_invalid: false },
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(5),
            answer_bytes: 10_000,
        });
        let post = Post::with_id(id, &[METRIC]).gzip();
        let headers = post.headers.iter();
        let headers = headers.map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        let url = format!("https://{}/", door.address);
        let body = Bytes::from(post.body);
        let request = Request { method: http::Method::POST, url, headers, body };
        runtime.block_on(async { client.unwrap().send(request).await })
    };
    assert_eq!(deliver(&old, "1").unwrap().status, 200);
    write(&new);
    tls.reload(&cert, &key).unwrap();
    assert_eq!(deliver(&new, "2").unwrap().status, 200);
    assert_eq!(deliver(&old, "3").unwrap_err().why, Why::Tls);
    assert_eq!(door.stored().len(), 2);
}

/// *Scenario:* the journal is closed under the source.
/// *Guarantees:* 503, not a hang and not a yes.
#[test]
fn closed_journal_is_answered_503() {
    let door = open(Plan::default());
    door.journal.close();
    let answer = door.send(&Post::metrics());
    assert_eq!(answer.status, 503, "{}", answer.text());
    let item = Item { key: None, head: Vec::new(), body: Body::Bytes(Bytes::new()) };
    let (told, answer) = std::sync::mpsc::sync_channel(1);
    door.topic.append(item, Box::new(move |outcome| told.send(outcome.is_err()).unwrap()));
    assert!(answer.recv().unwrap());
}
