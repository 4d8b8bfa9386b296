//! Protobuf on the wire: reading without copying, writing without a tree.
//!
//! Owns varints, tags, lengths and the padded length that is patched later. A [`Reader`] never
//! reads past its bytes, takes padded varints, passes over groups (wire types 3 and 4) as all
//! readers do, and refuses field number 0. Deliberately not here: which field means what (`decode`, `encode`).

/// Most bytes of a varint of 64 bits.
const VARINT_BYTES_MAX: usize = 10;
/// Most groups within each other, as in protobuf's own readers.
const GROUPS_MAX: usize = 100;
/// Bytes of a padded length: 28 bits, which is 256 MiB and more than any record.
pub const PADDED_LENGTH: usize = 4;

/// Tag of a varint field.
pub const fn tag_varint(field: u32) -> u32 {
    field << 3
}

/// Tag of a field of eight bytes.
pub const fn tag_fixed64(field: u32) -> u32 {
    field << 3 | 1
}

/// Tag of a field that begins with its length.
pub const fn tag_bytes(field: u32) -> u32 {
    field << 3 | 2
}

/// Reads fields off the front of a message.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the start of `message`.
    #[inline]
    pub fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// What has not been read.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// True when all is read.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// A varint of up to 64 bits; padded ones are taken too.
    #[inline]
    pub fn varint(&mut self) -> Option<u64> {
        match *self.rest {
            [low, ref rest @ ..] if low < 0x80 => {
                self.rest = rest;
                Some(u64::from(low))
            }
            [low, high, ref rest @ ..] if high < 0x80 => {
                self.rest = rest;
                Some(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            _ => self.long_varint(),
        }
    }

    #[cold]
    fn long_varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for (index, &byte) in self.rest.iter().take(VARINT_BYTES_MAX).enumerate() {
            if index == VARINT_BYTES_MAX - 1 && byte > 1 {
                return None;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.rest = self.rest.get(index + 1..)?;
                return Some(value);
            }
        }
        None
    }

    /// Passes over `byte` if it is next; for tags that are expected at this place.
    #[inline]
    pub fn take(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// The tag of the next field. Field number 0 is refused.
    #[inline]
    pub fn tag(&mut self) -> Option<u32> {
        let tag = u32::try_from(self.varint()?).ok()?;
        (tag >= 8).then_some(tag)
    }

    /// The content of a field that begins with its length.
    #[inline]
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let (content, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(content)
    }

    /// Eight bytes, little-endian.
    #[inline]
    pub fn fixed64(&mut self) -> Option<u64> {
        let (bytes, rest) = self.rest.split_first_chunk::<8>()?;
        self.rest = rest;
        Some(u64::from_le_bytes(*bytes))
    }

    /// A double.
    #[inline]
    pub fn double(&mut self) -> Option<f64> {
        self.fixed64().map(f64::from_bits)
    }

    /// Passes over the content of a field whose tag has been read.
    #[cold]
    pub fn skip(&mut self, tag: u32) -> Option<()> {
        self.skip_within(tag, 0)
    }

    fn skip_within(&mut self, tag: u32, groups: usize) -> Option<()> {
        match tag & 7 {
            0 => self.varint().map(drop),
            1 => self.fixed64().map(drop),
            2 => self.bytes().map(drop),
            3 if groups < GROUPS_MAX => loop {
                match self.tag()? {
                    // The end of this group; that of another one is none.
                    end if end == tag + 1 => return Some(()),
                    field => self.skip_within(field, groups + 1)?,
                }
            },
            5 => {
                self.rest = self.rest.get(4..)?;
                Some(())
            }
            _ => None,
        }
    }
}

/// Bytes that `value` takes as a varint.
#[inline]
pub fn varint_len(value: u64) -> usize {
    // Most are lengths, of one byte or two.
    if value < 1 << 14 {
        return 1 + usize::from(value >= 1 << 7);
    }
    // 7 bits a byte; the arithmetic is exact for 1 to 64 bits.
    let bits = 64 - value.leading_zeros();
    (bits as usize).div_ceil(7)
}

/// Bytes that a length-delimited field below number 16 takes, with its tag.
#[inline]
pub fn field_len(content: usize) -> usize {
    1 + varint_len(content as u64) + content
}

/// Appends a varint.
#[inline]
pub fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// Appends the tag and length of a field whose content follows.
#[inline]
pub fn put_head(field: u32, content: usize, out: &mut Vec<u8>) {
    put_varint(u64::from(tag_bytes(field)), out);
    put_varint(content as u64, out);
}

/// Appends a field that begins with its length.
#[inline]
pub fn put_bytes(field: u32, content: &[u8], out: &mut Vec<u8>) {
    put_head(field, content.len(), out);
    out.extend_from_slice(content);
}

/// Appends a field of eight bytes; nothing when it holds the default, zero.
#[inline]
pub fn put_fixed64(field: u32, bits: u64, out: &mut Vec<u8>) {
    if bits != 0 {
        put_varint(u64::from(tag_fixed64(field)), out);
        out.extend_from_slice(&bits.to_le_bytes());
    }
}

/// Appends a varint field; nothing when it holds the default, zero.
#[inline]
pub fn put_uint(field: u32, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        put_varint(u64::from(tag_varint(field)), out);
        put_varint(value, out);
    }
}

/// Opens a field whose length is not known yet: its tag and a length of four bytes. Give the
/// result to [`close`] when the content has been appended.
#[inline]
pub fn open(field: u32, out: &mut Vec<u8>) -> usize {
    put_varint(u64::from(tag_bytes(field)), out);
    out.extend_from_slice(&[0x80, 0x80, 0x80, 0x00]);
    out.len()
}

/// Writes the length of all that was appended since `opened` into the four bytes before it, as a
/// padded varint, which every protobuf reader takes. False, and nothing written, past 256 MiB.
#[inline]
#[must_use]
pub fn close(opened: usize, out: &mut [u8]) -> bool {
    let Some(length) = out.len().checked_sub(opened) else { return false };
    let space = opened
        .checked_sub(PADDED_LENGTH)
        .and_then(|start| out.get_mut(start..opened))
        .and_then(|space| space.first_chunk_mut::<PADDED_LENGTH>());
    match space {
        Some(space) if length < 1 << 28 => {
            let byte = |shift: u32| ((length >> shift) & 0x7f) as u8;
            *space = [byte(0) | 0x80, byte(7) | 0x80, byte(14) | 0x80, byte(21)];
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
