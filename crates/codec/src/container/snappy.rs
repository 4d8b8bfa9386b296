//! Snappy in the two frames that Firehose writes, neither of them Google's own.
//!
//! snappy-java's stream: a header of 16 bytes (magic, version, oldest version that can read it, both
//! big-endian), then any number of {big-endian length, raw block}; streams may follow each other.
//! Hadoop's: no header; {big-endian plain length of a block, then one or more {big-endian length,
//! raw chunk} until that many bytes are there}.
//!
//! Always: one raw block is held at a time, plain and packed; packed bytes are held as they come in,
//! and plain ones up to the most that a block may have, whatever its lengths say.

use std::io::{self, Read};

use super::fault::{cut_short, damaged, unsupported};
use super::input::Input;

/// The magic number of snappy-java's stream.
pub(super) const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];

/// Magic and two versions.
const HEADER: usize = 16;

/// The version that is written, and the newest that is read.
pub(super) const VERSION: u32 = 1;

/// Most plain bytes of one raw block. Firehose writes 32 KiB and Hadoop 256 KiB by default.
const BLOCK_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Plain bytes of a first Hadoop block at most, when it must be told from what is not one. It has
/// no magic number; with this its first byte is zero.
const SNIFFED_BLOCK_MAX: u32 = 0x00ff_ffff;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    Java,
    Hadoop,
}

/// Reads either frame.
pub(super) struct Unsnap<R: Read> {
    pub(super) input: Input<R>,
    frame: Frame,
    /// Plain bytes of Hadoop's block that are still to come.
    block_left: usize,
    packed: Vec<u8>,
    plain: Vec<u8>,
    /// How much of `plain` has been given out.
    given: usize,
}

impl<R: Read> Unsnap<R> {
    pub(super) fn new(input: Input<R>, frame: Frame) -> Self {
        let (packed, plain) = (Vec::new(), Vec::new());
        Self { input, frame, block_left: 0, packed, plain, given: 0 }
    }

    pub(super) fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.plain.len() {
            let more = match self.frame {
                Frame::Java => self.next_java()?,
                Frame::Hadoop => self.next_hadoop()?,
            };
            if !more {
                return Ok(0);
            }
        }
        let length = self.plain.get(self.given..).unwrap_or_default().read(out)?;
        self.given += length;
        Ok(length)
    }

    /// Unpacks the next block; false at the end of the input.
    fn next_java(&mut self) -> io::Result<bool> {
        while self.input.look(MAGIC.len())?.starts_with(&MAGIC) {
            let header = self.input.look(HEADER)?;
            let oldest = header.get(12..HEADER).and_then(|bytes| bytes.first_chunk::<4>());
            let Some(oldest) = oldest else { return Err(cut_short()) };
            if u32::from_be_bytes(*oldest) > VERSION {
                return Err(unsupported("it asks for a newer version of the format"));
            }
            self.input.skip(HEADER);
        }
        let Some(length) = self.length()? else { return Ok(false) };
        self.unpack(length, BLOCK_BYTES_MAX)?;
        Ok(true)
    }

    /// Unpacks the next chunk; false at the end of the input.
    fn next_hadoop(&mut self) -> io::Result<bool> {
        while self.block_left == 0 {
            let Some(length) = self.length()? else { return Ok(false) };
            self.block_left = length;
        }
        let Some(length) = self.length()? else { return Err(cut_short()) };
        self.unpack(length, self.block_left.min(BLOCK_BYTES_MAX))?;
        self.block_left -= self.plain.len();
        Ok(true)
    }

    /// A big-endian length; `None` at the end of the input.
    fn length(&mut self) -> io::Result<Option<usize>> {
        let held = self.input.look(4)?;
        let Some(bytes) = held.first_chunk::<4>() else {
            return if held.is_empty() { Ok(None) } else { Err(cut_short()) };
        };
        let length = u32::from_be_bytes(*bytes) as usize;
        self.input.skip(4);
        Ok(Some(length))
    }

    /// Reads a raw block of `length` packed bytes and unpacks it.
    fn unpack(&mut self, length: usize, plain_max: usize) -> io::Result<()> {
        self.given = 0;
        self.plain.clear();
        self.packed.clear();
        if length == 0 || length > snap::raw::max_compress_len(BLOCK_BYTES_MAX) {
            return Err(damaged("the length of a block is wrong"));
        }
        while self.packed.len() < length {
            let held = self.input.look(1)?;
            if held.is_empty() {
                return Err(cut_short());
            }
            let taken = held.len().min(length - self.packed.len());
            self.packed.extend_from_slice(held.get(..taken).unwrap_or_default());
            self.input.skip(taken);
        }
        let malformed = |_| damaged("a block is malformed");
        let plain_length = snap::raw::decompress_len(&self.packed).map_err(malformed)?;
        if plain_length > plain_max {
            return Err(damaged("the lengths of a block do not fit each other"));
        }
        self.plain.resize(plain_length, 0);
        snap::raw::Decoder::new().decompress(&self.packed, &mut self.plain).map_err(malformed)?;
        Ok(())
    }
}

