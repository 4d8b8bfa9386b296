//! A bucket for the backup: what is refused, and all data.

use serde_json::Value;
use testkit::{Peer, Reply};

use crate::cloud::{bucket, delivered, expected, lines, notification};
use crate::emulator::Given;
use crate::objects::{start, taking};

/// *Scenario:* the destination refuses a request for good, and an object holds lines that are none, with
/// a bucket for the backup; then with one that refuses it.
/// *Guarantees:* the records the destination refuses and the lines that are none are in the bucket, under
/// the error prefix, before the answer; nothing fails but the object without any point; a bucket that
/// refuses fails the invocation, since nothing else would keep them.
#[test]
fn a_backup_bucket_takes_what_is_refused() {
    let mut half = lines("half", 0, 3);
    half.extend_from_slice(b"{\"metric_name\":\"cut\n");
    let objects = vec![
        ("refused".to_owned(), lines("refused", 0, 4)),
        ("half".to_owned(), half),
        ("page".to_owned(), b"<html><body>not found</body></html>".to_vec()),
    ];
    let backend = Peer::start(Reply::json(400, r#"{"message":"no such tenant"}"#));
    let keys = ["refused", "half", "page"];
    let given = || keys.map(|key| Given::new(notification(key).to_string())).into();
    let s3 = bucket(objects.clone());
    let backup = "{bucket: kept, error_output_prefix: 'failed/!{firehose:error-output-type}/', \
                  compression: none}";
    let variables = [("HYDRANT_STREAM__BACKUP__S3", backup)];
    let lambda = start(given(), &s3, &backend, &variables);
    let answers = lambda.answers(3);
    let failed: Vec<bool> = answers.iter().map(|a| a.path.ends_with("/error")).collect();
    assert_eq!(failed, [false, false, true], "{answers:?}\n{:?}", lambda.log());
    let puts: Vec<_> = s3.requests().into_iter().filter(|r| r.method == "PUT").collect();
    let (mut records, mut pieces) = (Vec::new(), Vec::new());
    for put in &puts {
        let list = match &put.target {
            key if key.starts_with("/kept/failed/http-endpoint-failed/lambda-1-") => &mut records,
            key if key.starts_with("/kept/failed/quarantine/lambda-1-") => &mut pieces,
            other => panic!("{other}"),
        };
        let lines = put.text();
        list.extend(lines.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()));
    }
    let points: u64 = records.iter().map(|r| r["hydrant"]["points"].as_u64().unwrap()).sum();
    // The piece that is none is an item of its record, too.
    assert_eq!(points, 4 + 3 + 1, "{records:?}");
    let reasons: Vec<_> = pieces.iter().map(|l| l["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["malformed_json", "markup"], "{pieces:?}");

    let s3 = bucket(objects);
    let denied = backup.replace("kept", "denied-bucket");
    let variables = [("HYDRANT_STREAM__BACKUP__S3", denied.as_str())];
    let lambda = start(given(), &s3, &backend, &variables);
    for answer in lambda.answers(3) {
        let (kind, message) = answer.error();
        assert_eq!(kind, "Hydrant.NotDelivered", "{message}");
        assert!(message.contains("backup") && message.contains("AccessDenied"), "{message}");
    }
}

/// *Scenario:* two functions with one bucket for their backups are told of the same object in the same
/// second, and set the same line aside.
/// *Guarantees:* neither writes over what the other kept.
#[test]
fn two_functions_keep_apart() {
    let mut half = lines("half", 0, 3);
    half.extend_from_slice(b"{\"metric_name\":\"cut\n");
    let s3 = bucket(vec![("half".to_owned(), half)]);
    let backend = taking();
    let variables = [("HYDRANT_STREAM__BACKUP__S3", "{bucket: kept}")];
    let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"metrics"}"#;
    let half = || Given::new(notification("half").to_string());
    let one = start(vec![half()], &s3, &backend, &variables);
    let other = start(vec![Given::new(test), half()], &s3, &backend, &variables);
    assert_eq!(one.answer().body["points"]["refused"], 1);
    assert_eq!(other.answers(2)[1].body["points"]["refused"], 1);
    let puts = s3.requests();
    let names: Vec<_> =
        puts.iter().filter(|r| r.method == "PUT").map(|r| r.target.as_str()).collect();
    // The UUID stands behind the second.
    let uuid = |name: &str| name.get(name.len() - 39..name.len() - 3).unwrap().to_owned();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_ne!(uuid(names[0]), uuid(names[1]), "{names:?}");
}

/// *Scenario:* every record is to be backed up, delivered or not.
/// *Guarantees:* the copy is in the bucket before the answer, whatever Firehose's buffering would be,
/// and the points were delivered once.
#[test]
fn a_backup_of_all_data_does_not_wait() {
    let object = lines("all", 0, 5);
    let s3 = bucket(vec![("a".to_owned(), object.clone())]);
    let backend = taking();
    let backup = "{mode: all_data, s3: {bucket: kept, prefix: 'all/', compression: none}}";
    let variables = [("HYDRANT_STREAM__BACKUP", backup)];
    let given = vec![Given::new(notification("a").to_string())];
    let lambda = start(given, &s3, &backend, &variables);
    let answer = lambda.answer();
    assert_eq!(answer.body["points"]["delivered"], 5, "{answer:?}\n{:?}", lambda.log());
    let puts = s3.requests();
    let puts: Vec<_> = puts.iter().filter(|r| r.target.starts_with("/kept/all/")).collect();
    assert_eq!((puts.len(), puts[0].body == object), (1, true), "{:?}", puts[0].target);
    assert_eq!(delivered(&backend.requests()), expected(&[("all", 0, 5)]));
}
