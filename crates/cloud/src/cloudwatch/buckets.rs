//! Sets of one minute joined into periods, and the statistics of a period.
//!
//! Owns what joining means: counts and sums add, minima and maxima stay, raw values are put
//! together. A period whose raw values are not all known has no extended statistic: absent, never
//! guessed. Always holds: memory is that of the open periods and an hour of sets, however long the
//! range.

use std::collections::BTreeMap;
use std::io;

use aws::api::{Fault, Value};
use metric::Unit;

use super::form::{Constraints, DIMENSION_VALUE_MAX, NAME_MAX, required_at};
use super::refusal::{too_many, value};
use super::times::{MINUTE_MS, Range};
use crate::fold::{Found, Windows};
use crate::statistic::{Distribution, Statistic, raw_of};

/// Dimensions of a metric.
const DIMENSIONS_MAX: usize = 30;
/// Sets that are read at once: an hour of them.
const PIECE_MS: i64 = 60 * MINUTE_MS;
/// Distinct raw values of one period: 16 MiB. Past them it has no extended statistics.
const RAW_MAX: usize = 1 << 20;

/// A metric that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) account: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dimensions: Vec<(String, String)>,
    /// CloudWatch's name of the unit; every unit without.
    pub(super) unit: Option<String>,
}

/// What was measured in a period.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bucket {
    count: f64,
    sum: f64,
    min: f64,
    max: f64,
    /// Values with weights; `None` when some are not known, or are not wanted.
    raw: Option<Vec<(f64, f64)>>,
}

/// A statistic that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Asked {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    Extended(Statistic),
}

/// The basic statistics, in CloudWatch's order.
pub(super) const BASIC: [&str; 5] = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];

impl Asked {
    /// The statistic of this name.
    pub(super) fn parse(name: &str) -> Option<Asked> {
        Some(match name {
            "SampleCount" => Asked::SampleCount,
            "Average" => Asked::Average,
            "Sum" => Asked::Sum,
            "Minimum" => Asked::Minimum,
            "Maximum" => Asked::Maximum,
            other => Asked::Extended(Statistic::parse(other)?),
        })
    }

    /// It needs raw values.
    pub(super) fn is_extended(&self) -> bool {
        matches!(self, Asked::Extended(_))
    }
}

impl Bucket {
    fn new(raw: bool) -> Bucket {
        Bucket {
            count: 0.0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            raw: raw.then(Vec::new),
        }
    }

    fn join(&mut self, found: Found) {
        self.count += found.count;
        self.sum += found.sum;
        self.min = self.min.min(found.min);
        self.max = self.max.max(found.max);
        let set = [found.count, found.sum, found.min, found.max];
        let more = found.raw.or_else(|| Some(vec![raw_of(set)?]));
        let known = self.raw.take().zip(more).map(|(mut raw, more)| {
            raw.extend(more);
            raw
        });
        self.raw = known.map(merged).filter(|raw| raw.len() <= RAW_MAX);
    }

    /// What extended statistics are computed from, when this period can have any.
    pub(super) fn distribution(&self) -> Option<Distribution> {
        Distribution::new(self.raw.clone()?)
    }

    /// A statistic; `None` when this period has none. `of` is its [`Bucket::distribution`].
    pub(super) fn compute(&self, asked: &Asked, of: Option<&Distribution>) -> Option<f64> {
        let number = match asked {
            Asked::SampleCount => self.count,
            Asked::Average => self.sum / self.count,
            Asked::Sum => self.sum,
            Asked::Minimum => self.min,
            Asked::Maximum => self.max,
            Asked::Extended(statistic) => of?.compute(statistic)?,
        };
        // A set of no samples has no average.
        number.is_finite().then_some(number)
    }
}

/// Each value once. Only when there are so many that it matters.
fn merged(mut raw: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if raw.len() <= RAW_MAX {
        return raw;
    }
    raw.sort_by(|a, b| a.0.total_cmp(&b.0));
    raw.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    raw
}

impl Wanted {
    /// How many kept windows a range has: what a query costs.
    pub(super) fn cost(windows: &Windows, range: Range) -> usize {
        let minutes = windows.minutes();
        let before = |at_ms: i64| minutes.partition_point(|minute| *minute < at_ms);
        before(range.to_ms).saturating_sub(before(range.from_ms))
    }

    /// Visits the periods that have data, by time and then by unit's name. `raw` says whether
    /// raw values are wanted.
    pub(super) fn visit(
        &self,
        windows: &Windows,
        range: Range,
        period_ms: i64,
        raw: bool,
        mut visit: impl FnMut(i64, &'static str, &Bucket),
    ) -> io::Result<()> {
        let minutes = windows.minutes();
        let (Some(first), Some(last)) = (minutes.first(), minutes.last()) else { return Ok(()) };
        let dimensions: Vec<(&str, &str)> =
            self.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut open: BTreeMap<(i64, &'static str), Bucket> = BTreeMap::new();
        let mut from_ms = range.from_ms.max(*first);
        let to_ms = range.to_ms.min(last + MINUTE_MS);
        while from_ms < to_ms {
            let until_ms = to_ms.min(from_ms + PIECE_MS);
            let found = windows.range(
                &self.account,
                &self.namespace,
                &self.name,
                &dimensions,
                from_ms,
                until_ms,
            )?;
            for one in found {
                let unit = name_of(one.unit);
                if self.unit.as_deref().is_some_and(|wanted| wanted != unit) {
                    continue;
                }
                let into = one.minute_ms - range.from_ms;
                let begin_ms = range.from_ms + into - into.rem_euclid(period_ms);
                open.entry((begin_ms, unit)).or_insert_with(|| Bucket::new(raw)).join(one);
            }
            from_ms = until_ms;
            while let Some(entry) = open.first_entry() {
                let (begin_ms, unit) = *entry.key();
                if begin_ms + period_ms > from_ms && from_ms < to_ms {
                    break;
                }
                visit(begin_ms, unit, &entry.remove());
            }
        }
        Ok(())
    }
}

fn name_of(unit: Unit<'static>) -> &'static str {
    metric::text(unit.cloudwatch())
}

/// `Dimensions` of a metric that is asked for.
pub(super) fn dimensions(
    given: &[Value<'_>],
    place: &str,
    model: &mut Constraints,
) -> Result<Vec<(String, String)>, Fault> {
    if given.len() > DIMENSIONS_MAX {
        return Err(value(too_many(place, DIMENSIONS_MAX)));
    }
    let mut dimensions = Vec::new();
    for (index, dimension) in given.iter().enumerate() {
        let at = format!("{place}.member.{}", index + 1);
        let name = required_at(dimension, "Name", &format!("{at}.Name"))?;
        let text = required_at(dimension, "Value", &format!("{at}.Value"))?;
        model.length(&format!("dimensions.{}.member.name", index + 1), name, 1, NAME_MAX);
        let of_value = format!("dimensions.{}.member.value", index + 1);
        model.length(&of_value, text, 1, DIMENSION_VALUE_MAX);
        dimensions.push((name.to_owned(), text.to_owned()));
    }
    Ok(dimensions)
}

/// `Unit` of a query.
pub(super) fn unit(given: Option<&str>, at: &str, model: &mut Constraints) -> Option<String> {
    let unit = given?;
    let known: Vec<&str> = Unit::all().map(name_of).collect();
    model.among(at, unit, &known);
    Some(unit.to_owned())
}
