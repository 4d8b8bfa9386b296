//! Records as they are: any bytes, there or in the backup, each once and unchanged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use delivery::sink::http_endpoint::{BYTES_MAX, Config, Content};
use delivery::sink::{self};
use delivery::{BackupMode, Buffering, Parts, Stats};
use entry::{Encoding, Header, Kind, records};
use journal::{Body, Item};
use metric::Format;
use proptest::prelude::*;
use rehearsal::payload;
use testkit::{Received, Reply};

use crate::world::{World, backed_up, delivered, put, wait_until};
use crate::{failed_records, undelivered};

/// Records and how often each has arrived.
type Found = BTreeMap<Vec<u8>, u32>;

#[derive(Clone, Default)]
pub(super) struct Receiver(Arc<Mutex<(Found, Vec<String>)>>);

impl Receiver {
    /// Takes a delivery whole.
    pub(super) fn take(&self, request: &Received) -> Reply {
        let mut found = self.0.lock().unwrap();
        for record in records_of(request) {
            *found.0.entry(record).or_insert(0) += 1;
        }
        found.1.push(id_of(request));
        answer(request)
    }

    fn found(&self) -> Found {
        self.0.lock().unwrap().0.clone()
    }
}

fn id_of(request: &Received) -> String {
    request.header("x-amz-firehose-request-id").unwrap().to_owned()
}

