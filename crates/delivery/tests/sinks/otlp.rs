//! Every form the OTLP packer writes, read back by `opentelemetry-proto`, which is not ours.

use std::collections::BTreeMap;

use metric::{Decoder, Encoder, Extra, Format, Point, Reject, Source, Statistic, Visit};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Metric, NumberDataPoint, ResourceMetrics, SummaryDataPoint,
    number_data_point,
};
use prost::Message;

use delivery::sink::otlp::{Compression, Points, Protocol};
use delivery::sink::{Offer, Packer};

use crate::sink_support::{NOW, each_point, inflate, otlp, point};

const START: u64 = 1_795_176_000_000_000_000;
const END: u64 = START + 60_000_000_000;

fn close(packer: &mut Packer) -> ExportMetricsServiceRequest {
    ExportMetricsServiceRequest::decode(&inflate(&packer.close().body)[..]).unwrap()
}

fn text(value: &Option<AnyValue>) -> String {
    match value.as_ref().unwrap().value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::KvlistValue(list) => {
            let pairs = list.values.iter().map(|kv| format!("{}={}", kv.key, text(&kv.value)));
            pairs.collect::<Vec<_>>().join(",")
        }
        other => panic!("{other:?}"),
    }
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    attributes.iter().map(|kv| (kv.key.clone(), text(&kv.value))).collect()
}

fn resource(group: &ResourceMetrics) -> BTreeMap<String, String> {
    attributes(&group.resource.as_ref().unwrap().attributes)
}

fn metrics(request: &ExportMetricsServiceRequest) -> Vec<&Metric> {
    let scopes = request.resource_metrics.iter().flat_map(|group| &group.scope_metrics);
    scopes.flat_map(|scope| &scope.metrics).collect()
}

fn summary(metric: &Metric) -> &SummaryDataPoint {
    match &metric.data {
        Some(Data::Summary(summary)) => &summary.data_points[0],
        other => panic!("{other:?}"),
    }
}

const PERCENTILES: [Extra<'static>; 3] = [
    Extra { statistic: Statistic::Named(b"p99.9"), value: 19.0 },
    Extra { statistic: Statistic::Named(b"IQM"), value: 12.0 },
    Extra { statistic: Statistic::Quantile(0.5), value: 15.0 },
];

fn with_percentiles() -> Point<'static> {
    Point { extra: &PERCENTILES, ..point() }
}

fn expected_attributes() -> BTreeMap<String, String> {
    [("Namespace", "AWS/ECS"), ("MetricName", "CPUUtilization"), ("Dimensions", "ClusterName=prod")]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into()
}

/// *Scenario:* a point from JSON as a summary.
/// *Guarantees:* name, unit, attributes, both ends, numbers, minimum and maximum as outer quantiles,
/// percentiles between them by rising quantile.
#[test]
fn a_summary_carries_what_cloudwatch_would_send() {
    let mut packer = otlp(|_| {});
    assert_eq!(packer.offer(&with_percentiles(), None, NOW), Offer::Taken);
    let request = close(&mut packer);
    let metric = metrics(&request)[0];
    assert_eq!(
        (metric.name.as_str(), metric.unit.as_str()),
        ("amazonaws.com/AWS/ECS/CPUUtilization", "1")
    );
    let data = summary(metric);
    assert_eq!((data.start_time_unix_nano, data.time_unix_nano), (START, END));
    assert_eq!((data.count, data.sum), (3, 45.5));
    let quantiles: Vec<_> = data.quantile_values.iter().map(|q| (q.quantile, q.value)).collect();
    assert_eq!(quantiles, [(0.0, 10.0), (0.5, 15.0), (0.999, 19.0), (1.0, 20.0)]);
    assert_eq!(attributes(&data.attributes), expected_attributes());
    assert!(packer.losses().contains(&("statistics_left_out", 1)));
    assert!(request.resource_metrics[0].scope_metrics[0].scope.is_none());
}

