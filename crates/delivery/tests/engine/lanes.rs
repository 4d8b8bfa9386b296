//! Drop-in mode: lanes against a scripted Dynatrace.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use delivery::{Buffering, FromRequest, Lanes, StreamConfig};
use entry::{Header, LaneId, Tail, TailKey};
use journal::{Appended, Body, Item, Refused};
use remote::Secret;
use testkit::{Received, Reply};

use super::queues;
use crate::world::{Lines, MINUTE_MS, World, accepted, wait_until};

fn open(world: &World, config: StreamConfig) -> Lanes {
    let from = FromRequest {
        dynatrace: world.dynatrace(),
        allowed_hosts: vec!["127.0.0.1".to_owned()],
        token_key: Secret::new("a key of more than thirty-two characters, made for tests"),
        lanes_max: 2,
    };
    let clock = world.parts(&Arc::default()).steady;
    let (topic, base) = (world.topic.clone(), world.parts(&Arc::default()));
    let parts_for: delivery::PartsFor = Box::new(move |lane, stats| delivery::Parts {
        topics: vec![topic.clone()],
        replay: None,
        tail: Arc::clone(&base.tail),
        runtime: base.runtime.clone(),
        clock: Arc::clone(&base.clock),
        steady: Arc::clone(&base.steady),
        state: base.state.clone(),
        quarantine: base.quarantine.clone(),
        backup_share: Arc::clone(&base.backup_share),
        quarantine_share: Arc::clone(&base.quarantine_share),
        stats,
        lane: Some(lane),
    });
    Lanes::open(config, from, world.dir.join("lanes"), clock, parts_for).unwrap()
}

fn admit(world: &World, lanes: &Lanes, token: &str) -> Result<LaneId, u16> {
    let attributes = vec![("dt-url".to_owned(), world.peer.url(""))];
    let admitted = world.runtime.block_on(lanes.admit(&attributes, &Secret::new(token)));
    admitted.map_err(|refusal| refusal.status)
}

fn token(request: &Received) -> String {
    let header = request.header("authorization").unwrap_or_default();
    header.rsplit(' ').next().unwrap_or_default().to_owned()
}

/// Takes tokens that hold `good` while `open` is true, and notes the lines.
fn script(world: &World, good: &Arc<AtomicBool>, lines: &Lines) {
    let (good, lines) = (Arc::clone(good), lines.clone());
    world.peer.set_script(move |request| {
        let token = token(request);
        if token.contains("never") || (token.contains("revoked") && !good.load(Ordering::Relaxed)) {
            return Reply::status(401);
        }
        accepted(lines.take(request))
    });
}

/// Scenario: two tokens, one of which is revoked while data is held; a third that never was good; one
/// lane too many; then a restart, and the revoked one is good again.
/// Guarantees: the other lane goes on, refusals are 401 and 503, held data arrives after the restart,
/// and no token can be read in the folder.
#[test]
fn a_revoked_token_delays_nobody() {
    let mut world = World::new("lanes");
    let good = Arc::new(AtomicBool::new(true));
    script(&world, &good, &world.lines);
    let lanes = open(&world, world.config("s"));
    let steady = admit(&world, &lanes, "dt0c01.steady").unwrap();
    let revoked = admit(&world, &lanes, "dt0c01.revoked").unwrap();
    assert_eq!(admit(&world, &lanes, "dt0c01.third"), Err(503));
    assert_eq!(admit(&world, &lanes, ""), Err(401));
    good.store(false, Ordering::Relaxed);
    world.deliver_to(&queues(0..500, MINUTE_MS), revoked);
    world.deliver_to(&queues(500..900, MINUTE_MS), steady);
    wait_until("the steady lane", || world.lines.distinct() == 400);
    wait_until("the revoked one is refused", || {
        admit(&world, &lanes, "dt0c01.revoked") == Err(401)
    });
    assert_eq!(admit(&world, &lanes, "dt0c01.steady"), Ok(steady));
    assert!(lanes.join());
    drop(lanes);

    world.reopen();
    good.store(true, Ordering::Relaxed);
    let lanes = open(&world, world.config("s"));
    wait_until("the held data", || world.lines.distinct() == 900);
    wait_until("it is well again", || admit(&world, &lanes, "dt0c01.revoked") == Ok(revoked));
    assert!(lanes.join());
    assert_eq!(world.lines.duplicates(), 0);
    for bytes in world.bytes_below("lanes", "json") {
        assert!(!String::from_utf8_lossy(&bytes).contains("dt0c01"));
    }
}

