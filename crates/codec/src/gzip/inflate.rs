//! One-shot inflate of a body that is in memory.
//!
//! Owns: decoding tables, reused from body to body, and the guess of how much space a body needs.
//!
//! Always: what comes out is what the streaming reader would give, byte for byte and error for
//! error. Here one member is read, whose end, checksum and length are checked. Whatever is not
//! provably one good member from the first byte to the last is given to the streaming reader, which
//! decides.
//!
//! Why not a library: in the bodies that Firehose delivers, base64 text, nothing tells whether a
//! literal or a match comes next, and the branches of a usual inflater often go wrong. `symbols` has
//! none for this; with bodies of megabytes it needs four fifths of the time of libdeflate
//! (`cargo bench -p codec -- 13000`), with 20 KB as much, with 2 KB a fifth more, a microsecond.
//!
//! Not here: bodies too large to be held whole; see `stream`.

mod bits;
mod blocks;
mod entry;
mod slice;
mod symbols;
mod tables;
#[cfg(test)]
mod tests;

use std::io::Read;

use self::blocks::{Blocks, Stop};
pub use self::slice::SliceInflater;
use self::tables::Tables;
use super::stream::{FLAG_COMMENT, FLAG_EXTRA, FLAG_HEADER_CRC, FLAG_NAME, FLAGS_RESERVED};
use super::{InflateError, MAGIC, MEMBER_MIN, StreamInflater, is_gzip};

/// Deflate can't expand more: a match of 258 bytes costs at least two bits. So no trailer, however
/// it lies, makes us reserve more than the input paid for.
const DEFLATE_RATIO_MAX: usize = 1032;

/// The part of a header that is always there.
const HEADER: usize = 10;

/// The first space given to a body whose trailer says next to nothing.
const SPACE_MIN: usize = 4 * 1024;

/// Growth when the trailer lied or there is a second member. Four, because each step inflates
/// again from the start: the steps before the last then cost a third of it.
const SPACE_GROWTH: usize = 4;

/// Inflates whole bodies, reusing its state and the caller's buffer.
pub struct Inflater {
    tables: Box<Tables>,
    /// Of [`Inflater::reader`]; empty until the first.
    window: Vec<u8>,
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

impl Inflater {
    /// New state, about 35 KiB; 97 KiB more from the first [`Inflater::reader`] on.
    pub fn new() -> Self {
        Self { tables: Tables::new(), window: Vec::new() }
    }

    /// Reads the content of all gzip members of `input` through a small window; at most `limit` bytes.
    /// A failure is an [`std::io::Error`] whose source is an [`InflateError`].
    pub fn reader<'a>(&'a mut self, input: &'a [u8], limit: u64) -> SliceInflater<'a> {
        self.window.resize(slice::SPACE, 0);
        SliceInflater::new(input, limit, &mut self.tables, &mut self.window)
    }

    /// Replaces `out` with the content of all gzip members of `input`; at most `limit` bytes.
    ///
    /// `out` may hold anything. Hand back the buffer of an earlier body without clearing it: bytes
    /// it already holds are not zeroed again before they are overwritten. On failure `out` is empty.
    pub fn gunzip(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), InflateError> {
        let result = self.gunzip_stale(input, out, limit);
        out.truncate(*result.as_ref().unwrap_or(&0));
        result.map(|_| ())
    }

    /// Inflates into the front of `out`, which keeps its stale rest; returns the length.
    fn gunzip_stale(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<usize, InflateError> {
        if !is_gzip(input) {
            return Err(match input {
                [] => InflateError::NotGzip,
                cut if MAGIC.starts_with(cut) => InflateError::Truncated,
                _ => InflateError::NotGzip,
            });
        }
        match self.one_member(input, out, limit)? {
            Some(length) => Ok(length),
            None => stream_into(input, out, limit),
        }
    }

    /// The length of the content when `input` is one good member and nothing else.
    fn one_member(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<Option<usize>, InflateError> {
        if input.len() < MEMBER_MIN {
            return Ok(None);
        }
        let Some(data) = data_begin(input).and_then(|begin| input.get(begin..)) else {
            return Ok(None);
        };
        let most = limit.min(input.len().saturating_mul(DEFLATE_RATIO_MAX));
        let mut space = claimed_length(input).max(SPACE_MIN).min(most);
        loop {
            grow(out, space);
            let window_length = out.len().min(most);
            let window = out.get_mut(..window_length).unwrap_or_default();
            let mut blocks = Blocks::new(data);
            match blocks.read(window, usize::MAX, &mut self.tables) {
                Ok(_) => {
                    let (crc, taken) = blocks.end();
                    let rest = data.get(taken..).unwrap_or_default();
                    return Ok(is_trailer(rest, crc, blocks.at).then_some(blocks.at));
                }
                Err(Stop::Space) if window_length == limit => {
                    return Err(InflateError::TooLarge { limit });
                }
                Err(Stop::Space) if window_length < most => {
                    space = window_length.saturating_mul(SPACE_GROWTH).max(SPACE_MIN).min(most);
                }
                Err(_) => return Ok(None),
            }
        }
    }
}

/// The length of the last member by its own word, modulo 2^32 (RFC 1952 2.3.1, ISIZE).
fn claimed_length(input: &[u8]) -> usize {
    input.last_chunk::<4>().map_or(0, |isize_| u32::from_le_bytes(*isize_) as usize)
}

/// Makes `out` at least `length` long without reserving more than that.
fn grow(out: &mut Vec<u8>, length: usize) {
    if let Some(missing) = length.checked_sub(out.len()) {
        out.reserve_exact(missing);
        out.resize(length, 0);
    }
}

/// Where the data of the first member begins, behind its header (RFC 1952 2.3); none if the header
/// is wrong or cut.
fn data_begin(input: &[u8]) -> Option<usize> {
    let flags = *input.get(MAGIC.len())?;
    let mut at = HEADER;
    if flags & FLAGS_RESERVED != 0 {
        return None;
    }
    if flags & FLAG_EXTRA != 0 {
        let length = input.get(at..)?.first_chunk::<2>()?;
        at += 2 + usize::from(u16::from_le_bytes(*length));
    }
    for text in [FLAG_NAME, FLAG_COMMENT] {
        if flags & text != 0 {
            at += 1 + memchr::memchr(0, input.get(at..)?)?;
        }
    }
    if flags & FLAG_HEADER_CRC != 0 {
        at += 2;
    }
    Some(at)
}

/// True when `rest` is the trailer of a member with this content, and nothing else.
fn is_trailer(rest: &[u8], crc: u32, length: usize) -> bool {
    rest == [crc.to_le_bytes(), (length as u32).to_le_bytes()].as_flattened()
}

/// The slow way, for several members and for the exact error.
fn stream_into(input: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<usize, InflateError> {
    let mut stream = StreamInflater::new(input, limit as u64);
    let mut length = 0;
    loop {
        if length == out.len() {
            let most = limit.saturating_add(1);
            grow(out, length.saturating_mul(2).max(SPACE_MIN).min(most).max(length + 1));
        }
        let space = out.get_mut(length..).unwrap_or_default();
        match stream.read(space) {
            Ok(0) => return Ok(length),
            Ok(read) => length += read,
            Err(_) => return Err(stream.fault().unwrap_or(InflateError::Truncated)),
        }
    }
}
