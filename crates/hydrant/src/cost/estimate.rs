//! From counts and prices to an estimate: pure arithmetic, and what must be said beside it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::prices::{Item, Prices};
use super::tally::{Counts, Metric, Tally};
use crate::cli::{CostArgs, MetricFilter};
use crate::inspect::output::instant_text;
use crate::settings::quantity::duration_text;

/// Firehose's gigabyte, as AWS's own pricing examples count it.
const GB: f64 = (1_u64 << 30) as f64;
const DAY_MS: f64 = 86_400_000.0;
/// Prices with tiers are for a month, which AWS's examples count as 30 days.
const MONTH_MS: f64 = 30.0 * DAY_MS;
const MINUTE_MS: u64 = 60_000;

/// All that is told.
#[derive(Debug, Serialize)]
pub(super) struct Estimate {
    pub(super) capture: Capture,
    /// The length of what `estimate` of each line is for, in seconds.
    pub(super) period_seconds: f64,
    pub(super) total: Line,
    pub(super) filter: Option<Filtered>,
    pub(super) prices: Vec<Quote>,
    pub(super) namespaces: Vec<Namespace>,
    pub(super) notes: Vec<String>,
    #[serde(skip)]
    pub(super) period: String,
}

/// What was read.
#[derive(Debug, Serialize)]
pub(super) struct Capture {
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) span_seconds: Option<f64>,
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) undecodable: u64,
}

/// Counted in the capture, and what that makes in the period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Line {
    pub(super) updates: u64,
    pub(super) billed_updates: u64,
    pub(super) firehose_bytes: f64,
    pub(super) share: f64,
    /// `None` when the capture's length is not known.
    pub(super) estimate: Option<Sum>,
}

/// What comes in the period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Sum {
    pub(super) billed_updates: f64,
    pub(super) firehose_gb: f64,
    pub(super) updates_usd: Option<f64>,
    pub(super) firehose_usd: Option<f64>,
    /// Of the two, what is known.
    pub(super) usd: Option<f64>,
}

/// The metric stream with the filter that was asked about.
#[derive(Debug, Serialize)]
pub(super) struct Filtered {
    pub(super) kept: Line,
    pub(super) saved: Line,
}

#[derive(Debug, Serialize)]
pub(super) struct Quote {
    pub(super) item: &'static str,
    pub(super) region: String,
    pub(super) usd: f64,
    pub(super) per: f64,
    pub(super) up_to: Option<f64>,
    pub(super) date: String,
    pub(super) source: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Namespace {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) line: Line,
    pub(super) metrics: Vec<Named>,
}

#[derive(Debug, Serialize)]
pub(super) struct Named {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) line: Line,
}

impl Estimate {
    pub(super) fn new(tally: &Tally, args: &CostArgs, prices: &Prices, undecodable: u64) -> Self {
        let mut all = tally.sum(|_| true);
        // Bytes of records without points are billed too, and belong to no metric.
        all.billed_bytes = tally.billed_bytes as f64;
        let span_ms = span_ms(tally, args);
        let period_ms = args.period.as_millis() as f64;
        let scale = Scale { factor: span_ms.map(|span| period_ms / span), period_ms, prices };
        let total = scale.whole(all);
        let notes = notes(tally, args, prices, &total);
        Estimate {
            capture: Capture {
                from: tally.span_ns.map(|(from, _)| instant_of(from)),
                to: tally.span_ns.map(|(_, to)| instant_of(to)),
                span_seconds: span_ms.map(|span| span / 1000.0),
                records: tally.records,
                bytes: tally.bytes,
                undecodable,
            },
            period_seconds: period_ms / 1000.0,
            filter: filtered(tally, args, &scale, &total),
            prices: quotes(prices),
            namespaces: namespaces(tally, &total),
            total,
            notes,
            period: duration_text(args.period),
        }
    }
}

/// How the capture is scaled and priced.
struct Scale<'a> {
    factor: Option<f64>,
    period_ms: f64,
    prices: &'a Prices,
}

