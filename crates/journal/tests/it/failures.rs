//! A disk that fails, fills up, or cannot be read: nothing acknowledged is lost and reading goes on.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use journal::sim::SimDisk;
use journal::{Appended, Body, Item, Journal, OpenError, Options, Refused, Start, Topic};

use crate::common::{Dir, append, at, body, item, keyed, read_from, small, store};

const ROOT: &str = "/data/journal";

fn open(disk: &SimDisk, options: Options) -> Journal {
    Journal::open_on(Arc::new(disk.clone()), Path::new(ROOT), options).unwrap().0
}

fn wait_until_taken(topic: &Topic) {
    while topic.refusing().is_some() {
        std::thread::yield_now();
    }
}

/// *Scenario:* one sync fails under a keyed append; then the disk is well again.
/// *Guarantees:* the sender is refused with the reason, what was there is read on, the topic recovers by
/// itself in a new segment, the retry is stored (not taken for a repeat), and sequences go on upwards.
#[test]
fn a_failed_sync() {
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        let journal = open(&disk, small());
        let topic = journal.topic("aws").unwrap();
        let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
        store(&topic, keyed(1, 1, b"before"));
        disk.fail_syncs(0, 1 + seed % 3);
        let refused = append(&topic, keyed(2, 1, b"refused")).unwrap_err();
        assert!(matches!(&refused, Refused::Disk(text) if text.contains("sync")), "{refused}");
        assert_eq!(read_from(&cursor, 0).len(), 1, "reading goes on");
        wait_until_taken(&topic);
        let after = store(&topic, keyed(2, 1, b"refused"));
        assert!(after > 1);
        let all = read_from(&cursor, 0);
        assert_eq!(all.iter().map(|(one, ..)| *one).collect::<Vec<_>>(), [0, after]);
        cursor.settle(at(0), at(1)).unwrap();
        cursor.settle(at(after), at(after + 1)).unwrap();
        assert_eq!(cursor.low(), at(topic.end()), "the refused sequence is stepped over");
        cursor.sync().unwrap();
        assert!(journal.status()[0].sync_failures >= 1);
        assert_eq!(disk.violations(), Vec::<String>::new());
    }
}

/// *Scenario:* the process is killed behind a write, or behind a sync that failed, so the next one sees bytes
/// in the kernel's memory that are not on the disk; it is asked for a repeat, and power fails.
/// *Guarantees:* I1: what is called a repeat is durable by then, whatever the kernel had shown.
#[test]
fn i1_seen_is_not_durable() {
    let mut appeared = 0;
    for seed in 0..60 {
        let disk = SimDisk::new(seed);
        let journal = open(&disk, small());
        let topic = journal.topic("aws").unwrap();
        drop(topic.cursor("one", Start::Oldest).unwrap());
        store(&topic, keyed(1, 1, b"before"));
        if seed % 2 == 0 {
            disk.stop_at(disk.operations() + 2);
        } else {
            disk.fail_syncs(0, 1);
            disk.stop_at(disk.operations() + 3);
        }
        append(&topic, keyed(2, 1, b"refused")).unwrap_err();
        let disk = disk.kill();
        let journal = open(&disk, small());
        let topic = journal.topic("aws").unwrap();
        let again = append(&topic, keyed(2, 1, b"refused")).unwrap();
        appeared += u32::from(again == Appended::Repeat);
        let journal = open(&disk.power_cut(), small());
        let cursor = journal.topic("aws").unwrap().cursor("one", Start::Oldest).unwrap();
        let bodies: Vec<Vec<u8>> =
            read_from(&cursor, 0).into_iter().map(|(.., body)| body).collect();
        assert_eq!(bodies, [b"before".to_vec(), b"refused".to_vec()], "seed {seed}");
    }
    assert!(appeared > 30, "the trap was met {appeared} times");
}

