//! Writes the symbols of a block: with codes made for them, with the fixed codes, or stored,
//! whichever is shortest (RFC 1951 3.2.3).
//!
//! Owns: the bits that do not fill a byte yet.
#![expect(
    clippy::indexing_slicing,
    reason = "tables of the format's own sizes, indexed by its own codes"
)]

use super::huffman;
use super::matches::{NOTHING, SECOND_LITERAL, SECONDS, Symbol, Symbols};
use crate::gzip::rfc1951::{LENGTH_EXTRA, LENGTH_FIRST, LENGTHS_ORDER};

/// Used literal and length codes, the end of the block among them.
const LITERALS: usize = 286;
/// Used distance codes.
const DISTANCES: usize = 30;
/// Literal and length codes that the fixed code has, two of them never used.
const FIXED_LITERALS: usize = 288;
/// The symbol that ends a block.
const END: usize = 256;
/// The most bytes a stored block holds.
const STORED_MAX: usize = 0xffff;

/// The code of each length less 3.
const LENGTH_CODE: [u8; 256] = length_codes();
const fn length_codes() -> [u8; 256] {
    let mut codes = [0; 256];
    let (mut code, mut length) = (0, 0);
    while length < 256 {
        if code < 28 && length == LENGTH_FIRST[code + 1] as usize {
            code += 1;
        }
        codes[length] = code as u8;
        length += 1;
    }
    codes
}

/// Extra bits of a distance code.
fn distance_extra(code: usize) -> u32 {
    (code as u32 / 2).saturating_sub(1)
}

/// Appends bits to bytes, lowest first.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    bits: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, bits: 0, count: 0 }
    }

    /// Appends the lowest `count` bits of `bits`, at most 32 and nothing set above.
    fn put(&mut self, bits: u32, count: u32) {
        self.bits |= u64::from(bits) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push(self.bits as u8);
            self.bits >>= 8;
            self.count -= 8;
        }
    }

    /// Fills the last byte with zeros.
    pub(super) fn finish(&mut self) {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
    }

    /// Appends the symbols; `length` is how many bits they take, or more.
    fn put_symbols(&mut self, symbols: impl Iterator<Item = Symbol>, tables: &Tables, length: u64) {
        let mut at = self.out.len();
        self.out.resize(at + (length / 8) as usize + 16, 0);
        let (mut bits, mut count) = (self.bits, self.count);
        for symbol in symbols {
            // Put together before they meet what waits, of which each symbol must wait for the last.
            let first = tables.firsts[symbol.first() & 511];
            let second = tables.seconds[symbol.second() & 511];
            let (length, code) = (first >> 24, u64::from(first & 0x00ff_ffff));
            let behind = second & 0xffff | symbol.extra() << (second >> 16 & 31);
            let code = code | u64::from(behind) << (length & 31);
            // At most 7 + 20 + 28 bits wait here.
            bits |= code << (count & 7);
            count += length + (second >> 24);
            self.out[at..at + 8].copy_from_slice(&bits.to_le_bytes());
            at += (count >> 3) as usize;
            bits >>= count & 56;
            count &= 7;
        }
        self.out.truncate(at);
        (self.bits, self.count) = (bits, count);
    }
}

/// Code lengths and codes of a block.
struct Codes {
    literal_lengths: [u8; FIXED_LITERALS],
    literals: [u16; FIXED_LITERALS],
    distance_lengths: [u8; 32],
    distances: [u16; 32],
}

impl Codes {
    fn new(literal_lengths: [u8; FIXED_LITERALS], distance_lengths: [u8; 32]) -> Self {
        let (mut literals, mut distances) = ([0; FIXED_LITERALS], [0; 32]);
        huffman::codes(&literal_lengths, &mut literals);
        huffman::codes(&distance_lengths, &mut distances);
        Self { literal_lengths, literals, distance_lengths, distances }
    }

    fn fixed() -> Self {
        let mut lengths = [8; FIXED_LITERALS];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        Self::new(lengths, [5; 32])
    }

    fn made_for(use_: &Use) -> Self {
        let (mut literals, mut distances) = ([0; FIXED_LITERALS], [0; 32]);
        huffman::lengths(&at_least_two(use_.literals), 15, &mut literals[..LITERALS]);
        huffman::lengths(&at_least_two(use_.distances), 15, &mut distances[..DISTANCES]);
        Self::new(literals, distances)
    }

