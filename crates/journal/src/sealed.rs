//! The common form of every small record of the journal: magic, version, length, fields, checksum.
//!
//! The rule "the last four of `length` bytes are the CRC32C of all before them" holds for all versions, so an
//! old release tells "written by a newer one" from "damaged" without knowing the newer fields. Numbers are
//! little-endian. Not here: frames of the log, which are salted and must be small.

use bytes::BufMut;

/// The newest format this release writes and reads, one number for all files.
pub(crate) const VERSION: u16 = 1;

/// No record is longer.
pub(crate) const RECORD_MAX: usize = 2048;

/// Magic, version and length.
const BEFORE: usize = 12;
const CHECKSUM: usize = 4;

/// What the bytes turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unsealed<'a> {
    /// Whole: the fields.
    Whole(Fields<'a>),
    /// Not a record of this magic, or its checksum is wrong.
    Damaged,
    /// Whole, of a version that this release does not know.
    Newer(u16),
}

/// Fields read from the front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*front)
    }
    pub(crate) fn take_u8(&mut self) -> Option<u8> {
        self.take().map(u8::from_le_bytes)
    }
    pub(crate) fn take_u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }
    pub(crate) fn take_u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }
    pub(crate) fn take_u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
    pub(crate) fn take_u128(&mut self) -> Option<u128> {
        self.take().map(u128::from_le_bytes)
    }
}

/// Puts magic, version and length before the fields and the checksum behind them.
pub(crate) fn seal(magic: &[u8; 8], fields: &[u8]) -> Vec<u8> {
    let length = BEFORE + fields.len() + CHECKSUM;
    let mut bytes = Vec::with_capacity(length);
    bytes.put_slice(magic);
    bytes.put_u16_le(VERSION);
    bytes.put_u16_le(u16::try_from(length).expect("the records of this crate are below 2 KiB"));
    bytes.put_slice(fields);
    bytes.put_u32_le(crc32c::crc32c(&bytes));
    bytes
}

/// The version of a whole record at the front of `bytes`, when it is newer than this release.
pub(crate) fn newer(magic: &[u8; 8], bytes: &[u8]) -> Option<u16> {
    match unseal(magic, bytes) {
        Unsealed::Newer(version) => Some(version),
        Unsealed::Whole(_) | Unsealed::Damaged => None,
    }
}

/// Checks a record at the front of `bytes`; what follows it does not matter.
pub(crate) fn unseal<'a>(magic: &[u8; 8], bytes: &'a [u8]) -> Unsealed<'a> {
    fn parts<'a>(magic: &[u8; 8], bytes: &'a [u8]) -> Option<(u16, &'a [u8])> {
        let mut fields = Fields(bytes);
        if &fields.take::<8>()? != magic {
            return None;
        }
        let version = fields.take_u16()?;
        let length = usize::from(fields.take_u16()?);
        let covered = bytes.get(..length.checked_sub(CHECKSUM)?)?;
        let checksum = Fields(bytes.get(covered.len()..)?).take_u32()?;
        let inner = covered.get(BEFORE..)?;
        (crc32c::crc32c(covered) == checksum).then_some((version, inner))
    }
    match parts(magic, bytes) {
        None => Unsealed::Damaged,
        Some((version, _)) if version > VERSION => Unsealed::Newer(version),
        Some((_, inner)) => Unsealed::Whole(Fields(inner)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* each bit of a sealed record is flipped.
    /// *Guarantees:* it is never taken for whole, nor for one of a newer release.
    #[test]
    fn a_flipped_bit_is_damage() {
        let bytes = seal(b"TESTTEST", &[7; 20]);
        assert_eq!(unseal(b"TESTTEST", &bytes), Unsealed::Whole(Fields(&[7; 20])));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unseal(b"TESTTEST", &damaged), Unsealed::Damaged, "bit {bit}");
        }
    }

    /// *Scenario:* a record with a higher version, more fields and a right checksum.
    /// *Guarantees:* it is told apart from damage.
    #[test]
    fn a_newer_version_is_known_as_such() {
        let mut bytes = seal(b"TESTTEST", &[7; 30]);
        bytes.truncate(bytes.len() - 4);
        bytes[8] = 9;
        bytes.put_u32_le(crc32c::crc32c(&bytes));
        assert_eq!(unseal(b"TESTTEST", &bytes), Unsealed::Newer(9));
    }
}
