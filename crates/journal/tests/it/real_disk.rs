//! The journal on the machine's own disk.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::common::{Dir, append, at, item, keyed, read_from, small, store};
use journal::{Appended, Body, EntryBody, Item, Journal, MISSING, Options, Start};

/// *Scenario:* entries are appended, read, partly settled, and the journal is closed and opened again.
/// *Guarantees:* what was settled stays settled, what was not is read again, byte for byte.
#[test]
fn append_read_settle_reopen() {
    let dir = Dir::new();
    let bodies: Vec<Vec<u8>> = (0..40).map(|n| vec![n as u8; 37 * n]).collect();
    {
        let (journal, recovery) = Journal::open(dir.path(), small()).unwrap();
        assert!(recovery.findings.is_empty());
        let topic = journal.topic("aws").unwrap();
        let mut cursor = topic.cursor("dynatrace", Start::Newest).unwrap();
        for (index, body) in bodies.iter().enumerate() {
            let sequence = store(&topic, item(&format!("head {index}"), body));
            assert_eq!(sequence, index as u64);
        }
        let all = read_from(&cursor, 0);
        assert_eq!(all.len(), 40);
        assert!(all.iter().zip(&bodies).all(|((.., read), written)| read == written));
        assert_eq!(cursor.read_head(7).unwrap().unwrap().2, 37 * 7);
        cursor.settle(at(0), at(13)).unwrap();
        cursor.settle(at(20), at(21)).unwrap();
        cursor.sync().unwrap();
        assert_eq!(cursor.low(), at(13));
        drop(cursor);
        journal.close();
        assert!(append(&topic, item("", b"late")).is_err());
    }
    let (journal, recovery) = Journal::open(dir.path(), small()).unwrap();
    assert!(recovery.findings.is_empty(), "{recovery:?}");
    let topic = journal.topic("aws").unwrap();
    assert_eq!(topic.end(), 40);
    let cursor = topic.cursor("dynatrace", Start::Newest).unwrap();
    assert_eq!((cursor.low(), cursor.settled()), (at(13), vec![(at(20), at(21))]));
    let all = read_from(&cursor, 13);
    assert_eq!(all.len(), 27);
    assert_eq!(all[0], (13, b"head 13".to_vec(), bodies[13].clone()));
    assert_eq!(store(&topic, item("", b"next")), 40);
}

/// *Scenario:* somebody moves the folder of the journal away while it is used, puts it back, and later
/// removes the segment that is written to.
/// *Guarantees:* nothing is acknowledged that the next start would not find; what is wrong is told with a
/// remedy; it goes on when the folder is back, and in a new segment.
#[test]
fn i1_nothing_is_acknowledged_into_a_file_that_is_gone() {
    let dir = Dir::new();
    let (home, away) = (dir.path().join("journal"), dir.path().join("away"));
    let (journal, _) = Journal::open(&home, small()).unwrap();
    let topic = journal.topic("aws").unwrap();
    let reader = topic.cursor("all", Start::Oldest).unwrap();
    store(&topic, item("", b"before"));
    std::fs::rename(&home, &away).unwrap();
    let refused = append(&topic, item("", b"lost")).unwrap_err().to_string();
    assert!(refused.contains("somebody moved or removed it: put it back"), "{refused}");
    std::fs::rename(&away, &home).unwrap();
    let goes_on = || (0..1000).any(|_| append(&topic, item("", b"again")).is_ok());
    assert!(goes_on());

    let mut segments: Vec<PathBuf> = Vec::new();
    for one in std::fs::read_dir(home.join("aws")).unwrap() {
        let path = one.unwrap().path();
        segments.extend(path.extension().is_some_and(|kind| kind == "log").then_some(path));
    }
    std::fs::remove_file(segments.iter().max().unwrap()).unwrap();
    assert!(append(&topic, item("", b"lost")).is_err());
    assert!(goes_on());
    drop(reader);
    journal.close();
    let (journal, _) = Journal::open(&home, small()).unwrap();
    let topic = journal.topic("aws").unwrap();
    let cursor = topic.cursor("all", Start::Oldest).unwrap();
    let bodies: Vec<Vec<u8>> = read_from(&cursor, 0).into_iter().map(|(.., body)| body).collect();
    assert_eq!(bodies, [b"before".to_vec(), b"again".to_vec()]);
}

