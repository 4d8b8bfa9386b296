//! Names of topics and cursors as file names, and back.
//!
//! Any text becomes a name that every file system takes and that never climbs out of its folder. Letters,
//! digits, `_`, `-` and inner dots stay readable; every other byte becomes `%XX`. The way back is exact.

use std::io::{self, ErrorKind};

/// Most bytes of an escaped name: 255 is the limit of common file systems, less what suffixes need.
const NAME_MAX: usize = 240;

/// The file name for `name`.
pub(crate) fn escape(name: &str) -> io::Result<String> {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if plain || (byte == b'.' && !escaped.is_empty()) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    if name.is_empty() {
        escaped.push('%');
    }
    if escaped.len() > NAME_MAX {
        let text = format!("the name {name:?} is too long for a file name");
        return Err(io::Error::new(ErrorKind::InvalidFilename, text));
    }
    Ok(escaped)
}

/// The name for a file name that `escape` made; `None` for one it did not make.
pub(crate) fn unescape(escaped: &str) -> Option<String> {
    if escaped == "%" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    let name = String::from_utf8(bytes).ok()?;
    (escape(&name).ok()?.as_str() == escaped).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* ordinary and hostile names.
    /// *Guarantees:* each survives the way there and back, and none leaves its folder.
    #[test]
    fn names_survive() {
        let names =
            ["aws", "a.b", "..", ".hidden", "a/../b", "", "%", "arn:aws:x/y", "\u{e9}", "A b"];
        for name in names {
            let escaped = escape(name).unwrap();
            assert!(!escaped.contains('/') && !escaped.starts_with('.'), "{escaped}");
            assert_eq!(unescape(&escaped).as_deref(), Some(name));
        }
        assert_eq!(escape("a/b").unwrap(), "a%2Fb");
        assert!(escape(&"x".repeat(300)).is_err());
        assert_eq!(unescape("%4"), None);
        assert_eq!(unescape("%41"), None, "an escape that escape() would not have made");
    }
}
