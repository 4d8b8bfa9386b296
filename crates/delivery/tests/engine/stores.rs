//! Backup and quarantine: nothing overwritten, nothing stored twice, nothing counted twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use codec::container::Container;
use delivery::{Buffering, S3Backup, Stats};
use journal::sim::SimDisk;
use metric::Format;
use remote::aws::IdentityConfig;
use testkit::Reply;

use super::queues;
use crate::world::{MINUTE_MS, World, accepted, backed_up, delivered, plain, wait_until};
use crate::{failed_records, undelivered};

/// Scenario: retries run out while the oldest request of an entry is under way; it fails too, later.
/// Guarantees: both parts of the entry are in the backup: the second file does not replace the first.
#[test]
fn a_request_under_way_at_the_sweep_does_not_overwrite_what_was_swept() {
    let world = World::new("overwrite");
    world.peer.set_script(|request| {
        // The first thousand points: under way for long.
        let slow = plain(request).contains("\"q-0\"");
        if slow {
            Reply::status(503).after(Duration::from_millis(1500))
        } else {
            Reply::status(503)
        }
    });
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.retry_duration = Duration::from_millis(400);
    let stream = world.start(config, &stats);
    world.deliver(&queues(0..2500, MINUTE_MS), true);
    wait_until("everything is swept", || backed_up(&stats) == 2500);
    assert!(stream.join());
    assert_eq!(undelivered(&failed_records(&world)), 2500);
}

/// Scenario: the disk does not make a cursor durable for a while, in which points are delivered.
/// Guarantees: it is told, and no more when the disk is well again.
#[test]
fn a_cursor_that_is_not_durable_is_told() {
    let disk = SimDisk::new(11);
    let world = World::on(Arc::new(disk.clone()), "cursor");
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    let fails = Arc::new(AtomicBool::new(true));
    let (hooked, failing) = (disk.clone(), Arc::clone(&fails));
    disk.on_sync(Arc::new(move |path| {
        if path.to_string_lossy().contains(".cursor") && failing.load(Ordering::Relaxed) {
            hooked.fail_syncs(0, 1);
        }
    }));
    world.deliver(&queues(0..10, MINUTE_MS), true);
    wait_until("it is told", || stats.state().cursor_failure.is_some());
    let told = stats.state().cursor_failure.unwrap();
    assert!(told.starts_with("its place in aws cannot be synced ("), "{told}");
    fails.store(false, Ordering::Relaxed);
    wait_until("the disk is well again", || stats.state().cursor_failure.is_none());
    assert!(stream.join());
    assert_eq!((delivered(&stats), disk.violations()), (10, Vec::new()));
}

/// Scenario: points wait for a backup that fails, when their backlog is dropped by command.
/// Guarantees: they are counted once, as dropped, also when the backup works again.
#[test]
fn what_waits_for_the_backup_is_dropped_once() {
    let world = World::new("drop-failed");
    world.peer.set(Reply::json(400, "{}"));
    let file = world.dir.write("backup", "in the way");
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    world.deliver(&queues(0..500, MINUTE_MS), true);
    wait_until("it says so", || stats.state().backup_failure.is_some());
    assert_eq!(stream.drop_backlog().unwrap(), 500);
    std::fs::remove_file(file).unwrap();
    world.peer_takes_all();
    world.deliver(&queues(500..600, MINUTE_MS), true);
    wait_until("the new data", || delivered(&stats) == 100);
    assert!(stream.join());
    assert_eq!((backed_up(&stats), stats.dropped.load(Ordering::Relaxed)), (0, 500));
    assert_eq!(failed_records(&world).len(), 0);
}

/// Scenario: the destination refuses one line of a request, the quarantine cannot be written, and the
/// backlog is dropped by command; then the quarantine works again.
/// Guarantees: what was delivered is not dropped, sent or counted again, and the line is kept.
#[test]
fn what_waits_for_the_quarantine_is_not_dropped() {
    let world = World::new("drop-stuck");
    let lines = world.lines.clone();
    world.peer.set_script(move |request| {
        let n = lines.take(request);
        let body = format!(
            r#"{{"linesOk":{},"linesInvalid":1,"error":{{"code":400,"message":"1 invalid line","invalidLines":[{{"line":2,"error":"bad dimension"}}]}},"warnings":null}}"#,
            n - 1
        );
        Reply::json(400, &body)
    });
    let file = world.dir.write("quarantine", "in the way");
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    world.deliver(&queues(0..500, MINUTE_MS), true);
    wait_until("it says so", || stats.state().quarantine_failure.is_some());
    assert_eq!(stream.drop_backlog().unwrap(), 0);
    std::fs::remove_file(file).unwrap();
    wait_until("the line is kept", || stats.quarantined().get("refused") == Some(&1));
    world.peer_takes_all();
    world.deliver(&queues(500..600, MINUTE_MS), true);
    wait_until("the new data", || delivered(&stats) == 599);
    assert!(stream.join());
    assert_eq!((world.lines.distinct(), world.lines.duplicates()), (600, 0));
    assert_eq!(world.lines_below("quarantine").len(), 1);
}

