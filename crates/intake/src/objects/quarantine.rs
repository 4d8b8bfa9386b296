//! What could not be read, kept: a line of NDJSON that says what and why, and the bytes beside it.
//!
//! One folder a source. A line is on disk before the object it tells of counts as done; after a
//! crash it may stand twice, never not at all. The bytes lie in a file named by their place, so that
//! reading an object twice keeps one copy. Files are never removed here. Not here: streams, which
//! have a quarantine of their own for what they cannot decode.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use codec::checksum::Hasher128;
use serde::Serialize;

use super::pieces::Rejected;
use super::reason::Reason;

/// A file of lines above this size is closed and the next begun: small enough for an editor.
const FILE_BYTES: u64 = 16 << 20;
/// Bytes kept beside the lines, at most: hundreds of samples of what went wrong. Beyond it, only
/// lines are written, and say so.
const RAW_BYTES_MAX: u64 = 256 << 20;
/// Lines and bytes together, at most. Beyond it nothing can be set aside any more: objects that
/// need it are put off, and the source says so.
const ALL_BYTES_MAX: u64 = 320 << 20;

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    source: &'a str,
    /// `s3://bucket/key` or a path.
    object: &'a str,
    reason: &'a str,
    detail: &'a str,
    remedy: &'a str,
    offset: u64,
    length: u64,
    kept: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
}

/// The quarantine of one source.
pub(crate) struct Quarantine {
    folder: PathBuf,
    source: String,
    raw_max: u64,
    all_max: u64,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// Bytes in the folder, once counted.
    held: Option<u64>,
    file: Option<(File, u64)>,
    number: u32,
}

impl Quarantine {
    pub(crate) fn new(folder: PathBuf, source: &str) -> Quarantine {
        let (raw_max, all_max) = (RAW_BYTES_MAX, ALL_BYTES_MAX);
        Quarantine { folder, source: source.to_owned(), raw_max, all_max, open: Mutex::default() }
    }

