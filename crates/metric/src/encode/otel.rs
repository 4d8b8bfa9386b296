//! One point as an OTel `Metric`, in the layouts of 0.7 and 1.0, and its resource.
//!
//! Owns the field order and the omission of defaults as CloudWatch does them (ascending fields,
//! zero left out, an empty quantile message for a minimum of zero). Lengths are worked out bottom-up,
//! so every byte is written once. `tests/golden.rs` holds the bytes.

use crate::{Dimension, Point, partition, wire};

/// Period of a point whose end is not known: what a metric stream sends for nearly all metrics.
const PERIOD_NS: u64 = 60_000_000_000;
/// Before namespace and name in `Metric.name`.
const NAME_PREFIX: &[u8] = b"amazonaws.com/";

/// The ARN of the metric stream in pieces: the one that came with the point, else made from what
/// is known of it; empty when not even the stream's name is known.
fn arn_pieces<'a>(point: &Point<'a>) -> [&'a [u8]; 8] {
    if !point.exporter_arn.is_empty() || point.stream.is_empty() {
        return [point.exporter_arn, b"", b"", b"", b"", b"", b"", b""];
    }
    let partition = partition(point.region).as_bytes();
    let (region, account, stream) = (point.region, point.account, point.stream);
    [b"arn:", partition, b":cloudwatch:", region, b":", account, b":metric-stream/", stream]
}

/// Appends the ARN of the metric stream: the one that came with the point, else one made from
/// stream, account and region; nothing when not even the stream's name is known.
pub fn exporter_arn(point: &Point<'_>, out: &mut Vec<u8>) {
    out.extend(arn_pieces(point).into_iter().flatten());
}

/// Appends the body of the point's `Resource`: the four attributes CloudWatch sends, in its order.
/// What is not known is left out.
pub fn resource(point: &Point<'_>, out: &mut Vec<u8>) {
    let known: [Dimension<'_>; 3] = [
        (b"cloud.provider", b"aws"),
        (b"cloud.account.id", point.account),
        (b"cloud.region", point.region),
    ];
    for (key, value) in known.into_iter().filter(|(_, value)| !value.is_empty()) {
        put_attribute(1, key, value, out);
    }
    let arn = arn_pieces(point);
    let length: usize = arn.iter().map(|piece| piece.len()).sum();
    if length > 0 {
        const KEY: &[u8] = b"aws.exporter.arn";
        let value = wire::field_len(length);
        wire::put_head(1, wire::field_len(KEY.len()) + wire::field_len(value), out);
        wire::put_bytes(1, KEY, out);
        wire::put_head(2, value, out);
        wire::put_head(1, length, out);
        out.extend(arn.into_iter().flatten());
    }
}

/// Appends the body of a `Metric` of format 1.0 that holds this point alone. Added attributes have
/// no place in it: who reads it takes every string attribute for a dimension. Returns how many
/// additional statistics had no place in it (all but percentiles).
pub fn otel10_metric(point: &Point<'_>, out: &mut Vec<u8>) -> u64 {
    enriched_metric(&Point { attributes: &[], ..*point }, out)
}

/// The same with the attributes that were added to the point, beside those of CloudWatch: for
/// receivers of OTLP.
pub fn enriched_metric(point: &Point<'_>, out: &mut Vec<u8>) -> u64 {
    let quantiles = Quantiles::of(point);
    let attributes = Attributes::of(point);
    let data_point = numbers_len(point) + quantiles.len + attributes.len;
    metric_head(point, data_point, out);
    put_numbers(point, out);
    quantiles.put(point, out);
    attributes.put(point, out);
    quantiles.left_out
}

