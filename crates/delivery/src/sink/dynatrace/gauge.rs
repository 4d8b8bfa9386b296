//! A statistic set as the payload of a gauge: what the server would call inconsistent is repaired
//! where rounding explains it, and refused where it does not (docs/dynatrace.md, "Numbers").

use metric::Point;

/// The server compares minimum, mean and maximum within an absolute 0.000001; half of it is safely
/// inside whatever way it computes the mean.
const SERVER_TOLERANCE: f64 = 0.000_000_5;

/// A gap that rounding explains, relative to the larger of the two numbers. CloudWatch adds
/// doubles, so a mean is off by parts in 10^15 and never by parts in a million.
const ROUNDING: f64 = 1e-6;

/// The four numbers of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gauge {
    /// Minimum, at most the mean.
    pub(crate) min: f64,
    /// Maximum, at least the mean.
    pub(crate) max: f64,
    /// Sum.
    pub(crate) sum: f64,
    /// Count, as it came (it may be fractional).
    pub(crate) count: f64,
    /// Minimum or maximum was moved to the mean, within rounding.
    pub(crate) repaired: bool,
    /// Minimum or maximum did not come, and is the mean.
    pub(crate) supplied: bool,
}

/// Why a point makes no gauge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoGauge {
    /// The numbers contradict each other.
    Inconsistent,
    /// There is no sum, and no way to tell it.
    Incomplete,
}

impl Gauge {
    /// The gauge of a point.
    pub(crate) fn of(point: &Point<'_>) -> Result<Gauge, NoGauge> {
        let count = point.count;
        if count == 0.0 {
            let numbers = [point.min, point.max, point.sum];
            let all_zero = numbers.into_iter().flatten().all(|number| number == 0.0);
            let zero =
                Gauge { min: 0.0, max: 0.0, sum: 0.0, count, repaired: false, supplied: false };
            return if all_zero { Ok(zero) } else { Err(NoGauge::Inconsistent) };
        }
        let sum = match (point.sum, point.min, point.max) {
            (Some(sum), _, _) => sum,
            (None, Some(min), Some(max)) if min == max => min * count,
            _ => return Err(NoGauge::Incomplete),
        };
        let mean = sum / count;
        if count.is_nan() || count < 0.0 || !mean.is_finite() {
            return Err(NoGauge::Inconsistent);
        }
        let min = point.min.unwrap_or(mean);
        let max = point.max.unwrap_or(mean);
        let low = settle(min, mean, min - mean).ok_or(NoGauge::Inconsistent)?;
        let high = settle(max, mean, mean - max).ok_or(NoGauge::Inconsistent)?;
        if low > high {
            return Err(NoGauge::Inconsistent);
        }
        let supplied = point.min.is_none() || point.max.is_none();
        let repaired = low != min || high != max;
        Ok(Gauge { min: low, max: high, sum, count, repaired, supplied })
    }
}

/// The bound as it is, or moved to the mean; `gap` is how far it lies on the wrong side.
fn settle(bound: f64, mean: f64, gap: f64) -> Option<f64> {
    if gap <= 0.0 {
        return Some(bound);
    }
    if gap <= ROUNDING * bound.abs().max(mean.abs()) {
        return Some(mean);
    }
    (gap <= SERVER_TOLERANCE).then_some(bound)
}

#[cfg(test)]
mod tests;
