//! Stands in for `metric::Encoder` until that exists; then this file goes.

use metric::{Format, Point};

pub(crate) struct Encoder {
    format: Format,
    message: Vec<u8>,
    metrics: Vec<u8>,
    resource: Vec<u8>,
}

impl Encoder {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, message: Vec::new(), metrics: Vec::new(), resource: Vec::new() }
    }

    pub(crate) fn push(&mut self, point: &Point<'_>) {
        if self.format == Format::Json {
            return self.line(point);
        }
        self.resource.clear();
        for (key, value) in [
            ("cloud.provider", b"aws".as_slice()),
            ("cloud.account.id", point.account),
            ("cloud.region", point.region),
            ("aws.exporter.arn", point.exporter_arn),
        ] {
            let attribute = pair(key.as_bytes(), &any(value));
            field(1, &attribute, &mut self.resource);
        }
        let mut at = Vec::new();
        if self.format == Format::Otel07 {
            field(1, &pair(b"Namespace", point.namespace), &mut at);
            field(1, &pair(b"MetricName", point.name), &mut at);
            for (name, value) in point.dimensions {
                field(1, &pair(name, value), &mut at);
            }
        }
        fixed(2, point.start_ns, &mut at);
        fixed(3, point.end_ns.unwrap_or(0), &mut at);
        fixed(4, point.count as u64, &mut at);
        fixed(5, point.sum.unwrap_or(0.0).to_bits(), &mut at);
        for (quantile, value) in [(0.0f64, point.min), (1.0, point.max)] {
            let mut entry = Vec::new();
            fixed(1, quantile.to_bits(), &mut entry);
            fixed(2, value.unwrap_or(0.0).to_bits(), &mut entry);
            field(6, &entry, &mut at);
        }
        if self.format == Format::Otel10 {
            field(7, &pair(b"Namespace", &any(point.namespace)), &mut at);
            field(7, &pair(b"MetricName", &any(point.name)), &mut at);
            let mut list = Vec::new();
            for (name, value) in point.dimensions {
                field(1, &pair(name, &any(value)), &mut list);
            }
            let mut value = Vec::new();
            field(6, &list, &mut value);
            field(7, &pair(b"Dimensions", &value), &mut at);
        }
        let mut summary = Vec::new();
        field(1, &at, &mut summary);
        let mut metric = Vec::new();
        let name = [b"amazonaws.com/", point.namespace, b"/", point.name].concat();
        field(1, &name, &mut metric);
        field(3, otel(name_of(point.unit)), &mut metric);
        field(11, &summary, &mut metric);
        field(2, &metric, &mut self.metrics);
    }

    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.format == Format::Json {
            out.append(&mut self.message);
            return;
        }
        let mut inner = Vec::new();
        field(1, &self.resource, &mut inner);
        field(2, &self.metrics, &mut inner);
        let mut message = Vec::new();
        field(1, &inner, &mut message);
        varint(message.len() as u64, out);
        out.extend_from_slice(&message);
        self.metrics.clear();
    }

    fn line(&mut self, point: &Point<'_>) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let dimensions: Vec<String> =
            point.dimensions.iter().map(|(n, v)| format!("{:?}:{:?}", text(n), text(v))).collect();
        let line = format!(
            "{{\"metric_stream_name\":{:?},\"account_id\":{:?},\"region\":{:?},\"namespace\":{:?},\"metric_name\":{:?},\"dimensions\":{{{}}},\"timestamp\":{},\"value\":{{\"max\":{:?},\"min\":{:?},\"sum\":{:?},\"count\":{:?}}},\"unit\":{:?}}}\n",
            text(point.stream),
            text(point.account),
            text(point.region),
            text(point.namespace),
            text(point.name),
            dimensions.join(","),
            point.instant_ms(),
            point.max.unwrap_or(0.0),
            point.min.unwrap_or(0.0),
            point.sum.unwrap_or(0.0),
            point.count,
            text(name_of(point.unit)),
        );
        self.message.extend_from_slice(line.as_bytes());
    }
}

fn otel(unit: &[u8]) -> &[u8] {
    match unit {
        b"Seconds" => b"s",
        b"Milliseconds" => b"ms",
        b"Percent" => b"%",
        b"Count" => b"{Count}",
        b"Count/Second" => b"{Count}/s",
        b"Bytes" => b"By",
        b"Bytes/Second" => b"By/s",
        b"Megabytes" => b"MBy",
        _ => b"1",
    }
}

fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n > 127 {
        out.push(n as u8 | 128);
        n >>= 7;
    }
    out.push(n as u8);
}

fn field(number: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn fixed(number: u8, bits: u64, out: &mut Vec<u8>) {
    if bits != 0 {
        out.push(number << 3 | 1);
        out.extend_from_slice(&bits.to_le_bytes());
    }
}

fn any(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    field(1, text, &mut out);
    out
}

fn pair(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    field(1, key, &mut out);
    field(2, value, &mut out);
    out
}

fn name_of(unit: metric::Unit<'_>) -> &[u8] {
    match unit {
        metric::Unit::Other(name) => name,
        metric::Unit::Known(_) => b"None",
    }
}
