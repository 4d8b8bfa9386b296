//! A delivery stream end to end: real journal, real HTTP, scripted destination.

mod engine;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws::firehose::failed::FailedRecord;
use delivery::Stats;
use metric::Format;
use rules::Filter;
use testkit::Reply;
use world::{World, accepted, backed_up, delivered, wait_until};

const RETRY_SHORT: Duration = Duration::from_millis(500);

fn failed_records(world: &World) -> Vec<FailedRecord> {
    let lines = world.lines_below("backup");
    lines.iter().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
}

/// Points that failed records name as not delivered.
fn undelivered(records: &[FailedRecord]) -> u64 {
    let origins = records.iter().map(|r| r.hydrant.as_ref().expect("a member of ours"));
    let ranges = origins.flat_map(|o| &o.undelivered);
    ranges.map(|(from, to)| u64::from(to - from)).sum()
}

/// Scenario: three deliveries in the three formats; then a restart.
/// Guarantees: every point arrives once, and nothing is sent again after the restart.
#[test]
fn everything_arrives_once() {
    let mut world = World::new("once");
    for (seed, format) in [(1, Format::Otel10), (2, Format::Otel07), (3, Format::Json)] {
        world.deliver_points(seed, 2500, format);
    }
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    wait_until("7,500 points", || delivered(&stats) == 7500);
    assert!(stream.join());
    assert_eq!((world.lines.distinct(), world.lines.duplicates()), (7500, 0));
    let requests = world.peer.count();

    world.reopen();
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    world.deliver_points(4, 100, Format::Otel10);
    wait_until("the new delivery", || delivered(&stats) == 100);
    assert!(stream.join());
    assert_eq!(world.peer.count(), requests + 1);
    assert_eq!(world.lines.duplicates(), 0);
}

/// Scenario: the destination answers 503 for a while, then is well; data arrives all along.
/// Guarantees: all of it is delivered, nothing goes to backup, and the outage is told.
#[test]
fn an_outage_is_waited_for() {
    let world = World::new("outage");
    world.peer.set(Reply::status(503));
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    world.deliver_points(1, 3000, Format::Otel10);
    wait_until("the outage is told", || stats.state().outage_since_ms.is_some());
    assert!(stats.state().last_refusal.unwrap().contains("503"));
    world.deliver_points(2, 3000, Format::Json);
    world.peer_takes_all();
    wait_until("6,000 points", || delivered(&stats) == 6000);
    assert!(stream.join());
    assert_eq!((world.lines.distinct(), world.lines.duplicates()), (6000, 0));
    assert_eq!(backed_up(&stats), 0);
    assert_eq!(stats.state().outage_since_ms, None);
}

/// Scenario: the destination is down for longer than the retry duration, then comes back.
/// Guarantees: what ran out of retries lies in the backup, whole and readable; the rest is delivered.
#[test]
fn after_the_retry_duration_the_backup_takes_over() {
    let world = World::new("backup");
    world.peer.set(Reply::status(500));
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.retry_duration = RETRY_SHORT;
    let stream = world.start(config, &stats);
    world.deliver_points(1, 2300, Format::Otel10);
    wait_until("the backup", || backed_up(&stats) == 2300);
    world.peer_takes_all();
    world.deliver_points(2, 500, Format::Otel10);
    wait_until("the rest", || delivered(&stats) == 500);
    assert!(stream.join());

    let records = failed_records(&world);
    assert_eq!(undelivered(&records), 2300);
    let first = &records[0];
    assert_eq!(first.error_code, "HttpEndpoint.DestinationException");
    let origin = first.hydrant.as_ref().unwrap();
    assert_eq!((origin.stream.as_str(), origin.source.as_str()), ("s", "aws"));
    assert_eq!(origin.attributes["team"], "sre");
    assert_eq!(origin.request_id, "request-0");
    assert!(world.lines.all().len() == 500);
}

/// Scenario: the destination refuses one line of a request, then refuses without naming all.
/// Guarantees: named lines are quarantined with its words, unnamed ones keep the request; counted.
#[test]
fn a_partial_refusal_is_quarantined() {
    let world = World::new("partly");
    let asked = AtomicUsize::new(0);
    let lines = world.lines.clone();
    world.peer.set_script(move |request| {
        let n = lines.take(request);
        if asked.fetch_add(1, Ordering::Relaxed) > 0 {
            return accepted(n);
        }
        let body = format!(
            r#"{{"linesOk":{},"linesInvalid":3,"error":{{"code":400,"message":"3 invalid lines","invalidLines":[{{"line":2,"error":"bad dimension"}}]}},"warnings":null}}"#,
            n - 3
        );
        Reply::json(400, &body)
    });
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    world.deliver_points(1, 800, Format::Otel10);
    wait_until("the rest", || delivered(&stats) == 797);
    assert!(stream.join());
    assert_eq!(stats.quarantined().get("refused"), Some(&3));
    let kept = world.lines_below("quarantine");
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept[0].contains("bad dimension") && kept[0].contains("cloud.aws."), "{}", kept[0]);
    assert!(kept[1].contains("1 of 3 refused points named"), "{}", kept[1]);
}

