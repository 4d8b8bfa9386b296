//! Remote write requests, read back by message types of `prost` that are declared here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metric::{Extra, Point, Shapes, Statistic, Unit};
use proptest::prelude::*;
use prost::Message;
use remote::{OAuth2Config, Secret};
use testkit::{Peer, Reply};

use delivery::Verdict;
use delivery::sink::prometheus::{Config, Naming, Singles};
use delivery::sink::{self, Moment, Offer, Packer, Payload, Wire};

use crate::sink_support::{ARRIVAL_MS, NOW, build, point, prometheus, prometheus_config, run};

/// The instant of [`point`].
const INSTANT_MS: i64 = 1_795_176_000_000;
const MINUTE_NS: u64 = 60_000_000_000;

/// `prometheus.WriteRequest` of remote write 1.0, field by field as published.
#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<MetricMetadata>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
struct MetricMetadata {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(string, tag = "2")]
    metric_family_name: String,
    #[prost(string, tag = "4")]
    help: String,
    #[prost(string, tag = "5")]
    unit: String,
}

fn decode(payload: &Payload) -> WriteRequest {
    let plain = snap::raw::Decoder::new().decompress_vec(&payload.body).unwrap();
    assert_eq!(plain.len(), payload.plain_bytes);
    WriteRequest::decode(&plain[..]).unwrap()
}

fn close(packer: &mut Packer) -> WriteRequest {
    decode(&packer.close())
}

fn offer(packer: &mut Packer, point: &Point<'_>) -> Offer {
    packer.offer(point, None, NOW)
}

/// Labels in the form of a query.
fn shown(series: &TimeSeries) -> String {
    let (mut name, mut labels) = ("", Vec::new());
    for label in &series.labels {
        match label.name.as_str() {
            "__name__" => name = &label.value,
            other => labels.push(format!("{other}={:?}", label.value)),
        }
    }
    format!("{name}{{{}}}", labels.join(","))
}

fn lines(request: &WriteRequest) -> Vec<String> {
    let line = |series: &TimeSeries| {
        let samples: Vec<String> =
            series.samples.iter().map(|s| format!("{}@{}", s.value, s.timestamp)).collect();
        format!("{} {}", shown(series), samples.join(" "))
    };
    request.timeseries.iter().map(line).collect()
}

fn losses(packer: &Packer) -> BTreeMap<&'static str, u64> {
    packer.losses().into_iter().filter(|(_, count)| *count > 0).collect()
}

const PERCENTILES: [Extra<'static>; 3] = [
    Extra { statistic: Statistic::Named(b"p99.9"), value: 19.0 },
    Extra { statistic: Statistic::Named(b"IQM"), value: 12.0 },
    Extra { statistic: Statistic::Quantile(0.5), value: 15.0 },
];

/// *Scenario:* the point of the documentation, with two percentiles and one other statistic.
/// *Guarantees:* exactly these series with YACE's names, the true instant and exact values.
#[test]
fn yace_series() {
    let mut packer = prometheus(|_| {});
    assert_eq!(offer(&mut packer, &Point { extra: &PERCENTILES, ..point() }), Offer::Taken);
    let payload = packer.close();
    assert_eq!((payload.points, packer.points()), (1, 0));
    let labels = r#"account_id="123456789012",dimension_ClusterName="prod",region="eu-west-1""#;
    let expect = [
        ("average", 45.5 / 3.0),
        ("maximum", 20.0),
        ("minimum", 10.0),
        ("sum", 45.5),
        ("sample_count", 3.0),
        ("p99_9", 19.0),
        ("iqm", 12.0),
        ("p50", 15.0),
    ]
    .map(|(statistic, value)| {
        format!("aws_ecs_cpuutilization_{statistic}{{{labels}}} {value}@{INSTANT_MS}")
    });
    assert_eq!(lines(&decode(&payload)), expect);
    assert_eq!(losses(&packer), BTreeMap::new());
}

