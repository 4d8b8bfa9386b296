//! `Retry-After` (RFC 9110, 10.2.3): seconds, or a date in the preferred form.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// From `now`; a date in the past is zero, anything else that is not understood is `None`.
pub(crate) fn parse(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = http_date(text)?;
    Some(Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// A date as HTTP writes it (RFC 9110, 5.6.7, the preferred form).
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    let date = jiff::civil::DateTime::strptime("%a, %d %b %Y %H:%M:%S GMT", text.trim()).ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        let now = "2026-11-20T10:00:00Z".parse().unwrap();
        assert_eq!(parse(&headers, now), expect.map(Duration::from_secs), "{text}");
    }

    /// *Scenario:* the forms of the header, and what is none.
    /// *Guarantees:* a duration from now, or nothing.
    #[test]
    fn seconds_and_dates() {
        check("120", Some(120));
        check(" 0 ", Some(0));
        check("Fri, 20 Nov 2026 10:01:30 GMT", Some(90));
        check("Fri, 20 Nov 2026 09:00:00 GMT", Some(0));
        check("soon", None);
        check("-5", None);
        check("99999999999999999999999", None);
        check("Fri, 32 Nov 2026 09:00:00 GMT", None);
    }
}
