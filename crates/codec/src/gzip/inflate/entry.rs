//! Entries of decoding tables: what the bits that come next mean.
#![expect(clippy::indexing_slicing, reason = "in constants, where a panic is a build that fails")]

use crate::gzip::rfc1951::{LENGTH_EXTRA, LENGTH_FIRST};

/// Bits that the first look for literals and lengths takes in; longer codes need a second one.
/// With 12, the table takes 16 KiB and one look in four into a body of base64 finds two symbols. 11
/// would need a sixth more looks; 13 a tenth fewer, but what they save is lost in the cache.
pub(super) const LITERAL_LOOK: u32 = 12;
/// The same for distances, whose codes are longer in one of 600.
pub(super) const DISTANCE_LOOK: u32 = 10;

/// Entries of all tables: 32 KiB. First looks for literals and lengths, second looks, distances.
pub(super) const ENTRIES: usize = 2 << LITERAL_LOOK;
/// Where the second looks begin. There is room enough: a complete code with codes of up to 15 bits
/// behind the same first 12 has at least 4 of them for 8 entries, behind 10 at least 6 for 32; and
/// there are 288 and 32 symbols.
pub(super) const SECOND_FROM: usize = 1 << LITERAL_LOOK;
/// Where distances begin: at the end, so that the high bits of their places are all ones and come
/// above those of the input by a single OR.
pub(super) const DISTANCE_FROM: usize = ENTRIES - (1 << DISTANCE_LOOK);

/// Symbols for literals and lengths; the last two are in the fixed code only and mean nothing.
pub(super) const LITERALS: usize = 288;
/// Symbols for distances; the last two mean nothing.
pub(super) const DISTANCES: usize = 32;
/// Symbols for code lengths.
pub(super) const PRECODES: usize = 19;

/// A literal, two of them, a literal and a length, a length, or a distance.
///
/// From the lowest bit: 5 bits, how many bits the codes and extra bits take; a flag, rare; 4 bits,
/// how many of them are codes; 3 bits, all set if there is a length; 2 bits, how many literals there
/// are; a flag, second look; 16 bits, a distance less 1, or a literal and above it another one or a
/// length less 3.
#[derive(Clone, Copy, Default)]
pub(super) struct Entry(u32);

impl Entry {
    const RARE: u32 = 1 << 5;
    const CODE_SHIFT: u32 = 6;
    const LENGTH: u32 = DISTANCE_FROM as u32;
    /// The lower bit of the count of literals.
    const LITERAL: u32 = 1 << 13;
    /// With [`Entry::RARE`]. Neither this nor [`Entry::SECOND`], and it is no code.
    const END: u32 = 1 << 14;
    const SECOND: u32 = 1 << 15;
    const VALUE_SHIFT: u32 = 16;

    /// No code.
    pub(super) const INVALID: Self = Self::new(0, 0, Self::RARE);

    const fn new(value: u32, extra: u32, flags: u32) -> Self {
        Self(value << Self::VALUE_SHIFT | extra | flags)
    }

    /// A second look at the entry `from` or, by the next `bits` bits, at one behind it.
    pub(super) fn second_look(from: usize, bits: u32) -> Self {
        Self::new(from as u32, bits, Self::RARE | Self::SECOND)
    }

    /// With a code of this length.
    pub(super) fn with_code(self, length: u32) -> Self {
        Self(self.0 + length + (length << Self::CODE_SHIFT))
    }

    /// What to add to a literal for this to follow it; nothing if it can't.
    pub(super) fn behind_a_literal(self) -> Option<u32> {
        let low = self.0 & ((1 << Self::VALUE_SHIFT) - 1);
        let value = self.0 >> Self::VALUE_SHIFT;
        let value = if self.is_literal() { value << 8 } else { value };
        (!self.is_rare()).then_some(low + (value << Self::VALUE_SHIFT))
    }

    /// This literal and what comes behind it.
    #[inline(always)]
    pub(super) fn and(self, behind: u32) -> Self {
        Self(self.0 + behind)
    }

