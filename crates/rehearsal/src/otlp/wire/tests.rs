//! The walker, held against the generated code of opentelemetry-proto: what it takes they take and
//! understand alike, what they refuse it refuses.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::metrics::v1 as metrics;
use opentelemetry_proto::tonic::resource::v1::Resource as ProtoResource;
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::random::Random;

fn word(random: &mut Random) -> String {
    let letters = ["a", "Z", "9", "_", ".", " ", "\u{e4}", "\u{1f600}", "/"];
    (0..random.between(1, 9)).map(|_| letters[random.below(9) as usize]).collect()
}

fn any_of(random: &mut Random, depth: u32) -> common::AnyValue {
    use common::any_value::Value;
    let kinds = if depth < 3 { 7 } else { 5 };
    let value = match random.below(kinds) {
        0 => Value::StringValue(word(random)),
        1 => Value::BoolValue(random.chance(0.5)),
        2 => Value::IntValue(random.bits() as i64),
        3 => Value::DoubleValue(random.unit() * 1e6),
        4 => Value::BytesValue(word(random).into_bytes()),
        5 => Value::ArrayValue(common::ArrayValue {
            values: (0..random.below(3)).map(|_| any_of(random, depth + 1)).collect(),
        }),
        _ => Value::KvlistValue(common::KeyValueList { values: attributes_of(random, depth + 1) }),
    };
    common::AnyValue { value: Some(value) }
}

fn attributes_of(random: &mut Random, depth: u32) -> Vec<common::KeyValue> {
    (0..random.below(4))
        .map(|n| common::KeyValue {
            key: format!("{}{n}", word(random)),
            value: Some(any_of(random, depth)),
            ..common::KeyValue::default()
        })
        .collect()
}

fn number_of(random: &mut Random) -> metrics::NumberDataPoint {
    use metrics::number_data_point::Value;
    let double = Value::AsDouble(random.unit() * 1e9 - 5e8);
    let int = Value::AsInt(random.bits() as i64);
    metrics::NumberDataPoint {
        attributes: attributes_of(random, 0),
        start_time_unix_nano: random.below(1 << 60),
        time_unix_nano: 1 << 61,
        value: Some(if random.chance(0.5) { double } else { int }),
        ..metrics::NumberDataPoint::default()
    }
}

fn histogram_of(random: &mut Random) -> metrics::HistogramDataPoint {
    let bounds = random.below(4);
    let buckets: Vec<u64> = (0..=bounds).map(|_| random.below(1000)).collect();
    metrics::HistogramDataPoint {
        attributes: attributes_of(random, 0),
        time_unix_nano: random.between(1, 1 << 61),
        count: buckets.iter().sum(),
        sum: random.chance(0.7).then(|| random.unit()),
        explicit_bounds: (0..bounds).map(|n| n as f64 * 1.5).collect(),
        bucket_counts: buckets,
        min: random.chance(0.7).then_some(-0.5),
        max: random.chance(0.7).then(|| random.unit()),
        ..metrics::HistogramDataPoint::default()
    }
}

fn summary_of(random: &mut Random) -> metrics::SummaryDataPoint {
    let quantiles = random.below(5);
    metrics::SummaryDataPoint {
        attributes: attributes_of(random, 0),
        start_time_unix_nano: random.below(1 << 60),
        time_unix_nano: 1 << 61,
        count: random.below(1000),
        sum: random.unit() - 0.5,
        quantile_values: (0..quantiles)
            .map(|n| metrics::summary_data_point::ValueAtQuantile {
                quantile: n as f64 / 4.0,
                value: if n == 0 { 0.0 } else { random.unit() },
            })
            .collect(),
        ..metrics::SummaryDataPoint::default()
    }
}

