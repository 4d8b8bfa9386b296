//! A delivery stream that does not run: why, since when, and what waits for it.
//!
//! Always holds: its cursor is open, so that its records stay and can be counted.

use entry::Header;
use journal::{Cursor, Start, Topic};

/// Its state.
pub(super) struct Failed {
    pub why: String,
    pub since_ms: i64,
    /// `None` when not even that could be opened.
    cursor: Option<Cursor>,
}

/// What others see of it.
pub(in crate::run) struct Failure {
    pub why: String,
    pub since_ms: i64,
    /// Bytes of the journal that wait for it.
    pub backlog_bytes: u64,
    /// When the oldest of them came.
    pub oldest_ms: Option<i64>,
}

impl Failed {
    /// It could not be started, because of `why`. Its first record is the one of number `first`.
    pub(super) fn hold(
        topic: Result<Topic, String>,
        (name, first): (&str, u64),
        why: String,
        since_ms: i64,
    ) -> Failed {
        let cursor =
            topic.and_then(|topic| topic.cursor(name, Start::At(first)).map_err(|e| e.to_string()));
        match cursor {
            Ok(cursor) => Failed { why, since_ms, cursor: Some(cursor) },
            Err(why) => Failed { why, since_ms, cursor: None },
        }
    }

    pub(super) fn seen(&self) -> Failure {
        let oldest = self.cursor.as_ref().and_then(|cursor| {
            let (_, head, _) = cursor.read_head(cursor.low().sequence).ok()??;
            Some(Header::decode(&head).ok()?.arrival_ms)
        });
        Failure {
            why: self.why.clone(),
            since_ms: self.since_ms,
            backlog_bytes: self.cursor.as_ref().map_or(0, Cursor::backlog_bytes),
            oldest_ms: oldest,
        }
    }
}
