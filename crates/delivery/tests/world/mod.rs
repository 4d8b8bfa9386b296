//! A small world for a stream: a journal in a temporary folder, a scripted Dynatrace, a clock.
#![expect(clippy::unwrap_used, reason = "a broken world should stop the test")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use delivery::sink::{Config as Sink, dynatrace};
use delivery::{
    BackupConfig, BackupMode, Buffering, Destination, Parts, Share, StartFrom, Stats, Stream,
    StreamConfig,
};
use entry::{Encoding, Header, Kind, LaneId, Tail};
use journal::{Appended, Body, Disk, Item, Journal, Options, Position, RealDisk, Start, Topic};
use metric::Format;
use rehearsal::payload;
use remote::{ClientConfig, Secret, TlsConfig};
use testkit::{Peer, Received, Reply, TempDir};

/// Start of the payload's minute; the clock runs from two minutes after it.
pub(crate) const MINUTE_MS: i64 = 1_795_176_000_000;

/// Everything a stream needs.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub journal: Journal,
    pub(crate) topic: Topic,
    pub peer: Peer,
    pub lines: Lines,
    pub runtime: tokio::runtime::Runtime,
    pub tail: Arc<Tail>,
    pub born: Instant,
    deliveries: AtomicU64,
}

/// The data lines a peer has taken, and how often each.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<BTreeMap<String, u32>>>);

impl Lines {
    pub(crate) fn take(&self, request: &Received) -> usize {
        let text = plain(request);
        let mut lines = self.0.lock().unwrap();
        let data = text.lines().filter(|l| !l.starts_with('#'));
        data.map(|l| *lines.entry(l.to_owned()).or_insert(0) += 1).count()
    }

