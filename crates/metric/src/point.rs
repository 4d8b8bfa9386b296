//! One point: one statistic set of one metric in one period, borrowed from the record it came in.
//!
//! Owns the vocabulary that decoder, rules and sinks share. Deliberately not here: how it is read
//! (`decode`) and written (`encode`).
//!
//! All text fields are bytes that are known to be valid UTF-8 (the decoder checks), kept as `[u8]`
//! so that the hot path never checks twice. `text` turns them into `str` where speed does not matter.

use crate::{Statistic, Unit};

/// One dimension: name and value.
pub type Dimension<'a> = (&'a [u8], &'a [u8]);

/// A statistic set as CloudWatch sends it.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    /// Name of the metric stream; empty when unknown.
    pub stream: &'a [u8],
    /// ARN of the metric stream as OTel carries it (`aws.exporter.arn`); empty from JSON.
    pub exporter_arn: &'a [u8],
    /// Account that owns the metric; empty when unknown.
    pub account: &'a [u8],
    /// Region, empty when unknown.
    pub region: &'a [u8],
    /// CloudWatch namespace, never empty.
    pub namespace: &'a [u8],
    /// CloudWatch metric name, never empty.
    pub name: &'a [u8],
    /// Dimensions in the order they came.
    pub dimensions: &'a [Dimension<'a>],
    /// What enrichment added: names and values that are no dimensions of CloudWatch. Empty when decoded.
    pub attributes: &'a [Dimension<'a>],
    /// CloudWatch unit; unknown text is kept.
    pub unit: Unit<'a>,
    /// Start of the period, nanoseconds since the epoch. This is *the instant* of the point.
    pub start_ns: u64,
    /// End of the period where the format carries it (OTel); JSON does not.
    pub end_ns: Option<u64>,
    /// Minimum, when sent.
    pub min: Option<f64>,
    /// Maximum, when sent.
    pub max: Option<f64>,
    /// Sum, when sent (OTel: an absent sum is 0).
    pub sum: Option<f64>,
    /// SampleCount; fractional in JSON only. 0 when it was not sent, so guard before dividing by it.
    pub count: f64,
    /// Additional statistics in the order they came.
    pub extra: &'a [Extra<'a>],
    /// Where it was read, so that a sink may copy instead of writing anew.
    pub source: Source<'a>,
}

impl<'a> Point<'a> {
    /// A point of this metric of which nothing is known but that one sample was taken. Where points are
    /// made, not decoded, `..Point::of(namespace, name)` stands for all that is left unsaid.
    pub const fn of(namespace: &'a [u8], name: &'a [u8]) -> Point<'a> {
        Point {
            stream: b"",
            exporter_arn: b"",
            account: b"",
            region: b"",
            namespace,
            name,
            dimensions: &[],
            attributes: &[],
            unit: Unit::NONE,
            start_ns: 0,
            end_ns: None,
            min: None,
            max: None,
            sum: None,
            count: 1.0,
            extra: &[],
            source: Source::Json,
        }
    }

    /// The instant in milliseconds: the start of the period.
    pub fn instant_ms(&self) -> i64 {
        i64::try_from(self.start_ns / 1_000_000).unwrap_or(i64::MAX)
    }
}

/// An additional statistic: `p99`, `TM(25%:75%)` and so on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extra<'a> {
    /// Which statistic.
    pub statistic: Statistic<'a>,
    /// Its value.
    pub value: f64,
}

/// The bytes a point was read from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A line of JSON.
    Json,
    /// A data point of format 0.7, or one that has the attributes of 1.0 as well.
    Otel07,
    /// A data point of format 1.0. `metric` is the whole body of the `Metric` message (without tag
    /// and length) when that message holds this one summary point and nothing else, and all text in
    /// it is UTF-8, so that it can be forwarded by copying; `None` otherwise.
    Otel10 {
        /// Body of the `Metric` message.
        metric: Option<&'a [u8]>,
    },
}

/// `bytes` as text. Point fields are valid UTF-8 by construction; anything else gives "".
pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or("")
}
