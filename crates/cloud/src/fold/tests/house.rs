//! A journal, a registry and a fold on one simulated disk, with a clock that only tests move; and
//! the plain model that the fold must equal.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use bytes::Bytes;
use entry::{Encoding, Header, Kind};
use journal::sim::SimDisk;
use journal::{Appended, Body, Disk, EntryBody, Item, Journal, Key, Options, Start, Topic};
use metric::{Decoder, Point, Reject, Visit};
use testkit::TempDir;

use super::super::engine::{Engine, Given, Limits};
use super::super::target::OfSettings;
use super::super::windows::minute_of;
use super::super::{Config, Windows};
use crate::put::{Checked, Entry, Samples, wire};
use crate::registry::{MetricStream, Registry, key};

pub(super) const ACCOUNT: &str = "111122223333";
/// A minute begins here: 2026-11-20T12:00:00Z.
pub(super) const NOON: i64 = 1_795_176_000_000;
pub(super) const MINUTE: i64 = 60_000;

/// One sample of a test.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) host: String,
    pub(super) at_ms: i64,
    pub(super) samples: Samples,
}

pub(super) fn sample(name: &str, host: &str, at_ms: i64, value: f64) -> Sample {
    let samples = Samples::Raw(vec![(value, 1.0)]);
    Sample { name: name.to_owned(), host: host.to_owned(), at_ms, samples }
}

/// Name, host and minute of a set: count, sum, minimum, maximum.
pub(super) type Sets = BTreeMap<(String, String, i64), [f64; 4]>;

/// The plain model.
pub(super) fn plain(samples: &[Sample]) -> Sets {
    let mut sets = Sets::new();
    for sample in samples {
        let key = (sample.name.clone(), sample.host.clone(), minute_of(sample.at_ms));
        let values = match &sample.samples {
            Samples::Raw(values) => values.clone(),
            Samples::Set(_) => panic!("the model knows values only"),
        };
        for (value, weight) in values {
            let set = sets.entry(key.clone()).or_insert([0.0, 0.0, value, value]);
            set[0] += weight;
            set[1] += value * weight;
            set[2] = set[2].min(value);
            set[3] = set[3].max(value);
        }
    }
    sets
}

/// A point as it was delivered, extras by name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    pub(super) namespace: String,
    pub(super) account: String,
    pub(super) key: (String, String, i64),
    pub(super) set: [f64; 4],
    pub(super) extra: Vec<(String, f64)>,
}

#[derive(Default)]
struct Seen(Vec<Told>);

impl Visit for Seen {
    fn point(&mut self, point: &Point<'_>) {
        let text = |bytes: &[u8]| metric::text(bytes).to_owned();
        let host = point.dimensions.first().map_or(String::new(), |(_, value)| text(value));
        let extra = point.extra.iter().map(|extra| {
            let mut name = Vec::new();
            extra.statistic.write_name(&mut name);
            (String::from_utf8(name).unwrap(), extra.value)
        });
        self.0.push(Told {
            namespace: text(point.namespace),
            account: text(point.account),
            key: (text(point.name), host, point.instant_ms()),
            set: [point.count, point.sum.unwrap(), point.min.unwrap(), point.max.unwrap()],
            extra: extra.collect(),
        });
    }

    fn reject(&mut self, _: &Reject<'_>) {
        panic!("what is sent can be decoded");
    }
}

/// An entry of a delivery stream: its request id, its body, its points.
pub(super) struct Sent {
    pub(super) id: String,
    pub(super) body: Bytes,
    pub(super) records: u32,
    pub(super) points: Vec<Told>,
}

/// The house.
pub(super) struct House {
    pub(super) disk: SimDisk,
    pub(super) journal: Journal,
    pub(super) topic: Topic,
    pub(super) registry: Registry,
    pub(super) of_settings: OfSettings,
    pub(super) engine: Option<Engine>,
    pub(super) config: Config,
    pub(super) limits: Limits,
    pub(super) now: i64,
    /// Resources are kept where the simulated disk does not reach.
    _folder: TempDir,
}

pub(super) fn config() -> Config {
    Config {
        source: "cloud".to_owned(),
        region: "eu-west-1".to_owned(),
        grace: std::time::Duration::from_secs(5),
        windows_bytes: 1 << 30,
        raw_values_max: 1_000,
    }
}

fn options() -> Options {
    Options { segment_bytes: 64 << 10, topic_bytes: 16 << 20, ..Options::default() }
}

impl House {
    pub(super) fn new(seed: u64) -> House {
        House::with(seed, config(), Limits::default())
    }