/// *Scenario:* a cursor's sync fails; then power fails.
/// *Guarantees:* nothing is freed on the strength of it, the file is not synced again but made anew, and the
/// next sync holds.
#[test]
fn a_failed_cursor_sync() {
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        let journal = open(&disk, small());
        let topic = journal.topic("aws").unwrap();
        let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
        for _ in 0..20 {
            store(&topic, item("", &[1; 3000]));
        }
        let files = disk.files().len();
        cursor.settle(at(0), at(10)).unwrap();
        disk.fail_syncs(0, 1);
        cursor.sync().unwrap_err();
        assert_eq!(disk.files().len(), files, "freed though the cursor is not durable");
        cursor.settle(at(10), at(18)).unwrap();
        cursor.sync().unwrap();
        assert!(disk.files().len() < files);
        assert_eq!(disk.violations(), Vec::<String>::new());
        let journal = open(&disk.power_cut(), small());
        assert_eq!(journal.status()[0].cursors[0].low, at(18));
    }
}

/// *Scenario:* the disk fills up while appends go on, then space is made.
/// *Guarantees:* senders are refused with a text that says what to do; what was acknowledged is read; appends
/// are taken again by themselves.
#[test]
fn a_full_disk() {
    let disk = SimDisk::new(1);
    let journal = open(&disk, small());
    let topic = journal.topic("aws").unwrap();
    let cursor = topic.cursor("one", Start::Oldest).unwrap();
    disk.set_capacity(Some(80 * 1024));
    let mut stored = 0;
    let refused = loop {
        match append(&topic, item("", &[1; 3000])) {
            Ok(_) => stored += 1,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(&refused, Refused::Disk(text) if text.contains("disk_budget")), "{refused}");
    assert!(stored > 10);
    assert_eq!(read_from(&cursor, 0).len(), stored);
    assert!(topic.refusing().is_some());
    while journal.status()[0].sync_failures < 50 {
        std::thread::yield_now();
    }
    disk.set_capacity(None);
    wait_until_taken(&topic);
    store(&topic, item("", &[1; 3000]));
    let held = journal.status()[0].held;
    assert!(held <= disk.used() && held < 120 * 1024, "{held}: what failed is given back");
    let journal = open(&disk.power_cut(), small());
    let cursor = journal.topic("aws").unwrap().cursor("one", Start::Oldest).unwrap();
    assert_eq!(read_from(&cursor, 0).len(), stored + 1);
}

/// *Scenario:* the disk is so full that nothing can be written, and the journal is opened.
/// *Guarantees:* the start goes on, reading and settling work, and freeing makes room.
#[test]
fn a_start_on_a_full_disk() {
    let disk = SimDisk::new(2);
    let journal = open(&disk, small());
    let topic = journal.topic("aws").unwrap();
    drop(topic.cursor("one", Start::Oldest).unwrap());
    for number in 0..20 {
        store(&topic, keyed(number, 1, &[1; 3000]));
    }
    journal.close();
    let disk = disk.power_cut();
    disk.set_capacity(Some(disk.used()));
    let journal = open(&disk, small());
    let topic = journal.topic("aws").unwrap();
    let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
    assert_eq!(read_from(&cursor, 0).len(), 20);
    append(&topic, item("", &[1; 3000])).unwrap_err();
    cursor.settle(at(0), at(20)).unwrap();
    cursor.sync().unwrap();
    disk.set_capacity(Some(disk.used() + 20 * 1024));
    wait_until_taken(&topic);
    cursor.sync().unwrap();
    store(&topic, item("", &[1; 3000]));
}

/// *Scenario:* a stretch of the disk cannot be read, in a body.
/// *Guarantees:* the reader is told which entry, nothing is settled or skipped by itself, and reading on from
/// the next sequence works.
#[test]
fn unreadable_bytes() {
    let disk = SimDisk::new(3);
    let journal = open(&disk, small());
    let topic = journal.topic("aws").unwrap();
    let cursor = topic.cursor("one", Start::Oldest).unwrap();
    for _ in 0..3 {
        store(&topic, item("", &[1; 5000]));
    }
    let path = disk.files().into_iter().find(|path| path.extension().is_some_and(|e| e == "log"));
    disk.fail_reads(&path.unwrap(), 10_000..14_000);
    assert_eq!(cursor.read(0).unwrap().unwrap().sequence, 0);
    let error = cursor.read(1).unwrap_err();
    assert_eq!(error.sequence, 1, "{error}");
    assert_eq!(cursor.low(), at(0));
    assert_eq!(cursor.read(2).unwrap().unwrap().sequence, 2);
}

/// *Scenario:* the directory of the journal cannot be made.
/// *Guarantees:* an error that says what was tried on which path.
#[test]
fn an_impossible_directory() {
    let dir = Dir::new();
    let file = dir.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let error = Journal::open(&file.join("journal"), small()).map(|_| ()).unwrap_err();
    assert!(matches!(&error, OpenError::Io { doing: "creating", .. }), "{error}");
}

/// *Scenario:* appends pile up behind a sync that does not return.
/// *Guarantees:* the queue is bounded in bytes; who comes then is refused at once, on his own thread; all that
/// was queued is written in the end.
#[test]
fn a_slow_disk() {
    let disk = SimDisk::new(4);
    let options = Options { budget_bytes: 1 << 30, topic_bytes: 1 << 30, ..Options::default() };
    let journal = open(&disk, Options { segment_bytes: 96 << 20, ..options });
    let topic = journal.topic("aws").unwrap();
    store(&topic, item("", b"makes the segment"));
    let (release, gate) = sync_channel::<()>(0);
    let gate = std::sync::Mutex::new(gate);
    disk.on_sync(Arc::new(move |_| assert!(gate.lock().unwrap().recv().is_err())));
    let body = bytes::Bytes::from(vec![1; 8 << 20]);
    let (told, answers) = sync_channel(64);
    let mut refused = None;
    for _ in 0..24 {
        let told = told.clone();
        let item =
            journal::Item { key: None, head: Vec::new(), body: journal::Body::Bytes(body.clone()) };
        topic.append(item, Box::new(move |outcome| told.send(outcome).unwrap()));
        if let Ok(Err(answer)) = answers.try_recv() {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.unwrap();
    assert!(refused.to_string().contains("wait for the disk"), "{refused}");
    drop(release);
    journal.close();
    drop(told);
    assert!(answers.iter().all(|answer| answer.is_ok()));
}

/// *Scenario:* a sync does not return; later it does; later the journal is closed.
/// *Guarantees:* the journal says which topic is stuck, and only for as long as it is.
#[test]
fn a_stuck_writer_is_told() {
    let disk = SimDisk::new(6);
    let journal = open(&disk, small());
    let topic = journal.topic("aws").unwrap();
    store(&topic, item("", b"makes the segment"));
    let limit = Duration::from_millis(20);
    let becomes = |wanted: Option<&str>| {
        (0..1000).any(|_| {
            std::thread::sleep(limit);
            journal.stuck(limit).as_deref() == wanted
        })
    };
    assert!(becomes(None), "it waits for work");
    let (release, gate) = sync_channel::<()>(0);
    let gate = std::sync::Mutex::new(gate);
    disk.on_sync(Arc::new(move |_| assert!(gate.lock().unwrap().recv().is_err())));
    topic.append(item("", b"x"), Box::new(|_| {}));
    assert!(becomes(Some("aws")), "its sync does not return");
    assert_eq!(journal.stuck(Duration::from_secs(600)), None, "not for that long yet");
    drop(release);
    store(&topic, item("", b"y"));
    assert!(becomes(None), "it waits for work again");
    journal.close();
    assert_eq!(journal.stuck(limit).as_deref(), Some("aws"), "its writer has ended");
}

/// *Scenario:* the same cursor is opened twice, forgotten while open, closed, forgotten.
/// *Guarantees:* one owner at a time; forgetting frees what only it held; the stream of a removed cursor shows
/// in the status until then.
#[test]
fn cursors_have_one_owner() {
    let disk = SimDisk::new(5);
    let journal = open(&disk, small());
    let topic = journal.topic("aws").unwrap();
    let cursor = topic.cursor("one", Start::Oldest).unwrap();
    for _ in 0..20 {
        store(&topic, item("", &[1; 3000]));
    }
    assert!(topic.cursor("one", Start::Oldest).is_err());
    assert!(journal.forget("one").is_err());
    drop(cursor);
    let status = journal.status().remove(0);
    assert_eq!((status.cursors[0].open, status.cursors[0].entries), (false, 20));
    assert!(status.cursors[0].bytes > 60_000);
    let before = journal.bytes();
    assert!(journal.forget("one").unwrap() > 40_000);
    assert!(journal.bytes() < before - 40_000);
    assert_eq!(journal.forget("one").unwrap(), 0);
    assert!(journal.status()[0].cursors.is_empty());
    let newest = topic.cursor("one", Start::Newest).unwrap();
    assert_eq!(newest.low(), at(20));
}

/// *Scenario:* two cursors are past all segments, one of them not yet durably.
/// *Guarantees:* nothing is freed before both marks are durable.
#[test]
fn nothing_is_freed_on_an_unsynced_mark() {
    let disk = SimDisk::new(6);
    let journal = open(&disk, small());
    let topic = journal.topic("aws").unwrap();
    let mut one = topic.cursor("one", Start::Oldest).unwrap();
    let mut two = topic.cursor("two", Start::Oldest).unwrap();
    for _ in 0..20 {
        store(&topic, item("", &[1; 3000]));
    }
    let files = disk.files().len();
    one.settle(at(0), at(20)).unwrap();
    two.settle(at(0), at(20)).unwrap();
    two.sync().unwrap();
    assert_eq!(disk.files().len(), files);
    one.sync().unwrap();
    assert!(disk.files().len() < files);
}

/// *Scenario:* a cursor is made in a topic that is new too, and power fails at once.
/// *Guarantees:* it is there, where it was.
#[test]
fn a_new_cursor_is_durable() {
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        let journal = open(&disk, small());
        drop(journal.topic("aws").unwrap().cursor("one", Start::Newest).unwrap());
        let journal = open(&disk.power_cut(), small());
        assert_eq!(journal.status()[0].cursors.len(), 1, "seed {seed}");
    }
}

/// *Scenario:* an append with a side file is refused after a failed sync; the side file is removed; power fails,
/// so that the frame may be back and the side file not. The sender comes again.
/// *Guarantees:* I1: it is stored again, or it is there.
#[test]
fn i1_a_refused_side_file_is_no_repeat() {
    for seed in 0..300 {
        let disk = SimDisk::new(seed);
        let options = Options { retry_after: Duration::from_secs(3600), ..small() };
        let journal = open(&disk, options.clone());
        let topic = journal.topic("aws").unwrap();
        drop(topic.cursor("one", Start::Oldest).unwrap());
        store(&topic, keyed(1, 1, b"before"));
        let mut side = topic.side_file().unwrap();
        side.write(b"by the side").unwrap();
        let side = side.finish().unwrap();
        disk.fail_syncs(0, 1);
        let refused = Item { body: Body::Side(side), ..keyed(2, 1, b"") };
        append(&topic, refused).unwrap_err();
        let journal = open(&disk.power_cut(), options);
        let topic = journal.topic("aws").unwrap();
        append(&topic, keyed(2, 1, b"by the side")).unwrap();
        let cursor = topic.cursor("one", Start::Oldest).unwrap();
        // The refused one may be back: then it is told as damaged, since its side file went.
        let last = topic.end() - 1;
        let entry = cursor.read(last).unwrap().unwrap();
        assert_eq!((entry.sequence, body(&entry.body)), (last, b"by the side".to_vec()), "{seed}");
    }
}

/// *Scenario:* an entry with a side file is settled and its side file freed; then the process restarts, while
/// the entry is still the last in the log.
/// *Guarantees:* its key is known: it was stored.
#[test]
fn a_freed_side_file_is_a_repeat() {
    let disk = SimDisk::new(1);
    let journal = open(&disk, small());
    let topic = journal.topic("aws").unwrap();
    let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
    let mut side = topic.side_file().unwrap();
    side.write(b"by the side").unwrap();
    let side = side.finish().unwrap();
    store(&topic, Item { body: Body::Side(side), ..keyed(2, 1, b"") });
    cursor.settle(at(0), at(1)).unwrap();
    cursor.sync().unwrap();
    assert!(!disk.files().iter().any(|path| path.to_str().unwrap().ends_with(".body")));
    let journal = open(&disk.kill(), small());
    let topic = journal.topic("aws").unwrap();
    assert_eq!(append(&topic, keyed(2, 1, b"by the side")), Ok(Appended::Repeat));
}
