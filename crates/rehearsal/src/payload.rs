//! The payload of the benchmarks: records as a metric stream makes them, the same for the same seed.
//!
//! Draws evenly from the catalogue; about 76 % of the statistic sets are integers and 40 % hold one
//! sample. A message carries 50 to 150 metrics of one account and region, a record five messages.
//! No series has two points in one minute, so a receiver can count exactly. Nothing here reads a
//! clock: the minute is an option.

use metric::{Dimension, Encoder, Format, Point, Unit};

use crate::catalog::OWNERS;
use crate::fleet::Resource;
use crate::random::Random;

/// Nanoseconds of a minute.
const MINUTE_NS: u64 = 60_000_000_000;

/// Name of the metric stream that the payload claims to come from.
pub const STREAM: &str = "rehearsal";

/// Share of statistic sets with one sample.
const SINGLE: f64 = 0.40;

/// Share of statistic sets that are whole numbers.
const WHOLE: f64 = 0.76;

/// Messages in a record.
const MESSAGES: usize = 5;

/// In which order series follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Mixed: hard to compress, and hard on caches. The default.
    Shuffled,
    /// All series of a metric in a row.
    Grouped,
}

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Same seed, same bytes.
    pub seed: u64,
    /// How many metrics (points) in all.
    pub metrics: usize,
    /// How many series; when `metrics` is more, they go on in the following minutes.
    pub series: usize,
    /// Order of the series.
    pub order: Order,
    /// Start of the first minute, ms since the epoch.
    pub start_ms: u64,
}

impl Default for Options {
    /// Ten thousand metrics of ten thousand series in one minute of November 2026.
    fn default() -> Self {
        Self {
            seed: 1,
            metrics: 10_000,
            series: 10_000,
            order: Order::Shuffled,
            start_ms: 1_795_176_000_000,
        }
    }
}

/// The records of `options` in `format`.
pub fn records(options: &Options, format: Format) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut encoder = Encoder::new(format);
    walk(options, |event| match event {
        Event::Point(point) => encoder.push(point),
        Event::MessageEnds => encoder.finish(&mut record),
        Event::RecordEnds => records.push(std::mem::take(&mut record)),
    });
    records
}

/// Calls `visit` for every point of `options`, in the order of the records.
pub fn points(options: &Options, mut visit: impl FnMut(&Point<'_>)) {
    walk(options, |event| {
        if let Event::Point(point) = event {
            visit(point);
        }
    });
}

/// The body of a delivery that holds `records`, plain.
pub fn body(records: &[Vec<u8>], request_id: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let timestamp_ms = i64::try_from(Options::default().start_ms).unwrap_or(0);
    aws::firehose::request::body(request_id, timestamp_ms, records, &mut out);
    out
}

/// `bytes` as one gzip member of level 6, as Firehose compresses.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    crate::sender::gzip(bytes)
}

/// What a walk meets.
enum Event<'a> {
    Point(&'a Point<'a>),
    MessageEnds,
    RecordEnds,
}

/// A series: a resource and the index of one of its metrics.
type Series = (u64, usize);

