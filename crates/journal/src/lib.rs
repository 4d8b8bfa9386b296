//! The durable log of opaque bytes: append with one sync for all who wait, read by cursor, settle, free.
//!
//! Owns the log directories, the cursors and the list of recent keys. It never looks inside an entry (I2)
//! and nobody hears yes before the sync that covers his bytes has returned (I1).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// Where an item stands: an entry and the number of an item in it. Ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Sequence of the entry, logical, never reused.
    pub sequence: u64,
    /// Number of the item in the entry.
    pub ordinal: u32,
}

/// The key by which a repeat is recognised, and the hash that tells the same data from other data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Hash of source ARN and request id.
    pub name: u128,
    /// Hash of the record data.
    pub data: u128,
}

/// What is appended.
pub struct Item {
    /// Recognises a repeat; `None` is always stored.
    pub key: Option<Key>,
    /// Small opaque header, readable without the body.
    pub head: Vec<u8>,
    /// The body.
    pub body: Body,
}

/// Bytes in memory, or a side file already on disk.
pub enum Body {
    /// In memory.
    Bytes(Bytes),
    /// Written through [`Topic::side_file`] and synced by [`SideWriter::finish`].
    Side(SideFile),
}

/// The answer to an append that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Stored and durable.
    Stored {
        /// Its sequence.
        sequence: u64,
        /// True when the same key was known with other data.
        other_data: bool,
    },
    /// Already durable under the same key with the same data; nothing was stored.
    Repeat,
}

/// Why nothing was stored. The sender is told to come again (503).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The journal's share of the disk budget, or this topic's, is spent.
    #[error("journal is full: {used} of {limit} bytes, held by {holder}")]
    Full {
        /// Bytes held.
        used: u64,
        /// The limit.
        limit: u64,
        /// The cursor that holds the most.
        holder: String,
    },
    /// The disk failed; a new segment is tried every few seconds.
    #[error("disk failed: {0}")]
    Disk(String),
    /// The journal is closing.
    #[error("journal is closing")]
    Closing,
}

/// Limits, each from a setting.
#[derive(Clone, Debug)]
pub struct Options {
    /// Size of a segment; space is reserved when it is created.
    pub segment_bytes: u64,
    /// The journal's share of the disk budget, all topics.
    pub budget_bytes: u64,
    /// Most bytes one topic may hold.
    pub topic_bytes: u64,
    /// Most bytes written before one sync.
    pub commit_bytes: usize,
    /// How long a key is remembered.
    pub key_keep: Duration,
    /// How many keys are remembered, per topic.
    pub keys_max: usize,
    /// How long after a failed sync a new segment is tried.
    pub retry_after: Duration,
}

/// The log. Cheap to clone.
#[derive(Clone)]
pub struct Journal {}

/// What was found when the journal was opened.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    /// Bytes cut from torn tails (never acknowledged).
    pub torn_bytes: u64,
    /// Damaged stretches that had been durable (bit rot), bytes.
    pub rotten_bytes: u64,
    /// One line a finding, for the log.
    pub findings: Vec<String>,
}

/// Where a new cursor starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// After all that is there.
    Newest,
    /// At the oldest entry kept.
    Oldest,
}

/// An entry as read.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its sequence.
    pub sequence: u64,
    /// Its header.
    pub head: Bytes,
    /// Its body: bytes, or the path of a side file.
    pub body: EntryBody,
}

/// The body of an entry.
#[derive(Clone, Debug)]
pub enum EntryBody {
    /// In memory.
    Bytes(Bytes),
    /// Open for reading; stays readable though the entry is freed meanwhile.
    Side(Arc<std::fs::File>, u64),
}

/// What a topic or a cursor holds.
#[derive(Clone, Debug, Default)]
pub struct TopicStatus {
    /// Topic name.
    pub topic: String,
    /// Bytes on disk.
    pub bytes: u64,
    /// Sequence after the last durable entry.
    pub end: u64,
    /// Why nothing is taken, when nothing is.
    pub refusing: Option<Refused>,
    /// Each cursor and what it holds: name, low mark, bytes from there to the end, in use by this process.
    pub cursors: Vec<CursorStatus>,
    /// Counters since start.
    pub appended: u64,
    /// Repeats suppressed.
    pub repeats: u64,
    /// Same key, other data.
    pub other_data: u64,
    /// Keys evicted before their time.
    pub keys_evicted: u64,
    /// Commits (syncs) since start.
    pub commits: u64,
    /// Syncs that failed.
    pub sync_failures: u64,
}

/// What a cursor holds.
#[derive(Clone, Debug)]
pub struct CursorStatus {
    /// Cursor name (a delivery stream).
    pub name: String,
    /// Everything below is settled.
    pub low: Position,
    /// Bytes from the low mark's entry to the end.
    pub bytes: u64,
    /// Entries from the low mark's entry to the end.
    pub entries: u64,
    /// Opened by this process.
    pub open: bool,
}

/// Why the journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Written by a newer release.
    #[error("{path} has journal format {found}; this release reads up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u16,
        /// The newest known.
        known: u16,
    },
    /// The disk.
    #[error("{doing} {path}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// The error.
        source: std::io::Error,
    },
}

