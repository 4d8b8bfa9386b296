//! A point as `Metric` messages in protobuf, for points that cannot be copied.
//!
//! Lengths are worked out before writing, so every message is written once, forward, and minimal.

use metric::Point;

use super::proto::{
    attribute_len, field_len, push_attribute, push_bytes, push_double, push_fixed64, push_head,
};
use super::reading::{NAME_PREFIX, Reading};

/// `ScopeMetrics.metrics`.
const METRIC: u8 = 0x12;

/// Appends a metric that came as the body of a `Metric` message.
#[inline]
pub(crate) fn push_copy(out: &mut Vec<u8>, body: &[u8]) {
    push_bytes(out, METRIC, body);
}

/// Appends a summary.
pub(crate) fn push_summary(
    out: &mut Vec<u8>,
    point: &Point<'_>,
    reading: &Reading,
    quantiles: &[(f64, f64)],
) {
    const QUANTILE: usize = 18;
    let attributes = Attributes::of(point);
    let data_point = 4 * 9 + quantiles.len() * field_len(QUANTILE) + attributes.fields_len();
    push_metric_head(out, point, b"", point.unit.otel(), 0x5a, field_len(data_point));
    push_head(out, 0x0a, data_point);
    push_fixed64(out, 0x11, reading.start_ns);
    push_fixed64(out, 0x19, reading.end_ns);
    push_fixed64(out, 0x21, reading.whole_count);
    push_double(out, 0x29, reading.sum);
    for (quantile, value) in quantiles {
        push_head(out, 0x32, QUANTILE);
        push_double(out, 0x09, *quantile);
        push_double(out, 0x11, *value);
    }
    attributes.push(out, 0x3a, point);
}

/// Appends a gauge named `<name>.<suffix>`.
pub(crate) fn push_gauge(
    out: &mut Vec<u8>,
    point: &Point<'_>,
    reading: &Reading,
    (suffix, unit): (&[u8], &[u8]),
    value: f64,
) {
    let attributes = Attributes::of(point);
    let data_point = 3 * 9 + attributes.fields_len();
    push_metric_head(out, point, suffix, unit, 0x2a, field_len(data_point));
    push_head(out, 0x0a, data_point);
    push_fixed64(out, 0x11, reading.start_ns);
    push_fixed64(out, 0x19, reading.end_ns);
    push_double(out, 0x21, value);
    attributes.push(out, 0x3a, point);
}

/// Appends a delta histogram with one bucket, which has no bounds.
pub(crate) fn push_histogram(out: &mut Vec<u8>, point: &Point<'_>, reading: &Reading) {
    let attributes = Attributes::of(point);
    let extremes = usize::from(reading.min.is_some()) + usize::from(reading.max.is_some());
    let data_point = (4 + extremes) * 9 + field_len(8) + attributes.fields_len();
    push_metric_head(out, point, b"", point.unit.otel(), 0x4a, field_len(data_point) + 2);
    push_head(out, 0x0a, data_point);
    push_fixed64(out, 0x11, reading.start_ns);
    push_fixed64(out, 0x19, reading.end_ns);
    push_fixed64(out, 0x21, reading.whole_count);
    push_double(out, 0x29, reading.sum);
    push_bytes(out, 0x32, &reading.whole_count.to_le_bytes());
    attributes.push(out, 0x4a, point);
    if let Some(min) = reading.min {
        push_double(out, 0x59, min);
    }
    if let Some(max) = reading.max {
        push_double(out, 0x61, max);
    }
    // AGGREGATION_TEMPORALITY_DELTA
    out.extend_from_slice(&[0x10, 0x01]);
}

/// Tag and length of the metric, its name and unit, and tag and length of its `data`.
fn push_metric_head(
    out: &mut Vec<u8>,
    point: &Point<'_>,
    suffix: &[u8],
    unit: &[u8],
    data_tag: u8,
    data: usize,
) {
    let name =
        NAME_PREFIX.len() + point.namespace.len() + 1 + point.name.len() + suffix.len();
    push_head(out, METRIC, field_len(name) + field_len(unit.len()) + field_len(data));
    push_head(out, 0x0a, name);
    out.extend_from_slice(NAME_PREFIX);
    out.extend_from_slice(point.namespace);
    out.push(b'/');
    out.extend_from_slice(point.name);
    out.extend_from_slice(suffix);
    push_bytes(out, 0x1a, unit);
    push_head(out, data_tag, data);
}

/// Lengths of the three attributes of a data point: `Namespace`, `MetricName`, `Dimensions`.
struct Attributes {
    namespace: usize,
    name: usize,
    dimensions: usize,
    list: usize,
}

impl Attributes {
    fn of(point: &Point<'_>) -> Attributes {
        let each = point.dimensions.iter();
        let list = each.map(|(name, value)| field_len(attribute_len(name, value))).sum();
        Attributes {
            namespace: attribute_len(b"Namespace", point.namespace),
            name: attribute_len(b"MetricName", point.name),
            dimensions: field_len(b"Dimensions".len()) + field_len(field_len(list)),
            list,
        }
    }

    fn fields_len(&self) -> usize {
        field_len(self.namespace) + field_len(self.name) + field_len(self.dimensions)
    }

    fn push(&self, out: &mut Vec<u8>, tag: u8, point: &Point<'_>) {
        push_attribute(out, tag, b"Namespace", point.namespace);
        push_attribute(out, tag, b"MetricName", point.name);
        push_head(out, tag, self.dimensions);
        push_bytes(out, 0x0a, b"Dimensions");
        push_head(out, 0x12, field_len(self.list));
        push_head(out, 0x32, self.list);
        for (name, value) in point.dimensions {
            push_attribute(out, 0x0a, name, value);
        }
    }
}

/// Appends a `Resource` message with these attributes.
pub(crate) fn push_resource<'a>(
    out: &mut Vec<u8>,
    attributes: impl Iterator<Item = (&'a [u8], &'a [u8])>,
) {
    for (key, value) in attributes {
        push_attribute(out, 0x0a, key, value);
    }
}

/// Appends `ResourceMetrics` of one resource and one scope, which is left unset as AWS leaves it.
pub(crate) fn push_group(out: &mut Vec<u8>, resource: &[u8], metrics: &[u8]) {
    push_head(out, 0x0a, field_len(resource.len()) + field_len(metrics.len()));
    push_bytes(out, 0x0a, resource);
    push_bytes(out, 0x12, metrics);
}