/// *Scenario:* the same in OpenTelemetry's naming.
/// *Guarantees:* a summary: quantiles, sum and count; what is no quantile is counted as left out.
#[test]
fn otel_series() {
    let mut packer = prometheus(|config| config.naming = Naming::Otel);
    let point = Point { extra: &PERCENTILES, unit: Unit::parse(b"Percent"), ..point() };
    assert_eq!(offer(&mut packer, &point), Offer::Taken);
    let front = r#"ClusterName="prod",MetricName="CPUUtilization",Namespace="AWS/ECS","#;
    let owner = r#"cloud_account_id="123456789012",cloud_provider="aws",cloud_region="eu-west-1""#;
    let expect = [
        ("", "0", 10.0),
        ("", "1", 20.0),
        ("_sum", "", 45.5),
        ("_count", "", 3.0),
        ("", "0.999", 19.0),
        ("", "0.5", 15.0),
    ]
    .map(|(suffix, quantile, value)| {
        let quantile = match quantile {
            "" => String::new(),
            text => format!(",quantile={text:?}"),
        };
        format!(
            "amazonaws_com_AWS_ECS_CPUUtilization_percent{suffix}{{{front}{owner}{quantile}}} \
             {value}@{INSTANT_MS}"
        )
    });
    assert_eq!(lines(&close(&mut packer)), expect);
    assert_eq!(losses(&packer), BTreeMap::from([("statistics_left_out", 1)]));
}

/// *Scenario:* what is not there: no sum, no region, an empty dimension, a count of zero; and what is
/// zero.
/// *Guarantees:* no label without a value, no NaN, no series for what is not known; zeros are sent.
#[test]
fn what_is_not_there_is_left_out() {
    let mut packer = prometheus(|_| {});
    let bare = Point {
        region: b"",
        dimensions: &[(b"A", b""), (b"B", b"b")],
        sum: None,
        min: Some(0.0),
        max: None,
        count: 0.0,
        ..point()
    };
    offer(&mut packer, &bare);
    offer(&mut packer, &Point { name: b"X", sum: Some(5.0), ..bare });
    let labels = r#"{account_id="123456789012",dimension_B="b"}"#;
    let expect = [
        ("aws_ecs_cpuutilization_minimum", 0),
        ("aws_ecs_cpuutilization_sample_count", 0),
        ("aws_ecs_x_minimum", 0),
        ("aws_ecs_x_sum", 5),
        ("aws_ecs_x_sample_count", 0),
    ]
    .map(|(name, value)| format!("{name}{labels} {value}@{INSTANT_MS}"));
    assert_eq!(lines(&close(&mut packer)), expect);
}

/// *Scenario:* three minutes of one series, out of order, the first one corrected later on.
/// *Guarantees:* one series, by rising time; the correction replaces the set as a whole, counted.
#[test]
fn samples_of_a_series_stand_together() {
    let mut packer = prometheus(|_| {});
    let minute = |n: u64, max| Point {
        start_ns: point().start_ns + n * MINUTE_NS,
        max: Some(max),
        ..point()
    };
    for point in [minute(1, 1.0), minute(0, 2.0), minute(2, 3.0)] {
        offer(&mut packer, &point);
    }
    offer(&mut packer, &Point { name: b"Other", ..point() });
    offer(&mut packer, &Point { min: None, ..minute(0, 4.0) });
    let payload = packer.close();
    assert_eq!(payload.points, 5);
    let request = decode(&payload);
    let samples = |name: &str| {
        let series = request.timeseries.iter().find(|s| shown(s).starts_with(name)).unwrap();
        series.samples.iter().map(|s| (s.timestamp - INSTANT_MS, s.value)).collect::<Vec<_>>()
    };
    assert_eq!(
        samples("aws_ecs_cpuutilization_maximum"),
        [(0, 4.0), (60_000, 1.0), (120_000, 3.0)]
    );
    assert_eq!(samples("aws_ecs_cpuutilization_minimum"), [(60_000, 10.0), (120_000, 10.0)]);
    assert_eq!(request.timeseries.len(), 10);
    assert_eq!(losses(&packer), BTreeMap::from([("superseded", 1)]));
}

