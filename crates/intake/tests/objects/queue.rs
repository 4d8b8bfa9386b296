//! The queue: each bad case ends somewhere visible, and a message is deleted only when all is durable.

use std::time::Duration;

use codec::container::{Compressor, Container};
use intake::objects::s3::Config;
use intake::objects::{Reason, State};
use journal::Options;
use metric::Format;
use serde_json::json;

use crate::common::{House, object, wait, wait_for};
use crate::world::{BUCKET, World, etag, event, event_of, start};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Compressor::new(Container::Gzip).compress("object", bytes, &mut out).unwrap();
    out
}

/// *Scenario:* objects of all formats, compressed and not, told directly, by SNS and by EventBridge,
/// several in a message; and a test event.
/// *Guarantees:* every point is in the journal with its place; every message is deleted.
#[test]
fn objects_reach_the_journal_and_messages_go() {
    let (mut house, world) = (House::new(), World::new());
    world.put("a/one b.gz", gzip(&object(Format::Json, 300, 1)));
    world.put("a/two", object(Format::Otel10, 300, 2));
    world.put("a/three+", object(Format::Otel07, 300, 3));
    world.tell(&event(&["a/one+b.gz", "a/two"]));
    let bridge = json!({"source": "aws.s3", "detail-type": "Object Created",
        "detail": {"bucket": {"name": BUCKET}, "object": {"key": "a/three+"}}});
    world.tell(&json!({"Type": "Notification", "Message": bridge.to_string()}));
    world.tell(&json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}));
    world.tell(&event_of("ObjectRemoved:Delete", BUCKET, &["a/old"]));
    let running = start(&house, world.queue_config());
    wait_for(&running.stats, "four deletes", |stats| stats.messages_deleted.get() == 4);
    assert_eq!(running.stats.state(), State::Waiting);
    let snapshot = running.stats.snapshot();
    assert_eq!((snapshot.objects, snapshot.messages_test, snapshot.ignored), (3, 1, 1));
    assert!(
        snapshot.records >= 3 && snapshot.in_flight == 0 && snapshot.oldest_message_ms.is_none()
    );
    running.stop();
    let stored = house.stored();
    let places: Vec<&str> = stored.iter().map(|stored| stored.header.request_id.as_str()).collect();
    for place in ["s3://metrics/a/one b.gz#0", "s3://metrics/a/two#0", "s3://metrics/a/three+#0"] {
        assert!(places.contains(&place), "{places:?}");
    }
    let found: usize = stored.iter().map(|stored| crate::common::points(&stored.body)).sum();
    assert_eq!((found, world.left()), (900, 0));
}

/// *Scenario:* an object that is no metric stream, a gzip cut short, an empty object, one deleted
/// since its event, each in a message of its own.
/// *Guarantees:* each is in quarantine with its place and reason, what was good is in the journal,
/// every message is deleted: nothing comes again for ever.
#[test]
fn poisoned_and_missing_objects_are_set_aside() {
    let (mut house, world) = (House::new(), World::new());
    let cut = gzip(&object(Format::Json, 20_000, 1));
    world.put_and_tell("page.html", "<html></html>");
    world.put_and_tell("cut.gz", &cut[..cut.len() / 2]);
    world.put_and_tell("empty", "");
    world.tell(&event(&["gone"]));
    let running = start(&house, world.queue_config());
    wait_for(&running.stats, "four deletes", |stats| stats.messages_deleted.get() == 4);
    for reason in [Reason::Markup, Reason::CutShort, Reason::Empty, Reason::Missing] {
        assert_eq!(running.stats.rejected(reason), 1, "{reason:?}");
    }
    running.stop();
    assert!(house.points() > 5_000);
    let lines = house.lines();
    let of =
        |name: &str| lines.iter().find(|line| line["object"] == format!("s3://metrics/{name}"));
    assert_eq!(of("gone").unwrap()["reason"], "missing");
    let html = of("page.html").unwrap();
    assert!(html["remedy"].as_str().unwrap().contains("prefix"));
    let kept = std::fs::read(house.quarantine().join(html["file"].as_str().unwrap())).unwrap();
    assert_eq!(kept, b"<html></html>");
    assert!(of("cut.gz").unwrap()["detail"].as_str().unwrap().contains("cut short"));
}

