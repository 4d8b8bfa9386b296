//! Protocol Buffers, as far as walking a message needs them.

/// One field of a message.
pub enum Field<'a> {
    Varint,
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

/// A varint at the start of `bytes`, and what follows it.
pub fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

/// The fields of a message; ends at its end or where it is damaged.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (tag, rest) = varint(self.0)?;
        let (field, rest) = match tag & 7 {
            0 => varint(rest).map(|(_value, rest)| (Field::Varint, rest))?,
            1 => {
                let (bytes, rest) = rest.split_first_chunk::<8>()?;
                (Field::Fixed64(u64::from_le_bytes(*bytes)), rest)
            }
            2 => {
                let (length, rest) = varint(rest)?;
                let (bytes, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                (Field::Bytes(bytes), rest)
            }
            5 => rest.split_at_checked(4).map(|(_bytes, rest)| (Field::Fixed32, rest))?,
            _ => return None,
        };
        self.0 = rest;
        Some((tag >> 3, field))
    }
}

/// The embedded messages, strings and bytes of a message with this number.
pub fn each<'a>(message: &'a [u8], number: u64, mut visit: impl FnMut(&'a [u8])) {
    for (found, field) in Fields(message) {
        if let (true, Field::Bytes(bytes)) = (found == number, field) {
            visit(bytes);
        }
    }
}