/// *Scenario:* three minutes of a series; the first and the last have percentiles, not the same ones.
/// *Guarantees:* each percentile is one series with the samples there are, in both namings.
#[test]
fn percentiles_stand_together_too() {
    for naming in [Naming::Yace, Naming::Otel] {
        let mut packer = prometheus(|config| config.naming = naming);
        let minutes = [&PERCENTILES[..1], &[], &PERCENTILES[..], &PERCENTILES[2..]];
        for (n, extra) in [0, 1, 2, 3_u64].into_iter().zip(minutes) {
            let start_ns = point().start_ns + n * MINUTE_NS;
            offer(&mut packer, &Point { start_ns, extra, ..point() });
        }
        let request = close(&mut packer);
        check_request(&request);
        let times = |value: f64| {
            let is_it = |s: &&TimeSeries| s.samples[0].value == value;
            let series: Vec<_> = request.timeseries.iter().filter(is_it).collect();
            assert_eq!(series.len(), 1, "{value}");
            series[0]
                .samples
                .iter()
                .map(|s| (s.timestamp - INSTANT_MS) / 60_000)
                .collect::<Vec<_>>()
        };
        assert_eq!((times(19.0), times(15.0)), (vec![0, 2], vec![2, 3]));
    }
}

/// *Scenario:* five thousand series, each with two minutes, in one request; then a second request.
/// *Guarantees:* all are told apart and found again, before and after the table has grown.
#[test]
fn thousands_of_series_are_told_apart() {
    let mut packer = prometheus(|config| {
        config.samples_max = 1_000_000;
        config.bytes_max = 32 << 20;
    });
    for _ in 0..2 {
        for minute in 0..2 {
            for n in 0..5_000 {
                let queue = format!("queue-{n}");
                let dimensions: [(&[u8], &[u8]); 1] = [(b"QueueName", queue.as_bytes())];
                let start_ns = point().start_ns + minute * MINUTE_NS;
                let point = Point { dimensions: &dimensions, start_ns, ..point() };
                assert_eq!(offer(&mut packer, &point), Offer::Taken);
            }
        }
        let request = close(&mut packer);
        check_request(&request);
        assert_eq!(request.timeseries.len(), 25_000);
        assert!(request.timeseries.iter().all(|series| series.samples.len() == 2));
    }
}

/// *Scenario:* enrichment and external labels.
/// *Guarantees:* attributes are labels, external labels win and can take a label away.
#[test]
fn attributes_and_external_labels() {
    let mut packer = prometheus(|config| {
        config.external_labels = [("region", "mine"), ("account_id", ""), ("z", "1")]
            .map(|(n, v)| (n.into(), v.into()))
            .into();
    });
    let attributes: [(&[u8], &[u8]); 2] = [(b"tag.Name", b"web \"1\"\n"), (b"team", b"a")];
    offer(&mut packer, &Point { attributes: &attributes, ..point() });
    let line = lines(&close(&mut packer)).remove(0);
    assert!(line.starts_with(
        r#"aws_ecs_cpuutilization_average{dimension_ClusterName="prod",region="mine",tag_Name="web \"1\"\n",team="a",z="1"} "#
    ), "{line}");
}