/// Scenario: the destination finds requests of more than 100 lines too large (413).
/// Guarantees: they are packed again, smaller, and every point arrives once.
#[test]
fn too_large_a_request_is_split() {
    let world = World::new("split");
    let lines = world.lines.clone();
    world.peer.set_script(move |request| {
        if world::plain(request).lines().count() > 100 {
            return Reply::status(413);
        }
        accepted(lines.take(request))
    });
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    world.deliver_points(1, 2050, Format::Otel10);
    wait_until("2,050 points", || delivered(&stats) == 2050);
    assert!(stream.join());
    assert_eq!((world.lines.distinct(), world.lines.duplicates()), (2050, 0));
    assert_eq!(backed_up(&stats), 0);
}

/// Scenario: the destination finds every request too large (413), even of one point.
/// Guarantees: that is an outage: each record goes to backup once, not once a point.
#[test]
fn a_destination_that_finds_everything_too_large_is_down() {
    let world = World::new("413");
    world.peer.set(Reply::status(413));
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.retry_duration = Duration::from_secs(2);
    let stream = world.start(config, &stats);
    world.deliver_points(1, 200, Format::Json);
    wait_until("the backup", || backed_up(&stats) == 200);
    assert!(stream.join());
    let records = failed_records(&world);
    assert_eq!(undelivered(&records), 200);
    assert!(records.len() <= 4, "{} lines", records.len());
}

