//! The invariants of the house that this crate guards, by name.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

use journal::sim::SimDisk;
use journal::{Appended, Disk, Journal, Options, Refused, Start};

use crate::common::{append, at, hold_next_sync, item, keyed, read_from, small, store};

const ROOT: &str = "/data/journal";

fn open(disk: &SimDisk, options: Options) -> Journal {
    Journal::open_on(Arc::new(disk.clone()), Path::new(ROOT), options).unwrap().0
}

/// *Scenario:* the sync of a commit is held up while the writer is in it.
/// *Guarantees:* I1: nobody has heard yes before it returns, and no reader sees the entry; then both happen.
#[test]
fn i1_no_yes_before_sync() {
    let disk = SimDisk::new(1);
    let journal = open(&disk, small());
    let topic = journal.topic("aws").unwrap();
    let cursor = topic.cursor("one", Start::Oldest).unwrap();
    store(&topic, item("", b"makes the segment"));
    let (inside, leave) = hold_next_sync(&disk);
    let (told, answer) = sync_channel(1);
    topic.append(item("", b"x"), Box::new(move |outcome| told.send(outcome).unwrap()));
    inside.wait();
    assert!(answer.try_recv().is_err(), "yes was said before the sync");
    assert_eq!((topic.end(), read_from(&cursor, 0).len()), (1, 1));
    leave.wait();
    assert_eq!(answer.recv().unwrap(), Ok(Appended::Stored { sequence: 1, other_data: false }));
    assert_eq!((topic.end(), read_from(&cursor, 0).len()), (2, 2));
}

/// *Scenario:* a repeat arrives while the sync of the first one is held up, and that sync then fails.
/// *Guarantees:* I1: the repeat hears nothing before the first one does, and shares its fate.
#[test]
fn i1_a_repeat_in_flight_waits_for_the_first() {
    for fails in [false, true] {
        let disk = SimDisk::new(2);
        let journal = open(&disk, small());
        let topic = journal.topic("aws").unwrap();
        store(&topic, item("", b"makes the segment"));
        let (inside, leave) = hold_next_sync(&disk);
        disk.fail_syncs(0, u64::from(fails));
        let (told, answers) = sync_channel(3);
        for number in 0..3 {
            let told = told.clone();
            let done = Box::new(move |outcome| told.send((number, outcome)).unwrap());
            topic.append(keyed(7, 7, b"x"), done);
            if number == 0 {
                inside.wait();
            }
        }
        assert!(answers.try_recv().is_err(), "a repeat was answered before the first");
        leave.wait();
        let first = answers.recv().unwrap();
        let rest = [answers.recv().unwrap(), answers.recv().unwrap()];
        if fails {
            assert!(matches!(first, (0, Err(Refused::Disk(_)))), "{first:?}");
            // The next one is not a repeat of anything: it is refused too, or stored.
            let stored = rest.iter().filter(|(_, one)| matches!(one, Ok(Appended::Stored { .. })));
            assert!(stored.count() <= 1 && rest[0].1 != Ok(Appended::Repeat), "{rest:?}");
        } else {
            assert!(matches!(first, (0, Ok(Appended::Stored { .. }))), "{first:?}");
            assert!(rest.iter().all(|(_, one)| *one == Ok(Appended::Repeat)), "{rest:?}");
        }
    }
}

/// *Scenario:* bodies of all kinds, among them copies of the log's own bytes.
/// *Guarantees:* I2: they come back as they were, and no one takes them for anything else.
#[test]
fn i2_bodies_are_opaque() {
    let disk = SimDisk::new(3);
    let bodies: Vec<Vec<u8>> = {
        let journal = open(&disk, Options { segment_bytes: 1 << 20, ..small() });
        let topic = journal.topic("aws").unwrap();
        drop(topic.cursor("one", Start::Oldest).unwrap());
        let mut bodies = vec![vec![0; 5000], vec![0xff; 5000], b"HYfr".repeat(999), Vec::new()];
        for body in &bodies {
            store(&topic, item("h", body));
        }
        let path =
            disk.files().into_iter().find(|path| path.extension().is_some_and(|e| e == "log"));
        let log = disk.contents(&path.unwrap()).unwrap();
        for body in [log[..8192].to_vec(), log[4096..30_000].to_vec(), log[4100..20_000].to_vec()] {
            store(&topic, item("h", &body));
            bodies.push(body);
        }
        bodies
    };
    let disk = disk.power_cut();
    let journal = open(&disk, small());
    let cursor = journal.topic("aws").unwrap().cursor("one", Start::Oldest).unwrap();
    let read: Vec<Vec<u8>> = read_from(&cursor, 0).into_iter().map(|(.., body)| body).collect();
    assert!(read == bodies);
}