/// *Scenario:* the same point as gauges.
/// *Guarantees:* five gauges and one for each percentile, each with attributes and both ends, in
/// the unit of the metric but for the count.
#[test]
fn gauges_have_a_name_for_each_statistic() {
    let mut packer = otlp(|config| config.points = Points::Gauges);
    packer.offer(&with_percentiles(), None, NOW);
    assert_eq!(packer.points(), 1);
    let request = close(&mut packer);
    let mut seen = BTreeMap::new();
    for metric in metrics(&request) {
        let Some(Data::Gauge(gauge)) = &metric.data else { panic!("{metric:?}") };
        let NumberDataPoint { value, attributes: pairs, .. } = &gauge.data_points[0];
        let Some(number_data_point::Value::AsDouble(value)) = value else { panic!("{value:?}") };
        assert_eq!(attributes(pairs), expected_attributes());
        assert_eq!(gauge.data_points[0].start_time_unix_nano, START);
        assert_eq!(gauge.data_points[0].time_unix_nano, END);
        let suffix = metric.name.strip_prefix("amazonaws.com/AWS/ECS/CPUUtilization.").unwrap();
        assert_eq!(metric.unit, if suffix == "count" { "{Count}" } else { "1" });
        seen.insert(suffix.to_owned(), *value);
    }
    let expected = [
        ("min", 10.0),
        ("max", 20.0),
        ("sum", 45.5),
        ("count", 3.0),
        ("avg", 45.5 / 3.0),
        ("p50", 15.0),
        ("p99.9", 19.0),
    ];
    assert_eq!(seen, expected.map(|(k, v)| (k.to_owned(), v)).into());
    assert!(packer.losses().contains(&("statistics_left_out", 1)));
}

/// *Scenario:* the same point as a delta histogram; one without extremes.
/// *Guarantees:* one bucket with all samples, no bounds, delta temporality, minimum and maximum
/// where they are known.
#[test]
fn a_delta_histogram_has_one_bucket() {
    let mut packer = otlp(|config| config.points = Points::DeltaHistogram);
    packer.offer(&with_percentiles(), None, NOW);
    packer.offer(&Point { min: None, max: None, count: 2.5, ..point() }, None, NOW);
    let request = close(&mut packer);
    let all = metrics(&request);
    let histogram = |metric: &Metric| match &metric.data {
        Some(Data::Histogram(histogram)) => histogram.clone(),
        other => panic!("{other:?}"),
    };
    let first = histogram(all[0]);
    assert_eq!(first.aggregation_temporality, AggregationTemporality::Delta as i32);
    let data = &first.data_points[0];
    assert_eq!((data.count, data.sum, data.min, data.max), (3, Some(45.5), Some(10.0), Some(20.0)));
    assert_eq!((&data.bucket_counts[..], data.explicit_bounds.len()), (&[3][..], 0));
    assert_eq!((data.start_time_unix_nano, data.time_unix_nano), (START, END));
    assert_eq!(attributes(&data.attributes), expected_attributes());
    let second = histogram(all[1]);
    let data = &second.data_points[0];
    assert_eq!((data.count, data.min, data.max), (3, None, None));
    assert!(packer.losses().contains(&("counts_rounded", 1)));
    assert!(packer.losses().contains(&("percentiles_left_out", 2)));
}

