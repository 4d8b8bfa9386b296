//! Damage: flipped bytes, torn tails, lost headers, slots and key files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use journal::sim::SimDisk;
use journal::{
    Appended, Body, Damage, Disk, EntryBody, Item, Journal, OpenError, Options, Recovery, Start,
};

use crate::common::{append, at, hold_next_sync, item, keyed, read_from, small, store};

const ROOT: &str = "/data/journal";
const HEAD: &[u8] = b"head of it";
/// Header, key and head of a frame.
const FRONT: usize = 56 + 32 + HEAD.len();

fn open(disk: &SimDisk) -> (Journal, Recovery) {
    Journal::open_on(Arc::new(disk.clone()), Path::new(ROOT), small()).unwrap()
}

/// A disk with the same files and nothing pending.
fn copy(disk: &SimDisk) -> SimDisk {
    let next = SimDisk::new(99);
    for path in disk.files() {
        next.create_dir(path.parent().unwrap()).unwrap();
        next.put(&path, &disk.contents(&path).unwrap());
    }
    for folder in ["cursors", "side", "damaged"] {
        next.create_dir(&Path::new(ROOT).join("aws").join(folder)).unwrap();
    }
    next
}

/// What a journal tells of damage.
struct Told(Arc<Mutex<Vec<Damage>>>);

impl Told {
    fn of(journal: &Journal) -> Told {
        let told = Arc::<Mutex<Vec<Damage>>>::default();
        let into = told.clone();
        journal.on_damage(Box::new(move |damage| into.lock().unwrap().push(damage.clone())));
        Told(told)
    }