impl Scale<'_> {
    /// Counts as if they were all there is: the tiers begin at nothing.
    fn whole(&self, counts: Counts) -> Line {
        let estimate = self.factor.map(|factor| {
            let billed_updates = counts.billed_updates as f64 * factor;
            let firehose_gb = counts.billed_bytes * factor / GB;
            let updates_usd = self.usd(Item::MetricUpdate, billed_updates);
            let firehose_usd = self.usd(Item::FirehoseGb, firehose_gb);
            let usd = both(updates_usd, firehose_usd);
            Sum { billed_updates, firehose_gb, updates_usd, firehose_usd, usd }
        });
        line(counts, 1.0, estimate)
    }

    /// Tiers are a month's, so the period's quantity is priced at the rate of a month.
    fn usd(&self, item: Item, quantity: f64) -> Option<f64> {
        let months = self.period_ms / MONTH_MS;
        self.prices.charge(item, quantity / months).usd.map(|usd| usd * months)
    }
}

fn line(counts: Counts, share: f64, estimate: Option<Sum>) -> Line {
    Line {
        updates: counts.updates,
        billed_updates: counts.billed_updates,
        firehose_bytes: counts.billed_bytes,
        share,
        estimate,
    }
}

/// A part of the whole: of its money the part that its counts are.
fn part(counts: Counts, total: &Line) -> Line {
    let of_updates = ratio(counts.billed_updates as f64, total.billed_updates as f64);
    let of_bytes = ratio(counts.billed_bytes, total.firehose_bytes);
    let estimate = total.estimate.map(|whole| {
        let updates_usd = whole.updates_usd.map(|usd| usd * of_updates);
        let firehose_usd = whole.firehose_usd.map(|usd| usd * of_bytes);
        Sum {
            billed_updates: whole.billed_updates * of_updates,
            firehose_gb: whole.firehose_gb * of_bytes,
            updates_usd,
            firehose_usd,
            usd: both(updates_usd, firehose_usd),
        }
    });
    line(counts, of_updates, estimate)
}

fn filtered(tally: &Tally, args: &CostArgs, scale: &Scale<'_>, total: &Line) -> Option<Filtered> {
    if args.include.is_empty() && args.exclude.is_empty() {
        return None;
    }
    let takes = |metric: &Metric| {
        if args.include.is_empty() {
            !args.exclude.iter().any(|filter| matches(filter, metric))
        } else {
            args.include.iter().any(|filter| matches(filter, metric))
        }
    };
    let mut kept = scale.whole(tally.sum(takes));
    let mut saved = part(tally.sum(|metric| !takes(metric)), total);
    kept.share = ratio(kept.billed_updates as f64, total.billed_updates as f64);
    // With tiers the last gigabytes are the cheap ones: what is saved is the difference.
    if let (Some(sum), Some(whole), Some(rest)) =
        (&mut saved.estimate, total.estimate, kept.estimate)
    {
        let less = |whole: Option<f64>, rest: Option<f64>| Some(whole? - rest?);
        sum.updates_usd = less(whole.updates_usd, rest.updates_usd);
        sum.firehose_usd = less(whole.firehose_usd, rest.firehose_usd);
        sum.usd = both(sum.updates_usd, sum.firehose_usd);
    }
    Some(Filtered { kept, saved })
}

/// Names are compared exactly, as CloudWatch does.
fn matches(filter: &MetricFilter, metric: &Metric) -> bool {
    filter.namespace == metric.namespace
        && (filter.metric_names.is_empty() || filter.metric_names.contains(&metric.name))
}