fn answer(request: &Received) -> Reply {
    Reply::json(200, &format!(r#"{{"requestId":"{}","timestamp":1}}"#, id_of(request)))
}

fn records_of(request: &Received) -> Vec<Vec<u8>> {
    let body: serde_json::Value = serde_json::from_str(&crate::world::plain(request)).unwrap();
    let list = body.get("records").and_then(|list| list.as_array()).unwrap();
    list.iter()
        .map(|record| decoded(record.get("data").and_then(|d| d.as_str()).unwrap()))
        .collect()
}

fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    codec::base64::decode_into(text.as_bytes(), &mut out).unwrap();
    out
}

pub(super) fn raw(world: &World, bytes_max: usize) -> sink::Config {
    sink::Config::HttpEndpoint(Config {
        url: world.peer.url("/in"),
        access_key: None,
        common_attributes: Vec::new(),
        source_arn: String::new(),
        gzip: true,
        content: Content::Records { delimiter: Vec::new() },
        record_bytes: 1,
        bytes_max,
        client: world.dynatrace().client,
    })
}

/// How an entry lies in the journal.
#[derive(Clone, Copy, Debug)]
enum Form {
    Inline,
    Gzip,
    Aside,
    /// Too large to be inflated whole: it is read as a stream.
    Streamed,
    /// The envelope of a Firehose delivery.
    Envelope,
}

fn append(world: &World, list: &[Vec<u8>], form: Form) {
    if matches!(form, Form::Envelope) {
        return world.deliver(list, true);
    }
    let mut plain = Vec::new();
    list.iter().for_each(|record| records::push(record, &mut plain));
    let gzip = matches!(form, Form::Gzip | Form::Streamed);
    let header = Header {
        kind: Kind::Records,
        encoding: if gzip { Encoding::Gzip } else { Encoding::Identity },
        arrival_ms: world.now_ms(),
        // A header that promises much is read as a stream.
        plain_bytes: if matches!(form, Form::Streamed) { 64 << 20 } else { plain.len() as u64 },
        records: u32::try_from(list.len()).unwrap(),
        source: "aws".to_owned(),
        source_arn: String::new(),
        request_id: String::new(),
        attributes: Vec::new(),
        lane: None,
        only: Vec::new(),
    };
    let body = if gzip { payload::gzip(&plain) } else { plain };
    if matches!(form, Form::Aside) {
        let mut side = world.topic.side_file().unwrap();
        side.write(&body).unwrap();
        let body = Body::Side(side.finish().unwrap());
        put(&world.topic, Item { key: None, head: header.encode(), body });
    } else {
        world.append(&header, body);
    }
}

/// Any bytes, but each record another.
fn distinct(mut list: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    for (n, record) in list.iter_mut().enumerate().skip(1) {
        record.extend_from_slice(&u32::try_from(n).unwrap().to_le_bytes());
    }
    list
}

fn forms() -> impl Strategy<Value = Form> {
    prop_oneof![
        Just(Form::Inline),
        Just(Form::Gzip),
        Just(Form::Aside),
        Just(Form::Streamed),
        Just(Form::Envelope),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    /// *Scenario:* any records in entries of any form; any part of the first entry delivered
    /// before a crash; requests of a few bytes; a receiver that takes, refuses, is down or finds a request too
    /// large; a stop and a start in between; no retries at all.
    /// *Guarantees:* each record has arrived, or is in the backup, once and byte by byte; the counters
    /// tell the same.
    #[test]
    fn each_record_is_there_or_in_the_backup(
        entries in prop::collection::vec((prop::collection::vec(any::<Vec<u8>>(), 1..12), forms()), 1..6),
        crash in (0_u32..12, 0_u32..12),
        bytes_max in 1_usize..400,
        answers in prop::collection::vec(0_u8..6, 1..12),
        stop_after in 0_usize..4,
    ) {
        let mut world = World::new("raw-any");
        let flat = distinct(entries.iter().flat_map(|(list, _)| list.clone()).collect());
        let mut rest = flat.iter().cloned();
        world.hold("s");
        for (list, form) in &entries {
            let list: Vec<Vec<u8>> = rest.by_ref().take(list.len()).collect();
            append(&world, &list, *form);
        }
        let first = u32::try_from(entries.first().map_or(0, |(list, _)| list.len())).unwrap();
        let settled = crash.0.min(crash.1).min(first)..crash.0.max(crash.1).min(first);
        if !settled.is_empty() {
            world.settle("s", settled.clone());
        }
        let settled = settled.start as usize..settled.end as usize;
        let receiver = Receiver::default();
        let taker = receiver.clone();
        let mut turn = 0;
        world.peer.set_script(move |request| {
            turn += 1;
            match answers.get(turn % answers.len()) {
                Some(0) => Reply::status(503),
                Some(1) => Reply::status(413),
                Some(2) => Reply::json(400, "{}"),
                _ => taker.take(request),
            }
        });
        let (mut ends, mut counted) = (vec![stop_after, usize::MAX], (0, 0));
        let wanted = flat.len() - settled.len();
        for end in ends.drain(..) {
            let mut config = world.config("s");
            config.retry_duration = Duration::ZERO;
            let stats = Arc::<Stats>::default();
            let stream = world.start_to(config, &raw(&world, bytes_max), &stats);
            let before = counted;
            wait_until("every record has its place", || {
                counted = (before.0 + delivered(&stats), before.1 + backed_up(&stats));
                let all = usize::try_from(counted.0 + counted.1).unwrap();
                all >= end.min(wanted)
            });
            assert!(stream.join());
            counted = (before.0 + delivered(&stats), before.1 + backed_up(&stats));
            world.reopen();
        }
        let mut found = receiver.found();
        assert_eq!(found.values().sum::<u32>(), u32::try_from(counted.0).unwrap());
        let lines = failed_records(&world);
        assert_eq!(undelivered(&lines), counted.1);
        for line in &lines {
            let origin = line.hydrant.as_ref().unwrap();
            assert_eq!((origin.points, &origin.undelivered), (1, &vec![(0, 1)]));
            *found.entry(decoded(&line.raw_data)).or_insert(0) += 1;
        }
        let left = flat.into_iter().enumerate().filter(|(n, _)| !settled.contains(n));
        let expected: Found = left.map(|(_, record)| (record, 1)).collect();
        assert_eq!(found, expected);
        assert!(world.lines_below("quarantine").is_empty());
    }
}

/// *Scenario:* 12,000 records of a few bytes at once, then three of 1,000 KiB with room for two a request.
/// *Guarantees:* at most 10,000 a request and no more bytes than set, in the order they were put.
#[test]
fn requests_keep_order_and_limits() {
    let world = World::new("raw-limits");
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sizes);
    world.peer.set_script(move |request| {
        seen.lock().unwrap().push(records_of(request));
        answer(request)
    });
    let small: Vec<Vec<u8>> = (0..12_000_u32).map(|n| n.to_be_bytes().to_vec()).collect();
    world.hold("s");
    append(&world, &small, Form::Inline);
    let large: Vec<Vec<u8>> = (0..3).map(|n| vec![n; 1_024_000]).collect();
    append(&world, &large, Form::Inline);
    let mut config = world.config("s");
    config.concurrency = 1;
    let stats = Arc::<Stats>::default();
    let stream = world.start_to(config, &raw(&world, 2_048_000), &stats);
    wait_until("all records", || delivered(&stats) == 12_003);
    assert!(stream.join());
    let requests = sizes.lock().unwrap();
    let counts: Vec<usize> = requests.iter().map(Vec::len).collect();
    assert_eq!(counts, [10_000, 2_001, 2]);
    let all: Vec<Vec<u8>> = requests.iter().flatten().cloned().collect();
    assert!(all.into_iter().eq(small.into_iter().chain(large)));
}

/// *Scenario:* a receiver takes a delivery without a proper answer, twice; then the stream is
/// restarted and the receiver answers.
/// *Guarantees:* the same request id every time, so that it can tell the repeats.
#[test]
fn a_repeat_keeps_its_name() {
    let mut world = World::new("raw-id");
    let ids = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ids);
    world.peer.set_script(move |request| {
        seen.lock().unwrap().push(id_of(request));
        Reply::status(503)
    });
    world.hold("s");
    append(&world, &[b"\0\xff".to_vec(), Vec::new()], Form::Inline);
    let stats = Arc::<Stats>::default();
    let stream = world.start_to(world.config("s"), &raw(&world, BYTES_MAX), &stats);
    wait_until("two attempts", || ids.lock().unwrap().len() >= 2);
    assert!(stream.join());
    world.reopen();
    let receiver = Receiver::default();
    let taker = receiver.clone();
    world.peer.set_script(move |request| taker.take(request));
    let stream = world.start_to(world.config("s"), &raw(&world, BYTES_MAX), &stats);
    wait_until("both records", || delivered(&stats) == 2);
    assert!(stream.join());
    let mut ids = ids.lock().unwrap().clone();
    ids.extend(receiver.0.lock().unwrap().1.clone());
    assert!(ids.len() >= 3);
    assert!(ids.iter().all(|id| Some(id) == ids.first()), "{ids:?}");
}

