//! Quarantine: what cannot be used here, kept as NDJSON with its place and its reason.
//!
//! One folder a stream, owned by the stream's thread. A line is on disk before the cursor passes what
//! it tells of; after a crash a line may stand twice, never not at all. A torn last line is harmless:
//! the cursor had not moved. Files are never removed here: `dropped` needs an explicit command.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::share::Share;

/// A file above this size is closed and the next begun: small enough to open in an editor.
const FILE_BYTES: u64 = 16 * 1024 * 1024;

/// One line. Either `data` (base64 of bytes) or `text`.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    pub time: String,
    pub stream: &'a str,
    pub source: &'a str,
    pub topic: &'a str,
    pub sequence: u64,
    pub record: u32,
    pub item: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    pub reason: &'a str,
    pub detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

impl Line<'_> {
    /// Appends the line to `out`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        // Writing into memory and strings of our own cannot fail.
        if serde_json::to_writer(&mut *out, self).is_ok() {
            out.push(b'\n');
        }
    }
}

/// The quarantine of one stream.
pub(crate) struct Quarantine {
    folder: PathBuf,
    share: Arc<Share>,
    open: Option<(File, u64)>,
    born_ms: i64,
    files: u32,
}

impl Quarantine {
    /// Lines go to new files below `folder`.
    pub(crate) fn new(folder: PathBuf, share: Arc<Share>, now_ms: i64) -> Self {
        share.watch(&folder);
        Self { folder, share, open: None, born_ms: now_ms, files: 0 }
    }

    /// Makes `lines` durable.
    pub(crate) fn write(&mut self, lines: &[u8]) -> Result<(), String> {
        if lines.is_empty() {
            return Ok(());
        }
        self.share.take(lines.len() as u64).map_err(|e| e.to_string())?;
        let written = self.append(lines);
        if written.is_err() {
            // The truth on disk is unknown: begin a new file, and look anew at what is used.
            self.open = None;
            self.share.count();
        }
        written.map_err(|e| format!("quarantine {}: {e}", self.folder.display()))
    }

    /// Keeps the bytes of a damaged body in a file of their own, as far as they can be read and the
    /// share allows; says in words what is kept.
    pub(crate) fn keep(&self, name: &str, mut raw: impl Read) -> String {
        let path = self.folder.join(name);
        let kept = (|| {
            fs::create_dir_all(&self.folder)?;
            let mut file = File::create(&path)?;
            let (mut chunk, mut length) = (vec![0; 64 * 1024], 0_u64);
            // The end of what can be read is an error as often as an end.
            while let Ok(n @ 1..) = raw.read(&mut chunk) {
                if self.share.take(n as u64).is_err() {
                    break;
                }
                file.write_all(chunk.get(..n).unwrap_or_default())?;
                length += n as u64;
            }
            file.sync_all()?;
            sync_folder(&self.folder)?;
            Ok::<u64, std::io::Error>(length)
        })();
        match kept {
            Ok(length) => format!("{length} bytes of it are kept in {name}"),
            Err(error) => format!("it could not be kept: {error}"),
        }
    }

    fn append(&mut self, lines: &[u8]) -> std::io::Result<()> {
        if self.open.as_ref().is_none_or(|(_, size)| *size >= FILE_BYTES) {
            self.open = Some((self.begin()?, 0));
        }
        let Some((file, size)) = &mut self.open else { return Ok(()) };
        file.write_all(lines)?;
        file.sync_data()?;
        *size += lines.len() as u64;
        Ok(())
    }

    fn begin(&mut self) -> std::io::Result<File> {
        if !self.folder.is_dir() {
            fs::create_dir_all(&self.folder)?;
            // A new folder is durable when the one above it is synced.
            self.folder.parent().map_or(Ok(()), sync_folder)?;
        }
        loop {
            let path = self.folder.join(format!("{:013}-{:04}.ndjson", self.born_ms, self.files));
            self.files += 1;
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => {
                    sync_folder(&self.folder)?;
                    return Ok(file);
                }
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// `2026-11-20T12:00:00.000Z`.
pub(crate) fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |t| format!("{t:.3}"))
}
