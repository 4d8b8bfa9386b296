//! `load send`: delivers a pool and times the answers.
//!
//! With `--rate` the load is open: each delivery has its time, and the time to acknowledge counts
//! from then, whether a connection was free or not.

use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::arguments::Arguments;
use crate::http::{Connection, Message};
use crate::pool::{Delivery, Encoding, Pool, head};

/// Between attempts for the same delivery.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// As long as Firehose waits for an answer.
const ANSWER_TIME: Duration = Duration::from_secs(180);

struct Job {
    to: String,
    path: String,
    key: Option<String>,
    encoding: Encoding,
    deliveries: Vec<Delivery>,
    bodies: Vec<Vec<u8>>,
    count: usize,
    until: Option<Duration>,
    /// Time between deliveries.
    pace: Option<Duration>,
    /// A delivery that is refused is repeated for this long.
    retry: Option<Duration>,
    begun: Instant,
    run: u64,
    next: AtomicUsize,
    /// The receiver is gone: a connection failed and nobody asked to try again.
    gone: AtomicBool,
    refused: AtomicU64,
    failed: AtomicU64,
    acks: Mutex<Vec<Ack>>,
}

/// A delivery that the receiver said yes to.
struct Ack {
    metrics: u64,
    second: u64,
    took: Duration,
    /// By the clock on the wall, so that the harness can compare.
    at: f64,
}

pub fn run(arguments: &Arguments) -> Result<(), String> {
    let job = job(arguments)?;
    let connections: usize = arguments.number("connections")?.unwrap_or(4);
    std::thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| job.work());
        }
    });
    let seconds = job.begun.elapsed().as_secs_f64();
    let acks = job.acks.into_inner().map_err(|e| e.to_string())?;
    let mut times: Vec<f64> = acks.iter().map(|ack| ack.took.as_secs_f64() * 1000.0).collect();
    times.sort_by(f64::total_cmp);
    if let Some(path) = arguments.text("acks") {
        let list: Vec<_> =
            acks.iter().map(|ack| json!([ack.second, ack.metrics, ack.at])).collect();
        std::fs::write(path, json!(list).to_string()).map_err(|e| format!("{path}: {e}"))?;
    }
    let metrics: u64 = acks.iter().map(|ack| ack.metrics).sum();
    println!(
        "{}",
        json!({
            "acknowledged": acks.len(), "metrics": metrics, "seconds": seconds,
            "refused": job.refused.into_inner(), "failed": job.failed.into_inner(),
            "times_ms": times,
        })
    );
    Ok(())
}

fn job(arguments: &Arguments) -> Result<Job, String> {
    let directory = arguments.directory()?;
    let pool = Pool::read(&directory)?;
    let encoding = match arguments.text("encoding").unwrap_or("gzip") {
        "gzip" => Encoding::Gzip,
        "none" => Encoding::None,
        other => return Err(format!("--encoding {other}: gzip or none")),
    };
    let bodies = pool.bodies(&directory, encoding)?;
    let seconds = |name| arguments.number::<f64>(name).map(|n| n.map(Duration::from_secs_f64));
    let each = pool.deliveries.first().map_or(1, |d| d.metrics) as f64;
    let until = seconds("for")?;
    let count = arguments.number("count")?;
    let count = count.unwrap_or(if until.is_some() { usize::MAX } else { bodies.len() });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|e| e.to_string())?;
    Ok(Job {
        to: arguments.needed("to")?.to_owned(),
        path: arguments.text("path").unwrap_or("/").to_owned(),
        key: arguments.text("key").map(str::to_owned),
        encoding,
        deliveries: pool.deliveries,
        bodies,
        count,
        until,
        pace: arguments.number::<f64>("rate")?.map(|rate| Duration::from_secs_f64(each / rate)),
        retry: seconds("retry")?,
        begun: Instant::now(),
        run: now.as_nanos() as u64,
        next: AtomicUsize::new(0),
        gone: AtomicBool::new(false),
        refused: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        acks: Mutex::default(),
    })
}

