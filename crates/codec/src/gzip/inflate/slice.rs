//! A body in memory, inflated through a window that the second-level cache holds.
//!
//! Owns: how much has been given out. Tables and window are the [`super::Inflater`]'s.
//!
//! Always: gives what the streaming reader would give, byte for byte and error for error. What turns
//! out not to be one good member within the limit is read by that reader from the beginning, as far
//! as it has been given out already for nothing.

use std::io::{self, Read};

use super::blocks::Blocks;
use super::symbols::ROOM;
use super::tables::Tables;
use super::{StreamInflater, data_begin, is_trailer};
use crate::gzip::rfc1951::WINDOW;
use crate::gzip::{InflateError, MEMBER_MIN, is_gzip};

/// What comes out at a time: enough for the loops to be worth their beginning.
const FRESH: usize = 64 * 1024;

/// A window, with room for what the hot loop writes too much.
pub(super) const SPACE: usize = WINDOW + FRESH + ROOM;

/// Reads the content of all gzip members of a body in memory.
pub struct SliceInflater<'a> {
    input: &'a [u8],
    limit: u64,
    tables: &'a mut Tables,
    window: &'a mut [u8],
    reading: Reading<'a>,
    /// The first byte in the window that was not given out.
    begin: usize,
    /// Bytes given out.
    given: u64,
}

enum Reading<'a> {
    /// The data of the only member, and how much of what came out has left the window.
    Member { blocks: Blocks<'a>, gone: usize },
    /// It was good; so many bytes are in the window.
    Over(usize),
    /// The other reader decides.
    Otherwise(Box<StreamInflater<&'a [u8]>>),
}

impl<'a> SliceInflater<'a> {
    pub(super) fn new(
        input: &'a [u8],
        limit: u64,
        tables: &'a mut Tables,
        window: &'a mut [u8],
    ) -> Self {
        let begin = data_begin(input).filter(|_| is_gzip(input) && input.len() >= MEMBER_MIN);
        let reading = match begin.and_then(|begin| input.get(begin..)) {
            Some(data) => Reading::Member { blocks: Blocks::new(data), gone: 0 },
            None => otherwise(input, limit, 0),
        };
        Self { input, limit, tables, window, reading, begin: 0, given: 0 }
    }

    /// What went wrong, once reading has failed.
    pub fn fault(&self) -> Option<InflateError> {
        match &self.reading {
            Reading::Otherwise(reader) => reader.fault(),
            Reading::Member { .. } | Reading::Over(_) => None,
        }
    }

    /// Fills the window, all of which has been given out; returns where its content ends.
    fn more(&mut self) -> usize {
        let Reading::Member { blocks, gone } = &mut self.reading else { return self.begin };
        *gone += blocks.slide(self.window);
        self.begin = blocks.at;
        let (end, is_good) = match blocks.read(self.window, WINDOW + FRESH, self.tables) {
            Ok(false) => (None, true),
            Ok(true) => {
                let (crc, taken) = blocks.end();
                let rest = blocks.bits.input.get(taken..).unwrap_or_default();
                (Some(blocks.at), is_trailer(rest, crc, *gone + blocks.at))
            }
            Err(_) => (None, false),
        };
        let at = blocks.at;
        let fresh = (at - self.begin) as u64;
        if !is_good || self.given + fresh > self.limit {
            self.reading = otherwise(self.input, self.limit, self.given);
            return self.begin;
        }
        if let Some(end) = end {
            self.reading = Reading::Over(end);
        }
        at
    }
}

/// The other reader, behind what has been given out.
fn otherwise(input: &[u8], limit: u64, given: u64) -> Reading<'_> {
    let mut reader = Box::new(StreamInflater::new(input, limit));
    // A fault stays, and is told when it is asked for more.
    io::copy(&mut reader.by_ref().take(given), &mut io::sink()).ok();
    Reading::Otherwise(reader)
}

impl Read for SliceInflater<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let end = match &mut self.reading {
            Reading::Over(end) => *end,
            Reading::Member { blocks, .. } if self.begin < blocks.at => blocks.at,
            Reading::Member { .. } => self.more(),
            Reading::Otherwise(_) => self.begin,
        };
        if let Reading::Otherwise(reader) = &mut self.reading {
            return reader.read(out);
        }
        let fresh = self.window.get(self.begin..end).unwrap_or_default();
        let length = fresh.len().min(out.len());
        if let (Some(from), Some(to)) = (fresh.get(..length), out.get_mut(..length)) {
            to.copy_from_slice(from);
        }
        self.begin += length;
        self.given += length as u64;
        Ok(length)
    }
}