/// *Scenario:* metadata on: the same metrics for six minutes; another shape of one of them.
/// *Guarantees:* type, help and unit of each series with the first request, not with the next, and
/// again after five minutes; once for all shapes.
#[test]
fn metadata_now_and_then() {
    let mut packer = prometheus(|config| config.metadata = true);
    let mut shapes = Shapes::new();
    let mut send = |seconds: i64, points: &[Point<'_>]| {
        let moment = Moment { now_ms: ARRIVAL_MS + seconds * 1_000, arrival_ms: ARRIVAL_MS };
        for point in points {
            packer.offer(point, shapes.intern(point), moment);
        }
        close(&mut packer).metadata
    };
    let percent = Point { unit: Unit::parse(b"Percent"), ..point() };
    let first = send(0, &[percent, Point { dimensions: &[], ..percent }]);
    assert_eq!(first.len(), 5);
    assert_eq!(
        first[0],
        MetricMetadata {
            kind: 2,
            metric_family_name: "aws_ecs_cpuutilization_average".into(),
            help: "CloudWatch AWS/ECS CPUUtilization average".into(),
            unit: "Percent".into(),
        }
    );
    assert_eq!(send(60, &[percent]), []);
    assert_eq!(send(61, &[Point { dimensions: &[(b"A", b"a")], ..percent }]), []);
    assert_eq!(send(299, &[percent]), []);
    assert_eq!(send(300, &[percent]).len(), 5);
    assert_eq!(send(-90_000, &[percent]).len(), 5, "a clock set back does not silence it");

    let mut shapes = Shapes::new();
    let mut packer = prometheus(|config| {
        config.metadata = true;
        config.naming = Naming::Otel;
    });
    let bytes = Point { unit: Unit::parse(b"By/s"), ..point() };
    packer.offer(&bytes, shapes.intern(&bytes), NOW);
    let metadata = &close(&mut packer).metadata;
    assert_eq!(
        (metadata.len(), metadata[0].kind, metadata[0].unit.as_str()),
        (1, 5, "bytes_per_second")
    );
    assert_eq!(
        metadata[0].metric_family_name,
        "amazonaws_com_AWS_ECS_CPUUtilization_bytes_per_second"
    );
}

/// *Scenario:* three metrics of accounts and regions that take turns, in request after request, each
/// beginning elsewhere.
/// *Guarantees:* each series has the labels of its own owner and metric.
#[test]
fn owners_take_turns() {
    let owners = [("1", "r"), ("1", "s"), ("2", "s"), ("2", "r"), ("2", "")];
    for naming in [Naming::Yace, Naming::Otel] {
        let mut packer = prometheus(|config| config.naming = naming);
        let (mut shapes, mut singles) = (Shapes::new(), Singles::new(naming, Vec::new()));
        for from in 0..12 {
            let (mut all, mut points) = (BTreeSet::new(), BTreeSet::new());
            for n in from..from + 9 {
                let (account, region) = owners[n * n % owners.len()];
                let name = format!("Metric{}", n % 3);
                let (account, region) = (account.as_bytes(), region.as_bytes());
                let point = Point { account, region, name: name.as_bytes(), ..point() };
                assert_eq!(packer.offer(&point, shapes.intern(&point), NOW), Offer::Taken);
                points.insert((n % 3, account, region));
                singles.each(&point, |labels, _| {
                    let owned = |(n, v): &(&str, &str)| ((*n).to_owned(), (*v).to_owned());
                    all.insert(labels.iter().map(owned).collect::<Labels>());
                });
            }
            let got = samples(&close(&mut packer));
            let got: BTreeSet<Labels> = got.into_keys().map(|(labels, _)| labels).collect();
            assert_eq!(got, all);
            assert_eq!(got.len() % points.len(), 0, "as many series of each point");
        }
    }
}

/// *Scenario:* the same labels from two metrics: one has them from its name, one from dimensions.
/// *Guarantees:* one series with both samples, as no series may stand in a request twice.
#[test]
fn equal_labels_are_one_series_however_they_came() {
    let mut packer = prometheus(|config| config.naming = Naming::Otel);
    let from_name = Point { dimensions: &[], ..point() };
    let dimensions = [(&b"MetricName"[..], from_name.name), (b"Namespace", from_name.namespace)];
    let from_dimensions =
        Point { dimensions: &dimensions, start_ns: point().start_ns + MINUTE_NS, ..point() };
    for point in [&from_name, &from_dimensions] {
        assert_eq!(offer(&mut packer, point), Offer::Taken);
    }
    let request = close(&mut packer);
    check_request(&request);
    assert_eq!(request.timeseries.len(), 4);
    assert!(request.timeseries.iter().all(|series| series.samples.len() == 2));
}

