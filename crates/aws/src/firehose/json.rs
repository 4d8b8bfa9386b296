//! JSON strings out.
//!
//! Not here: JSON in, which serde_json and the envelope's own reader do.

/// Appends `text` as a JSON string in UTF-8.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for character in text.chars() {
        push(character, out);
    }
    out.push(b'"');
}

/// Appends `text` as a JSON string in printable ASCII, as a header value needs it.
pub(super) fn ascii_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for character in text.chars() {
        if (' '..='~').contains(&character) {
            push(character, out);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                push_unicode_escape(*unit, out);
            }
        }
    }
    out.push(b'"');
}

fn push(character: char, out: &mut Vec<u8>) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\0'..='\x1f' => push_unicode_escape(character as u16, out),
        _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

fn push_unicode_escape(unit: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        let digit = char::from_digit(u32::from((unit >> shift) & 0xf), 16);
        out.push(digit.map_or(b'0', |digit| digit as u8));
    }
}
