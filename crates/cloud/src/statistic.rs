//! Additional statistics: parsed from their names, and computed exactly from raw values.
//!
//! Owns the names CloudWatch has for them and what each means for values with weights. Always
//! holds: a parsed statistic is written in CloudWatch's canonical form; a statistic that a metric
//! cannot have is absent, never guessed. Where CloudWatch does not document how it interpolates,
//! the rule here is the plain one: percentiles are nearest rank, trimming by share cuts weights
//! exactly. Pure; no I/O, no clock.

use std::fmt;

/// Most decimals of a percentile.
const DECIMALS_MAX: usize = 10;

/// A bound of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// A share of all values, 0 to 100.
    Share(f64),
    /// A value.
    Value(f64),
}

/// Lower (exclusive) and upper (inclusive); `None` is open.
pub type Range = (Option<Bound>, Option<Bound>);

/// A statistic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// `p99`.
    Percentile(f64),
    /// `TM`: mean of what is within.
    TrimmedMean(Range),
    /// `WM`: mean, with what is outside moved to the bound.
    WinsorizedMean(Range),
    /// `TC`: count of what is within.
    TrimmedCount(Range),
    /// `TS`: sum of what is within.
    TrimmedSum(Range),
    /// `PR`: share of what is within, in percent.
    PercentileRank(Range),
}

impl Statistic {
    /// The statistic of this name; letters in any case. `None` for what is none.
    pub fn parse(name: &str) -> Option<Statistic> {
        let upper = name.to_ascii_uppercase();
        if upper == "IQM" {
            return Some(Statistic::TrimmedMean(shares(25.0, 75.0)));
        }
        if let Some(number) = upper.strip_prefix('P').and_then(percent) {
            return Some(Statistic::Percentile(number));
        }
        let (kind, rest) = upper.split_at_checked(2)?;
        let range = match rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(inside) => range(inside)?,
            // `tm99` is all below the 99th percentile; ranks have no such form.
            None if kind != "PR" => (None, Some(Bound::Share(percent(rest)?))),
            None => return None,
        };
        let by_share = |bound: Option<Bound>| matches!(bound, Some(Bound::Share(_)));
        match kind {
            "TM" => Some(Statistic::TrimmedMean(range)),
            "WM" => Some(Statistic::WinsorizedMean(range)),
            "TC" => Some(Statistic::TrimmedCount(range)),
            "TS" => Some(Statistic::TrimmedSum(range)),
            "PR" if !by_share(range.0) && !by_share(range.1) => {
                Some(Statistic::PercentileRank(range))
            }
            _ => None,
        }
    }

    /// Whether the OpenTelemetry formats can carry it.
    pub fn is_percentile(&self) -> bool {
        matches!(self, Statistic::Percentile(_))
    }
}

fn shares(low: f64, high: f64) -> Range {
    (Some(Bound::Share(low)), Some(Bound::Share(high)))
}

/// 0 to 100 with up to ten decimals.
fn percent(text: &str) -> Option<f64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let sound = digits(whole) && digits(decimals) && decimals.len() <= DECIMALS_MAX;
    text.parse::<f64>().ok().filter(|number| sound && *number <= 100.0)
}

/// `25%:75%`, `:300`, `0.005:0.030`.
fn range(text: &str) -> Option<Range> {
    let (low, high) = text.split_once(':')?;
    let bound = |text: &str| -> Option<Option<Bound>> {
        if text.is_empty() {
            return Some(None);
        }
        match text.strip_suffix('%') {
            Some(share) => percent(share).map(|share| Some(Bound::Share(share))),
            None => {
                let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
                value.map(|value| Some(Bound::Value(value)))
            }
        }
    };
    let range = (bound(low)?, bound(high)?);
    let ordered = match range {
        (None, None) => false,
        (Some(Bound::Share(a)), Some(Bound::Share(b)))
        | (Some(Bound::Value(a)), Some(Bound::Value(b))) => a < b,
        _ => true,
    };
    ordered.then_some(range)
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, range) = match self {
            Statistic::Percentile(share) => return write!(f, "p{share}"),
            Statistic::TrimmedMean(range) if *range == shares(25.0, 75.0) => {
                return f.write_str("IQM");
            }
            Statistic::TrimmedMean(range) => ("TM", range),
            Statistic::WinsorizedMean(range) => ("WM", range),
            Statistic::TrimmedCount(range) => ("TC", range),
            Statistic::TrimmedSum(range) => ("TS", range),
            Statistic::PercentileRank(range) => ("PR", range),
        };
        write!(f, "{kind}(")?;
        bound(range.0, f)?;
        f.write_str(":")?;
        bound(range.1, f)?;
        f.write_str(")")
    }
}

