//! What enrichment added to a point, in each form that carries it.

use std::collections::BTreeMap;

use metric::{Decoder, Dimension, Encoder, Extra, Format, Point, Reject, Source, Statistic, Visit};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;

use delivery::sink::otlp::{Points, Protocol};
use delivery::sink::{Config, Offer, Packer, file};

use crate::sink_support::{NOW, build, dynatrace, inflate, mint, otlp, point};

const ADDED: [Dimension<'static>; 3] =
    [(b"tag.Name", b"web \xc3\xa9"), (b"env", b"prod \"1\""), (b"tag.team", b"shop")];

fn read_all(text: &str) {
    for line in text.lines() {
        mint::read(line);
    }
}

fn enriched() -> Point<'static> {
    Point { attributes: &ADDED, ..point() }
}

fn body(packer: &mut Packer, point: &Point<'_>) -> Vec<u8> {
    assert_eq!(packer.offer(point, None, NOW), Offer::Taken);
    inflate(&packer.close().body)
}

/// Attributes of the one data point of each metric; `Dimensions` as `[name=value]`.
fn data_points(body: &[u8]) -> Vec<BTreeMap<String, String>> {
    let request = ExportMetricsServiceRequest::decode(body).unwrap();
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    let lists = metrics.iter().map(|metric| match metric.data.as_ref().unwrap() {
        Data::Summary(data) => &data.data_points[0].attributes,
        Data::Gauge(data) => &data.data_points[0].attributes,
        Data::Histogram(data) => &data.data_points[0].attributes,
        other => panic!("{other:?}"),
    });
    let text = |pair: &KeyValue| match pair.value.as_ref().unwrap().value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::KvlistValue(list) => {
            format!("{:?}", list.values.iter().map(|kv| &kv.key).collect::<Vec<_>>())
        }
        other => panic!("{other:?}"),
    };
    lists.map(|list| list.iter().map(|pair| (pair.key.clone(), text(pair))).collect()).collect()
}

