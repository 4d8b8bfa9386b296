//! Bad input by name, asked of the running port. The texts are tested in `cloud`; here it is that
//! they come out of the port with AWS's status, in a form that SDKs read, and that nothing is kept.

use serde_json::{Value, json};

use super::{Request, batch, caller, home, metric_stream, named, record, to_endpoint};
use crate::points::now_ms;

fn datum(more: Value) -> Value {
    let mut datum = json!({"MetricName": "m"});
    for (name, value) in more.as_object().unwrap() {
        datum[name] = value.clone();
    }
    datum
}

fn put_data(data: Vec<Value>) -> Request {
    Request::metrics("PutMetricData", &json!({"Namespace": "Shop", "MetricData": data}))
}

fn put(more: Value) -> Request {
    put_data(vec![datum(more)])
}

/// What, the call, and the error it gets.
fn cases() -> Vec<(&'static str, Request, &'static str)> {
    let (invalid, missing) =
        ("InvalidParameterValueException", "MissingRequiredParameterException");
    let value = || json!({"Value": 1});
    let three_weeks = now_ms() / 1000 - 21 * 86_400;
    let mut both = metric_stream("both", "there", "json");
    both["ExcludeFilters"] = json!([{"Namespace": "AWS/EC2"}]);
    let mut wrong_case = to_endpoint("case", "http://127.0.0.1:9/", 1);
    let endpoint = &mut wrong_case["HttpEndpointDestinationConfiguration"];
    endpoint["RequestConfiguration"] = json!({"ContentEncoding": "gzip"});
    let texts = |count: usize| vec![String::new(); count];
    let large = json!({"DeliveryStreamName": "there", "Record": record(&vec![0; 1_024_001])});
    let nan = br#"{"Namespace":"Shop","MetricData":[{"MetricName":"m","Value":NaN}]}"#;
    let mut by_text = put(value());
    by_text.body = nan.to_vec();
    vec![
        (
            "unknown action",
            Request::metrics("PutMetricDatum", &json!({})),
            "UnknownOperationException",
        ),
        (
            "unknown action",
            Request::firehose("PutRecords", &json!({})),
            "UnknownOperationException",
        ),
        ("wrong enum case", put(json!({"Value": 1, "Unit": "count"})), invalid),
        (
            "wrong enum case",
            Request::firehose("CreateDeliveryStream", &wrong_case),
            "ValidationException",
        ),
        ("1,001 metrics", put_data(vec![datum(value()); 1001]), invalid),
        ("151 values", put(json!({"Values": vec![1; 151]})), invalid),
        ("NaN", by_text, "SerializationException"),
        (
            "a dimension without a value",
            put(json!({"Value": 1, "Dimensions": [{"Name": "d"}]})),
            missing,
        ),
        ("three weeks old", put(json!({"Value": 1, "Timestamp": three_weeks})), invalid),
        (
            "include and exclude",
            Request::metrics("PutMetricStream", &both),
            "InvalidParameterCombinationException",
        ),
        (
            "no delivery stream",
            Request::metrics("PutMetricStream", &metric_stream("s", "nowhere", "json")),
            invalid,
        ),
        (
            "a batch of 501",
            Request::firehose("PutRecordBatch", &batch("there", &texts(501))),
            "ValidationException",
        ),
        ("1,000 KiB and a byte", Request::firehose("PutRecord", &large), "ValidationException"),
        (
            "a stream that is not there",
            Request::firehose("PutRecordBatch", &batch("nowhere", &texts(1))),
            "ResourceNotFoundException",
        ),
    ]
}

/// *Scenario:* each bad input that is known by name.
/// *Guarantees:* AWS's error with status 400 for each, and nothing of any is kept. A stream in use is
/// deleted, as by AWS; the metric stream then says that it has nowhere to deliver to.
#[test]
fn bad_input_by_name() {
    let home = home("cloud-bad", "");
    let service = home.start();
    let caller = caller(&home);
    caller.firehose("CreateDeliveryStream", &to_endpoint("there", "http://127.0.0.1:9/", 300));
    let mut failures = Vec::new();
    for (what, request, expected) in cases() {
        let (status, name, message) = caller.refused(&request);
        if (status, name.as_str()) != (400, expected) {
            failures.push(format!("{what}: {status} {name}: {message}"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(service.metric("hydrant_journal_entries_total{topic=\"cloud\"}"), 0.0);
    caller.metrics("PutMetricStream", &metric_stream("s", "there", "json"));
    caller.firehose("DeleteDeliveryStream", &named("there"));
    let told = caller.metrics("GetMetricStream", &json!({"Name": "s"}));
    assert_eq!(told["State"], "running", "{told}");
    service.stop();
}
