//! What goes in and what comes out: positions, keys, items, entries, and the answers to an append.
//!
//! Plain data with public fields, since any value is legal. Not here: anything that acts.

use bytes::Bytes;

use crate::side::{SideBody, SideFile};

/// Where an item stands: an entry and the number of an item in it. Ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
#[derive(Debug)]
pub struct Item {
    /// Recognises a repeat; `None` is always stored.
    pub key: Option<Key>,
    /// Small opaque header, readable without the body.
    pub head: Vec<u8>,
    /// The body.
    pub body: Body,
}

/// Bytes in memory, or a side file already on disk.
#[derive(Debug)]
pub enum Body {
    /// In memory.
    Bytes(Bytes),
    /// Written through [`crate::Topic::side_file`] and synced by [`crate::SideWriter::finish`].
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
    /// The journal's share of the disk budget, or this topic's, or the queue to the disk, is spent.
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

/// An entry as read.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its sequence.
    pub sequence: u64,
    /// Its header.
    pub head: Bytes,
    /// Its body: bytes, or a side file.
    pub body: EntryBody,
}

/// The body of an entry.
#[derive(Clone, Debug)]
pub enum EntryBody {
    /// In memory.
    Bytes(Bytes),
    /// Open for reading; stays readable though the entry is freed meanwhile.
    Side(SideBody),
}

impl EntryBody {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            EntryBody::Bytes(bytes) => bytes.len() as u64,
            EntryBody::Side(side) => side.len(),
        }
    }

    /// True for no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why an entry could not be read.
#[derive(Debug, thiserror::Error)]
#[error("reading entry {sequence} of {}: {source}{}", .directory.display(), remedy(.source))]
pub struct ReadError {
    /// Which: reading on from the next sequence skips it.
    pub sequence: u64,
    /// Where the topic is.
    pub directory: std::path::PathBuf,
    /// The error.
    pub source: std::io::Error,
}

fn remedy(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::NotFound => {
            "; somebody moved or removed a file: put it back, or restart to step over what was in it"
        }
        _ => "",
    }
}
