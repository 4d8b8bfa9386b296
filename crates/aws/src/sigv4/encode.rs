//! Percent-encoding as AWS wants it: everything but the unreserved characters of RFC 3986, in
//! upper-case hexadecimal.

use std::borrow::Cow;

/// Encodes a path: `/` stays.
pub fn encode_path(path: &str) -> String {
    encode(path.as_bytes(), true)
}

/// Encodes a name or a value of a query.
pub fn encode_query(text: &str) -> String {
    encode(text.as_bytes(), false)
}

/// Undoes the encoding of forms: `%XX`, and `+` for a space. What is no escape stays as it is.
pub fn decode_form(text: &str) -> Vec<u8> {
    decode(text, true).into_owned()
}

pub(super) fn encode(bytes: &[u8], keep_slash: bool) -> String {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or_default();
    let mut out = String::with_capacity(bytes.len() + bytes.len() / 4);
    for &byte in bytes {
        let kept = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~')
            || (keep_slash && byte == b'/');
        if kept {
            out.push(char::from(byte));
        } else {
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

/// Undoes percent-encoding. What is no escape stays as it is, as servers have it.
pub(super) fn decode(text: &str, plus_is_space: bool) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|&byte| byte == b'%' || (plus_is_space && byte == b'+')) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'%', [high, low, after @ ..]) if let Some(value) = pair(*high, *low) => {
                out.push(value);
                rest = after;
            }
            (b'+', _) if plus_is_space => out.push(b' '),
            _ => out.push(byte),
        }
    }
    Cow::Owned(out)
}

fn pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}
