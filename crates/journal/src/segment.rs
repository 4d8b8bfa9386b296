//! A segment: one file of frames, its header, and the sparse index of it that is kept in memory.
//!
//! The header says which segment came before and up to where that one had been durable, so bytes behind
//! that mark (of a commit that failed) are never taken for entries. It stands twice in the first 4 KiB, so
//! one bad sector costs nothing. Not here: reading or writing frames.

use std::path::PathBuf;

use bytes::BufMut;

use crate::frame::Header;
use crate::sealed::{Unsealed, seal, unseal};

/// Where the first frame lies.
pub(crate) const DATA_START: u64 = 4096;
/// Where the second copy of the header lies: another sector.
pub(crate) const COPY: usize = 2048;
/// One index mark per this many bytes: 20 GiB of backlog cost 2.6 MB of memory.
const MARK_EVERY: u64 = 256 * 1024;
/// "There was no segment before."
const NONE: u64 = u64::MAX;

/// First bytes of its records.
pub(crate) const MAGIC: &[u8; 8] = b"HYsegmnt";
const SUFFIX: &str = ".log";

/// What the first bytes of a segment say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) first: u64,
    pub(crate) salt: u32,
    pub(crate) before: Option<Before>,
}

/// The segment before this one, and the offset up to which it had been durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) first: u64,
    pub(crate) durable: u64,
}

/// What a header turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HeaderFound {
    Whole(SegmentHeader),
    Damaged,
    Newer(u16),
}

impl SegmentHeader {
    /// The first `DATA_START` bytes of the file.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let before = self.before.unwrap_or(Before { first: NONE, durable: 0 });
        let mut fields = Vec::new();
        fields.put_u64_le(self.first);
        fields.put_u32_le(self.salt);
        fields.put_u32_le(u32::try_from(DATA_START).expect("4096"));
        fields.put_u64_le(before.first);
        fields.put_u64_le(before.durable);
        let record = seal(MAGIC, &fields);
        let mut bytes = record.clone();
        bytes.resize(COPY, 0);
        bytes.extend_from_slice(&record);
        bytes.resize(usize::try_from(DATA_START).expect("4096"), 0);
        bytes
    }

    /// Reads the header from the first bytes of a file.
    pub(crate) fn parse(bytes: &[u8]) -> HeaderFound {
        let second = match bytes.get(COPY..) {
            Some(second) => parse_copy(second),
            None => HeaderFound::Damaged,
        };
        match parse_copy(bytes) {
            HeaderFound::Damaged => second,
            found => found,
        }
    }
}

fn parse_copy(bytes: &[u8]) -> HeaderFound {
    let mut fields = match unseal(MAGIC, bytes) {
        Unsealed::Whole(fields) => fields,
        Unsealed::Damaged => return HeaderFound::Damaged,
        Unsealed::Newer(version) => return HeaderFound::Newer(version),
    };
    let mut take = || {
        let first = fields.take_u64()?;
        let salt = fields.take_u32()?;
        let data_start = fields.take_u32()?;
        let before = Before { first: fields.take_u64()?, durable: fields.take_u64()? };
        let before = (before.first != NONE).then_some(before);
        (u64::from(data_start) == DATA_START).then_some(SegmentHeader { first, salt, before })
    };
    take().map_or(HeaderFound::Damaged, HeaderFound::Whole)
}

/// The file name of the segment that begins with `first`.
pub(crate) fn file_name(first: u64) -> String {
    format!("{first:016x}{SUFFIX}")
}

/// The first sequence of a segment by its file name.
pub(crate) fn parse_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let first = u64::from_str_radix(digits, 16).ok()?;
    (file_name(first) == name).then_some(first)
}

/// A segment as the running journal knows it.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) first: u64,
    /// Sequence after the last entry; `first` when there is none.
    pub(crate) end: u64,
    pub(crate) salt: u32,
    /// Readers stop at this offset.
    pub(crate) durable: u64,
    /// Bytes counted against the budget: what is reserved, or the length once it is sealed.
    pub(crate) held: u64,
    pub(crate) entries: u64,
    pub(crate) side_bytes: u64,
    marks: Vec<Place>,
}

/// A place in the log where a frame begins, with what lies before it in its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// First sequence of the segment.
    pub(crate) segment: u64,
    pub(crate) offset: u64,
    /// No entry at or behind this place has a lower sequence.
    pub(crate) sequence: u64,
    pub(crate) entries_before: u64,
    pub(crate) side_before: u64,
}

impl Segment {
    /// A segment without frames.
    pub(crate) fn new(path: PathBuf, first: u64, salt: u32) -> Segment {
        Segment {
            path,
            first,
            end: first,
            salt,
            durable: DATA_START,
            held: 0,
            entries: 0,
            side_bytes: 0,
            marks: Vec::new(),
        }
    }

    /// Notes an entry that lies at `offset`; the durable mark is the caller's to move.
    pub(crate) fn note(&mut self, offset: u64, header: &Header, side_length: u64) {
        let due = match self.marks.last() {
            Some(mark) => offset >= mark.offset + MARK_EVERY,
            None => true,
        };
        if due {
            self.marks.push(Place {
                segment: self.first,
                offset,
                sequence: header.sequence,
                entries_before: self.entries,
                side_before: self.side_bytes,
            });
        }
        self.entries += 1;
        self.side_bytes += side_length;
        self.end = header.sequence + 1;
    }

    /// The best known place at or before the entry `sequence`.
    pub(crate) fn place_before(&self, sequence: u64) -> Place {
        let after = self.marks.partition_point(|mark| mark.sequence <= sequence);
        let known = after.checked_sub(1).and_then(|index| self.marks.get(index)).copied();
        known.unwrap_or(Place {
            segment: self.first,
            offset: DATA_START,
            sequence: self.first,
            entries_before: 0,
            side_before: 0,
        })
    }

    /// Bytes of it in use, side files included.
    pub(crate) fn used(&self) -> u64 {
        self.durable + self.side_bytes
    }
}
