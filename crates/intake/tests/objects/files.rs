//! Files: a folder once, again and again, and what is not to be read yet.

use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use intake::objects::files::{Config, Source};
use intake::objects::{Limits, Reason, State, Stats};
use metric::Format;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::common::{House, SOON, object, wait_for};

fn config(path: &Path) -> Config {
    Config {
        name: "captures".to_owned(),
        path: Some(path.to_owned()),
        interval: None,
        limits: Limits::default(),
    }
}

/// Writes a file that looks a minute old.
fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
    let then = SystemTime::now() - Duration::from_secs(60);
    let file = File::options().append(true).open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(then)).unwrap();
}

/// Runs a source to its end.
fn once(house: &House, config: Config) -> Arc<Stats> {
    let source = Source::new(config, house.parts());
    let stats = source.stats();
    let (_stop, stopped) = watch::channel(false);
    let runtime = Runtime::new().unwrap();
    let ended = runtime.block_on(async { tokio::time::timeout(SOON, source.run(stopped)).await });
    ended.expect("it ends");
    stats
}

/// *Scenario:* a folder of objects in folders, beside files that are hidden, partial or poison; then
/// the same folder with one file more and one written anew.
/// *Guarantees:* all points are stored once, in the order of the names; only what is new is read the
/// second time; the source is done.
#[test]
fn a_folder_is_read_once() {
    let mut house = House::new();
    let folder = house.dir.join("captures");
    put(&folder.join("b/2.json"), object(Format::Json, 20, 1));
    put(&folder.join("b/1.bin"), object(Format::Otel10, 20, 2));
    put(&folder.join("a.bin"), object(Format::Otel07, 20, 3));
    put(&folder.join(".hidden"), object(Format::Json, 20, 4));
    put(&folder.join("c.part"), object(Format::Json, 20, 5));
    put(&folder.join("d.csv"), "a,b\n1,2\n");
    let stats = once(&house, config(&folder));
    assert!(stats.is_done() && stats.state() == State::Done);
    assert_eq!((stats.objects.get(), stats.rejected(Reason::Text)), (4, 1));
    let stored = house.stored();
    let order: Vec<&str> =
        stored.iter().map(|stored| stored.header.request_id.rsplit('/').next().unwrap()).collect();
    assert_eq!(order, ["a.bin#0", "1.bin#0", "2.json#0"]);
    put(&folder.join("e"), object(Format::Json, 30, 6));
    put(&folder.join("a.bin"), object(Format::Otel10, 40, 7));
    let stats = once(&house, config(&folder));
    assert_eq!((stats.objects.get(), house.points()), (2, 70));
}

/// *Scenario:* a file is still being written when the folder is read once.
/// *Guarantees:* it waits until the file has settled, and reads it whole.
#[test]
fn a_file_being_written_waits() {
    let mut house = House::new();
    let path = house.dir.write("now.json", object(Format::Json, 20, 1));
    let stats = once(&house, config(&path));
    assert_eq!((stats.objects.get(), house.points()), (1, 20));
}

/// *Scenario:* the folder is not there yet, appears, and gets files while it is looked at.
/// *Guarantees:* the state says what is missing; each file is read when it is there.
#[test]
fn a_folder_is_looked_at_again() {
    let mut house = House::new();
    let folder = house.dir.join("later");
    let source = Source::new(
        Config { interval: Some(Duration::from_millis(10)), ..config(&folder) },
        house.parts(),
    );
    let stats = source.stats();
    let (stop, stopped) = watch::channel(false);
    let runtime = Runtime::new().unwrap();
    let task = runtime.spawn(source.run(stopped));
    wait_for(&stats, "a refusal", |stats| matches!(stats.state(), State::Refused(_)));
    put(&folder.join("one"), object(Format::Json, 20, 1));
    wait_for(&stats, "one", |stats| stats.objects.get() == 1);
    put(&folder.join("two"), object(Format::Json, 20, 2));
    wait_for(&stats, "two", |stats| stats.objects.get() == 2);
    wait_for(&stats, "calm", |stats| stats.state() == State::Waiting);
    stop.send_replace(true);
    runtime.block_on(task).unwrap();
    assert_eq!((house.points(), stats.is_done()), (40, false));
}

/// *Scenario:* the ledger is lost after everything was read.
/// *Guarantees:* all is read again and nothing is stored twice.
#[test]
fn a_lost_ledger_costs_only_reading() {
    let mut house = House::new();
    let folder = house.dir.join("captures");
    put(&folder.join("one"), object(Format::Json, 20, 1));
    once(&house, config(&folder));
    assert_eq!(house.points(), 20);
    fs::remove_file(house.dir.join("state/files")).unwrap();
    let stats = once(&house, config(&folder));
    assert_eq!((stats.objects.get(), stats.repeats.get(), house.points()), (1, 1, 0));
}

/// *Scenario:* as many files are done as can be remembered, and one more comes; then they are moved
/// away.
/// *Guarantees:* the further one waits and the state says why: none is forgotten and read again; it
/// is read when there is room.
#[test]
fn more_files_than_can_be_remembered_wait() {
    let mut house = House::new();
    let folder = house.dir.join("captures");
    put(&folder.join("one"), object(Format::Json, 20, 1));
    once(&house, config(&folder));
    // The ledger's own layout: magic, no words, entries of 24 bytes, a sum.
    let path = house.dir.join("state/files");
    let written = fs::read(&path).unwrap();
    let mut full = written[..written.len() - 4].to_vec();
    for n in 1..200_000_u128 {
        full.extend_from_slice(&n.to_le_bytes());
        full.extend_from_slice(&0_i64.to_le_bytes());
    }
    let sum = codec::checksum::crc32c(0x6c65_6467, &full);
    full.extend_from_slice(&sum.to_le_bytes());
    fs::write(&path, full).unwrap();
    put(&folder.join("two"), object(Format::Json, 30, 2));
    let again = Config { interval: Some(Duration::from_millis(10)), ..config(&folder) };
    let source = Source::new(again, house.parts());
    let stats = source.stats();
    let (stop, stopped) = watch::channel(false);
    let runtime = Runtime::new().unwrap();
    let task = runtime.spawn(source.run(stopped));
    // The first round ends with what is gone from the folder forgotten; the next has room.
    wait_for(&stats, "a refusal", |stats| stats.snapshot().last_failure.is_some());
    wait_for(&stats, "two", |stats| stats.objects.get() == 1);
    wait_for(&stats, "calm", |stats| stats.state() == State::Waiting);
    stop.send_replace(true);
    runtime.block_on(task).unwrap();
    let told = stats.snapshot().last_failure.unwrap();
    assert!(told.text.contains("200000 files") && told.remedy.is_some());
    assert_eq!(house.points(), 50);
}
