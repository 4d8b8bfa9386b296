//! Tests of the disk in memory: it answers as the real one does.

use super::*;
use crate::{Appended, Body, Item, Journal, Options, Position, Start};
use std::sync::mpsc::sync_channel;

fn write(file: &Arc<dyn File>, bytes: &[u8], offset: u64) {
    let (one, two) = bytes.split_at(bytes.len() / 2);
    file.write_at(&[IoSlice::new(one), IoSlice::new(two)], offset).unwrap();
}

fn read(file: &Arc<dyn File>, length: usize, offset: u64) -> Vec<u8> {
    let mut into = vec![9; 3];
    file.read_at(&mut into, length, offset).unwrap();
    into
}

/// A real file without a name: it can be read and written, and leaves nothing behind.
fn real_file(name: &str) -> Arc<dyn File> {
    let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
    let file = RealDisk.create(&path).unwrap();
    RealDisk.remove(&path).unwrap();
    file
}

/// *Scenario:* writes, reads, cuts and reservations of random places and lengths, on a file of this
/// disk and on one of the real disk.
/// *Guarantees:* both always hold the same bytes and have the same length, across chunks too.
#[test]
fn a_file_is_like_a_real_one() {
    let memory = MemoryDisk::new();
    memory.create_dir(Path::new("/d")).unwrap();
    same_as_real(&real_file("memory-disk"), &memory.create(Path::new("/d/file")).unwrap());
}

/// *Scenario:* the same on a file in memory that lies over a real one of 150,000 bytes.
/// *Guarantees:* the same; and the real one beneath is as it was.
#[test]
fn a_file_over_a_real_one_leaves_it_alone() {
    let bytes: Vec<u8> = (0..150_000_u32).map(|at| (at % 251) as u8).collect();
    let path = std::env::temp_dir().join(format!("memory-under-{}", std::process::id()));
    let beneath = RealDisk.create(&path).unwrap();
    write(&beneath, &bytes, 0);
    let real = real_file("memory-over");
    write(&real, &bytes, 0);
    let ours: Arc<dyn File> = Arc::new(MemoryFile::over(path.clone(), bytes.len() as u64));
    assert_eq!(read(&ours, 200_000, 7), bytes[7..]);
    same_as_real(&real, &ours);
    assert!(read(&beneath, 200_000, 0) == bytes);
    RealDisk.remove(&path).unwrap();
}

fn same_as_real(real: &Arc<dyn File>, ours: &Arc<dyn File>) {
    let mut state = 1_u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (state >> 33) % below
    };
    for _ in 0..400 {
        let (offset, length) = (next(200_000), next(150_000) as usize);
        match next(6) {
            0 => {
                real.cut(offset).unwrap();
                ours.cut(offset).unwrap();
            }
            1 => {
                real.reserve(offset + 1).unwrap();
                ours.reserve(offset + 1).unwrap();
            }
            2 | 3 => {
                let bytes = vec![next(255) as u8 + 1; length];
                write(real, &bytes, offset);
                write(ours, &bytes, offset);
            }
            _ => assert_eq!(read(real, length, offset), read(ours, length, offset)),
        }
        assert_eq!(real.length().unwrap(), ours.length().unwrap());
    }
}

/// *Scenario:* names made, listed, renamed over one another, removed while open.
/// *Guarantees:* the errors have the kinds of the real disk, and who has a file open reads on.
#[test]
fn names_are_like_real_ones() {
    let disk = MemoryDisk::new();
    let kind = |result: io::Result<Arc<dyn File>>| result.err().map(|error| error.kind());
    assert_eq!(kind(disk.create(Path::new("/a/b/one"))), Some(ErrorKind::NotFound));
    assert_eq!(disk.list(Path::new("/a")).unwrap_err().kind(), ErrorKind::NotFound);
    disk.create_dir(Path::new("/a/b")).unwrap();
    let one = disk.create(Path::new("/a/b/one")).unwrap();
    assert_eq!(kind(disk.create(Path::new("/a/b/one"))), Some(ErrorKind::AlreadyExists));
    write(&one, b"first", 0);
    disk.create(Path::new("/a/b/two")).unwrap();
    disk.rename(Path::new("/a/b/one"), Path::new("/a/b/two")).unwrap();
    let listed = disk.list(Path::new("/a/b")).unwrap();
    let names: Vec<_> = listed.iter().map(|l| (l.name.as_str(), l.length, l.directory)).collect();
    assert_eq!(names, [("two", 5, false)]);
    assert!(disk.list(Path::new("/a")).unwrap().iter().all(|l| l.directory && l.name == "b"));
    disk.remove(Path::new("/a/b/two")).unwrap();
    assert_eq!(kind(disk.open(Path::new("/a/b/two"))), Some(ErrorKind::NotFound));
    assert_eq!(read(&one, 99, 1), b"irst");
    assert_eq!(disk.bytes(), 0);
}

