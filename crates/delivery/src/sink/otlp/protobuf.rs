//! A point as `Metric` messages in protobuf. Summaries that came alone are copied, others are
//! written by `metric`; gauges and histograms, which CloudWatch never sends, are written here.
//!
//! Lengths are worked out before writing, so every message is written once, forward, and minimal.

use metric::wire::{field_len, put_bytes, put_head, put_uint};
use metric::{Extra, Point, Statistic};

use super::reading::{NAME_PREFIX, Reading};

/// Field `metrics` of `ScopeMetrics`.
const METRICS: u32 = 2;
/// Fields `gauge` and `histogram` of `Metric`.
const GAUGE: u32 = 5;
const HISTOGRAM: u32 = 9;
/// Field `attributes` of `NumberDataPoint` and `HistogramDataPoint`.
const NUMBER_ATTRIBUTES: u32 = 7;
const HISTOGRAM_ATTRIBUTES: u32 = 9;
/// CloudWatch takes at most 20 additional statistics for a metric; more are sorted elsewhere.
const EXTRAS_MAX: usize = 20;
/// Bytes of a field of eight bytes with its tag.
const FIXED: usize = 9;

/// Appends a metric that came as the body of a `Metric` message.
#[inline]
pub(crate) fn push_copy(out: &mut Vec<u8>, body: &[u8]) {
    put_bytes(METRICS, body, out);
}

/// Appends a summary, by way of `scratch`. Returns how many statistics it has no place for.
pub(crate) fn push_summary(out: &mut Vec<u8>, point: &Point<'_>, scratch: &mut Vec<u8>) -> u64 {
    scratch.clear();
    let left_out = if point.extra.is_sorted_by(rising) {
        metric::encode::enriched_metric(point, scratch)
    } else {
        put_sorted(point, scratch)
    };
    push_copy(out, scratch);
    left_out
}

/// A point whose percentiles are in disorder, as they may be in JSON, or there in two spellings.
fn put_sorted(point: &Point<'_>, out: &mut Vec<u8>) -> u64 {
    let mut array = [Extra { statistic: Statistic::Quantile(0.5), value: 0.0 }; EXTRAS_MAX];
    let mut more = Vec::new();
    let extra = if let Some(array) = array.get_mut(..point.extra.len()) {
        array.copy_from_slice(point.extra);
        array
    } else {
        more.extend_from_slice(point.extra);
        more.as_mut_slice()
    };
    extra.sort_by(|a, b| quantile(a).total_cmp(&quantile(b)));
    if extra.is_sorted_by(rising) {
        return metric::encode::enriched_metric(&Point { extra, ..*point }, out);
    }
    let mut distinct = extra.to_vec();
    distinct.dedup_by(|later, first| !rising(first, later));
    let repeats = (extra.len() - distinct.len()) as u64;
    repeats + metric::encode::enriched_metric(&Point { extra: &distinct, ..*point }, out)
}

/// CloudWatch sends percentiles by rising quantile in OpenTelemetry, each once. Several of what is no
/// percentile, or is minimum or maximum, are no matter: they get no quantile of their own.
fn rising(a: &Extra<'_>, b: &Extra<'_>) -> bool {
    let (a, b) = (quantile(a), quantile(b));
    a < b || (a == b && (a == 0.0 || a == 1.0))
}

/// What is no percentile has no place in a summary, and so none in the order.
fn quantile(extra: &Extra<'_>) -> f64 {
    extra.statistic.quantile().unwrap_or(0.0)
}

/// Appends a gauge named `<name><suffix>`.
pub(crate) fn push_gauge(
    out: &mut Vec<u8>,
    point: &Point<'_>,
    reading: &Reading,
    (suffix, unit): (&[u8], &[u8]),
    value: f64,
) {
    let attributes = Attributes::of(point);
    let data_point = 3 * FIXED + attributes.fields_len();
    push_metric_head(out, point, suffix, unit, (GAUGE, field_len(data_point)));
    put_head(1, data_point, out);
    push_fixed(out, 2, reading.start_ns);
    push_fixed(out, 3, reading.end_ns);
    push_fixed(out, 4, value.to_bits());
    attributes.push(out, NUMBER_ATTRIBUTES, point);
}

