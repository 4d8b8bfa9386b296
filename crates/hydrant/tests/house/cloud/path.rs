//! The whole path: samples in by every protocol, records out in every format, the same numbers.

use std::fmt::Write as _;

use serde_json::json;

use super::endpoint::Sets;
use super::{ACCOUNT, KEY_ID, REGION, SECRET, bucket, credential, delivery_arn};
use super::{
    Caller, Endpoint, Request, Sums, caller, home, metric_stream, to_endpoint, write_whole,
};
use crate::points::now_ms;
use crate::service::{Home, eventually, free_port};

const FORMATS: [&str; 3] = ["json", "opentelemetry0.7", "opentelemetry1.0"];
const MINUTE_MS: i64 = 60_000;

/// The begin of a minute that is over.
pub(super) fn minute_before(minutes: i64) -> i64 {
    (now_ms() / MINUTE_MS - minutes) * MINUTE_MS
}

/// The same samples in a minute that is over, by every protocol; what must come of them.
fn samples(at_ms: i64) -> (Vec<Request>, Sets) {
    let at = at_ms / 1000;
    let dimensions =
        json!([{"Name": "Till", "Value": "7"}, {"Name": "City", "Value": "New York & Co=1"}]);
    let values = json!({"Namespace": "Shop", "MetricData": [
        {"MetricName": "Orders", "Dimensions": dimensions, "Timestamp": at, "Value": 3, "Unit": "Count"},
        {"MetricName": "Orders", "Dimensions": dimensions, "Timestamp": at + 59, "Value": 4.5, "Unit": "Count"},
        {"MetricName": "Latency", "Timestamp": at, "Values": [10, 0.25, 7], "Counts": [1, 2, 4], "Unit": "Milliseconds"},
        {"MetricName": "Depth", "Timestamp": at, "Value": -2},
    ]});
    let iso = jiff::Timestamp::from_millisecond(at_ms).unwrap().to_string();
    let query = [
        ("Namespace", "Shop"),
        ("MetricData.member.1.MetricName", "Orders"),
        ("MetricData.member.1.Dimensions.member.1.Name", "City"),
        ("MetricData.member.1.Dimensions.member.1.Value", "New York & Co=1"),
        ("MetricData.member.1.Dimensions.member.2.Name", "Till"),
        ("MetricData.member.1.Dimensions.member.2.Value", "7"),
        ("MetricData.member.1.Timestamp", &iso),
        ("MetricData.member.1.Unit", "Count"),
        ("MetricData.member.1.StatisticValues.SampleCount", "10"),
        ("MetricData.member.1.StatisticValues.Sum", "100"),
        ("MetricData.member.1.StatisticValues.Minimum", "1"),
        ("MetricData.member.1.StatisticValues.Maximum", "40"),
    ];
    let requests = vec![
        Request::metrics("PutMetricData", &values),
        Request::metrics_cbor("PutMetricData", &values).gzip(),
        Request::metrics_query("PutMetricData", &query).gzip(),
    ];
    let about =
        |unit: &str, dimensions: &str| format!("{ACCOUNT} {REGION} Shop {unit} {dimensions}");
    let expected = [
        ("Orders", about("Count", "City=New York & Co=1,Till=7"), [14.0, 115.0, 1.0, 40.0]),
        ("Latency", about("Milliseconds", ""), [14.0, 77.0, 0.25, 10.0]),
        ("Depth", about("None", ""), [2.0, -4.0, -2.0, -2.0]),
    ];
    let expected = expected.map(|(name, about, set)| ((name.to_owned(), about, at_ms), set));
    (requests, expected.into())
}

/// A source of Firehose deliveries for each format, with a file behind; and one that the API feeds.
fn settings(home: &Home, ports: [u16; 3]) {
    let (mut sources, mut streams) = (String::new(), String::new());
    for (n, port) in ports.iter().enumerate() {
        write!(
            sources,
            "  in-{n}:\n    type: firehose\n    listen: 127.0.0.1:{port}\n    \
             access_keys: [key-of-the-endpoint]\n"
        )
        .unwrap();
        write!(
            streams,
            "  out-{n}:\n    source: in-{n}\n    destination: {{ type: file, path: {n}.ndjson }}\n"
        )
        .unwrap();
    }
    streams +=
        "  direct:\n    source: cloud\n    destination: { type: file, path: direct.ndjson }\n";
    let key = format!("    credentials: [ {} ]\n", credential(KEY_ID, SECRET, ACCOUNT));
    write_whole(home, &key, &sources, &streams);
}