/// *Scenario:* no retries, and records that wait up to a second for others; the receiver refuses the
/// first delivery and takes what comes later.
/// *Guarantees:* one attempt and then the backup, with Firehose's code and text; the next records are
/// tried and delivered, though the receiver was down when they came.
#[test]
fn without_retries_there_is_one_attempt_each() {
    let world = World::new("raw-once");
    world.peer.set(Reply::json(503, r#"{"errorMessage":"closed"}"#));
    let mut config = world.config("s");
    config.retry_duration = Duration::ZERO;
    config.buffering = Buffering { size_bytes: 1 << 20, interval: Duration::from_secs(1) };
    let stats = Arc::<Stats>::default();
    world.hold("s");
    let stream = world.start_to(config, &raw(&world, BYTES_MAX), &stats);
    append(&world, &[b"one".to_vec(), b"two".to_vec()], Form::Inline);
    wait_until("they are backed up", || backed_up(&stats) == 2);
    assert_eq!(world.peer.count(), 1);
    let receiver = Receiver::default();
    let taker = receiver.clone();
    world.peer.set_script(move |request| taker.take(request));
    append(&world, &[b"three".to_vec()], Form::Inline);
    wait_until("the third is delivered", || delivered(&stats) == 1);
    assert!(stream.join());
    for line in failed_records(&world) {
        assert_eq!((line.attempts_made, line.error_code.as_str()), (1, DESTINATION));
        let text =
            "Received the following response from the endpoint destination. status 503: closed";
        assert_eq!(line.error_message, text);
    }
    assert_eq!(receiver.found().into_keys().collect::<Vec<_>>(), [b"three".to_vec()]);
}

const DESTINATION: &str = "HttpEndpoint.DestinationException";

/// *Scenario:* a record is put back, named as the points 5..9 of it by a run that looked into it.
/// *Guarantees:* as it is, a record is wanted whole: it is delivered.
#[test]
fn a_record_put_back_goes_whole() {
    let world = World::new("raw-replay");
    let topic = world.journal.topic("replay~s").unwrap();
    let receiver = Receiver::default();
    let taker = receiver.clone();
    world.peer.set_script(move |request| taker.take(request));
    let stats = Arc::<Stats>::default();
    let parts = Parts { replay: Some(topic.clone()), ..world.parts(&stats) };
    let stream =
        delivery::Stream::start(world.config("s"), &raw(&world, BYTES_MAX), parts).unwrap();
    let record = b"\x00not a metric\n\xff".to_vec();
    for only in [vec![(5, 9)], Vec::new()] {
        let (header, _) = world.delivery(std::slice::from_ref(&record), false);
        let header = Header { kind: Kind::Record, only, plain_bytes: 15, ..header };
        let body = Body::Bytes(Bytes::from(record.clone()));
        put(&topic, Item { key: None, head: header.encode(), body });
    }
    wait_until("both", || delivered(&stats) == 2);
    assert!(stream.join());
    assert_eq!(receiver.found().into_iter().collect::<Vec<_>>(), [(record, 2)]);
}

/// *Scenario:* metrics in entries of several records, for a stream that wants points, with a copy of
/// all records; and an entry cut short, and one that only the fold reads.
/// *Guarantees:* each point is delivered and each record copied; what is broken is quarantined.
#[test]
fn points_are_found_in_records() {
    let world = World::new("raw-points");
    let mut config = world.config("s");
    config.backup.mode = BackupMode::AllData;
    let stats = Arc::<Stats>::default();
    let stream = world.start(config, &stats);
    let options = payload::Options { metrics: 300, series: 300, ..payload::Options::default() };
    let mut all = Vec::new();
    for (format, form) in [
        (Format::Otel10, Form::Inline),
        (Format::Otel07, Form::Gzip),
        (Format::Json, Form::Streamed),
    ] {
        let records = payload::records(&options, format);
        append(&world, &records, form);
        all.extend(records.concat());
    }
    let (header, _) = world.delivery(&[], false);
    world.append(&Header { kind: Kind::Records, ..header.clone() }, vec![9, 0, 0, 0, b'x']);
    world.append(&Header { kind: Kind::Metrics, ..header }, vec![1, 2, 3]);
    wait_until("900 points", || delivered(&stats) == 900);
    wait_until("the copy", || world.bytes_below("backup", "records").concat().len() >= all.len());
    wait_until("the broken ones", || world.lines_below("quarantine").len() == 2);
    assert!(stream.join());
    assert_eq!(world.bytes_below("backup", "records").concat(), all);
    assert!(world.lines_below("quarantine").iter().all(|line| line.contains("broken_entry")));
}
