//! One-shot inflate of a body that is in memory, by libdeflate.
//!
//! Owns: libdeflate's tables, reused from body to body, and the guess of how much space a body needs.
//!
//! Always: what comes out is what the streaming reader would give, byte for byte and error for
//! error. Libdeflate reads one member, says neither how much input it used nor whether bad input
//! was cut or wrong; so whatever is not provably one good member from the first byte to the last
//! is given to the streaming reader, which decides.
//!
//! Not here: bodies too large to be held whole; see `stream`.

use std::io::Read;

use libdeflater::{DecompressionError, Decompressor};
use memchr::memmem;

use super::{InflateError, MAGIC, MEMBER_MIN, StreamInflater, is_gzip};

/// Deflate can't expand more: a match of 258 bytes costs at least two bits. So no trailer, however
/// it lies, makes us reserve more than the input paid for.
const DEFLATE_RATIO_MAX: usize = 1032;

/// The first space given to a body whose trailer says next to nothing.
const SPACE_MIN: usize = 4 * 1024;

/// Growth when the trailer lied or there is a second member. Four, because each step inflates
/// again from the start: the steps before the last then cost a third of it.
const SPACE_GROWTH: usize = 4;

/// Inflates whole bodies, reusing its state and the caller's buffer.
pub struct Inflater {
    state: Decompressor,
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

impl Inflater {
    /// New state, about 32 KiB.
    pub fn new() -> Self {
        Self { state: Decompressor::new() }
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
        let most = limit.min(input.len().saturating_mul(DEFLATE_RATIO_MAX));
        let mut space = claimed_length(input).max(SPACE_MIN).min(most);
        loop {
            grow(out, space);
            let window_length = out.len().min(most);
            let window = out.get_mut(..window_length).unwrap_or_default();
            match self.state.gzip_decompress(input, window) {
                Ok(length) => {
                    let plain = window.get(..length).unwrap_or_default();
                    return Ok(fills(input, plain).then_some(length));
                }
                Err(DecompressionError::InsufficientSpace) if window_length == limit => {
                    return Err(InflateError::TooLarge { limit });
                }
                Err(DecompressionError::InsufficientSpace) if window_length < most => {
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

/// True when the member that gave `plain` ends where `input` ends.
///
/// Libdeflate has found the length of `plain` in a trailer and checked it. When these four bytes
/// are nowhere but at the end of `input`, the end is where it found them. When chance (or a second
/// member) put them elsewhere too, perhaps overlapping, the checksum before them tells.
fn fills(input: &[u8], plain: &[u8]) -> bool {
    let length = (plain.len() as u32).to_le_bytes();
    let Some((_, all_but_last)) = input.split_last() else { return false };
    if !input.ends_with(&length) {
        return false;
    }
    let needle = memmem::Finder::new(&length);
    let Some(mut at) = needle.find(all_but_last) else { return true };
    let trailer = [libdeflater::crc32(plain).to_le_bytes(), length].concat();
    loop {
        let is_trailer = input.get(..at + length.len()).is_some_and(|i| i.ends_with(&trailer));
        if is_trailer {
            return false;
        }
        let behind = all_but_last.get(at + 1..).unwrap_or_default();
        match needle.find(behind) {
            Some(next) => at += 1 + next,
            None => return input.ends_with(&trailer),
        }
    }
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
