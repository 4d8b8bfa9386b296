//! The strict alphabet, against a decoder of twenty lines.

use proptest::prelude::*;

use super::{NotBase64, check, decode_append, decode_into, encode_into};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648 4, slowly; refuses stray bits.
fn reference(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let groups = text.len() / 4;
    if !text.len().is_multiple_of(4) {
        return None;
    }
    for (index, group) in text.chunks(4).enumerate() {
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 != groups) {
            return None;
        }
        let mut bits = 0_u32;
        for byte in &group[..4 - padding] {
            bits = bits << 6 | ALPHABET.iter().position(|letter| letter == byte)? as u32;
        }
        bits <<= 6 * padding;
        let bytes = &bits.to_be_bytes()[1..];
        if bytes[3 - padding..].iter().any(|byte| *byte != 0) {
            return None;
        }
        out.extend_from_slice(&bytes[..3 - padding]);
    }
    Some(out)
}

#[track_caller]
fn agree(text: &[u8]) {
    let mut out = b"stale".to_vec();
    let expected = reference(text).ok_or(NotBase64);
    assert_eq!(check(text), expected.as_ref().map(Vec::len).map_err(Clone::clone));
    assert_eq!(decode_into(text, &mut out).map(|()| out.clone()), expected);
    if expected.is_err() {
        assert!(out.is_empty(), "nothing is left of a text that failed");
    }
    let mut after = b"before".to_vec();
    let appended = decode_append(text, &mut after);
    assert_eq!(appended.is_ok(), expected.is_ok());
    assert_eq!(after, [b"before", expected.unwrap_or_default().as_slice()].concat());
}

/// *Scenario:* every length of text up to 200, with every byte value at every place of a text
/// longer than any vector register.
/// *Guarantees:* what is taken and refused, and what comes out, is what the reference says.
#[test]
fn every_byte_at_every_place() {
    let bytes: Vec<u8> = (0..=255).cycle().take(150).collect();
    for length in 0..=bytes.len() {
        let mut text = Vec::new();
        encode_into(&bytes[..length], &mut text);
        agree(&text);
    }
    let mut text = Vec::new();
    encode_into(&bytes[..100], &mut text);
    for at in 0..text.len() {
        for byte in 0..=255 {
            let mut changed = text.clone();
            changed[at] = byte;
            agree(&changed);
        }
    }
    for length in 0..text.len() {
        agree(&text[..length]);
    }
}

/// *Scenario:* what other encoders write: no padding, the URL alphabet, line ends, stray bits.
/// *Guarantees:* all refused.
#[test]
fn other_dialects_are_refused() {
    for text in
        ["QQ", "QR==", "Q===", "====", "QQ==\n", " QQ==", "-_-_", "QUJD\r\nQUJD", "QQ==QQ=="]
    {
        assert_eq!(check(text.as_bytes()), Err(NotBase64), "{text}");
        agree(text.as_bytes());
    }
}

proptest! {
    /// *Scenario:* any bytes after any others.
    /// *Guarantees:* encoding appends, and decoding gives the bytes back.
    #[test]
    fn round_trip(before: Vec<u8>, bytes: Vec<u8>) {
        let mut text = before.clone();
        encode_into(&bytes, &mut text);
        let encoded = text.strip_prefix(&before[..]).unwrap();
        agree(encoded);
        prop_assert_eq!(reference(encoded), Some(bytes));
    }

    /// *Scenario:* any bytes as text.
    /// *Guarantees:* judged as the reference judges them.
    #[test]
    fn any_text(text in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'='), 65_u8..90], 0..80)) {
        agree(&text);
    }
}