/// *Scenario:* a delivery stream and a metric stream for each output format, each to a source of
/// Firehose deliveries of the same process, and a metric stream to a stream of the settings; then the
/// same samples by JSON, CBOR with gzip and query with gzip.
/// *Guarantees:* at the end of every path stand the same count, sum, minimum, maximum, dimensions,
/// unit and time, and nothing else of the namespace.
#[test]
fn samples_by_three_protocols_arrive_in_three_formats() {
    let ports = [free_port(), free_port(), free_port()];
    let home = Home::new("cloud-path");
    settings(&home, ports);
    let service = home.start();
    let caller = caller(&home);
    for (n, (format, port)) in FORMATS.iter().zip(ports).enumerate() {
        let name = format!("to-{n}");
        let url = format!("http://127.0.0.1:{port}/");
        let mut stream = to_endpoint(&name, &url, 300);
        if n == 1 {
            let gzip = json!({"ContentEncoding": "GZIP"});
            stream["HttpEndpointDestinationConfiguration"]["RequestConfiguration"] = gzip;
        }
        caller.firehose("CreateDeliveryStream", &stream);
        caller.metrics("PutMetricStream", &metric_stream(&name, &name, format));
    }
    caller.metrics("PutMetricStream", &metric_stream("direct", "direct", "json"));
    let (requests, expected) = samples(minute_before(2));
    for request in &requests {
        let answer = caller.send(request).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let files = ["0.ndjson", "1.ndjson", "2.ndjson", "direct.ndjson"];
    for file in files {
        let read = || Sums::of_file(&home.dir.join(file)).sets;
        eventually(file, || read() == expected, || format!("{:#?}\n{}", read(), service.log()));
    }
    service.stop();
}

/// *Scenario:* a metric stream; `hydrant status` in both forms and /metrics, after some samples.
/// *Guarantees:* they tell what was taken, what the fold holds, and each metric stream with its state.
#[test]
fn what_status_and_metrics_tell() {
    let home = home("cloud-told", "");
    let endpoint = Endpoint::start();
    let service = home.start();
    let caller = caller(&home);
    caller.firehose("CreateDeliveryStream", &to_endpoint("orders", &endpoint.url(), 300));
    caller.metrics("PutMetricStream", &metric_stream("runs", "orders", "json"));
    caller.metrics("PutMetricStream", &metric_stream("rests", "orders", "json"));
    caller.metrics("StopMetricStreams", &json!({"Names": ["rests"]}));
    let (requests, expected) = samples(minute_before(2));
    put_all(&caller, &requests);
    let read = || endpoint.sums().sets;
    eventually("they arrive", || read() == expected, || service.log());
    service.until("all of it is told", |s| {
        s.metric("hydrant_metric_stream_updates_total{source=\"cloud\",metric_stream=\"runs\"}")
            >= 3.0
    });
    let page = service.get("/metrics").text();
    for line in [
        "hydrant_fold_windows{source=\"cloud\"} 1",
        "hydrant_fold_waiting_windows{source=\"cloud\"} 0",
        "hydrant_fold_failures_total{source=\"cloud\"} 0",
        "hydrant_fold_left_out_total{source=\"cloud\",reason=\"too_old\"} 0",
        "hydrant_metric_stream_running{source=\"cloud\",metric_stream=\"runs\"} 1",
        "hydrant_metric_stream_running{source=\"cloud\",metric_stream=\"rests\"} 0",
        "hydrant_metric_stream_updates_total{source=\"cloud\",metric_stream=\"runs\"} 3",
        "hydrant_source_records_total{source=\"cloud\"} 9",
    ] {
        assert!(page.lines().any(|there| there == line), "{line}\n{page}");
    }
    let (code, status, stderr) = home.command(&["status", "--data-dir", "data"]);
    assert_eq!(code, 0, "{stderr}");
    let about = status.lines().skip_while(|line| !line.starts_with("source cloud")).take(7);
    let mut about: Vec<&str> = about.collect();
    // The stream's own metrics are series of an open minute soon after.
    assert!(about[2].contains(" series of open minutes, 1 minute kept ("), "{status}");
    about.remove(2);
    let about = about.join("\n");
    let about = about
        .replace(&home.source.to_string(), "LISTEN")
        .replace(&endpoint.url().replace("/ingest", ""), "PEER");
    let expected = "source cloud  http://LISTEN\n  \
                    7 calls, 9 metric data, 0 records, 1.8 KiB; 1 delivery stream\n  \
                    metric stream rests  stopped  0 updates sent\n  \
                    metric stream runs  running  3 updates sent\n\
                    stream orders  http_endpoint PEER\n  \
                    up  lag 0s  backlog 0 B  0 requests held";
    assert_eq!(about, expected);
    service.stop();
}

/// *Scenario:* two accounts have a metric stream of the same name, one of them stopped; another name is
/// there once.
/// *Guarantees:* `hydrant status` and /metrics tell them apart by account, and the other by its name.
#[test]
fn one_name_in_two_accounts() {
    let home = Home::new("cloud-two-accounts");
    let keys = [(KEY_ID, ACCOUNT), ("AKIDOTHER", "444455556666")];
    let credentials = keys.map(|(id, account)| credential(id, SECRET, account)).join(", ");
    let out = "  out:\n    source: cloud\n    destination: { type: blackhole }\n";
    write_whole(&home, &format!("    credentials: [ {credentials} ]\n"), "", out);
    let service = home.start();
    for (id, account) in keys {
        let caller = Caller::new(home.source, id, SECRET);
        let mut stream = metric_stream("twice", "out", "json");
        for arn in ["FirehoseArn", "RoleArn"] {
            stream[arn] = stream[arn].as_str().unwrap().replace(ACCOUNT, account).into();
        }
        caller.metrics("PutMetricStream", &stream);
    }
    let caller = caller(&home);
    caller.metrics("StopMetricStreams", &json!({"Names": ["twice"]}));
    caller.metrics("PutMetricStream", &metric_stream("once", "out", "json"));
    let page = service.get("/metrics").text();
    let running = "hydrant_metric_stream_running{source=\"cloud\",metric_stream=";
    let told: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix(running)).collect();
    assert_eq!(told, ["\"111122223333/twice\"} 0", "\"444455556666/twice\"} 1", "\"once\"} 1"]);
    let (_, status, _) = home.command(&["status", "--data-dir", "data"]);
    for line in ["111122223333/twice  stopped", "444455556666/twice  running", "once  running"] {
        assert!(status.contains(&format!("metric stream {line}")), "{line}\n{status}");
    }
    service.stop();
}

