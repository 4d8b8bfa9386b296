//! Finds what came before: turns bytes into symbols, literals and matches.
//!
//! Owns: the hash table and the symbols of the block in the making, with their counts.
//!
//! Always: a match lies wholly in bytes that came before, at most [`WINDOW`] back, and has been
//! compared byte by byte.
#![expect(
    clippy::indexing_slicing,
    reason = "the hot loop: arrays of fixed size with masked offsets, which need no check"
)]

use std::hint::select_unpredictable;

use crate::gzip::array;
use crate::gzip::rfc1951::WINDOW;

/// Bytes that must lie behind a place where matches are looked for: the longest match and a word at
/// its last byte, rounded up to whole words.
pub(super) const AHEAD: usize = 272;

/// The longest match there is.
const MATCH_MAX: usize = 258;

/// The shortest match that is taken. Three bytes would seldom pay for their distance.
const MATCH_MIN: usize = 4;

/// Bytes that are hashed. More than the shortest match: the table then holds places where more than
/// a few letters agree, and with fewer, longer matches both time and size go down (by a tenth and a
/// twentieth against four bytes).
const HASHED: u32 = 6;

/// Places remembered, as a power of two: 32 KiB of table. Measured on metric lines: half of it is as
/// fast and gives two bytes in a hundred more, twice of it gains next to nothing.
const TABLE_BITS: u32 = 14;
const TABLE: usize = 1 << TABLE_BITS;

/// Symbols in a block: enough for the codes to be cheap, few enough for them to fit the text.
pub(super) const SYMBOLS: usize = 32 * 1024;
/// The most symbols that one step adds.
const STEP: usize = 2;

/// The second half of a symbol that has none.
pub(super) const NOTHING: usize = 31;
/// The second half of a symbol that is the literal 0; below are the codes of distances.
pub(super) const SECOND_LITERAL: usize = 32;
/// How many second halves there are.
pub(super) const SECONDS: usize = SECOND_LITERAL + 256;

/// The first half in the low 9 bits, the second above.
const SECOND_SHIFT: u32 = 9;
/// The extra bits of the distance above its code.
const EXTRA_SHIFT: u32 = 18;

/// Bytes to look through.
pub(super) struct Span<'a> {
    /// A window before the first place, [`AHEAD`] behind the last.
    pub(super) bytes: &'a [u8],
    /// What to add to a place in `bytes` to get its place in the input, wrapping.
    pub(super) before: usize,
    /// The first place that holds bytes of the input.
    pub(super) floor: usize,
    /// Where to stop looking.
    pub(super) to: usize,
    /// The first place behind the input.
    pub(super) end: usize,
}

/// The symbols of a block, and what is remembered of the bytes before.
pub(super) struct Symbols {
    table: Box<[u16; TABLE]>,
    list: Box<[u32; SYMBOLS]>,
    count: usize,
    /// How often each first half was used: literals (0 to 255), lengths (256 + length - 3).
    firsts: [u32; 512],
    /// How often each second half was used.
    seconds: [u32; 512],
}

/// A length and its distance, or one or two literals: whoever writes them needs no branch to tell.
#[derive(Clone, Copy)]
pub(super) struct Symbol(u32);

impl Symbol {
    fn literal(byte: u8) -> Self {
        Self(u32::from(byte) | (NOTHING as u32) << SECOND_SHIFT)
    }

    fn literals(first: u8, second: u8) -> Self {
        Self(u32::from(first) | (SECOND_LITERAL as u32 + u32::from(second)) << SECOND_SHIFT)
    }

    fn repeat(length: usize, distance: usize) -> Self {
        let (code, extra) = distance_code(distance as u32);
        Self((length as u32 + 253) & 511 | code << SECOND_SHIFT | extra << EXTRA_SHIFT)
    }

    /// The literal, or 256 and the length less 3.
    pub(super) fn first(self) -> usize {
        (self.0 & 511) as usize
    }

    /// The code of the distance, or [`SECOND_LITERAL`] and a literal, or [`NOTHING`].
    pub(super) fn second(self) -> usize {
        (self.0 >> SECOND_SHIFT & 511) as usize
    }

    /// The extra bits of the distance.
    pub(super) fn extra(self) -> u32 {
        self.0 >> EXTRA_SHIFT
    }
}

impl Symbols {
    pub(super) fn new() -> Self {
        Self { table: boxed(), list: boxed(), count: 0, firsts: [0; 512], seconds: [0; 512] }
    }

    /// Begins a new input. Without this, output would depend on the inputs before.
    pub(super) fn forget(&mut self) {
        self.table.fill(0);
        self.clear();
    }