    /// Bits that the symbols take, their end included.
    fn cost(&self, use_: &Use) -> u64 {
        let literals = use_.literals.iter().enumerate().map(|(code, count)| {
            let extra = code.checked_sub(END + 1).map_or(0, |length| LENGTH_EXTRA[length]);
            u64::from(*count) * u64::from(self.literal_lengths[code] + extra)
        });
        let distances = use_.distances.iter().enumerate().map(|(code, count)| {
            u64::from(*count)
                * u64::from(u32::from(self.distance_lengths[code]) + distance_extra(code))
        });
        literals.sum::<u64>() + distances.sum::<u64>()
    }
}

/// How often each code is used.
struct Use {
    literals: [u32; LITERALS],
    distances: [u32; DISTANCES],
}

impl Use {
    fn of(symbols: &Symbols) -> Self {
        let mut literals = [0; LITERALS];
        let (bytes, lengths) = symbols.firsts().split_at(256);
        let (codes, second_bytes) = symbols.seconds().split_at(SECOND_LITERAL);
        for ((count, first), second) in literals.iter_mut().zip(bytes).zip(second_bytes) {
            *count = first + second;
        }
        literals[END] = 1;
        for (code, count) in LENGTH_CODE.iter().zip(lengths) {
            literals[END + 1 + usize::from(*code)] += count;
        }
        let mut distances = [0; DISTANCES];
        distances.copy_from_slice(&codes[..DISTANCES]);
        Self { literals, distances }
    }
}

/// A code of one symbol would be incomplete, which not every inflater takes.
fn at_least_two<const N: usize>(mut frequencies: [u32; N]) -> [u32; N] {
    for symbol in 0..2 {
        if frequencies.iter().filter(|frequency| **frequency > 0).count() < 2 {
            frequencies[symbol] = frequencies[symbol].max(1);
        }
    }
    frequencies
}

/// What each symbol is written as.
struct Tables {
    /// By literal, or 256 and length less 3: bits, and their count from bit 24 on.
    firsts: [u32; 512],
    /// By second half: the code, its length from bit 16 on, that and its extra bits from 24 on.
    seconds: [u32; 512],
}

impl Tables {
    fn of(codes: &Codes) -> Self {
        let (mut firsts, mut seconds) = ([0; 512], [0; 512]);
        let of_bytes = codes.literals.iter().zip(&codes.literal_lengths).take(256);
        let slots = firsts.iter_mut().zip(&mut seconds[SECOND_LITERAL..SECONDS]);
        for ((first, second), (code, length)) in slots.zip(of_bytes) {
            *first = u32::from(*code) | u32::from(*length) << 24;
            *second = *first;
        }
        for less in 0..256 {
            let number = usize::from(LENGTH_CODE[less]);
            let code = u32::from(codes.literals[END + 1 + number]);
            let length = u32::from(codes.literal_lengths[END + 1 + number]);
            let extra = (less as u32 - u32::from(LENGTH_FIRST[number])) << length;
            let total = length + u32::from(LENGTH_EXTRA[number]);
            firsts[256 + less] = code | extra | total << 24;
        }
        for (number, slot) in seconds.iter_mut().enumerate().take(DISTANCES) {
            let code = u32::from(codes.distances[number]);
            let length = u32::from(codes.distance_lengths[number]);
            *slot = code | length << 16 | (length + distance_extra(number)) << 24;
        }
        seconds[NOTHING] = 0;
        Self { firsts, seconds }
    }
}

/// Appends the symbols, which say `plain`, as a block; `last` marks it as the stream's last.
pub(super) fn write(symbols: &Symbols, plain: &[u8], last: bool, writer: &mut BitWriter<'_>) {
    let use_ = Use::of(symbols);
    let made = Codes::made_for(&use_);
    let header = Header::of(&made);
    let fixed = Codes::fixed();
    let made_cost = header.cost() + made.cost(&use_);
    let fixed_cost = fixed.cost(&use_);
    let stored_blocks = plain.len().div_ceil(STORED_MAX).max(1);
    let stored_cost = 8 * (plain.len() + 5 * stored_blocks) as u64;

    if stored_cost < made_cost.min(fixed_cost) {
        return store(plain, last, writer);
    }
    writer.put(u32::from(last), 1);
    if fixed_cost <= made_cost {
        writer.put(1, 2);
        put_block(symbols, &fixed, fixed_cost, writer);
    } else {
        writer.put(2, 2);
        header.put(writer);
        put_block(symbols, &made, made_cost, writer);
    }
}