impl Job {
    fn work(&self) {
        let mut connection = None;
        let (mut answer, mut request) = (Message::default(), Vec::new());
        loop {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            let due = self.pace.map(|pace| pace * u32::try_from(n).unwrap_or(u32::MAX));
            let over = self.until.is_some_and(|until| due.unwrap_or(self.begun.elapsed()) >= until);
            if n >= self.count || over || self.gone.load(Ordering::Relaxed) {
                return;
            }
            if let Some(due) = due {
                std::thread::sleep(due.saturating_sub(self.begun.elapsed()));
            }
            let since = due.map_or_else(Instant::now, |due| self.begun + due);
            self.compose(n, &mut request);
            self.deliver(n, since, &request, &mut connection, &mut answer);
        }
    }

    /// One delivery, until it is acknowledged or given up.
    fn deliver(
        &self,
        n: usize,
        since: Instant,
        request: &[u8],
        connection: &mut Option<Connection>,
        answer: &mut Message,
    ) {
        let delivery = &self.deliveries[n % self.deliveries.len()];
        loop {
            match self.attempt(connection, request, answer) {
                Ok(200) => {
                    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                    let ack = Ack {
                        metrics: delivery.metrics,
                        second: delivery.second,
                        took: since.elapsed(),
                        at: at.as_secs_f64(),
                    };
                    if let Ok(mut acks) = self.acks.lock() {
                        acks.push(ack);
                    }
                    return;
                }
                Ok(status) => {
                    if self.refused.fetch_add(1, Ordering::Relaxed) == 0 {
                        let body = String::from_utf8_lossy(&answer.body);
                        eprintln!("load: first refusal: {status} {:.200}", body);
                    }
                }
                Err(error) => {
                    *connection = None;
                    if self.failed.fetch_add(1, Ordering::Relaxed) == 0 {
                        eprintln!("load: first failure: {error}");
                    }
                    if self.retry.is_none() {
                        self.gone.store(true, Ordering::Relaxed);
                    }
                }
            }
            if self.retry.is_none_or(|limit| since.elapsed() > limit) {
                return;
            }
            std::thread::sleep(RETRY_PAUSE);
        }
    }

    fn attempt(
        &self,
        connection: &mut Option<Connection>,
        request: &[u8],
        answer: &mut Message,
    ) -> std::io::Result<u16> {
        if connection.is_none() {
            let stream = TcpStream::connect(&self.to)?;
            stream.set_read_timeout(Some(ANSWER_TIME))?;
            *connection = Some(Connection::new(stream)?);
            *answer = Message::default();
        }
        let Some(open) = connection else { return Err(std::io::ErrorKind::NotConnected.into()) };
        open.write(request)?;
        if !open.read(answer)? {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if answer.close {
            *connection = None;
        }
        Ok(answer.status())
    }

    /// Delivery `n` as bytes. The head with the request id is put before compressed records
    /// without compressing them again.
    fn compose(&self, n: usize, out: &mut Vec<u8>) {
        let records = &self.bodies[n % self.bodies.len()];
        out.clear();
        let (path, to) = (&self.path, &self.to);
        let id = rehearsal::sender::request_id(self.run, n as u64);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let mut body = Vec::with_capacity(records.len() + 256);
        let encoding = match self.encoding {
            Encoding::Gzip => {
                let joined = codec::gzip::prepend(head(&id, now).as_bytes(), records, &mut body);
                assert!(joined, "the pool was written by load generate");
                "Content-Encoding: gzip\r\n"
            }
            Encoding::None => {
                body.extend_from_slice(head(&id, now).as_bytes());
                body.extend_from_slice(records);
                ""
            }
        };
        let key = self.key.as_ref().map(|key| format!("X-Amz-Firehose-Access-Key: {key}\r\n"));
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {to}\r\n{encoding}\
             Content-Type: application/json\r\nUser-Agent: Amazon Kinesis Data Firehose Agent/1.0\r\n\
             X-Amz-Firehose-Protocol-Version: 1.0\r\nX-Amz-Firehose-Request-Id: {id}\r\n\
             X-Amz-Firehose-Source-Arn: arn:aws:firehose:eu-west-1:111122223333:deliverystream/peers\r\n\
             {}Content-Length: {}\r\n\r\n",
            key.unwrap_or_default(),
            body.len()
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(&body);
    }
}