    pub(crate) fn distinct(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn duplicates(&self) -> u32 {
        self.0.lock().unwrap().values().map(|n| n - 1).sum()
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }
}

/// The text of a request, gzip undone.
pub(crate) fn plain(request: &Received) -> String {
    let mut out = Vec::new();
    if codec::gzip::is_gzip(&request.body) {
        codec::gzip::Inflater::new().gunzip(&request.body, &mut out, 64 << 20).unwrap();
    } else {
        out.extend_from_slice(&request.body);
    }
    String::from_utf8(out).unwrap()
}

/// The answer of Dynatrace to a request it takes whole.
pub(crate) fn accepted(lines: usize) -> Reply {
    let body = format!(r#"{{"linesOk":{lines},"linesInvalid":0,"error":null,"warnings":null}}"#);
    Reply::json(202, &body)
}

impl World {
    pub(crate) fn new(name: &str) -> World {
        World::on(Arc::new(RealDisk), name)
    }

    /// With its journal on this disk.
    pub(crate) fn on(disk: Arc<dyn Disk>, name: &str) -> World {
        remote::install_provider();
        let dir = TempDir::new(name);
        let (journal, _) = Journal::open_on(disk, &dir.join("journal"), options()).unwrap();
        let topic = journal.topic("aws").unwrap();
        let lines = Lines::default();
        let taken = lines.clone();
        let peer = Peer::scripted(move |request| accepted(taken.take(request)));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        World {
            dir,
            journal,
            topic,
            peer,
            lines,
            runtime: runtime.unwrap(),
            tail: Arc::new(Tail::new(0)),
            born: Instant::now(),
            deliveries: AtomicU64::new(0),
        }
    }

    /// The peer takes everything from now on.
    pub(crate) fn peer_takes_all(&self) {
        let taken = self.lines.clone();
        self.peer.set_script(move |request| accepted(taken.take(request)));
    }

    /// The same folder, opened anew, as after a restart.
    pub(crate) fn reopen(&mut self) {
        self.journal.close();
        let (journal, recovery) = Journal::open(&self.dir.join("journal"), options()).unwrap();
        assert_eq!(recovery.rotten_bytes, 0, "{:?}", recovery.findings);
        self.topic = journal.topic("aws").unwrap();
        self.journal = journal;
    }

    pub(crate) fn now_ms(&self) -> i64 {
        MINUTE_MS + 120_000 + i64::try_from(self.born.elapsed().as_millis()).unwrap()
    }

    pub(crate) fn config(&self, name: &str) -> StreamConfig {
        StreamConfig {
            name: name.to_owned(),
            sources: vec!["aws".to_owned()],
            include: Vec::new(),
            exclude: Vec::new(),
            enrich: rules::Enrichment::default(),
            destination: Destination::Fixed(Sink::Blackhole),
            buffering: Buffering { size_bytes: 5 << 20, interval: Duration::ZERO },
            retry_duration: Duration::from_secs(300),
            start_from: StartFrom::Oldest,
            backup: BackupConfig {
                mode: BackupMode::FailedDataOnly,
                directory: self.dir.join("backup"),
                s3: None,
            },
            max_backlog_bytes: 1 << 30,
            concurrency: 4,
        }
    }

    pub(crate) fn dynatrace(&self) -> dynatrace::Config {
        dynatrace::Config {
            url: self.peer.url(""),
            api_token: Secret::new("dt0c01.PUBLIC.SECRET"),
            too_old: dynatrace::TooOld::Quarantine,
            percentiles: false,
            metadata: false,
            digit_section: dynatrace::DigitSection::AsIs,
            compression: true,
            client: ClientConfig {
                tls: TlsConfig::default(),
                connect_timeout: Duration::from_secs(2),
                request_timeout: Duration::from_secs(5),
                answer_bytes: 1 << 20,
            },
        }
    }

    pub(crate) fn parts(&self, stats: &Arc<Stats>) -> Parts {
        let born = self.born;
        Parts {
            topics: vec![self.topic.clone()],
            replay: None,
            tail: Arc::clone(&self.tail),
            runtime: self.runtime.handle().clone(),
            clock: Arc::new(move || {
                MINUTE_MS + 120_000 + i64::try_from(born.elapsed().as_millis()).unwrap()
            }),
            steady: steady(born),
            state: self.dir.join("state"),
            quarantine: self.dir.join("quarantine"),
            backup_share: Arc::new(Share::new("backup", 1 << 30)),
            quarantine_share: Arc::new(Share::new("quarantine", 1 << 30)),
            stats: Arc::clone(stats),
            lane: None,
        }
    }

    pub(crate) fn start(&self, config: StreamConfig, stats: &Arc<Stats>) -> Stream {
        self.start_to(config, &Sink::Dynatrace(self.dynatrace()), stats)
    }

    pub(crate) fn start_to(&self, config: StreamConfig, sink: &Sink, stats: &Arc<Stats>) -> Stream {
        Stream::start(config, sink, self.parts(stats)).unwrap()
    }

    /// Appends one delivery of `records`; returns when it is durable.
    pub(crate) fn deliver(&self, records: &[Vec<u8>], gzip: bool) {
        let (header, body) = self.delivery(records, gzip);
        self.append(&header, body);
    }

    /// A delivery that arrived at another time than now.
    pub(crate) fn deliver_at(&self, records: &[Vec<u8>], arrival_ms: i64) {
        let (header, body) = self.delivery(records, true);
        self.append(&Header { arrival_ms, ..header }, body);
    }

    /// A delivery to a lane.
    pub(crate) fn deliver_to(&self, records: &[Vec<u8>], lane: LaneId) {
        let (header, body) = self.delivery(records, true);
        self.append(&Header { lane: Some(lane), ..header }, body);
    }

    /// Makes a stream's cursor before the stream is there: without one the journal keeps nothing.
    pub(crate) fn hold(&self, stream: &str) {
        drop(self.topic.cursor(stream, Start::Oldest).unwrap());
    }

    /// Settles points of the first entry, as if they had been delivered.
    pub(crate) fn settle(&self, stream: &str, points: std::ops::Range<u32>) {
        let mut cursor = self.topic.cursor(stream, Start::Oldest).unwrap();
        let sequence = cursor.low().sequence;
        let at = |ordinal| Position { sequence, ordinal };
        cursor.settle(at(points.start), at(points.end)).unwrap();
    }

    /// A delivery whose body lies in a side file, as the door stores large ones.
    pub(crate) fn deliver_aside(&self, records: &[Vec<u8>], gzip: bool) {
        let (header, body) = self.delivery(records, gzip);
        let mut side = self.topic.side_file().unwrap();
        side.write(&body).unwrap();
        let body = Body::Side(side.finish().unwrap());
        put(&self.topic, Item { key: None, head: header.encode(), body });
    }

    /// Header and body of a delivery.
    pub(crate) fn delivery(&self, records: &[Vec<u8>], gzip: bool) -> (Header, Vec<u8>) {
        let number = self.deliveries.fetch_add(1, Ordering::Relaxed);
        let request_id = format!("request-{number}");
        let plain = payload::body(records, &request_id);
        let header = Header {
            kind: Kind::FirehoseDelivery,
            encoding: if gzip { Encoding::Gzip } else { Encoding::Identity },
            arrival_ms: self.now_ms(),
            plain_bytes: plain.len() as u64,
            records: u32::try_from(records.len()).unwrap(),
            source: "aws".to_owned(),
            source_arn: "arn:aws:firehose:eu-west-1:111122223333:deliverystream/s".to_owned(),
            request_id,
            attributes: vec![("team".to_owned(), "sre".to_owned())],
            lane: None,
            only: Vec::new(),
        };
        let body = if gzip { payload::gzip(&plain) } else { plain };
        (header, body)
    }

    /// The records as a door keeps them in the tail.
    pub(crate) fn kept(records: &[Vec<u8>]) -> Vec<u8> {
        let mut body = Vec::new();
        records.iter().for_each(|record| entry::records::push(record, &mut body));
        body
    }

    pub(crate) fn append(&self, header: &Header, body: Vec<u8>) {
        let body = Body::Bytes(Bytes::from(body));
        put(&self.topic, Item { key: None, head: header.encode(), body });
    }

    /// `metrics` points in one delivery.
    pub(crate) fn deliver_points(&self, seed: u64, metrics: usize, format: Format) {
        // A minute of its own for each seed: two seeds can make the same series.
        let start_ms = MINUTE_MS.unsigned_abs() - seed * 60_000;
        let options = payload::Options {
            seed,
            metrics,
            series: metrics,
            start_ms,
            ..payload::Options::default()
        };
        self.deliver(&payload::records(&options, format), true);
    }

    /// Contents of the files of one kind below a folder of the world, by name.
    pub(crate) fn bytes_below(&self, folder: &str, extension: &str) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        walk(self.dir.join(folder), &mut |path| {
            if path.extension().is_some_and(|e| e == extension) {
                let name = path.file_name().unwrap().to_owned();
                // Sorted by what follows the stamp: topic, sequence, ordinal.
                let key = name.to_str().unwrap().get(24..).unwrap().to_owned();
                found.push((key, std::fs::read(path).unwrap()));
            }
        });
        found.sort();
        found.into_iter().map(|(_, bytes)| bytes).collect()
    }

    /// Lines of all files below a folder of the world.
    pub(crate) fn lines_below(&self, folder: &str) -> Vec<String> {
        let mut lines = Vec::new();
        walk(self.dir.join(folder), &mut |path| {
            assert_ne!(path.extension().and_then(|e| e.to_str()), Some("part"), "{path:?}");
            let text = std::fs::read_to_string(path).unwrap();
            lines.extend(text.lines().map(str::to_owned));
        });
        lines
    }
}

/// Nothing to do with the wall clock of a world, not even where it begins.
pub(crate) fn steady(born: Instant) -> delivery::Clock {
    Arc::new(move || i64::try_from(born.elapsed().as_millis()).unwrap())
}

/// Appends to a topic and waits until it is durable; the sequence.
pub(crate) fn put(topic: &Topic, item: Item) -> u64 {
    let (told, answer) = sync_channel(1);
    topic.append(item, Box::new(move |result| told.send(result).unwrap()));
    match answer.recv().unwrap().unwrap() {
        Appended::Stored { sequence, .. } => sequence,
        other => panic!("{other:?}"),
    }
}

fn options() -> Options {
    Options {
        segment_bytes: 4 << 20,
        budget_bytes: 1 << 30,
        topic_bytes: 1 << 30,
        ..Options::default()
    }
}

fn walk(folder: PathBuf, visit: &mut dyn FnMut(&PathBuf)) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { walk(path, visit) } else { visit(&path) }
    }
}

/// Waits until `done` holds; the text tells what was waited for.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn delivered(stats: &Stats) -> u64 {
    stats.delivered.load(Ordering::Relaxed)
}

pub(crate) fn backed_up(stats: &Stats) -> u64 {
    stats.backed_up.load(Ordering::Relaxed)
}