/// Scenario: the destination refuses every request for good (400, no MINT answer).
/// Guarantees: no retry; the records are in the backup at once and the stream goes on.
#[test]
fn a_refusal_for_good_goes_to_backup() {
    let world = World::new("never");
    world.peer.set(Reply::json(400, r#"{"error":{"code":400,"message":"no such thing"}}"#));
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    world.deliver_points(1, 1500, Format::Otel10);
    wait_until("the backup", || backed_up(&stats) == 1500);
    let asked = world.peer.count();
    assert!(stream.join());
    assert_eq!(asked, 2, "two requests of at most 1,000 lines, none repeated");
    assert_eq!(undelivered(&failed_records(&world)), 1500);
}

/// Scenario: the backup folder cannot be written (a file stands in its place), then it can.
/// Guarantees: the stream waits and says why; nothing is dropped; it goes on by itself.
#[test]
fn a_failing_backup_makes_the_stream_wait() {
    let world = World::new("waits");
    world.peer.set(Reply::json(400, "{}"));
    let file = world.dir.write("backup", "in the way");
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    world.deliver_points(1, 500, Format::Otel10);
    wait_until("it says so", || stats.state().backup_failure.is_some());
    assert_eq!(backed_up(&stats), 0);
    std::fs::remove_file(file).unwrap();
    wait_until("the backup", || backed_up(&stats) == 500);
    // Told when all that waited is stored, which is after the points are counted.
    wait_until("it says so no longer", || stats.state().backup_failure.is_none());
    assert!(stream.join());
    assert_eq!(undelivered(&failed_records(&world)), 500);
}

/// Scenario: a record of garbage between two good ones, and a bad line among good lines.
/// Guarantees: the bad pieces are quarantined with place and reason, all else arrives.
#[test]
fn what_cannot_be_decoded_is_quarantined() {
    let world = World::new("garbage");
    let options = rehearsal::payload::Options { metrics: 600, ..Default::default() };
    let mut records = rehearsal::payload::records(&options, Format::Json);
    let mut spoilt = records[0].clone();
    spoilt.extend_from_slice(b"{\"namespace\": oops}\n");
    records[0] = spoilt;
    records.insert(1, b"\xff\xfe\x00nothing of ours".to_vec());
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    world.deliver(&records, true);
    wait_until("600 points", || delivered(&stats) == 600);
    assert!(stream.join());
    let quarantined = stats.quarantined();
    assert_eq!(quarantined.values().sum::<u64>(), 2, "{quarantined:?}");
    let kept = world.lines_below("quarantine");
    assert_eq!(kept.len(), 2);
    let first: serde_json::Value = serde_json::from_str(&kept[0]).unwrap();
    assert_eq!(first["reason"], "malformed_json");
    assert_eq!(first["topic"], "aws");
    assert!(first["offset"].as_u64().unwrap() > 0);
}

/// Scenario: an include filter for two namespaces.
/// Guarantees: every point is either delivered or counted under the rule's name.
#[test]
fn filtered_points_are_counted_by_rule() {
    let world = World::new("filter");
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    let namespace = |n: &str| Filter { namespace: Some(n.to_owned()), ..Filter::default() };
    config.include = vec![namespace("AWS/Lambda"), namespace("AWS/RDS")];
    let stream = world.start(config, &stats);
    world.deliver_points(1, 5000, Format::Otel10);
    let filtered = || stats.filtered().get("not_included").copied().unwrap_or(0);
    wait_until("all counted", || delivered(&stats) + filtered() == 5000);
    assert!(delivered(&stats) > 100 && filtered() > 1000);
    assert!(stream.join());
    let foreign = world.lines.all();
    let foreign = foreign.iter().find(|l| !(l.contains("aws.lambda") || l.contains("aws.rds")));
    assert_eq!(foreign, None);
}

/// Scenario: the stream is stopped while requests fail, and started again after a restart.
/// Guarantees: nothing is lost over the restart.
#[test]
fn a_restart_in_an_outage_loses_nothing() {
    let mut world = World::new("restart");
    world.peer.set(Reply::status(429).with("Retry-After", "1"));
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    world.deliver_points(1, 2600, Format::Otel10);
    wait_until("the outage", || stats.state().outage_since_ms.is_some());
    assert!(stream.join());
    world.reopen();
    world.peer_takes_all();
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    wait_until("2,600 points", || delivered(&stats) == 2600);
    assert!(stream.join());
    assert_eq!((world.lines.distinct(), world.lines.duplicates()), (2600, 0));
}

/// Scenario: a destination that is down, and more data than max_backlog.
/// Guarantees: the oldest goes to backup before its retries are over, so that the journal stays free.
#[test]
fn a_backlog_over_its_limit_spills_to_backup() {
    let world = World::new("spill");
    world.peer.set(Reply::status(503));
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.max_backlog_bytes = 200_000;
    let stream = world.start(config, &stats);
    for seed in 1..=10 {
        world.deliver_points(seed, 1000, Format::Otel10);
    }
    wait_until("the backlog is below its limit", || {
        backed_up(&stats) > 0 && stats.state().backlog_bytes <= 200_000
    });
    world.peer_takes_all();
    wait_until("all is somewhere", || delivered(&stats) + backed_up(&stats) >= 10_000);
    assert!(stream.join());
    let kept = undelivered(&failed_records(&world));
    let arrived = world.lines.distinct() as u64;
    assert!(kept + arrived >= 10_000, "{kept} kept, {arrived} arrived");
    assert!(failed_records(&world).iter().any(|r| r.error_code == "Hydrant.BacklogFull"
        || r.error_code == "HttpEndpoint.DestinationException"));
}

/// Scenario: the backlog of a stream that cannot deliver is dropped by command.
/// Guarantees: its points are counted as dropped, and new data is delivered.
#[test]
fn drop_backlog_counts_what_it_drops() {
    let world = World::new("drop");
    world.peer.set(Reply::status(503));
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    world.deliver_points(1, 1200, Format::Otel10);
    wait_until("the outage", || stats.state().outage_since_ms.is_some());
    let dropped = stream.drop_backlog().unwrap();
    assert_eq!(dropped, 1200);
    assert_eq!(stats.dropped.load(Ordering::Relaxed), 1200);
    world.peer_takes_all();
    world.deliver_points(2, 300, Format::Otel10);
    wait_until("the new data", || delivered(&stats) == 300);
    assert!(stream.join());
    assert_eq!(world.lines.distinct(), 300);
}

/// Scenario: one request in five fails for itself while the others pass.
/// Guarantees: the others are delivered meanwhile; the poisoned one ends in backup by its own clock.
#[test]
fn a_poisoned_request_holds_up_nobody() {
    let world = World::new("poison");
    let lines = world.lines.clone();
    world.peer.set_script(move |request| {
        if world::plain(request).lines().next().is_some_and(|l| l.starts_with('#')) {
            return Reply::status(200);
        }
        let text = world::plain(request);
        if text.contains("poison-queue") {
            return Reply::status(500);
        }
        accepted(lines.take(request))
    });
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.retry_duration = Duration::from_secs(3);
    let stream = world.start(config, &stats);
    let poison = format!(
        r#"{{"metric_stream_name":"m","account_id":"111122223333","region":"eu-west-1","namespace":"AWS/SQS","metric_name":"NumberOfMessagesSent","dimensions":{{"QueueName":"poison-queue"}},"timestamp":{},"value":{{"max":1.0,"min":1.0,"sum":1.0,"count":1.0}},"unit":"Count"}}
"#,
        world::MINUTE_MS
    );
    world.deliver(&[poison.into_bytes()], true);
    wait_until("it failed once", || stats.state().last_refusal.is_some());
    for seed in 1..=6 {
        world.deliver_points(seed, 1000, Format::Otel10);
    }
    wait_until("the others", || world.lines.distinct() == 6000);
    wait_until("the poison is kept", || backed_up(&stats) == 1);
    assert!(stream.join());
    assert_eq!(world.lines.duplicates(), 0);
    assert!(failed_records(&world)[0].raw_data.len() > 100);
}
