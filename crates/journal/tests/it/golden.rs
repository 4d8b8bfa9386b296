//! A small journal as text: each file, its bytes in hex, runs of zeros as a count.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::sim::SimDisk;
use journal::{Appended, Body, Disk, Item, Journal, Options, Start};

use crate::common::{append, at, keyed, read_from, small, store};

const ROOT: &str = "/data/journal";

fn open(disk: &SimDisk) -> Journal {
    let options = Options { segment_bytes: 8192, ..small() };
    let (journal, recovery) =
        Journal::open_on(Arc::new(disk.clone()), Path::new(ROOT), options).unwrap();
    assert!(recovery.findings.is_empty(), "{recovery:?}");
    journal
}

/// Writes the journal that the golden text shows.
pub(crate) fn write() -> String {
    let disk = SimDisk::new(8);
    let journal = open(&disk);
    let topic = journal.topic("an/odd name").unwrap();
    let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
    store(&topic, keyed(1, 2, &[7; 4000]));
    store(&topic, Item { head: b"plain".to_vec(), ..keyed(3, 4, b"body") });
    let mut side = topic.side_file().unwrap();
    side.write(b"by the side").unwrap();
    let side = side.finish().unwrap();
    store(&topic, Item { key: None, head: b"big".to_vec(), body: Body::Side(side) });
    cursor.settle(at(0), at(1)).unwrap();
    cursor.settle(at(2), journal::Position { sequence: 2, ordinal: 9 }).unwrap();
    cursor.sync().unwrap();
    cursor.settle(at(2), journal::Position { sequence: 2, ordinal: 10 }).unwrap();
    journal.close();
    format(&disk)
}

/// Reads the journal of the golden text.
pub(crate) fn check(disk: &SimDisk) {
    let journal = open(disk);
    assert_eq!(journal.topics(), ["an/odd name"]);
    let topic = journal.topic("an/odd name").unwrap();
    assert_eq!(topic.end(), 3);
    let cursor = topic.cursor("one", Start::Newest).unwrap();
    assert_eq!(cursor.low(), at(1));
    assert_eq!(cursor.settled(), [(at(2), journal::Position { sequence: 2, ordinal: 10 })]);
    let all = read_from(&cursor, 1);
    let big = (2, b"big".to_vec(), b"by the side".to_vec());
    assert_eq!(all, [(1, b"plain".to_vec(), b"body".to_vec()), big]);
    assert_eq!(append(&topic, keyed(1, 2, b"")), Ok(Appended::Repeat), "from the key file");
    assert_eq!(append(&topic, keyed(3, 4, b"")), Ok(Appended::Repeat), "from the log");
}

fn format(disk: &SimDisk) -> String {
    let mut text = String::new();
    for path in disk.files() {
        let bytes = disk.contents(&path).unwrap();
        writeln!(text, "{}", path.display()).unwrap();
        for line in bytes.chunks(32) {
            let line = match line.iter().all(|byte| *byte == line[0]) {
                true => format!("  {:02x} x {}\n", line[0], line.len()),
                false => {
                    let hex: String = line.iter().map(|byte| format!("{byte:02x}")).collect();
                    format!("  {hex}\n")
                }
            };
            text.push_str(&line);
        }
    }
    // Equal lines in a row are told once with a count.
    let mut short = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let mut count = 1;
        while lines.next_if_eq(&line).is_some() {
            count += 1;
        }
        match count {
            1 => writeln!(short, "{line}").unwrap(),
            _ => writeln!(short, "{line} *{count}").unwrap(),
        }
    }
    short
}

/// The disk that the text describes.
pub(crate) fn parse(text: &str) -> SimDisk {
    let disk = SimDisk::new(9);
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for line in text.lines() {
        let Some(line) = line.strip_prefix("  ") else {
            files.push((PathBuf::from(line), Vec::new()));
            continue;
        };
        let (line, count) = line.split_once(" *").unwrap_or((line, "1"));
        let bytes = match line.split_once(" x ") {
            Some((byte, length)) => vec![unhex(byte)[0]; length.parse().unwrap()],
            None => unhex(line),
        };
        let contents = &mut files.last_mut().unwrap().1;
        (0..count.parse().unwrap()).for_each(|_| contents.extend_from_slice(&bytes));
    }
    for (path, contents) in files {
        disk.create_dir(path.parent().unwrap()).unwrap();
        disk.put(&path, &contents);
    }
    disk
}

fn unhex(hex: &str) -> Vec<u8> {
    let digit = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.as_bytes().chunks(2).map(digit).collect()
}