    pub(super) fn with(seed: u64, config: Config, limits: Limits) -> House {
        let folder = TempDir::new("fold");
        let registry = Registry::open(&folder.join("resources.json")).unwrap();
        let disk = SimDisk::new(seed);
        let journal = open(&disk);
        let topic = journal.topic("cloud").unwrap();
        let (engine, now, of_settings) = (None, NOON, OfSettings::default());
        let mut house = House {
            disk,
            journal,
            topic,
            registry,
            of_settings,
            engine,
            config,
            limits,
            now,
            _folder: folder,
        };
        house.start().unwrap();
        house
    }

    pub(super) fn start(&mut self) -> Result<(), String> {
        self.engine = None;
        self.engine = Some(Engine::open(Given {
            config: self.config.clone(),
            journal: self.journal.clone(),
            topic: self.topic.clone(),
            registry: self.registry.clone(),
            of_settings: self.of_settings.clone(),
            folder: "/data/windows".into(),
            disk: Arc::new(self.disk.clone()),
            limits: self.limits,
        })?);
        Ok(())
    }

    /// What there is after power has failed (or the process was killed), opened again.
    pub(super) fn crash(&mut self, power: bool) {
        self.engine = None;
        self.disk = if power { self.disk.power_cut() } else { self.disk.kill() };
        self.journal.close();
        self.journal = open(&self.disk);
        self.topic = self.journal.topic("cloud").unwrap();
        self.start().unwrap();
    }

    /// Lets the disk die at an operation.
    pub(super) fn die_at(&self, operation: u64, power: bool) {
        match power {
            true => self.disk.cut_at(operation),
            false => self.disk.stop_at(operation),
        }
    }

    /// A metric stream, and the stream of the settings that it sends to.
    pub(super) fn stream(&self, name: &str, change: impl FnOnce(&mut MetricStream)) {
        let mut all = self.of_settings.now().to_vec();
        all.push(format!("to-{name}"));
        self.of_settings.set(all);
        self.metric_stream(name, change);
        // A topic keeps what some cursor has not settled.
        self.topic_to(name).cursor("reader", Start::Oldest).unwrap();
    }

    /// A metric stream alone.
    pub(super) fn metric_stream(&self, name: &str, change: impl FnOnce(&mut MetricStream)) {
        let mut stream = MetricStream {
            name: name.to_owned(),
            arn: format!("arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:metric-stream/{name}"),
            firehose_arn: format!("arn:aws:firehose:eu-west-1:{ACCOUNT}:deliverystream/to-{name}"),
            output_format: "json".to_owned(),
            exclude: vec![("AWS/CloudWatch/MetricStreams".to_owned(), Vec::new())],
            running: true,
            ..MetricStream::default()
        };
        change(&mut stream);
        let put = self.registry.change(|all| {
            all.metric_streams.insert(key(ACCOUNT, name), stream);
            Ok::<_, ()>(())
        });
        put.unwrap();
    }

    /// Puts samples; `id` names the call, so that it is kept once however often it is put.
    pub(super) fn put(&self, id: u64, samples: &[Sample]) -> Result<(), String> {
        self.put_of(ACCOUNT, id, samples)
    }

    pub(super) fn put_of(&self, account: &str, id: u64, samples: &[Sample]) -> Result<(), String> {
        House::append(&self.topic, account, id, self.now, samples)
    }

    pub(super) fn append(
        topic: &Topic,
        account: &str,
        id: u64,
        arrival_ms: i64,
        samples: &[Sample],
    ) -> Result<(), String> {
        let entries = samples.iter().map(|sample| Entry {
            name: Cow::Borrowed(sample.name.as_str()),
            dimensions: vec![(Cow::Borrowed("Host"), Cow::Borrowed(sample.host.as_str()))],
            unit: Cow::Borrowed("Count"),
            timestamp_ms: sample.at_ms,
            high_resolution: false,
            samples: sample.samples.clone(),
        });
        let call = Checked {
            namespace: Cow::Borrowed("Own"),
            entries: entries.collect(),
            wrong_entity: None,
        };
        let mut body = Vec::new();
        wire::encode(account, &call, &mut body);
        House::append_body(topic, id, arrival_ms, body)
    }

