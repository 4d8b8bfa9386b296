//! What the running process says of a delivery.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What became of a request id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traced {
    /// The request id.
    pub request_id: String,
    /// Each entry stored under it; none when it is not known.
    pub entries: Vec<TracedEntry>,
    /// Source ARNs that were tried.
    pub source_arns: Vec<String>,
    /// Entries whose header was looked at.
    pub looked_at: u64,
    /// The search of the journal ended before all was looked at.
    pub cut_short: bool,
}

/// One entry of the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedEntry {
    /// Its topic.
    pub topic: String,
    /// Its sequence.
    pub sequence: u64,
    /// When it came, ms.
    pub arrived_ms: i64,
    /// The delivery stream that sent it, when it is known.
    pub source_arn: String,
    /// Records in it; `None` when its entry is not on disk any more.
    pub records: Option<u32>,
    /// Repeats that were answered without storing, since the process started; `None` when it is
    /// too old for its repeats to be recognised.
    pub repeats: Option<u32>,
    /// Each stream that reads the topic.
    pub streams: Vec<TracedStream>,
}

/// What a stream did with an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedStream {
    /// Its name.
    pub name: String,
    /// `waiting`, `partly` or `done`.
    pub state: String,
    /// No stream of that name runs.
    pub gone: bool,
    /// Items of it in the backup on this disk.
    pub backed_up: u64,
    /// Items of it in quarantine.
    pub quarantined: u64,
    /// Files that hold them.
    pub files: Vec<PathBuf>,
    /// Where backups were brought that are not on this disk any more.
    pub uploaded_to: Option<String>,
}
