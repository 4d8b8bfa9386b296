//! The bytes in sight: all of a body in memory, or the part of a stream that is being read.
//!
//! Owns: the window of a stream, which grows to one record and no further, and the count of bytes
//! gone by.
//!
//! Not here: what the bytes mean; see `json`.

use std::io::Read;
use std::ops::Range;

use super::EnvelopeFault;

/// First size of a stream's window. Large enough that the layer below works in long strokes, small
/// enough to stay in the second-level cache.
const FIRST: usize = 128 * 1024;

/// What a window holds beyond the longest record: the shape around it, with room to read ahead.
const SLACK: usize = 64 * 1024;

/// Bytes in sight and the source of more.
pub(super) struct Window<'a> {
    source: Source<'a>,
    /// Index of the next byte in what is in sight.
    at: usize,
    /// Bytes of the body before what is in sight.
    gone: u64,
}

enum Source<'a> {
    Whole(&'a [u8]),
    Stream(Stream<'a>),
}

struct Stream<'a> {
    inner: Box<dyn Read + Send + 'a>,
    buffer: Vec<u8>,
    end: usize,
    ended: bool,
    size_max: usize,
}

impl<'a> Window<'a> {
    pub(super) fn whole(plain: &'a [u8]) -> Self {
        Self { source: Source::Whole(plain), at: 0, gone: 0 }
    }

    pub(super) fn stream(inner: Box<dyn Read + Send + 'a>, record_text: usize) -> Self {
        let size_max = record_text.saturating_add(SLACK);
        let buffer = vec![0; FIRST.min(size_max)];
        let stream = Stream { inner, buffer, end: 0, ended: false, size_max };
        Self { source: Source::Stream(stream), at: 0, gone: 0 }
    }

    /// All bytes in sight, those gone by included.
    fn bytes(&self) -> &[u8] {
        match &self.source {
            Source::Whole(plain) => plain,
            Source::Stream(stream) => stream.buffer.get(..stream.end).unwrap_or_default(),
        }
    }

    /// The bytes from the next one on.
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes().get(self.at..).unwrap_or_default()
    }

    /// Bytes that stay valid until the window is asked for more.
    pub(super) fn slice(&self, range: Range<usize>) -> &[u8] {
        self.bytes().get(range).unwrap_or_default()
    }

    /// Index of the next byte, for [`Window::slice`].
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.at += count;
    }

    pub(super) fn bump(&mut self) {
        self.at += 1;
    }

    /// Brings more bytes into sight behind those not yet used; false when there are no more, or no
    /// room for them.
    pub(super) fn more(&mut self) -> Result<bool, EnvelopeFault> {
        let Source::Stream(stream) = &mut self.source else { return Ok(false) };
        if stream.ended {
            return Ok(false);
        }
        if self.at > 0 {
            stream.buffer.copy_within(self.at..stream.end, 0);
            stream.end -= self.at;
            self.gone += self.at as u64;
            self.at = 0;
        }
        if stream.end == stream.buffer.len() {
            let size = stream.buffer.len().saturating_mul(2).min(stream.size_max);
            if size == stream.end {
                return Ok(false);
            }
            stream.buffer.reserve_exact(size - stream.end);
            stream.buffer.resize(size, 0);
        }
        stream.fill()
    }

    /// A fault at the next byte.
    pub(super) fn malformed(&self, what: &str) -> EnvelopeFault {
        EnvelopeFault::Malformed { what: what.to_owned(), offset: self.gone + self.at as u64 }
    }
}

impl Stream<'_> {
    /// Fills the buffer; false when nothing came.
    fn fill(&mut self) -> Result<bool, EnvelopeFault> {
        let before = self.end;
        while let Some(space) = self.buffer.get_mut(self.end..)
            && !space.is_empty()
        {
            match self.inner.read(space) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => self.end += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(EnvelopeFault::Read(error)),
            }
        }
        Ok(self.end > before)
    }
}