    /// Begins a new block.
    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.firsts.fill(0);
        self.seconds.fill(0);
    }

    pub(super) fn is_full(&self) -> bool {
        self.count > SYMBOLS - STEP
    }

    pub(super) fn list(&self) -> impl Iterator<Item = Symbol> {
        self.list.iter().take(self.count).copied().map(Symbol)
    }

    pub(super) fn firsts(&self) -> &[u32; 512] {
        &self.firsts
    }

    pub(super) fn seconds(&self) -> &[u32; 512] {
        &self.seconds
    }

    /// Looks for matches from `at` on until `span.to` or until the block is full; returns the place
    /// it came to, behind the last symbol. `EDGE`: the window may reach before the input, and a
    /// match behind it.
    ///
    /// Two places are looked at together. Mostly neither has a match, and that is the one branch.
    pub(super) fn find<const EDGE: bool>(&mut self, span: &Span<'_>, mut at: usize) -> usize {
        let mut count = self.count;
        while at < span.to && count <= SYMBOLS - STEP {
            let window = array::<{ WINDOW + 8 }>(span.bytes, at - WINDOW);
            let word = u64::from_le_bytes(*array(window, WINDOW));
            let place = at.wrapping_add(span.before) as u16;
            // Counted from the window's first byte.
            let here = self.swap(word, place);
            let next = self.swap(word >> 8, place.wrapping_add(1)) + 1;
            let inside = |at: usize, distance: usize| {
                !EDGE || (distance <= at - span.floor && span.end - at >= MATCH_MIN)
            };
            let fits = load4(window, here) == word as u32 && inside(at, WINDOW - here);
            let next_fits =
                load4(window, next) == (word >> 8) as u32 && inside(at + 1, WINDOW + 1 - next);
            let (first, second) = (word as u8, (word >> 8) as u8);
            if !(fits | next_fits) {
                let alone = EDGE && span.end - at == 1;
                let symbol =
                    if alone { Symbol::literal(first) } else { Symbol::literals(first, second) };
                at += if alone { 1 } else { 2 };
                self.push(&mut count, symbol);
                continue;
            }
            // A literal before the match, or one that the match takes the place of.
            let skip = usize::from(!fits);
            self.list[count & (SYMBOLS - 1)] = Symbol::literal(first).0;
            self.firsts[usize::from(first)] += skip as u32;
            count += skip;
            at += skip;
            let distance = if fits { WINDOW - here } else { WINDOW + 1 - next };
            let mut length = match_length(
                array::<AHEAD>(span.bytes, at),
                array::<AHEAD>(span.bytes, at - distance),
            );
            if EDGE {
                length = length.min(span.end - at);
            }
            at += length;
            // The last place of the match is remembered too: behind it the next line may part from
            // this one.
            let last = u64::from_le_bytes(*array(span.bytes, at - 1));
            self.swap(last, (at - 1).wrapping_add(span.before) as u16);
            self.push(&mut count, Symbol::repeat(length, distance));
        }
        self.count = count;
        at
    }

    /// Remembers `place` by the bytes there; gives how far before it, counted from a window before,
    /// such bytes were seen. It is right if the entry is younger than the window, and any place in
    /// it otherwise.
    #[inline(always)]
    fn swap(&mut self, word: u64, place: u16) -> usize {
        let slot = &mut self.table[hash(word)];
        let seen = usize::from(slot.wrapping_sub(place) & 0x7fff);
        *slot = place;
        seen
    }

    #[inline(always)]
    fn push(&mut self, count: &mut usize, symbol: Symbol) {
        self.firsts[symbol.first()] += 1;
        self.seconds[symbol.second()] += 1;
        self.list[*count & (SYMBOLS - 1)] = symbol.0;
        *count += 1;
    }
}

/// Zeros, made where they stay: not on the stack first.
fn boxed<T: Copy + Default, const N: usize>() -> Box<[T; N]> {
    let slice = vec![T::default(); N].into_boxed_slice();
    slice.try_into().unwrap_or_else(|_| unreachable!("the vector has this length"))
}

#[inline(always)]
fn load4(bytes: &[u8; WINDOW + 8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[inline(always)]
fn load8(bytes: &[u8; AHEAD], at: usize) -> u64 {
    u64::from_le_bytes([
        bytes[at],
        bytes[at + 1],
        bytes[at + 2],
        bytes[at + 3],
        bytes[at + 4],
        bytes[at + 5],
        bytes[at + 6],
        bytes[at + 7],
    ])
}

/// Fibonacci hashing of the lowest bytes: the high bits of the product depend on all of them.
#[inline(always)]
fn hash(word: u64) -> usize {
    ((word << (64 - 8 * HASHED)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - TABLE_BITS)) as usize
}

/// How many bytes two places have in common.
///
/// Five matches in six are shorter than four words, and how many words nobody can guess: so these
/// are compared without a branch between them.
#[inline(always)]
fn match_length(here: &[u8; AHEAD], there: &[u8; AHEAD]) -> usize {
    let differing = |at| load8(here, at) ^ load8(there, at);
    let front = first_set((0, differing(0)), (8, differing(8)));
    let back = first_set((16, differing(16)), (24, differing(24)));
    let (length, word) = first_set(front, back);
    if word != 0 {
        return length + (word.trailing_zeros() / 8) as usize;
    }
    let mut length = 32;
    while length < AHEAD {
        let word = differing(length);
        if word != 0 {
            return MATCH_MAX.min(length + (word.trailing_zeros() / 8) as usize);
        }
        length += 8;
    }
    MATCH_MAX
}

/// The first of two words, each with its place, that has a bit set, or the second; without a branch.
#[inline(always)]
fn first_set(a: (usize, u64), b: (usize, u64)) -> (usize, u64) {
    let is_first = a.1 != 0;
    (select_unpredictable(is_first, a.0, b.0), select_unpredictable(is_first, a.1, b.1))
}

/// The code of a distance and its extra bits (RFC 1951 3.2.5). From 3 on, a code is the exponent
/// of the distance less one and the bit after its highest; the other bits are extra.
#[inline(always)]
fn distance_code(distance: u32) -> (u32, u32) {
    let less = distance.wrapping_sub(1);
    let exponent = 31 - (less | 2).leading_zeros();
    let code = 2 * exponent + (less >> (exponent - 1) & 1);
    let extra = less & ((1 << (exponent - 1)) - 1);
    (if less < 2 { less } else { code }, extra)
}
