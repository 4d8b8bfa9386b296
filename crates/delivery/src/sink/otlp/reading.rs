//! What every form of a data point is made of, taken from a point once.

use metric::Point;

use super::Losses;

/// Where no end came, a period is taken to last a minute, as nearly all of them do.
const PERIOD_NS: u64 = 60_000_000_000;

/// Prefix of the name of every metric, as in the OpenTelemetry formats of metric streams.
pub(crate) const NAME_PREFIX: &[u8] = b"amazonaws.com/";

/// The numbers of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    /// Start of the period.
    pub(crate) start_ns: u64,
    /// Its end.
    pub(crate) end_ns: u64,
    /// Count as it came.
    pub(crate) count: f64,
    /// Count as a whole number.
    pub(crate) whole_count: u64,
    /// Sum.
    pub(crate) sum: f64,
    /// Minimum.
    pub(crate) min: Option<f64>,
    /// Maximum.
    pub(crate) max: Option<f64>,
}

impl Reading {
    /// Of a point, or the reason for which there is none.
    pub(crate) fn of(point: &Point<'_>, losses: &mut Losses) -> Result<Reading, &'static str> {
        if point.count.is_nan() || point.count < 0.0 {
            return Err("inconsistent");
        }
        let sum = match (point.sum, point.min, point.max) {
            (Some(sum), _, _) => sum,
            (None, Some(min), Some(max)) if min == max => min * point.count,
            (None, ..) if point.count == 0.0 => 0.0,
            _ => return Err("incomplete"),
        };
        let end_ns = point.end_ns.unwrap_or_else(|| {
            losses.periods_assumed += 1;
            point.start_ns.saturating_add(PERIOD_NS)
        });
        Ok(Reading {
            start_ns: point.start_ns,
            end_ns,
            count: point.count,
            whole_count: metric::encode::whole_count(point.count),
            sum,
            min: point.min,
            max: point.max,
        })
    }

    /// Mean, unless nothing was counted.
    pub(crate) fn mean(&self) -> Option<f64> {
        let mean = self.sum / self.count;
        mean.is_finite().then_some(mean)
    }
}

/// The percentiles of a point with minimum and maximum around them, by rising quantile, each once.
pub(crate) fn quantiles(point: &Point<'_>, out: &mut Vec<(f64, f64)>, losses: &mut Losses) {
    out.clear();
    let (min, max) = metric::encode::extremes(point);
    out.extend(min.map(|min| (0.0, min)));
    for extra in point.extra {
        match extra.statistic.quantile() {
            Some(0.0 | 1.0) => {}
            Some(quantile) => out.push((quantile, extra.value)),
            None => losses.statistics_left_out += 1,
        }
    }
    out.extend(max.map(|max| (1.0, max)));
    out.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all = out.len();
    out.dedup_by(|later, first| later.0 == first.0);
    losses.statistics_left_out += (all - out.len()) as u64;
}
