//! The bodies that S3, SNS, EventBridge and their emulators really send.

use serde_json::{Value, json};

use super::{Created, Notice, is_newer, parse};

/// An event of S3 as AWS sends it (version 2.1), with this key.
fn s3_event(version: &str, name: &str, key: &str) -> Value {
    json!({"Records": [{
        "eventVersion": version,
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-11-20T12:00:00.000Z",
        "eventName": name,
        "userIdentity": {"principalId": "AWS:AROAEXAMPLE:firehose"},
        "requestParameters": {"sourceIPAddress": "192.0.2.3"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "x"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "new-objects",
            "bucket": {
                "name": "metrics",
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": "arn:aws:s3:::metrics",
            },
            "object": {
                "key": key,
                "size": 1024,
                "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
                "sequencer": "0055AED6DCD90281E5",
            },
        },
    }]})
}

fn created(key: &str) -> Created {
    Created {
        bucket: "metrics".to_owned(),
        key: key.to_owned(),
        version: Some("096fKKXTRTtl3on89fVO.nfljtsv6qko".to_owned()),
        etag: Some("d41d8cd98f00b204e9800998ecf8427e".to_owned()),
        size: Some(1024),
        sequencer: Some("0055AED6DCD90281E5".to_owned()),
    }
}

fn objects(body: &Value) -> (Vec<Created>, u64) {
    match parse(&body.to_string()) {
        Notice::Objects { created, ignored } => (created, ignored),
        other => panic!("{other:?}"),
    }
}

fn through_sns(body: &Value) -> Value {
    json!({
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:eu-west-1:111122223333:objects",
        "Subject": "Amazon S3 Notification",
        "Message": body.to_string(),
        "Timestamp": "2026-11-20T12:00:00.000Z",
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/x.pem",
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
    })
}

fn event_bridge(kind: &str, key: &str) -> Value {
    json!({
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": kind,
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-11-20T12:00:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:s3:::metrics"],
        "detail": {
            "version": "0",
            "bucket": {"name": "metrics"},
            "object": {
                "key": key,
                "size": 1024,
                "etag": "d41d8cd98f00b204e9800998ecf8427e",
                "version-id": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
                "sequencer": "0055AED6DCD90281E5",
            },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "111122223333",
            "source-ip-address": "192.0.2.3",
            "reason": "PutObject",
        },
    })
}

/// *Scenario:* the same object told by S3 (2.1, 2.3, 2.6), and by servers that spell its key and the
/// name of the event differently.
/// *Guarantees:* it is the same object each time.
#[test]
fn events_of_s3_and_its_emulators_are_read_alike() {
    let expect = created("p/a b+\u{e9}.gz");
    for (version, name, key) in [
        // AWS and ministack; moto, which encodes the slash; LocalStack, which has no plus sign.
        ("2.1", "ObjectCreated:Put", "p/a+b%2B%C3%A9.gz"),
        ("2.3", "ObjectCreated:CompleteMultipartUpload", "p%2Fa+b%2B%C3%A9.gz"),
        ("2.6", "s3:ObjectCreated:Copy", "p/a%20b%2b%c3%a9.gz"),
    ] {
        assert_eq!(objects(&s3_event(version, name, key)), (vec![expect.clone()], 0), "{version}");
    }
}

/// *Scenario:* the event arrives in an SNS envelope, as EventBridge's own, and as EventBridge's in
/// an SNS envelope; EventBridge does not encode keys.
/// *Guarantees:* each gives the object; a `+` and a `%41` in a key of EventBridge stay what they are.
#[test]
fn envelopes_are_opened_and_keys_spelled_right() {
    let event = s3_event("2.1", "ObjectCreated:Put", "a+b%2541");
    assert_eq!(objects(&through_sns(&event)), (vec![created("a b%41")], 0));
    let event = event_bridge("Object Created", "a+b%41");
    assert_eq!(objects(&event), (vec![created("a+b%41")], 0));
    assert_eq!(objects(&through_sns(&event)), (vec![created("a+b%41")], 0));
}