fn metric_of(random: &mut Random) -> metrics::Metric {
    use metrics::metric::Data;
    let points = random.between(1, 3);
    let data = match random.below(4) {
        0 => Data::Gauge(metrics::Gauge {
            data_points: (0..points).map(|_| number_of(random)).collect(),
        }),
        1 => Data::Sum(metrics::Sum {
            data_points: (0..points).map(|_| number_of(random)).collect(),
            aggregation_temporality: random.between(1, 2) as i32,
            is_monotonic: random.chance(0.5),
        }),
        2 => Data::Histogram(metrics::Histogram {
            data_points: (0..points).map(|_| histogram_of(random)).collect(),
            aggregation_temporality: random.between(1, 2) as i32,
        }),
        _ => Data::Summary(metrics::Summary {
            data_points: (0..points).map(|_| summary_of(random)).collect(),
        }),
    };
    metrics::Metric {
        name: word(random),
        unit: word(random),
        data: Some(data),
        ..metrics::Metric::default()
    }
}

/// A valid request, the same for the same seed.
fn request_of(seed: u64) -> ExportMetricsServiceRequest {
    let random = &mut Random::new(seed);
    let groups = (0..random.between(1, 3)).map(|_| metrics::ResourceMetrics {
        resource: Some(ProtoResource {
            attributes: attributes_of(random, 0),
            ..ProtoResource::default()
        }),
        scope_metrics: vec![metrics::ScopeMetrics {
            scope: random.chance(0.5).then(|| common::InstrumentationScope {
                name: word(random),
                version: word(random),
                ..common::InstrumentationScope::default()
            }),
            metrics: (0..random.between(1, 4)).map(|_| metric_of(random)).collect(),
            ..metrics::ScopeMetrics::default()
        }],
        schema_url: String::new(),
    });
    ExportMetricsServiceRequest { resource_metrics: groups.collect() }
}

/// A request as nested text, the same for both representations of the same content.
fn ours(request: &Request) -> String {
    let mut out = String::new();
    for group in &request.resource_metrics {
        let resource = group.resource.as_ref().unwrap();
        out.push_str(&format!("R{}", list(&resource.attributes)));
        for scope in &group.scope_metrics {
            let named = scope.scope.as_ref().map(|s| (s.name.as_str(), s.version.as_str()));
            out.push_str(&format!("S{named:?}"));
            for m in &scope.metrics {
                out.push_str(&format!("\nM{:?}{:?}", m.name, m.unit));
                for p in m.gauge.iter().flat_map(|g| &g.data_points) {
                    out.push_str(&format!("g{}", our_number(p)));
                }
                if let Some(s) = &m.sum {
                    out.push_str(&format!("s{}{}", s.aggregation_temporality, s.is_monotonic));
                    s.data_points.iter().for_each(|p| out.push_str(&our_number(p)));
                }
                if let Some(h) = &m.histogram {
                    out.push_str(&format!("h{}", h.aggregation_temporality));
                    for p in &h.data_points {
                        let numbers = (p.start_time_unix_nano, p.time_unix_nano, p.count);
                        let values = (p.sum, &p.bucket_counts, &p.explicit_bounds, p.min, p.max);
                        out.push_str(&format!("{}{numbers:?}{values:?}", list(&p.attributes)));
                    }
                }
                for p in m.summary.iter().flat_map(|s| &s.data_points) {
                    let numbers = (p.start_time_unix_nano, p.time_unix_nano, p.count, p.sum);
                    let quantiles: Vec<_> =
                        p.quantile_values.iter().map(|q| (q.quantile, q.value)).collect();
                    out.push_str(&format!("q{}{numbers:?}{quantiles:?}", list(&p.attributes)));
                }
            }
        }
    }
    out
}

fn our_number(p: &NumberPoint) -> String {
    let numbers = (p.start_time_unix_nano, p.time_unix_nano, p.as_double, p.as_int);
    format!("{}{numbers:?}", list(&p.attributes))
}

fn list(attributes: &[Attribute]) -> String {
    let one = |a: &Attribute| format!("{:?}={}", a.key, a.value.as_ref().map_or("-".into(), value));
    format!("[{}]", attributes.iter().map(one).collect::<Vec<_>>().join(","))
}

