//! When a certificate ends, read from its DER: just far enough for a warning (RFC 5280, 4.1).
//!
//! Nothing is decided by it. A certificate this cannot read gives `None`.

const SEQUENCE: u8 = 0x30;
const EXPLICIT_VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The tag and content of the first element of `der`, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let fold = |n: usize, &digit: &u8| n.checked_mul(256)?.checked_add(usize::from(digit));
        (digits.iter().try_fold(0_usize, fold)?, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn content_of(der: &[u8], tag: u8) -> Option<&[u8]> {
    element(der).filter(|(found, _, _)| *found == tag).map(|(_, content, _)| content)
}

/// `notAfter` in seconds since the epoch.
pub(crate) fn not_after(certificate: &[u8]) -> Option<i64> {
    let body = content_of(content_of(certificate, SEQUENCE)?, SEQUENCE)?;
    let (tag, _, after_version) = element(body)?;
    let at_serial = if tag == EXPLICIT_VERSION { after_version } else { body };
    let (_, _, at_algorithm) = element(at_serial)?;
    let (_, _, at_issuer) = element(at_algorithm)?;
    let (_, _, at_validity) = element(at_issuer)?;
    let (_, _, at_end) = element(content_of(at_validity, SEQUENCE)?)?;
    let (tag, text, _) = element(at_end)?;
    seconds(tag, text)
}

fn number(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn seconds(tag: u8, text: &[u8]) -> Option<i64> {
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year = number(year)?;
            (year + if year < 50 { 2000 } else { 1900 }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (number(year)?, rest)
        }
        _ => return None,
    };
    let field = |n: usize| rest.get(n * 2..n * 2 + 2).and_then(number);
    let (month, day) = (field(0)?, field(1)?);
    let of_day = field(2)? * 3600 + field(3)? * 60 + field(4)?;
    Some(days_from_epoch(year, month, day) * 86_400 + of_day)
}

/// Days from 1970-01-01 in the Gregorian calendar, counted in years that begin in March, so that
/// the leap day is the last one.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* times as certificates write them.
    /// *Guarantees:* the second they mean; nonsense is `None`.
    #[test]
    fn times_are_read() {
        assert_eq!(seconds(UTC_TIME, b"700101000000Z"), Some(0));
        assert_eq!(seconds(UTC_TIME, b"240229235959Z"), Some(1_709_251_199));
        assert_eq!(seconds(GENERALIZED_TIME, b"20501231000000Z"), Some(2_556_057_600));
        assert_eq!(seconds(UTC_TIME, b"24"), None);
        assert_eq!(seconds(4, b"240229235959Z"), None);
    }

    /// *Scenario:* every prefix of a made-up certificate, and bytes that claim absurd lengths.
    /// *Guarantees:* no panic.
    #[test]
    fn cut_certificates_are_none() {
        let der = [0x30, 0x82, 0xff, 0xff, 0x30, 0x03, 0xa0, 0x01, 0x00];
        for end in 0..der.len() {
            assert_eq!(not_after(&der[..end]), None);
        }
        assert_eq!(not_after(&[0x30, 0x88, 255, 255, 255, 255, 255, 255, 255, 255]), None);
    }
}