    /// Makes a part of `object` durable here. An error says in words what is the matter.
    pub(crate) fn keep(&self, object: &str, part: &Rejected, now_ms: i64) -> Result<(), String> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.write(&mut open, object, part, now_ms);
        if kept.is_err() {
            // The truth on disk is unknown: look anew the next time.
            *open = Open { number: open.number, ..Open::default() };
        }
        kept.map_err(|error| format!("quarantine {}: {error}", self.folder.display()))
    }

    /// The same for what has no bytes.
    pub(crate) fn note(
        &self,
        object: &str,
        reason: Reason,
        detail: &str,
        now_ms: i64,
    ) -> Result<(), String> {
        let detail = detail.to_owned();
        let part = Rejected { reason, detail, offset: 0, length: 0, bytes: Vec::new() };
        self.keep(object, &part, now_ms)
    }

    fn write(&self, open: &mut Open, object: &str, part: &Rejected, now: i64) -> io::Result<()> {
        let held = match open.held {
            Some(held) => held,
            None => self.count()?,
        };
        open.held = Some(held);
        let name = format!("{:032x}.bin", name_of(object, part.offset));
        let room = held + part.bytes.len() as u64 <= self.raw_max;
        let raw = room && !part.bytes.is_empty();
        let mut line = Vec::new();
        let shown = Line {
            time: rfc3339(now),
            source: &self.source,
            object,
            reason: part.reason.code(),
            detail: &part.detail,
            remedy: part.reason.remedy(),
            offset: part.offset,
            length: part.length,
            kept: if raw { part.bytes.len() as u64 } else { 0 },
            file: raw.then_some(&name),
        };
        serde_json::to_writer(&mut line, &shown)?;
        line.push(b'\n');
        if held + line.len() as u64 > self.all_max {
            let most = self.all_max;
            let full = format!("is full ({most} bytes); look at it and remove what is old");
            return Err(io::Error::other(full));
        }
        let mut added = line.len() as u64;
        if raw {
            added += self.write_raw(&name, &part.bytes)?;
        }
        let (file, size) = self.file(open, now)?;
        file.write_all(&line)?;
        file.sync_data()?;
        *size += line.len() as u64;
        open.held = Some(held + added);
        Ok(())
    }

    fn write_raw(&self, name: &str, bytes: &[u8]) -> io::Result<u64> {
        self.make()?;
        let path = self.folder.join(name);
        let before = fs::metadata(&path).map_or(0, |found| found.len());
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        File::open(&self.folder)?.sync_all()?;
        Ok((bytes.len() as u64).saturating_sub(before))
    }

    /// The file of lines, a new one when there is none or it is large.
    fn file<'o>(&self, open: &'o mut Open, now_ms: i64) -> io::Result<&'o mut (File, u64)> {
        if open.file.as_ref().is_none_or(|(_, size)| *size >= FILE_BYTES) {
            self.make()?;
            open.file = Some((self.begin(&mut open.number, now_ms)?, 0));
        }
        open.file.as_mut().ok_or_else(|| io::Error::other("no file"))
    }

    fn begin(&self, number: &mut u32, now_ms: i64) -> io::Result<File> {
        loop {
            let path = self.folder.join(format!("{now_ms:013}-{number:04}.ndjson"));
            *number += 1;
            match OpenOptions::new().append(true).create_new(true).open(path) {
                Ok(file) => {
                    File::open(&self.folder)?.sync_all()?;
                    return Ok(file);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn make(&self) -> io::Result<()> {
        if self.folder.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        self.folder.parent().map_or(Ok(()), |above| File::open(above)?.sync_all())
    }

    /// Bytes in the folder.
    fn count(&self) -> io::Result<u64> {
        let listed = match fs::read_dir(&self.folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut held = 0;
        for entry in listed {
            held += entry?.metadata()?.len();
        }
        Ok(held)
    }
}

fn name_of(object: &str, offset: u64) -> u128 {
    let mut name = Hasher128::new();
    name.update(&offset.to_le_bytes());
    name.update(object.as_bytes());
    name.digest()
}

/// `2026-11-20T12:00:00.000Z`.
fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |t| format!("{t:.3}"))
}

#[cfg(test)]
mod tests {
    use testkit::TempDir;

    use super::*;

    fn part(length: usize) -> Rejected {
        let (reason, detail) = (Reason::Text, String::new());
        Rejected { reason, detail, offset: 7, length: length as u64, bytes: vec![b'x'; length] }
    }

    /// *Scenario:* the same part is kept twice; then the room for bytes is spent, then all room; then
    /// somebody removes the files.
    /// *Guarantees:* the bytes are kept once; beyond their room a line says that nothing is kept; with
    /// no room at all it is an error that names the folder, and passes when there is room again.
    #[test]
    fn is_bounded_and_says_so() {
        let dir = TempDir::new("quarantine");
        let folder = dir.join("archive");
        let mut quarantine = Quarantine::new(folder.clone(), "archive");
        (quarantine.raw_max, quarantine.all_max) = (3000, 3500);
        quarantine.keep("s3://b/k", &part(1000), 1).expect("room");
        quarantine.keep("s3://b/k", &part(1000), 2).expect("room");
        let count = || fs::read_dir(&folder).expect("listed").count();
        assert_eq!(count(), 2, "a file of lines and one of bytes");
        quarantine.keep("s3://b/other", &part(2500), 3).expect("a line");
        let lines = fs::read_to_string(folder.join("0000000000001-0000.ndjson")).expect("lines");
        let last = lines.lines().last().expect("a line");
        assert!(last.contains(r#""length":2500,"kept":0}"#), "{last}");
        let full = (0..20).find_map(|now| quarantine.keep("s3://b/k", &part(0), now).err());
        let full = full.expect("full");
        assert!(full.contains("archive") && full.contains("3500"), "{full}");
        fs::remove_dir_all(&folder).expect("removed");
        quarantine.keep("s3://b/k", &part(1000), 9).expect("room again");
        assert_eq!(count(), 2);
    }
}
