//! A source over a real journal in a temporary folder, and objects as Firehose writes them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use entry::Header;
use intake::Clock;
use intake::objects::{Parts, Stats};
use journal::{Cursor, EntryBody, Journal, Options, Start, Topic};
use metric::{Decoder, Format, Point, Reject, Visit};
use rehearsal::payload;
use testkit::TempDir;

/// How long a test waits for what must happen.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Journal, quarantine and state of one source.
pub(crate) struct House {
    pub(crate) dir: TempDir,
    _journal: Journal,
    pub(crate) topic: Topic,
    cursor: Cursor,
    seen: u64,
    /// How far the clock of its sources is ahead.
    ahead_ms: Arc<AtomicI64>,
}

/// What the journal holds.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) header: Header,
    pub(crate) body: Vec<u8>,
}

impl House {
    pub(crate) fn new() -> House {
        Self::with(Options::default())
    }
    pub(crate) fn with(options: Options) -> House {
        let dir = TempDir::new("objects");
        let options = Options { segment_bytes: 4 << 20, ..options };
        let (journal, _) = Journal::open(&dir.join("journal"), options).unwrap();
        let topic = journal.topic("archive").unwrap();
        let cursor = topic.cursor("test", Start::Oldest).unwrap();
        House { dir, _journal: journal, topic, cursor, seen: 0, ahead_ms: Arc::default() }
    }
    pub(crate) fn parts(&self) -> Parts {
        Parts {
            topic: self.topic.clone(),
            clock: self.clock(),
            state: self.dir.join("state"),
            quarantine: self.quarantine(),
        }
    }
    fn clock(&self) -> Clock {
        let ahead_ms = Arc::clone(&self.ahead_ms);
        Arc::new(move || now_ms() + ahead_ms.load(Ordering::SeqCst))
    }
    /// From now on it is this much later.
    pub(crate) fn later(&self, ms: i64) {
        self.ahead_ms.fetch_add(ms, Ordering::SeqCst);
    }
    pub(crate) fn quarantine(&self) -> PathBuf {
        self.dir.join("quarantine")
    }
    /// What was stored since the last look.
    pub(crate) fn stored(&mut self) -> Vec<Stored> {
        let mut found = Vec::new();
        while let Some(entry) = self.cursor.read(self.seen).unwrap() {
            self.seen = entry.sequence + 1;
            let EntryBody::Bytes(body) = entry.body else { panic!("a piece in a side file") };
            let header = Header::decode(&entry.head).unwrap();
            found.push(Stored { header, body: body.to_vec() });
        }
        found
    }
    /// Points stored since the last look.
    pub(crate) fn points(&mut self) -> usize {
        self.stored().iter().map(|stored| points(&stored.body)).sum()
    }
    /// Lets the journal free what was looked at.
    pub(crate) fn settle(&mut self) {
        let end = journal::Position { sequence: self.seen, ordinal: 0 };
        let low = self.cursor.low();
        self.cursor.settle(low, end).unwrap();
        self.cursor.sync().unwrap();
    }
    /// The lines of the quarantine.
    pub(crate) fn lines(&self) -> Vec<serde_json::Value> {
        let Ok(files) = std::fs::read_dir(self.quarantine()) else { return Vec::new() };
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "ndjson"));
        let text: String =
            files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
    /// Reasons of the quarantine's lines.
    pub(crate) fn reasons(&self) -> Vec<String> {
        self.lines().iter().map(|line| line["reason"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// An object as Firehose writes one: records of `metrics` metrics, back to back.
pub(crate) fn object(format: Format, metrics: usize, seed: u64) -> Vec<u8> {
    let options =
        payload::Options { seed, metrics, series: metrics, ..payload::Options::default() };
    payload::records(&options, format).concat()
}

/// How many points the decoder finds; anything else fails the test.
pub(crate) fn points(record: &[u8]) -> usize {
    struct Count(usize);
    impl Visit for Count {
        fn point(&mut self, _: &Point<'_>) {
            self.0 += 1;
        }
        fn reject(&mut self, reject: &Reject<'_>) {
            panic!("{:?} {}", reject.reason, reject.detail);
        }
    }
    let mut count = Count(0);
    Decoder::new().decode(record, &mut count);
    count.0
}

/// Waits until `done`; fails the test when it takes too long.
#[track_caller]
pub(crate) fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + SOON;
    while !done() {
        assert!(Instant::now() < until, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until the counters say so.
#[track_caller]
pub(crate) fn wait_for(stats: &Stats, what: &str, mut done: impl FnMut(&Stats) -> bool) {
    let until = Instant::now() + SOON;
    while !done(stats) {
        assert!(Instant::now() < until, "waited in vain for {what}: {:?}", stats.snapshot());
        std::thread::sleep(Duration::from_millis(5));
    }
}
