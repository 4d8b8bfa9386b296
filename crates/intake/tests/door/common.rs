//! A source on loopback over a real journal in a temporary folder, and deliveries as Firehose sends them.

use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use aws::firehose::headers::GZIP;
use aws::firehose::request::{self, Delivery};
use codec::gzip::Deflater;
use entry::{Header, Tail};
use intake::Clock;
use intake::firehose::{Access, Admit, Config, Limits, Permits, Source};
use journal::{Cursor, Disk, EntryBody, Journal, Options, RealDisk, Start, Topic};
use listen::{Listener, ServerTls};
use remote::Secret;
use testkit::{RawAnswer, TempDir, exchange};
use tokio::runtime::Runtime;
use tokio::sync::watch;

const DRAIN_TIME: Duration = Duration::from_secs(5);
pub(crate) const NOW: i64 = 1_763_600_000_000;
pub(crate) const ARN: &str = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/metrics";
pub(crate) const ID: &str = "ed4acda5-034f-9f42-bba1-f29aea6d7d8f";

/// What a test may turn.
pub(crate) struct Plan {
    pub(crate) limits: Limits,
    pub(crate) access: Access,
    pub(crate) admit: Option<Admit>,
    pub(crate) options: Options,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) tls: Option<ServerTls>,
    pub(crate) tail_bytes: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            limits: Limits::default(),
            access: Access::default(),
            admit: None,
            options: Options { segment_bytes: 8 << 20, ..Options::default() },
            disk: Arc::new(RealDisk),
            tls: None,
            tail_bytes: 24 << 20,
        }
    }
}

impl Plan {
    pub(crate) fn keys(keys: &[&str]) -> Plan {
        let keys = keys.iter().map(|key| Secret::new(*key)).collect();
        Plan { access: Access { keys, lenient: false }, ..Plan::default() }
    }
    pub(crate) fn lenient(keys: &[&str]) -> Plan {
        let mut plan = Plan::keys(keys);
        plan.access.lenient = true;
        plan
    }
    pub(crate) fn limits(change: impl FnOnce(&mut Limits)) -> Plan {
        let mut plan = Plan::default();
        change(&mut plan.limits);
        plan
    }
}

/// A running source.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) source: Source,
    pub(crate) topic: Topic,
    pub(crate) journal: Journal,
    pub(crate) tail: Arc<Tail>,
    pub(crate) permits: Arc<Permits>,
    pub(crate) access: watch::Sender<Arc<Access>>,
    /// A stream that never settles anything, so that all stays to be looked at.
    cursor: Cursor,
    end_at_start: u64,
    stop: watch::Sender<bool>,
    runtime: Option<Runtime>,
    _dir: Option<TempDir>,
}

/// What the journal holds.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) sequence: u64,
    pub(crate) header: Header,
    pub(crate) body: Vec<u8>,
    pub(crate) in_side_file: bool,
}

pub(crate) fn open(plan: Plan) -> Door {
    let dir = TempDir::new("intake");
    let mut door = open_in(dir.path(), plan);
    door._dir = Some(dir);
    door
}

pub(crate) fn open_in(directory: &Path, plan: Plan) -> Door {
    let (journal, _) = Journal::open_on(plan.disk, directory, plan.options).unwrap();
    let topic = journal.topic("aws").unwrap();
    let cursor = topic.cursor("test", Start::Oldest).unwrap();
    let end_at_start = topic.end();
    let tail = Arc::new(Tail::new(plan.tail_bytes));
    let permits = Arc::new(Permits::new(plan.limits.in_flight_bytes));
    let (access, watched) = watch::channel(Arc::new(plan.access));
    let config =
        Config { name: "aws".to_owned(), limits: plan.limits, access: watched, admit: plan.admit };
    // Every look at the clock is a millisecond later than the one before.
    let ticks = AtomicI64::new(NOW);
    let clock: Clock = Arc::new(move || ticks.fetch_add(1, Ordering::SeqCst));
    let (for_source, for_permits) = (Arc::clone(&tail), Arc::clone(&permits));
    let source = Source::new(config, topic.clone(), for_source, for_permits, clock);
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(Listener::bind("127.0.0.1:0")).unwrap();
    let address = listener.address();
    let (stop, stopped) = watch::channel(false);
    let serving = source.clone();
    let tls = plan.tls;
    runtime.spawn(async move { serving.serve(listener, tls, DRAIN_TIME, stopped).await });
    Door {
        address,
        source,
        topic,
        journal,
        tail,
        permits,
        access,
        cursor,
        end_at_start,
        stop,
        runtime: Some(runtime),
        _dir: None,
    }
}

