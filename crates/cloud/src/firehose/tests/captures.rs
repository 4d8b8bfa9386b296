//! What current SDKs really send.

use aws::api::{Call, Protocol, Service};
use testkit::Received;

use super::*;

const CLIENTS: [&str; 6] = ["awscli1", "awscli2", "boto3", "boto3_1.34", "jsv3", "rust"];
const CALLS: [&str; 10] = [
    "CreateDeliveryStream",
    "CreateDeliveryStream.2",
    "DescribeDeliveryStream",
    "DescribeDeliveryStream.2",
    "ListDeliveryStreams",
    "ListDeliveryStreams.2",
    "PutRecord",
    "PutRecord.2",
    "PutRecordBatch",
    "PutRecordBatch.2",
];

/// *Scenario:* every captured Firehose request, signed as it was, by a clock that stands where its
/// caller's did; each client creates its stream first.
/// *Guarantees:* all are believed, known and done; their answers hold what the model requires.
#[test]
fn every_captured_request() {
    let mut done = 0;
    for client in CLIENTS {
        let folder = testkit::TempDir::new("firehose-captures");
        let desk = Desk::open(folder.path());
        if !CALLS.iter().any(|call| sent(client, call).is_some_and(|_| call.starts_with("Create")))
        {
            let create = to_endpoint("s");
            let owner = crate::api::Caller {
                account: "123456789012".to_owned(),
                access_key_id: String::new(),
                arn: String::new(),
            };
            let text = create.to_string();
            let call = Call {
                service: Service::Firehose,
                operation: "CreateDeliveryStream".into(),
                protocol: Protocol::Json11,
                query_mode: false,
            };
            let input = call.input(&aws::api::Seen::default(), text.as_bytes()).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let made = crate::firehose::call(&desk.context, &owner, &call.operation, &input);
            runtime.block_on(made).unwrap().unwrap();
        }
        for call in CALLS {
            let Some(request) = sent(client, call) else { continue };
            let (status, told) = replayed(&desk, &request);
            let again = call == "CreateDeliveryStream.2";
            if again {
                assert!(told.contains("ResourceInUseException"), "{told}");
            } else {
                assert_eq!(status, 200, "{client} {call}: {told}");
            }
            let required = match call.split('.').next().unwrap() {
                _ if again => "already exists",
                "CreateDeliveryStream" => "\"DeliveryStreamARN\"",
                "DescribeDeliveryStream" => "\"DeliveryStreamStatus\":\"ACTIVE\"",
                "ListDeliveryStreams" => "\"HasMoreDeliveryStreams\":false",
                "PutRecord" => "\"RecordId\"",
                _ => "\"FailedPutCount\":0",
            };
            assert!(told.contains(required), "{client} {call}: {told}");
            done += 1;
        }
    }
    let there = !testkit::captured_requests().is_empty();
    assert!(!there || done == 30, "{done}");
}

fn sent(client: &str, call: &str) -> Option<Received> {
    testkit::captured_request(&format!("{client}-firehose-{call}"))
}

fn replayed(desk: &Desk, request: &Received) -> (u16, String) {
    let date = request.header("x-amz-date").unwrap();
    let digits = |from: usize, to: usize| date.get(from..to).unwrap().parse::<i64>().unwrap();
    // All captures are of one day.
    assert!(date.starts_with("20261120"));
    let midnight = NOW - 12 * 3_600_000;
    let of_day = digits(9, 11) * 3_600 + digits(11, 13) * 60 + digits(13, 15);
    desk.now.store(midnight + of_day * 1_000, Ordering::Relaxed);
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    desk.respond(&headers, &request.body)
}