/// Scenario: a record with a bad line whose points are refused for good, while the backup fails.
/// Guarantees: the tries that fail do not fill the quarantine: the bad line is kept once.
#[test]
fn a_failing_backup_does_not_fill_the_quarantine() {
    let world = World::new("twice");
    world.peer.set(Reply::json(400, "{}"));
    let file = world.dir.write("backup", "in the way");
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    let mut records = queues(0..300, MINUTE_MS);
    records[1].extend_from_slice(b"{\"namespace\": oops}\n");
    world.deliver(&records, true);
    wait_until("it says so", || stats.state().backup_failure.is_some());
    std::fs::remove_file(file).unwrap();
    wait_until("the backup", || backed_up(&stats) == 300);
    assert!(stream.join());
    assert_eq!(stats.quarantined().values().sum::<u64>(), 1);
    assert_eq!(world.lines_below("quarantine").len(), 1);
}

/// Scenario: points that were too old on arrival, and points that grew old while held.
/// Guarantees: the first are quarantined as too_old, the second go with their record to backup.
#[test]
fn old_points_are_kept_by_the_reason_of_their_age() {
    let world = World::new("old");
    let (long_ago, now) = (MINUTE_MS - 7_200_000, world.now_ms());
    world.deliver(&queues(0..10, long_ago), true);
    // Arrived an hour and a half ago with points of then: they were held too long.
    world.deliver_at(&queues(10..30, now - 5_400_000), now - 5_395_000);
    world.deliver(&queues(30..60, MINUTE_MS), true);
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    wait_until("all is settled", || delivered(&stats) == 30 && backed_up(&stats) == 20);
    assert!(stream.join());
    assert_eq!(stats.quarantined().get("too_old"), Some(&10));
    let records = failed_records(&world);
    assert_eq!(undelivered(&records), 20);
    assert!(records.iter().all(|r| r.error_code == "Dynatrace.TooOld"), "{records:?}");
    assert_eq!(world.lines_below("quarantine").len(), 10);
}

/// Scenario: of one record the first points grew old while held, the next are settled already, and the
/// destination does not take the rest.
/// Guarantees: the old ones are in the backup as soon as they are counted, whatever becomes of the rest.
#[test]
fn old_points_before_a_settled_range_go_with_their_parcel() {
    let world = World::new("old-settled");
    world.hold("s");
    world.peer.set(Reply::status(503));
    let then = world.now_ms() - 5_400_000;
    let mut record = queues(0..20, then).concat();
    record.extend(queues(20..30, MINUTE_MS).concat());
    world.deliver_at(&[record], then + 5_000);
    world.settle("s", 10..20);
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    wait_until("the old ones", || backed_up(&stats) == 10);
    assert_eq!(undelivered(&failed_records(&world)), 10);
    assert!(stream.join());
}

/// Scenario: AllData, with a large entry, a stop, and a second delivery after it.
/// Guarantees: the files hold every record as it came, once, in order, beside the delivery.
#[test]
fn all_data_copies_every_record() {
    let mut world = World::new("all-data");
    world.hold("s");
    world.hold("s.all-data");
    let mut config = world.config("s");
    config.backup.mode = delivery::BackupMode::AllData;
    let options =
        rehearsal::payload::Options { metrics: 40_000, series: 40_000, ..Default::default() };
    let first = rehearsal::payload::records(&options, Format::Json);
    let second = queues(0..20_000, MINUTE_MS);
    world.deliver_aside(&first, true);
    let mut expected = first.concat();
    assert!(expected.len() > 12_000_000, "large: {}", expected.len());
    let stats = Arc::<Stats>::default();
    let stream = world.start(config.clone(), &stats);
    let copied = |world: &World| world.bytes_below("backup", "records");
    wait_until("the first is copied", || copied(&world).concat().len() == expected.len());
    let largest = copied(&world).iter().map(Vec::len).max().unwrap();
    assert!(largest < 8 << 20, "a large entry is not gathered whole: {largest}");
    wait_until("and delivered", || delivered(&stats) == 40_000);
    assert!(stream.join());
    world.reopen();
    world.deliver(&second, true);
    expected.extend(second.concat());
    let stream = world.start(config, &stats);
    wait_until("the second is copied", || copied(&world).concat().len() == expected.len());
    wait_until("and delivered", || delivered(&stats) == 60_000);
    assert!(stream.join());
    assert!(copied(&world).concat() == expected);
}

