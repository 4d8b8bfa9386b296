//! Decoding tables, made from the lengths of codes.
//!
//! Owns: the tables of the block being read.
//!
//! Always: a table comes from a code that zlib takes too (complete; or, for distances, none or
//! one code of one bit), or there is none.
#![expect(
    clippy::indexing_slicing,
    reason = "tables of the format's own sizes, indexed by masked bits"
)]

use super::entry::{
    DISTANCE_ENTRIES, DISTANCE_FROM, DISTANCE_LOOK, DISTANCES, ENTRIES, Entry, LITERAL_ENTRIES,
    LITERAL_LOOK, LITERALS, PRECODE_ENTRIES, PRECODES, SECOND_FROM,
};

/// The longest code of literals, lengths and distances.
const CODE_MAX: usize = 15;
/// The longest code of a code length.
const PRECODE_LOOK: u32 = 7;

/// The tables of a block.
pub(super) struct Tables {
    entries: [Entry; ENTRIES],
    /// Ones, as many as the index says. Here to be found from the same register as the entries.
    ones: [u32; 32],
    /// Codes of literals and lengths that fit into a first look, first bit lowest, and their
    /// entries, shorter ones first.
    literals: [(u32, Entry); LITERALS],
    literal_count: usize,
    /// The codes are the fixed ones.
    is_fixed: bool,
}

impl Tables {
    pub(super) fn new() -> Box<Self> {
        Box::new(Self {
            entries: [Entry::INVALID; ENTRIES],
            ones: std::array::from_fn(|count| (1 << count) - 1),
            literals: [(0, Entry::INVALID); LITERALS],
            literal_count: 0,
            is_fixed: false,
        })
    }

    /// The tables of the fixed codes (RFC 1951 3.2.6). They are kept from block to block: an empty
    /// block takes ten bits, and a body of such blocks must not cost its sender less than us.
    pub(super) fn make_fixed(&mut self) {
        if self.is_fixed {
            return;
        }
        let mut literals = [8; LITERALS];
        literals[144..256].fill(9);
        literals[256..280].fill(7);
        self.is_fixed = self.make(&literals, &[5; DISTANCES]);
    }

    /// Makes the tables for codes of these lengths; false if there is no such code.
    pub(super) fn make(&mut self, literals: &[u8], distances: &[u8]) -> bool {
        self.is_fixed = false;
        let (all, mut free) = (&mut self.entries[..], SECOND_FROM);
        let mut code = Code::new(literals);
        if code.unused != 0 {
            return false;
        }
        let mut list = self.literals.iter_mut();
        self.literal_count =
            code.fill(&mut all[..SECOND_FROM], LITERAL_LOOK, &LITERAL_ENTRIES, |code, entry| {
                if let Some(place) = list.next() {
                    *place = (code as u32, entry);
                }
            });
        code.fill_second(all, 0, LITERAL_LOOK, &mut free, &LITERAL_ENTRIES);

        let mut code = Code::new(distances);
        let table = &mut all[DISTANCE_FROM..];
        match (code.unused, code.used) {
            (0, _) => {
                code.fill(table, DISTANCE_LOOK, &DISTANCE_ENTRIES, |_, _| {});
                code.fill_second(all, DISTANCE_FROM, DISTANCE_LOOK, &mut free, &DISTANCE_ENTRIES);
            }
            (_, 0) => table.fill(Entry::INVALID),
            (_, 1) if code.counts[1] == 1 => {
                let only = DISTANCE_ENTRIES[usize::from(code.sorted[0])].with_code(1);
                table.fill(Entry::INVALID);
                table.iter_mut().step_by(2).for_each(|entry| *entry = only);
            }
            _ => return false,
        }
        true
    }

    /// Puts literals together with what follows them, where both codes fit into the first look.
    /// It takes as long as to read some hundreds of symbols.
    pub(super) fn join(&mut self) {
        let list = &self.literals[..self.literal_count];
        let mut seconds = [(0_u32, 0_u32); LITERALS];
        // How many of them there are with codes up to each length.
        let mut counts = [0; LITERAL_LOOK as usize + 1];
        let mut count = 0;
        let mut length = 0;
        for (code, entry) in list {
            while length < entry.code_bits() {
                counts[length as usize] = count;
                length += 1;
            }
            if let Some(behind) = entry.behind_a_literal() {
                seconds[count] = (*code, behind);
                count += 1;
            }
        }
        counts[length as usize..].fill(count);
        let table = &mut self.entries[..SECOND_FROM];
        for (code, first) in list.iter().filter(|(_, entry)| entry.is_literal()) {
            let length = first.code_bits();
            let mut from = 0;
            for behind in 1..=LITERAL_LOOK - length {
                let seconds = &seconds[from..counts[behind as usize]];
                from += seconds.len();
                if seconds.is_empty() {
                    continue;
                }
                let both = length + behind;
                for above in 0..1 << (LITERAL_LOOK - both) {
                    let place = *code | above << both;
                    for (code, second) in seconds {
                        let place = (place | *code << length) as usize;
                        table[place & (SECOND_FROM - 1)] = first.and(*second);
                    }
                }
            }
        }
    }

    /// The entry for `bits`. `next`: what [`Entry::next`] of the entry before said.
    #[inline(always)]
    pub(super) fn first(&self, next: u32, bits: u64) -> Entry {
        let place = next | bits as u32 & (SECOND_FROM as u32 - 1);
        self.entries[place as usize & (ENTRIES - 1)]
    }

