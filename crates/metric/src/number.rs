//! JSON numbers, in and out.
//!
//! Owns the exact fast path of reading (Clinger: mantissa and power of ten both exact in an `f64`)
//! and the text that Java's `Double.toString` gives, which is how CloudWatch writes. Reading takes
//! JSON's grammar and nothing else. Deliberately not here: numbers of JSON that is not in
//! CloudWatch's own layout; `serde_json` reads those.

/// Digits a `u64` always holds.
const MANTISSA_DIGITS_MAX: usize = 19;
/// Integers up to 2^53 are exact in an `f64`.
const EXACT_MANTISSA_MAX: u64 = 1 << 53;
/// Powers of ten up to 10^22 are exact in an `f64`.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Powers of ten that one block of digits can be worth.
const BLOCK_POWERS: [u64; 9] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Adds the digits at the start of `text` to `mantissa`, wrapping when there are too many; returns
/// what follows them.
#[inline]
fn digits<'a>(mut text: &'a [u8], mantissa: &mut u64) -> &'a [u8] {
    // Eight bytes at a time, without a branch on how many are digits: nobody can foresee it.
    while let Some(block) = text.first_chunk::<8>() {
        let (count, value) = leading_digits(u64::from_le_bytes(*block));
        let power = BLOCK_POWERS.get(count).copied().unwrap_or(1);
        *mantissa = mantissa.wrapping_mul(power).wrapping_add(value);
        text = text.get(count..).unwrap_or(&[]);
        if count < 8 {
            return text;
        }
    }
    while let Some((&byte, rest)) = text.split_first() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        text = rest;
    }
    text
}

/// How many of eight bytes, lowest first, are digits before the first that is none, and their value.
#[inline]
fn leading_digits(block: u64) -> (usize, u64) {
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let values = block ^ 0x3030_3030_3030_3030;
    // The high bit of each byte that is above 9; no carry leaves its byte.
    let others = ((values & !HIGHS).wrapping_add(0x7676_7676_7676_7676) | values) & HIGHS;
    let count = others.trailing_zeros() / 8;
    // Zeros come in before the digits; eight of them when there is no digit at all.
    let padded = values.checked_shl(64 - 8 * count).unwrap_or(0);
    (count as usize, eight_digits(padded))
}

/// The value of eight digits, each a number from 0 to 9, first digit in the lowest byte.
#[inline]
fn eight_digits(digits: u64) -> u64 {
    // Neighbours are joined three times: digits to pairs, pairs to fours, fours to eight.
    let pairs = digits.wrapping_mul((10 << 8) + 1) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul((100 << 16) + 1) >> 16;
    (fours & 0x0000_ffff_0000_ffff).wrapping_mul((10_000 << 32) + 1) >> 32
}

/// Reads the JSON number at the start of `text`, correctly rounded, and returns what follows it.
/// `None` when there is none or when it does not fit an `f64`.
#[inline]
pub(crate) fn read(text: &[u8]) -> Option<(f64, &[u8])> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let negative = unsigned.len() != text.len();
    let mut mantissa = 0_u64;
    let mut rest = digits(unsigned, &mut mantissa);
    let mut count = unsigned.len() - rest.len();
    let leading_zero = unsigned.first() == Some(&b'0') && count > 1;
    if count == 0 || leading_zero {
        return None;
    }
    let mut exponent = 0_i64;
    if let [b'.', b'0', after @ ..] = rest
        && after.first().is_some_and(|byte| !matches!(byte, b'0'..=b'9' | b'e' | b'E'))
        && count < MANTISSA_DIGITS_MAX
    {
        // Java gives every whole number this fraction.
        rest = after;
    } else if let Some(fraction) = rest.strip_prefix(b".") {
        rest = digits(fraction, &mut mantissa);
        let places = fraction.len() - rest.len();
        if places == 0 {
            return None;
        }
        count += places;
        exponent = -i64::try_from(places).ok()?;
    }
    if let Some((b'e' | b'E', tail)) = rest.split_first() {
        let (power, after) = read_exponent(tail)?;
        exponent += power;
        rest = after;
    }
    let exact = count <= MANTISSA_DIGITS_MAX && mantissa <= EXACT_MANTISSA_MAX;
    let power = EXACT_POWERS.get(usize::try_from(exponent.unsigned_abs()).ok()?);
    if let (true, Some(power)) = (exact, power) {
        #[expect(clippy::cast_precision_loss, reason = "at most 2^53, so exact")]
        let whole = mantissa as f64;
        let value = if exponent < 0 { whole / power } else { whole * power };
        return Some((if negative { -value } else { value }, rest));
    }
    read_long(text.get(..text.len() - rest.len())?).map(|value| (value, rest))
}