/// *Scenario:* objects that are denied, in another region, and read with expired credentials.
/// *Guarantees:* no message is deleted; each is given back for a while; the state says who refuses
/// and what to do; when it is mended, the object is read and the message goes.
#[test]
fn refusals_cost_no_message() {
    for (status, code, remedy) in [
        (403, "AccessDenied", "s3:GetObject"),
        (301, "PermanentRedirect", "us-west-2"),
        (400, "ExpiredToken", "credentials"),
    ] {
        let (mut house, world) = (House::new(), World::new());
        world.put("k", object(Format::Json, 50, 1));
        world.change("k", |thing| thing.fault = Some((status, code, 1)));
        let id = world.tell(&event(&["k"]));
        let running = start(&house, world.queue_config());
        wait_for(&running.stats, "a message left", |stats| stats.messages_left.get() == 1);
        let State::Refused(trouble) = running.stats.state() else { panic!("{code}: loud") };
        assert!(trouble.text.contains(code), "{}", trouble.text);
        let told = trouble.remedy.unwrap_or_default().to_lowercase();
        assert!(told.contains(&remedy.to_lowercase()), "{code}: {told}");
        assert_eq!(running.stats.snapshot().messages_deleted, 0);
        // Given back for 30 s, as it was received once; here the time is over at once.
        wait("given back", || world.sky().extended.contains(&(id.clone(), 30)));
        world.sky().unhide();
        wait_for(&running.stats, "the delete", |stats| stats.messages_deleted.get() == 1);
        assert_eq!(running.stats.state(), State::Waiting);
        running.stop();
        assert_eq!(house.points(), 50, "{code}");
    }
}

/// *Scenario:* S3 throttles once, then answers; the queue itself refuses, then answers.
/// *Guarantees:* the object is asked for again in place, its message received once; the refusal of
/// the queue is told and passes by itself.
#[test]
fn what_passes_is_tried_again() {
    let (mut house, world) = (House::new(), World::new());
    world.put("k", object(Format::Json, 50, 1));
    world.change("k", |thing| thing.fault = Some((503, "SlowDown", 1)));
    world.sky().queue_fault = Some((403, "AccessDeniedException"));
    let running = start(&house, world.queue_config());
    wait_for(&running.stats, "a refusal", |stats| matches!(stats.state(), State::Refused(_)));
    world.tell(&event(&["k"]));
    world.sky().queue_fault = None;
    wait_for(&running.stats, "the delete", |stats| stats.messages_deleted.get() == 1);
    assert_eq!(running.stats.messages_received.get(), 1);
    assert_eq!(running.stats.state(), State::Waiting);
    running.stop();
    assert_eq!(house.points(), 50);
    assert_eq!(world.sky().read.len(), 2);
}

/// *Scenario:* a message comes again after its object was read: with the same sequencer, and from a
/// queue whose events have none; then the process begins anew and it comes once more.
/// *Guarantees:* no point is stored twice; a known sequencer is not even read.
#[test]
fn a_queue_that_redelivers_adds_nothing() {
    let (mut house, world) = (House::new(), World::new());
    world.put("k", object(Format::Json, 50, 1));
    let mut known = event(&["k"]);
    known["Records"][0]["s3"]["object"]["sequencer"] = json!("0055");
    world.tell(&known);
    let running = start(&house, world.queue_config());
    wait_for(&running.stats, "the first", |stats| stats.messages_deleted.get() == 1);
    world.tell(&known);
    wait_for(&running.stats, "the second", |stats| stats.messages_deleted.get() == 2);
    assert_eq!((running.stats.known.get(), world.sky().read.len()), (1, 1));
    world.tell(&event(&["k"]));
    wait_for(&running.stats, "the third", |stats| stats.messages_deleted.get() == 3);
    assert_eq!((running.stats.repeats.get(), world.sky().read.len()), (1, 2));
    running.stop();
    world.tell(&known);
    let running = start(&house, world.queue_config());
    wait_for(&running.stats, "the fourth", |stats| stats.messages_deleted.get() == 1);
    assert_eq!(running.stats.repeats.get(), 1);
    running.stop();
    assert_eq!(house.points(), 50);
}

