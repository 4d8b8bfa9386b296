//! A point as OTLP/JSON: lower camel case, 64-bit integers as strings, enums as numbers.

use metric::Point;

use super::reading::{NAME_PREFIX, Reading};
use super::{Dimensions, dimensions};
use crate::sink::number::{push_decimal, push_unsigned};

/// Appends a summary.
pub(crate) fn push_summary(
    out: &mut Vec<u8>,
    point: &Point<'_>,
    (reading, form): (&Reading, Dimensions),
    quantiles: &[(f64, f64)],
) {
    push_metric_head(out, point, b"", point.unit.otel());
    out.extend_from_slice(b",\"summary\":{\"dataPoints\":[");
    push_data_point_head(out, point, reading, form);
    push_count_and_sum(out, reading);
    out.extend_from_slice(b",\"quantileValues\":[");
    for (index, (quantile, value)) in quantiles.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b",{\"quantile\":" } else { b"{\"quantile\":" });
        push_decimal(out, *quantile);
        out.extend_from_slice(b",\"value\":");
        push_decimal(out, *value);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}]}}");
}

/// Appends a gauge named `<name>.<suffix>`.
pub(crate) fn push_gauge(
    out: &mut Vec<u8>,
    point: &Point<'_>,
    (reading, form): (&Reading, Dimensions),
    (suffix, unit): (&[u8], &[u8]),
    value: f64,
) {
    push_metric_head(out, point, suffix, unit);
    out.extend_from_slice(b",\"gauge\":{\"dataPoints\":[");
    push_data_point_head(out, point, reading, form);
    out.extend_from_slice(b",\"asDouble\":");
    push_decimal(out, value);
    out.extend_from_slice(b"}]}}");
}

/// Appends a delta histogram with one bucket, which has no bounds.
pub(crate) fn push_histogram(
    out: &mut Vec<u8>,
    point: &Point<'_>,
    (reading, form): (&Reading, Dimensions),
) {
    push_metric_head(out, point, b"", point.unit.otel());
    out.extend_from_slice(b",\"histogram\":{\"aggregationTemporality\":1,\"dataPoints\":[");
    push_data_point_head(out, point, reading, form);
    push_count_and_sum(out, reading);
    out.extend_from_slice(b",\"bucketCounts\":[\"");
    push_unsigned(out, reading.whole_count);
    out.extend_from_slice(b"\"],\"explicitBounds\":[]");
    for (name, value) in [(&b",\"min\":"[..], reading.min), (b",\"max\":", reading.max)] {
        if let Some(value) = value {
            out.extend_from_slice(name);
            push_decimal(out, value);
        }
    }
    out.extend_from_slice(b"}]}}");
}

fn push_metric_head(out: &mut Vec<u8>, point: &Point<'_>, suffix: &[u8], unit: &[u8]) {
    out.extend_from_slice(b"{\"name\":\"");
    out.extend_from_slice(NAME_PREFIX);
    push_escaped(out, point.namespace);
    out.push(b'/');
    push_escaped(out, point.name);
    push_escaped(out, suffix);
    out.extend_from_slice(b"\",\"unit\":\"");
    push_escaped(out, unit);
    out.push(b'"');
}

fn push_data_point_head(out: &mut Vec<u8>, point: &Point<'_>, reading: &Reading, form: Dimensions) {
    out.extend_from_slice(b"{\"attributes\":[");
    push_attribute(out, b"Namespace", point.namespace);
    out.push(b',');
    push_attribute(out, b"MetricName", point.name);
    out.push(b',');
    match form {
        Dimensions::List => push_list(out, point),
        Dimensions::JsonText => {
            let mut text = Vec::new();
            dimensions::push_text(&mut text, point.dimensions);
            push_attribute(out, b"Dimensions", &text);
        }
    }
    for (name, value) in point.attributes {
        out.push(b',');
        push_attribute(out, name, value);
    }
    out.extend_from_slice(b"],\"startTimeUnixNano\":\"");
    push_unsigned(out, reading.start_ns);
    out.extend_from_slice(b"\",\"timeUnixNano\":\"");
    push_unsigned(out, reading.end_ns);
    out.push(b'"');
}

fn push_list(out: &mut Vec<u8>, point: &Point<'_>) {
    out.extend_from_slice(b"{\"key\":\"Dimensions\",\"value\":{\"kvlistValue\":{\"values\":[");
    for (index, (name, value)) in point.dimensions.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_attribute(out, name, value);
    }
    out.extend_from_slice(b"]}}}");
}

fn push_count_and_sum(out: &mut Vec<u8>, reading: &Reading) {
    out.extend_from_slice(b",\"count\":\"");
    push_unsigned(out, reading.whole_count);
    out.extend_from_slice(b"\",\"sum\":");
    push_decimal(out, reading.sum);
}

fn push_attribute(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    out.extend_from_slice(b"{\"key\":\"");
    push_escaped(out, key);
    out.extend_from_slice(b"\",\"value\":{\"stringValue\":\"");
    push_escaped(out, value);
    out.extend_from_slice(b"\"}}");
}

fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0..0x20 => {
                let digit =
                    |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
                let escape = [b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)];
                out.extend_from_slice(&escape);
            }
            _ => out.push(*byte),
        }
    }
}

/// Appends the attributes of a resource, separated.
pub(crate) fn push_resource<'a>(
    out: &mut Vec<u8>,
    attributes: impl Iterator<Item = (&'a [u8], &'a [u8])>,
) {
    for (index, (key, value)) in attributes.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_attribute(out, key, value);
    }
}

/// Appends `resourceMetrics` of one resource and one scope, which is left unset as AWS leaves it.
pub(crate) fn push_group(out: &mut Vec<u8>, resource: &[u8], metrics: &[u8]) {
    out.extend_from_slice(b"{\"resource\":{\"attributes\":[");
    out.extend_from_slice(resource);
    out.extend_from_slice(b"]},\"scopeMetrics\":[{\"metrics\":[");
    out.extend_from_slice(metrics);
    out.extend_from_slice(b"]}]}");
}