/// *Scenario:* refused points with labels that nothing else has, between small ones and before any.
/// *Guarantees:* what they leave behind is bounded: the request is full before long, or forgets them.
#[test]
fn refused_points_do_not_pile_up() {
    let mut packer = prometheus(|config| config.bytes_max = 200_000);
    let large = |n: usize| format!("{n}{}", "x".repeat(50_000));
    let offer_large = |packer: &mut Packer, n| {
        let value = large(n);
        let dimensions = [(&b"A"[..], value.as_bytes())];
        let refused = offer(packer, &Point { dimensions: &dimensions, ..point() });
        assert_eq!(refused, Offer::Refused("too_large"));
    };
    (0..20).for_each(|n| offer_large(&mut packer, n));
    assert!(!packer.full());
    offer(&mut packer, &point());
    let taken = (0..20).take_while(|n| {
        offer_large(&mut packer, *n);
        !packer.full()
    });
    assert!(taken.count() < 5);
    assert_eq!(close(&mut packer).timeseries.len(), 5);
}

/// *Scenario:* small limits on samples and on bytes; a point that is larger than a request.
/// *Guarantees:* no request is above its limits; the large point is refused and leaves no trace.
#[test]
fn requests_keep_their_limits() {
    for (samples_max, bytes_max) in [(50, 1 << 20), (5, 1 << 20), (1_000_000, 40_000)] {
        let mut packer = prometheus(|config| {
            config.samples_max = samples_max;
            config.bytes_max = bytes_max;
        });
        let mut requests = Vec::new();
        for n in 0..300 {
            let name = format!("Metric{n}");
            if packer.full() {
                requests.push(packer.close());
            }
            assert_eq!(
                offer(&mut packer, &Point { name: name.as_bytes(), ..point() }),
                Offer::Taken
            );
        }
        requests.push(packer.close());
        assert!(requests.len() > 3);
        assert_eq!(requests.iter().map(|r| r.points).sum::<u32>(), 300);
        for request in requests {
            assert!(request.plain_bytes <= bytes_max, "{}", request.plain_bytes);
            let samples: usize = decode(&request).timeseries.iter().map(|s| s.samples.len()).sum();
            assert!(samples <= samples_max as usize, "{samples}");
        }
    }
    let mut packer = prometheus(|config| config.bytes_max = 2_000);
    let long = [b'x'; 1_000];
    let large = Point { dimensions: &[(b"A", &long)], extra: &PERCENTILES, ..point() };
    assert_eq!(offer(&mut packer, &large), Offer::Refused("too_large"));
    assert_eq!(packer.points(), 0);
    offer(&mut packer, &point());
    assert_eq!(close(&mut packer).timeseries.len(), 5);
}

/// *Scenario:* a series' first point has no percentiles; those of the following minutes have some, each
/// others, and then again the same.
/// *Guarantees:* no request is above its limit in bytes, though each percentile begins series with all
/// labels; minutes that begin none cost a sample each.
#[test]
fn later_percentiles_keep_the_limits() {
    let long = [b'x'; 255];
    let minute = |n: u64| 1_795_176_000_000_000_000 + n * 60_000_000_000;
    let mut packer = prometheus(|config| {
        (config.bytes_max, config.samples_max) = (64 << 10, 1_000_000);
    });
    let mut requests = Vec::new();
    for n in 0..400 {
        // A statistic is new every fourth minute.
        let quantile = |e| Statistic::Quantile((n / 4 * 5 + e + 1) as f64 / 1_000.0);
        let extra: Vec<Extra<'_>> =
            (0..5).map(|e| Extra { statistic: quantile(e), value: 1.0 }).collect();
        let extra = if n == 0 { &[][..] } else { &extra };
        let (start_ns, end_ns) = (minute(n), Some(minute(n + 1)));
        let point = Point { dimensions: &[(b"A", &long)], extra, start_ns, end_ns, ..point() };
        if packer.full() {
            requests.push(packer.close());
        }
        assert_eq!(offer(&mut packer, &point), Offer::Taken);
    }
    requests.push(packer.close());
    let sizes: Vec<usize> = requests.iter().map(|request| request.plain_bytes).collect();
    assert!(sizes.iter().all(|bytes| *bytes <= 64 << 10), "{sizes:?}");
    let full = &sizes[..sizes.len() - 1];
    assert!(full.iter().all(|bytes| *bytes > 32 << 10), "{sizes:?}");
}

