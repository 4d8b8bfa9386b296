//! A window's file: the statistic sets of one minute, sorted by series.
//!
//! Owns the bytes, described in `docs/metric-streams.md`: a head, blocks of rows (each row's key
//! shortened by what it shares with the row before), an index of the blocks' first keys, a foot.
//! Little endian; head, blocks and index have a checksum each. Always: rows come back as they were
//! written, in the order of their keys; any bytes give rows or an error. Not here: which files there
//! are, and what a file's name says about it.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;

use codec::checksum::crc32c;
use journal::File;

use super::bytes::Bytes;

/// Begins and ends a file.
const MAGIC: [u8; 8] = *b"hydwindw";
/// The version this release writes, and the newest it reads.
const VERSION: u16 = 1;
/// Magic, version, length and checksum of the head.
const PREFIX: usize = 18;
/// Offset, length and checksum of the index, rows, magic.
const FOOT: usize = 32;
/// A block is closed when it has this many bytes: one read of a disk, some hundred rows to look through.
const BLOCK: usize = 32 << 10;
/// What is gathered before it is written.
const WRITE: usize = 1 << 20;

const CHANGED: u8 = 1;
const RAW: u8 = 2;

/// The head of a window's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    /// Begin of the minute, milliseconds since the epoch.
    pub(crate) minute_ms: i64,
    /// 0 at first, one more with every correction.
    pub(crate) revision: u32,
    /// First entry of the journal whose samples are not in.
    pub(crate) through: u64,
    /// When it was written, milliseconds since the epoch.
    pub(crate) written_ms: i64,
    /// ARNs of the metric streams that ran then.
    pub(crate) streams: Vec<String>,
}

/// A row: the statistic set of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Row<'a> {
    /// Account, zero, namespace, zero, and the key of the series as `put::wire` has it.
    pub(crate) key: &'a [u8],
    /// This revision changed it.
    pub(crate) changed: bool,
    /// Count, sum, minimum, maximum.
    pub(crate) set: [f64; 4],
    /// Values and weights, 16 bytes each; `None` when they are not (all) known.
    pub(crate) raw: Option<&'a [u8]>,
}

/// Values and weights out of the bytes of a row.
pub(crate) fn pairs(raw: &[u8]) -> Vec<(f64, f64)> {
    let number = |bytes: &[u8]| bytes.try_into().map_or(0.0, f64::from_le_bytes);
    let pair = |bytes: &[u8]| bytes.split_at_checked(8).map(|(a, b)| (number(a), number(b)));
    raw.chunks_exact(16).filter_map(pair).collect()
}

/// Where a file's bytes are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// On a disk.
    Disk(Arc<dyn File>),
    /// In memory.
    Memory(Arc<Vec<u8>>),
}