fn put_block(symbols: &Symbols, codes: &Codes, cost: u64, writer: &mut BitWriter<'_>) {
    writer.put_symbols(symbols.list(), &Tables::of(codes), cost);
    writer.put(u32::from(codes.literals[END]), u32::from(codes.literal_lengths[END]));
}

fn store(plain: &[u8], last: bool, writer: &mut BitWriter<'_>) {
    let mut blocks = plain.chunks(STORED_MAX).peekable();
    let mut next = Some(blocks.next().unwrap_or_default());
    while let Some(block) = next {
        next = blocks.next();
        writer.put(u32::from(last && next.is_none()), 3);
        writer.finish();
        let length = block.len() as u16;
        writer.out.extend_from_slice(&length.to_le_bytes());
        writer.out.extend_from_slice(&(!length).to_le_bytes());
        writer.out.extend_from_slice(block);
    }
}

/// The code lengths of a block, themselves in a code (RFC 1951 3.2.7).
struct Header {
    literals: usize,
    distances: usize,
    /// Each a symbol of the code for lengths and the value of its extra bits.
    runs: [(u8, u8); LITERALS + DISTANCES],
    run_count: usize,
    lengths: [u8; 19],
    lengths_sent: usize,
}

impl Header {
    fn of(codes: &Codes) -> Self {
        let sent =
            |lengths: &[u8]| lengths.iter().rposition(|length| *length > 0).map_or(0, |at| at + 1);
        let literals = sent(&codes.literal_lengths[..LITERALS]).max(END + 1);
        let distances = sent(&codes.distance_lengths[..DISTANCES]).max(1);
        let mut all = [0; LITERALS + DISTANCES];
        all[..literals].copy_from_slice(&codes.literal_lengths[..literals]);
        all[literals..literals + distances].copy_from_slice(&codes.distance_lengths[..distances]);

        let mut header = Self {
            literals,
            distances,
            runs: [(0, 0); LITERALS + DISTANCES],
            run_count: 0,
            lengths: [0; 19],
            lengths_sent: 0,
        };
        for run in all[..literals + distances].chunk_by(|a, b| a == b) {
            header.push_run(run[0], run.len());
        }
        let mut frequencies = [0; 19];
        for (symbol, _) in &header.runs[..header.run_count] {
            frequencies[usize::from(*symbol)] += 1;
        }
        huffman::lengths(&at_least_two(frequencies), 7, &mut header.lengths);
        let last = LENGTHS_ORDER.iter().rposition(|symbol| header.lengths[*symbol] > 0);
        header.lengths_sent = last.map_or(4, |last| last + 1).max(4);
        header
    }

    fn push(&mut self, symbol: u8, extra: usize) {
        self.runs[self.run_count] = (symbol, extra as u8);
        self.run_count += 1;
    }

    /// Appends a length that comes `left` times.
    fn push_run(&mut self, length: u8, mut left: usize) {
        if length == 0 {
            while left >= 11 {
                let run = left.min(138);
                self.push(18, run - 11);
                left -= run;
            }
            if left >= 3 {
                self.push(17, left - 3);
                left = 0;
            }
        } else {
            self.push(length, 0);
            left -= 1;
            while left >= 3 {
                let run = left.min(6);
                self.push(16, run - 3);
                left -= run;
            }
        }
        for _ in 0..left {
            self.push(length, 0);
        }
    }

    fn extra_bits(symbol: u8) -> u32 {
        match symbol {
            16 => 2,
            17 => 3,
            18 => 7,
            _ => 0,
        }
    }

    fn cost(&self) -> u64 {
        let run = |(symbol, _): &(u8, u8)| {
            u64::from(u32::from(self.lengths[usize::from(*symbol)]) + Self::extra_bits(*symbol))
        };
        14 + 3 * self.lengths_sent as u64 + self.runs[..self.run_count].iter().map(run).sum::<u64>()
    }

    fn put(&self, writer: &mut BitWriter<'_>) {
        let mut codes = [0; 19];
        huffman::codes(&self.lengths, &mut codes);
        writer.put((self.literals - 257) as u32, 5);
        writer.put((self.distances - 1) as u32, 5);
        writer.put((self.lengths_sent - 4) as u32, 4);
        for symbol in &LENGTHS_ORDER[..self.lengths_sent] {
            writer.put(u32::from(self.lengths[*symbol]), 3);
        }
        for (symbol, extra) in &self.runs[..self.run_count] {
            let number = usize::from(*symbol);
            writer.put(u32::from(codes[number]), u32::from(self.lengths[number]));
            writer.put(u32::from(*extra), Self::extra_bits(*symbol));
        }
    }
}