/// Appends the body of a `Metric` of format 0.7 that holds this point alone. Added attributes have
/// no place in it: its labels are dimensions. Returns how many
/// additional statistics had no place in it (all but percentiles).
pub fn otel07_metric(point: &Point<'_>, out: &mut Vec<u8>) -> u64 {
    let quantiles = Quantiles::of(point);
    let fixed: [Dimension<'_>; 2] = [(b"Namespace", point.namespace), (b"MetricName", point.name)];
    let labels = || fixed.iter().chain(point.dimensions);
    let labels_len: usize = labels().map(|label| wire::field_len(label_len(*label))).sum();
    metric_head(point, labels_len + numbers_len(point) + quantiles.len, out);
    for &(name, value) in labels() {
        wire::put_head(1, label_len((name, value)), out);
        wire::put_bytes(1, name, out);
        wire::put_bytes(2, value, out);
    }
    put_numbers(point, out);
    quantiles.put(point, out);
    quantiles.left_out
}

/// Name, unit and the heads of the summary and its one data point.
fn metric_head(point: &Point<'_>, data_point: usize, out: &mut Vec<u8>) {
    let (namespace, name) = (point.namespace, point.name);
    out.reserve(data_point + namespace.len() + name.len() + 64);
    wire::put_head(1, NAME_PREFIX.len() + namespace.len() + 1 + name.len(), out);
    for piece in [NAME_PREFIX, namespace, b"/", name] {
        out.extend_from_slice(piece);
    }
    wire::put_bytes(3, point.unit.otel(), out);
    wire::put_head(11, wire::field_len(data_point), out);
    wire::put_head(1, data_point, out);
}

/// The end of the point's period: as it came, else one minute after its start.
fn end_ns(point: &Point<'_>) -> u64 {
    point.end_ns.unwrap_or_else(|| point.start_ns.saturating_add(PERIOD_NS))
}

/// SampleCount as a whole number: rounded half away from zero, and at least 1 when there are any.
pub fn whole_count(count: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is what is meant")]
    #[expect(clippy::cast_sign_loss, reason = "`as` makes a negative count 0")]
    let rounded = count.round() as u64;
    if count > 0.0 { rounded.max(1) } else { rounded }
}

/// Minimum and maximum. Percentiles 0 and 100 are the same numbers, and there is one quantile for
/// each: of several the least and the greatest.
pub fn extremes(point: &Point<'_>) -> (Option<f64>, Option<f64>) {
    let (mut min, mut max) = (point.min, point.max);
    for extra in point.extra {
        let value = extra.value;
        match extra.statistic.quantile() {
            Some(0.0) => min = Some(min.map_or(value, |min| min.min(value))),
            Some(1.0) => max = Some(max.map_or(value, |max| max.max(value))),
            _ => {}
        }
    }
    (min, max)
}

/// Bytes of the fields 2 to 5; zeros are left out.
fn numbers_len(point: &Point<'_>) -> usize {
    let sum = point.sum.unwrap_or(0.0).to_bits();
    let fields = [point.start_ns, end_ns(point), whole_count(point.count), sum];
    fields.iter().filter(|bits| **bits != 0).count() * 9
}

fn put_numbers(point: &Point<'_>, out: &mut Vec<u8>) {
    wire::put_fixed64(2, point.start_ns, out);
    wire::put_fixed64(3, end_ns(point), out);
    wire::put_fixed64(4, whole_count(point.count), out);
    wire::put_fixed64(5, point.sum.unwrap_or(0.0).to_bits(), out);
}

/// The quantile messages of a point: minimum, percentiles in their order, maximum.
struct Quantiles {
    len: usize,
    left_out: u64,
    extremes: (Option<f64>, Option<f64>),
}

impl Quantiles {
    fn of(point: &Point<'_>) -> Self {
        let extremes = extremes(point);
        let mut all = Self { len: 0, left_out: 0, extremes };
        Self::each(extremes, point, |quantile| match quantile {
            Some((quantile, value)) => all.len += 2 + Self::body_len(quantile, value),
            None => all.left_out += 1,
        });
        all
    }

    /// Calls `take` for each quantile, and with `None` for each statistic that is not one.
    fn each(
        (min, max): (Option<f64>, Option<f64>),
        point: &Point<'_>,
        mut take: impl FnMut(Option<(f64, f64)>),
    ) {
        if let Some(min) = min {
            take(Some((0.0, min)));
        }
        for extra in point.extra {
            match extra.statistic.quantile() {
                Some(0.0 | 1.0) => {}
                quantile => take(quantile.map(|quantile| (quantile, extra.value))),
            }
        }
        if let Some(max) = max {
            take(Some((1.0, max)));
        }
    }

    fn body_len(quantile: f64, value: f64) -> usize {
        [quantile, value].iter().filter(|number| number.to_bits() != 0).count() * 9
    }

    fn put(&self, point: &Point<'_>, out: &mut Vec<u8>) {
        Self::each(self.extremes, point, |quantile| {
            if let Some((quantile, value)) = quantile {
                wire::put_head(6, Self::body_len(quantile, value), out);
                wire::put_fixed64(1, quantile.to_bits(), out);
                wire::put_fixed64(2, value.to_bits(), out);
            }
        });
    }
}

/// The three attributes of a data point of format 1.0. `Dimensions` is there, empty, when the
/// metric has none.
struct Attributes {
    len: usize,
    dimensions: usize,
}

impl Attributes {
    fn of(point: &Point<'_>) -> Self {
        let entries = point.dimensions.iter();
        let dimensions =
            entries.map(|(name, value)| wire::field_len(attribute_len(name, value))).sum();
        let added = point.attributes.iter();
        let added: usize =
            added.map(|(name, value)| wire::field_len(attribute_len(name, value))).sum();
        let list = wire::field_len(10) + wire::field_len(wire::field_len(dimensions));
        let len = wire::field_len(attribute_len(b"Namespace", point.namespace))
            + wire::field_len(attribute_len(b"MetricName", point.name))
            + wire::field_len(list)
            + added;
        Self { len, dimensions }
    }

    fn put(&self, point: &Point<'_>, out: &mut Vec<u8>) {
        put_attribute(7, b"Namespace", point.namespace, out);
        put_attribute(7, b"MetricName", point.name, out);
        let value = wire::field_len(self.dimensions);
        wire::put_head(7, wire::field_len(10) + wire::field_len(value), out);
        wire::put_bytes(1, b"Dimensions", out);
        wire::put_head(2, value, out);
        wire::put_head(6, self.dimensions, out);
        for (name, value) in point.dimensions {
            put_attribute(1, name, value, out);
        }
        for (name, value) in point.attributes {
            put_attribute(7, name, value, out);
        }
    }
}

/// Bytes of a `StringKeyValue`.
fn label_len((name, value): Dimension<'_>) -> usize {
    wire::field_len(name.len()) + wire::field_len(value.len())
}

/// Bytes of a `KeyValue` whose value is a string.
fn attribute_len(key: &[u8], value: &[u8]) -> usize {
    wire::field_len(key.len()) + wire::field_len(wire::field_len(value.len()))
}

/// Appends a `KeyValue` with a string value as field `field`.
fn put_attribute(field: u32, key: &[u8], value: &[u8], out: &mut Vec<u8>) {
    wire::put_head(field, attribute_len(key, value), out);
    wire::put_bytes(1, key, out);
    wire::put_head(2, wire::field_len(value.len()), out);
    wire::put_bytes(1, value, out);
}
