//! One point as a line of CloudWatch's JSON.
//!
//! Owns the order of the keys, the escapes and the line feed. Numbers are written as Java writes
//! them, so that a line that came from AWS comes back as it was.

use crate::{Dimension, Point, number};

/// Appends the point as a line of NDJSON: CloudWatch's JSON, and behind it `attributes`, an object
/// of what was added to the point, when there is any.
pub fn ndjson_line(point: &Point<'_>, out: &mut Vec<u8>) {
    json_line(point, out);
    if point.attributes.is_empty() {
        return;
    }
    let end = out.len() - b"}\n".len();
    out.truncate(end);
    out.extend_from_slice(b",\"attributes\":{");
    pairs(point.attributes, out);
    out.extend_from_slice(b"}}\n");
}

/// Appends the point as one JSON object and a line feed. What was added to it has no place here. Statistics that were not sent are left
/// out; the period's end has no place in this format.
pub fn json_line(point: &Point<'_>, out: &mut Vec<u8>) {
    text_field(b"{\"metric_stream_name\":", point.stream, out);
    text_field(b",\"account_id\":", point.account, out);
    text_field(b",\"region\":", point.region, out);
    text_field(b",\"namespace\":", point.namespace, out);
    text_field(b",\"metric_name\":", point.name, out);
    out.extend_from_slice(b",\"dimensions\":{");
    pairs(point.dimensions, out);
    out.extend_from_slice(b"},\"timestamp\":");
    out.extend_from_slice(itoa::Buffer::new().format(point.instant_ms()).as_bytes());
    out.extend_from_slice(b",\"value\":");
    values(point, out);
    text_field(b",\"unit\":", point.unit.cloudwatch(), out);
    out.extend_from_slice(b"}\n");
}

/// Names and values, as the members of an object.
fn pairs(pairs: &[Dimension<'_>], out: &mut Vec<u8>) {
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        string(name, out);
        out.push(b':');
        string(value, out);
    }
}

/// The statistics, in the order of a real capture.
fn values(point: &Point<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    let base = [(&b"\"max\":"[..], point.max), (b"\"min\":", point.min), (b"\"sum\":", point.sum)];
    for (key, value) in base {
        if let Some(value) = value {
            out.extend_from_slice(key);
            number::write_java(value, out);
            out.push(b',');
        }
    }
    out.extend_from_slice(b"\"count\":");
    number::write_java(point.count, out);
    for extra in point.extra {
        out.push(b',');
        match extra.statistic {
            crate::Statistic::Named(name) => string(name, out),
            quantile @ crate::Statistic::Quantile(_) => {
                out.push(b'"');
                quantile.write_name(out);
                out.push(b'"');
            }
        }
        out.push(b':');
        number::write_java(extra.value, out);
    }
    out.push(b'}');
}

fn text_field(key: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    string(value, out);
}

/// A JSON string: quotes, backslashes and control characters escaped, all else as it is.
fn string(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let hex = |nibble: u8| HEX.get(usize::from(nibble & 15)).copied().unwrap_or(b'0');
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&b| b < 0x20 || b == b'"' || b == b'\\') {
        let Some((plain, [special, after @ ..])) = rest.split_at_checked(at) else { break };
        out.extend_from_slice(plain);
        match *special {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[hex(other >> 4), hex(other)]);
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