impl Door {
    /// Posts and returns the answer, which must be one Firehose understands.
    #[track_caller]
    pub(crate) fn send(&self, post: &Post) -> RawAnswer {
        let answer = exchange(self.address, &post.bytes()).unwrap();
        check_contract(&answer);
        answer
    }
    /// Everything in the journal.
    pub(crate) fn stored(&self) -> Vec<Stored> {
        let mut found = Vec::new();
        let mut next = 0;
        while let Some(entry) = self.cursor.read(next).unwrap() {
            next = entry.sequence + 1;
            let (body, in_side_file) = match entry.body {
                EntryBody::Bytes(bytes) => (bytes.to_vec(), false),
                EntryBody::Side(side) => {
                    let mut body = Vec::new();
                    side.reader().read_to_end(&mut body).unwrap();
                    (body, true)
                }
            };
            let header = Header::decode(&entry.head).unwrap();
            found.push(Stored { sequence: entry.sequence, header, body, in_side_file });
        }
        found
    }
    #[track_caller]
    pub(crate) fn check_nothing_stored(&self) {
        assert_eq!(self.topic.end(), self.end_at_start, "something was stored");
    }
    pub(crate) fn set_access(&self, keys: &[&str], lenient: bool) {
        let keys = keys.iter().map(|key| Secret::new(*key)).collect();
        self.access.send(Arc::new(Access { keys, lenient })).unwrap();
    }
    /// Waits until `done` is true; a test of something that nobody announces.
    #[track_caller]
    pub(crate) fn until(&self, done: impl Fn(&Door) -> bool) {
        for _ in 0..3000 {
            if done(self) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("waited thirty seconds in vain");
    }
    /// Stops and waits for the journal.
    pub(crate) fn close(mut self) {
        self.shut();
    }
    fn shut(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            self.stop.send(true).ok();
            runtime.shutdown_timeout(Duration::from_secs(5));
            self.journal.close();
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shut();
    }
}

/// The rules every answer follows, whatever it says (docs/firehose-source.md).
#[track_caller]
pub(crate) fn check_contract(answer: &RawAnswer) {
    let status = answer.status;
    assert!(matches!(status, 200 | 400 | 401 | 405 | 500 | 503), "status {status}");
    assert!(answer.reason.len() <= 64);
    let types: Vec<_> =
        answer.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("content-type")).collect();
    assert_eq!(types.len(), 1);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("content-encoding"), None);
    assert_eq!(answer.header("transfer-encoding"), None);
    assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
    assert!(answer.body.len() < 1_000_000);
    let text = answer.text();
    assert!(text.starts_with("{\"requestId\":\"") && text.ends_with('}'), "{text}");
    assert!(text.contains("\",\"timestamp\":17636000"), "{text}");
    assert_eq!(text.contains("errorMessage"), status != 200, "{text}");
}

/// A request as Firehose makes it, until a test changes it.
#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Post {
    pub(crate) fn of(records: &[impl AsRef<[u8]>]) -> Post {
        Post::with_id(ID, records)
    }
    pub(crate) fn with_id(id: &str, records: &[impl AsRef<[u8]>]) -> Post {
        let mut body = Vec::new();
        request::body(id, NOW, records, &mut body);
        let delivery = Delivery { request_id: id, source_arn: ARN, ..Delivery::default() };
        let headers = delivery.headers().into_iter();
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).collect();
        Post { method: "POST", target: "/", headers, body }
    }
    /// A few metrics in JSON, as a metric stream sends them.
    pub(crate) fn metrics() -> Post {
        Post::of(&[METRIC, METRIC])
    }
    pub(crate) fn header(mut self, name: &str, value: &str) -> Post {
        self = self.without(name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
    pub(crate) fn without(mut self, name: &str) -> Post {
        self.headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        self
    }
    pub(crate) fn key(self, key: &str) -> Post {
        self.header("X-Amz-Firehose-Access-Key", key)
    }
    pub(crate) fn gzip(mut self) -> Post {
        let mut packed = Vec::new();
        Deflater::new(6).gzip(&self.body, &mut packed);
        self.body = packed;
        self.header("Content-Encoding", GZIP)
    }
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Post {
        self.body = body.into();
        self
    }
    pub(crate) fn head(&self) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: x\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let given = |name: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if !given("content-length") && !given("transfer-encoding") {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        head
    }
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.head().as_bytes(), &self.body].concat()
    }
}

pub(crate) const METRIC: &str = concat!(
    r#"{"metric_stream_name":"s","account_id":"111122223333","region":"eu-west-1","#,
    r#""namespace":"AWS/ECS","metric_name":"CPUUtilization","dimensions":{"ClusterName":"c"},"#,
    r#""timestamp":1763599980000,"value":{"max":2.5,"min":1.0,"sum":3.5,"count":2.0},"unit":"Percent"}"#,
    "\n"
);

/// Bytes that do not compress, from a seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut out = Vec::with_capacity(length + 8);
    while out.len() < length {
        state = next(state);
        out.extend_from_slice(&mix(state).to_le_bytes());
    }
    out.truncate(length);
    out
}

fn next(state: u64) -> u64 {
    state.wrapping_add(0x9e37_79b9_7f4a_7c15)
}

/// splitmix64.
pub(crate) fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