/// The digits after `e`, with their sign.
#[inline]
fn read_exponent(text: &[u8]) -> Option<(i64, &[u8])> {
    let (negative, digits_at) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let mut power = 0_u64;
    let rest = digits(digits_at, &mut power);
    let count = digits_at.len() - rest.len();
    if count == 0 || count > MANTISSA_DIGITS_MAX {
        return None;
    }
    let power = i64::try_from(power.min(1_000_000)).ok()?;
    Some((if negative { -power } else { power }, rest))
}

/// A number outside the exact range, by the general algorithm.
#[cold]
fn read_long(text: &[u8]) -> Option<f64> {
    fast_float2::parse::<f64, _>(text).ok().filter(|value| value.is_finite())
}

/// Reads an integer without sign at the start of `text`, and returns what follows it.
#[inline]
pub(crate) fn read_integer(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    let rest = digits(text, &mut value);
    let count = text.len() - rest.len();
    let leading_zero = text.first() == Some(&b'0') && count > 1;
    (count > 0 && count < MANTISSA_DIGITS_MAX && !leading_zero).then_some((value, rest))
}

/// The shortest decimal that reads back as the same finite number: `d.ddd` times a power of ten.
pub(crate) struct Decimal {
    text: [u8; Decimal::LENGTH_MAX],
    length: usize,
    exponent: i32,
}

impl Decimal {
    /// An `f64` needs at most 17 significant digits; the buffer also takes the zeros of `0.001`.
    const LENGTH_MAX: usize = 32;

    /// The digits of `value` without its sign.
    pub(crate) fn new(value: f64) -> Self {
        let mut buffer = zmij::Buffer::new();
        let printed = buffer.format_finite(value.abs()).as_bytes();
        let (mut text, mut length, mut exponent) = ([0_u8; Self::LENGTH_MAX], 0_usize, -1_i32);
        let (mut after_point, mut power) = (false, None);
        for (at, &byte) in printed.iter().enumerate() {
            match byte {
                b'.' => after_point = true,
                b'e' | b'E' => {
                    power = printed.get(at + 1..);
                    break;
                }
                // Zeros before the first digit only move the point.
                b'0' if length == 0 => exponent -= i32::from(after_point),
                digit => {
                    exponent += i32::from(!after_point);
                    if let Some(space) = text.get_mut(length) {
                        *space = digit;
                        length += 1;
                    }
                }
            }
        }
        exponent += power.and_then(signed_power).unwrap_or(0);
        while length > 0 && text.get(length - 1) == Some(&b'0') {
            length -= 1;
        }
        if length == 0 {
            (length, exponent) = (1, 0);
            text = [b'0'; Self::LENGTH_MAX];
        }
        Self { text, length, exponent }
    }

    /// Significant digits, without zeros at either end; `0` for zero.
    pub(crate) fn digits(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or(b"0")
    }

    /// Power of ten of the first digit: 0 for 1.5, -1 for 0.15.
    pub(crate) fn exponent(&self) -> i32 {
        self.exponent
    }
}

/// The signed power at the end of zmij's text.
fn signed_power(text: &[u8]) -> Option<i32> {
    let (power, _) = read_exponent(text)?;
    i32::try_from(power).ok()
}

/// Appends `value` as Java's `Double.toString` does: plain from 0.001 up to 10 million, otherwise
/// `d.dddE-9`; always with a fraction. A value that is not finite has no JSON form and becomes 0.
pub(crate) fn write_java(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend_from_slice(b"0.0");
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let decimal = Decimal::new(value);
    let (digits, exponent) = (decimal.digits(), decimal.exponent());
    let plain = (-3..7).contains(&exponent) || value == 0.0;
    if !plain {
        write_pointed(digits, 1, out);
        out.push(b'E');
        out.extend_from_slice(itoa::Buffer::new().format(exponent).as_bytes());
        return;
    }
    match usize::try_from(exponent) {
        Ok(places) => write_pointed(digits, places + 1, out),
        Err(_) => {
            out.extend_from_slice(b"0.");
            let zeros = usize::try_from(-1 - exponent).unwrap_or(0);
            out.extend(std::iter::repeat_n(b'0', zeros));
            out.extend_from_slice(digits);
        }
    }
}

/// `digits` with the point after `places` of them, zeros where digits are missing.
fn write_pointed(digits: &[u8], places: usize, out: &mut Vec<u8>) {
    out.extend(digits.iter().copied().chain(std::iter::repeat(b'0')).take(places));
    out.push(b'.');
    match digits.get(places..) {
        Some(fraction) if !fraction.is_empty() => out.extend_from_slice(fraction),
        _ => out.push(b'0'),
    }
}

#[cfg(test)]
mod tests;