fn value(value: &AnyValue) -> String {
    match value {
        AnyValue::String(v) => format!("{v:?}"),
        AnyValue::Bool(v) => format!("{v}"),
        AnyValue::Int(v) => format!("{v}i"),
        AnyValue::Double(v) => format!("{v:?}d"),
        AnyValue::Bytes(v) => format!("{v:?}b"),
        AnyValue::Array(v) => format!("<{}>", v.values.iter().map(self::value).collect::<String>()),
        AnyValue::Map(v) => list(&v.values),
    }
}

fn theirs(request: &ExportMetricsServiceRequest) -> String {
    use metrics::metric::Data;
    let mut out = String::new();
    for group in &request.resource_metrics {
        out.push_str(&format!("R{}", their_list(&group.resource.as_ref().unwrap().attributes)));
        for scope in &group.scope_metrics {
            let named = scope.scope.as_ref().map(|s| (s.name.as_str(), s.version.as_str()));
            out.push_str(&format!("S{named:?}"));
            for m in &scope.metrics {
                out.push_str(&format!("\nM{:?}{:?}", m.name, m.unit));
                match m.data.as_ref().unwrap() {
                    Data::Gauge(g) => {
                        for p in &g.data_points {
                            out.push_str(&format!("g{}", their_number(p)));
                        }
                    }
                    Data::Sum(s) => {
                        out.push_str(&format!("s{}{}", s.aggregation_temporality, s.is_monotonic));
                        s.data_points.iter().for_each(|p| out.push_str(&their_number(p)));
                    }
                    Data::Histogram(h) => {
                        out.push_str(&format!("h{}", h.aggregation_temporality));
                        for p in &h.data_points {
                            let numbers = (p.start_time_unix_nano, p.time_unix_nano, p.count);
                            let values =
                                (p.sum, &p.bucket_counts, &p.explicit_bounds, p.min, p.max);
                            let list = their_list(&p.attributes);
                            out.push_str(&format!("{list}{numbers:?}{values:?}"));
                        }
                    }
                    Data::Summary(s) => {
                        for p in &s.data_points {
                            let numbers =
                                (p.start_time_unix_nano, p.time_unix_nano, p.count, p.sum);
                            let quantiles: Vec<_> =
                                p.quantile_values.iter().map(|q| (q.quantile, q.value)).collect();
                            let list = their_list(&p.attributes);
                            out.push_str(&format!("q{list}{numbers:?}{quantiles:?}"));
                        }
                    }
                    Data::ExponentialHistogram(_) => panic!("not generated"),
                }
            }
        }
    }
    out
}

fn their_number(p: &metrics::NumberDataPoint) -> String {
    use metrics::number_data_point::Value;
    let (double, int) = match p.value.unwrap() {
        Value::AsDouble(v) => (Some(v), None),
        Value::AsInt(v) => (None, Some(v)),
    };
    let numbers = (p.start_time_unix_nano, p.time_unix_nano, double, int);
    format!("{}{numbers:?}", their_list(&p.attributes))
}

fn their_list(attributes: &[common::KeyValue]) -> String {
    let one = |a: &common::KeyValue| {
        format!("{:?}={}", a.key, a.value.as_ref().map_or("-".into(), their_value))
    };
    format!("[{}]", attributes.iter().map(one).collect::<Vec<_>>().join(","))
}

fn their_value(value: &common::AnyValue) -> String {
    use common::any_value::Value;
    match value.value.as_ref().unwrap() {
        Value::StringValue(v) => format!("{v:?}"),
        Value::BoolValue(v) => format!("{v}"),
        Value::IntValue(v) => format!("{v}i"),
        Value::DoubleValue(v) => format!("{v:?}d"),
        Value::BytesValue(v) => format!("{v:?}b"),
        Value::ArrayValue(v) => {
            format!("<{}>", v.values.iter().map(their_value).collect::<String>())
        }
        Value::KvlistValue(v) => their_list(&v.values),
        other => panic!("not generated: {other:?}"),
    }
}

