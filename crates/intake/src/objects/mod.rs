//! Objects as sources: what Firehose wrote into a bucket, a folder of captures, standard input.
//!
//! Owns the way from the bytes of an object, however compressed, to journal entries of one record
//! each, and what becomes of an object that is none. Always holds: memory does not grow with the
//! object; the same object always gives the same pieces, so that a piece read twice is known as a
//! repeat; nobody is told yes before every piece is durable. Not here: what is in a piece.

mod carry;
pub mod event;
mod feed;
mod fetch;
pub mod files;
mod ledger;
pub mod pieces;
mod quarantine;
mod reason;
pub mod s3;
mod stats;

pub use carry::{Carried, Carrier, Halt, Object};
pub use fetch::{Failed, Wanted};
pub use reason::Reason;
pub use stats::{Snapshot, State, Stats, Trouble};

use std::path::PathBuf;

use journal::Topic;

use crate::Clock;

/// What an object source is built from, besides its settings.
pub struct Parts {
    /// Where its pieces go.
    pub topic: Topic,
    /// Time.
    pub clock: Clock,
    /// Folder of its durable position.
    pub state: PathBuf,
    /// Folder of what cannot be read, one file an object, and NDJSON that says why.
    pub quarantine: PathBuf,
}

/// Limits of an object source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of an object once inflated.
    pub object_bytes: u64,
    /// Objects read at a time.
    pub concurrency: usize,
}

impl Default for Limits {
    /// 64 GiB inflated is beyond any object of metrics; two objects at a time keep two cores busy.
    fn default() -> Limits {
        Limits { object_bytes: 64 << 30, concurrency: 2 }
    }
}
