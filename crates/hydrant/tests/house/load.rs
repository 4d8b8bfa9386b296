//! Senders that behave as Firehose: a delivery is repeated under its request id until it is answered
//! with yes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use metric::Format;
use rehearsal::sender::{Request, Sender, request_id};
use testkit::RawAnswer;

use crate::points::{Batch, now_ms};
use crate::receivers::Book;
use crate::service::{ACCESS_KEY, PATIENCE};

const SOURCE_ARN: &str = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/house";
/// Between two attempts: Firehose waits longer, a test has no time.
const PAUSE: Duration = Duration::from_millis(20);

/// A sender with the key of the house.
pub(crate) fn sender() -> Sender {
    Sender {
        source_arn: SOURCE_ARN.to_owned(),
        access_key: Some(ACCESS_KEY.to_owned()),
        attributes: Vec::new(),
        gzip: true,
    }
}

/// The head of a request on the wire.
pub(crate) fn head(path: &str, request: &Request) -> String {
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: house\r\nConnection: close\r\n");
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + &format!("Content-Length: {}\r\n\r\n", request.body.len())
}

/// Sends it once, on a connection of its own.
pub(crate) fn post(address: SocketAddr, path: &str, request: &Request) -> io::Result<RawAnswer> {
    let mut bytes = head(path, request).into_bytes();
    bytes.extend_from_slice(&request.body);
    testkit::exchange(address, &bytes)
}

/// Enters the batch, sends it once as OpenTelemetry 1.0, and enters the yes.
pub(crate) fn deliver(
    address: SocketAddr,
    sender: &Sender,
    id: &str,
    batch: &Batch,
    books: &[&Book],
) -> RawAnswer {
    for book in books {
        let mut ledger = book.lock();
        batch.each(|_, point| ledger.expect(batch.number, point));
    }
    let request = sender.compose(id, now_ms(), &batch.records(Format::Otel10));
    let answer = post(address, "/", &request).expect("a delivery is answered");
    if answer.status == 200 {
        books.iter().for_each(|book| book.lock().acknowledge(batch.number));
    }
    answer
}

/// Senders at work.
pub(crate) struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    address: SocketAddr,
    sender: Sender,
    seed: u64,
    points: u32,
    books: Vec<Book>,
    next: AtomicU64,
    yes: AtomicU64,
    repeats: AtomicU64,
    stop: AtomicBool,
    give_up: AtomicBool,
}

impl Load {
    /// `threads` senders of deliveries of `points` points each.
    pub(crate) fn start(
        address: SocketAddr,
        seed: u64,
        (threads, points): (usize, u32),
        books: &[&Book],
    ) -> Load {
        let shared = Arc::new(Shared {
            address,
            sender: sender(),
            seed,
            points,
            books: books.iter().map(|book| (*book).clone()).collect(),
            next: AtomicU64::new(0),
            yes: AtomicU64::new(0),
            repeats: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            give_up: AtomicBool::new(false),
        });
        let spawn = |_| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.send())
        };
        Load { threads: (0..threads).map(spawn).collect(), shared }
    }

    /// Deliveries answered with yes.
    pub(crate) fn yes(&self) -> u64 {
        self.shared.yes.load(Ordering::SeqCst)
    }

    /// Attempts after the first of a delivery.
    pub(crate) fn repeats(&self) -> u64 {
        self.shared.repeats.load(Ordering::SeqCst)
    }

    /// No new deliveries; those begun are repeated until they are answered.
    pub(crate) fn finish(mut self) -> u64 {
        self.shared.stop.store(true, Ordering::SeqCst);
        let deadline = std::time::Instant::now() + PATIENCE;
        while self.threads.iter().any(|t| !t.is_finished()) && std::time::Instant::now() < deadline
        {
            std::thread::sleep(PAUSE);
        }
        assert!(self.threads.iter().all(JoinHandle::is_finished), "deliveries stay unanswered");
        self.join();
        self.yes()
    }

    fn join(&mut self) {
        for thread in self.threads.drain(..) {
            thread.join().expect("a sender does not panic");
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.give_up.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    fn send(&self) {
        while !self.stop.load(Ordering::SeqCst) {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            let batch = Batch::new(number, self.points);
            for book in &self.books {
                let mut ledger = book.lock();
                batch.each(|_, point| ledger.expect(number, point));
            }
            let id = request_id(self.seed, number);
            let request = self.sender.compose(&id, now_ms(), &batch.records(Format::Otel10));
            self.repeat(number, &request);
        }
    }

    /// Until it is answered with yes.
    fn repeat(&self, number: u64, request: &Request) {
        loop {
            let answer = post(self.address, "/", request);
            if answer.is_ok_and(|answer| answer.status == 200) {
                self.books.iter().for_each(|book| book.lock().acknowledge(number));
                self.yes.fetch_add(1, Ordering::SeqCst);
                return;
            }
            if self.give_up.load(Ordering::SeqCst) {
                return;
            }
            self.repeats.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(PAUSE);
        }
    }
}