/// *Scenario:* a message tells of two versions of one object and, later, of the object before them.
/// *Guarantees:* each version is asked for by its id and read; order does not matter to them.
#[test]
fn versions_are_read_each() {
    let (house, world) = (House::new(), World::new());
    world.put("k", object(Format::Json, 50, 1));
    let mut both = event(&["k", "k", "k"]);
    for (n, version) in ["v1", "v2", "null"].into_iter().enumerate() {
        let told = &mut both["Records"][n]["s3"]["object"];
        told["versionId"] = json!(version);
        told["sequencer"] = json!(format!("{n}"));
    }
    world.tell(&both);
    let running = start(&house, world.queue_config());
    wait_for(&running.stats, "the delete", |stats| stats.messages_deleted.get() == 1);
    running.stop();
    let asked: Vec<String> = world.peer.requests().into_iter().map(|one| one.target).collect();
    let count = |version: &str| asked.iter().filter(|target| target.contains(version)).count();
    assert_eq!((count("versionId=v1"), count("versionId=v2"), count("versionId=null")), (1, 1, 0));
    assert_eq!(world.sky().read.len(), 3);
}

/// *Scenario:* credentials that may read objects but not versions; a message of the version that is
/// there, one of a version that has been overwritten.
/// *Guarantees:* the first is read all the same; the second is given back, and what is missing is told.
#[test]
fn the_newest_version_needs_no_right_of_its_own() {
    let (mut house, world) = (House::new(), World::new());
    let bytes = object(Format::Json, 50, 1);
    world.put("k", bytes.clone());
    world.sky().versions_denied = true;
    for tag in [&etag(&bytes), "\"another\""] {
        let mut told = event(&["k"]);
        let object = &mut told["Records"][0]["s3"]["object"];
        object["versionId"] = json!("v1");
        object["eTag"] = json!(tag.trim_matches('"'));
        world.tell(&told);
    }
    let running = start(&house, world.queue_config());
    wait_for(&running.stats, "two ends", |stats| {
        stats.messages_deleted.get() + stats.messages_left.get() == 2
    });
    assert_eq!((running.stats.messages_deleted.get(), world.left()), (1, 1));
    let told = running.stats.snapshot().last_failure.and_then(|failure| failure.remedy);
    assert!(told.as_ref().is_some_and(|told| told.contains("s3:GetObjectVersion")), "{told:?}");
    running.stop();
    assert_eq!(house.points(), 50);
}

/// *Scenario:* messages that tell of no object, in a queue without a redrive policy, and with one.
/// *Guarantees:* without one they are set aside after five receives, body kept; with one they are
/// never deleted here.
#[test]
fn unknown_messages_end_somewhere() {
    let (house, world) = (House::new(), World::new());
    world.tell(&json!({"hello": "world"}));
    let running = start(&house, world.queue_config());
    for received in 1..=5 {
        wait_for(&running.stats, "a receive", |stats| stats.messages_unknown.get() == received);
        wait("it is given back or gone", || {
            world.sky().unhide();
            running.stats.messages_received.get() > received || world.left() == 0
        });
    }
    wait_for(&running.stats, "the delete", |stats| stats.messages_deleted.get() == 1);
    running.stop();
    assert_eq!(house.reasons(), ["message"]);
    let file = house.lines()[0]["file"].as_str().unwrap().to_owned();
    let kept = std::fs::read(house.quarantine().join(file)).unwrap();
    assert_eq!(kept, b"{\"hello\":\"world\"}");

    let (house, world) = (House::new(), World::new());
    world.sky().redrive = Some(3);
    world.tell(&json!({"hello": "world"}));
    let running = start(&house, world.queue_config());
    wait("eight receives", || {
        world.sky().unhide();
        running.stats.messages_received.get() >= 8
    });
    running.stop();
    assert_eq!((world.left(), house.reasons().len()), (1, 0));
}

