//! Side files: bodies too large to pass through memory whole.
//!
//! Owns the files in `side/` until they are appended. Written as they stream in, synced with their name by
//! `finish`; one that is dropped before it was appended is removed. Read back through a reader that checks the
//! checksum at the end.

use std::io::{self, ErrorKind, IoSlice, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::disk::File;
use crate::frame::SideRef;
use crate::shared::Shared;

const SUFFIX: &str = ".body";
/// Folder of the side files in a topic's directory.
pub(crate) const FOLDER: &str = "side";
/// What can be wrong with one.
pub(crate) const GONE: &str = "it is gone";
pub(crate) const SHORT: &str = "it is cut short";
const ALTERED: &str = "its checksum is wrong";
/// Most bytes read at once.
const READ_MAX: usize = 256 * 1024;

/// The file name of side file `id`.
pub(crate) fn file_name(id: u64) -> String {
    format!("{id:016x}{SUFFIX}")
}

/// The id of a side file by its name.
pub(crate) fn parse_name(name: &str) -> Option<u64> {
    let id = u64::from_str_radix(name.strip_suffix(SUFFIX)?, 16).ok()?;
    (file_name(id) == name).then_some(id)
}

/// A file that goes when this is dropped, unless it was kept.
#[derive(Debug)]
struct Unclaimed {
    shared: Arc<Shared>,
    path: PathBuf,
    bytes: u64,
    kept: bool,
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let removed = self.shared.disk.remove(&self.path);
        self.shared.count_failure("removing a side file", &self.path, removed);
        self.shared.share.give(self.bytes);
    }
}

/// Writes a side file.
#[derive(Debug)]
pub struct SideWriter {
    file: Arc<dyn File>,
    unclaimed: Unclaimed,
    id: u64,
    crc: u32,
}

impl SideWriter {
    pub(crate) fn create(shared: &Arc<Shared>) -> io::Result<SideWriter> {
        if let Some(refused) = shared.refusing() {
            return Err(io::Error::new(ErrorKind::StorageFull, refused));
        }
        let id = shared.next_side.fetch_add(1, Ordering::Relaxed);
        let path = shared.directory.join(FOLDER).join(file_name(id));
        let file = shared.disk.create(&path)?;
        let unclaimed = Unclaimed { shared: shared.clone(), path, bytes: 0, kept: false };
        Ok(SideWriter { file, unclaimed, id, crc: 0 })
    }

    /// Appends bytes. Over the budget the error is of kind `StorageFull` and holds a [`crate::Refused`].
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let shared = &self.unclaimed.shared;
        let length = bytes.len() as u64;
        if let Err(spent) = shared.share.take(length, length) {
            let refused = shared.refused_full(spent);
            return Err(io::Error::new(ErrorKind::StorageFull, refused));
        }
        let at = self.unclaimed.bytes;
        self.unclaimed.bytes += length;
        self.file.write_at(&[IoSlice::new(bytes)], at)?;
        self.crc = crc32c::crc32c_append(self.crc, bytes);
        Ok(())
    }

    /// Syncs file and directory.
    pub fn finish(self) -> io::Result<SideFile> {
        self.file.sync()?;
        let shared = &self.unclaimed.shared;
        shared.disk.sync_dir(&shared.directory.join(FOLDER))?;
        let about = SideRef { id: self.id, length: self.unclaimed.bytes, crc: self.crc };
        Ok(SideFile { file: self.file, unclaimed: self.unclaimed, about })
    }
}

/// A finished side file. Dropped without being appended it is removed.
#[derive(Debug)]
pub struct SideFile {
    file: Arc<dyn File>,
    unclaimed: Unclaimed,
    pub(crate) about: SideRef,
}

impl SideFile {
    /// A reader from the first byte.
    pub fn open(&self) -> io::Result<SideReader> {
        Ok(self.body().reader())
    }

    /// The body, as an entry that refers to it shows it.
    pub fn body(&self) -> SideBody {
        let SideRef { length, crc, .. } = self.about;
        SideBody { file: Some(self.file.clone()), length, crc, home: None }
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.about.length
    }

    /// True for no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True when it was written for this topic.
    pub(crate) fn belongs_to(&self, shared: &Arc<Shared>) -> bool {
        Arc::ptr_eq(&self.unclaimed.shared, shared)
    }

    /// The log refers to it now; the topic removes it when the entry is freed.
    pub(crate) fn keep(mut self) {
        self.unclaimed.kept = true;
    }
}

/// The body of an entry that lies in a side file. Stays readable though the entry is freed meanwhile.
#[derive(Clone, Debug)]
pub struct SideBody {
    /// `None` when it is gone.
    file: Option<Arc<dyn File>>,
    length: u64,
    crc: u32,
    /// Who counts it when it is damaged, and as which entry.
    home: Option<(Arc<Shared>, u64)>,
}

impl SideBody {
    pub(crate) fn of_entry(
        home: Arc<Shared>,
        sequence: u64,
        file: Option<Arc<dyn File>>,
        about: SideRef,
    ) -> SideBody {
        let SideRef { length, crc, .. } = about;
        SideBody { file, length, crc, home: Some((home, sequence)) }
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// True for no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn damaged(&self, why: &'static str) -> io::Error {
        if let Some((home, sequence)) = &self.home {
            home.note_side(*sequence, why);
        }
        io::Error::new(ErrorKind::InvalidData, format!("the side file is damaged: {why}"))
    }

    /// A reader from the first byte; each has its own place.
    pub fn reader(&self) -> SideReader {
        SideReader { body: self.clone(), at: 0, crc: 0, buffer: Vec::new() }
    }
}

/// Reads a side file. Where the bytes are not those that were written, the last read fails with `InvalidData`
/// instead of saying "end".
#[derive(Debug)]
pub struct SideReader {
    body: SideBody,
    at: u64,
    crc: u32,
    buffer: Vec<u8>,
}

impl Read for SideReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.body.length - self.at).unwrap_or(usize::MAX);
        let want = into.len().min(left).min(READ_MAX);
        if want == 0 {
            if left == 0 && self.crc != self.body.crc {
                return Err(self.body.damaged(ALTERED));
            }
            return Ok(0);
        }
        let Some(file) = &self.body.file else { return Err(self.body.damaged(GONE)) };
        file.read_at(&mut self.buffer, want, self.at)?;
        let got = self.buffer.len();
        if got == 0 {
            return Err(self.body.damaged(SHORT));
        }
        self.crc = crc32c::crc32c_append(self.crc, &self.buffer);
        self.at += got as u64;
        if let Some(place) = into.get_mut(..got) {
            place.copy_from_slice(&self.buffer);
        }
        Ok(got)
    }
}
