//! Reads the blocks of one deflate stream into memory (RFC 1951).
#![expect(
    clippy::indexing_slicing,
    reason = "tables of the format's own sizes, indexed by its own codes"
)]

use libdeflater::Crc;

use super::bits::Bits;
use super::entry::{DISTANCES, LITERALS, PRECODES};
use super::tables::{Precode, Tables};

/// Why a stream was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// More comes out than there is room for.
    Space,
    /// The input is wrong or cut, or of a kind that is not read here.
    Bad,
}

/// Symbols that a block may have codes for.
const LITERALS_USED: usize = 286;
const DISTANCES_USED: usize = 30;

/// The order in which the lengths of the code for lengths are sent.
const PRECODE_ORDER: [usize; PRECODES] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// A stream on its way into `out`.
pub(super) struct Blocks<'a> {
    pub(super) bits: Bits<'a>,
    pub(super) out: &'a mut [u8],
    /// Bytes that have come out.
    pub(super) at: usize,
    crc: Crc,
    /// Bytes that are in `crc`.
    pub(super) summed: usize,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(input: &'a [u8], out: &'a mut [u8]) -> Self {
        Self { bits: Bits::new(input), out, at: 0, crc: Crc::new(), summed: 0 }
    }

    /// Reads all; returns how much came out, its checksum and how much of the input it took.
    pub(super) fn read(mut self, tables: &mut Tables) -> Result<(usize, u32, usize), Stop> {
        loop {
            let is_last = self.take(1)? == 1;
            match self.take(2)? {
                0 => self.stored()?,
                1 => {
                    tables.make_fixed();
                    self.symbols(tables)?;
                }
                2 => {
                    self.codes(tables)?;
                    self.symbols(tables)?;
                }
                _ => return Err(Stop::Bad),
            }
            if is_last {
                break;
            }
        }
        self.sum();
        let taken = self.bits.align();
        Ok((self.at, self.crc.sum(), taken))
    }

    fn take(&mut self, count: u32) -> Result<u32, Stop> {
        self.bits.take(count).ok_or(Stop::Bad)
    }

    /// Takes what came out since the last time into the checksum.
    pub(super) fn sum(&mut self) {
        self.crc.update(&self.out[self.summed..self.at]);
        self.summed = self.at;
    }

    /// A stored block.
    fn stored(&mut self) -> Result<(), Stop> {
        let from = self.bits.align();
        let rest = self.bits.input.get(from..).unwrap_or_default();
        let Some(([a, b, c, d], rest)) = rest.split_first_chunk::<4>() else {
            return Err(Stop::Bad);
        };
        let length = u16::from_le_bytes([*a, *b]);
        if length != !u16::from_le_bytes([*c, *d]) {
            return Err(Stop::Bad);
        }
        let length = usize::from(length);
        let bytes = rest.get(..length).ok_or(Stop::Bad)?;
        self.out.get_mut(self.at..self.at + length).ok_or(Stop::Space)?.copy_from_slice(bytes);
        self.at += length;
        self.sum();
        self.bits.at = from + 4 + length;
        Ok(())
    }

    /// The codes of a block (RFC 1951 3.2.7).
    fn codes(&mut self, tables: &mut Tables) -> Result<(), Stop> {
        let literals = self.take(5)? as usize + 257;
        let distances = self.take(5)? as usize + 1;
        let sent = self.take(4)? as usize + 4;
        if literals > LITERALS_USED || distances > DISTANCES_USED {
            return Err(Stop::Bad);
        }
        let mut lengths = [0; PRECODES];
        for place in PRECODE_ORDER.iter().take(sent) {
            lengths[*place] = self.take(3)? as u8;
        }
        let precode = Precode::new(&lengths).ok_or(Stop::Bad)?;
        let mut lengths = [0; LITERALS + DISTANCES + 138];
        self.lengths(&precode, literals + distances, &mut lengths)?;
        let (of_literals, of_distances) = lengths[..literals + distances].split_at(literals);
        // Without an end, a block has none.
        if of_literals[256] == 0 || !tables.make(of_literals, of_distances) {
            return Err(Stop::Bad);
        }
        Ok(())
    }

    /// Reads `count` code lengths. There is room behind for the longest run.
    fn lengths(&mut self, precode: &Precode, count: usize, out: &mut [u8]) -> Result<(), Stop> {
        let mut at = 0;
        while at < count {
            self.bits.refill();
            let entry = precode.entry(self.bits.bits);
            let symbol = usize::from(entry.literals()[0]);
            if !self.bits.skip(entry.bits()) || entry.is_rare() {
                return Err(Stop::Bad);
            }
            if symbol < 16 {
                out[at] = symbol as u8;
                at += 1;
                continue;
            }
            let (first, extra) = match symbol {
                16 => (3, 2),
                17 => (3, 3),
                _ => (11, 7),
            };
            let byte = match symbol {
                16 => *out.get(at.wrapping_sub(1)).ok_or(Stop::Bad)?,
                _ => 0,
            };
            let times = first + self.take(extra)? as usize;
            out[at..at + times].fill(byte);
            at += times;
        }
        if at == count { Ok(()) } else { Err(Stop::Bad) }
    }
}