impl Place {
    fn length(&self) -> io::Result<u64> {
        match self {
            Place::Disk(file) => file.length(),
            Place::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    fn read(&self, into: &mut Vec<u8>, length: usize, offset: u64) -> io::Result<()> {
        match self {
            Place::Disk(file) => file.read_at(into, length, offset)?,
            Place::Memory(bytes) => {
                into.clear();
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                let rest = bytes.get(from..).unwrap_or_default();
                into.extend_from_slice(rest.get(..length).unwrap_or(rest));
            }
        }
        if into.len() == length { Ok(()) } else { Err(broken("cut short")) }
    }
}

pub(crate) fn broken(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// Writes a file, row by row.
pub(crate) struct Writer {
    file: Option<Arc<dyn File>>,
    /// What is not written yet; all of it without a file.
    buffer: Vec<u8>,
    written: u64,
    block: Vec<u8>,
    first: Vec<u8>,
    last: Vec<u8>,
    index: Vec<u8>,
    rows: u64,
}

impl Writer {
    /// Begins a file; without one the bytes stay in memory.
    pub(crate) fn new(file: Option<Arc<dyn File>>, meta: &Meta) -> Writer {
        let mut head = Vec::new();
        head.extend_from_slice(&meta.minute_ms.to_le_bytes());
        head.extend_from_slice(&meta.revision.to_le_bytes());
        head.extend_from_slice(&meta.through.to_le_bytes());
        head.extend_from_slice(&meta.written_ms.to_le_bytes());
        head.extend_from_slice(&(meta.streams.len() as u32).to_le_bytes());
        for stream in &meta.streams {
            head.extend_from_slice(&(stream.len() as u32).to_le_bytes());
            head.extend_from_slice(stream.as_bytes());
        }
        let mut buffer = MAGIC.to_vec();
        buffer.extend_from_slice(&VERSION.to_le_bytes());
        buffer.extend_from_slice(&(head.len() as u32).to_le_bytes());
        buffer.extend_from_slice(&crc32c(0, &head).to_le_bytes());
        buffer.append(&mut head);
        Writer {
            file,
            buffer,
            written: 0,
            block: Vec::new(),
            first: Vec::new(),
            last: Vec::new(),
            index: Vec::new(),
            rows: 0,
        }
    }

    /// Adds a row; keys ascend.
    pub(crate) fn push(&mut self, row: &Row<'_>) -> io::Result<()> {
        if self.block.is_empty() {
            self.first.clear();
            self.first.extend_from_slice(row.key);
            self.last.clear();
        }
        let same = self.last.iter().zip(row.key).take_while(|(a, b)| a == b).count();
        let rest = row.key.get(same..).unwrap_or_default();
        self.block.extend_from_slice(&(same as u16).to_le_bytes());
        self.block.extend_from_slice(&(rest.len() as u16).to_le_bytes());
        self.block.extend_from_slice(rest);
        let changed = if row.changed { CHANGED } else { 0 };
        self.block.push(changed | row.raw.map_or(0, |_| RAW));
        row.set.iter().for_each(|part| self.block.extend_from_slice(&part.to_le_bytes()));
        if let Some(raw) = row.raw {
            self.block.extend_from_slice(&((raw.len() / 16) as u32).to_le_bytes());
            self.block.extend_from_slice(raw);
        }
        self.last.truncate(same);
        self.last.extend_from_slice(rest);
        self.rows += 1;
        if self.block.len() >= BLOCK { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let at = self.written + self.buffer.len() as u64;
        self.index.extend_from_slice(&at.to_le_bytes());
        self.index.extend_from_slice(&(self.block.len() as u32).to_le_bytes());
        self.index.extend_from_slice(&crc32c(0, &self.block).to_le_bytes());
        self.index.extend_from_slice(&(self.first.len() as u32).to_le_bytes());
        self.index.extend_from_slice(&self.first);
        self.buffer.append(&mut self.block);
        if self.buffer.len() >= WRITE { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(file) = &self.file {
            file.write_at(&[IoSlice::new(&self.buffer)], self.written)?;
            self.written += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Ends the file, synced; without one, its bytes. The number is that of all bytes.
    pub(crate) fn finish(mut self) -> io::Result<(u64, Vec<u8>)> {
        self.end_block()?;
        let at = self.written + self.buffer.len() as u64;
        let index = std::mem::take(&mut self.index);
        self.buffer.extend_from_slice(&index);
        self.buffer.extend_from_slice(&at.to_le_bytes());
        self.buffer.extend_from_slice(&(index.len() as u32).to_le_bytes());
        self.buffer.extend_from_slice(&crc32c(0, &index).to_le_bytes());
        self.buffer.extend_from_slice(&self.rows.to_le_bytes());
        self.buffer.extend_from_slice(&MAGIC);
        self.flush()?;
        if let Some(file) = &self.file {
            file.sync()?;
        }
        Ok((self.written + self.buffer.len() as u64, self.buffer))
    }
}

/// One block as the index has it.
#[derive(Debug)]
struct Block {
    at: u64,
    length: u32,
    crc: u32,
    first: Vec<u8>,
}

/// The index of a file, to find rows by.
#[derive(Debug)]
pub(crate) struct Index {
    place: Place,
    blocks: Vec<Block>,
}

/// Reads the head and looks at the foot: what it says, how many rows, how many bytes.
pub(crate) fn head(place: &Place) -> io::Result<(Meta, u64, u64)> {
    let mut bytes = Vec::new();
    let length = place.length()?;
    place.read(&mut bytes, PREFIX, 0)?;
    let mut prefix = Bytes::new(&bytes);
    if prefix.fixed::<8>() != Some(MAGIC) {
        return Err(broken("not a window"));
    }
    let version = prefix.fixed().map_or(0, u16::from_le_bytes);
    if version > VERSION {
        return Err(broken(&format!("written by a newer release (version {version})")));
    }
    let (size, crc) = (prefix.u32().unwrap_or(0), prefix.u32().unwrap_or(0));
    if u64::from(size) > length {
        return Err(broken("cut short"));
    }
    place.read(&mut bytes, size as usize, PREFIX as u64)?;
    if crc32c(0, &bytes) != crc {
        return Err(broken("its head is damaged"));
    }
    let meta = meta(&bytes).ok_or_else(|| broken("its head is malformed"))?;
    let (_, _, _, rows) = foot(place, length)?;
    Ok((meta, rows, length))
}

fn meta(bytes: &[u8]) -> Option<Meta> {
    let mut bytes = Bytes::new(bytes);
    let mut meta = Meta {
        minute_ms: i64::from_le_bytes(bytes.fixed()?),
        revision: bytes.u32()?,
        through: u64::from_le_bytes(bytes.fixed()?),
        written_ms: i64::from_le_bytes(bytes.fixed()?),
        streams: Vec::new(),
    };
    for _ in 0..bytes.u32()? {
        let length = bytes.u32()? as usize;
        meta.streams.push(std::str::from_utf8(bytes.take(length)?).ok()?.to_owned());
    }
    Some(meta)
}

/// Offset, length and checksum of the index, and rows.
fn foot(place: &Place, length: u64) -> io::Result<(u64, u32, u32, u64)> {
    let mut bytes = Vec::new();
    let at = length.checked_sub(FOOT as u64).ok_or_else(|| broken("cut short"))?;
    place.read(&mut bytes, FOOT, at)?;
    let mut foot = Bytes::new(&bytes);
    let found = (|| {
        let index = (u64::from_le_bytes(foot.fixed()?), foot.u32()?, foot.u32()?);
        let rows = u64::from_le_bytes(foot.fixed()?);
        (foot.fixed::<8>()? == MAGIC).then_some((index.0, index.1, index.2, rows))
    })();
    let (start, size, crc, rows) = found.ok_or_else(|| broken("its end is missing"))?;
    if start.checked_add(u64::from(size)) != Some(at) {
        return Err(broken("its end is malformed"));
    }
    Ok((start, size, crc, rows))
}

impl Index {
    /// Reads it.
    pub(crate) fn read(place: Place) -> io::Result<Index> {
        let (at, size, crc, _) = foot(&place, place.length()?)?;
        let mut bytes = Vec::new();
        place.read(&mut bytes, size as usize, at)?;
        if crc32c(0, &bytes) != crc {
            return Err(broken("its index is damaged"));
        }
        let mut rest = Bytes::new(&bytes);
        let mut blocks = Vec::new();
        while !rest.is_empty() {
            let block = (|| {
                let (at, length) = (u64::from_le_bytes(rest.fixed()?), rest.u32()?);
                let (crc, size) = (rest.u32()?, rest.u32()?);
                Some(Block { at, length, crc, first: rest.take(size as usize)?.to_vec() })
            })();
            blocks.push(block.ok_or_else(|| broken("its index is malformed"))?);
        }
        Ok(Index { place, blocks })
    }

    /// Bytes it takes in memory, about.
    pub(crate) fn weight(&self) -> usize {
        self.blocks.iter().map(|block| block.first.len() + 64).sum()
    }

    /// All rows, from the block on that may hold keys from `from` on.
    pub(crate) fn scan(self: &Arc<Index>, from: &[u8]) -> Scan {
        let after = self.blocks.partition_point(|block| block.first.as_slice() < from);
        let next = after.saturating_sub(1);
        Scan { index: Arc::clone(self), next, bytes: Vec::new(), at: 0, key: Vec::new() }
    }
}

/// Reads rows in order.
#[derive(Debug)]
pub(crate) struct Scan {
    index: Arc<Index>,
    next: usize,
    bytes: Vec<u8>,
    at: usize,
    key: Vec<u8>,
}

impl Scan {
    /// The next row.
    pub(crate) fn next(&mut self) -> io::Result<Option<Row<'_>>> {
        if self.at == self.bytes.len() {
            let Some(block) = self.index.blocks.get(self.next) else { return Ok(None) };
            self.index.place.read(&mut self.bytes, block.length as usize, block.at)?;
            if crc32c(0, &self.bytes) != block.crc {
                return Err(broken("a block of it is damaged"));
            }
            (self.at, self.next) = (0, self.next + 1);
            self.key.clear();
        }
        let mut rest = Bytes::new(self.bytes.get(self.at..).unwrap_or_default());
        let before = rest.left();
        let row = row(&mut rest, &mut self.key).ok_or_else(|| broken("a row is malformed"))?;
        self.at += before - rest.left();
        Ok(Some(row))
    }
}

fn row<'a>(rest: &mut Bytes<'a>, key: &'a mut Vec<u8>) -> Option<Row<'a>> {
    let same = u16::from_le_bytes(rest.fixed()?);
    let more = u16::from_le_bytes(rest.fixed()?);
    let end = rest.take(usize::from(more))?;
    (usize::from(same) <= key.len()).then_some(())?;
    key.truncate(usize::from(same));
    key.extend_from_slice(end);
    let [flags] = rest.fixed()?;
    let mut set = [0.0; 4];
    for part in &mut set {
        *part = f64::from_le_bytes(rest.fixed()?);
    }
    let raw = match flags & RAW {
        0 => None,
        _ => {
            let count = rest.u32()? as usize;
            Some(rest.take(count.checked_mul(16)?)?)
        }
    };
    Some(Row { key, changed: flags & CHANGED != 0, set, raw })
}

#[cfg(test)]
mod tests;