/// *Scenario:* a journal of 8 MiB on this disk; a hundred times its budget goes through it.
/// *Guarantees:* all of it comes out in order, and the memory taken stays within the budget.
#[test]
fn a_journal_on_it_is_bounded() {
    const BUDGET: u64 = 8 << 20;
    let disk = MemoryDisk::new();
    let options = Options {
        segment_bytes: 1 << 20,
        budget_bytes: BUDGET,
        topic_bytes: BUDGET,
        commit_bytes: 1 << 20,
        ..Options::default()
    };
    let (journal, _) =
        Journal::open_on(Arc::new(disk.clone()), Path::new("/journal"), options).unwrap();
    assert!(disk.bytes() < 1 << 20, "nothing is taken for what is only reserved");
    let topic = journal.topic("t").unwrap();
    let mut cursor = topic.cursor("s", Start::Oldest).unwrap();
    for number in 0..800_u64 {
        let (told, answer) = sync_channel(1);
        let body = vec![number as u8; 1 << 20];
        let item = Item { key: None, head: Vec::new(), body: Body::Bytes(body.into()) };
        topic.append(item, Box::new(move |outcome| told.send(outcome).unwrap()));
        let stored = Appended::Stored { sequence: number, other_data: false };
        assert_eq!(answer.recv().unwrap(), Ok(stored));
        let entry = cursor.read(number).unwrap().unwrap();
        let crate::EntryBody::Bytes(bytes) = entry.body else { panic!("a small body") };
        assert_eq!((bytes.len(), bytes[77]), (1 << 20, number as u8));
        let end = Position { sequence: number + 1, ordinal: 0 };
        cursor.settle(cursor.low(), end).unwrap();
        cursor.sync().unwrap();
        assert!(disk.bytes() <= BUDGET, "{} bytes at {number}", disk.bytes());
    }
    journal.close();
}

fn names(disk: &MemoryDisk, path: &Path) -> Vec<(String, u64)> {
    let mut all: Vec<_> =
        disk.list(path).unwrap().into_iter().map(|one| (one.name, one.length)).collect();
    all.sort();
    all
}

/// *Scenario:* a folder of two files, in which everything is done that a disk can do.
/// *Guarantees:* each call is answered as if it had been done, and the folder is as it was.
#[test]
fn what_is_done_does_not_happen() {
    let root = std::env::temp_dir().join(format!("memory-looks-{}", std::process::id()));
    std::fs::create_dir_all(&root).unwrap();
    for name in ["one", "two"] {
        std::fs::write(root.join(name), name).unwrap();
    }
    let disk = MemoryDisk::over_real();
    let kind = |result: io::Result<Arc<dyn File>>| result.err().map(|error| error.kind());
    assert_eq!(kind(disk.open(&root.join("three"))), Some(ErrorKind::NotFound));
    assert_eq!(kind(disk.create(&root.join("one"))), Some(ErrorKind::AlreadyExists));
    assert_eq!(disk.list(&root.join("new")).unwrap_err().kind(), ErrorKind::NotFound);
    disk.create_dir(&root.join("new")).unwrap();
    assert_eq!(names(&disk, &root.join("new")), []);

    disk.open(&root.join("one")).unwrap().write_at(&[IoSlice::new(b"OTHER")], 1).unwrap();
    let one = disk.open(&root.join("one")).unwrap();
    assert_eq!(read(&one, 99, 0), b"oOTHER");
    one.sync().unwrap();
    disk.rename(&root.join("one"), &root.join("new/one")).unwrap();
    assert_eq!(kind(disk.open(&root.join("one"))), Some(ErrorKind::NotFound));
    disk.remove(&root.join("two")).unwrap();
    disk.create(&root.join("two")).unwrap().write_at(&[IoSlice::new(b"2")], 0).unwrap();
    assert_eq!(read(&disk.open(&root.join("new/one")).unwrap(), 99, 0), b"oOTHER");
    assert_eq!(names(&disk, &root), [("new".to_owned(), 0), ("two".to_owned(), 1)]);

    let mut there: Vec<_> = std::fs::read_dir(&root).unwrap().map(|f| f.unwrap().path()).collect();
    there.sort();
    assert_eq!(there, [root.join("one"), root.join("two")]);
    assert_eq!(std::fs::read(root.join("one")).unwrap(), b"one");
    assert_eq!(std::fs::read(root.join("two")).unwrap(), b"two");
    std::fs::remove_dir_all(&root).unwrap();
}
