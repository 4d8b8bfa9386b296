//! Values on the command line, read as they are in the settings.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::settings::quantity;

/// `30s`, `1m30s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    quantity::duration(text)
        .map_err(|fault| format!("{fault}: expected a duration like 30s or 1m30s"))
}

/// The same, long enough not to be a load.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    let known = Duration::from_millis(100)..=Duration::from_secs(3600);
    if known.contains(&interval) { Ok(interval) } else { Err("expected 100ms to 1h".to_owned()) }
}

/// `512KiB`, `1MB`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    quantity::size(text).map_err(|fault| format!("{fault}: expected a size like 512KiB or 1MB"))
}

/// Text that is never shown.
#[expect(clippy::unnecessary_wraps, reason = "the form clap asks for")]
pub(super) fn secret(text: &str) -> Result<remote::Secret, String> {
    Ok(remote::Secret::new(text))
}

/// An instant: `2026-11-20T10:00:00Z`, the same without a zone or only a date (both UTC, as S3 and
/// Firehose have their times), or how long ago: `2h`, `2h ago`.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Ok(zoned.timestamp());
    }
    // A date alone is its midnight.
    if let Ok(time) = text.parse::<DateTime>() {
        return TimeZone::UTC.to_timestamp(time).map_err(|error| error.to_string());
    }
    let ago = text.trim_end_matches("ago").trim_end();
    let ago = quantity::duration(ago).map_err(|_| {
        "expected an instant like 2026-11-20T10:00:00Z, a date, or how long ago, like 2h".to_owned()
    })?;
    Timestamp::now().checked_sub(ago).map_err(|_| "is too long ago".to_owned())
}

/// A URL that a client can use.
pub(super) fn url(text: &str) -> Result<String, String> {
    remote::check_url(text).map(|()| text.to_owned())
}

/// `name=value`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* instants as people write them.
    /// *Guarantees:* each is read; what is none is refused with an example.
    #[test]
    fn instants() {
        let at = |text: &str| instant(text).map(|t| t.to_string());
        assert_eq!(at("2026-11-20T10:00:00Z").unwrap(), "2026-11-20T10:00:00Z");
        assert_eq!(at("2026-11-20T12:00:00+02:00").unwrap(), "2026-11-20T10:00:00Z");
        assert_eq!(at("2026-11-20").unwrap(), "2026-11-20T00:00:00Z");
        for text in ["2026-11-20T10:05:07", "2026-11-20 10:05:07", "2026-11-20 10:05:07Z"] {
            assert_eq!(at(text).unwrap(), "2026-11-20T10:05:07Z", "{text}");
        }
        assert_eq!(at("2026-11-20T10:05").unwrap(), "2026-11-20T10:05:00Z");
        assert_eq!(at("2026-11-20T11:05:07[Europe/Berlin]").unwrap(), "2026-11-20T10:05:07Z");
        for text in ["2h", "2h ago", "120m ago"] {
            let meant = instant(text).unwrap().as_millisecond();
            let age = Timestamp::now().as_millisecond() - meant;
            // The two were read one after the other, each cut to the millisecond.
            assert!((7_199_999..7_260_000).contains(&age), "{text}: {age}");
        }
        for text in ["", "ago", "yesterday", "2", "2026-13-01"] {
            assert!(instant(text).unwrap_err().contains("2026-11-20T10:00:00Z"), "{text}");
        }
    }
}
