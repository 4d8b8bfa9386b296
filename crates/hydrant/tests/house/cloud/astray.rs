//! Delivery streams that a metric stream misses, and those that cannot run: what is told of them.

use serde_json::json;

use super::path::minute_before;
use super::write;
use super::{Caller, Endpoint, arrives, caller, home, metric_stream, named, put, to_endpoint};
use crate::service::{Home, Service, eventually};

const UNSENT: &str = "hydrant_metric_stream_unsent_updates_total";
const UPDATES: &str = "hydrant_metric_stream_updates_total";

fn of(name: &str, metric_stream: &str) -> String {
    format!("{name}{{source=\"cloud\",metric_stream=\"{metric_stream}\"}}")
}

/// A sample of a minute that is over.
fn sample(caller: &Caller, name: &str, minutes: i64) {
    let at = minute_before(minutes) / 1000;
    let datum = json!({"MetricName": name, "Timestamp": at, "Value": 1});
    caller.metrics("PutMetricData", &json!({"Namespace": "Shop", "MetricData": [datum]}));
}

/// What `hydrant doctor` says is bad.
fn bad(home: &Home) -> (i32, String) {
    let (code, told, _) = home.command(&["doctor", "-c", "hydrant.yaml"]);
    let bad: Vec<&str> = told.lines().filter(|line| line.starts_with("bad")).collect();
    (code, bad.join("\n"))
}

fn topics(service: &Service<'_>) -> Vec<String> {
    let status = service.status();
    let topics = status["journal"]["topics"].as_array().unwrap().iter();
    topics.map(|topic| topic["name"].as_str().unwrap().to_owned()).collect()
}

/// *Scenario:* the delivery stream of a metric stream is deleted, and made again; one of the settings
/// goes with a reload and comes back.
/// *Guarantees:* meanwhile nothing is sent and no topic made; the log, `hydrant status`, `hydrant
/// doctor` and /metrics say so; what comes after is sent.
#[test]
fn a_metric_stream_without_its_delivery_stream() {
    let kept = "  kept:\n    source: cloud\n    destination: { type: file, path: kept.ndjson }\n";
    let home = home("cloud-astray", kept);
    let endpoint = Endpoint::start();
    let service = home.start();
    let caller = caller(&home);
    let made = to_endpoint("made", &endpoint.url(), 300);
    caller.firehose("CreateDeliveryStream", &made);
    for name in ["made", "kept"] {
        caller.metrics("PutMetricStream", &metric_stream(name, name, "json"));
    }
    sample(&caller, "First", 2);
    for name in ["made", "kept"] {
        service.until("it is sent", |s| s.metric(&of(UPDATES, name)) >= 1.0);
    }
    assert_eq!(bad(&home), (0, String::new()));
    let before = topics(&service);

    caller.firehose("DeleteDeliveryStream", &named("made"));
    write(&home, "", "");
    service.process.hang_up();
    service.until("both are missed", |s| s.logged("there is no delivery stream") == 2);
    sample(&caller, "Second", 3);
    for name in ["made", "kept"] {
        service.until("it is counted", |s| s.metric(&of(UNSENT, name)) >= 1.0);
        assert!((service.metric(&of(UPDATES, name)) - 1.0).abs() < 0.1);
    }
    assert_eq!(service.logged("there is no delivery stream"), 2, "once a change");
    let (code, told) = bad(&home);
    assert_eq!((code, told.lines().count()), (1, 2), "{told}");
    let said = "metric stream made: there is no delivery stream \
                arn:aws:firehose:eu-west-1:111122223333:deliverystream/made, so its updates are \
                not sent";
    assert!(told.contains(said), "{told}");
    let (_, status, _) = home.command(&["status", "--data-dir", "data"]);
    assert!(status.contains("metric stream made  running  1 update sent, 1 not sent"), "{status}");
    assert!(status.contains(&format!("! {said}")), "{status}");
    assert_eq!(topics(&service), before);

    caller.firehose("CreateDeliveryStream", &made);
    write(&home, "", kept);
    service.process.hang_up();
    service.until("both are there", |s| s.logged("has its delivery stream again") == 2);
    sample(&caller, "Third", 4);
    let file = home.dir.join("kept.ndjson");
    let texts = || [endpoint.texts().concat(), std::fs::read_to_string(&file).unwrap_or_default()];
    let there = |name: &str| texts().iter().filter(|text| text.contains(name)).count();
    eventually("it is sent again", || there("Third") == 2, || service.log());
    assert_eq!((there("First"), there("Second")), (2, 0));
    assert_eq!(bad(&home), (0, String::new()));
    service.stop();
}

/// *Scenario:* a stream that an earlier release made with a URL that is none takes records; then its
/// destination is changed.
/// *Guarantees:* status, doctor and /metrics say that it is down and why, how much waits and how long;
/// it is said in the log once; all of it arrives in the end.
#[test]
fn a_delivery_stream_that_cannot_run() {
    let home = home("cloud-cannot", "");
    let endpoint = Endpoint::start();
    let service = home.start();
    let caller = caller(&home);
    caller.firehose("CreateDeliveryStream", &to_endpoint("s", "https://example.com/x", 300));
    service.stop();
    let file = home.dir.join("data/cloud/cloud/resources.json");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("https://example.com/x"));
    std::fs::write(&file, text.replace("https://example.com/x", "http://")).unwrap();

    let service = home.start();
    put(&caller, "s", &["one", "two"]);
    let metric =
        |s: &Service<'_>, name: &str| s.metric(&format!("hydrant_stream_{name}{{stream=\"s\"}}"));
    // It is tried again meanwhile.
    service.until("it lags", |s| metric(s, "lag_seconds") > 11.0);
    assert!(metric(&service, "backlog_bytes") > 6.0);
    assert!(metric(&service, "outage") > 0.5);
    let (_, status, _) = home.command(&["status", "--data-dir", "data"]);
    for line in ["stream s  not started", "  down for ", "  ! url: no usable URL"] {
        assert!(status.lines().any(|there| there.starts_with(line)), "{line}\n{status}");
    }
    let (code, told) = bad(&home);
    assert!(code == 1 && told.contains("s: does not run for "), "{told}");
    assert!(told.contains("url: no usable URL") && told.lines().count() == 1, "{told}");
    assert_eq!(service.logged("delivery stream does not run"), 1);

    let to = json!({"Url": endpoint.url(), "AccessKey": "key-of-the-endpoint"});
    let update = json!({
        "DeliveryStreamName": "s",
        "CurrentDeliveryStreamVersionId": "1",
        "DestinationId": "destinationId-000000000001",
        "HttpEndpointDestinationUpdate": {"EndpointConfiguration": to},
    });
    caller.firehose("UpdateDestination", &update);
    arrives(&service, &endpoint, &["one", "two"]);
    service.until("it is up", |s| metric(s, "outage") + metric(s, "backlog_bytes") < 0.5);
    assert_eq!(bad(&home), (0, String::new()));
    service.stop();
}
