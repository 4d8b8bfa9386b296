//! The ledger: which points were sent, which arrived, and whether they are still the same.
//!
//! The sender's side enters every point before it is sent and says which deliveries were answered
//! yes; a receiver enters what it sees. Only points of acknowledged deliveries can be missing.
//! How a point looks at a destination is worked out here and in `dynatrace::key`, apart from the
//! code under test. Memory grows with the points held; [`Ledger::forget_before`] bounds it.

use std::collections::{HashMap, HashSet};

use metric::Point;

use crate::dynatrace;

/// Examples kept of each kind of difference: enough to see a pattern, few enough for a terminal.
const EXAMPLES: usize = 5;

/// How far a Dynatrace value may lie from the one sent, relative to it: repairs of rounding only.
const TOLERANCE: f64 = 1e-6;

/// Through whose eyes points are identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// By metric key and dimensions of a MINT line.
    Dynatrace,
    /// By account, region, namespace, name and dimensions, with values to the bit.
    Otlp,
}

/// One of the four statistics that every destination gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// Minimum.
    Min,
    /// Maximum.
    Max,
    /// Sum.
    Sum,
    /// Number of samples.
    Count,
}

const STATISTICS: [Statistic; 4] =
    [Statistic::Min, Statistic::Max, Statistic::Sum, Statistic::Count];

/// What a receiver saw of a point: a whole statistic set, or a part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Values {
    /// Minimum.
    pub min: Option<f64>,
    /// Maximum.
    pub max: Option<f64>,
    /// Sum.
    pub sum: Option<f64>,
    /// Number of samples.
    pub count: Option<f64>,
}

impl Values {
    fn get(&self, statistic: Statistic) -> Option<f64> {
        match statistic {
            Statistic::Min => self.min,
            Statistic::Max => self.max,
            Statistic::Sum => self.sum,
            Statistic::Count => self.count,
        }
    }

    /// With `statistic` set to `value`.
    pub fn with(mut self, statistic: Statistic, value: f64) -> Self {
        match statistic {
            Statistic::Min => self.min = Some(value),
            Statistic::Max => self.max = Some(value),
            Statistic::Sum => self.sum = Some(value),
            Statistic::Count => self.count = Some(value),
        }
        self
    }
}

/// The outcome of comparing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Points entered by the sender.
    pub sent: u64,
    /// Points that arrived whole and unaltered at least once.
    pub arrived: u64,
    /// Points of acknowledged deliveries that have not arrived.
    pub missing: u64,
    /// Points of deliveries without a yes that have not arrived: nobody promised them.
    pub unacknowledged: u64,
    /// Points that arrived with another value.
    pub altered: u64,
    /// Points that arrived and were never sent.
    pub unexpected: u64,
    /// Arrivals beyond the first of a point.
    pub duplicates: u64,
    /// A few of the differences, in words.
    pub examples: Vec<String>,
}

impl Comparison {
    /// All that was promised has arrived, and nothing else.
    pub fn is_clean(&self) -> bool {
        self.missing == 0 && self.altered == 0 && self.unexpected == 0
    }
}

/// What is known of one point.
#[derive(Clone, Debug)]
struct Entry {
    want: Values,
    delivery: u64,
    seen: Values,
    altered: bool,
}

impl Entry {
    fn is_complete(&self) -> bool {
        STATISTICS.iter().all(|s| self.want.get(*s).is_none() || self.seen.get(*s).is_some())
    }
}

/// The ledger of one destination.
pub struct Ledger {
    view: View,
    series: HashMap<String, u32>,
    names: Vec<String>,
    entries: HashMap<(u32, i64), Entry>,
    acknowledged: HashSet<u64>,
    sent: u64,
    forgotten: u64,
    duplicates: u64,
    unexpected: u64,
    altered: u64,
    examples: Vec<String>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(view: View) -> Self {
        Self {
            view,
            series: HashMap::new(),
            names: Vec::new(),
            entries: HashMap::new(),
            acknowledged: HashSet::new(),
            sent: 0,
            forgotten: 0,
            duplicates: 0,
            unexpected: 0,
            altered: 0,
            examples: Vec::new(),
        }
    }

    /// Enters a point that goes out with `delivery`. A point entered twice is one point, promised
    /// when either delivery is acknowledged; the last word counts.
    pub fn expect(&mut self, delivery: u64, point: &Point<'_>) {
        let identity = match self.view {
            View::Dynatrace => dynatrace::key::identity_of(point),
            View::Otlp => otlp_identity(point),
        };
        let want = Values {
            min: point.min,
            max: point.max,
            sum: Some(point.sum.unwrap_or(0.0)),
            count: Some(point.count),
        };
        let series = self.number(identity);
        let entry = Entry { want, delivery, seen: Values::default(), altered: false };
        if self.entries.insert((series, point.instant_ms()), entry).is_none() {
            self.sent += 1;
        }
    }

