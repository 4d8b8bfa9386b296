//! A frame: how one entry lies in a segment.
//!
//! A frame is a fixed header, then key, side reference, head and body, padded to eight bytes. Three checksums
//! (header; key, reference and head; body), all salted with the segment's random id, so that bytes of another
//! segment, or a body that imitates a frame, never pass. Each frame says up to where its segment had been
//! durable when it was written: a valid frame proves the bytes before that mark. Not here: any I/O.

use bytes::BufMut;

use crate::item::Key;
use crate::sealed::Fields;

/// Bytes of a frame's header.
pub(crate) const HEADER: usize = 56;
/// Frames begin at multiples of this.
pub(crate) const ALIGN: u64 = 8;
/// First bytes of each frame.
pub(crate) const MAGIC: [u8; 4] = *b"HYfr";

const KIND_ENTRY: u8 = 1;
const KIND_GAP: u8 = 2;
const FLAG_KEY: u8 = 1;
const FLAG_SIDE: u8 = 2;
const KEY: usize = 32;
const SIDE: usize = 24;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An entry.
    Entry,
    /// Bytes to step over: a torn stretch between whole entries, found when the segment was opened.
    Gap,
    /// Of a later release within the same version: stepped over by its length.
    Other(u8),
}

/// Where a body lies when it is not in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SideRef {
    pub(crate) id: u64,
    pub(crate) length: u64,
    pub(crate) crc: u32,
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) sequence: u64,
    /// Offset in this segment below which all was durable when the frame was written.
    pub(crate) proven: u64,
    pub(crate) arrived_ms: u64,
    pub(crate) has_key: bool,
    pub(crate) has_side: bool,
    pub(crate) head_length: u32,
    pub(crate) body_length: u32,
    pub(crate) head_crc: u32,
    pub(crate) body_crc: u32,
}

impl Header {
    /// Reads a header; `None` when it is not one, or not of this segment.
    pub(crate) fn parse(bytes: &[u8], salt: u32) -> Option<Header> {
        let mut fields = Fields(bytes.get(..HEADER)?);
        if fields.take::<4>()? != MAGIC {
            return None;
        }
        let crc = fields.take_u32()?;
        if crc32c::crc32c_append(salt, fields.0) != crc {
            return None;
        }
        let sequence = fields.take_u64()?;
        let proven = fields.take_u64()?;
        let arrived_ms = fields.take_u64()?;
        let kind = match fields.take_u8()? {
            KIND_ENTRY => Kind::Entry,
            KIND_GAP => Kind::Gap,
            other => Kind::Other(other),
        };
        let flags = fields.take_u8()?;
        fields.take_u16()?;
        Some(Header {
            kind,
            sequence,
            proven,
            arrived_ms,
            has_key: flags & FLAG_KEY != 0,
            has_side: flags & FLAG_SIDE != 0,
            head_length: fields.take_u32()?,
            body_length: fields.take_u32()?,
            head_crc: fields.take_u32()?,
            body_crc: fields.take_u32()?,
        })
    }

    /// The header as it lies on disk.
    pub(crate) fn to_bytes(self, salt: u32) -> [u8; HEADER] {
        let mut fields = Vec::with_capacity(HEADER);
        fields.put_u64_le(self.sequence);
        fields.put_u64_le(self.proven);
        fields.put_u64_le(self.arrived_ms);
        fields.put_u8(match self.kind {
            Kind::Entry => KIND_ENTRY,
            Kind::Gap => KIND_GAP,
            Kind::Other(other) => other,
        });
        let key = if self.has_key { FLAG_KEY } else { 0 };
        let side = if self.has_side { FLAG_SIDE } else { 0 };
        fields.put_u8(key | side);
        fields.put_u16_le(0);
        fields.put_u32_le(self.head_length);
        fields.put_u32_le(self.body_length);
        fields.put_u32_le(self.head_crc);
        fields.put_u32_le(self.body_crc);
        fields.put_u32_le(0);
        let crc = crc32c::crc32c_append(salt, &fields);
        let mut bytes = [0; HEADER];
        let mut rest = bytes.as_mut_slice();
        rest.put_slice(&MAGIC);
        rest.put_u32_le(crc);
        rest.put_slice(&fields);
        bytes
    }

