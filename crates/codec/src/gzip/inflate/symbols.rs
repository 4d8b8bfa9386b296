//! Literals and matches of a block, into memory.
//!
//! Owns: nothing; this is the hot loop of [`Blocks`].
#![expect(
    clippy::indexing_slicing,
    reason = "the hot loop: its conditions leave room for all that a turn writes"
)]

use super::bits::Bits;
use super::blocks::{Blocks, Stop};
use super::tables::Tables;
use crate::gzip::array;

/// Bytes copied at once. Nine matches of ten are not longer, and to tell those that are costs more
/// than to copy too much.
const CHUNK: usize = 64;

/// What a turn writes at least, or wipes: two literals (three, as far as the compiler can tell)
/// and a chunk.
const STRIDE: usize = CHUNK + 4;

/// Room for a round of the hot loop: literals, the longest match, and a chunk too much.
pub(super) const ROOM: usize = 258 + 2 * STRIDE;

/// How much comes out before the checksum is taken: few enough bytes to be in the cache still.
const SUMMED_AT_ONCE: usize = 32 * 1024;

/// How much must come out of a block before literals are joined in its tables, which takes two
/// microseconds: a body of a few hundred bytes ends before.
const JOIN_AFTER: usize = 2 * 1024;

/// What is known between two looks into the tables.
#[derive(Clone, Copy, Default)]
struct Between {
    /// Where to look: [`super::entry::Entry::next`].
    next: u32,
    /// The length whose distance comes next.
    length: usize,
}

/// How far the symbols of a block have been read.
pub(super) struct Symbols {
    between: Between,
    /// Bytes of the block still to come out before literals are joined; none when they are.
    join_in: Option<usize>,
}

impl Symbols {
    pub(super) fn new() -> Self {
        Self { between: Between::default(), join_in: Some(JOIN_AFTER) }
    }
}