    /// `delivery` was answered yes: from now on its points are promised.
    pub fn acknowledge(&mut self, delivery: u64) {
        self.acknowledged.insert(delivery);
    }

    /// Enters what a receiver saw.
    pub fn sight(&mut self, identity: &str, instant_ms: i64, values: Values) {
        let view = self.view;
        let series = self.series.get(identity).copied();
        let entry = series.and_then(|series| self.entries.get_mut(&(series, instant_ms)));
        let Some(entry) = entry else {
            self.unexpected += 1;
            let why = if series.is_none() { "no such series" } else { "no such instant" };
            self.note(|| format!("unexpected ({why}): {} at {instant_ms}", readable(identity)));
            return;
        };
        let mut repeated = false;
        let mut wrong = None;
        for statistic in STATISTICS {
            let Some(got) = values.get(statistic) else { continue };
            repeated |= entry.seen.get(statistic).is_some();
            entry.seen = entry.seen.with(statistic, got);
            let want = entry.want.get(statistic);
            if !want.is_some_and(|want| same(view, want, got)) {
                wrong = Some((statistic, want, got));
            }
        }
        self.duplicates += u64::from(repeated);
        if let Some((statistic, want, got)) = wrong
            && !std::mem::replace(&mut entry.altered, true)
        {
            self.altered += 1;
            self.note(|| {
                let name = readable(identity);
                format!("altered: {name} at {instant_ms}: {statistic:?} {got:?}, sent {want:?}")
            });
        }
    }

    /// Drops what arrived unaltered and is older than `instant_ms`, so that a run can last. A
    /// repeat of a forgotten point would count as unexpected: keep an hour or more.
    pub fn forget_before(&mut self, instant_ms: i64) {
        let before = self.entries.len();
        self.entries.retain(|(_, instant), entry| {
            *instant >= instant_ms || !entry.is_complete() || entry.altered
        });
        self.forgotten += (before - self.entries.len()) as u64;
    }

    /// Compares what was sent with what arrived so far.
    pub fn compare(&self) -> Comparison {
        let mut result = Comparison {
            sent: self.sent,
            arrived: self.forgotten,
            altered: self.altered,
            unexpected: self.unexpected,
            duplicates: self.duplicates,
            examples: self.examples.clone(),
            ..Comparison::default()
        };
        for ((series, instant_ms), entry) in &self.entries {
            if entry.is_complete() {
                result.arrived += u64::from(!entry.altered);
            } else if !self.acknowledged.contains(&entry.delivery) {
                result.unacknowledged += 1;
            } else {
                result.missing += 1;
                if result.missing <= EXAMPLES as u64 {
                    let name = self.names.get(*series as usize).map_or("", String::as_str);
                    let name = readable(name);
                    result.examples.push(format!("missing: {name} at {instant_ms}"));
                }
            }
        }
        result
    }

    fn number(&mut self, identity: String) -> u32 {
        if let Some(number) = self.series.get(&identity) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(identity.clone());
        self.series.insert(identity, number);
        number
    }

    fn note(&mut self, text: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(text());
        }
    }
}

/// Separates the parts of an identity: a character that no name may hold.
const SEPARATOR: char = '\u{1f}';

/// An identity from a head and `name=value` pairs in any order.
pub(crate) fn identity<'a>(
    head: &[&str],
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_unstable();
    let mut out = head.join("\u{1f}");
    for (name, value) in pairs {
        out.push(SEPARATOR);
        out.push_str(name);
        out.push('=');
        out.push_str(value);
    }
    out
}

fn otlp_identity(point: &Point<'_>) -> String {
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or("");
    identity(
        &[text(point.account), text(point.region), text(point.namespace), text(point.name)],
        point.dimensions.iter().map(|(name, value)| (text(name), text(value))),
    )
}

fn readable(identity: &str) -> String {
    identity.replace(SEPARATOR, " ")
}

fn same(view: View, want: f64, got: f64) -> bool {
    match view {
        View::Otlp => want.to_bits() == got.to_bits() || want == got,
        View::Dynatrace => (want - got).abs() <= TOLERANCE * want.abs().max(got.abs()).max(1e-300),
    }
}

#[cfg(test)]
mod tests;
