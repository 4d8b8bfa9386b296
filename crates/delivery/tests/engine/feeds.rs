//! Feeds: large entries, the tail, several sources, buffering, a journal that cannot be read for a while.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use delivery::sink::Config as Sink;
use delivery::{Buffering, StartFrom, Stats, Stream};
use entry::{Tail, TailKey};
use journal::{Appended, Body, Item, Refused};
use metric::Format;
use testkit::Reply;

use super::{counted_parts, queues};
use crate::world::{MINUTE_MS, World, accepted, backed_up, delivered, plain, put, wait_until};
use crate::{failed_records, undelivered};

fn all_formats(seed: u64, metrics: usize) -> Vec<Vec<u8>> {
    let options =
        rehearsal::payload::Options { seed, metrics, series: metrics, ..Default::default() };
    let formats = [Format::Otel10, Format::Json];
    let mut records = Vec::new();
    for (n, format) in formats.into_iter().enumerate() {
        let start_ms = options.start_ms - 60_000 * n as u64;
        let options = rehearsal::payload::Options { start_ms, ..options };
        records.extend(rehearsal::payload::records(&options, format));
    }
    records
}

/// What arrives of one delivery, put into the journal in some way.
fn arrived(name: &str, points: u64, deliver: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = World::new(name);
    world.hold("s");
    deliver(&mut world);
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    wait_until("all points", || delivered(&stats) == points);
    assert!(stream.join());
    assert_eq!(world.lines.duplicates(), 0);
    world.lines.all()
}

/// Scenario: the same records in one body in the log, plain and gzip in a side file, and in the tail.
/// Guarantees: every way gives the same lines, also with many requests out of one entry.
#[test]
fn every_way_to_a_body_gives_the_same_lines() {
    let records = all_formats(1, 9_000);
    let whole = arrived("whole", 18_000, |world| world.deliver(&records, true));
    let side = arrived("side", 18_000, |world| world.deliver_aside(&records, false));
    let packed = arrived("side-gzip", 18_000, |world| world.deliver_aside(&records, true));
    let tail = arrived("tail", 18_000, |world| {
        world.tail = Arc::new(Tail::new(256 << 20));
        let head = world.delivery(&records, true).0.encode();
        // The tail alone holds the records: a stream that looked elsewhere would find none.
        let empty = rehearsal::payload::gzip(b"{}");
        let item = Item { key: None, head, body: Body::Bytes(empty.into()) };
        let sequence = put(&world.topic, item);
        let key = TailKey { topic: Arc::clone(world.topic.name()), sequence };
        world.tail.put(key, World::kept(&records));
    });
    assert_eq!(whole.len(), 18_000);
    assert!(whole == side && whole == packed && whole == tail);
}

/// Scenario: a large entry is half read when the destination goes down, finds requests too large, or
/// retries run out; then the stream is stopped and started again.
/// Guarantees: every point is delivered or in the backup, once.
#[test]
fn a_half_read_entry_survives_everything() {
    let mut world = World::new("half");
    world.hold("s");
    let records = queues(0..30_000, MINUTE_MS);
    // Too large at first: split while the entry is open.
    let lines = world.lines.clone();
    let asked = AtomicUsize::new(0);
    world.peer.set_script(move |request| {
        if asked.load(Ordering::Relaxed) >= 6 {
            return Reply::status(503);
        }
        if plain(request).lines().count() > 400 {
            return Reply::status(413);
        }
        asked.fetch_add(1, Ordering::Relaxed);
        accepted(lines.take(request))
    });
    world.deliver_aside(&records, true);
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    wait_until("an outage in the middle", || stats.state().outage_since_ms.is_some());
    assert!(stream.join());
    let before = world.lines.distinct() as u64;
    assert!(before > 0 && before < 30_000 && delivered(&stats) == before);

    // Started again in the outage, and swept in the middle.
    world.reopen();
    world.peer.set(Reply::status(503));
    let mut config = world.config("s");
    config.retry_duration = Duration::from_millis(300);
    let stream = world.start(config, &stats);
    wait_until("the rest is swept", || backed_up(&stats) + before == 30_000);
    world.peer_takes_all();
    world.deliver(&queues(30_000..30_100, MINUTE_MS), true);
    wait_until("the new data", || delivered(&stats) == before + 100);
    assert!(stream.join());
    assert_eq!(undelivered(&failed_records(&world)) + before, 30_000);
    assert_eq!(world.lines.duplicates(), 0);
}