    /// The entry itself, or what it says after its second look.
    pub(super) fn second(&self, next: u32, entry: Entry, bits: u64) -> Entry {
        if !entry.is_second_look() {
            return entry;
        }
        let look = if next == 0 { LITERAL_LOOK } else { DISTANCE_LOOK };
        let behind = bits as u32 >> look & self.ones[entry.bits() as usize];
        let place = entry.distance() - 1 + behind as usize;
        self.entries.get(place).copied().unwrap_or(Entry::INVALID)
    }

    /// The extra bits of an entry, when `bits` is what comes next.
    #[inline(always)]
    pub(super) fn extra(&self, entry: Entry, bits: u64) -> usize {
        ((bits as u32 & self.ones[entry.bits() as usize]) >> entry.code_bits()) as usize
    }
}

/// The table for code lengths.
pub(super) struct Precode {
    entries: [Entry; 1 << PRECODE_LOOK],
}

impl Precode {
    /// None if there is no such code.
    pub(super) fn new(lengths: &[u8; PRECODES]) -> Option<Self> {
        let mut code = Code::new(lengths);
        if code.unused != 0 {
            return None;
        }
        let mut entries = [Entry::INVALID; 1 << PRECODE_LOOK];
        code.fill(&mut entries, PRECODE_LOOK, &PRECODE_ENTRIES, |_, _| {});
        Some(Self { entries })
    }

    #[inline(always)]
    pub(super) fn entry(&self, bits: u64) -> Entry {
        self.entries[bits as usize & ((1 << PRECODE_LOOK) - 1)]
    }
}

/// A canonical code (RFC 1951 3.2.2) on its way into a table, shorter codes first.
struct Code {
    counts: [u16; CODE_MAX + 1],
    /// Symbols that have a code, by its length, then by themselves.
    sorted: [u16; LITERALS],
    used: usize,
    /// What is left of the space of codes, in codes of the greatest length; negative if it is
    /// more than full.
    unused: i32,
    /// How many symbols are in the table.
    next: usize,
    /// The code of the next one, first bit lowest: zeros behind it make it longer.
    code: u32,
}

impl Code {
    fn new(lengths: &[u8]) -> Self {
        // Symbol and, above it, length. Most symbols have no code; without a branch, these cost less
        // than one wrong guess.
        let (mut used, mut present) = (0, [0_u16; LITERALS]);
        for (symbol, length) in lengths.iter().enumerate() {
            present[used] = symbol as u16 | u16::from(length & 15) << 9;
            used += usize::from(*length > 0);
        }
        let present = &present[..used];
        let mut counts = [0_u16; CODE_MAX + 1];
        for both in present {
            counts[usize::from(both >> 9 & 15)] += 1;
        }
        let mut places = [0_u16; CODE_MAX + 2];
        let mut unused = 1 << CODE_MAX;
        for length in 1..=CODE_MAX {
            unused -= i32::from(counts[length]) << (CODE_MAX - length);
            places[length + 1] = places[length] + counts[length];
        }
        let mut sorted = [0; LITERALS];
        for both in present {
            let place = &mut places[usize::from(both >> 9 & 15)];
            sorted[usize::from(*place)] = both & 511;
            *place += 1;
        }
        Self { counts, sorted, used, unused, next: 0, code: 0 }
    }

    /// The next symbol's code, first bit lowest, and its entry.
    #[inline(always)]
    fn advance(&mut self, length: u32, entries: &[Entry]) -> (usize, Entry) {
        let entry = entries[usize::from(self.sorted[self.next])].with_code(length);
        let code = self.code;
        // One more, from the other end: the last zero and all behind it change.
        let zeros = !code & ((1 << length) - 1);
        let last = 1 << (31 - (zeros | 1).leading_zeros());
        self.code = code & (last - 1) | last;
        self.next += 1;
        (code as usize, entry)
    }

    /// Fills a table of 2^`look` entries with the codes that fit; returns how many do.
    fn fill(
        &mut self,
        table: &mut [Entry],
        look: u32,
        entries: &[Entry],
        mut filled: impl FnMut(usize, Entry),
    ) -> usize {
        for length in 1..=look {
            // What shorter codes mean does not depend on the bit that is new.
            if self.next > 0 {
                let half = 1 << (length - 1);
                table.copy_within(..half, half);
            }
            for _ in 0..self.counts[length as usize] {
                let (place, entry) = self.advance(length, entries);
                table[place] = entry;
                filled(place, entry);
            }
        }
        self.next
    }

    /// Adds what [`Code::fill`] has left: codes longer than `look` bits, for a second look.
    fn fill_second(
        &mut self,
        all: &mut [Entry],
        from: usize,
        look: u32,
        free: &mut usize,
        entries: &[Entry],
    ) {
        let (mut prefix, mut start, mut bits) = (usize::MAX, 0, 0);
        for length in look + 1..=CODE_MAX as u32 {
            for left in (1..=self.counts[length as usize]).rev() {
                let (place, entry) = self.advance(length, entries);
                if place & ((1 << look) - 1) != prefix {
                    prefix = place & ((1 << look) - 1);
                    start = *free;
                    bits = self.second_bits(look, length, u32::from(left));
                    *free += 1 << bits;
                    all[from + prefix] = Entry::second_look(start, bits);
                }
                let table = &mut all[start..start + (1 << bits)];
                for place in (place >> look..1 << bits).step_by(1 << (length - look)) {
                    table[place] = entry;
                }
            }
        }
    }

    /// How many bits tell the codes behind a prefix apart, the first of which has this length and
    /// `left` codes of its length to come, itself included.
    fn second_bits(&self, look: u32, length: u32, left: u32) -> u32 {
        let mut bits = length - look;
        let mut room = left;
        while room < 1 << bits && look + bits < CODE_MAX as u32 {
            bits += 1;
            room = 2 * room + u32::from(self.counts[(look + bits) as usize]);
        }
        bits
    }
}
