//! Walking the frames of a segment, and finding the next whole one behind damage.
//!
//! Only headers are looked at here; they carry their own salted checksum, so what `Walk` yields is a frame of
//! this segment. Whether damage means "torn" or "rotten" is for the caller, who knows what was proven.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::disk::File;
use crate::frame::{ALIGN, HEADER, Header, MAGIC};

/// A window over a file, so that neighbouring small reads cost one system call.
#[derive(Debug)]
pub(crate) struct Window {
    file: Arc<dyn File>,
    buffer: Vec<u8>,
    start: u64,
    size: usize,
}

/// Window for single entries: header, key and head of one frame, or one small frame whole.
pub(crate) const WINDOW_ENTRY: usize = 4096;
/// Window for walking a whole segment.
pub(crate) const WINDOW_WALK: usize = 16 * 1024;
/// Bytes looked through at once for the next frame behind damage.
const SEARCH: usize = 64 * 1024;

impl Window {
    pub(crate) fn new(file: &Arc<dyn File>, size: usize) -> Window {
        let file = file.clone();
        Window { file, buffer: Vec::new(), start: 0, size }
    }

    /// `length` bytes from `offset`, fewer only where the file ends.
    pub(crate) fn get(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let end = self.start + self.buffer.len() as u64;
        if offset < self.start || offset + length as u64 > end {
            self.buffer.clear();
            self.file.read_at(&mut self.buffer, length.max(self.size), offset)?;
            self.start = offset;
        }
        let from = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        let rest = self.buffer.get(from..).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or(rest))
    }

    /// Like `get`, but owned; bytes that are not in the window yet are read straight into their place.
    pub(crate) fn take(&mut self, offset: u64, length: usize) -> io::Result<Bytes> {
        if length <= self.size {
            return Ok(Bytes::copy_from_slice(self.get(offset, length)?));
        }
        let mut bytes = Vec::new();
        self.file.read_at(&mut bytes, length, offset)?;
        Ok(Bytes::from(bytes))
    }
}

/// Walks from frame to frame.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) window: Window,
    salt: u32,
    at: u64,
    limit: u64,
}

/// What lies at the place the walk has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A frame whose header is whole.
    Frame(u64, Header),
    /// No frame, but there is one at `to`.
    Damage { from: u64, to: u64 },
    /// No frame from here to the limit. Equal to the limit when all was walked.
    Rest(u64),
}

impl Walk {
    pub(crate) fn new(window: Window, salt: u32, at: u64, limit: u64) -> Walk {
        Walk { window, salt, at, limit }
    }

    /// The next step; after `Rest` there is none.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        if let Some(header) = self.header_at(self.at)? {
            let from = self.at;
            self.at += header.frame_length();
            return Ok(Step::Frame(from, header));
        }
        let from = self.at;
        match self.find(from + ALIGN)? {
            Some(to) => {
                self.at = to;
                Ok(Step::Damage { from, to })
            }
            None => Ok(Step::Rest(from)),
        }
    }

    fn header_at(&mut self, at: u64) -> io::Result<Option<Header>> {
        if at + HEADER as u64 > self.limit {
            return Ok(None);
        }
        let bytes = self.window.get(at, HEADER)?;
        let header = Header::parse(bytes, self.salt);
        Ok(header.filter(|header| at + header.frame_length() <= self.limit))
    }

    /// The first offset at or behind `at` where a whole header lies.
    fn find(&mut self, mut at: u64) -> io::Result<Option<u64>> {
        while at + HEADER as u64 <= self.limit {
            let room = usize::try_from(self.limit - at).unwrap_or(usize::MAX).min(SEARCH);
            let bytes = self.window.get(at, room)?;
            if bytes.len() < HEADER {
                return Ok(None);
            }
            let scanned = (bytes.len() as u64 / ALIGN) * ALIGN;
            let words = bytes.chunks_exact(ALIGN as usize).enumerate();
            let starts = words.filter(|(_, word)| word.starts_with(&MAGIC));
            let candidates: Vec<u64> = starts.map(|(index, _)| at + index as u64 * ALIGN).collect();
            for candidate in candidates {
                if self.header_at(candidate)?.is_some() {
                    return Ok(Some(candidate));
                }
            }
            at += scanned;
        }
        Ok(None)
    }
}

/// The offset behind the last byte that is not zero in `from..to`; `from` when all are zero.
pub(crate) fn used_end(file: &dyn File, from: u64, to: u64) -> io::Result<u64> {
    let mut end = from;
    let mut at = from;
    let mut buffer = Vec::new();
    while at < to {
        let room = usize::try_from(to - at).unwrap_or(usize::MAX).min(SEARCH);
        file.read_at(&mut buffer, room, at)?;
        if buffer.is_empty() {
            break;
        }
        if let Some(last) = buffer.iter().rposition(|byte| *byte != 0) {
            end = at + last as u64 + 1;
        }
        at += buffer.len() as u64;
    }
    Ok(end)
}
