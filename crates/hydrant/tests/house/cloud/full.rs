//! A disk that is full: calls are throttled as AWS throttles, and nothing that was taken is lost.

use std::collections::BTreeSet;

use serde_json::json;
use testkit::Reply;

use super::{Endpoint, Request, caller, metric_stream, record, to_endpoint, write};
use crate::disk::Mount;
use crate::service::{Home, eventually};

/// With the disk's 40 MiB this leaves room for a few batches.
const BALLAST_BYTES: usize = 10 << 20;
/// Batches of more than the disk holds.
const BATCHES_MAX: usize = 40;
const RECORD_BYTES: usize = 500_000;

/// A record of many bytes with a name at its begin.
fn named_record(name: &str) -> Vec<u8> {
    let mut data = name.as_bytes().to_vec();
    data.resize(RECORD_BYTES, b'.');
    data
}

/// *Scenario:* the endpoint is down and batches fill the disk; then samples are put; then the endpoint
/// is well, and somebody makes room.
/// *Guarantees:* a batch for which there is no room is told which of its records are not kept, or that
/// the service is unavailable; a sample is throttled; both with the errors that SDKs repeat. What was
/// acknowledged arrives, and with room calls are taken again.
#[test]
fn a_full_disk_throttles() {
    let home = Home::new("cloud-full");
    let _mount = Mount::new(&home.data());
    let ballast = home.data().join("ballast");
    std::fs::write(&ballast, vec![0; BALLAST_BYTES]).unwrap();
    write(&home, "", "");
    let endpoint = Endpoint::start();
    endpoint.ill(Reply::status(503));
    let service = home.start();
    let caller = caller(&home);
    caller.firehose("CreateDeliveryStream", &to_endpoint("orders", &endpoint.url(), 7200));
    caller.metrics("PutMetricStream", &metric_stream("all", "orders", "json"));
    let mut acknowledged = BTreeSet::new();
    let mut refused = None;
    for number in 0..BATCHES_MAX {
        let names: Vec<String> = (0..8).map(|n| format!("r-{number}-{n}.")).collect();
        let records: Vec<_> = names.iter().map(|name| record(&named_record(name))).collect();
        let input = json!({"DeliveryStreamName": "orders", "Records": records});
        let answer = caller.send(&Request::firehose("PutRecordBatch", &input)).unwrap();
        let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        if answer.status != 200 {
            refused = Some((answer.status, told));
            break;
        }
        let answers = told["RequestResponses"].as_array().unwrap();
        let failed = answers.iter().filter(|one| one["ErrorCode"].is_string());
        assert_eq!(told["FailedPutCount"], failed.clone().count());
        for one in failed {
            assert_eq!(one["ErrorCode"], "ServiceUnavailableException");
            assert_eq!(one["ErrorMessage"], "Slow down.");
        }
        let kept = names.into_iter().zip(answers).filter(|(_, one)| one["RecordId"].is_string());
        acknowledged.extend(kept.map(|(name, _)| name));
    }
    let (status, told) = refused.expect("the disk is smaller than all batches");
    assert_eq!(
        (status, &told["__type"], &told["message"]),
        (500, &json!("ServiceUnavailableException"), &json!("Slow down."))
    );
    assert!(acknowledged.len() >= 8, "{}", acknowledged.len());
    let sample = |name: &str| {
        let data = json!([{"MetricName": name, "Timestamp": super::path::minute_before(2) / 1000, "Value": 1}]);
        Request::metrics("PutMetricData", &json!({"Namespace": "Shop", "MetricData": data}))
    };
    let (status, name, message) = caller.refused(&sample("refused"));
    assert_eq!((status, name.as_str()), (400, "ThrottlingException"), "{message}");
    let ready = service.get("/readyz");
    assert!(ready.status == 503 && ready.text().contains("No space left"), "{}", ready.text());

    endpoint.heal();
    let arrived = || {
        let name = |record: &Vec<u8>| {
            let end = record.iter().position(|byte| *byte == b'.').unwrap_or(0) + 1;
            String::from_utf8_lossy(record.get(..end).unwrap_or_default()).into_owned()
        };
        endpoint.records().iter().map(name).collect::<BTreeSet<String>>()
    };
    eventually("what was taken arrives", || acknowledged.is_subset(&arrived()), || service.log());
    std::fs::remove_file(&ballast).unwrap();
    let taken = || caller.send(&sample("taken")).unwrap().status == 200;
    eventually("samples are taken again", taken, || service.log());
    let there = || endpoint.texts().iter().any(|text| text.contains("\"taken\""));
    eventually("and arrive", there, || service.log());
    assert!(!endpoint.texts().iter().any(|text| text.contains("\"refused\"")));
    service.stop();
}
