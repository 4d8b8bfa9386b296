//! The bit of protobuf that is written here: tags of one byte, varints, lengths known beforehand.

/// Bytes of a varint.
#[inline]
pub(crate) fn varint_len(value: usize) -> usize {
    // Seven bits a byte, and zero takes one.
    let bits = (usize::BITS - (value | 1).leading_zeros()) as usize;
    bits.div_ceil(7)
}

/// Bytes of a field with a length before it.
#[inline]
pub(crate) fn field_len(length: usize) -> usize {
    1 + varint_len(length) + length
}

#[inline]
pub(crate) fn push_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// Tag and length; the content is the caller's.
#[inline]
pub(crate) fn push_head(out: &mut Vec<u8>, tag: u8, length: usize) {
    out.push(tag);
    push_varint(out, length);
}

/// Tag, length and content.
#[inline]
pub(crate) fn push_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    push_head(out, tag, bytes.len());
    out.extend_from_slice(bytes);
}

#[inline]
pub(crate) fn push_fixed64(out: &mut Vec<u8>, tag: u8, value: u64) {
    out.push(tag);
    out.extend_from_slice(&value.to_le_bytes());
}

#[inline]
pub(crate) fn push_double(out: &mut Vec<u8>, tag: u8, value: f64) {
    push_fixed64(out, tag, value.to_bits());
}

/// Length of a `KeyValue` with a string value.
pub(crate) fn attribute_len(key: &[u8], value: &[u8]) -> usize {
    field_len(key.len()) + field_len(field_len(value.len()))
}

/// A `KeyValue` with a string value, as the field `tag`.
pub(crate) fn push_attribute(out: &mut Vec<u8>, tag: u8, key: &[u8], value: &[u8]) {
    push_head(out, tag, attribute_len(key, value));
    push_bytes(out, 0x0a, key);
    push_head(out, 0x12, field_len(value.len()));
    push_bytes(out, 0x0a, value);
}

/// A field of a message being read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 2.
    Bytes(&'a [u8]),
    /// Wire types 1 and 5.
    Fixed,
}

/// Reads the next field: its number, its content, and what follows. `None` when malformed.
pub(crate) fn read_field(bytes: &[u8]) -> Option<(u64, Field<'_>, &[u8])> {
    let (tag, rest) = read_varint(bytes)?;
    let number = tag >> 3;
    if number == 0 {
        return None;
    }
    match tag & 7 {
        0 => read_varint(rest).map(|(value, rest)| (number, Field::Varint(value), rest)),
        1 => Some((number, Field::Fixed, rest.get(8..)?)),
        2 => {
            let (length, rest) = read_varint(rest)?;
            let (content, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            Some((number, Field::Bytes(content), rest))
        }
        5 => Some((number, Field::Fixed, rest.get(4..)?)),
        _ => None,
    }
}

fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}