/// Why an entry could not be read.
#[derive(Debug, thiserror::Error)]
#[error("reading entry {sequence}: {source}")]
pub struct ReadError {
    /// Which.
    pub sequence: u64,
    /// The error.
    pub source: std::io::Error,
}

impl Journal {
    /// Opens `directory` on the real disk. Torn tails and bit rot never stop it.
    pub fn open(_directory: &std::path::Path, _options: Options) -> Result<(Journal, Recovery), OpenError> {
        unimplemented!()
    }
    /// Opens or creates a topic; one writer thread each.
    pub fn topic(&self, _name: &str) -> Result<Topic, OpenError> {
        unimplemented!()
    }
    /// Names of the topics on disk.
    pub fn topics(&self) -> Vec<String> {
        unimplemented!()
    }
    /// Bytes held by all topics.
    pub fn bytes(&self) -> u64 {
        unimplemented!()
    }
    /// All topics and cursors, also those nobody opened (removed streams).
    pub fn status(&self) -> Vec<TopicStatus> {
        unimplemented!()
    }
    /// Removes the cursor of a stream that is gone, in every topic; frees what only it held.
    pub fn forget(&self, _cursor: &str) -> Result<u64, OpenError> {
        unimplemented!()
    }
    /// Commits what is queued, syncs cursors and joins the writers.
    pub fn close(&self) {
        unimplemented!()
    }
}

/// One log. Cheap to clone.
#[derive(Clone)]
pub struct Topic {}

impl Topic {
    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        unimplemented!()
    }
    /// Queues an item. `done` runs on the writer thread, once, after the sync (or at refusal); it must be quick.
    pub fn append(&self, _item: Item, _done: Box<dyn FnOnce(Result<Appended, Refused>) + Send>) {
        unimplemented!()
    }
    /// Would an append be refused now? A cheap look, so that a body need not be read to be refused.
    pub fn refusing(&self) -> Option<Refused> {
        unimplemented!()
    }
    /// A file for a body too large to hold; dropped without `finish` it is removed.
    pub fn side_file(&self) -> std::io::Result<SideWriter> {
        unimplemented!()
    }
    /// Opens the cursor of a stream, or creates it.
    pub fn cursor(&self, _name: &str, _start: Start) -> Result<Cursor, OpenError> {
        unimplemented!()
    }
    /// Sequence after the last durable entry.
    pub fn end(&self) -> u64 {
        unimplemented!()
    }
    /// `wake` runs on the writer thread after each commit, with the new end; it must be quick.
    pub fn on_commit(&self, _wake: Box<dyn Fn(u64) + Send + Sync>) {
        unimplemented!()
    }
}

/// Writes a side file.
pub struct SideWriter {}

impl SideWriter {
    /// Appends bytes.
    pub fn write(&mut self, _bytes: &[u8]) -> std::io::Result<()> {
        unimplemented!()
    }
    /// Syncs file and directory.
    pub fn finish(self) -> std::io::Result<SideFile> {
        unimplemented!()
    }
}

/// A finished side file. Dropped without being appended it is removed.
pub struct SideFile {}

impl SideFile {
    /// A reader from the first byte.
    pub fn open(&self) -> std::io::Result<std::fs::File> {
        unimplemented!()
    }
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        unimplemented!()
    }
    /// True for no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A stream's place in a topic. One owner; `Send`.
pub struct Cursor {}

impl Cursor {
    /// Name of the topic.
    pub fn topic(&self) -> &Arc<str> {
        unimplemented!()
    }
    /// Everything below is settled.
    pub fn low(&self) -> Position {
        unimplemented!()
    }
    /// Sequence after the last durable entry.
    pub fn end(&self) -> u64 {
        unimplemented!()
    }
    /// Settled ranges above the low mark, half-open, ascending, disjoint.
    pub fn settled(&self) -> Vec<(Position, Position)> {
        unimplemented!()
    }
    /// The first durable, undamaged entry with sequence >= `sequence`, or `None` at the end.
    pub fn read(&self, _sequence: u64) -> Result<Option<Entry>, ReadError> {
        unimplemented!()
    }
    /// Like `read`, but the header only: sequence, header, length of the body.
    pub fn read_head(&self, _sequence: u64) -> Result<Option<(u64, Bytes, u64)>, ReadError> {
        unimplemented!()
    }
    /// Marks the half-open range as settled and writes the slot (not yet synced: see `sync`). The end of
    /// entry `n` is `Position { sequence: n + 1, ordinal: 0 }`.
    pub fn settle(&mut self, _from: Position, _to: Position) -> std::io::Result<()> {
        unimplemented!()
    }
    /// Makes the slot durable; segments below every cursor's durable low mark are freed. Called once a second.
    pub fn sync(&mut self) -> std::io::Result<()> {
        unimplemented!()
    }
    /// Bytes from the low mark's entry to the end.
    pub fn backlog_bytes(&self) -> u64 {
        unimplemented!()
    }
}