fn expected() -> BTreeMap<String, String> {
    [
        ("Namespace", "AWS/ECS"),
        ("MetricName", "CPUUtilization"),
        ("Dimensions", "[\"ClusterName\"]"),
        ("tag.Name", "web \u{e9}"),
        ("env", "prod \"1\""),
        ("tag.team", "shop"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// *Scenario:* a point with attributes as summary, gauges and histogram, in protobuf and JSON.
/// *Guarantees:* they stand flat beside Namespace, MetricName and Dimensions, never inside.
#[test]
fn otlp_has_them_beside_the_dimensions() {
    for points in [Points::Summary, Points::Gauges, Points::DeltaHistogram] {
        let mut packer = otlp(|config| config.points = points);
        let found = data_points(&body(&mut packer, &enriched()));
        assert_eq!(found.len(), if points == Points::Gauges { 5 } else { 1 });
        assert!(found.iter().all(|attributes| *attributes == expected()), "{found:?}");

        let mut packer = otlp(|config| {
            config.points = points;
            config.protocol = Protocol::HttpJson;
        });
        let json: serde_json::Value =
            serde_json::from_slice(&body(&mut packer, &enriched())).unwrap();
        let metric = &json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0];
        let data = ["summary", "gauge", "histogram"].map(|kind| &metric[kind]["dataPoints"][0]);
        let data = data.into_iter().find(|data| !data.is_null()).unwrap();
        let flat: Vec<_> = data["attributes"].as_array().unwrap().iter().skip(3).collect();
        let pairs: Vec<_> = flat
            .iter()
            .map(|pair| {
                (pair["key"].as_str().unwrap(), pair["value"]["stringValue"].as_str().unwrap())
            })
            .collect();
        assert_eq!(
            pairs,
            [("tag.Name", "web \u{e9}"), ("env", "prod \"1\""), ("tag.team", "shop")]
        );
    }
}

/// *Scenario:* a record of OTel 1.0 passes, once with attributes and once without.
/// *Guarantees:* without them it is copied, with them it is written anew, with all else the same.
#[test]
fn only_plain_points_are_copied() {
    struct Through(Packer, &'static [Dimension<'static>]);
    impl Visit for Through {
        fn point(&mut self, point: &Point<'_>) {
            assert!(matches!(point.source, Source::Otel10 { metric: Some(_) }));
            let point = Point { attributes: self.1, ..*point };
            assert_eq!(self.0.offer(&point, None, NOW), Offer::Taken);
        }
        fn reject(&mut self, reject: &Reject<'_>) {
            panic!("{reject:?}");
        }
    }
    let mut encoder = Encoder::new(Format::Otel10);
    encoder.push(&point());
    let mut record = Vec::new();
    encoder.finish(&mut record);
    let through = |added| {
        let mut through = Through(otlp(|_| {}), added);
        Decoder::new().decode(&record, &mut through);
        let found = data_points(&inflate(&through.0.close().body)).remove(0);
        (found, through.0.losses().contains(&("copied", 1)))
    };
    let mut plain = expected();
    plain.retain(|key, _| key.starts_with(char::is_uppercase));
    assert_eq!(through(&[]), (plain, true));
    assert_eq!(through(&ADDED), (expected(), false));
}

/// *Scenario:* attributes in a line: plain, to be escaped, with the name of a dimension, of another
/// attribute and of the sink's own after normalisation, without a usable name, without a value; and
/// more than there is room for; with percentiles.
/// *Guarantees:* they follow the dimensions, in their order and normalised; what cannot be carried is
/// counted once a point; the line stays a good one of at most fifty dimensions.
#[test]
fn lines_have_them_as_dimensions() {
    let mut packer = dynatrace(|config| config.percentiles = true);
    let extra = [Extra { statistic: Statistic::Named(b"p99"), value: 19.0 }];
    let text =
        String::from_utf8(body(&mut packer, &Point { extra: &extra, ..enriched() })).unwrap();
    let tail = "aws.account.id=\"123456789012\",aws.region=\"eu-west-1\",clustername=\"prod\",\
                tag.name=\"web \u{e9}\",env=\"prod \\\"1\\\"\",tag.team=\"shop\",\
                dt.source=\"AWS Metric Streams\" gauge,";
    assert_eq!(text.lines().filter(|line| line.contains(tail)).count(), 2, "{text}");
    read_all(&text);

    let unusable: [Dimension<'_>; 7] = [
        (b"CLUSTERNAME", b"x"),
        (b"tag.a", b"first"),
        (b"tag.A", b"second"),
        (b"dt.source", b"x"),
        (b"...", b"x"),
        (b"empty", b""),
        (b"last", b"x"),
    ];
    for at in 1..=2 {
        let point = Point { attributes: &unusable, extra: &extra, ..point() };
        let text = String::from_utf8(body(&mut packer, &point)).unwrap();
        assert!(
            text.contains("clustername=\"prod\",tag.a=\"first\",last=\"x\",dt.source"),
            "{text}"
        );
        read_all(&text);
        let losses: BTreeMap<_, _> = packer.losses().into_iter().collect();
        assert_eq!(losses["dimensions_repeated"], 3 * at);
        assert_eq!((losses["dimensions_unnamed"], losses["dimensions_empty"]), (at, at));
    }

    let names: Vec<String> = (0..60).map(|at| format!("n{at}")).collect();
    let many: Vec<Dimension<'_>> = names.iter().map(|name| (name.as_bytes(), &b"v"[..])).collect();
    let alone = Point { account: b"", region: b"", dimensions: &[], ..point() };
    let text = String::from_utf8(body(&mut packer, &Point { attributes: &many, ..alone })).unwrap();
    let (_, rest) = text.split_once(',').unwrap();
    assert!(rest.starts_with("n0=\"v\",n1=\"v\""), "{text}");
    read_all(&text);
    let losses: BTreeMap<_, _> = packer.losses().into_iter().collect();
    assert_eq!(losses["dimensions_over"], 13);
}

/// *Scenario:* a file gets a point with attributes and one without.
/// *Guarantees:* the first line ends with an object of them, the second is CloudWatch's own; both
/// decode to the same point.
#[test]
fn ndjson_has_them_as_an_object() {
    let config = file::Config {
        path: "x.ndjson".into(),
        content: file::Content::Ndjson,
        rotate_bytes: 1,
        keep: 0,
    };
    let mut packer = build(&Config::File(config)).0;
    let text = String::from_utf8(body(&mut packer, &enriched())).unwrap();
    let end = ",\"unit\":\"None\",\"attributes\":{\"tag.Name\":\"web \u{e9}\",\
               \"env\":\"prod \\\"1\\\"\",\"tag.team\":\"shop\"}}\n";
    assert!(text.ends_with(end), "{text}");
    let plain = String::from_utf8(body(&mut packer, &point())).unwrap();
    assert!(plain.ends_with(",\"unit\":\"None\"}\n"), "{plain}");

    let mut read = Vec::new();
    struct All<'a>(&'a mut Vec<String>);
    impl Visit for All<'_> {
        fn point(&mut self, point: &Point<'_>) {
            self.0.push(format!("{point:?}"));
        }
        fn reject(&mut self, reject: &Reject<'_>) {
            panic!("{reject:?}");
        }
    }
    Decoder::new().decode(format!("{text}{plain}").as_bytes(), &mut All(&mut read));
    assert_eq!(read.len(), 2);
    assert_eq!(read[0], read[1]);
}

/// *Scenario:* a point with attributes as CloudWatch itself would send it, in every form.
/// *Guarantees:* they have no place there: the record is that of the point without them.
#[test]
fn cloudwatch_forms_have_no_place_for_them() {
    for format in [Format::Json, Format::Otel07, Format::Otel10] {
        let record = |point: &Point<'_>| {
            let (mut encoder, mut out) = (Encoder::new(format), Vec::new());
            encoder.push(point);
            encoder.finish(&mut out);
            out
        };
        assert_eq!(record(&enriched()), record(&point()));
    }
}
