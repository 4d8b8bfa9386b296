//! Reads the blocks of one deflate stream into memory (RFC 1951).
#![expect(
    clippy::indexing_slicing,
    reason = "tables of the format's own sizes, indexed by its own codes"
)]

use libdeflater::Crc;

use super::bits::Bits;
use super::entry::{DISTANCES, LITERALS, PRECODES};
use super::symbols::Symbols;
use super::tables::{Precode, Tables};
use crate::gzip::rfc1951::{LENGTHS_ORDER, WINDOW};

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

/// A stream on its way out. Its reader owns the place where it goes and hands it to each call.
pub(super) struct Blocks<'a> {
    pub(super) bits: Bits<'a>,
    /// Bytes that are there, counted from the first that is still there.
    pub(super) at: usize,
    crc: Crc,
    /// Bytes that are in `crc`, counted likewise.
    pub(super) summed: usize,
    inside: Inside,
    is_last: bool,
}

/// What comes next in the stream.
enum Inside {
    /// The header of a block, or the end.
    Nothing,
    /// So many bytes as they are.
    Stored(usize),
    Symbols(Symbols),
}

impl<'a> Blocks<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        let (bits, crc, inside) = (Bits::new(input), Crc::new(), Inside::Nothing);
        Self { bits, at: 0, crc, summed: 0, inside, is_last: false }
    }

    /// Reads on, until the end of the stream (true) or until `enough` bytes are in `out`, where there
    /// must be room for [`super::symbols::ROOM`] more.
    pub(super) fn read(
        &mut self,
        out: &mut [u8],
        enough: usize,
        tables: &mut Tables,
    ) -> Result<bool, Stop> {
        loop {
            let is_over = match std::mem::replace(&mut self.inside, Inside::Nothing) {
                Inside::Nothing if self.is_last => {
                    self.sum(out);
                    return Ok(true);
                }
                Inside::Nothing => {
                    self.header(tables)?;
                    continue;
                }
                Inside::Stored(left) => {
                    let left = self.stored(out, enough, left)?;
                    self.inside = Inside::Stored(left);
                    left == 0
                }
                Inside::Symbols(mut symbols) => {
                    let is_over = self.symbols((&mut *out, enough), tables, &mut symbols)?;
                    self.inside = Inside::Symbols(symbols);
                    is_over
                }
            };
            if is_over {
                self.inside = Inside::Nothing;
            } else if self.at >= enough {
                self.sum(out);
                return Ok(false);
            }
        }
    }

    /// The header of the next block.
    fn header(&mut self, tables: &mut Tables) -> Result<(), Stop> {
        self.is_last = self.take(1)? == 1;
        self.inside = match self.take(2)? {
            0 => Inside::Stored(self.stored_length()?),
            1 => {
                tables.make_fixed();
                Inside::Symbols(Symbols::new())
            }
            2 => {
                self.codes(tables)?;
                Inside::Symbols(Symbols::new())
            }
            _ => return Err(Stop::Bad),
        };
        Ok(())
    }

    /// The end of the stream: its checksum and how much of the input it took.
    pub(super) fn end(&mut self) -> (u32, usize) {
        (self.crc.sum(), self.bits.align())
    }

    /// Makes room in `out`: what no match can reach any more goes; returns how much that is.
    pub(super) fn slide(&mut self, out: &mut [u8]) -> usize {
        self.sum(out);
        let gone = self.at.saturating_sub(WINDOW);
        out.copy_within(gone..self.at, 0);
        self.at -= gone;
        self.summed -= gone;
        gone
    }

    fn take(&mut self, count: u32) -> Result<u32, Stop> {
        self.bits.take(count).ok_or(Stop::Bad)
    }

    /// Takes what came out since the last time into the checksum.
    pub(super) fn sum(&mut self, out: &[u8]) {
        self.crc.update(&out[self.summed..self.at]);
        self.summed = self.at;
    }

    /// How long a stored block is.
    fn stored_length(&mut self) -> Result<usize, Stop> {
        let from = self.bits.align();
        let rest = self.bits.input.get(from..).unwrap_or_default();
        let Some([a, b, c, d]) = rest.first_chunk::<4>() else { return Err(Stop::Bad) };
        let length = u16::from_le_bytes([*a, *b]);
        if length != !u16::from_le_bytes([*c, *d]) {
            return Err(Stop::Bad);
        }
        self.bits.at = from + 4;
        Ok(usize::from(length))
    }

    /// Stored bytes, of which `left` are to come; returns how many are then.
    fn stored(&mut self, out: &mut [u8], enough: usize, left: usize) -> Result<usize, Stop> {
        let length = left.min(enough.saturating_sub(self.at));
        let from = self.bits.at;
        let bytes = self.bits.input.get(from..from + length).ok_or(Stop::Bad)?;
        out.get_mut(self.at..self.at + length).ok_or(Stop::Space)?.copy_from_slice(bytes);
        self.at += length;
        self.bits.at += length;
        self.sum(out);
        Ok(left - length)
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
        for place in LENGTHS_ORDER.iter().take(sent) {
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