/// *Scenario:* the queue tells of another bucket, alone and beside ours, and of another prefix.
/// *Guarantees:* a message of another bucket alone is left for whoever waits for it; beside ours it
/// is noted; another prefix is not read, and its message goes.
#[test]
fn other_buckets_are_left_and_other_prefixes_go() {
    let (house, world) = (House::new(), World::new());
    world.put("in/k", object(Format::Json, 50, 1));
    world.tell(&event_of("ObjectCreated:Put", "theirs", &["in/x"]));
    let mut both = event_of("ObjectCreated:Put", "theirs", &["in/y"]);
    both["Records"].as_array_mut().unwrap().push(event(&["in/k"])["Records"][0].clone());
    world.tell(&both);
    world.tell(&event(&["out/k"]));
    let config = Config { prefix: "in/".to_owned(), ..world.queue_config() };
    let running = start(&house, config);
    wait_for(&running.stats, "two deletes", |stats| stats.messages_deleted.get() == 2);
    wait_for(&running.stats, "one left", |stats| stats.messages_left.get() == 1);
    assert_eq!((running.stats.foreign.get(), running.stats.ignored.get()), (2, 1));
    running.stop();
    assert_eq!((world.left(), world.sky().read.clone()), (1, vec!["in/k".to_owned()]));
    assert_eq!(house.lines()[0]["object"], "s3://theirs/in/y");
}

/// *Scenario:* the journal is full while an object is read that takes far longer than a message is
/// hidden; later there is room.
/// *Guarantees:* the message is extended again and again and never seen twice; nothing is skipped;
/// it is deleted only after all of it is durable.
#[test]
fn a_full_journal_keeps_the_message_hidden() {
    let options = Options { budget_bytes: 12 << 20, topic_bytes: 12 << 20, ..Options::default() };
    let mut house = House::with(options);
    let world = World::new();
    let plain = object(Format::Json, 60_000, 1);
    assert!(plain.len() > 16 << 20, "more than the journal holds");
    world.put_and_tell("large", plain);
    let config = Config { visibility: Duration::from_secs(1), ..world.queue_config() };
    let running = start(&house, config);
    wait_for(&running.stats, "a refusal", |stats| matches!(stats.state(), State::Refused(_)));
    wait_for(&running.stats, "extensions", |stats| stats.messages_extended.get() >= 4);
    assert_eq!((world.sky().deleted.len(), running.stats.messages_received.get()), (0, 1));
    let mut found = 0;
    wait_for(&running.stats, "the delete", |stats| {
        found += house.points();
        house.settle();
        stats.messages_deleted.get() == 1
    });
    assert_eq!(running.stats.state(), State::Waiting);
    running.stop();
    assert_eq!(found + house.points(), 60_000);
}

/// *Scenario:* the source is stopped while it reads, and begun anew on the same data folder.
/// *Guarantees:* the message is given back at once; then every point is there exactly once.
#[test]
fn a_stop_gives_back_and_the_next_start_finishes() {
    let (mut house, world) = (House::new(), World::new());
    let plain = object(Format::Json, 30_000, 1);
    world.put("slow", plain);
    world.change("slow", |thing| thing.slow = Duration::from_secs(3600));
    let id = world.tell(&event(&["slow"]));
    let running = start(&house, world.queue_config());
    wait("it is asked for", || world.sky().read.len() == 1);
    running.stop();
    assert_eq!(world.sky().extended, [(id, 0)]);
    world.change("slow", |thing| thing.slow = Duration::ZERO);
    let running = start(&house, world.queue_config());
    wait_for(&running.stats, "the delete", |stats| stats.messages_deleted.get() == 1);
    running.stop();
    assert_eq!(house.points(), 30_000);
}

/// *Scenario:* two instances with a journal each on one queue of forty objects.
/// *Guarantees:* together they have every point once, and every message is deleted.
#[test]
fn two_instances_share_a_queue() {
    let (mut one, mut other, world) = (House::new(), House::new(), World::new());
    for n in 0..40 {
        world.put_and_tell(&format!("k{n}"), object(Format::Otel10, 25, n));
    }
    let first = start(&one, world.queue_config());
    let second = start(&other, world.queue_config());
    wait("all are deleted", || world.left() == 0);
    let (a, b) = (first.stats.objects.get(), second.stats.objects.get());
    first.stop();
    second.stop();
    assert_eq!((a + b, one.points() + other.points()), (40, 1000));
}