proptest! {
    /// *Scenario:* valid requests of all four kinds of data, written by opentelemetry-proto.
    /// *Guarantees:* the walker reads the same content, the rules pass it, and the cheap count agrees.
    #[test]
    fn what_opentelemetry_writes_is_read_alike(seed in any::<u64>()) {
        let request = request_of(seed);
        let bytes = request.encode_to_vec();
        let read = read(&bytes).map_err(TestCaseError::fail)?;
        prop_assert_eq!(ours(&read), theirs(&request));
        let points = super::super::rules::check(&read);
        prop_assert_eq!(points, count_points(&bytes));
    }

    /// *Scenario:* the same requests with a few bytes changed, cut or doubled.
    /// *Guarantees:* no panic; what the walker still takes, opentelemetry-proto takes and reads alike.
    #[test]
    fn the_walker_is_never_more_lenient(
        seed in any::<u64>(),
        changes in proptest::collection::vec((any::<u32>(), any::<u8>()), 1..4),
        cut in any::<u32>(),
    ) {
        let mut bytes = request_of(seed).encode_to_vec();
        for (at, byte) in changes {
            let at = at as usize % bytes.len();
            bytes[at] = byte;
        }
        if cut % 3 == 0 {
            bytes.truncate(cut as usize / 3 % bytes.len());
        }
        if let Ok(read) = read(&bytes) {
            let proto = ExportMetricsServiceRequest::decode(bytes.as_slice());
            prop_assert!(proto.is_ok(), "{:?}", proto);
            if super::super::rules::check(&read).is_ok() {
                prop_assert_eq!(ours(&read), theirs(&proto.unwrap()));
            }
        }
    }

    /// *Scenario:* any bytes at all.
    /// *Guarantees:* both walkers answer.
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if read(&bytes).is_ok() {
            ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap();
        }
        count_points(&bytes).ok();
    }
}

/// *Scenario:* small messages that each break one rule of the wire.
/// *Guarantees:* each is refused, and the error names message and field.
#[test]
fn each_broken_rule_of_the_wire_is_named() {
    for (bytes, why) in [
        (&[0x0a, 0x05][..], "ExportMetricsServiceRequest: length runs past the end"),
        (&[0x10, 0x01], "ExportMetricsServiceRequest.2: unknown field"),
        (&[0x08, 0x01], "ExportMetricsServiceRequest.1: wrong wire type"),
        (&[0x0d, 1, 2, 3, 4], "wrong wire type"),
        (&[0x0b], "wire type 3"),
        (&[0x02, 0x00], "field number 0"),
        (&[0x0a], "value is cut short"),
        (&[0xff; 11], "varint is too long"),
        (&[0x0a, 0x04, 0x1a, 0x02, 0xc3, 0x28], "ResourceMetrics.3: text is not UTF-8"),
        (&[0x0a, 0x04, 0x0a, 0x00, 0x0a, 0x00], "ResourceMetrics: field 1 given twice"),
        (&[0x0a, 0x04, 0x12, 0x02, 0x10, 0x01], "ScopeMetrics.2: wrong wire type"),
        (&[0x0a, 0x08, 0x0a, 0x06, 0x0a, 0x04, 0x0a, 0x00, 0x12, 0x00], "AnyValue: no value"),
    ] {
        let said = read(bytes).unwrap_err();
        assert!(said.contains(why), "{bytes:?}: said '{said}', wanted '{why}'");
    }
}

/// *Scenario:* an attribute nested a thousand times in lists.
/// *Guarantees:* it is refused instead of using up the stack.
#[test]
fn deep_nesting_is_refused() {
    let mut value = vec![0x0a, 0x01, b'x'];
    for _ in 0..1_000 {
        let list = tagged(0x0a, &value);
        value = tagged(0x2a, &list);
    }
    let attribute = [vec![0x0a, 0x01, b'k'], tagged(0x12, &value)].concat();
    let body = tagged(0x0a, &tagged(0x0a, &tagged(0x0a, &attribute)));
    assert!(read(&body).unwrap_err().contains("nested too deeply"));
}

fn tagged(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    prost::encoding::encode_varint(body.len() as u64, &mut out);
    out.extend_from_slice(body);
    out
}
