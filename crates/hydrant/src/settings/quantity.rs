//! Durations and sizes: whole numbers with units, and nothing else.
//!
//! A bare number is refused: `60` means seconds to one reader and milliseconds to the next.

use std::fmt::Display;
use std::time::Duration;

/// Why a text is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityFault {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// Digits and no unit.
    #[error("has no unit")]
    NoUnit,
    /// A unit that is none.
    #[error("has the unknown unit \"{0}\"")]
    UnknownUnit(String),
    /// Not a whole number and a unit.
    #[error("is not a whole number with a unit")]
    Malformed,
    /// More than fits.
    #[error("is too large")]
    TooLarge,
}

/// Units of time, in milliseconds.
const TIME_UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Units of size, in bytes. Decimal and binary ones, told apart by the `i` as everywhere.
const SIZE_UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1000),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// `500ms`, `5s`, `1m30s`, `2h`, `7d`.
pub fn duration(text: &str) -> Result<Duration, QuantityFault> {
    let mut rest = text.trim();
    let mut total_ms: u64 = 0;
    if rest.is_empty() {
        return Err(QuantityFault::Empty);
    }
    while !rest.is_empty() {
        let (number, unit, after) = split(rest)?;
        let factor = factor(&TIME_UNITS, unit)?;
        let part = number.checked_mul(factor).ok_or(QuantityFault::TooLarge)?;
        total_ms = total_ms.checked_add(part).ok_or(QuantityFault::TooLarge)?;
        rest = after;
    }
    Ok(Duration::from_millis(total_ms))
}

/// `512KiB`, `3MiB`, `20GiB`, `1MB`, with or without a space before the unit.
pub fn size(text: &str) -> Result<u64, QuantityFault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(QuantityFault::Empty);
    }
    let (number, unit, rest) = split(text)?;
    if !rest.is_empty() {
        return Err(QuantityFault::Malformed);
    }
    number.checked_mul(factor(&SIZE_UNITS, unit)?).ok_or(QuantityFault::TooLarge)
}

/// A duration as a person writes it: `1m30s`.
pub fn duration_text(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, factor) in TIME_UNITS.iter().rev() {
        if let Some(count) = left.checked_div(*factor).filter(|count| *count > 0) {
            text.push_str(&format!("{count}{unit}"));
            left -= count * factor;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A size as a person writes it: the largest binary unit that divides it, else bytes.
pub fn size_text(bytes: u64) -> String {
    let binary = [("TiB", 1_u64 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    for (unit, factor) in binary {
        if bytes >= factor && bytes.is_multiple_of(factor) {
            return format!("{}{unit}", bytes / factor);
        }
    }
    format!("{bytes}B")
}

/// A size rounded down to a tenth of the largest binary unit below it, for reading only.
pub fn size_about(bytes: u64) -> String {
    let binary = [("TiB", 1_u64 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    for (unit, factor) in binary {
        if bytes >= factor {
            let tenths = bytes / (factor / 10);
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} B")
}

/// So many of a thing: `1 source`, `2 sources`.
pub fn counted<N: Display + From<u8> + PartialEq>(n: N, what: &str) -> String {
    let end = if n == N::from(1) { "" } else { "s" };
    format!("{n} {what}{end}")
}

/// The number, the letters after it, and the rest.
fn split(text: &str) -> Result<(u64, &str, &str), QuantityFault> {
    let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, after) = text.split_at(digits_end);
    if digits.is_empty() {
        return Err(QuantityFault::Malformed);
    }
    let number = digits.parse::<u64>().map_err(|_| QuantityFault::TooLarge)?;
    let after = after.trim_start();
    let unit_end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
    let (unit, rest) = after.split_at(unit_end);
    match (unit, rest) {
        ("", "") => Err(QuantityFault::NoUnit),
        // Such as `1.5h` or `-1s`.
        ("", _) => Err(QuantityFault::Malformed),
        _ => Ok((number, unit, rest)),
    }
}

fn factor(units: &[(&str, u64)], unit: &str) -> Result<u64, QuantityFault> {
    units
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|(_, factor)| *factor)
        .ok_or_else(|| QuantityFault::UnknownUnit(unit.to_owned()))
}

#[cfg(test)]
mod tests;