fn bound(bound: Option<Bound>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match bound {
        None => Ok(()),
        Some(Bound::Share(share)) => write!(f, "{share}%"),
        Some(Bound::Value(value)) => write!(f, "{value}"),
    }
}

/// Values with weights, in order; what statistics are computed from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// By value, each value once, weights above zero.
    values: Vec<(f64, f64)>,
    total: f64,
}

impl Distribution {
    /// Of values with weights in any order. `None` when there is a value below zero or no weight at
    /// all: CloudWatch has no such statistics then.
    pub fn new(mut values: Vec<(f64, f64)>) -> Option<Distribution> {
        values.retain(|(_, weight)| *weight > 0.0);
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        values.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        let negative = values.first().is_some_and(|(value, _)| *value < 0.0);
        let total: f64 = values.iter().map(|(_, weight)| weight).sum();
        (total > 0.0 && !negative).then_some(Distribution { values, total })
    }

    /// The statistic; `None` when nothing is within its range.
    pub fn compute(&self, statistic: &Statistic) -> Option<f64> {
        match statistic {
            Statistic::Percentile(share) => Some(self.percentile(*share)),
            Statistic::TrimmedMean(range) => {
                let (count, sum) = self.within(range);
                (count > 0.0).then(|| sum / count)
            }
            Statistic::WinsorizedMean(range) => Some(self.winsorized(range)),
            Statistic::TrimmedCount(range) => Some(self.within(range).0),
            Statistic::TrimmedSum(range) => Some(self.within(range).1),
            Statistic::PercentileRank(range) => Some(self.within(range).0 / self.total * 100.0),
        }
    }

    /// Nearest rank: the least value at or below which this share of the weight lies.
    fn percentile(&self, share: f64) -> f64 {
        let wanted = self.total * share / 100.0;
        let mut below = 0.0;
        for (value, weight) in &self.values {
            below += weight;
            if below >= wanted {
                return *value;
            }
        }
        self.values.last().map_or(0.0, |(value, _)| *value)
    }

    /// Weight and sum within a range. A share cuts the weight of the value it falls on.
    fn within(&self, (low, high): &Range) -> (f64, f64) {
        let share = |bound: &Option<Bound>, open: f64| match bound {
            Some(Bound::Share(share)) => self.total * share / 100.0,
            _ => open,
        };
        let (from, to) = (share(low, 0.0), share(high, self.total));
        let (mut below, mut count, mut sum) = (0.0, 0.0, 0.0);
        for (value, weight) in &self.values {
            let kept = ((below + weight).min(to) - f64::max(below, from)).max(0.0);
            below += weight;
            let above = !matches!(low, Some(Bound::Value(least)) if value <= least);
            let under = !matches!(high, Some(Bound::Value(most)) if value > most);
            if above && under {
                count += kept;
                sum += kept * value;
            }
        }
        (count, sum)
    }

    /// The mean when what is outside counts as the bound.
    fn winsorized(&self, (low, high): &Range) -> f64 {
        let at = |bound: &Option<Bound>| match bound {
            None => None,
            Some(Bound::Share(share)) => Some(self.percentile(*share)),
            Some(Bound::Value(value)) => Some(*value),
        };
        let (low, high) = (at(low), at(high));
        let clipped = |value: f64| {
            let raised = low.map_or(value, |low| value.max(low));
            high.map_or(raised, |high| raised.min(high))
        };
        let sum: f64 = self.values.iter().map(|(value, weight)| clipped(*value) * weight).sum();
        sum / self.total
    }
}

/// The raw values that a statistic set stands for, when it says: one sample, or all the same.
pub fn raw_of([count, sum, minimum, maximum]: [f64; 4]) -> Option<(f64, f64)> {
    let one = count == 1.0 && minimum == maximum && maximum == sum;
    let same = minimum == maximum && sum == minimum * count;
    (one || same).then_some((minimum, count))
}

#[cfg(test)]
mod tests;