/// A lane file as the first release wrote it: of a token that is sealed with the key of [`open`], for a
/// target at which nobody listens.
const LANE_FILE: (&str, &str) = (
    "e8d8fc082a226e869937ef67d82c3608",
    r#"{
  "version": 1,
  "target": "http://127.0.0.1:9",
  "require_valid_certificate": false,
  "token": "Ae91tI0x23RXAcTlH5I7teoyCXKF5CD9FOfkwcQ5vp7OpUgZOHnXtKBT+9B05mmGLGcowEg="
}"#,
);

/// Scenario: a start with a lane file of the first release.
/// Guarantees: I8: its lane is there without a probe, under the name that target, token and rule for the
/// certificate give it.
#[test]
fn i8_a_lane_file_of_the_first_release_is_read() {
    let world = World::new("lane-file");
    let (name, content) = LANE_FILE;
    std::fs::create_dir_all(world.dir.join("lanes")).unwrap();
    world.dir.write(&format!("lanes/{name}.json"), content);
    let lanes = open(&world, world.config("s"));
    let attributes = [("dt-url", "http://127.0.0.1:9"), ("require-valid-certificate", "false")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let token = Secret::new("dt0c01.golden.SECRET");
    let LaneId(id) = world.runtime.block_on(lanes.admit(&attributes, &token)).unwrap();
    assert_eq!(id.map(|byte| format!("{byte:02x}")).concat(), name);
    assert!(lanes.join());
}

/// Scenario: buffering with a long interval; one lane gets all data, another lane none.
/// Guarantees: the idle lane lets go of what is not its own, so that the journal can be freed.
#[test]
fn an_idle_lane_holds_nothing() {
    let world = World::new("idle-lane");
    let good = Arc::new(AtomicBool::new(true));
    script(&world, &good, &world.lines);
    let mut config = world.config("s");
    config.buffering = Buffering { size_bytes: 1 << 30, interval: Duration::from_secs(600) };
    let lanes = open(&world, config);
    let busy = admit(&world, &lanes, "dt0c01.busy").unwrap();
    admit(&world, &lanes, "dt0c01.idle").unwrap();
    world.deliver_to(&queues(0..500, MINUTE_MS), busy);
    let hex: String = busy.0.iter().map(|b| format!("{b:02x}")).collect();
    wait_until("only the busy lane holds it", || {
        let cursors = world.journal.status().remove(0).cursors;
        cursors.iter().all(|c| (c.entries == 0) != c.name.ends_with(&hex))
    });
    assert!(lanes.join());
}

/// Scenario: a lane has read its data from the tail; all that follows is another lane's.
/// Guarantees: what both have read or passed over leaves the tail: no delivery waits for the idle lane.
#[test]
fn an_idle_lane_keeps_no_bodies() {
    let mut world = World::new("idle-lane-tail");
    world.tail = Arc::new(Tail::new(64 << 20));
    let good = Arc::new(AtomicBool::new(true));
    script(&world, &good, &world.lines);
    let lanes = open(&world, world.config("s"));
    let busy = admit(&world, &lanes, "dt0c01.busy").unwrap();
    let idle = admit(&world, &lanes, "dt0c01.idle").unwrap();
    for (n, lane) in [idle, busy, busy, busy].into_iter().enumerate() {
        let first = u32::try_from(n).unwrap() * 50;
        let records = queues(first..first + 50, MINUTE_MS);
        let (header, body) = world.delivery(&records, true);
        let kept = World::kept(&records);
        let head = Header { lane: Some(lane), ..header }.encode();
        let item = Item { key: None, head, body: Body::Bytes(body.into()) };
        let (tail, topic) = (Arc::clone(&world.tail), Arc::clone(world.topic.name()));
        let done = move |outcome: Result<Appended, Refused>| {
            let Ok(Appended::Stored { sequence, .. }) = outcome else { return };
            tail.put(TailKey { topic, sequence }, kept);
        };
        world.topic.append(item, Box::new(done));
        wait_until("it has arrived", || world.lines.distinct() == (n + 1) * 50);
    }
    wait_until("nobody needs them", || world.tail.bytes() == 0);
    assert!(lanes.join());
}

/// Scenario: a stream with a destination of its own reads a source that lanes read too.
/// Guarantees: it takes what is addressed to any lane, and what is addressed to none.
#[test]
fn a_stream_beside_lanes_takes_everything() {
    let world = World::new("beside");
    world.hold("s");
    world.deliver_to(&queues(0..40, MINUTE_MS), LaneId([1; 16]));
    world.deliver_to(&queues(40..70, MINUTE_MS), LaneId([2; 16]));
    world.deliver(&queues(70..80, MINUTE_MS), true);
    let stats = Arc::default();
    let stream = world.start(world.config("s"), &stats);
    wait_until("all three", || crate::world::delivered(&stats) == 80);
    assert!(stream.join());
    assert_eq!((world.lines.distinct(), world.lines.duplicates()), (80, 0));
}
