//! A quick look at a record, for the door.
//!
//! Owns the guess at what a record holds, from a few hundred bytes. It decides about nothing but a
//! delivery that holds CloudWatch Logs alone; the decoder looks for itself. A guess may be wrong
//! about bytes made to mislead; it never costs more than [`LOOKED_AT_MAX`].

use std::io::Read;

use codec::gzip::{StreamInflater, is_gzip};

use crate::decode::begins_as_message;

/// What a record seems to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing at all.
    Empty,
    /// CloudWatch metric stream JSON (or other JSON).
    Json,
    /// Length-prefixed OTel messages.
    Otel,
    /// CloudWatch Logs subscription data, gzip or plain.
    CloudWatchLogs,
    /// gzip of something else.
    Gzip,
    /// None of these.
    Unknown,
}

/// Bytes of a record's content that are looked at. The keys that tell log data apart come first in
/// it: `messageType`, `owner`, `logGroup` and `logStream`, the last two of at most 512 bytes each.
const LOOKED_AT_MAX: usize = 2048;

/// Compressed bytes that are read to see [`LOOKED_AT_MAX`] inflated ones; real data needs less.
const COMPRESSED_MAX: usize = 4096;

/// Looks at the first bytes of a record; cheap, allocates nothing for metrics.
pub fn sniff(record: &[u8]) -> Kind {
    if is_gzip(record) {
        return if holds_log_data(record) { Kind::CloudWatchLogs } else { Kind::Gzip };
    }
    let start = record.get(..LOOKED_AT_MAX).unwrap_or(record);
    let text = start.trim_ascii_start();
    // `{` and a line feed also begin a message of 123 bytes, which goes on with a length.
    let inside = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    if record.is_empty() {
        Kind::Empty
    } else if is_log_data(start) {
        Kind::CloudWatchLogs
    } else if matches!(inside, Some([b'"' | b'}', ..])) {
        Kind::Json
    } else if begins_as_message(record) {
        Kind::Otel
    } else if inside.is_some() {
        Kind::Json
    } else if text.is_empty() && start.len() == record.len() {
        Kind::Empty
    } else {
        Kind::Unknown
    }
}

/// True when a gzip record holds log data.
#[cold]
fn holds_log_data(record: &[u8]) -> bool {
    let compressed = record.get(..COMPRESSED_MAX).unwrap_or(record);
    let mut start = [0_u8; LOOKED_AT_MAX];
    let mut inflater = StreamInflater::new(compressed, u64::MAX);
    let mut length = 0;
    while let Some(space) = start.get_mut(length..).filter(|space| !space.is_empty()) {
        match inflater.read(space) {
            // The end of the stream, or of the piece that was cut out of it.
            Ok(0) | Err(_) => break,
            Ok(more) => length += more,
        }
    }
    is_log_data(start.get(..length).unwrap_or(&[]))
}

/// True when `content` begins as an object with the keys of CloudWatch Logs subscription data.
pub(crate) fn is_log_data(content: &[u8]) -> bool {
    let start = content.get(..LOOKED_AT_MAX).unwrap_or(content);
    let holds = |key: &[u8]| memchr::memmem::find(start, key).is_some();
    start.trim_ascii_start().starts_with(b"{")
        && holds(b"\"messageType\"")
        && (holds(b"\"logGroup\"") || holds(b"\"logEvents\""))
        && !holds(b"\"metric_name\"")
}

#[cfg(test)]
mod tests;
