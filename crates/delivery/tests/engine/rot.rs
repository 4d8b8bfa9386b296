//! Rot: a body that the disk does not give back as it was written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use delivery::{BackupMode, Stats};
use metric::Format;
use testkit::Reply;

use super::queues;
use crate::world::{MINUTE_MS, World, accepted, backed_up, delivered, wait_until};
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