/// Appends a delta histogram with one bucket, which has no bounds.
pub(crate) fn push_histogram(out: &mut Vec<u8>, point: &Point<'_>, reading: &Reading) {
    /// `AGGREGATION_TEMPORALITY_DELTA`.
    const DELTA: u64 = 1;
    let attributes = Attributes::of(point);
    let extremes = usize::from(reading.min.is_some()) + usize::from(reading.max.is_some());
    let data_point = (4 + extremes) * FIXED + field_len(8) + attributes.fields_len();
    let temporality = 2;
    let histogram = (HISTOGRAM, field_len(data_point) + temporality);
    push_metric_head(out, point, b"", point.unit.otel(), histogram);
    put_head(1, data_point, out);
    push_fixed(out, 2, reading.start_ns);
    push_fixed(out, 3, reading.end_ns);
    push_fixed(out, 4, reading.whole_count);
    push_fixed(out, 5, reading.sum.to_bits());
    put_bytes(6, &reading.whole_count.to_le_bytes(), out);
    attributes.push(out, HISTOGRAM_ATTRIBUTES, point);
    for (field, extreme) in [(11, reading.min), (12, reading.max)] {
        if let Some(value) = extreme {
            push_fixed(out, field, value.to_bits());
        }
    }
    put_uint(2, DELTA, out);
}

/// A field of eight bytes, written even when it holds zero: these fields are optional ones or say
/// more when they are there.
fn push_fixed(out: &mut Vec<u8>, field: u8, bits: u64) {
    out.push(field << 3 | 1);
    out.extend_from_slice(&bits.to_le_bytes());
}

/// The metric's head, name and unit, and the head of its `data` (field and length).
fn push_metric_head(
    out: &mut Vec<u8>,
    point: &Point<'_>,
    suffix: &[u8],
    unit: &[u8],
    (data_field, data): (u32, usize),
) {
    let name = NAME_PREFIX.len() + point.namespace.len() + 1 + point.name.len() + suffix.len();
    put_head(METRICS, field_len(name) + field_len(unit.len()) + field_len(data), out);
    put_head(1, name, out);
    out.extend_from_slice(NAME_PREFIX);
    out.extend_from_slice(point.namespace);
    out.push(b'/');
    out.extend_from_slice(point.name);
    out.extend_from_slice(suffix);
    put_bytes(3, unit, out);
    put_head(data_field, data, out);
}

/// Lengths of the attributes of a data point: `Namespace`, `MetricName`, `Dimensions`, and beside
/// them those that were added.
struct Attributes {
    namespace: usize,
    name: usize,
    dimensions: usize,
    list: usize,
    added: usize,
}

impl Attributes {
    fn of(point: &Point<'_>) -> Attributes {
        let each = point.dimensions.iter();
        let list = each.map(|(name, value)| field_len(attribute_len(name, value))).sum();
        let added = point.attributes.iter();
        Attributes {
            namespace: attribute_len(b"Namespace", point.namespace),
            name: attribute_len(b"MetricName", point.name),
            dimensions: field_len(b"Dimensions".len()) + field_len(field_len(list)),
            list,
            added: added.map(|(name, value)| field_len(attribute_len(name, value))).sum(),
        }
    }

    fn fields_len(&self) -> usize {
        let own = field_len(self.namespace) + field_len(self.name) + field_len(self.dimensions);
        own + self.added
    }

    fn push(&self, out: &mut Vec<u8>, field: u32, point: &Point<'_>) {
        push_attribute(out, field, b"Namespace", point.namespace);
        push_attribute(out, field, b"MetricName", point.name);
        put_head(field, self.dimensions, out);
        put_bytes(1, b"Dimensions", out);
        put_head(2, field_len(self.list), out);
        // `kvlist_value` of `AnyValue`.
        put_head(6, self.list, out);
        for (name, value) in point.dimensions {
            push_attribute(out, 1, name, value);
        }
        for (name, value) in point.attributes {
            push_attribute(out, field, name, value);
        }
    }
}

/// Length of a `KeyValue` with a string value.
fn attribute_len(key: &[u8], value: &[u8]) -> usize {
    field_len(key.len()) + field_len(field_len(value.len()))
}

/// A `KeyValue` with a string value, as field `field`.
fn push_attribute(out: &mut Vec<u8>, field: u32, key: &[u8], value: &[u8]) {
    put_head(field, attribute_len(key, value), out);
    put_bytes(1, key, out);
    put_head(2, field_len(value.len()), out);
    put_bytes(1, value, out);
}

/// Appends the body of a `Resource` message with these attributes.
pub(crate) fn push_resource<'a>(
    out: &mut Vec<u8>,
    attributes: impl Iterator<Item = (&'a [u8], &'a [u8])>,
) {
    for (key, value) in attributes {
        push_attribute(out, 1, key, value);
    }
}

/// Appends `ResourceMetrics` of one resource and one scope, which is left unset as AWS leaves it.
pub(crate) fn push_group(out: &mut Vec<u8>, resource: &[u8], metrics: &[u8]) {
    push_group_head(out, resource, metrics.len());
    out.extend_from_slice(metrics);
}

/// Appends all of it that stands before `metrics` bytes of metrics.
pub(crate) fn push_group_head(out: &mut Vec<u8>, resource: &[u8], metrics: usize) {
    put_head(1, field_len(resource.len()) + field_len(metrics), out);
    put_bytes(1, resource, out);
    put_head(2, metrics, out);
}