impl Blocks<'_> {
    /// Literals and matches, until the end of the block (true) or until `enough` bytes are in `out`.
    pub(super) fn symbols(
        &mut self,
        (out, enough): (&mut [u8], usize),
        tables: &mut Tables,
        symbols: &mut Symbols,
    ) -> Result<bool, Stop> {
        let Symbols { between, join_in } = symbols;
        let mut join_at = join_in.map_or(usize::MAX, |bytes| self.at + bytes);
        let mut is_over = false;
        while !is_over && self.at < enough {
            let until = join_at.min(self.summed + SUMMED_AT_ONCE).min(enough);
            self.fast(out, tables, between, until)?;
            // There is room for what is left over enough once, not for one more.
            is_over = self.at < enough && self.careful(out, tables, between)?;
            if self.at >= join_at {
                tables.join();
                join_at = usize::MAX;
            }
            if self.at - self.summed >= SUMMED_AT_ONCE {
                self.sum(out);
            }
        }
        *join_in = (join_at < usize::MAX).then(|| join_at - self.at);
        Ok(is_over)
    }

    /// What is usual, while there is plenty of input and room and less than `until` has come out.
    ///
    /// Whether literals, a length or a distance come next can't be predicted, so no branch tells
    /// them apart: each turn writes two bytes and copies a chunk, and what was not meant is
    /// overwritten by the next turn.
    fn fast(
        &mut self,
        out: &mut [u8],
        tables: &Tables,
        between: &mut Between,
        until: usize,
    ) -> Result<(), Stop> {
        self.bits.refill();
        let Bits { input, at: mut from, mut bits, mut count } = self.bits;
        let Between { mut next, mut length } = *between;
        let mut at = self.at;
        let room = out.len().min(until.saturating_add(ROOM));
        let out = &mut out[..room];
        let Some(last) = out.len().checked_sub(STRIDE) else { return Ok(()) };
        let Some(last_word) = input.len().checked_sub(8) else { return Ok(()) };
        let mut entry = tables.first(next, bits);
        'rounds: while at + ROOM <= out.len() && from <= last_word {
            // Then there are 56 bits or more. Two turns take at most 17 + 23 of them (codes that are
            // longer than a first look are rare entries), and 12 are looked at ahead.
            bits |= u64::from_le_bytes(*array(input, from)) << (count & 63);
            from += (63_u32.wrapping_sub(count) >> 3 & 7) as usize;
            count |= 56;
            for _ in 0..2 {
                if entry.is_rare() {
                    break 'rounds;
                }
                let extra = tables.extra(entry, bits);
                bits >>= entry.bits();
                count = entry.count_down(count);
                // All ones if this is a distance.
                let is_distance = 0_usize.wrapping_sub((next >> 12) as usize);
                next = entry.next();
                // Looked up before all that follows: each look waits for the one before.
                let after = tables.first(next, bits);
                let mut copied = length & is_distance;
                length = entry.length() + extra;
                let mut start = at.wrapping_sub(entry.distance() + extra) & is_distance;
                if at > last || start > at {
                    return Err(Stop::Bad);
                }
                out[at..at + 2].copy_from_slice(&entry.literals());
                let chunk: [u8; CHUNK] = *array(out, start);
                let literals = entry.literal_count();
                array_mut::<STRIDE>(out, at)[literals..literals + CHUNK].copy_from_slice(&chunk);
                at += literals;
                if copied > CHUNK || copied > at - start {
                    if at - start < CHUNK {
                        overlap(out, at, start, copied);
                    } else {
                        while copied > CHUNK {
                            copied -= CHUNK;
                            at += CHUNK;
                            start += CHUNK;
                            out.copy_within(start..start + CHUNK, at);
                        }
                    }
                }
                at += copied;
                entry = after;
            }
        }
        self.at = at;
        *between = Between { next, length };
        self.bits = Bits { input, at: from, bits, count: count & 63 };
        Ok(())
    }

    /// One look, where input or room may end or what comes is rare; true at the end of the block.
    fn careful(
        &mut self,
        out: &mut [u8],
        tables: &Tables,
        between: &mut Between,
    ) -> Result<bool, Stop> {
        self.bits.refill();
        let bits = self.bits.bits;
        let Between { next, length } = std::mem::take(between);
        let mut entry = tables.first(next, bits);
        if entry.is_rare() {
            entry = tables.second(next, entry, bits);
        }
        if !self.bits.skip(entry.bits()) || entry.is_rare() && !entry.is_end() {
            return Err(Stop::Bad);
        }
        if entry.is_end() {
            return Ok(true);
        }
        let extra = tables.extra(entry, bits);
        if next != 0 {
            let distance = entry.distance() + extra;
            let start = self.at.checked_sub(distance).ok_or(Stop::Bad)?;
            if length > out.len() - self.at {
                return Err(Stop::Space);
            }
            repeat(out, self.at, start, length);
            self.at += length;
            return Ok(false);
        }
        for literal in entry.literals().iter().take(entry.literal_count()) {
            *out.get_mut(self.at).ok_or(Stop::Space)? = *literal;
            self.at += 1;
        }
        *between = Between { next: entry.next(), length: entry.length() + extra };
        Ok(false)
    }
}

#[inline(always)]
fn array_mut<const N: usize>(bytes: &mut [u8], at: usize) -> &mut [u8; N] {
    (&mut bytes[at..at + N]).try_into().expect("the slice has this length")
}

/// A match that overlaps itself, whose first chunk may be written already. Writes up to a chunk
/// too much.
#[cold]
#[inline(never)]
fn overlap(out: &mut [u8], at: usize, start: usize, length: usize) {
    let end = at + length;
    let mut to = at;
    // All from `start` to `to` repeats, and each copy makes it twice as long.
    while to - start < CHUNK && to < end {
        let period = to - start;
        out.copy_within(start..start + CHUNK, to);
        to += period;
    }
    let period = to - start;
    while to < end {
        out.copy_within(to - period..to - period + CHUNK, to);
        to += CHUNK;
    }
}

/// A match that may overlap itself; writes nothing behind it.
fn repeat(out: &mut [u8], at: usize, start: usize, length: usize) {
    let mut done = 0;
    while done < length {
        // What has been copied can be copied again.
        let step = (at + done - start).min(length - done);
        out.copy_within(start..start + step, at + done);
        done += step;
    }
}
