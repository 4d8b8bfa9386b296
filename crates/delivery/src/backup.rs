//! Backup: what could not be delivered, one Firehose failed-record line a record, in files that appear whole.
//!
//! A file is named by the stream and the first point it holds, so that the same data written again
//! after a crash replaces itself, and nothing else. The cursor moves after rename and directory sync.
//! With a bucket the folder is the queue of [`crate::upload`]; nothing else changes here.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::Position;

use crate::quarantine::sync_folder;
use crate::share::Share;
use crate::upload::Outbox;

/// Name of the folder for failed data, Firehose's own word.
pub(crate) const FAILED: &str = "http-endpoint-failed";

/// The backup folder of one stream.
pub(crate) struct Backup {
    folder: PathBuf,
    stream: String,
    share: Arc<Share>,
    /// Tells the uploader, when there is one.
    outbox: Option<Arc<Outbox>>,
}

impl Backup {
    pub(crate) fn new(
        folder: PathBuf,
        stream: &str,
        share: Arc<Share>,
        outbox: Option<Arc<Outbox>>,
    ) -> Self {
        share.watch(&folder);
        Self { folder, stream: stream.to_owned(), share, outbox }
    }

    /// Writes failed-record lines as one file; durable when it returns.
    pub(crate) fn write_failed(
        &self,
        topic: &str,
        first: Position,
        arrival_ms: i64,
        part: &str,
        lines: &[u8],
    ) -> Result<PathBuf, String> {
        let folder = self.folder.join(FAILED).join(hour_folder(arrival_ms));
        self.write(&folder, &self.name(topic, first, arrival_ms, part, "json"), lines)
    }

    /// Writes source records as they came (AllData) as one file.
    pub(crate) fn write_source(
        &self,
        topic: &str,
        from: Position,
        arrival_ms: i64,
        records: &[u8],
    ) -> Result<PathBuf, String> {
        let folder = self.folder.join(hour_folder(arrival_ms));
        self.write(&folder, &self.name(topic, from, arrival_ms, "all", "records"), records)
    }

    fn name(&self, topic: &str, from: Position, ms: i64, part: &str, extension: &str) -> String {
        let stamp = stamp(ms, "%Y-%m-%d-%H-%M-%S");
        let Position { sequence, ordinal } = from;
        let stream = &self.stream;
        format!("{stream}-1-{stamp}-{topic}-{sequence:016}-{ordinal:08}-{part}.{extension}")
    }

    fn write(&self, folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, String> {
        let path = folder.join(name);
        // The uploader removes what it has read, not what took its place meanwhile.
        let held = self.outbox.as_ref().map(|outbox| outbox.hold());
        let before = fs::metadata(&path).map_or(0, |m| m.len());
        let size = bytes.len() as u64;
        self.share.take(size).map_err(|e| e.to_string())?;
        if let Err(e) = write_whole(folder, &path, bytes) {
            self.share.give_back(size);
            return Err(format!("backup {}: {e}", path.display()));
        }
        self.share.give_back(before);
        // Told while nothing is counted anew, or one file would be counted twice or not at all.
        if let Some(outbox) = &self.outbox {
            outbox.written(before, size);
        }
        drop(held);
        Ok(path)
    }
}

/// A file that is there whole or not at all, durable when this returns.
pub(crate) fn write_whole(folder: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let fresh = !folder.is_dir();
    fs::create_dir_all(folder)?;
    let part = path.with_extension("part");
    let written = (|| {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)?;
        sync_folder(folder)
    })();
    if written.is_err() {
        // Best effort: a part that stays is overwritten by the next try.
        drop(fs::remove_file(&part));
    }
    written?;
    if fresh {
        // New folders are durable only when their parents are synced too.
        for parent in folder.ancestors().skip(1).take(5).filter(|p| p.is_dir()) {
            sync_folder(parent)?;
        }
    }
    Ok(())
}

fn hour_folder(ms: i64) -> String {
    stamp(ms, "%Y/%m/%d/%H")
}

fn stamp(ms: i64, format: &str) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map(|t| t.strftime(format).to_string())
        .unwrap_or_else(|_| "unknown".to_owned())
}
