//! Numbers of a MINT line.

/// Reads a number: decimal, or with an exponent and then with a decimal point, as the stricter
/// edition of the documentation wants it. No plus sign, no NaN, no infinity.
pub(super) fn read(text: &str) -> Result<f64, String> {
    let wrong = || format!("invalid number '{text}'");
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let fraction_is_good = match mantissa.split_once('.') {
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => is_digits(mantissa) && exponent.is_none(),
    };
    let exponent_is_good =
        exponent.is_none_or(|e| is_digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    if !fraction_is_good || !exponent_is_good {
        return Err(wrong());
    }
    let value: f64 = text.parse().map_err(|_| wrong())?;
    if value.is_finite() { Ok(value) } else { Err(wrong()) }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
