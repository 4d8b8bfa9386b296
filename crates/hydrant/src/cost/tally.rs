//! What a capture holds, counted as it is billed. Counts only: no prices, no time but the points'.

use std::collections::{BTreeSet, HashMap};

use metric::Point;

/// Firehose rounds each record up to a multiple of this many bytes.
pub(super) const FIREHOSE_STEP: u64 = 5 * 1024;
/// Additional statistics that one more update pays for.
const STATISTICS_PER_UPDATE: usize = 5;
/// Metrics told apart; what comes later is counted in one line.
const METRICS_MAX: usize = 100_000;
/// Minutes and regions kept, to tell gaps and foreign prices; past it nothing new is noted.
const NOTED_MAX: usize = 100_000;
/// The period of a point that does not say its end.
const PERIOD_NS: u64 = 60_000_000_000;
const MINUTE_NS: u64 = 60_000_000_000;

/// The counts of one metric, or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    /// Points.
    pub(super) updates: u64,
    /// Updates as billed: with those for additional statistics.
    pub(super) billed_updates: u64,
    /// Its part of the records' bytes, rounded as billed.
    pub(super) billed_bytes: f64,
}

impl Counts {
    pub(super) fn add(&mut self, other: Counts) {
        self.updates += other.updates;
        self.billed_updates += other.billed_updates;
        self.billed_bytes += other.billed_bytes;
    }
}

/// A metric and its counts.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) counts: Counts,
    /// Points of the record that is being read.
    here: u64,
}

/// Everything counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) metrics: Vec<Metric>,
    index: HashMap<Vec<u8>, HashMap<Vec<u8>, usize>>,
    touched: Vec<usize>,
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) billed_bytes: u64,
    /// Files whose records stand back to back, so that their rounding cannot be seen.
    pub(super) without_borders: u64,
    /// First start and last end of periods, nanoseconds.
    pub(super) span_ns: Option<(u64, u64)>,
    /// Minutes in which a period starts.
    pub(super) minutes: BTreeSet<u64>,
    pub(super) regions: BTreeSet<String>,
}

impl Tally {
    /// A point, as one record after another gives them.
    pub(super) fn point(&mut self, point: &Point<'_>) {
        let at = self.place(point);
        let Some(metric) = self.metrics.get_mut(at) else { return };
        if metric.here == 0 {
            self.touched.push(at);
        }
        metric.here += 1;
        metric.counts.updates += 1;
        metric.counts.billed_updates += updates_of(point.extra.len());
        let end = point.end_ns.unwrap_or(point.start_ns.saturating_add(PERIOD_NS));
        let (first, last) = self.span_ns.unwrap_or((point.start_ns, end));
        self.span_ns = Some((first.min(point.start_ns), last.max(end)));
        if self.minutes.len() < NOTED_MAX {
            self.minutes.insert(point.start_ns / MINUTE_NS);
        }
        let region = metric::text(point.region);
        if !region.is_empty() && self.regions.len() < NOTED_MAX && !self.regions.contains(region) {
            self.regions.insert(region.to_owned());
        }
    }

    /// The points since the last call came in a record of so many bytes.
    pub(super) fn record(&mut self, bytes: u64) {
        self.records += 1;
        self.bill(bytes);
    }

    /// The points since the last call came in so many bytes of records back to back.
    pub(super) fn without_borders(&mut self, bytes: u64) {
        self.without_borders += 1;
        self.bill(bytes);
    }

    fn bill(&mut self, bytes: u64) {
        let billed = bytes.div_ceil(FIREHOSE_STEP) * FIREHOSE_STEP;
        self.bytes += bytes;
        self.billed_bytes += billed;
        let here = |at: &usize| self.metrics.get(*at).map_or(0, |metric| metric.here);
        let points: u64 = self.touched.iter().map(here).sum();
        for at in self.touched.drain(..) {
            let Some(metric) = self.metrics.get_mut(at) else { continue };
            let share = metric.here as f64 / points as f64;
            metric.counts.billed_bytes += billed as f64 * share;
            metric.here = 0;
        }
    }

    /// The place of a point's metric.
    fn place(&mut self, point: &Point<'_>) -> usize {
        let known = self.index.get(point.namespace).and_then(|names| names.get(point.name));
        if let Some(at) = known {
            return *at;
        }
        let (namespace, name) = if self.metrics.len() < METRICS_MAX {
            (point.namespace, point.name)
        } else {
            (&b"(more)"[..], &b"(more)"[..])
        };
        let next = self.metrics.len();
        let names = self.index.entry(namespace.to_vec()).or_default();
        let at = *names.entry(name.to_vec()).or_insert(next);
        if at == next {
            self.metrics.push(Metric {
                namespace: metric::text(namespace).to_owned(),
                name: metric::text(name).to_owned(),
                counts: Counts::default(),
                here: 0,
            });
        }
        at
    }

    /// The sum of the metrics that `wanted` chooses.
    pub(super) fn sum(&self, wanted: impl Fn(&Metric) -> bool) -> Counts {
        let mut sum = Counts::default();
        self.metrics.iter().filter(|m| wanted(m)).for_each(|metric| sum.add(metric.counts));
        sum
    }
}

/// Updates billed for a point with so many additional statistics.
pub(super) fn updates_of(additional_statistics: usize) -> u64 {
    1 + additional_statistics.div_ceil(STATISTICS_PER_UPDATE) as u64
}