    pub(super) fn append_body(
        topic: &Topic,
        id: u64,
        arrival_ms: i64,
        body: Vec<u8>,
    ) -> Result<(), String> {
        let head = Header {
            kind: Kind::Metrics,
            encoding: Encoding::Identity,
            arrival_ms,
            plain_bytes: body.len() as u64,
            records: 1,
            source: "cloud".to_owned(),
            source_arn: String::new(),
            request_id: String::new(),
            attributes: Vec::new(),
            lane: None,
            only: Vec::new(),
        };
        let key = Key { name: u128::from(id) + 1, data: u128::from(id) };
        let body = Body::Bytes(Bytes::from(body));
        let (told, answer) = sync_channel(1);
        let done = move |outcome| told.send(outcome).unwrap();
        topic.append(Item { key: Some(key), head: head.encode(), body }, Box::new(done));
        match answer.recv().unwrap() {
            Ok(Appended::Stored { other_data, .. }) => {
                assert!(!other_data);
                Ok(())
            }
            Ok(Appended::Repeat) => Ok(()),
            Err(refused) => Err(refused.to_string()),
        }
    }

    pub(super) fn step(&mut self) -> std::io::Result<()> {
        let now = self.now;
        self.disk.set_now_ms(now.unsigned_abs());
        self.engine.as_mut().unwrap().step(now)
    }

    /// Reads what is there, moves the clock and steps.
    pub(super) fn at(&mut self, now: i64) {
        self.step().unwrap();
        self.now = now;
        self.step().unwrap();
    }

    pub(super) fn windows(&self) -> Arc<Windows> {
        Arc::clone(&self.engine.as_ref().unwrap().store.windows)
    }

    pub(super) fn status(&self) -> super::super::Status {
        self.engine.as_ref().unwrap().status()
    }

    /// The topic of the delivery stream of a metric stream.
    fn topic_to(&self, stream: &str) -> Topic {
        let (now, name) = (self.registry.now(), format!("to-{stream}"));
        let of_settings = self.of_settings.now();
        let topic = crate::firehose::topic_of(&now, "cloud", &of_settings, ACCOUNT, &name);
        self.journal.topic(&topic.expect("it has a delivery stream")).unwrap()
    }

    /// A delivery stream made through the API for a metric stream.
    pub(super) fn delivery_stream(&self, stream: &str) {
        let name = format!("to-{stream}");
        let made = crate::firehose::DeliveryStream { name: name.clone(), ..Default::default() };
        let put = self.registry.change(|all| {
            all.delivery_streams.insert(key(ACCOUNT, &name), made);
            Ok::<_, ()>(())
        });
        put.unwrap();
        self.topic_to(stream).cursor("reader", Start::Oldest).unwrap();
    }

    /// It is deleted.
    pub(super) fn no_delivery_stream(&self, stream: &str) {
        let gone = self.registry.change(|all| {
            all.delivery_streams.remove(&key(ACCOUNT, &format!("to-{stream}")));
            Ok::<_, ()>(())
        });
        gone.unwrap();
    }

    /// Names of the topics that are there.
    pub(super) fn topics(&self) -> Vec<String> {
        self.journal.topics()
    }

    /// All that was ever appended for a stream.
    pub(super) fn sent(&self, stream: &str) -> Vec<Sent> {
        let cursor = self.topic_to(stream).cursor("reader", Start::Oldest).unwrap();
        let (mut next, mut all) = (0, Vec::new());
        while let Some(found) = cursor.read(next).unwrap() {
            next = found.sequence + 1;
            let header = Header::decode(&found.head).unwrap();
            let EntryBody::Bytes(body) = found.body else { panic!("it is in memory") };
            let mut seen = Seen::default();
            let mut records = 0;
            for record in entry::records::each(&body) {
                records += 1;
                assert!(record.unwrap().len() <= 256 << 10);
                Decoder::new().decode(record.unwrap(), &mut seen);
            }
            assert!(body.len() <= 2 << 20);
            assert_eq!((header.kind, header.records), (Kind::Records, records));
            all.push(Sent { id: header.request_id, body, records, points: seen.0 });
        }
        all
    }

    /// What a destination ends with: the last word on each set.
    pub(super) fn told(&self, stream: &str) -> Sets {
        let points = self.sent(stream).into_iter().flat_map(|sent| sent.points);
        points.map(|told| (told.key, told.set)).collect()
    }

    /// The sets of all windows, read as queries read them.
    pub(super) fn kept(&self, like: &Sets) -> Sets {
        let mut sets = Sets::new();
        for (name, host, minute) in like.keys() {
            let windows = self.windows();
            let found =
                windows.range(ACCOUNT, "Own", name, &[("Host", host)], *minute, minute + MINUTE);
            for one in found.unwrap() {
                let key = (name.clone(), host.clone(), one.minute_ms);
                sets.insert(key, [one.count, one.sum, one.min, one.max]);
            }
        }
        sets
    }
}

fn open(disk: &SimDisk) -> Journal {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Journal::open_on(disk, Path::new("/data/journal"), options()).unwrap().0
}