    /// A single literal.
    pub(super) fn is_literal(self) -> bool {
        self.0 & (Self::RARE | Self::LITERAL) == Self::LITERAL
    }

    /// How many bits are code.
    #[inline(always)]
    pub(super) fn code_bits(self) -> u32 {
        self.0 >> Self::CODE_SHIFT & 15
    }

    /// How many bits there are in all, at most 28; of a second look, how many it takes in.
    #[inline(always)]
    pub(super) fn bits(self) -> u32 {
        self.0 & 31
    }

    /// Counts down by [`Entry::bits`]; only the lowest six bits of the count mean anything.
    #[inline(always)]
    pub(super) fn count_down(self, count: u32) -> u32 {
        count.wrapping_sub(self.0)
    }

    /// The distance without its extra bits; the place of a second look and 1.
    #[inline(always)]
    pub(super) fn distance(self) -> usize {
        (self.0 >> Self::VALUE_SHIFT) as usize + 1
    }

    /// The length without its extra bits.
    #[inline(always)]
    pub(super) fn length(self) -> usize {
        (self.0 >> (Self::VALUE_SHIFT + 8)) as usize + 3
    }

    /// The literals, the first one lowest; the length that a code for lengths stands for.
    #[inline(always)]
    pub(super) fn literals(self) -> [u8; 2] {
        ((self.0 >> Self::VALUE_SHIFT) as u16).to_le_bytes()
    }

    /// How many literals there are.
    #[inline(always)]
    pub(super) fn literal_count(self) -> usize {
        (self.0 >> 13 & 3) as usize
    }

    /// Where to look next: among the distances after a length, otherwise 0.
    #[inline(always)]
    pub(super) fn next(self) -> u32 {
        self.0 & Self::LENGTH
    }

    /// None of the usual.
    #[inline(always)]
    pub(super) fn is_rare(self) -> bool {
        self.0 & Self::RARE != 0
    }

    /// The end of the block.
    pub(super) fn is_end(self) -> bool {
        self.is_rare() && self.0 & Self::END != 0
    }

    /// Where to look again.
    pub(super) fn is_second_look(self) -> bool {
        self.is_rare() && self.0 & Self::SECOND != 0
    }
}

/// Literals and lengths, without the lengths of their codes.
pub(super) const LITERAL_ENTRIES: [Entry; LITERALS] = literal_entries();
/// Distances.
pub(super) const DISTANCE_ENTRIES: [Entry; DISTANCES] = distance_entries();
/// Code lengths.
pub(super) const PRECODE_ENTRIES: [Entry; PRECODES] = precode_entries();

const fn literal_entries() -> [Entry; LITERALS] {
    let mut entries = [Entry::INVALID; LITERALS];
    let mut symbol = 0;
    while symbol < 286 {
        entries[symbol] = if symbol < 256 {
            Entry::new(symbol as u32, 0, Entry::LITERAL)
        } else if symbol == 256 {
            Entry::new(0, 0, Entry::RARE | Entry::END)
        } else {
            let (less, extra) = (LENGTH_FIRST[symbol - 257], LENGTH_EXTRA[symbol - 257]);
            Entry::new((less as u32) << 8, extra as u32, Entry::LENGTH)
        };
        symbol += 1;
    }
    entries
}

const fn distance_entries() -> [Entry; DISTANCES] {
    let mut entries = [Entry::INVALID; DISTANCES];
    let (mut symbol, mut less_one) = (0, 0);
    while symbol < 30 {
        let extra = if symbol < 4 { 0 } else { symbol as u32 / 2 - 1 };
        entries[symbol] = Entry::new(less_one, extra, 0);
        less_one += 1 << extra;
        symbol += 1;
    }
    entries
}

const fn precode_entries() -> [Entry; PRECODES] {
    let mut entries = [Entry::INVALID; PRECODES];
    let mut symbol = 0;
    while symbol < PRECODES {
        entries[symbol] = Entry::new(symbol as u32, 0, 0);
        symbol += 1;
    }
    entries
}
