//! The backup folder as a queue: which files wait in it.
//!
//! Always: only files of this stream that are there whole, told by their names, in the folders that
//! the backup makes; whatever else a person keeps there is left alone. Memory is bounded however
//! many wait.

use std::collections::BinaryHeap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::backup::FAILED;

/// Files that are listed at a time, the oldest ones.
const LISTED_MAX: usize = 1000;
/// Folders below each other: the type of error, year, month, day, hour.
const DEPTH_MAX: usize = 5;

/// The stamp in a name, `2026-11-20-12-00-00`.
const STAMP_FORMAT: &str = "%Y-%m-%d-%H-%M-%S";
const STAMP_CHARS: usize = 19;
/// What stands there when the time was none.
const NO_STAMP: &str = "unknown";

/// A file that waits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Waiting {
    /// Its name without the stream's: by this the oldest comes first.
    pub name: String,
    pub path: PathBuf,
    /// The time in its name, milliseconds since the epoch.
    pub instant_ms: i64,
    /// Failed records; else source records as they came.
    pub is_failed: bool,
}

/// What a folder holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub files: u64,
    pub bytes: u64,
    /// The oldest, in order.
    pub oldest: Vec<Waiting>,
}

/// Looks through the folder. What cannot be read is passed over: it is there the next time.
pub(super) fn scan(folder: &Path, stream: &str) -> Found {
    let mut found = Found::default();
    let mut oldest = BinaryHeap::new();
    visit(folder, 0, &mut |path, bytes| {
        let Some(waiting) = parse(path, stream) else { return };
        found.files += 1;
        found.bytes += bytes;
        oldest.push(waiting);
        if oldest.len() > LISTED_MAX {
            oldest.pop();
        }
    });
    found.oldest = oldest.into_sorted_vec();
    found
}

fn visit(folder: &Path, depth: usize, file: &mut dyn FnMut(&Path, u64)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        // The entry's own kind: links are not followed.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_file() {
            let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
            file(&entry.path(), bytes);
        } else if kind.is_dir() && depth < DEPTH_MAX && is_ours(&entry.file_name()) {
            visit(&entry.path(), depth + 1, file);
        }
    }
}

fn is_ours(folder: &std::ffi::OsStr) -> bool {
    let Some(name) = folder.to_str() else { return false };
    name == FAILED || name.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a name tells, when it is one of this stream's; the names are made in `backup`.
fn parse(path: &Path, stream: &str) -> Option<Waiting> {
    let is_failed = match path.extension()?.to_str()? {
        "json" => true,
        "records" => false,
        // Also what is still being written.
        _ => return None,
    };
    let own = path.file_name()?.to_str()?.strip_prefix(stream)?.strip_prefix("-1-")?;
    let instant_ms =
        match own.split_at_checked(STAMP_CHARS).map(|(stamp, rest)| (instant(stamp), rest)) {
            Some((Some(instant_ms), rest)) if rest.starts_with('-') => instant_ms,
            _ if own.starts_with(NO_STAMP) => 0,
            _ => return None,
        };
    Some(Waiting { name: own.to_owned(), path: path.to_owned(), instant_ms, is_failed })
}

fn instant(stamp: &str) -> Option<i64> {
    let time = jiff::civil::DateTime::strptime(STAMP_FORMAT, stamp).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}
