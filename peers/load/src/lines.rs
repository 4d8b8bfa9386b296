//! Lines of the Dynatrace metrics protocol, as far as the check needs.

use xxhash_rust::xxh3::xxh3_64;

use crate::tally::{Check, Seen};

/// Counts the lines with data in `body`, and gives their number.
pub fn walk(body: &[u8], check: &Check, seen: &mut Seen) -> u64 {
    let mut count = 0;
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', body).chain(std::iter::once(body.len()));
    for end in ends {
        let line = body[start..end].trim_ascii();
        start = (end + 1).min(body.len());
        if line.is_empty() || line[0] == b'#' {
            continue;
        }
        count += 1;
        match check {
            Check::Count => seen.units += 1,
            Check::Intact(_) => seen.intact(dimensions(line, check)),
            Check::Exact => {
                let time = line.rsplit(|b| *b == b' ').next().unwrap_or_default();
                let time = time.iter().filter(|b| b.is_ascii_digit());
                let ms =
                    time.fold(0_u64, |ms, b| ms.wrapping_mul(10).wrapping_add(u64::from(b - b'0')));
                seen.exact(ms / 1000, xxh3_64(line));
            }
        }
    }
    count
}

/// The values of `key,dimension=value,dimension="value" payload`.
fn dimensions(line: &[u8], check: &Check) -> u64 {
    let mut sum = 0_u64;
    let mut rest = line;
    while let Some(equals) = memchr::memchr(b'=', rest) {
        let value = &rest[equals + 1..];
        let (value, after, last) = if let Some(quoted) = value.strip_prefix(b"\"") {
            let end = closing_quote(quoted);
            let after = quoted.get(end + 1..).unwrap_or_default();
            (unescaped(&quoted[..end]), after, after.first() != Some(&b','))
        } else {
            let end = memchr::memchr2(b',', b' ', value).unwrap_or(value.len());
            (unescaped(&value[..end]), &value[end..], value.get(end) != Some(&b','))
        };
        sum = sum.wrapping_add(check.values(&value));
        if last {
            break;
        }
        rest = after;
    }
    sum
}

fn closing_quote(text: &[u8]) -> usize {
    let mut index = 0;
    while index < text.len() && text[index] != b'"' {
        index += if text[index] == b'\\' { 2 } else { 1 };
    }
    index.min(text.len())
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        out.extend(if *byte == b'\\' { bytes.next() } else { Some(byte) });
    }
    out
}