/// *Scenario:* an event as people write it to try a function out: bucket and key, and nothing besides.
/// *Guarantees:* it is an object that was written; it is not passed over in silence.
#[test]
fn an_event_by_hand_names_its_object() {
    let by_hand = json!({"s3": {"bucket": {"name": "metrics"}, "object": {"key": "a+b"}}});
    let (found, ignored) = objects(&json!({ "Records": [by_hand] }));
    let (bucket, key) = (found[0].bucket.as_str(), found[0].key.as_str());
    assert_eq!((found.len(), bucket, key, ignored), (1, "metrics", "a b", 0));
}

/// *Scenario:* removals, restores and other events, alone and beside a new object; no records.
/// *Guarantees:* they are counted as ignored, never read, never an error.
#[test]
fn other_events_are_ignored() {
    for name in ["ObjectRemoved:Delete", "ObjectRestore:Completed", "ReducedRedundancyLostObject"] {
        assert_eq!(objects(&s3_event("2.1", name, "k")), (Vec::new(), 1), "{name}");
    }
    assert_eq!(objects(&event_bridge("Object Deleted", "k")), (Vec::new(), 1));
    let mut both = s3_event("2.1", "ObjectCreated:Put", "k");
    let removed = s3_event("2.1", "ObjectRemoved:Delete", "k")["Records"][0].clone();
    both["Records"].as_array_mut().expect("an array").push(removed);
    assert_eq!(objects(&both), (vec![created("k")], 1));
    assert_eq!(objects(&json!({"Records": []})), (Vec::new(), 0));
}

/// *Scenario:* what S3 sends when a notification is set up, directly and through SNS.
/// *Guarantees:* it is known as the test it is.
#[test]
fn test_events_are_known() {
    let test = json!({
        "Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-20T12:00:00.000Z",
        "Bucket": "metrics", "RequestId": "5582815E1AEA5ADF", "HostId": "x",
    });
    assert_eq!(parse(&test.to_string()), Notice::Test);
    assert_eq!(parse(&through_sns(&test).to_string()), Notice::Test);
}

/// *Scenario:* bodies that tell of no object: text, other JSON, records of other services, keys that
/// are missing or not UTF-8, envelopes without end.
/// *Guarantees:* none is taken for an event, and each says what it is.
#[test]
fn anything_else_is_unknown() {
    let mut nested = json!({"a": 1});
    for _ in 0..6 {
        nested = through_sns(&nested);
    }
    let mut keyless = s3_event("2.1", "ObjectCreated:Put", "k");
    keyless["Records"][0]["s3"]["object"] = json!({});
    let sqs = json!({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]});
    for body in [
        String::new(),
        "hello".to_owned(),
        "42".to_owned(),
        "{\"Type\":\"SubscriptionConfirmation\"}".to_owned(),
        sqs.to_string(),
        keyless.to_string(),
        s3_event("2.1", "ObjectCreated:Put", "%ff").to_string(),
        s3_event("2.1", "ObjectCreated:Put", "a%2").to_string(),
        s3_event("2.1", "ObjectCreated:Put", "a%+1").to_string(),
        nested.to_string(),
    ] {
        match parse(&body) {
            Notice::Unknown(why) => assert!(!why.is_empty()),
            other => panic!("{body}: {other:?}"),
        }
    }
}

/// *Scenario:* sequencers of different lengths and cases.
/// *Guarantees:* they are compared as numbers of any length.
#[test]
fn sequencers_are_numbers() {
    assert!(is_newer("0055AED6DCD90281E6", "0055AED6DCD90281E5"));
    assert!(is_newer("10", "0f"));
    assert!(is_newer("0055AED6DCD90281E500", "55AED6DCD90281E5"));
    assert!(!is_newer("0055aed6dcd90281e5", "55AED6DCD90281E5"));
    assert!(!is_newer("1", "2"));
}
