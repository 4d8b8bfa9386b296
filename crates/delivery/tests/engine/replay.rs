//! Records put back: only the items that are wanted, only the stream they are meant for.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use delivery::{BackupMode, Buffering, Parts, Stats, Stream};
use entry::{Encoding, Header, Kind};
use journal::{Body, Item, Topic};
use metric::{Encoder, Format};
use rehearsal::payload;
use testkit::Reply;

use crate::world::{World, backed_up, delivered, put, wait_until};
use crate::{failed_records, undelivered};

const TOPIC: &str = "replay~s";

/// One record of `metrics` points.
fn record(seed: u64, metrics: usize, format: Format) -> Vec<u8> {
    let options =
        payload::Options { seed, metrics, series: metrics, ..payload::Options::default() };
    let records = payload::records(&options, format);
    assert_eq!(records.len(), 1, "one record is enough for {metrics} points");
    records.into_iter().next().unwrap()
}

fn put_back(world: &World, topic: &Topic, record: &[u8], only: &[(u32, u32)]) {
    let header = Header {
        kind: Kind::Record,
        encoding: Encoding::Identity,
        arrival_ms: world.now_ms(),
        plain_bytes: record.len() as u64,
        records: 1,
        source: "aws".to_owned(),
        source_arn: String::new(),
        request_id: "first-time".to_owned(),
        attributes: Vec::new(),
        lane: None,
        only: only.to_vec(),
    };
    let body = Body::Bytes(Bytes::copy_from_slice(record));
    put(topic, Item { key: None, head: header.encode(), body });
}

fn start(world: &World, stats: &Arc<Stats>, replay: Option<Topic>) -> Stream {
    let parts = Parts { replay, ..world.parts(stats) };
    let sink = delivery::sink::Config::Dynatrace(world.dynatrace());
    Stream::start(world.config("s"), &sink, parts).unwrap()
}

/// The lines of the points of a record with these numbers, as another stream would send them.
fn lines_of(record: &[u8], wanted: impl Fn(u32) -> bool) -> Vec<String> {
    struct Pick<F> {
        encoder: Encoder,
        item: u32,
        wanted: F,
    }
    impl<F: Fn(u32) -> bool> metric::Visit for Pick<F> {
        fn point(&mut self, point: &metric::Point<'_>) {
            if (self.wanted)(self.item) {
                self.encoder.push(point);
            }
            self.item += 1;
        }
        fn reject(&mut self, _: &metric::Reject<'_>) {
            self.item += 1;
        }
    }
    let mut pick = Pick { encoder: Encoder::new(Format::Json), item: 0, wanted };
    metric::Decoder::new().decode(record, &mut pick);
    let mut picked = Vec::new();
    pick.encoder.finish(&mut picked);
    let world = World::new("only-expected");
    let stats = Arc::<Stats>::default();
    world.hold("s");
    world.deliver(&[picked], false);
    let stream = start(&world, &stats, None);
    wait_until("the picked points", || !world.lines.all().is_empty());
    assert!(stream.join());
    world.lines.all()
}

/// *Scenario:* a record of 40 points in each format is put back of which 3..7 and 20..40 are wanted.
/// *Guarantees:* exactly these points are delivered, each once.
#[test]
fn only_the_wanted_items_are_delivered() {
    for format in [Format::Otel10, Format::Otel07, Format::Json] {
        let world = World::new("only");
        let topic = world.journal.topic(TOPIC).unwrap();
        let stats = Arc::<Stats>::default();
        let stream = start(&world, &stats, Some(topic.clone()));
        let record = record(1, 40, format);
        put_back(&world, &topic, &record, &[(3, 7), (20, 40)]);
        wait_until("24 points", || delivered(&stats) == 24);
        assert!(stream.join());
        let expected = lines_of(&record, |item| (3..7).contains(&item) || item >= 20);
        assert_eq!((world.lines.all(), world.lines.duplicates()), (expected, 0));
    }
}

/// *Scenario:* half of a record is put back while the destination is down for good.
/// *Guarantees:* the backup names exactly that half as not delivered, so that it can be put back again.
#[test]
fn what_fails_again_keeps_its_half() {
    let world = World::new("only-backup");
    world.peer.set(Reply::status(500));
    let topic = world.journal.topic(TOPIC).unwrap();
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.retry_duration = Duration::from_millis(300);
    let sink = delivery::sink::Config::Dynatrace(world.dynatrace());
    let parts = Parts { replay: Some(topic.clone()), ..world.parts(&stats) };
    let stream = Stream::start(config, &sink, parts).unwrap();
    put_back(&world, &topic, &record(1, 40, Format::Otel10), &[(0, 5), (30, 40)]);
    wait_until("the backup", || backed_up(&stats) == 15);
    assert!(stream.join());
    let records = failed_records(&world);
    assert_eq!(undelivered(&records), 15);
    let origin = records[0].hydrant.as_ref().unwrap();
    assert_eq!((origin.topic.as_str(), origin.points), (TOPIC, 40));
    assert_eq!(origin.undelivered, [(0, 5), (30, 40)]);
}

/// *Scenario:* a stream that waits an hour to fill its buffer and copies all data runs; a replay topic
/// is added twice, filled, and the stream restarted with more in it.
/// *Guarantees:* what is put back is delivered at once and not copied; ordinary data still is.
#[test]
fn a_running_stream_takes_a_replay() {
    let world = World::new("only-running");
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.buffering = Buffering { size_bytes: 1 << 30, interval: Duration::from_secs(3600) };
    config.backup.mode = BackupMode::AllData;
    let stream = world.start(config.clone(), &stats);
    let topic = world.journal.topic(TOPIC).unwrap();
    stream.commands().read_replay(topic.clone()).unwrap();
    stream.commands().read_replay(topic.clone()).unwrap();
    put_back(&world, &topic, &record(1, 30, Format::Json), &[]);
    wait_until("30 points", || delivered(&stats) == 30);
    assert!(stream.join());

    // Stopped, more comes; without a cursor of its own the topic would keep nothing.
    put_back(&world, &topic, &record(2, 20, Format::Json), &[]);
    config.buffering.interval = Duration::ZERO;
    let sink = delivery::sink::Config::Dynatrace(world.dynatrace());
    let parts = Parts { replay: Some(topic), ..world.parts(&stats) };
    let stream = Stream::start(config, &sink, parts).unwrap();
    wait_until("20 points more", || delivered(&stats) == 50);
    world.deliver_points(1, 10, Format::Json);
    wait_until("ordinary points", || delivered(&stats) == 60);
    wait_until("state", || stats.state().backlog_bytes == 0);
    assert!(stream.join());
    assert_eq!(world.lines.duplicates(), 0);
    let mut copied = 0;
    for name in ["aws", TOPIC] {
        let topics = world.journal.status();
        let status = topics.iter().find(|status| status.topic == name).unwrap();
        copied += status.cursors.iter().filter(|c| c.name == "s.all-data").count();
    }
    assert_eq!(copied, 1, "only the source is copied");
}