/// *Scenario:* less than half a sample, and percentiles 0 and 100 beside minimum and maximum, in each
/// form of a set, protobuf and JSON.
/// *Guarantees:* a count of one, since a set of nothing has no sum; one quantile for each number.
#[test]
fn a_part_of_a_sample_and_outer_percentiles() {
    let extra = [
        Extra { statistic: Statistic::Named(b"p100"), value: 20.0 },
        Extra { statistic: Statistic::Named(b"p50"), value: 15.0 },
        Extra { statistic: Statistic::Named(b"p0"), value: 9.0 },
    ];
    let set = Point { count: 0.25, sum: Some(4.5), extra: &extra, ..point() };
    let unknown = Point { min: None, max: None, ..set };
    for form in [Points::Summary, Points::DeltaHistogram] {
        let mut packer = otlp(|config| config.points = form);
        let mut json = otlp(|config| {
            config.points = form;
            config.protocol = Protocol::HttpJson;
        });
        for packer in [&mut packer, &mut json] {
            packer.offer(&set, None, NOW);
            packer.offer(&unknown, None, NOW);
            assert!(packer.losses().contains(&("statistics_left_out", 0)));
        }
        let request = close(&mut packer);
        let json: serde_json::Value = serde_json::from_slice(&inflate(&json.close().body)).unwrap();
        let json = json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap();
        for (metric, json) in metrics(&request).into_iter().zip(json) {
            same_metric(json, metric);
            match metric.data.as_ref().unwrap() {
                Data::Summary(summary) => {
                    let data = &summary.data_points[0];
                    assert_eq!((data.count, data.sum), (1, 4.5));
                    let all = data.quantile_values.iter().map(|q| (q.quantile, q.value));
                    assert_eq!(all.collect::<Vec<_>>(), [(0.0, 9.0), (0.5, 15.0), (1.0, 20.0)]);
                }
                Data::Histogram(histogram) => {
                    let data = &histogram.data_points[0];
                    assert_eq!((data.count, &data.bucket_counts[..]), (1, &[1][..]));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// *Scenario:* one percentile in several spellings, in order, out of order, among more than a metric
/// stream sends; protobuf and JSON.
/// *Guarantees:* one quantile, with the value that came first; the others are counted.
#[test]
fn a_percentile_in_two_spellings_is_one_quantile() {
    let extra = |name: &'static [u8], value| Extra { statistic: Statistic::Named(name), value };
    let three = [extra(b"p99", 3.0), extra(b"p99.0", 4.0), extra(b"P99.00", 5.0)];
    let apart = [extra(b"p99", 3.0), extra(b"p50", 2.0), extra(b"p99.0", 4.0)];
    let outer = [extra(b"p0", 9.0), extra(b"p0.0", 8.0), extra(b"p100", 21.0), extra(b"tm99", 1.0)];
    let many: Vec<_> = (0..30).map(|n| extra([&b"p99"[..], b"p50"][n % 2], 2.0)).collect();
    for (extra, left_out) in [(&three[..], 2), (&apart, 1), (&outer, 1), (&many, 28)] {
        let set = Point { extra, ..point() };
        let mut packer = otlp(|_| {});
        let mut json = otlp(|config| config.protocol = Protocol::HttpJson);
        for packer in [&mut packer, &mut json] {
            packer.offer(&set, None, NOW);
            assert!(packer.losses().contains(&("statistics_left_out", left_out)));
        }
        let request = close(&mut packer);
        let metric = metrics(&request)[0];
        let quantiles: Vec<_> = summary(metric).quantile_values.iter().collect();
        assert!(quantiles.is_sorted_by(|a, b| a.quantile < b.quantile), "{quantiles:?}");
        assert!(quantiles.iter().all(|q| q.quantile != 0.99 || q.value < 4.0), "{quantiles:?}");
        let json: serde_json::Value = serde_json::from_slice(&inflate(&json.close().body)).unwrap();
        same_metric(&json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0], metric);
    }
}

/// *Scenario:* a set of equal samples whose sum was not sent, as a summary over HTTP and gRPC.
/// *Guarantees:* the sum is worked out, not zero.
#[test]
fn a_sum_that_is_known_is_sent() {
    for protocol in [Protocol::HttpProtobuf, Protocol::Grpc] {
        let mut packer = otlp(|config| {
            config.protocol = protocol;
            config.endpoint = "http://127.0.0.1:9".to_owned();
        });
        let equal = Point { sum: None, min: Some(2.0), max: Some(2.0), count: 3.0, ..point() };
        assert_eq!(packer.offer(&equal, None, NOW), Offer::Taken);
        let request = close(&mut packer);
        let summary = summary(metrics(&request)[0]);
        assert_eq!((summary.sum, summary.count), (6.0, 3));
    }
}

/// *Scenario:* points of several owners in turn, with configured attributes, one of which names
/// what is known already.
/// *Guarantees:* one resource each, by the semantic conventions; the configured value wins.
#[test]
fn there_is_one_resource_for_each_owner() {
    let mut packer = otlp(|config| {
        config.resource_attributes = vec![
            ("service.name".to_owned(), "aws-cloudwatch-stream".to_owned()),
            ("cloud.provider".to_owned(), "AWS".to_owned()),
        ];
    });
    for _ in 0..3 {
        packer.offer(&point(), None, NOW);
        packer.offer(&Point { region: b"us-east-1", ..point() }, None, NOW);
        packer.offer(&Point { account: b"", exporter_arn: b"", ..point() }, None, NOW);
    }
    let request = close(&mut packer);
    assert_eq!(request.resource_metrics.len(), 3);
    let first = resource(&request.resource_metrics[0]);
    let expected = [
        ("cloud.provider", "AWS"),
        ("cloud.account.id", "123456789012"),
        ("cloud.region", "eu-west-1"),
        ("aws.exporter.arn", "arn:aws:cloudwatch:eu-west-1:123456789012:metric-stream/demo"),
        ("service.name", "aws-cloudwatch-stream"),
    ];
    assert_eq!(first, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    assert_eq!(resource(&request.resource_metrics[1])["cloud.region"], "us-east-1");
    assert!(!resource(&request.resource_metrics[2]).contains_key("cloud.account.id"));
    for group in &request.resource_metrics {
        assert_eq!(group.scope_metrics[0].metrics.len(), 3);
    }
}

/// *Scenario:* one owner or two, in turns, with a configured attribute that makes what a request
/// begins with shorter than the room before its metrics, just as long, and longer.
/// *Guarantees:* every request is whole, and as long as it says.
#[test]
fn requests_begin_with_any_resource() {
    for length in [0, 100].into_iter().chain(600..900).chain([5_000]) {
        let compression = if length % 3 == 0 { Compression::None } else { Compression::Gzip };
        let mut packer = otlp(|config| {
            config.compression = compression;
            config.resource_attributes = vec![("note".to_owned(), "n".repeat(length))];
        });
        for round in 0..6 {
            let owners = if round % 3 == 2 { 2 } else { 1 };
            for at in 0..=round {
                packer.offer(&point(), None, NOW);
                if owners == 2 && at == 0 {
                    packer.offer(&Point { region: b"us-east-1", ..point() }, None, NOW);
                }
            }
            let payload = packer.close();
            let plain = match compression {
                Compression::None => payload.body.to_vec(),
                _ => inflate(&payload.body),
            };
            assert_eq!(plain.len(), payload.plain_bytes);
            let request = ExportMetricsServiceRequest::decode(&plain[..]).unwrap();
            assert_eq!(request.resource_metrics.len(), owners);
            for group in &request.resource_metrics {
                assert_eq!(resource(group)["note"].len(), length);
            }
            assert_eq!(metrics(&request).len(), round + owners);
        }
    }
}

/// *Scenario:* a record of format 1.0, every point of which passes.
/// *Guarantees:* its metrics arrive byte for byte, by copying.
#[test]
fn a_passing_record_is_copied() {
    let options = rehearsal::payload::Options { metrics: 400, series: 400, ..Default::default() };
    let records = rehearsal::payload::records(&options, Format::Otel10);
    let mut sent = Vec::new();
    for record in &records {
        let mut rest = &record[..];
        while !rest.is_empty() {
            let request = ExportMetricsServiceRequest::decode_length_delimited(&mut rest).unwrap();
            sent.extend(metrics(&request).into_iter().cloned());
        }
    }
    for compression in [Compression::None, Compression::Gzip] {
        let mut packer = otlp(|config| config.compression = compression);
        each_point(&records, |point| {
            assert_eq!(packer.offer(point, None, NOW), Offer::Taken);
        });
        assert!(packer.losses().contains(&("copied", 400)));
        let request = close(&mut packer);
        let mut received: Vec<Metric> = metrics(&request).into_iter().cloned().collect();
        let key = |metric: &Metric| metric.encode_to_vec();
        received.sort_by_key(key);
        sent.sort_by_key(key);
        assert!(received == sent);
    }
}

/// *Scenario:* the same points in all three formats, each through the packer.
/// *Guarantees:* the same summaries, whatever way they took, but for the end JSON does not carry.
#[test]
fn all_formats_make_the_same_summaries() {
    let mut seen = Vec::new();
    for format in [Format::Json, Format::Otel07, Format::Otel10] {
        let mut encoder = Encoder::new(format);
        let mut record = Vec::new();
        let extra = [PERCENTILES[2], PERCENTILES[0]];
        encoder.push(&Point { extra: &extra, ..point() });
        encoder.finish(&mut record);
        let mut packer = otlp(|_| {});
        each_point(&[record], |point| {
            packer.offer(point, None, NOW);
        });
        let request = close(&mut packer);
        let metric = metrics(&request)[0].clone();
        seen.push((summary(&metric).clone(), metric.name, metric.unit));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[1], seen[2]);
}

/// *Scenario:* all three forms in JSON, with names that need escapes.
/// *Guarantees:* JSON of the OTLP mapping: lower camel case, 64-bit integers as strings, enums as
/// numbers; read back, the same request as in protobuf.
#[test]
fn json_says_the_same_as_protobuf() {
    let dimensions = [(&b"Quote\"d"[..], &b"back\\slash\n\xc3\xa9"[..])];
    let odd = Point { dimensions: &dimensions, ..with_percentiles() };
    for points in [Points::Summary, Points::Gauges, Points::DeltaHistogram] {
        let bodies = [Protocol::HttpProtobuf, Protocol::HttpJson].map(|protocol| {
            let mut packer = otlp(|config| {
                config.points = points;
                config.protocol = protocol;
            });
            packer.offer(&odd, None, NOW);
            packer.offer(&point(), None, NOW);
            packer.offer(&Point { region: b"us-east-1", ..point() }, None, NOW);
            inflate(&packer.close().body)
        });
        let protobuf = ExportMetricsServiceRequest::decode(&bodies[0][..]).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&bodies[1]).unwrap();
        let groups = json["resourceMetrics"].as_array().unwrap();
        assert_eq!(groups.len(), protobuf.resource_metrics.len());
        for (json, protobuf) in groups.iter().zip(&protobuf.resource_metrics) {
            same_attributes(&json["resource"]["attributes"], &resource(protobuf));
            let json = json["scopeMetrics"][0]["metrics"].as_array().unwrap();
            let protobuf = &protobuf.scope_metrics[0].metrics;
            assert_eq!(json.len(), protobuf.len());
            json.iter().zip(protobuf).for_each(|(json, protobuf)| same_metric(json, protobuf));
        }
    }
}

fn same_attributes(json: &serde_json::Value, expected: &BTreeMap<String, String>) {
    let value = |value: &serde_json::Value| match value["stringValue"].as_str() {
        Some(text) => text.to_owned(),
        None => {
            let list = value["kvlistValue"]["values"].as_array().unwrap().iter();
            let pairs = list.map(|kv| {
                format!(
                    "{}={}",
                    kv["key"].as_str().unwrap(),
                    kv["value"]["stringValue"].as_str().unwrap()
                )
            });
            pairs.collect::<Vec<_>>().join(",")
        }
    };
    let read: BTreeMap<String, String> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|kv| (kv["key"].as_str().unwrap().to_owned(), value(&kv["value"])))
        .collect();
    assert_eq!(&read, expected);
}

fn same_metric(json: &serde_json::Value, metric: &Metric) {
    assert_eq!(json["name"], metric.name);
    assert_eq!(json["unit"], metric.unit);
    let times = |data: &serde_json::Value, start: u64, end: u64| {
        assert_eq!(data["startTimeUnixNano"], start.to_string());
        assert_eq!(data["timeUnixNano"], end.to_string());
    };
    match metric.data.as_ref().unwrap() {
        Data::Summary(summary) => {
            let (json, data) = (&json["summary"]["dataPoints"][0], &summary.data_points[0]);
            times(json, data.start_time_unix_nano, data.time_unix_nano);
            same_attributes(&json["attributes"], &attributes(&data.attributes));
            assert_eq!(
                (&json["count"], &json["sum"]),
                (&data.count.to_string().into(), &data.sum.into())
            );
            let quantiles = json["quantileValues"].as_array().unwrap();
            assert_eq!(quantiles.len(), data.quantile_values.len());
            for (json, value) in quantiles.iter().zip(&data.quantile_values) {
                assert_eq!(json["quantile"].as_f64(), Some(value.quantile));
                assert_eq!(json["value"].as_f64(), Some(value.value));
            }
        }
        Data::Gauge(gauge) => {
            let (json, data) = (&json["gauge"]["dataPoints"][0], &gauge.data_points[0]);
            times(json, data.start_time_unix_nano, data.time_unix_nano);
            same_attributes(&json["attributes"], &attributes(&data.attributes));
            let Some(number_data_point::Value::AsDouble(value)) = data.value else { panic!() };
            assert_eq!(json["asDouble"].as_f64(), Some(value));
        }
        Data::Histogram(histogram) => {
            assert_eq!(json["histogram"]["aggregationTemporality"], 1);
            let (json, data) = (&json["histogram"]["dataPoints"][0], &histogram.data_points[0]);
            times(json, data.start_time_unix_nano, data.time_unix_nano);
            same_attributes(&json["attributes"], &attributes(&data.attributes));
            assert_eq!(json["bucketCounts"][0], data.bucket_counts[0].to_string());
            assert_eq!((json["min"].as_f64(), json["max"].as_f64()), (data.min, data.max));
        }
        other => panic!("{other:?}"),
    }
}

/// *Scenario:* limits of points and bytes, in each form; a point larger than a request; hundreds of
/// owners; a discarded parcel.
/// *Guarantees:* parcels are full in time, the impossible point is refused, nothing is left behind.
#[test]
fn parcels_keep_within_the_limits() {
    // With twenty percentiles a point is 25 gauges: there is always room for such a one.
    let names: Vec<String> = (50..70).map(|percent| format!("p{percent}")).collect();
    let extra = |name: &'static [u8]| Extra { statistic: Statistic::Named(name), value: 1.0 };
    let twenty: Vec<Extra<'static>> =
        names.into_iter().map(|name| extra(name.leak().as_bytes())).collect();
    for (points, fit, then) in [(Points::Summary, 50, 0), (Points::Gauges, 6, 1)] {
        let mut packer = otlp(|config| {
            config.points = points;
            config.points_max = 50;
        });
        while !packer.full() {
            packer.offer(&point(), None, NOW);
        }
        assert_eq!(packer.points(), fit);
        packer.discard();
        assert!(!packer.full() && packer.points() == 0);
        (0..5 * then).for_each(|_| _ = packer.offer(&point(), None, NOW));
        (0..then).for_each(|_| _ = packer.offer(&Point { extra: &twenty, ..point() }, None, NOW));
        assert_eq!(packer.full(), then > 0);
        assert!(then == 0 || metrics(&close(&mut packer)).len() == 50);
    }
    let mut packer = otlp(|config| config.bytes_max = 20_000);
    while !packer.full() {
        packer.offer(&point(), None, NOW);
    }
    let payload = packer.close();
    assert!((10_000..=20_000).contains(&payload.plain_bytes), "{}", payload.plain_bytes);
    let huge = "x".repeat(30_000);
    let dimensions = [(&b"D"[..], huge.as_bytes())];
    let huge = Point { dimensions: &dimensions, ..point() };
    assert_eq!(packer.offer(&huge, None, NOW), Offer::Refused("too_large"));
    let copied = Point { source: Source::Otel10 { metric: Some(huge.dimensions[0].1) }, ..huge };
    assert_eq!(packer.offer(&copied, None, NOW), Offer::Refused("too_large"));
    packer.offer(&point(), None, NOW);
    assert_eq!(metrics(&close(&mut packer)).len(), 1);

    let mut packer = otlp(|_| {});
    for account in 0..10_000 {
        if packer.full() {
            break;
        }
        packer.offer(&Point { account: format!("{account}").as_bytes(), ..point() }, None, NOW);
    }
    assert!((64..1_000).contains(&packer.points()), "{}", packer.points());
}

/// *Scenario:* sets without a sum, without samples, with a negative count.
/// *Guarantees:* told where it can be told, refused otherwise.
#[test]
fn incomplete_sets_are_refused() {
    let mut packer = otlp(|config| config.points = Points::Gauges);
    let offer = |packer: &mut Packer, point| packer.offer(&point, None, NOW);
    assert_eq!(offer(&mut packer, Point { sum: None, ..point() }), Offer::Refused("incomplete"));
    assert_eq!(
        offer(&mut packer, Point { count: -1.0, ..point() }),
        Offer::Refused("inconsistent")
    );
    assert_eq!(
        offer(&mut packer, Point { sum: None, min: Some(2.0), max: Some(2.0), ..point() }),
        Offer::Taken
    );
    let none = Point { sum: Some(0.0), count: 0.0, min: None, max: None, end_ns: None, ..point() };
    assert_eq!(offer(&mut packer, none), Offer::Taken);
    let request = close(&mut packer);
    let names: Vec<&str> =
        metrics(&request).iter().map(|m| m.name.rsplit('.').next().unwrap()).collect();
    assert_eq!(names, ["min", "max", "sum", "avg", "count", "sum", "count"]);
    assert!(packer.losses().contains(&("periods_assumed", 1)));
}

/// *Scenario:* zstd.
/// *Guarantees:* the body is a frame that holds the request.
#[test]
fn zstd_bodies_decompress() {
    let mut packer = otlp(|config| config.compression = Compression::Zstd);
    packer.offer(&point(), None, NOW);
    let payload = packer.close();
    let mut plain = Vec::new();
    codec::zstd::decompress(&payload.body, &mut plain, payload.plain_bytes).unwrap();
    assert_eq!(metrics(&ExportMetricsServiceRequest::decode(&plain[..]).unwrap()).len(), 1);
}

/// *Scenario:* decoding what was packed with our own decoder.
/// *Guarantees:* a summary that left comes back as the point it was.
#[test]
fn our_own_decoder_reads_it_back() {
    struct Only(usize);
    impl Visit for Only {
        fn point(&mut self, read: &Point<'_>) {
            let sent = point();
            assert_eq!((read.namespace, read.name), (sent.namespace, sent.name));
            assert_eq!(
                (read.min, read.max, read.sum, read.count),
                (sent.min, sent.max, sent.sum, sent.count)
            );
            assert_eq!((read.account, read.exporter_arn), (sent.account, sent.exporter_arn));
            assert_eq!((read.start_ns, read.end_ns), (sent.start_ns, sent.end_ns));
            self.0 += 1;
        }
        fn reject(&mut self, reject: &Reject<'_>) {
            panic!("{reject:?}");
        }
    }
    let mut packer = otlp(|_| {});
    packer.offer(&point(), None, NOW);
    let body = packer.close().body;
    let mut record = Vec::new();
    prost::encode_length_delimiter(body.len(), &mut record).unwrap();
    record.extend_from_slice(&body);
    let mut only = Only(0);
    Decoder::new().decode(&record, &mut only);
    assert_eq!(only.0, 1);
}
