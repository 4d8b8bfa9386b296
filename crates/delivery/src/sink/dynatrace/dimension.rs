//! Dimensions of a line: names by the normalisation of Dynatrace's published client
//! libraries, values always quoted, escaped and cut.
//!
//! A clean ASCII value is copied; anything else takes a slower way that looks at every character.

use unicode_general_category::{GeneralCategory, get_general_category};

use super::key::push_section;
use crate::sink::text::Text;

/// Longest dimension key a server takes.
pub(crate) const NAME_MAX: usize = 100;

/// Longest dimension value a server takes, counted after escaping as the published libraries do,
/// in UTF-16 units (the server is written in Java), which is never less than in characters.
pub(crate) const VALUE_MAX: usize = 255;

/// Most dimensions of a line.
pub(crate) const DIMENSIONS_MAX: usize = 50;

/// Normalised dimension name; `None` when nothing is left of it. As published, what is too long is
/// cut before it is looked at.
pub(crate) fn normalise_name(raw: &str) -> Option<String> {
    let mut length = 0;
    let within = raw.chars().take_while(|c| {
        let starts_within = length < NAME_MAX;
        length += c.len_utf16();
        starts_within
    });
    let lower: String = within.filter_map(|c| c.to_lowercase().next()).collect();
    let mut name = String::with_capacity(lower.len());
    for section in lower.split('.').filter(|section| !section.is_empty()) {
        if !name.is_empty() {
            name.push('.');
        }
        push_section(
            &mut name,
            section,
            |c| c.is_ascii_lowercase() || c == '_',
            |c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | ':'),
        );
    }
    (!name.is_empty()).then_some(name)
}

/// Appends a value, without its quotes.
#[inline]
pub(crate) fn push_value(out: &mut Text, value: &[u8]) {
    if value.len() <= VALUE_MAX && is_clean(value) {
        out.put(value);
    } else {
        push_unclean(out, metric::text(value));
    }
}

/// Printable ASCII without quote and backslash, eight bytes at a time.
#[inline]
fn is_clean(value: &[u8]) -> bool {
    let (words, rest) = value.as_chunks::<8>();
    let mut bad = 0;
    for word in words {
        bad |= marks(u64::from_le_bytes(*word));
    }
    // The last bytes once more with some before them, or filled up with blanks.
    bad |= match value.last_chunk::<8>() {
        Some(last) => marks(u64::from_le_bytes(*last)),
        None => rest.iter().fold(0, |bad, byte| {
            bad | u64::from(!matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\'))
        }),
    };
    bad == 0
}

/// Not zero when one of the eight bytes is no printable ASCII, a quote or a backslash. Borrows may
/// add marks to bytes above a marked one, never to a clean word.
#[inline]
fn marks(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let below_blank = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
    let delete = is_zero(word ^ (ONES * 0x7f));
    let quote = is_zero(word ^ (ONES * 0x22));
    let backslash = is_zero(word ^ (ONES * 0x5c));
    (word & HIGH) | below_blank | delete | quote | backslash
}

#[cold]
fn push_unclean(out: &mut Text, value: &str) {
    let mut length = 0;
    let mut in_run = false;
    for c in value.chars() {
        let bad = is_unprintable(c);
        if bad && in_run {
            continue;
        }
        in_run = bad;
        let c = if bad { '_' } else { c };
        let escaped = matches!(c, '"' | '\\');
        length += c.len_utf16() + usize::from(escaped);
        if length > VALUE_MAX {
            return;
        }
        if escaped {
            out.push(b'\\');
        }
        let mut utf8 = [0; 4];
        out.put(c.encode_utf8(&mut utf8).as_bytes());
    }
}

/// Code points that the published libraries replace.
fn is_unprintable(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    matches!(
        get_general_category(c),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::Unassigned
    )
}

#[cfg(test)]
mod tests;