/// *Scenario:* between two starts a segment is removed that a cursor still needs; later all are, which
/// none needs any more, and before that those that all cursors are past have been freed.
/// *Guarantees:* what is missing is damage, told once, and stepped over; what was freed is none.
#[test]
fn a_segment_that_is_missing_is_told() {
    let dir = Dir::new();
    let open = || Journal::open(dir.path(), small()).unwrap();
    let (journal, _) = open();
    let topic = journal.topic("aws").unwrap();
    let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
    for _ in 0..30 {
        store(&topic, item("h", &[1; 2000]));
    }
    cursor.settle(at(0), at(3)).unwrap();
    cursor.sync().unwrap();
    drop(cursor);
    journal.close();
    let segments = || {
        let files = std::fs::read_dir(dir.path().join("aws")).unwrap();
        let paths = files.map(|one| one.unwrap().path());
        let mut logs: Vec<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|kind| kind == "log")).collect();
        logs.sort();
        logs
    };
    let missing = segments().remove(1);
    std::fs::remove_file(&missing).unwrap();

    let (journal, recovery) = open();
    let [damage] = recovery.damage.as_slice() else { panic!("{recovery:?}") };
    assert_eq!((&damage.file, damage.why), (&missing, MISSING));
    assert_eq!(recovery.rotten_bytes, damage.bytes);
    let topic = journal.topic("aws").unwrap();
    let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
    let read = read_from(&cursor, 3).len();
    assert!((10..27).contains(&read), "{read}");
    cursor.settle(at(3), at(topic.end())).unwrap();
    cursor.sync().unwrap();
    assert_eq!(segments().len(), 1);
    drop(cursor);
    journal.close();

    let (journal, recovery) = open();
    assert!(recovery.damage.is_empty() && recovery.findings.is_empty(), "{recovery:?}");
    journal.close();
    std::fs::remove_file(segments().remove(0)).unwrap();
    let (_journal, recovery) = open();
    assert!(
        recovery.findings[0].contains("there is no segment, though 30 entries"),
        "{recovery:?}"
    );
}

/// *Scenario:* a cursor settles everything in a topic of several segments.
/// *Guarantees:* all segments but the last are removed from the disk, and the backlog is nothing.
#[test]
fn settled_segments_are_freed() {
    let dir = Dir::new();
    let (journal, _) = Journal::open(dir.path(), small()).unwrap();
    let topic = journal.topic("aws").unwrap();
    let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
    for _ in 0..50 {
        store(&topic, item("h", &[1; 2000]));
    }
    let segments = || {
        let files = std::fs::read_dir(dir.path().join("aws")).unwrap();
        files.filter(|one| one.as_ref().unwrap().path().extension().is_some()).count()
    };
    assert!(segments() > 3);
    assert!(cursor.backlog_bytes() > 100_000);
    cursor.settle(at(0), at(50)).unwrap();
    assert_eq!(cursor.backlog_bytes(), 0);
    cursor.sync().unwrap();
    assert_eq!(segments(), 1);
    assert!(journal.bytes() < 16 * 1024 + 64 * 1024);
}

/// *Scenario:* a delivery is repeated, at once, after a restart, and with other data.
/// *Guarantees:* it is stored once; other data under the same key is stored and said to be other.
#[test]
fn repeats_are_recognised() {
    let dir = Dir::new();
    let (journal, _) = Journal::open(dir.path(), small()).unwrap();
    let topic = journal.topic("aws").unwrap();
    store(&topic, keyed(1, 1, b"body"));
    assert_eq!(append(&topic, keyed(1, 1, b"body")), Ok(Appended::Repeat));
    journal.close();
    drop((journal, topic));
    let (journal, _) = Journal::open(dir.path(), small()).unwrap();
    let topic = journal.topic("aws").unwrap();
    assert_eq!(append(&topic, keyed(1, 1, b"body")), Ok(Appended::Repeat));
    let other = append(&topic, keyed(1, 2, b"else"));
    assert_eq!(other, Ok(Appended::Stored { sequence: 1, other_data: true }));
    assert_eq!(journal.status()[0].repeats, 1);
}

/// *Scenario:* a body goes through a side file, is read, and is settled; another is dropped unfinished.
/// *Guarantees:* it reads back whole, also after a restart; files nobody needs are gone.
#[test]
fn side_files_come_and_go() {
    let dir = Dir::new();
    let side = dir.path().join("aws/side");
    let files = || std::fs::read_dir(&side).unwrap().count();
    {
        let (journal, _) = Journal::open(dir.path(), small()).unwrap();
        let topic = journal.topic("aws").unwrap();
        drop(topic.cursor("one", Start::Oldest).unwrap());
        let mut writer = topic.side_file().unwrap();
        writer.write(&[5; 100_000]).unwrap();
        writer.write(&[6; 1]).unwrap();
        let file = writer.finish().unwrap();
        assert_eq!(file.len(), 100_001);
        store(&topic, Item { key: None, head: b"big".to_vec(), body: Body::Side(file) });
        let mut unfinished = topic.side_file().unwrap();
        unfinished.write(b"x").unwrap();
        assert_eq!(files(), 2);
        drop(unfinished);
        drop(topic.side_file().unwrap().finish().unwrap());
        assert_eq!(files(), 1);
        journal.close();
    }
    std::fs::write(side.join("00000000000000ff.body"), b"orphan").unwrap();
    let (journal, _) = Journal::open(dir.path(), small()).unwrap();
    assert_eq!(files(), 1);
    let topic = journal.topic("aws").unwrap();
    let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
    let entry = cursor.read(0).unwrap().unwrap();
    assert!(matches!(&entry.body, EntryBody::Side(side) if side.len() == 100_001));
    assert!(cursor.backlog_bytes() > 100_001);
    cursor.settle(at(0), at(1)).unwrap();
    cursor.sync().unwrap();
    assert_eq!(files(), 0);
    let bytes = crate::common::body(&entry.body);
    assert_eq!((bytes.len(), bytes[100_000]), (100_001, 6));
    assert!(cursor.read(0).unwrap().is_none());
}

