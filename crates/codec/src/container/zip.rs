//! A zip archive of one entry, read from front to back without going to its end first.
//!
//! Owns: the record layouts of PKWARE's APPNOTE 6.3.10, section 4.3, as far as one entry needs them.
//!
//! Always: the content is checked against checksum and lengths of the local header or the data
//! descriptor, and again against the central directory, which must name this entry alone and be
//! followed by nothing. A [`Unzip::read`] that returns 0 means that all of it was good.
//!
//! Not here: archives of several entries, encryption, split archives: Firehose writes none.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Crc;
use memchr::memmem;

use super::fault::{cut_short, damaged, unsupported};
use super::input::Input;

/// A local file header (4.3.7).
pub(super) const ENTRY: [u8; 4] = *b"PK\x03\x04";
/// A header of the central directory (4.3.12).
pub(super) const CENTRAL: [u8; 4] = *b"PK\x01\x02";
/// The end of the central directory (4.3.16).
pub(super) const END: [u8; 4] = *b"PK\x05\x06";
/// The zip64 end of the central directory and its locator (4.3.14, 4.3.15).
const END64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR64: [u8; 4] = *b"PK\x06\x07";
/// A data descriptor, mostly (4.3.9.3).
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// Lengths of the fixed parts of these records, their signatures included.
pub(super) const ENTRY_BYTES: usize = 30;
pub(super) const CENTRAL_BYTES: usize = 46;
pub(super) const END_BYTES: usize = 22;
const LOCATOR64_BYTES: usize = 20;
/// The longest data descriptor: signature, checksum, two lengths of 64 bits.
const DESCRIPTOR_BYTES_MAX: usize = 24;

/// General purpose flags (4.4.4).
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
const DESCRIBED: u16 = 1 << 3;

/// Methods (4.4.5).
pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;

/// A length of 32 bits that says: see the zip64 field.
const SEE_ZIP64: u64 = 0xffff_ffff;
/// The extra field of zip64 (4.5.3).
const ZIP64_FIELD: u16 = 1;

enum Stage {
    Header,
    Stored,
    Deflated,
    Directory,
    Over,
}

/// What the local header says.
#[derive(Default)]
struct Entry {
    /// Its checksum and lengths come after the data.
    described: bool,
    crc: u32,
    packed: u64,
    plain: u64,
}

pub(super) struct Unzip<R: Read> {
    pub(super) input: Input<R>,
    stage: Stage,
    entry: Entry,
    state: Decompress,
    crc: Crc,
    /// Bytes of the entry's data, as they lie in the archive and as they are.
    packed: u64,
    plain: u64,
}

impl<R: Read> Unzip<R> {
    pub(super) fn new(input: Input<R>) -> Self {
        let state = Decompress::new(false);
        let (entry, crc) = (Entry::default(), Crc::new());
        Self { input, stage: Stage::Header, entry, state, crc, packed: 0, plain: 0 }
    }