/// Namespaces and their metrics, the costly ones first.
fn namespaces(tally: &Tally, total: &Line) -> Vec<Namespace> {
    let mut by_name: BTreeMap<&str, (Counts, Vec<Named>)> = BTreeMap::new();
    for metric in &tally.metrics {
        let (sum, metrics) = by_name.entry(&metric.namespace).or_default();
        sum.add(metric.counts);
        metrics.push(Named { name: metric.name.clone(), line: part(metric.counts, total) });
    }
    let costly = |line: &Line| std::cmp::Reverse(line.billed_updates);
    let mut list: Vec<Namespace> = Vec::new();
    for (name, (counts, mut metrics)) in by_name {
        metrics.sort_by(|a, b| (costly(&a.line), &a.name).cmp(&(costly(&b.line), &b.name)));
        list.push(Namespace { name: name.to_owned(), line: part(counts, total), metrics });
    }
    list.sort_by_key(|namespace| costly(&namespace.line));
    list
}

fn quotes(prices: &Prices) -> Vec<Quote> {
    let lines = [Item::MetricUpdate, Item::FirehoseGb].into_iter().flat_map(|item| prices.of(item));
    lines
        .map(|price| Quote {
            item: price.item.word(),
            region: price.region.clone(),
            usd: price.usd,
            per: price.per,
            up_to: price.up_to,
            date: price.date.clone(),
            source: price.source.clone(),
        })
        .collect()
}

/// What the figures do not show by themselves.
fn notes(tally: &Tally, args: &CostArgs, prices: &Prices, total: &Line) -> Vec<String> {
    let mut notes = Vec::new();
    for item in [Item::MetricUpdate, Item::FirehoseGb] {
        let (word, region) = (item.word(), &args.region);
        if prices.of(item).next().is_none() {
            notes.push(format!(
                "no price of {word} is known for {region}: it is left out; give it with --prices"
            ));
        } else if let Some(sum) = total.estimate {
            let quantity =
                if item == Item::MetricUpdate { sum.billed_updates } else { sum.firehose_gb };
            let months = args.period.as_millis() as f64 / MONTH_MS;
            let unpriced = prices.charge(item, quantity / months).unpriced * months;
            if unpriced > 0.0 {
                notes.push(format!(
                    "{unpriced:.0} {word} are beyond the last price that is known: left out"
                ));
            }
        }
    }
    let foreign: Vec<&str> =
        tally.regions.iter().filter(|region| **region != args.region).map(String::as_str).collect();
    if !foreign.is_empty() {
        let (region, foreign) = (&args.region, foreign.join(", "));
        notes.push(format!("points of {foreign} are counted at the prices of {region}"));
    }
    if tally.without_borders > 0 {
        notes.push(format!(
            "inputs with records without borders: {}; each was rounded up to 5 KB once, so Firehose \
             may bill more",
            tally.without_borders
        ));
    }
    notes.extend(span_note(tally, args));
    let unseen = args.include.iter().chain(&args.exclude);
    for filter in unseen.filter(|filter| !tally.metrics.iter().any(|m| matches(filter, m))) {
        notes.push(format!("nothing of {} is in what was read", filter.namespace));
    }
    notes
}

/// A few late points stretch the time range and make the estimate too low.
fn span_note(tally: &Tally, args: &CostArgs) -> Option<String> {
    let (from, to) = tally.span_ns.filter(|_| args.span.is_none())?;
    let minutes = ((to - from) / 1_000_000).div_ceil(MINUTE_MS);
    let seen = tally.minutes.len() as u64;
    (seen * 2 < minutes).then(|| {
        format!(
            "points begin in {seen} of the {minutes} minutes between the first and the last: if the \
             capture is shorter than that, say how long it is with --span"
        )
    })
}

fn span_ms(tally: &Tally, args: &CostArgs) -> Option<f64> {
    let seen = || tally.span_ns.map(|(from, to)| to.saturating_sub(from) as f64 / 1e6);
    args.span.map(|span| span.as_millis() as f64).or_else(seen).filter(|span| *span > 0.0)
}

fn instant_of(ns: u64) -> String {
    instant_text(i64::try_from(ns / 1_000_000).unwrap_or(i64::MAX))
}

fn both(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or(0.0) + other.unwrap_or(0.0)),
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
