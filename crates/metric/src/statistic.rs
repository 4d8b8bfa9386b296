//! Names of additional statistics, and their quantiles.
//!
//! Owns the way from a quantile to a percentile name and back. It goes over decimal text alone:
//! float arithmetic would make `p100` of 0.9999 and 55.00000000000001 of 0.55. Deliberately not
//! here: the grammar of `TM(..)` and its kin, which no destination needs taken apart.

/// The name of a statistic, as text (JSON) or as the quantile of a summary (OTel).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic<'a> {
    /// As configured on the metric stream, for instance `p99.9` or `TM(25%:75%)`.
    Named(&'a [u8]),
    /// Quantile of an OTel summary, strictly between 0 and 1: 0.999 is `p99.9`.
    Quantile(f64),
}

/// Longest percentile name that is read: `p`, three digits, a point and what an `f64` tells apart.
const PERCENTILE_NAME_MAX: usize = 32;

impl Statistic<'_> {
    /// Appends the name as CloudWatch writes it, for instance `p99.9`.
    pub fn write_name(&self, out: &mut Vec<u8>) {
        match *self {
            Statistic::Named(name) => out.extend_from_slice(name),
            Statistic::Quantile(quantile) => write_percentile(quantile, out),
        }
    }

    /// The quantile of a percentile: `p99.9` is 0.999 exactly. `None` for every other statistic.
    pub fn quantile(&self) -> Option<f64> {
        match *self {
            Statistic::Named(name) => parse_percentile(name),
            Statistic::Quantile(quantile) => Some(quantile),
        }
    }
}

/// `0.999` -> `p99.9`: the shortest decimal of the quantile with its point two places to the right.
fn write_percentile(quantile: f64, out: &mut Vec<u8>) {
    out.push(b'p');
    let decimal = crate::number::Decimal::new(quantile);
    let digits = decimal.digits();
    // `digits` is the fraction d.ddd * 10^exponent; a percentile has two more places before the point.
    let whole = decimal.exponent() + 3;
    if whole <= 0 {
        out.extend_from_slice(b"0");
    } else {
        let places = usize::try_from(whole).unwrap_or(0);
        out.extend(digits.iter().copied().chain(std::iter::repeat(b'0')).take(places));
    }
    let fraction = digits.get(usize::try_from(whole).unwrap_or(0)..).unwrap_or(&[]);
    if !fraction.is_empty() && fraction != b"0" {
        out.push(b'.');
        out.extend(std::iter::repeat_n(b'0', usize::try_from(-whole).unwrap_or(0)));
        out.extend_from_slice(fraction);
    }
}

/// `p99.9` -> 0.999 by moving the point in the text, then one correctly rounded read.
fn parse_percentile(name: &[u8]) -> Option<f64> {
    let (b'p' | b'P', number) = name.split_first()? else { return None };
    if number.len() > PERCENTILE_NAME_MAX {
        return None;
    }
    let point = number.iter().position(|&b| b == b'.');
    let (whole, fraction) = match point {
        Some(at) => (number.get(..at)?, number.get(at + 1..)?),
        None => (number, &[][..]),
    };
    let digits_only = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let fraction_missing = point.is_some() && fraction.is_empty();
    if whole.is_empty() || fraction_missing || !digits_only(whole) || !digits_only(fraction) {
        return None;
    }
    let mut text = [0_u8; PERCENTILE_NAME_MAX + 4];
    let mut length = 0;
    let moved = whole.iter().chain(fraction).chain(b"e-").copied();
    for (space, byte) in text.iter_mut().zip(moved) {
        *space = byte;
        length += 1;
    }
    let mut exponent = itoa::Buffer::new();
    for (space, byte) in
        text.iter_mut().skip(length).zip(exponent.format(fraction.len() + 2).bytes())
    {
        *space = byte;
        length += 1;
    }
    let quantile: f64 = fast_float2::parse(text.get(..length)?).ok()?;
    (quantile <= 1.0).then_some(quantile)
}

#[cfg(test)]
mod tests;