/// Walks minute by minute; within a minute message by message.
fn walk(options: &Options, mut visit: impl FnMut(Event<'_>)) {
    let mut left = options.metrics;
    let mut minute = 0;
    while left > 0 && options.series > 0 {
        let count = left.min(options.series);
        let mut random = Random::keyed(options.seed, minute);
        let messages = messages(options, count, &mut random);
        let start_ns = options.start_ms * 1_000_000 + minute * MINUTE_NS;
        for (n, message) in messages.iter().enumerate() {
            for series in message {
                push(options.seed, *series, start_ns, &mut visit);
            }
            visit(Event::MessageEnds);
            if (n + 1) % MESSAGES == 0 || n + 1 == messages.len() {
                visit(Event::RecordEnds);
            }
        }
        left -= count;
        minute += 1;
    }
}

/// The first `count` series, dealt into messages of one owner each.
fn messages(options: &Options, count: usize, random: &mut Random) -> Vec<Vec<Series>> {
    let mut owners: [Vec<Series>; OWNERS.len()] = Default::default();
    let mut dealt = 0;
    for index in 0.. {
        let resource = Resource::nth(index);
        for metric in 0..resource.namespace().metrics.len() {
            if dealt == count {
                break;
            }
            if let Some(list) = owners.get_mut(resource.owner) {
                list.push((index, metric));
            }
            dealt += 1;
        }
        if dealt == count {
            break;
        }
    }
    let mut messages = Vec::new();
    for mut list in owners {
        match options.order {
            Order::Shuffled => shuffle(&mut list, random),
            Order::Grouped => {
                list.sort_by_key(|(index, metric)| (Resource::nth(*index).namespace, *metric));
            }
        }
        let mut rest = list.as_slice();
        while !rest.is_empty() {
            let size = usize::try_from(random.between(50, 150)).unwrap_or(50).min(rest.len());
            let (message, after) = rest.split_at(size);
            messages.push(message.to_vec());
            rest = after;
        }
    }
    if options.order == Order::Shuffled {
        shuffle(&mut messages, random);
    }
    messages
}

/// Fisher and Yates.
fn shuffle<T>(list: &mut [T], random: &mut Random) {
    for last in (1..list.len()).rev() {
        let other = usize::try_from(random.below(last as u64 + 1)).unwrap_or(last);
        list.swap(last, other);
    }
}

fn push(seed: u64, (index, metric): Series, start_ns: u64, visit: &mut impl FnMut(Event<'_>)) {
    let resource = Resource::nth(index);
    let namespace = resource.namespace();
    let Some(described) = namespace.metrics.get(metric) else { return };
    let mut random = Random::keyed(seed ^ start_ns, index << 8 | metric as u64);
    let set = StatisticSet::draw(&mut random);
    let values = resource.dimensions();
    let dimensions: Vec<Dimension<'_>> =
        values.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let (account, region) = resource.owner();
    visit(Event::Point(&Point {
        stream: STREAM.as_bytes(),
        account: account.as_bytes(),
        region: region.as_bytes(),
        dimensions: &dimensions,
        unit: Unit::parse(described.unit.as_bytes()),
        start_ns,
        end_ns: Some(start_ns + MINUTE_NS),
        min: Some(set.min),
        max: Some(set.max),
        sum: Some(set.sum),
        count: set.count,
        ..Point::of(namespace.name.as_bytes(), described.name.as_bytes())
    }));
}

/// The four statistics that are always there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StatisticSet {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) sum: f64,
    pub(crate) count: f64,
}

impl StatisticSet {
    /// A consistent set of the promised mixture: min <= sum / count <= max.
    fn draw(random: &mut Random) -> Self {
        let single = random.chance(SINGLE);
        // Sizes from units to a million, evenly by order of magnitude.
        let magnitude = 10f64.powf(random.unit() * 6.0);
        if random.chance(WHOLE) {
            return Self::whole(random, magnitude, single);
        }
        // Measured durations and rates: seldom more than six digits of which all count.
        let high = magnitude * (0.1 + 0.9 * random.unit()) / 1000.0;
        let low = if random.chance(0.1) { 0.0 } else { high * random.unit() };
        if single {
            return Self { min: high, max: high, sum: high, count: 1.0 };
        }
        let count = random.between(2, 500) as f64;
        let mean = low + (high - low) * (0.05 + 0.9 * random.unit());
        Self { min: low, max: high, sum: mean * count, count }
    }

    fn whole(random: &mut Random, magnitude: f64, single: bool) -> Self {
        let high = random.below(magnitude as u64 + 1);
        if single {
            let value = high as f64;
            return Self { min: value, max: value, sum: value, count: 1.0 };
        }
        let low = if random.chance(0.1) { 0 } else { random.below(high + 1) };
        let count = random.between(2, 500);
        // Every sample between the two: both ends occur, the others are drawn as one sum.
        let sum = low + high + random.between(low * (count - 2), high * (count - 2));
        Self { min: low as f64, max: high as f64, sum: sum as f64, count: count as f64 }
    }
}

#[cfg(test)]
mod tests;
