//! The time range of a query: read, rounded and cut into periods as CloudWatch does.

use aws::api::{Fault, Value};

use super::refusal::{missing, value};

/// Milliseconds of a minute, and of the coarser grids that old times are rounded to.
pub(super) const MINUTE_MS: i64 = 60_000;
const FIVE_MINUTES_MS: i64 = 300_000;
const HOUR_MS: i64 = 3_600_000;
/// Ages from which those grids are used.
const FIFTEEN_DAYS_MS: i64 = 15 * 24 * HOUR_MS;
const SIXTY_THREE_DAYS_MS: i64 = 63 * 24 * HOUR_MS;
/// The year 9999: seconds that every protocol and language can show.
const SECONDS_MAX: f64 = 253_402_300_799.0;
/// A day, and then some: a period beyond it holds all that is kept.
const PERIOD_MAX: i64 = 86_400 * 365;

/// A half-open range of milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// Where the first period begins.
    pub(super) from_ms: i64,
    /// What is here or later is out.
    pub(super) to_ms: i64,
}

/// `StartTime` and `EndTime`. `wrong` makes the refusal that the operation has for a bad range.
pub(super) fn range(
    input: &Value<'_>,
    now_ms: i64,
    wrong: fn(String) -> Fault,
) -> Result<Range, Fault> {
    let start_ms = instant(input, "StartTime", wrong)?;
    let end_ms = instant(input, "EndTime", wrong)?;
    if start_ms == end_ms {
        return Err(wrong("The parameter StartTime must not equal parameter EndTime.".to_owned()));
    }
    if start_ms > end_ms {
        let text = "The parameter StartTime must be less than the parameter EndTime.";
        return Err(wrong(text.to_owned()));
    }
    let grid_ms = match now_ms - start_ms {
        age if age > SIXTY_THREE_DAYS_MS => HOUR_MS,
        age if age > FIFTEEN_DAYS_MS => FIVE_MINUTES_MS,
        _ => MINUTE_MS,
    };
    Ok(Range { from_ms: start_ms - start_ms.rem_euclid(grid_ms), to_ms: end_ms })
}

fn instant(input: &Value<'_>, name: &str, wrong: fn(String) -> Fault) -> Result<i64, Fault> {
    let seconds = input.time_of(name)?.ok_or_else(|| missing(name))?;
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        return Err(wrong(format!("The value {seconds} for parameter {name} is invalid.")));
    }
    Ok((seconds * 1e3).round() as i64)
}

/// A period in milliseconds: a multiple of a minute, or one of those of high resolution.
pub(super) fn period(seconds: i64, place: &str) -> Result<i64, String> {
    if seconds < 1 {
        return Err(format!("The parameter {place} must be greater than 0."));
    }
    if !matches!(seconds, 1 | 5 | 10 | 20 | 30) && seconds % 60 != 0 {
        return Err(format!(
            "The parameter {place} must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60."
        ));
    }
    if seconds > PERIOD_MAX {
        return Err(format!("The parameter {place} must be at most {PERIOD_MAX}."));
    }
    Ok(seconds * 1_000)
}

impl Range {
    /// How many periods it has.
    pub(super) fn periods(&self, period_ms: i64) -> i64 {
        (self.to_ms - self.from_ms).div_euclid(period_ms)
            + i64::from((self.to_ms - self.from_ms).rem_euclid(period_ms) != 0)
    }
}

/// The refusal of `GetMetricStatistics` for a bad range.
pub(super) fn invalid_value(text: String) -> Fault {
    value(text)
}