/// Scenario: three kills while a large entry waits for its destination, then it is well again.
/// Guarantees: an entry that only waited is not taken for one that crashes the process.
#[test]
fn an_entry_that_waits_is_no_crasher() {
    let mut world = World::new("waiter");
    world.hold("s");
    let records = queues(0..30_000, MINUTE_MS);
    world.deliver_aside(&records, true);
    world.peer.set(Reply::status(503));
    for _ in 0..4 {
        let stats = Arc::<Stats>::default();
        let stream = world.start(world.config("s"), &stats);
        wait_until("the outage", || stats.state().outage_since_ms.is_some());
        assert!(stream.join());
        world.reopen();
    }
    world.peer_takes_all();
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    wait_until("all points", || delivered(&stats) == 30_000);
    assert!(stream.join());
    assert_eq!(stats.quarantined().get("crashed_three_times"), None);
}

/// Scenario: two sources in one stream, the first with a backlog that never ends.
/// Guarantees: the second is read all the same, and everything arrives once.
#[test]
fn a_busy_source_does_not_starve_its_neighbour() {
    let world = World::new("two");
    let other = world.journal.topic("other").unwrap();
    let lines = world.lines.clone();
    // Points taken when the neighbour's came.
    let before = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&before);
    world.peer.set_script(move |request| {
        if plain(request).contains("\"q-100000\"") {
            seen.store(lines.distinct(), Ordering::Relaxed);
        }
        accepted(lines.take(request)).after(Duration::from_millis(5))
    });
    for n in 0..60 {
        world.deliver(&queues(n * 1000..(n + 1) * 1000, MINUTE_MS), true);
    }
    let (header, body) = world.delivery(&queues(100_000..100_001, MINUTE_MS), true);
    put(&other, Item { key: None, head: header.encode(), body: Body::Bytes(body.into()) });
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.concurrency = 1;
    let mut parts = world.parts(&stats);
    parts.topics.push(other);
    let stream = Stream::start(config, &Sink::Dynatrace(world.dynatrace()), parts).unwrap();
    wait_until("all points", || delivered(&stats) == 60_001);
    assert!(stream.join());
    let before = before.load(Ordering::Relaxed);
    assert!(before < 20_000, "the neighbour came after {before} points");
    assert_eq!((world.lines.distinct(), world.lines.duplicates()), (60_001, 0));
}

/// Scenario: buffering by size and by interval.
/// Guarantees: nothing is sent before either is reached, and all of it after.
#[test]
fn buffering_waits_for_size_or_interval() {
    let world = World::new("buffering");
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.buffering = Buffering { size_bytes: 100_000, interval: Duration::from_secs(2) };
    let stream = world.start(config, &stats);
    let begun = std::time::Instant::now();
    world.deliver(&queues(0..10, MINUTE_MS), true);
    wait_until("the interval", || delivered(&stats) == 10);
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    let begun = std::time::Instant::now();
    world.deliver(&queues(10..20, MINUTE_MS), true);
    world.deliver(&queues(20..1000, MINUTE_MS), true);
    wait_until("the size", || delivered(&stats) == 1000);
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    assert_eq!(world.peer.count(), 2);
    assert!(stream.join());
}

/// Scenario: an outage begins while data waits for its buffering interval, which then passes.
/// Guarantees: the worker sleeps until the next probe.
#[test]
fn a_buffer_that_is_due_in_an_outage_does_not_make_the_worker_spin() {
    let world = World::new("due");
    world.peer.set(Reply::status(503).after(Duration::from_millis(700)));
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.buffering = Buffering { size_bytes: 100_000, interval: Duration::from_millis(1000) };
    let (parts, asked) = counted_parts(&world, &stats);
    world.deliver(&queues(0..3000, MINUTE_MS), true);
    let stream = Stream::start(config, &Sink::Dynatrace(world.dynatrace()), parts).unwrap();
    world.peer.wait_for(3, Duration::from_secs(10));
    world.deliver(&queues(3000..3010, MINUTE_MS), true);
    wait_until("the outage", || stats.state().outage_since_ms.is_some());
    std::thread::sleep(Duration::from_millis(800));
    let before = asked.load(Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(1500));
    let rounds = asked.load(Ordering::Relaxed) - before;
    assert!(rounds < 150, "{rounds} looks at the clock");
    world.peer_takes_all();
    wait_until("all points", || delivered(&stats) == 3010);
    assert!(stream.join());
}

