//! What was made through the API is there after a restart, and secrets are nowhere to be read.

use serde_json::{Value, json};

use super::path::minute_before;
use super::{Caller, Endpoint, Request, caller, home, metric_stream, named, put, to_endpoint};
use crate::service::{Service, eventually, files_below};

const ACCESS_KEY: &str = "key-of-the-endpoint";

fn all(caller: &Caller) -> Vec<Value> {
    vec![
        caller.firehose("ListDeliveryStreams", &json!({})),
        caller.firehose("DescribeDeliveryStream", &named("orders")),
        caller.firehose("ListTagsForDeliveryStream", &named("orders")),
        caller.metrics("ListMetricStreams", &json!({})),
        caller.metrics("GetMetricStream", &json!({"Name": "all"})),
    ]
}

/// *Scenario:* a delivery stream with an access key and tags and a metric stream; a stop and a start,
/// then SIGKILL and a start, with records and samples after each.
/// *Guarantees:* both are told as they were, and run: records and sums arrive, with the access key.
#[test]
fn resources_survive_a_restart_and_sigkill() {
    let home = home("cloud-restart", "");
    let endpoint = Endpoint::start();
    let caller = caller(&home);
    let service = home.start();
    let mut stream = to_endpoint("orders", &endpoint.url(), 300);
    stream["Tags"] = json!([{"Key": "team", "Value": "shop"}]);
    caller.firehose("CreateDeliveryStream", &stream);
    caller.metrics("PutMetricStream", &metric_stream("all", "orders", "json"));
    let before = all(&caller);
    assert!(!format!("{before:?}").contains(ACCESS_KEY), "{before:?}");
    service.stop();
    let mut expected = 0.0;
    let works = |service: &Service<'_>, round: &str, expected: &mut f64| {
        assert_eq!(all(&caller), before);
        put(&caller, "orders", &[round]);
        *expected += 1.0;
        let at = minute_before(2) / 1000;
        let data = json!([{"MetricName": round, "Timestamp": at, "Value": 1}]);
        let input = json!({"Namespace": "Shop", "MetricData": data});
        assert_eq!(caller.send(&Request::metrics("PutMetricData", &input)).unwrap().status, 200);
        let there = || {
            let texts = endpoint.texts();
            let sum = texts.iter().any(|text| text.contains(&format!("\"{round}\"")));
            sum && texts.iter().any(|text| text == round)
        };
        eventually(round, there, || format!("{:?}\n{}", endpoint.texts(), service.log()));
    };
    let service = home.start();
    works(&service, "after-a-stop", &mut expected);
    service.kill();
    let service = home.start();
    works(&service, "after-a-kill", &mut expected);
    let keys: Vec<_> = endpoint.peer.requests();
    let with = |name: &str| keys.iter().all(|r| r.header(name) == Some(ACCESS_KEY));
    assert!(with("x-amz-firehose-access-key"));
    service.stop();
}

/// *Scenario:* a stream with an access key that fails and is backed up, and is updated to another key.
/// *Guarantees:* neither key is in any file of the data folder, in `Describe`, status, /metrics or log.
#[test]
fn access_keys_are_nowhere_in_clear() {
    let home = home("cloud-keys", "");
    let endpoint = Endpoint::start();
    endpoint.ill(testkit::Reply::json(401, "{\"errorMessage\":\"no\"}"));
    let caller = caller(&home);
    let service = home.start();
    caller.firehose("CreateDeliveryStream", &to_endpoint("orders", &endpoint.url(), 1));
    put(&caller, "orders", &["one"]);
    service.until("it is refused", |s| s.stream("orders")["last_refusal"].is_string());
    let other = "another-key-of-the-endpoint";
    let update = json!({
        "DeliveryStreamName": "orders", "CurrentDeliveryStreamVersionId": "1",
        "DestinationId": "destinationId-000000000001",
        "HttpEndpointDestinationUpdate": {
            "EndpointConfiguration": {"Url": endpoint.url(), "AccessKey": other}}});
    caller.firehose("UpdateDestination", &update);
    put(&caller, "orders", &["two"]);
    let sent = |key: &str| {
        let is = |r: &testkit::Received| r.header("x-amz-firehose-access-key") == Some(key);
        endpoint.peer.requests().iter().any(is)
    };
    service.until("the other key is sent", |_| sent(other) && sent(ACCESS_KEY));
    let describe = caller.firehose("DescribeDeliveryStream", &named("orders"));
    let (_, status, _) = home.command(&["status", "--data-dir", "data"]);
    let told = [
        describe.to_string(),
        service.status().to_string(),
        status,
        service.get("/metrics").text(),
        service.stop(),
    ];
    for key in [ACCESS_KEY, other] {
        for text in &told {
            assert!(!text.contains(key), "{text}");
        }
        for file in files_below(&home.data()) {
            let bytes = std::fs::read(&file).unwrap();
            let found = bytes.windows(key.len()).any(|window| window == key.as_bytes());
            assert!(!found, "{key} is in {}", file.display());
        }
    }
}

/// *Scenario:* the key that seals access keys is lost between two runs; records are put; then the
/// access key is given anew.
/// *Guarantees:* the stream takes records and is shown with why it does not run; nothing of it is
/// called forgotten; with the new key what waited arrives.
#[test]
fn a_lost_seal_key_is_told_and_mended() {
    let home = home("cloud-seal", "");
    let endpoint = Endpoint::start();
    endpoint.ill(testkit::Reply::status(503));
    let caller = caller(&home);
    let service = home.start();
    caller.firehose("CreateDeliveryStream", &to_endpoint("orders", &endpoint.url(), 7200));
    put(&caller, "orders", &["before"]);
    service.stop();
    std::fs::remove_file(home.data().join("cloud/cloud/seal.key")).unwrap();
    endpoint.heal();
    let service = home.start();
    put(&caller, "orders", &["without"]);
    let told = service.stream("orders");
    let waits = told["waits"].to_string();
    assert!(waits.contains("access key cannot be opened"), "{told}");
    assert!(waits.contains("UpdateDestination"), "{told}");
    assert_eq!(service.status()["forgotten"], json!([]));
    assert!(endpoint.texts().is_empty());
    let update = json!({
        "DeliveryStreamName": "orders", "CurrentDeliveryStreamVersionId": "1",
        "DestinationId": "destinationId-000000000001",
        "HttpEndpointDestinationUpdate": {
            "EndpointConfiguration": {"Url": endpoint.url(), "AccessKey": ACCESS_KEY}}});
    caller.firehose("UpdateDestination", &update);
    put(&caller, "orders", &["after"]);
    crate::cloud::arrives(&service, &endpoint, &["before", "without", "after"]);
    service.stop();
}
