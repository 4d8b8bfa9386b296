//! A text before the content of a finished member, without inflating it.
//!
//! Owns: the arithmetic of joining two CRC-32. A member's deflate stream may begin with stored
//! blocks, which end at a byte border, so what follows them is taken over as it is.
//!
//! Not here: members that others wrote, whose headers may be of any length.

use super::deflate::{HEADER, STORED_MAX};

/// CRC-32 and length (RFC 1952 2.3.1).
const TRAILER: usize = 8;
/// The polynomial of CRC-32, lowest power first.
const POLYNOMIAL: u32 = 0xedb8_8320;
/// `x^0` and `x^1` in that order of bits.
const ONE: u32 = 1 << 31;
const X: u32 = 1 << 30;

/// Appends a member to `out` that holds `prefix` and then the content of `member`, which must be
/// one that [`Deflater::gzip`](super::Deflater::gzip) wrote; false, and nothing appended, when it
/// is none.
#[must_use]
pub fn prepend(prefix: &[u8], member: &[u8], out: &mut Vec<u8>) -> bool {
    let body = member.strip_prefix(&HEADER).and_then(|rest| rest.split_last_chunk::<TRAILER>());
    let Some((blocks, [a, b, c, d, e, f, g, h])) = body else { return false };
    let crc = u32::from_le_bytes([*a, *b, *c, *d]);
    let length = u32::from_le_bytes([*e, *f, *g, *h]);
    out.reserve(member.len() + prefix.len() + 5 * prefix.len().div_ceil(STORED_MAX));
    out.extend_from_slice(&HEADER);
    for block in prefix.chunks(STORED_MAX) {
        let length = block.len() as u16;
        // Not the last block, stored.
        out.push(0);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(blocks);
    let joined = join(libdeflater::crc32(prefix), crc, length);
    out.extend_from_slice(&joined.to_le_bytes());
    out.extend_from_slice(&length.wrapping_add(prefix.len() as u32).to_le_bytes());
    true
}

/// The CRC-32 of two texts one after the other, of which the second has `length` bytes: the first
/// one's remainder, moved up by that many bits, and the second one's.
fn join(first: u32, second: u32, length: u32) -> u32 {
    let (mut power, mut factor, mut bits) = (ONE, X, u64::from(length) * 8);
    while bits > 0 {
        if bits & 1 == 1 {
            power = product(power, factor);
        }
        factor = product(factor, factor);
        bits >>= 1;
    }
    product(power, first) ^ second
}

/// The product of two polynomials over GF(2), modulo that of CRC-32.
fn product(a: u32, mut b: u32) -> u32 {
    let mut sum = 0;
    for power in (0..32).rev() {
        if a >> power & 1 == 1 {
            sum ^= b;
        }
        b = if b & 1 == 1 { b >> 1 ^ POLYNOMIAL } else { b >> 1 };
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gzip::{Deflater, Inflater};

    /// *Scenario:* texts of many lengths before contents of many lengths, at both kinds of level.
    /// *Guarantees:* one member that holds both, which others' checks take.
    #[test]
    fn a_prefix_and_the_content() {
        let text: Vec<u8> = (0..200_000_u32).map(|n| (n.wrapping_mul(n) / 7) as u8).collect();
        for level in [1, 6] {
            let mut deflater = Deflater::new(level);
            for prefix in [0, 1, 94, 65_535, 65_536, 140_000] {
                for content in [0, 1, 300, 65_536, 200_000] {
                    let (prefix, content) = (&text[..prefix], &text[..content]);
                    let (mut member, mut joined, mut plain) = (Vec::new(), Vec::new(), Vec::new());
                    deflater.gzip(content, &mut member);
                    assert!(prepend(prefix, &member, &mut joined));
                    Inflater::new().gunzip(&joined, &mut plain, 1 << 20).unwrap();
                    assert!(plain == [prefix, content].concat());
                }
            }
        }
    }

    /// *Scenario:* what is no member, or not one of ours.
    /// *Guarantees:* refused, and nothing appended.
    #[test]
    fn what_is_no_member_of_ours() {
        let mut named = HEADER.to_vec();
        named[3] = 8;
        named.extend_from_slice(&[0; 20]);
        for member in [&b""[..], &HEADER, &HEADER[..5], &named, b"{\"records\":[]}"] {
            let mut out = vec![7];
            assert!(!prepend(b"x", member, &mut out));
            assert_eq!(out, [7]);
        }
    }
}