    pub(super) fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match self.stage {
                Stage::Header => {
                    self.stage = self.header()?;
                    0
                }
                Stage::Stored if self.entry.described => self.stored_until_described(out)?,
                Stage::Stored => self.stored(out)?,
                Stage::Deflated => self.deflated(out)?,
                Stage::Directory => {
                    self.directory()?;
                    self.stage = Stage::Over;
                    0
                }
                Stage::Over => return Ok(0),
            };
            if read > 0 {
                return Ok(read);
            }
        }
    }

    fn header(&mut self) -> io::Result<Stage> {
        let held = self.input.look(ENTRY_BYTES)?;
        if held.starts_with(&END) {
            return Err(unsupported("the archive is empty"));
        }
        let Some(fixed) = held.first_chunk::<ENTRY_BYTES>() else { return Err(cut_short()) };
        let fixed = *fixed;
        let (flags, method) = (u16_at(&fixed, 6), u16_at(&fixed, 8));
        if flags & ENCRYPTED != 0 {
            return Err(unsupported("the entry is encrypted"));
        }
        let stage = match method {
            STORED => Stage::Stored,
            DEFLATED => Stage::Deflated,
            _ => return Err(unsupported("the entry is neither stored nor deflated")),
        };
        self.entry = Entry {
            described: flags & DESCRIBED != 0,
            crc: u32_at(&fixed, 14),
            packed: u64::from(u32_at(&fixed, 18)),
            plain: u64::from(u32_at(&fixed, 22)),
        };
        let (name, extra) = (u16_at(&fixed, 26), u16_at(&fixed, 28));
        self.input.skip(ENTRY_BYTES);
        self.skip(u64::from(name))?;
        self.extra(usize::from(extra))?;
        Ok(stage)
    }

    /// Reads the extra fields, for the one that holds lengths of 64 bits.
    fn extra(&mut self, length: usize) -> io::Result<()> {
        // A length of 16 bits: always within the window.
        let Some(mut fields) = self.input.look(length)?.get(..length) else {
            return Err(cut_short());
        };
        let (mut packed, mut plain) = (self.entry.packed, self.entry.plain);
        while let Some((head, rest)) = fields.split_at_checked(4) {
            let Some((body, after)) = rest.split_at_checked(usize::from(u16_at(head, 2))) else {
                break;
            };
            if u16_at(head, 0) == ZIP64_FIELD && !self.entry.described {
                // Only the lengths that do not fit are there, the plain one first.
                let mut words = body.chunks_exact(8).map(|word| u64_at(word, 0));
                for length in [&mut plain, &mut packed] {
                    if *length == SEE_ZIP64 {
                        *length =
                            words.next().ok_or_else(|| damaged("a zip64 length is missing"))?;
                    }
                }
            }
            fields = after;
        }
        (self.entry.packed, self.entry.plain) = (packed, plain);
        self.input.skip(length);
        Ok(())
    }

    /// Stored data whose length is known.
    fn stored(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.entry.packed - self.packed;
        if left == 0 {
            self.end_of_data()?;
            return Ok(0);
        }
        let space = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = self.input.read(out.get_mut(..space).unwrap_or_default())?;
        if read == 0 && space > 0 {
            return Err(cut_short());
        }
        self.count(out.get(..read).unwrap_or_default(), read);
        Ok(read)
    }

    /// Stored data that ends where a data descriptor says that it ended.
    fn stored_until_described(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // A directory follows: in a whole archive there always is as much.
        let whole = self.input.look(DESCRIPTOR_BYTES_MAX)?.len() >= DESCRIPTOR_BYTES_MAX;
        let held = self.input.held();
        let sure = match memmem::find(held, &DESCRIPTOR) {
            Some(0) if self.described_by(held).is_some() => {
                self.end_of_data()?;
                return Ok(0);
            }
            // It only looks like one: its first byte is content.
            Some(0) => usize::from(whole),
            Some(at) => at,
            None if whole => held.len() - (DESCRIPTOR.len() - 1),
            None => 0,
        };
        if sure == 0 {
            return Err(cut_short());
        }
        let length = held.get(..sure).unwrap_or_default().read(out)?;
        self.input.skip(length);
        self.count(out.get(..length).unwrap_or_default(), length);
        Ok(length)
    }

    fn deflated(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let held = self.input.look(1)?;
            let ended = held.is_empty();
            let left =
                if self.entry.described { u64::MAX } else { self.entry.packed - self.packed };
            let held = held.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(held);
            let before = (self.state.total_in(), self.state.total_out());
            let status = self
                .state
                .decompress(held, out, FlushDecompress::None)
                .map_err(|_| damaged("a block is malformed"))?;
            let taken = (self.state.total_in() - before.0) as usize;
            let given = (self.state.total_out() - before.1) as usize;
            self.input.skip(taken);
            self.count(out.get(..given).unwrap_or_default(), taken);
            if status == Status::StreamEnd {
                self.end_of_data()?;
                return Ok(given);
            }
            if given > 0 || out.is_empty() {
                return Ok(given);
            }
            if ended {
                return Err(cut_short());
            }
            if taken == 0 {
                return Err(damaged("the data goes on after the end of its entry"));
            }
        }
    }

    fn count(&mut self, plain: &[u8], packed: usize) {
        self.crc.update(plain);
        self.plain += plain.len() as u64;
        self.packed += packed as u64;
    }

    /// Checks what came out, and passes over the data descriptor.
    fn end_of_data(&mut self) -> io::Result<()> {
        self.stage = Stage::Directory;
        if !self.entry.described {
            let Entry { crc, packed, plain, .. } = self.entry;
            if packed != self.packed || plain != self.plain {
                return Err(damaged("the length differs"));
            }
            return if crc == self.crc.sum() {
                Ok(())
            } else {
                Err(damaged("the checksum differs"))
            };
        }
        let held = self.input.look(DESCRIPTOR_BYTES_MAX)?;
        let cut = held.len() < DESCRIPTOR_BYTES_MAX;
        match self.described_by(self.input.held()) {
            Some(length) => self.input.skip(length),
            None if cut => return Err(cut_short()),
            None => return Err(damaged("checksum or length differs")),
        }
        Ok(())
    }

    /// The length of the data descriptor these bytes begin with, when it tells of what was read: with
    /// or without a signature, with lengths of 64 or of 32 bits. Nothing else tells which; the long
    /// ones first, whose beginning may look like the short ones.
    fn described_by(&self, held: &[u8]) -> Option<usize> {
        let crc = self.crc.sum().to_le_bytes();
        let (packed, plain) = (self.packed.to_le_bytes(), self.plain.to_le_bytes());
        let short = |word: &[u8; 8]| word.get(..4).unwrap_or_default().to_vec();
        let lengths = [[packed.to_vec(), plain.to_vec()], [short(&packed), short(&plain)]];
        for [packed, plain] in &lengths {
            for signature in [&DESCRIPTOR[..], &[]] {
                let descriptor = [signature, &crc, packed, plain].concat();
                if held.starts_with(&descriptor) {
                    return Some(descriptor.len());
                }
            }
        }
        None
    }

    /// The central directory, to the end of the archive.
    fn directory(&mut self) -> io::Result<()> {
        let several = "the archive has several entries, and one is read";
        let mut entries = 0;
        loop {
            let held = self.input.look(CENTRAL_BYTES)?;
            let Some(signature) = held.first_chunk::<4>() else { return Err(cut_short()) };
            let length_at = |at, bytes: usize| {
                let field = held.get(at..at + bytes);
                field.map(|f| f.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
            };
            match *signature {
                ENTRY => return Err(unsupported(several)),
                CENTRAL if entries > 0 => return Err(unsupported(several)),
                CENTRAL => {
                    let Some(fixed) = held.first_chunk::<CENTRAL_BYTES>() else {
                        return Err(cut_short());
                    };
                    if u32_at(fixed, 16) != self.crc.sum() {
                        return Err(damaged("the directory tells another checksum"));
                    }
                    let more = [28, 30, 32].map(|at| u64::from(u16_at(fixed, at)));
                    self.skip(CENTRAL_BYTES as u64 + more.iter().sum::<u64>())?;
                    entries += 1;
                }
                END64 => {
                    let Some(length) = length_at(4, 8) else { return Err(cut_short()) };
                    self.skip(length.saturating_add(12))?;
                }
                LOCATOR64 => self.skip(LOCATOR64_BYTES as u64)?,
                END if entries == 0 => return Err(damaged("the directory is empty")),
                END => {
                    let Some(comment) = length_at(20, 2) else { return Err(cut_short()) };
                    self.skip(END_BYTES as u64 + comment)?;
                    let follow = !self.input.look(1)?.is_empty();
                    let bytes_follow = || damaged("bytes follow the archive");
                    return if follow { Err(bytes_follow()) } else { Ok(()) };
                }
                _ => return Err(damaged("the directory is malformed")),
            }
        }
    }

    fn skip(&mut self, length: u64) -> io::Result<()> {
        let mut left = length;
        while left > 0 {
            let held = self.input.look(1)?.len();
            if held == 0 {
                return Err(cut_short());
            }
            let taken = held.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.input.skip(taken);
            left -= taken as u64;
        }
        Ok(())
    }
}

/// Little-endian numbers of a record whose fixed length has been checked.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u16::from_le_bytes(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u64::from_le_bytes(*b))
}
