//! Numbers as text: plain decimals that read back to the same double.
//!
//! MINT's grammar is sure about plain decimals only (older descriptions want a point inside the
//! exponent form), so no exponent is ever written, however large or small the number is.
//! Not here: NaN and infinities, which the decoder refuses.

const DIGITS: &[u8; 10] = b"0123456789";

/// Here `zmij` never writes an exponent (it begins to below 1e-5 and from 1e16), so that none needs
/// to be looked for.
const PLAIN: std::ops::Range<f64> = 1e-4..1e15;

/// Where a number becomes text. Costs nothing to make.
pub(crate) struct Decimal {
    whole: itoa::Buffer,
    fraction: zmij::Buffer,
    expanded: Vec<u8>,
}

impl Decimal {
    /// An empty one.
    #[inline]
    pub(crate) fn new() -> Decimal {
        Decimal { whole: itoa::Buffer::new(), fraction: zmij::Buffer::new(), expanded: Vec::new() }
    }

    /// `value` as a plain decimal, without an exponent. Negative zero is `0`.
    #[inline]
    pub(crate) fn text(&mut self, value: f64) -> &[u8] {
        #[expect(clippy::cast_possible_truncation, reason = "compared with the value right below")]
        let whole = value as i64;
        #[expect(clippy::cast_precision_loss, reason = "a lossy cast fails the comparison")]
        let exact = whole as f64 == value && whole != i64::MAX;
        if exact {
            // Most counts are one digit.
            let digit = usize::try_from(whole).ok().and_then(|index| DIGITS.get(index..=index));
            return digit.unwrap_or_else(|| self.whole.format(whole).as_bytes());
        }
        let text = self.fraction.format_finite(value);
        if PLAIN.contains(&value.abs()) {
            return text.as_bytes();
        }
        match text.split_once('e') {
            None => text.as_bytes(),
            Some((mantissa, exponent)) => {
                push_expanded(&mut self.expanded, mantissa, exponent);
                &self.expanded
            }
        }
    }
}

/// Appends `value` as a plain decimal.
pub(crate) fn push_decimal(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(Decimal::new().text(value));
}

/// Appends an unsigned number.
pub(crate) fn push_unsigned(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes `mantissa` times ten to the `exponent` by moving the decimal point.
#[cold]
fn push_expanded(out: &mut Vec<u8>, mantissa: &str, exponent: &str) {
    out.clear();
    let mantissa = match mantissa.strip_prefix('-') {
        Some(rest) => {
            out.push(b'-');
            rest
        }
        None => mantissa,
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let after = after.trim_end_matches('0');
    let digits = before.bytes().chain(after.bytes());
    let count = before.len() + after.len();
    let point = i32::try_from(before.len()).unwrap_or(1) + exponent;
    if point <= 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', point.unsigned_abs() as usize));
        out.extend(digits);
        return;
    }
    let point = point.unsigned_abs() as usize;
    for (index, digit) in digits.enumerate() {
        if index == point {
            out.push(b'.');
        }
        out.push(digit);
    }
    out.extend(std::iter::repeat_n(b'0', point.saturating_sub(count)));
}

#[cfg(test)]
mod tests;