    /// Bytes of key and side reference.
    pub(crate) fn extras_length(&self) -> usize {
        usize::from(self.has_key) * KEY + usize::from(self.has_side) * SIDE
    }

    /// Bytes of key, side reference and head: what `head_crc` covers.
    pub(crate) fn front_length(&self) -> usize {
        self.extras_length() + self.head_length as usize
    }

    /// Bytes of the whole frame, padding included.
    pub(crate) fn frame_length(&self) -> u64 {
        let bytes = HEADER as u64 + self.front_length() as u64 + u64::from(self.body_length);
        bytes.next_multiple_of(ALIGN)
    }

    /// Reads key and side reference from the bytes behind the header.
    pub(crate) fn extras(&self, front: &[u8]) -> Option<Extras> {
        let mut fields = Fields(front);
        let key = match self.has_key {
            true => Some(Key { name: fields.take_u128()?, data: fields.take_u128()? }),
            false => None,
        };
        let side = match self.has_side {
            true => {
                let id = fields.take_u64()?;
                let length = fields.take_u64()?;
                let crc = fields.take_u32()?;
                fields.take_u32()?;
                Some(SideRef { id, length, crc })
            }
            false => None,
        };
        Some(Extras { key, side })
    }
}

/// The optional parts of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extras {
    pub(crate) key: Option<Key>,
    pub(crate) side: Option<SideRef>,
}

/// What goes into a frame besides its body.
pub(crate) struct Front<'a> {
    pub(crate) sequence: u64,
    pub(crate) proven: u64,
    pub(crate) arrived_ms: u64,
    pub(crate) key: Option<Key>,
    pub(crate) side: Option<SideRef>,
    pub(crate) head: &'a [u8],
}

/// All of a frame before its body, and the number of zeros behind the body.
pub(crate) fn encode(front: &Front<'_>, body: &[u8], salt: u32) -> (Vec<u8>, usize) {
    let mut header = Header {
        kind: Kind::Entry,
        sequence: front.sequence,
        proven: front.proven,
        arrived_ms: front.arrived_ms,
        has_key: front.key.is_some(),
        has_side: front.side.is_some(),
        head_length: u32::try_from(front.head.len()).expect("checked when it was queued"),
        body_length: u32::try_from(body.len()).expect("checked when it was queued"),
        head_crc: 0,
        body_crc: crc32c::crc32c_append(salt, body),
    };
    let mut bytes = Vec::with_capacity(HEADER + header.front_length());
    bytes.put_bytes(0, HEADER);
    if let Some(key) = front.key {
        bytes.put_u128_le(key.name);
        bytes.put_u128_le(key.data);
    }
    if let Some(side) = front.side {
        bytes.put_u64_le(side.id);
        bytes.put_u64_le(side.length);
        bytes.put_u32_le(side.crc);
        bytes.put_u32_le(0);
    }
    bytes.put_slice(front.head);
    header.head_crc = crc32c::crc32c_append(salt, bytes.get(HEADER..).unwrap_or_default());
    if let Some(place) = bytes.first_chunk_mut::<HEADER>() {
        *place = header.to_bytes(salt);
    }
    let padding = header.frame_length() - (bytes.len() + body.len()) as u64;
    (bytes, usize::try_from(padding).expect("below ALIGN"))
}

/// A frame header that steps over `stretch` bytes.
pub(crate) fn encode_gap(sequence: u64, proven: u64, stretch: u64, salt: u32) -> [u8; HEADER] {
    let body_length = u32::try_from(stretch.saturating_sub(HEADER as u64)).unwrap_or(u32::MAX);
    let header = Header {
        kind: Kind::Gap,
        sequence,
        proven,
        arrived_ms: 0,
        has_key: false,
        has_side: false,
        head_length: 0,
        body_length,
        head_crc: 0,
        body_crc: 0,
    };
    header.to_bytes(salt)
}

/// Bytes a frame of this content takes.
pub(crate) fn length_of(key: bool, side: bool, head: usize, body: usize) -> u64 {
    let extras = usize::from(key) * KEY + usize::from(side) * SIDE;
    ((HEADER + extras + head + body) as u64).next_multiple_of(ALIGN)
}
