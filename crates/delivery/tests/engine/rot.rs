//! Rot: a body that the disk does not give back as it was written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use delivery::{BackupMode, Stats};
use metric::Format;
use testkit::Reply;

use super::queues;
use crate::world::{MINUTE_MS, World, accepted, backed_up, delivered, plain, wait_until};
use crate::{failed_records, undelivered};

/// A way to spoil a side file; how much of so many bytes is left.
type Spoil = (&'static str, fn(&Path), fn(usize) -> usize);

const SPOILS: [Spoil; 3] = [
    ("altered", alter, |bytes| bytes),
    ("short", |path| cut(path, 1_000), |_| 1_000),
    ("gone", |path| std::fs::remove_file(path).unwrap(), |_| 0),
];

fn alter(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    *bytes.get_mut(middle).unwrap() ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, length: u64) {
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

/// The only side file.
fn side_file(world: &World) -> PathBuf {
    let folder = world.dir.join("journal").join("aws").join("side");
    let mut files = std::fs::read_dir(folder).unwrap().map(|one| one.unwrap().path());
    let only = files.next().unwrap();
    assert!(files.next().is_none());
    only
}

fn is_settled(world: &World) -> bool {
    world.journal.status().iter().flat_map(|topic| &topic.cursors).all(|one| one.entries == 0)
}

fn is_told(stats: &Stats) -> bool {
    stats.quarantined().get("unreadable_entry") == Some(&1)
}

/// The line of the quarantine, and what is left of the body.
fn kept(world: &World) -> (String, Vec<u8>) {
    let folder = std::fs::read_dir(world.dir.join("quarantine").join("s")).unwrap();
    let folder: Vec<PathBuf> = folder.map(|one| one.unwrap().path()).collect();
    let of = |extension: &str| {
        let mut files =
            folder.iter().filter(|path| path.extension().is_some_and(|e| e == extension));
        let only = files.next().unwrap_or_else(|| panic!("no {extension} in {folder:?}"));
        assert!(files.next().is_none(), "{folder:?}");
        std::fs::read(only).unwrap()
    };
    (String::from_utf8(of("ndjson")).unwrap(), of("body"))
}

/// Scenario: a side file is altered, cut short or removed before it is read; other deliveries stand
/// before and behind it.
/// Guarantees: none of its points goes out altered; it is told with its request and the number of its
/// records, counted by the journal, and what is left of it is kept; the others arrive.
#[test]
fn a_spoilt_side_file_is_told_and_holds_up_nobody() {
    for (name, spoil, left) in SPOILS {
        let world = World::new(&format!("rot-{name}"));
        world.hold("s");
        world.deliver_points(1, 300, Format::Otel10);
        world.deliver_aside(&queues(0..2_000, MINUTE_MS), false);
        world.deliver_points(3, 400, Format::Otel10);
        let path = side_file(&world);
        let bytes = std::fs::read(&path).unwrap();
        spoil(&path);
        let stats = Arc::<Stats>::default();
        let stream = world.start(world.config("s"), &stats);
        wait_until("the sound ones", || delivered(&stats) == 700);
        wait_until("the spoilt one is told", || is_told(&stats));
        assert!(stream.join());
        assert_eq!(world.lines.distinct(), 700);
        let (line, body) = kept(&world);
        assert!(line.contains("20 records of request request-1"), "{name}: {line}");
        assert!(body == bytes[..left(bytes.len())] || name == "altered", "{name}");
        assert_eq!(body.len(), left(bytes.len()), "{name}: all that can be read");
        assert_eq!(world.journal.status()[0].rotten_bytes, bytes.len() as u64, "{name}");
    }
}

/// Scenario: the destination is down and the retry duration is over; a side file in the backlog is
/// spoilt, behind what is being tried.
/// Guarantees: the sweep to the backup goes past it; it is told and kept like one that is read to be sent.
#[test]
fn a_spoilt_side_file_does_not_stop_a_sweep() {
    for (name, spoil, left) in SPOILS {
        let world = World::new(&format!("rot-sweep-{name}"));
        world.hold("s");
        for seed in 1..=4 {
            world.deliver_points(seed, 300, Format::Otel10);
        }
        world.deliver_aside(&queues(0..2_000, MINUTE_MS), false);
        world.deliver_points(5, 300, Format::Otel10);
        let bytes = std::fs::metadata(side_file(&world)).unwrap().len();
        spoil(&side_file(&world));
        world.peer.set(Reply::status(503));
        let mut config = world.config("s");
        config.retry_duration = std::time::Duration::ZERO;
        let stats = Arc::<Stats>::default();
        let stream = world.start(config, &stats);
        wait_until("the sound ones are kept", || backed_up(&stats) == 1_500);
        wait_until("the spoilt one is told", || is_told(&stats));
        assert!(stream.join());
        assert_eq!(undelivered(&failed_records(&world)), 1_500);
        let (line, body) = kept(&world);
        assert!(line.contains("20 records of request request-4"), "{name}: {line}");
        assert_eq!(body.len(), left(usize::try_from(bytes).unwrap()), "{name}");
    }
}

/// Scenario: the bodies of two deliveries in the log rot, one of them the last; others stand before and between.
/// The destination takes requests as they are, or only small ones, so that they are packed again.
/// Guarantees: each is told with its request and the number of its records, beside what the journal counts;
/// it holds up nobody.
#[test]
fn a_rotten_body_is_told_by_the_stream() {
    for lines_max in [usize::MAX, 300] {
        rot_in_the_log(lines_max);
    }
}

fn rot_in_the_log(lines_max: usize) {
    let world = World::new("rot-log");
    world.hold("s");
    let taken = world.lines.clone();
    world.peer.set_script(move |request| match plain(request).lines().count() > lines_max {
        true => Reply::status(413),
        false => accepted(taken.take(request)),
    });
    for number in 0..4 {
        world.deliver(&queues(number * 500..number * 500 + 500, MINUTE_MS), false);
    }
    let log = world.dir.join("journal").join("aws").join("0000000000000000.log");
    let mut bytes = std::fs::read(&log).unwrap();
    for number in [1, 3] {
        let mark = format!("\"requestId\":\"request-{number}\"");
        let at = bytes.windows(mark.len()).position(|window| window == mark.as_bytes()).unwrap();
        bytes.get_mut(at..at + 16).unwrap().fill(0xa5);
    }
    std::fs::write(&log, bytes).unwrap();
    let stats = Arc::<Stats>::default();
    let stream = world.start(world.config("s"), &stats);
    wait_until("the sound ones", || delivered(&stats) == 1_000);
    wait_until("the rotten ones", || stats.quarantined().get("unreadable_entry") == Some(&2));
    wait_until("all is settled", || is_settled(&world));
    assert!(stream.join());
    let lines = world.lines_below("quarantine");
    for number in [1, 3] {
        let told = format!("5 records of request request-{number}");
        assert_eq!(lines.iter().filter(|line| line.contains(&told)).count(), 1, "{lines:?}");
    }
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!((world.lines.distinct(), backed_up(&stats)), (1_000, 0));
}

/// Scenario: AllData; a side file is spoilt, a large delivery comes behind it.
/// Guarantees: the copier goes past it.
#[test]
fn a_spoilt_side_file_does_not_stop_the_copier() {
    let world = World::new("rot-copier");
    world.hold("s");
    world.hold("s.all-data");
    world.deliver_aside(&queues(0..2_000, MINUTE_MS), false);
    alter(&side_file(&world));
    let sound = queues(0..30_000, MINUTE_MS);
    world.deliver(&sound, true);
    let mut config = world.config("s");
    config.backup.mode = BackupMode::AllData;
    let taken = world.lines.clone();
    world.peer.set_script(move |request| accepted(taken.take(request)));
    let stats = Arc::<Stats>::default();
    let stream = world.start(config, &stats);
    wait_until("the sound one is copied", || {
        world.bytes_below("backup", "records").concat().len() == sound.concat().len()
    });
    wait_until("the spoilt one is told", || is_told(&stats));
    assert!(stream.join());
}