/// *Scenario:* two topics under one budget are filled, drained and filled again, with side files in between.
/// *Guarantees:* I7: the disk never holds more than the budget and a fixed bit per topic; refusals name the
/// holder; space that comes back is used.
#[test]
fn i7_the_disk_is_bounded() {
    let disk = SimDisk::new(4);
    let budget = 200 * 1024;
    let options = Options { budget_bytes: budget, topic_bytes: 150 * 1024, ..small() };
    // Per topic: the header of one segment, two slots a cursor, and the keys.
    let slack = 2 * (4096 + 8192 + 4096);
    let journal = open(&disk, options);
    let topics = [journal.topic("a").unwrap(), journal.topic("b").unwrap()];
    let mut cursors = topics.each_ref().map(|topic| topic.cursor("slow", Start::Oldest).unwrap());
    let mut refused = 0;
    let mut after_refusal = 0;
    for round in 0..400_u64 {
        let (topic, cursor) = (&topics[round as usize % 2], &mut cursors[round as usize % 2]);
        match append(topic, item("", &[1; 3000])) {
            Ok(_) => after_refusal += u64::from(refused > 0),
            Err(Refused::Full { used, limit, holder }) => {
                assert!(used <= limit && holder == "slow", "{used} {limit} {holder}");
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
        assert!(disk.used() <= budget + slack, "{} bytes", disk.used());
        if round % 97 == 96 {
            let end = at(cursor.end());
            cursor.settle(cursor.low(), end).unwrap();
            cursor.sync().unwrap();
            assert_eq!(topic.refusing(), None, "space came back");
        }
    }
    assert!(refused > 10 && after_refusal > 10, "{refused} {after_refusal}");
    let status = journal.status();
    assert!(status.iter().all(|topic| topic.bytes <= topic.held && topic.held < 180 * 1024));
}

/// *Scenario:* side files are written until the budget is spent.
/// *Guarantees:* I7: they count like everything else, the error says who holds the space, and it comes back.
#[test]
fn i7_side_files_count() {
    let disk = SimDisk::new(5);
    let journal = open(&disk, Options { budget_bytes: 64 * 1024, ..small() });
    let topic = journal.topic("a").unwrap();
    let mut writer = topic.side_file().unwrap();
    let error = loop {
        if let Err(error) = writer.write(&[0; 1000]) {
            break error;
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    assert!(error.to_string().contains("journal is full"), "{error}");
    assert!(disk.used() <= 64 * 1024);
    assert!(matches!(append(&topic, item("", b"x")), Err(Refused::Full { .. })));
    drop(writer);
    store(&topic, item("", b"x"));
}

/// *Scenario:* the data of the golden folder, written by release 0.1, is opened; and the same is written anew.
/// *Guarantees:* I8: every entry, cursor and key is read; and this release still writes the same bytes, so what
/// it writes is read by 0.1 as well.
#[test]
fn i8_the_format_is_pinned() {
    let golden = include_str!("golden_v1.txt");
    let written = crate::golden::write();
    assert!(written == golden, "the bytes on disk changed:\n{written}");
    crate::golden::check(&crate::golden::parse(golden));
}

/// *Scenario:* many threads append while each sync takes a while.
/// *Guarantees:* commits are shared: far fewer syncs than appends, each append answered once, in order.
#[test]
fn group_commit_groups() {
    let disk = SimDisk::new(6);
    let journal = open(&disk, Options { budget_bytes: 64 << 20, topic_bytes: 64 << 20, ..small() });
    let topic = journal.topic("aws").unwrap();
    let answered = Arc::new(AtomicU64::new(0));
    store(&topic, item("", b"makes the segment"));
    let (inside, leave) = hold_next_sync(&disk);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (topic, answered) = (topic.clone(), answered.clone());
            std::thread::spawn(move || {
                for _ in 0..50 {
                    let answered = answered.clone();
                    let done = move |outcome: Result<Appended, Refused>| {
                        outcome.unwrap();
                        answered.fetch_add(1, Ordering::SeqCst);
                    };
                    topic.append(item("", &[1; 100]), Box::new(done));
                }
            })
        })
        .collect();
    inside.wait();
    for thread in threads {
        thread.join().unwrap();
    }
    let before = disk.syncs();
    leave.wait();
    journal.close();
    assert_eq!(answered.load(Ordering::SeqCst), 200);
    // 200 frames of 160 bytes in commits of 8 KiB, in segments of 16 KiB.
    assert!(disk.syncs() - before < 40, "{} syncs", disk.syncs() - before);
    assert_eq!(topic.end(), 201);
}

/// *Scenario:* the same data is stored twice under one key, 2 h 16 min apart, and once in between.
/// *Guarantees:* a key is known for its time, also when its segment is freed and the process restarted.
#[test]
fn keys_are_kept_for_their_time() {
    let disk = SimDisk::new(7);
    let start = disk.now_ms();
    let journal = open(&disk, small());
    let topic = journal.topic("aws").unwrap();
    let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
    store(&topic, keyed(1, 1, b"x"));
    for number in 0..20 {
        store(&topic, keyed(100 + number, 1, &[0; 3000]));
    }
    let end = at(cursor.end());
    cursor.settle(at(0), end).unwrap();
    cursor.sync().unwrap();
    assert!(cursor.read(0).unwrap().is_none() || cursor.read(0).unwrap().unwrap().sequence > 1);
    drop((journal, topic, cursor));
    let disk = disk.power_cut();
    disk.set_now_ms(start + (2 * 60 + 14) * 60_000);
    let journal = open(&disk, small());
    let topic = journal.topic("aws").unwrap();
    assert_eq!(append(&topic, keyed(1, 1, b"x")), Ok(Appended::Repeat));
    let other = append(&topic, keyed(1, 2, b"y"));
    assert!(matches!(other, Ok(Appended::Stored { other_data: true, .. })), "{other:?}");
    disk.set_now_ms(start + (2 * 60 + 16) * 60_000);
    assert!(matches!(append(&topic, keyed(101, 1, b"x")), Ok(Appended::Stored { .. })));
}

/// *Scenario:* more keys than are kept.
/// *Guarantees:* the oldest is forgotten and counted, the youngest are known.
#[test]
fn keys_are_bounded() {
    let disk = SimDisk::new(8);
    let journal = open(&disk, Options { keys_max: 3, ..small() });
    let topic = journal.topic("aws").unwrap();
    for number in 0..5 {
        store(&topic, keyed(number, 1, b"x"));
    }
    assert_eq!(journal.status()[0].keys_evicted, 2);
    assert_eq!(append(&topic, keyed(4, 1, b"x")), Ok(Appended::Repeat));
    assert!(matches!(append(&topic, keyed(0, 1, b"x")), Ok(Appended::Stored { .. })));
}

/// *Scenario:* segments are freed and power fails before their removal is durable, so that some of them are
/// back and others not; they are freed again, and power fails again.
/// *Guarantees:* every key is still known, though the key file was written anew in between.
#[test]
fn keys_survive_half_a_removal() {
    for seed in 0..40 {
        let mut disk = SimDisk::new(seed);
        let journal = open(&disk, small());
        let topic = journal.topic("aws").unwrap();
        let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
        for number in 0..24 {
            store(&topic, keyed(number, 1, &[0; 3000]));
        }
        cursor.settle(at(0), at(23)).unwrap();
        cursor.sync().unwrap();
        for _ in 0..2 {
            disk = disk.power_cut();
            let journal = open(&disk, small());
            let topic = journal.topic("aws").unwrap();
            for number in 0..24 {
                let again = append(&topic, keyed(number, 1, b""));
                assert_eq!(again, Ok(Appended::Repeat), "seed {seed}: key {number}");
            }
        }
    }
}

/// *Scenario:* the budget is smaller than a segment, and two topics want to write.
/// *Guarantees:* the first does not take all of it: both are served.
#[test]
fn a_small_budget_is_shared() {
    let disk = SimDisk::new(9);
    let journal = open(&disk, Options { budget_bytes: 256 * 1024, ..Options::default() });
    for name in ["a", "b", "c"] {
        let topic = journal.topic(name).unwrap();
        for _ in 0..5 {
            store(&topic, item("", &[1; 3000]));
        }
    }
}

/// *Scenario:* many topics want to write, each a little, and a large body comes to the last.
/// *Guarantees:* what the first reserve leaves room for all.
#[test]
fn a_budget_is_shared_by_many_topics() {
    let disk = SimDisk::new(10);
    let journal = open(&disk, Options { budget_bytes: 1 << 20, ..Options::default() });
    let name = |number: u32| format!("topic{number}");
    let topics: Vec<_> = (0..40).map(|number| journal.topic(&name(number)).unwrap()).collect();
    for topic in &topics {
        store(topic, item("", &[1; 300]));
    }
    store(&topics[39], item("", &[2; 200_000]));
}

/// *Scenario:* cursors are made at a sequence within, before and behind what a topic holds; one of
/// them after a restart; one that is there already is asked for at another place.
/// *Guarantees:* a new cursor begins there, or as near as there is something; one that is there stays.
#[test]
fn a_cursor_begins_where_it_is_told() {
    let disk = SimDisk::new(21);
    let journal = open(&disk, small());
    let topic = journal.topic("aws").unwrap();
    let keeper = topic.cursor("keeper", Start::Oldest).unwrap();
    for number in 0..5_u8 {
        store(&topic, item("", &[number]));
    }
    let begins =
        |name: &str, sequence: u64| topic.cursor(name, Start::At(sequence)).unwrap().low().sequence;
    assert_eq!(
        [begins("in", 3), begins("first", 0), begins("end", 5), begins("behind", 99)],
        [3, 0, 5, 5]
    );
    assert_eq!(begins("in", 1), 3, "it is there already");
    drop((keeper, journal));
    let journal = open(&disk.power_cut(), small());
    let topic = journal.topic("aws").unwrap();
    let cursor = topic.cursor("after", Start::At(4)).unwrap();
    assert_eq!(read_from(&cursor, cursor.low().sequence), [(4, Vec::new(), vec![4])]);
    assert_eq!(topic.cursor("in", Start::At(0)).unwrap().low().sequence, 3);
}

/// *Scenario:* topics are filled, their only cursor is forgotten, and they are used again; and one
/// gets an entry after its cursor is gone and before the next one is there.
/// *Guarantees:* a topic that nobody reads gives back what it holds and what it reserved, but for a
/// page that remembers the sequence; sequences go on after it, also over a power cut; an entry that
/// waits for a cursor stays.
#[test]
fn a_topic_that_nobody_reads_gives_its_space_back() {
    let disk = SimDisk::new(22);
    let journal = open(&disk, small());
    let topic = journal.topic("aws").unwrap();
    let held = |journal: &Journal| journal.status()[0].held;
    drop(topic.cursor("one", Start::Oldest).unwrap());
    for number in 0..10_u8 {
        store(&topic, item("", &[number; 1000]));
    }
    assert!(held(&journal) >= 16 * 1024);
    topic.forget_cursor("one").unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while held(&journal) > 8192 {
        assert!(std::time::Instant::now() < deadline, "{} bytes are held", held(&journal));
        std::thread::yield_now();
    }
    let journal = open(&disk.power_cut(), small());
    let topic = journal.topic("aws").unwrap();
    assert!(topic.end() >= 10, "{}", topic.end());
    let first = topic.end();
    let stored = store(&topic, item("", b"early"));
    let cursor = topic.cursor("two", Start::At(first)).unwrap();
    store(&topic, item("", b"late"));
    let bodies: Vec<Vec<u8>> = read_from(&cursor, first).into_iter().map(|(.., b)| b).collect();
    assert_eq!((stored >= first, bodies), (true, vec![b"early".to_vec(), b"late".to_vec()]));
}