/// *Scenario:* a cursor has read in a segment, settles all of it by other means, and syncs.
/// *Guarantees:* the removed segment is not held open: its space comes back.
#[test]
fn freed_space_comes_back() {
    let dir = Dir::new();
    let (journal, _) = Journal::open(dir.path(), small()).unwrap();
    let topic = journal.topic("aws").unwrap();
    let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
    for _ in 0..20 {
        store(&topic, item("h", &[1; 3000]));
    }
    assert_eq!(cursor.read(0).unwrap().unwrap().sequence, 0);
    assert_eq!(cursor.read_head(1).unwrap().unwrap().0, 1);
    assert!(cursor.backlog_bytes() > 60_000);
    cursor.settle(at(0), at(20)).unwrap();
    cursor.sync().unwrap();
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let open = open.filter_map(|one| std::fs::read_link(one.unwrap().path()).ok());
    let deleted = open.filter(|path| path.starts_with(dir.path()));
    let deleted = deleted.filter(|path| path.to_str().unwrap().ends_with("(deleted)"));
    assert_eq!(deleted.count(), 0);
}

/// Every file and folder below, with contents and the time of the last change.
fn contents(root: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let mut all = BTreeMap::new();
    for one in std::fs::read_dir(root).unwrap() {
        let path = one.unwrap().path();
        let changed = std::fs::metadata(&path).unwrap().modified().unwrap();
        if path.is_dir() {
            all.extend(contents(&path));
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        all.insert(path, (changed, bytes));
    }
    all
}

/// *Scenario:* a journal whose segments could be freed, with a damaged entry, a torn tail, a segment without
/// a header and a cursor half made, is looked at; so is a folder that is not there.
/// *Guarantees:* it is found as a start would find it, and not a byte or name of it is changed.
#[test]
fn looking_changes_nothing() {
    let dir = Dir::new();
    let (journal, _) = Journal::open(dir.path(), small()).unwrap();
    let topic = journal.topic("aws").unwrap();
    let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
    for number in 0..50 {
        store(&topic, keyed(number, 1, &[1; 2000]));
    }
    cursor.settle(at(0), at(20)).unwrap();
    drop(cursor);
    journal.close();
    drop((journal, topic));
    let folder = dir.path().join("aws");
    let mut logs: Vec<PathBuf> = contents(&folder).into_keys().collect();
    logs.retain(|path| path.extension().is_some_and(|one| one == "log"));
    let spoil = |path: &Path, at: u64, bytes: &[u8]| {
        let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        file.write_all_at(bytes, at).unwrap();
    };
    spoil(&logs[1], 6000, &[9; 300]);
    spoil(logs.last().unwrap(), 16_000, &[7; 200]);
    std::fs::write(folder.join("000000000000ffff.log"), [5; 9000]).unwrap();
    std::fs::write(folder.join("cursors/two.new"), b"half").unwrap();
    let before = contents(dir.path());
    assert!(before.len() > 8, "{before:?}");

    let (looked, found) = Journal::look(dir.path()).unwrap();
    let seen = format!("{:?} {:?} {}", found, looked.status(), looked.bytes());
    looked.close();
    drop(looked);
    assert_eq!(contents(dir.path()), before);

    let (opened, _) = Journal::open(dir.path(), Options::default()).unwrap();
    let status = format!("{:?} {}", opened.status(), opened.bytes());
    assert!(seen.ends_with(&status), "{seen}\n{status}");
    assert!(found.rotten_bytes >= 9000 && found.torn_bytes > 0, "{found:?}");
    opened.close();
    assert_ne!(contents(dir.path()), before, "there was something to change");

    let nowhere = dir.path().join("no/journal");
    let (looked, _) = Journal::look(&nowhere).unwrap();
    assert_eq!((looked.topics().len(), looked.bytes()), (0, 0));
    assert!(!dir.path().join("no").exists());
}