/// Scenario: AllData with a bucket whose hints are 60 s and more bytes than a file may have: a
/// delivery that is younger, one that is older, and a large one.
/// Guarantees: what is there is copied when the oldest of it is 60 s old; the large one at once.
#[test]
fn hints_of_the_bucket_say_when_all_data_is_copied() {
    let world = World::new("all-data-hints");
    let mut config = world.config("s");
    config.backup.mode = delivery::BackupMode::AllData;
    let all_data = Buffering { size_bytes: 64 << 20, interval: Duration::from_secs(60) };
    config.backup.s3 = Some(S3Backup { all_data, ..out_of_reach(&world, "") });
    let stats = Arc::<Stats>::default();
    let stream = world.start(config, &stats);
    let copied = || world.bytes_below("backup", "records").concat();
    let (young, old) = (queues(0..10, MINUTE_MS), queues(10..20, MINUTE_MS));
    let now_ms = MINUTE_MS + 120_000;
    world.deliver_at(&young, now_ms);
    wait_until("it is delivered", || delivered(&stats) == 10);
    assert!(copied().is_empty(), "it is not due");
    world.deliver_at(&old, now_ms - 60_000);
    let mut expected = [young.concat(), old.concat()].concat();
    wait_until("both are copied", || copied() == expected);
    let options =
        rehearsal::payload::Options { metrics: 20_000, series: 20_000, ..Default::default() };
    let large = rehearsal::payload::records(&options, Format::Json);
    expected.extend(large.concat());
    world.deliver_aside(&large, true);
    wait_until("the large one is copied", || copied().len() == expected.len());
    assert!(copied() == expected && stream.join());
}

/// Scenario: requests take long, more of them wait than may be under way.
/// Guarantees: the worker sleeps meanwhile.
#[test]
fn a_slow_destination_does_not_make_the_worker_spin() {
    let world = World::new("spin");
    world.peer.set(Reply::status(503).after(Duration::from_secs(2)));
    for n in 0..8 {
        world.deliver(&queues(n * 1000..(n + 1) * 1000, MINUTE_MS), true);
    }
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.concurrency = 2;
    let (parts, asked) = super::counted_parts(&world, &stats);
    let sink = delivery::sink::Config::Dynatrace(world.dynatrace());
    let stream = delivery::Stream::start(config, &sink, parts).unwrap();
    world.peer.wait_for(2, Duration::from_secs(10));
    std::thread::sleep(Duration::from_millis(200));
    let before = asked.load(Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(1000));
    let rounds = asked.load(Ordering::Relaxed) - before;
    assert!(rounds < 100, "{rounds} looks at the clock in a second");
    world.peer.set_script(|request| accepted(plain(request).lines().count()));
    assert!(stream.join());
}

/// A bucket that cannot be reached, so that backups stay in their folder.
fn out_of_reach(world: &World, error_output_prefix: &str) -> S3Backup {
    S3Backup {
        bucket: "backups".to_owned(),
        prefix: String::new(),
        error_output_prefix: error_output_prefix.to_owned(),
        compression: Container::Gzip,
        kms_key_id: None,
        version: 1,
        all_data: Buffering::ALL_DATA,
        identity: IdentityConfig {
            region: Some("eu-west-1".to_owned()),
            profile: None,
            endpoint_url: Some(format!("http://127.0.0.1:{}", testkit::closed_port())),
            assume_role: None,
            client: world.dynatrace().client,
        },
    }
}

/// Scenario: what a destination refuses goes to a backup with a bucket, which cannot be reached or
/// has no credentials for us; the stream is stopped.
/// Guarantees: the stream goes on as without a bucket; the file stays in its folder, and both are
/// told. A prefix that is wrong is refused at the start.
#[test]
fn a_bucket_holds_up_nobody() {
    let world = World::new("bucket");
    world.peer.set(Reply::json(400, "{}"));
    let mut config = world.config("s");
    let bucket = out_of_reach(&world, "f/!{timestamp:yyyy}/");
    config.backup.s3 = Some(bucket.clone());
    let sink = delivery::sink::Config::Blackhole;
    let stats = Arc::<Stats>::default();
    let refused = delivery::Stream::start(config.clone(), &sink, world.parts(&stats)).err();
    assert!(refused.unwrap().contains("must contain !{firehose:error-output-type}"));
    assert!(bucket.check().unwrap_err().starts_with("error_output_prefix: "));

    config.backup.s3 = Some(S3Backup { error_output_prefix: String::new(), ..bucket });
    let stream = world.start(config, &stats);
    world.deliver(&queues(0..500, MINUTE_MS), true);
    wait_until("it is backed up", || backed_up(&stats) == 500);
    wait_until("it is told", || stats.state().upload_failure.is_some());
    world.peer_takes_all();
    world.deliver(&queues(500..600, MINUTE_MS), true);
    wait_until("the next data is delivered", || delivered(&stats) == 100);
    assert!(stream.lives() && stream.join());
    assert_eq!(stats.state().backup_failure, None);
    assert_eq!(stats.pending_files.load(Ordering::Relaxed), 1);
    assert_eq!(undelivered(&failed_records(&world)), 500);
}
