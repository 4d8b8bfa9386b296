//! What the tests of this crate share: temporary directories and appends that wait for their answer.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use bytes::Bytes;
use journal::sim::SimDisk;
use journal::{Appended, Body, Cursor, EntryBody, Item, Key, Options, Position, Refused, Topic};

/// A directory that goes when this is dropped.
pub(crate) struct Dir(PathBuf);

static NUMBER: AtomicU64 = AtomicU64::new(0);

impl Dir {
    pub(crate) fn new() -> Dir {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("hydrant-journal-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Dir(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Small limits, so that segments roll and failures are tried again at once.
pub(crate) fn small() -> Options {
    Options {
        segment_bytes: 16 * 1024,
        budget_bytes: 1 << 20,
        topic_bytes: 1 << 20,
        commit_bytes: 8 * 1024,
        retry_after: Duration::from_millis(1),
        ..Options::default()
    }
}

pub(crate) fn item(head: &str, body: &[u8]) -> Item {
    let (head, body) = (head.as_bytes().to_vec(), Body::Bytes(Bytes::copy_from_slice(body)));
    Item { key: None, head, body }
}

pub(crate) fn keyed(name: u128, data: u128, body: &[u8]) -> Item {
    Item { key: Some(Key { name, data }), ..item("", body) }
}

/// The next sync of this disk meets the test twice: when it has begun, and before it goes on.
pub(crate) fn hold_next_sync(disk: &SimDisk) -> (Arc<Barrier>, Arc<Barrier>) {
    let (inside, leave) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let gates = (inside.clone(), leave.clone());
    let once = AtomicBool::new(true);
    disk.on_sync(Arc::new(move |_| {
        if once.swap(false, Ordering::SeqCst) {
            gates.0.wait();
            gates.1.wait();
        }
    }));
    (inside, leave)
}

/// Appends and waits for the answer.
pub(crate) fn append(topic: &Topic, item: Item) -> Result<Appended, Refused> {
    let (told, answer) = sync_channel(1);
    topic.append(item, Box::new(move |outcome| told.send(outcome).unwrap()));
    answer.recv().unwrap()
}

/// Appends and returns the sequence.
#[track_caller]
pub(crate) fn store(topic: &Topic, item: Item) -> u64 {
    match append(topic, item) {
        Ok(Appended::Stored { sequence, .. }) => sequence,
        other => panic!("not stored: {other:?}"),
    }
}

pub(crate) fn at(sequence: u64) -> Position {
    Position { sequence, ordinal: 0 }
}

pub(crate) fn body(entry: &EntryBody) -> Vec<u8> {
    match entry {
        EntryBody::Bytes(bytes) => bytes.to_vec(),
        EntryBody::Side(side) => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut side.reader(), &mut bytes).unwrap();
            bytes
        }
    }
}

/// All entries from `sequence` on: sequence, head, body.
pub(crate) fn read_from(cursor: &Cursor, mut sequence: u64) -> Vec<(u64, Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    while let Some(entry) = cursor.read(sequence).unwrap() {
        all.push((entry.sequence, entry.head.to_vec(), body(&entry.body)));
        sequence = entry.sequence + 1;
    }
    all
}