    fn take(&self) -> Vec<Damage> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn logs(disk: &SimDisk) -> Vec<PathBuf> {
    let files = disk.files().into_iter();
    files.filter(|path| path.extension().is_some_and(|one| one == "log")).collect()
}

/// Entries with the stretch of the file that each of them takes.
fn small_log(bodies: &[Vec<u8>]) -> (SimDisk, PathBuf, Vec<std::ops::Range<usize>>) {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    let topic = journal.topic("aws").unwrap();
    drop(topic.cursor("one", Start::Oldest).unwrap());
    let mut stretches = Vec::new();
    let mut end = 4096;
    for (number, body) in bodies.iter().enumerate() {
        let head = HEAD.to_vec();
        store(&topic, Item { head, ..keyed(number as u128, 1, body) });
        let next = end + (FRONT + body.len()).next_multiple_of(8);
        stretches.push(end..next);
        end = next;
    }
    journal.close();
    let path = logs(&disk)[0].clone();
    assert_eq!(disk.contents(&path).unwrap().len(), end);
    (disk, path, stretches)
}

fn check_damage(disk: &SimDisk, bodies: &[Vec<u8>], spared: impl Fn(usize) -> bool, what: &str) {
    for turn in 0..2 {
        let (journal, _) = open(disk);
        let topic = journal.topic("aws").unwrap();
        let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
        let there = read_from(&cursor, 0);
        for (sequence, head, body) in &there {
            let known = bodies.get(*sequence as usize) == Some(body) && head == HEAD;
            assert!(known || body == b"new", "{what}: a wrong entry at {sequence}");
        }
        for (number, body) in bodies.iter().enumerate().filter(|(number, _)| spared(*number)) {
            let found =
                there.iter().any(|(sequence, _, read)| *sequence == number as u64 && read == body);
            assert!(found, "{what}, turn {turn}: entry {number} is lost though its bytes are well");
            assert_eq!(
                append(&topic, keyed(number as u128, 1, body)),
                Ok(Appended::Repeat),
                "{what}"
            );
        }
        let next = store(&topic, item("", b"new"));
        assert!(there.iter().all(|(known, ..)| *known < next), "{what}: {next} was used before");
        if turn == 1 {
            for (sequence, ..) in read_from(&cursor, 0) {
                cursor.settle(at(sequence), at(sequence + 1)).unwrap();
            }
            assert_eq!(cursor.low(), at(next + 1), "{what}: the cursor hangs");
        }
        drop(cursor);
        journal.close();
    }
}

/// *Scenario:* every byte of a small log is flipped, one at a time.
/// *Guarantees:* never a panic, never a wrong entry; an entry is lost only where its own bytes are damaged.
#[test]
fn any_flipped_byte() {
    let bodies: Vec<Vec<u8>> = [3, 0, 100, 8, 40].iter().map(|n| vec![*n as u8 + 1; *n]).collect();
    let (disk, path, stretches) = small_log(&bodies);
    let log = disk.contents(&path).unwrap();
    let header = (0..64).chain(2040..2120);
    for place in header.chain(4096..log.len()) {
        for mask in [0x01, 0x80] {
            let disk = copy(&disk);
            let mut damaged = log.clone();
            damaged[place] ^= mask;
            disk.put(&path, &damaged);
            let spared = |number: usize| !stretches[number].contains(&place);
            check_damage(&disk, &bodies, spared, &format!("byte {place} ^ {mask:x}"));
            let (journal, _) = open(&disk);
            let end = journal.topic("aws").unwrap().end();
            assert!(end > bodies.len() as u64, "byte {place}: sequences are used again");
        }
    }
}

/// *Scenario:* the log is cut at every length, and the rest is nothing, zeros, or garbage.
/// *Guarantees:* all whole entries are there; what was cut is counted as torn, never as rotten.
#[test]
fn torn_at_every_length() {
    let bodies: Vec<Vec<u8>> = [3, 0, 50, 8].iter().map(|n| vec![*n as u8 + 1; *n]).collect();
    let (disk, path, stretches) = small_log(&bodies);
    let log = disk.contents(&path).unwrap();
    for length in 4096..log.len() {
        for tail in [vec![], vec![0; 300], vec![0xa5; 300]] {
            let disk = copy(&disk);
            let torn = [log[..length].to_vec(), tail.clone()].concat();
            disk.put(&path, &torn);
            let recovery = open(&copy(&disk)).1;
            let what = format!("cut at {length}, {} behind", tail.len());
            assert_eq!(recovery.rotten_bytes, 0, "{what}: {recovery:?}");
            // Zeros behind a cut may be just what was cut off; and padding may be anything.
            let whole = stretches.iter().zip(&bodies).filter(|(one, body)| {
                let needed = one.start + FRONT + body.len();
                one.end <= torn.len() && torn.get(..needed) == log.get(..needed)
            });
            let whole = whole.map(|(one, _)| one.end).max();
            let behind = torn.iter().rposition(|byte| *byte != 0).unwrap() + 1;
            let expected = behind.saturating_sub(whole.unwrap_or(4096)) as u64;
            assert!(recovery.torn_bytes.abs_diff(expected) < 8, "{what}: {recovery:?}, {expected}");
            let entries = stretches.iter().filter(|one| Some(one.end) <= whole).count() as u64;
            let end = open(&copy(&disk)).0.topic("aws").unwrap().end();
            assert_eq!(
                end > entries,
                recovery.torn_bytes > 0,
                "{what}: torn sequences are used again"
            );
            let spared = |number: usize| stretches[number].end <= length;
            check_damage(&disk, &bodies, spared, &what);
        }
    }
}

/// *Scenario:* damage in the middle of a log, before frames that prove it had been durable.
/// *Guarantees:* it is counted as rotten, at the start and when it is met by a reader; copied aside; once.
#[test]
fn rot_is_counted_and_copied() {
    let bodies = vec![vec![1; 500], vec![2; 500], vec![3; 500], vec![4; 500]];
    let (disk, path, stretches) = small_log(&bodies);
    let mut log = disk.contents(&path).unwrap();
    log[stretches[1].start + 10] ^= 1; // the header of the second
    log[stretches[2].end - 100] ^= 1; // the body of the third
    disk.put(&path, &log);
    let (journal, recovery) = open(&disk);
    assert_eq!(recovery.rotten_bytes, stretches[1].len() as u64);
    assert_eq!((recovery.torn_bytes, recovery.findings.len()), (0, 0));
    let told = Told::of(&journal);
    let at_start = &recovery.damage;
    assert_eq!((at_start.len(), at_start[0].offset), (1, stretches[1].start as u64));
    let cursor = journal.topic("aws").unwrap().cursor("one", Start::Oldest).unwrap();
    for _ in 0..2 {
        let read: Vec<u64> = read_from(&cursor, 0).into_iter().map(|(one, ..)| one).collect();
        assert_eq!(read, [0, 3]);
    }
    let rotten = (stretches[1].len() + stretches[2].len()) as u64;
    assert_eq!(journal.status()[0].rotten_bytes, rotten);
    let copies: Vec<_> = disk
        .files()
        .into_iter()
        .filter(|path| path.parent().unwrap().ends_with("damaged"))
        .collect();
    assert_eq!(copies.len(), 2);
    assert_eq!(disk.contents(&copies[0]).unwrap(), log[stretches[1].clone()]);
    assert_eq!(at_start[0].copy.as_ref(), Some(&copies[0]));
    let met = told.take();
    assert_eq!(met.len(), 1, "{met:?}");
    assert_eq!(
        (&*met[0].topic, &met[0].file, met[0].offset),
        ("aws", &path, stretches[2].start as u64)
    );
    assert_eq!((met[0].bytes, met[0].copy.as_ref()), (stretches[2].len() as u64, Some(&copies[1])));
}

/// *Scenario:* the last commit holds five entries; the second of them is torn in its body or in its header.
/// *Guarantees:* the four whole ones are kept, since nobody can tell them from acknowledged ones; the torn one
/// counts as torn, at this start and never as rot at a later one.
#[test]
fn a_tear_inside_the_last_commit() {
    for place in [4, 120] {
        let disk = SimDisk::new(6);
        let (journal, _) = open(&disk);
        let topic = journal.topic("aws").unwrap();
        drop(topic.cursor("one", Start::Oldest).unwrap());
        store(&topic, item("", b"first"));
        let (inside, leave) = hold_next_sync(&disk);
        topic.append(item("", b"second"), Box::new(|_| ()));
        inside.wait();
        for number in 0..5 {
            topic.append(item("", &[number; 144]), Box::new(|_| ()));
        }
        leave.wait();
        journal.close();
        let path = logs(&disk)[0].clone();
        let mut log = disk.contents(&path).unwrap();
        let torn = 4096 + 2 * 64 + 200;
        log[torn + place] ^= 1;
        let disk = copy(&disk);
        disk.put(&path, &log);
        for start in 0..3 {
            let (journal, recovery) = open(&disk);
            let expected = if start == 0 { 200 } else { 0 };
            assert_eq!((recovery.torn_bytes, recovery.rotten_bytes), (expected, 0), "{recovery:?}");
            let topic = journal.topic("aws").unwrap();
            let cursor = topic.cursor("one", Start::Oldest).unwrap();
            let read: Vec<u64> = read_from(&cursor, 0).into_iter().map(|(one, ..)| one).collect();
            assert!(read.starts_with(&[0, 1, 2, 4, 5, 6]), "{read:?}");
            store(&topic, item("", b"proves all of it"));
            drop(cursor);
            journal.close();
        }
    }
}

/// *Scenario:* a torn tail is cut, so sequences are passed over; a stream settles all entries without reading,
/// as one does that is fed from memory.
/// *Guarantees:* its low mark reaches the end.
#[test]
fn settling_without_reading() {
    let (disk, path, _) = small_log(&[vec![1; 50], vec![2; 50]]);
    let torn = [disk.contents(&path).unwrap(), vec![0xa5; 300]].concat();
    disk.put(&path, &torn);
    let (journal, _) = open(&disk);
    let topic = journal.topic("aws").unwrap();
    let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
    let next = store(&topic, item("", b"new"));
    assert!(next > 2);
    for sequence in [0, 1, next] {
        cursor.settle(at(sequence), at(sequence + 1)).unwrap();
    }
    assert_eq!((cursor.low(), topic.end()), (at(next + 1), next + 1));
}

/// *Scenario:* a reference to a side file rots so that it names the side file of another entry; the damaged entry
/// is passed and what it held is freed.
/// *Guarantees:* the other entry keeps its side file.
#[test]
fn a_rotten_reference_harms_nobody() {
    let disk = SimDisk::new(7);
    let (journal, _) = open(&disk);
    let topic = journal.topic("aws").unwrap();
    drop(topic.cursor("one", Start::Oldest).unwrap());
    for body in [b"zero", b"same"] {
        let mut side = topic.side_file().unwrap();
        side.write(body).unwrap();
        let body = Body::Side(side.finish().unwrap());
        store(&topic, Item { body, ..item("", b"") });
    }
    store(&topic, item("", b"proves them"));
    journal.close();
    let path = logs(&disk)[0].clone();
    let mut log = disk.contents(&path).unwrap();
    log[4096 + 56] ^= 1;
    let disk = copy(&disk);
    disk.put(&path, &log);
    let (journal, _) = open(&disk);
    let topic = journal.topic("aws").unwrap();
    let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
    let first = cursor.read(0).unwrap().unwrap();
    assert_eq!((first.sequence, crate::common::body(&first.body)), (1, b"same".to_vec()));
    assert_eq!(cursor.low(), at(1));
    cursor.sync().unwrap();
    let second = cursor.read(1).unwrap().unwrap();
    assert_eq!(crate::common::body(&second.body), b"same");
    assert!(disk.files().iter().any(|path| path.ends_with("side/0000000000000001.body")));
}

/// *Scenario:* both copies of a segment's header are damaged, in the only segment and in one of several.
/// *Guarantees:* the file is set aside and counted, the start goes on, sequences are not used again.
#[test]
fn a_lost_segment_header() {
    let (disk, path, _) = small_log(&[vec![1; 500], vec![2; 500]]);
    let mut log = disk.contents(&path).unwrap();
    log[0] ^= 1;
    log[2048] ^= 1;
    disk.put(&path, &log);
    let (journal, recovery) = open(&disk);
    // All but the zeros at the end, which may be reserved space.
    assert!(log.len() as u64 - recovery.rotten_bytes < 8, "{recovery:?}");
    let found = &recovery.damage[0];
    assert_eq!((&found.file, found.bytes), (&path, recovery.rotten_bytes), "{recovery:?}");
    assert!(disk.contents(found.copy.as_ref().unwrap()).is_some(), "it was set aside");
    let topic = journal.topic("aws").unwrap();
    assert!(store(&topic, item("", b"next")) >= 2);
    assert!(disk.files().iter().any(|path| path.parent().unwrap().ends_with("damaged")));
}

/// *Scenario:* a slot is damaged, then both.
/// *Guarantees:* the other slot is used; with none the cursor starts at the oldest entry: twice, not never.
#[test]
fn damaged_slots() {
    let bodies: Vec<Vec<u8>> = (0..6).map(|n| vec![n; 100]).collect();
    let (disk, _, _) = small_log(&bodies);
    let (journal, _) = open(&disk);
    let mut cursor = journal.topic("aws").unwrap().cursor("one", Start::Oldest).unwrap();
    cursor.settle(at(0), at(2)).unwrap();
    cursor.sync().unwrap();
    cursor.settle(at(2), at(4)).unwrap();
    cursor.sync().unwrap();
    drop(cursor);
    journal.close();
    let path = disk.files().into_iter().find(|path| path.ends_with("one.cursor")).unwrap();
    let whole = disk.contents(&path).unwrap();
    for (damaged, lows) in [(vec![0], [4, 2]), (vec![4096], [4, 2]), (vec![0, 4096], [0, 0])] {
        let disk = copy(&disk);
        let mut slots = whole.clone();
        damaged.iter().for_each(|place| slots[place + 20] ^= 1);
        disk.put(&path, &slots);
        let (journal, recovery) = open(&disk);
        assert_eq!(recovery.findings.len(), 1, "{recovery:?}");
        let low = journal.status()[0].cursors[0].low.sequence;
        assert!(lows.contains(&low), "{damaged:?}: {low}");
    }
}

/// *Scenario:* the key file is damaged in a record, in its header, and cut short.
/// *Guarantees:* the start goes on and says so; only the damaged keys are forgotten.
#[test]
fn a_damaged_key_file() {
    let disk = SimDisk::new(3);
    let (journal, _) = open(&disk);
    let topic = journal.topic("aws").unwrap();
    for number in 0..12 {
        store(&topic, keyed(number, 1, &[1; 3000]));
    }
    journal.close();
    let path = Path::new(ROOT).join("aws/keys");
    let whole = disk.contents(&path).unwrap();
    for (place, known) in [(64 + 56, true), (5, false)] {
        let disk = copy(&disk);
        let mut keys = whole.clone();
        keys[place] ^= 1;
        disk.put(&path, &keys);
        let (journal, recovery) = open(&disk);
        assert_eq!(recovery.findings.len(), 1, "{recovery:?}");
        let topic = journal.topic("aws").unwrap();
        let first = append(&topic, keyed(0, 1, b""));
        assert_eq!(first == Ok(Appended::Repeat), known, "{first:?}");
        assert!(matches!(append(&topic, keyed(1, 1, b"")), Ok(Appended::Stored { .. })));
    }
}

/// *Scenario:* a segment, a cursor or a key file of a newer release.
/// *Guarantees:* the start is refused with file and both versions, and nothing is changed on disk.
#[test]
fn a_newer_version_stops_the_start() {
    let disk = SimDisk::new(4);
    let (journal, _) = open(&disk);
    let topic = journal.topic("aws").unwrap();
    for number in 0..12 {
        store(&topic, keyed(number, 1, &[1; 3000]));
    }
    drop(topic.cursor("one", Start::Oldest).unwrap());
    journal.close();
    for name in ["log", "cursor", "keys"] {
        let disk = copy(&disk);
        let path =
            disk.files().into_iter().find(|path| path.to_str().unwrap().ends_with(name)).unwrap();
        let mut bytes = disk.contents(&path).unwrap();
        bytes[8] = 2;
        let length = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
        let crc = crc32c::crc32c(&bytes[..length - 4]).to_le_bytes();
        bytes[length - 4..length].copy_from_slice(&crc);
        disk.put(&path, &bytes);
        // What a start would otherwise tidy up: a torn tail and an orphan.
        let last = logs(&disk).pop().unwrap();
        if last != path {
            let torn = [disk.contents(&last).unwrap(), vec![0xa5; 100]].concat();
            disk.put(&last, &torn);
        }
        disk.put(&Path::new(ROOT).join("aws/side/0000000000000009.body"), b"orphan");
        let (before, tail) = (disk.files(), disk.contents(&last));
        let opened = Journal::open_on(Arc::new(disk.clone()), Path::new(ROOT), small());
        let error = opened.map(|_| ()).unwrap_err();
        assert!(matches!(&error, OpenError::Newer { found: 2, known: 1, .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("journal format 2; this release reads up to 1"), "{text}");
        assert_eq!((disk.files(), disk.contents(&path).unwrap()), (before, bytes));
        assert_eq!(disk.contents(&last), tail);
    }
}

/// *Scenario:* a body full of what looks like frames, and its own frame damaged.
/// *Guarantees:* the search behind the damage is not taken in and not slow.
#[test]
fn a_body_that_imitates_frames() {
    let imitation: Vec<u8> = b"HYfrHYfr".repeat(100_000);
    let disk = SimDisk::new(5);
    let options =
        Options { segment_bytes: 2 << 20, budget_bytes: 8 << 20, topic_bytes: 8 << 20, ..small() };
    let open =
        || Journal::open_on(Arc::new(disk.clone()), Path::new(ROOT), options.clone()).unwrap();
    let (journal, _) = open();
    let topic = journal.topic("aws").unwrap();
    drop(topic.cursor("one", Start::Oldest).unwrap());
    store(&topic, item("", &imitation));
    store(&topic, item("", b"behind"));
    store(&topic, item("", b"proves it"));
    journal.close();
    let path = logs(&disk)[0].clone();
    let mut log = disk.contents(&path).unwrap();
    log[4096] ^= 1;
    disk.put(&path, &log);
    let (journal, recovery) = open();
    assert!(recovery.rotten_bytes > 800_000);
    let cursor = journal.topic("aws").unwrap().cursor("one", Start::Oldest).unwrap();
    let read: Vec<u64> = read_from(&cursor, 0).into_iter().map(|(one, ..)| one).collect();
    assert_eq!(read, [1, 2]);
}

/// *Scenario:* a side file rots, another one is cut short, a third is gone.
/// *Guarantees:* each entry is there with its head, and its reader fails at the end of what is left instead of
/// saying "end"; each is counted and told once, however often and by however many it is read.
#[test]
fn damaged_side_files() {
    let disk = SimDisk::new(8);
    let (journal, _) = open(&disk);
    let topic = journal.topic("aws").unwrap();
    let told = Told::of(&journal);
    let mut cursors = ["one", "two"].map(|name| topic.cursor(name, Start::Oldest).unwrap());
    for _ in 0..3 {
        let mut side = topic.side_file().unwrap();
        side.write(&[7; 1000]).unwrap();
        let body = Body::Side(side.finish().unwrap());
        store(&topic, Item { body, ..item("head", b"") });
    }
    let path = |id: u64| Path::new(ROOT).join(format!("aws/side/{id:016x}.body"));
    let mut rotten = vec![7; 1000];
    rotten[500] ^= 1;
    disk.put(&path(0), &rotten);
    disk.put(&path(1), &[7; 999]);
    disk.remove(&path(2)).unwrap();
    for _ in 0..2 {
        for cursor in &cursors {
            for (sequence, left) in [(0, 1000), (1, 999), (2, 0)] {
                let entry = cursor.read(sequence).unwrap().unwrap();
                assert_eq!((entry.sequence, &entry.head[..]), (sequence, &b"head"[..]));
                let EntryBody::Side(side) = &entry.body else { panic!("not in a side file") };
                let mut read = Vec::new();
                let error = std::io::Read::read_to_end(&mut side.reader(), &mut read).unwrap_err();
                assert_eq!((error.kind(), read.len()), (std::io::ErrorKind::InvalidData, left));
            }
        }
    }
    assert_eq!(journal.status()[0].rotten_bytes, 3000);
    let mut met = told.take();
    met.sort_by(|one, other| one.file.cmp(&other.file));
    let of = |one: &Damage| (one.file.clone(), one.bytes, one.why);
    let why = ["its checksum is wrong", "it is cut short", "it is gone"];
    let expected: Vec<_> = (0..3).map(|n| (path(n), 1000, why[n as usize])).collect();
    assert_eq!(met.iter().map(of).collect::<Vec<_>>(), expected);
    for cursor in &mut cursors {
        cursor.settle(at(0), at(3)).unwrap();
        cursor.sync().unwrap();
    }
    assert!(!disk.files().iter().any(|path| path.parent().unwrap().ends_with("side")));
}

/// *Scenario:* headers of frames rot while the journal is open, and the stream settles what it could read.
/// *Guarantees:* the low mark passes what could not be read; it is counted.
#[test]
fn rot_while_open() {
    let disk = SimDisk::new(9);
    let (journal, _) = open(&disk);
    let topic = journal.topic("aws").unwrap();
    let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
    for number in 0..5 {
        store(&topic, item("", &[number; 144]));
    }
    let path = logs(&disk)[0].clone();
    let mut log = disk.contents(&path).unwrap();
    log[4096 + 200] ^= 1;
    log[4096 + 4 * 200] ^= 1;
    disk.put(&path, &log);
    for (sequence, ..) in read_from(&cursor, 0) {
        cursor.settle(at(sequence), at(sequence + 1)).unwrap();
    }
    assert_eq!(cursor.low(), at(5));
    assert_eq!(journal.status()[0].rotten_bytes, 400);
}