pub(super) fn put_all(caller: &Caller, requests: &[Request]) {
    for request in requests {
        let answer = caller.send(request).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

/// *Scenario:* a delivery stream to a bucket, with a delimiter, behind a metric stream; and plain
/// records.
/// *Guarantees:* objects hold what was put, under keys with the stream's name and version.
#[test]
fn a_bucket_as_the_destination() {
    let home = home("cloud-bucket", "");
    let s3 = super::Bucket::start();
    super::write(&home, &format!("    s3_endpoint_url: {}\n", s3.peer.url("")), "");
    let service = home.start_with(&super::Bucket::environment());
    let caller = caller(&home);
    let stream = json!({
        "DeliveryStreamName": "to-bucket",
        "ExtendedS3DestinationConfiguration": {
            "RoleARN": bucket("b")["RoleARN"], "BucketARN": "arn:aws:s3:::b",
            "BufferingHints": bucket("b")["BufferingHints"], "Prefix": "p/",
            "ProcessingConfiguration": {"Enabled": true, "Processors": [
                {"Type": "AppendDelimiterToRecord", "Parameters": [
                    {"ParameterName": "Delimiter", "ParameterValue": "\\n"}]}]},
        },
    });
    caller.firehose("CreateDeliveryStream", &stream);
    super::put(&caller, "to-bucket", &["one", "two"]);
    let whole = || {
        let objects = s3.objects();
        let all: Vec<String> =
            objects.values().map(|body| String::from_utf8_lossy(body).into_owned()).collect();
        all.concat()
    };
    eventually("the objects are there", || whole() == "one\ntwo\n", || service.log());
    let keys: Vec<String> = s3.objects().into_keys().collect();
    assert!(
        keys.iter().all(|key| key.starts_with("/b/p/20") && key.contains("/to-bucket-1-20")),
        "{keys:?}"
    );
    assert_eq!(
        delivery_arn("to-bucket"),
        caller.firehose("DescribeDeliveryStream", &super::named("to-bucket"))["DeliveryStreamDescription"]
            ["DeliveryStreamARN"]
    );
    service.stop();
}