/// Scenario: a segment of the journal cannot be opened for a while, in the middle of a claim.
/// Guarantees: what was packed before it arrives, and the rest when it can be read again.
#[test]
fn a_read_that_fails_in_a_claim_loses_nothing() {
    let world = World::new("read-error");
    world.hold("s");
    for seed in 0..9 {
        let records = queues(seed * 2100..(seed + 1) * 2100, MINUTE_MS);
        world.deliver(&records, false);
    }
    let last = newest_segment(&world);
    let away = last.with_extension("away");
    std::fs::rename(&last, &away).unwrap();
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.concurrency = 64;
    let stream = world.start(config, &stats);
    wait_until("the failure is told", || stats.state().journal_failure.is_some());
    std::fs::rename(&away, &last).unwrap();
    wait_until("all points", || delivered(&stats) == 18_900);
    assert!(stream.join());
    assert_eq!((world.lines.distinct(), world.lines.duplicates()), (18_900, 0));
}

fn newest_segment(world: &World) -> PathBuf {
    let mut found = Vec::new();
    let mut folders = vec![world.dir.join("journal")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|e| e == "log") {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    assert!(found.len() >= 2, "{found:?}");
    found.pop().unwrap()
}

/// Shorter than a delivery waits at most.
const LOOK: Duration = Duration::from_millis(50);

/// Fills a tail with what nobody has read, and waits until a door would not wait for that.
fn wait_for_room(world: &World) {
    for sequence in 1_000..1_004 {
        let key = TailKey { topic: Arc::clone(world.topic.name()), sequence };
        world.tail.put(key, vec![0; 1 << 20]);
    }
    wait_until("no delivery waits", || has_room(world, 1 << 20));
}

fn has_room(world: &World, bytes: usize) -> bool {
    let room = async { tokio::time::timeout(LOOK, world.tail.room(bytes)).await.is_ok() };
    world.runtime.block_on(room)
}

/// A delivery that is in the tail when its stream is told of it.
fn deliver_kept(world: &World, records: &[Vec<u8>]) {
    let (header, plain) = world.delivery(records, false);
    let head = header.encode();
    let item = Item { key: None, head, body: Body::Bytes(plain.into()) };
    let (tail, topic) = (Arc::clone(&world.tail), Arc::clone(world.topic.name()));
    let kept = World::kept(records);
    let done = move |outcome: Result<Appended, Refused>| {
        let Ok(Appended::Stored { sequence, .. }) = outcome else { return };
        tail.put(TailKey { topic, sequence }, kept);
    };
    world.topic.append(item, Box::new(done));
}

/// Scenario: a stream has read a body from the tail; then its destination goes down in the middle of a
/// large entry of its other source.
/// Guarantees: deliveries to the first source do not wait for it.
#[test]
fn an_outage_within_another_source_keeps_no_delivery_waiting() {
    let mut world = World::new("outage-other");
    world.tail = Arc::new(Tail::new(4 << 20));
    let other = world.journal.topic("other").unwrap();
    let stats = Arc::<Stats>::default();
    let mut parts = world.parts(&stats);
    parts.topics.push(other.clone());
    let stream = Stream::start(world.config("s"), &Sink::Dynatrace(world.dynatrace()), parts);
    deliver_kept(&world, &queues(0..50, MINUTE_MS));
    wait_until("the first", || delivered(&stats) == 50);
    world.peer.set(Reply::status(503));
    let mut side = other.side_file().unwrap();
    let (header, body) = world.delivery(&queues(0..30_000, MINUTE_MS), false);
    side.write(&body).unwrap();
    let body = Body::Side(side.finish().unwrap());
    put(&other, Item { key: None, head: header.encode(), body });
    wait_until("an outage", || stats.state().outage_since_ms.is_some());
    wait_for_room(&world);
    assert!(stream.unwrap().join());
}

/// Scenario: a stream that reads along is told to stop while a request is being answered.
/// Guarantees: deliveries do not wait for what it will not read any more.
#[test]
fn a_stream_that_stops_keeps_no_delivery_waiting() {
    let mut world = World::new("stops");
    world.tail = Arc::new(Tail::new(4 << 20));
    let (asked, go_on) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (ask, go) = (Arc::clone(&asked), Arc::clone(&go_on));
    let lines = world.lines.clone();
    world.peer.set_script(move |request| {
        ask.fetch_add(1, Ordering::Relaxed);
        wait_until("the end of the test", || go.load(Ordering::Relaxed) > 0);
        accepted(lines.take(request))
    });
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.concurrency = 1;
    let mut dynatrace = world.dynatrace();
    dynatrace.client.request_timeout = Duration::from_secs(60);
    let stream = world.start_to(config, &Sink::Dynatrace(dynatrace), &stats);
    deliver_kept(&world, &queues(0..50, MINUTE_MS));
    wait_until("a request", || asked.load(Ordering::Relaxed) > 0);
    stream.stop();
    wait_for_room(&world);
    go_on.store(1, Ordering::Relaxed);
    assert!(stream.join());
    assert_eq!(delivered(&stats), 50);
}

/// Scenario: a request is found too large when the entries behind its own have been read; another
/// stream, which is behind, keeps all of them in the tail.
/// Guarantees: reading it once more does not make deliveries wait for what has been read.
#[test]
fn what_is_split_keeps_no_delivery_waiting() {
    let mut world = World::new("split-tail");
    let records = |n: u32| queues(n * 3_000..(n + 1) * 3_000, MINUTE_MS);
    let bytes = World::kept(&records(3)).len() + 1_000;
    world.tail = Arc::new(Tail::new(bytes * 9 / 2));
    let topic = Arc::clone(world.topic.name());
    let behind = entry::Reader::new(Arc::clone(&world.tail), &topic, world.topic.end());
    let asked = Arc::new(AtomicUsize::new(0));
    let (ask, lines) = (Arc::clone(&asked), world.lines.clone());
    world.peer.set_script(move |request| {
        let text = plain(request);
        if text.contains("\"q-0\"") && text.lines().count() > 40 {
            ask.fetch_add(1, Ordering::Relaxed);
            return Reply::status(413).after(Duration::from_secs(2));
        }
        accepted(lines.take(request))
    });
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.concurrency = 32;
    let stream = world.start(config, &stats);
    deliver_kept(&world, &queues(0..50, MINUTE_MS));
    wait_until("the first", || asked.load(Ordering::Relaxed) > 0);
    (1..5).for_each(|n| deliver_kept(&world, &records(n)));
    wait_until("the others", || delivered(&stats) == 12_000);
    wait_until("the halves", || delivered(&stats) == 12_050);
    assert!(world.tail.bytes() > bytes * 7 / 2, "all are kept");
    assert!(has_room(&world, bytes));
    drop(behind);
    assert!(stream.join());
    assert_eq!((world.lines.distinct(), world.lines.duplicates()), (12_050, 0));
}

/// Scenario: a stream is gone and left its cursor before two deliveries; one of the same name begins
/// after them (a third is there), stops and starts again; another one begins behind the end.
/// Guarantees: what lies before the begin is never sent, also after the start; what lies behind it is.
#[test]
fn a_cursor_that_was_left_goes_on_where_the_stream_begins() {
    let mut world = World::new("left");
    world.hold("s");
    let records = |seed: u64| all_formats(seed, 10);
    world.deliver(&records(1), true);
    world.deliver(&records(2), true);
    let first = world.topic.end();
    world.deliver(&records(3), true);
    let mut config = world.config("s");
    config.start_from = StartFrom::At(first);
    let stats = Arc::<Stats>::default();
    let stream = world.start(config.clone(), &stats);
    wait_until("what is its own", || delivered(&stats) == 20);
    assert!(stream.join());
    let lines = world.lines.distinct();
    world.reopen();
    let stream = world.start(config, &stats);
    world.deliver(&records(4), true);
    wait_until("what is new", || delivered(&stats) == 40);
    assert!(stream.join());
    assert_eq!((world.lines.distinct(), world.lines.duplicates()), (2 * lines, 0));
}