/// Do these bytes begin as Hadoop's format does? Two lengths that fit each other, and a raw chunk
/// that can be unpacked as far as it is there.
pub(super) fn is_hadoop(bytes: &[u8]) -> bool {
    let (Some(block), Some(chunk)) = (word(bytes), word(bytes.get(4..).unwrap_or_default())) else {
        return false;
    };
    let packed_max = snap::raw::max_compress_len(block as usize);
    if block == 0 || block > SNIFFED_BLOCK_MAX || chunk == 0 || chunk as usize > packed_max {
        return false;
    }
    let rest = bytes.get(8..).unwrap_or_default();
    let (packed, whole) = match rest.get(..chunk as usize) {
        Some(packed) => (packed, true),
        None => (rest, false),
    };
    begins_raw(packed, whole, block as usize)
}

fn word(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().map(|word| u32::from_be_bytes(*word))
}

/// Walks the elements of a raw block (its format description, section 2) without unpacking it.
fn begins_raw(packed: &[u8], whole: bool, plain_max: usize) -> bool {
    let mut at = packed;
    let Some(total) = varint(&mut at).filter(|total| (1..=plain_max).contains(total)) else {
        return false;
    };
    let mut produced = 0_usize;
    let mut elements = 0_usize;
    while let Some((&tag, rest)) = at.split_first() {
        let Some((element, after)) = Element::read(tag, rest) else {
            // Its operands are not there: right only where the bytes were cut.
            return !whole && elements > 0;
        };
        match element {
            Element::Literal(length) => produced = produced.saturating_add(length),
            Element::Copy { length, offset } => {
                if offset == 0 || offset > produced {
                    return false;
                }
                produced = produced.saturating_add(length);
            }
        }
        if produced > total {
            return false;
        }
        elements += 1;
        let skipped = if let Element::Literal(length) = element { length } else { 0 };
        match after.get(skipped..) {
            Some(next) => at = next,
            None => return !whole,
        }
    }
    if whole { produced == total } else { elements > 0 }
}

enum Element {
    Literal(usize),
    Copy { length: usize, offset: usize },
}

impl Element {
    /// The element of `tag`, and what follows its operands.
    fn read(tag: u8, rest: &[u8]) -> Option<(Element, &[u8])> {
        let high = usize::from(tag >> 2);
        let operand_bytes = match tag & 3 {
            0 => high.saturating_sub(59),
            1 => 1,
            2 => 2,
            _ => 4,
        };
        let (operand, after) = rest.split_at_checked(operand_bytes)?;
        let value = operand.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte));
        let element = match tag & 3 {
            0 if operand_bytes == 0 => Element::Literal(high + 1),
            0 => Element::Literal(value.saturating_add(1)),
            1 => {
                Element::Copy { length: 4 + (high & 7), offset: usize::from(tag >> 5) << 8 | value }
            }
            _ => Element::Copy { length: 1 + high, offset: value },
        };
        Some((element, after))
    }
}

/// A little-endian base-128 number of 32 bits at most.
fn varint(at: &mut &[u8]) -> Option<usize> {
    let mut value = 0_u64;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, rest) = at.split_first()?;
        *at = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return u32::try_from(value).ok().map(|value| value as usize);
        }
    }
    None
}