/// *Scenario:* a receiver, asked with every kind of credential.
/// *Guarantees:* one POST with the headers of remote write 1.0, in Snappy's raw form; delivered.
#[test]
fn a_receiver_gets_its_request() {
    let peer = Peer::start(Reply::status(204));
    let provider = Peer::start(Reply::json(200, r#"{"access_token":"t0k","expires_in":3600}"#));
    let send = |change: &dyn Fn(&mut Config)| {
        let mut config = prometheus_config(&peer.url("/api/v1/write?x=1"));
        change(&mut config);
        let (mut packer, wire) = build(&sink::Config::Prometheus(config));
        assert!(wire.ordered());
        offer(&mut packer, &point());
        assert_eq!(run(wire.send(&packer.close())), Verdict::Delivered);
        peer.requests().pop().unwrap()
    };
    let request = send(&|config| {
        config.basic_auth = Some(("Aladdin".into(), Secret::new("open sesame")));
        config.headers = vec![("X-Scope-OrgID".into(), Secret::new("blue"))];
    });
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/api/v1/write?x=1"));
    for (name, value) in [
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "0.1.0"),
        ("x-scope-orgid", "blue"),
        ("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert!(request.header("user-agent").unwrap().starts_with("hydrant/"));
    let plain = snap::raw::Decoder::new().decompress_vec(&request.body).unwrap();
    assert_eq!(WriteRequest::decode(&plain[..]).unwrap().timeseries.len(), 5);

    let request = send(&|config| config.bearer_token = Some(Secret::new("b")));
    assert_eq!(request.header("authorization"), Some("Bearer b"));
    let request = send(&|config| {
        config.oauth2 = Some(OAuth2Config {
            token_url: provider.url("/token"),
            client_id: "id".into(),
            client_secret: Secret::new("s"),
            audience: None,
            scope: None,
            renew_before: Duration::from_secs(60),
        });
    });
    assert_eq!(request.header("authorization"), Some("Bearer t0k"));
}

/// *Scenario:* a token that is refused once, and one that is refused again.
/// *Guarantees:* the first time another is fetched and tried at once, quietly; then loudly.
#[test]
fn a_refused_token_is_fetched_anew() {
    let peer = Peer::start(Reply::status(401));
    let provider = Peer::start(Reply::json(200, r#"{"access_token":"t0k","expires_in":3600}"#));
    let mut config = prometheus_config(&peer.url(""));
    config.oauth2 = Some(OAuth2Config {
        token_url: provider.url("/token"),
        client_id: "id".into(),
        client_secret: Secret::new("s"),
        audience: None,
        scope: None,
        renew_before: Duration::from_secs(60),
    });
    let (mut packer, wire) = build(&sink::Config::Prometheus(config));
    offer(&mut packer, &point());
    let payload = packer.close();
    run(async {
        let verdict = wire.send(&payload).await;
        assert!(matches!(verdict, Verdict::Later { after: Some(Duration::ZERO), loud: false, .. }));
        let verdict = wire.send(&payload).await;
        assert!(matches!(verdict, Verdict::Later { loud: true, .. }), "{verdict:?}");
    });
    assert_eq!(provider.count(), 2);
}

/// *Scenario:* probes of a receiver that is well, and of a path where there is none.
/// *Guarantees:* an empty request in Snappy, nothing else; known is told from unknown.
#[test]
fn a_probe_writes_nothing() {
    let peer = Peer::start(Reply::status(204));
    let (_, wire) = build(&sink::Config::Prometheus(prometheus_config(&peer.url("/w"))));
    assert_eq!(run(wire.probe()), Verdict::Delivered);
    let body = &peer.requests()[0].body;
    assert_eq!(snap::raw::Decoder::new().decompress_vec(body).unwrap(), Vec::<u8>::new());
    peer.set(Reply::body(404, "text/plain", "404 page not found"));
    let Verdict::Later { loud: true, why, .. } = run(wire.probe()) else { panic!("404 is loud") };
    assert!(why.message.contains("--web.enable-remote-write-receiver"), "{}", why.message);
    assert!(wire.describe().starts_with("prometheus_remote_write http://"));
}

/// *Scenario:* a receiver that refuses everything as out of order, hundreds of times in a row.
/// *Guarantees:* a request of many points is divided until the purse is empty; then it is refused as
/// it is, and the text says why.
#[test]
fn divisions_are_bounded() {
    let peer = Peer::start(Reply::body(400, "text/plain", "out of order sample\n"));
    let (mut packer, wire): (Packer, Wire) =
        build(&sink::Config::Prometheus(prometheus_config(&peer.url(""))));
    offer(&mut packer, &point());
    offer(&mut packer, &Point { name: b"Other", ..point() });
    let payload = packer.close();
    let last = run(async {
        for _ in 0..10_000 {
            match wire.send(&payload).await {
                Verdict::Divide { why } => assert!(why.message.contains("out of order")),
                other => return other,
            }
        }
        panic!("divided for ever");
    });
    let Verdict::Never { why } = last else { panic!("{last:?}") };
    assert!(why.message.contains("out of order") && why.message.contains("2 points"), "{why:?}");
    assert!(peer.count() > 256);
}

/// Labels that two points may share, or share after their names are cleaned.
fn dimensions() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof!["[ab][.-]?b", "__name__|quantile|region|Namespace", ".{0,12}"];
    proptest::collection::vec((name, "[xy]|.{0,20}"), 0..4)
}

fn is_name(text: &str, also: fn(u8) -> bool) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || also(b))
}

/// What a request must be whatever is in it.
fn check_request(request: &WriteRequest) {
    let mut seen = BTreeSet::new();
    for series in &request.timeseries {
        let names: Vec<&str> = series.labels.iter().map(|l| l.name.as_str()).collect();
        assert!(names.windows(2).all(|w| w[0] < w[1]), "{names:?}");
        assert_eq!(names.iter().filter(|n| **n == "__name__").count(), 1);
        for label in &series.labels {
            assert!(!label.value.is_empty());
            if label.name == "__name__" {
                assert!(is_name(&label.value, |b| b == b':'), "{}", label.value);
            } else {
                assert!(is_name(&label.name, |_| false) && !label.name.starts_with("__"));
            }
        }
        assert!(!series.samples.is_empty());
        assert!(series.samples.windows(2).all(|w| w[0].timestamp < w[1].timestamp));
        assert!(series.samples.iter().all(|s| s.value.is_finite()));
        assert!(seen.insert(shown(series)), "twice: {}", shown(series));
    }
}

type Labels = Vec<(String, String)>;
/// Value bits by series and instant.
type Samples = BTreeMap<(Labels, i64), u64>;

/// The samples of a request, which is a good one.
fn samples(request: &WriteRequest) -> Samples {
    check_request(request);
    let mut got = Samples::new();
    for series in &request.timeseries {
        let labels: Labels =
            series.labels.iter().map(|l| (l.name.clone(), l.value.clone())).collect();
        for sample in &series.samples {
            got.insert((labels.clone(), sample.timestamp), sample.value.to_bits());
        }
    }
    got
}

fn expected(model: BTreeMap<(Labels, u64), Vec<(Labels, f64)>>) -> Samples {
    let of_point = |((_, minute), all): ((Labels, u64), Vec<(Labels, f64)>)| {
        let at_ms = INSTANT_MS + minute as i64 * 60_000;
        all.into_iter().map(move |(labels, value)| ((labels, at_ms), value.to_bits()))
    };
    model.into_iter().flat_map(of_point).collect()
}

proptest! {
    /// *Scenario:* points of any names, many of which become one, of several owners, in a few
    /// minutes, in any order, in one request or several.
    /// *Guarantees:* valid names, sorted and unique labels, unique series, rising times; and for
    /// each series and instant of a request the value of the last point.
    #[test]
    fn any_points_make_a_good_request(
        points in proptest::collection::vec(
            (
                ("AWS/[AB]|.{1,8}", "[ab]C|[ab]_c|.{1,8}"),
                dimensions(),
                dimensions(),
                (0..4_u64, -1e9..1e9f64, any::<bool>()),
                ("[12]", "[rs]?", proptest::bool::weighted(0.1)),
                proptest::sample::subsequence(PERCENTILES.to_vec(), 0..3),
            ),
            1..40,
        ),
        otel in any::<bool>(),
    ) {
        let naming = if otel { Naming::Otel } else { Naming::Yace };
        let external = vec![("cluster".to_owned(), "c".to_owned())];
        let mut packer = prometheus(|config| {
            config.naming = naming;
            config.external_labels = external.clone();
            config.metadata = true;
        });
        let mut shapes = Shapes::new();
        let mut singles = Singles::new(naming, external);
        // By name of its count, which every point has, and instant: all its series.
        let mut model: BTreeMap<(Labels, u64), Vec<(Labels, f64)>> = BTreeMap::new();
        for ((namespace, name), dimensions, attributes, numbers, owner, extra) in &points {
            let (minute, value, whole) = numbers;
            let (account, region, closed) = owner;
            let pairs = |list: &'_ [(String, String)]| -> Vec<(Vec<u8>, Vec<u8>)> {
                list.iter().map(|(n, v)| (n.clone().into_bytes(), v.clone().into_bytes())).collect()
            };
            let (dimensions, attributes) = (pairs(dimensions), pairs(attributes));
            let borrowed = |list: &'_ [(Vec<u8>, Vec<u8>)]| -> Vec<(&'static [u8], &'static [u8])> {
                // Tests may leak: the property runs a few hundred times.
                list.iter().map(|(n, v)| (&*n.clone().leak(), &*v.clone().leak())).collect()
            };
            let (dimensions, attributes) = (borrowed(&dimensions), borrowed(&attributes));
            let point = Point {
                namespace: namespace.as_bytes(),
                name: name.as_bytes(),
                account: account.as_bytes(),
                region: region.as_bytes(),
                dimensions: &dimensions,
                attributes: &attributes,
                start_ns: point().start_ns + minute * MINUTE_NS,
                sum: whole.then_some(*value),
                max: Some(*value),
                extra,
                ..point()
            };
            prop_assert_eq!(packer.offer(&point, shapes.intern(&point), NOW), Offer::Taken);
            let mut all: Vec<(Labels, f64)> = Vec::new();
            singles.each(&point, |labels, value| {
                let labels = labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
                all.push((labels.collect(), value));
            });
            let count = all.iter().find(|(labels, _)| {
                labels.iter().any(|(n, v)| n == "__name__" && v.ends_with("_count"))
            });
            model.insert((count.unwrap().0.clone(), *minute), all);
            if *closed {
                prop_assert_eq!(samples(&close(&mut packer)), expected(std::mem::take(&mut model)));
            }
        }
        if !model.is_empty() {
            prop_assert_eq!(samples(&close(&mut packer)), expected(model));
        }
    }
}
