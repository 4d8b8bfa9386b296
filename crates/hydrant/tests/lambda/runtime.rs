//! The loop, the events it tells apart, and settings that are wrong.

use serde_json::json;
use testkit::Reply;

use crate::emulator::{Given, Lambda, PATIENCE};

/// A transformation of one record that holds nothing.
fn small_transformation() -> String {
    json!({
        "invocationId": "i", "region": "eu-west-1",
        "deliveryStreamArn": "arn:aws:firehose:eu-west-1:111122223333:deliverystream/d",
        "records": [{ "recordId": "r1", "approximateArrivalTimestamp": 1, "data": "" }],
    })
    .to_string()
}

/// *Scenario:* four events in a row, the second one of a kind nobody knows, the third one too large.
/// *Guarantees:* each is answered under its own id, in order; an unknown one says what is understood
/// and what it had instead; the loop goes on, and the log carries the ids.
#[test]
fn answers_go_to_their_invocation() {
    let unknown = r#"{"key1":"value1","key2":"value2"}"#;
    let given = vec![
        Given::new(small_transformation()),
        Given::new(unknown),
        Given::new("x".repeat(9 << 20)),
        Given::new(small_transformation()),
    ];
    let lambda = Lambda::start(given, &[]);
    let answers = lambda.answers(4);
    assert_eq!(answers[0].path, "invocation/request-1/response");
    assert_eq!(answers[0].body["records"][0]["recordId"], "r1");
    assert_eq!(answers[1].path, "invocation/request-2/error");
    let (kind, message) = answers[1].error();
    assert_eq!(kind, "Hydrant.UnknownEvent");
    for part in ["its members are key1, key2", "aws:s3", "aws:sqs", "bucket_name", "recordId"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    assert_eq!(answers[2].path, "invocation/request-3/error");
    let (kind, message) = answers[2].error();
    assert_eq!(kind, "Hydrant.UnknownEvent");
    assert!(message.contains("more than 8 MiB"), "{message}");
    assert_eq!(answers[3].path, "invocation/request-4/response");
    let failed = lambda.logged("invocation failed", 2);
    assert_eq!(failed[0]["requestId"], "request-2");
    assert_eq!(failed[0]["level"], "ERROR");
    let asked = lambda.peer.requests();
    assert!(asked.iter().all(|request| request.header("host").is_some()));
}

/// *Scenario:* the same event under every shape that names no object: wrong JSON, an array, empty
/// Records, Records of another service, and notifications without a destination.
/// *Guarantees:* each fails with a reason of its own; none ends the process.
#[test]
fn what_is_not_understood_says_why() {
    let cases = [
        ("{\"Records\":", "EOF"),
        ("[1,2]", "invalid type"),
        (r#"{"Records":[]}"#, "Records is empty"),
        (r#"{"Records":[{"eventSource":"aws:kinesis"}]}"#, "Records come from aws:kinesis"),
        (r#"{"Records":[{}]}"#, "Records name no eventSource"),
        (r#"{"Records":[{"eventSource":"aws:sqs"}]}"#, "missing field `messageId`"),
        (r#"{"bucket_name":7}"#, "invalid type: integer `7`"),
        (r#"{}"#, "a backfill needs a bucket"),
    ];
    let given = cases.iter().map(|(event, _)| Given::new(*event)).collect();
    let lambda = Lambda::start(given, &[]);
    for (answer, (event, part)) in lambda.answers(cases.len()).iter().zip(cases) {
        let (_, message) = answer.error();
        assert!(message.contains(part), "{event}: {message}");
    }
}

/// *Scenario:* the runtime API does not take the answer (413); then it breaks (500).
/// *Guarantees:* the invocation is failed with words instead of being left to its time-out; a broken
/// API ends the process.
#[test]
fn an_answer_that_is_not_taken() {
    let given = vec![Given::new(small_transformation()), Given::new(small_transformation())];
    let mut lambda = Lambda::start_with(given, &[], |request| {
        if request.target.contains("request-2") {
            return Reply::status(500);
        }
        Reply::status(if request.target.ends_with("/response") { 413 } else { 202 })
    });
    let answers = lambda.answers(3);
    let (kind, message) = answers[1].error();
    assert_eq!(
        (answers[1].path.as_str(), kind),
        ("invocation/request-1/error", "Hydrant.AnswerRefused")
    );
    assert!(message.contains("413"), "{message}");
    assert_eq!(lambda.process.wait(PATIENCE).code(), Some(69));
}

/// *Scenario:* variables that are wrong in seven ways.
/// *Guarantees:* all are told at once, as the init error, each with the variable that is wrong, and no
/// secret among them; the process ends with 78.
#[test]
fn wrong_settings_are_told_all_at_once() {
    let variables = [
        ("HYDRANT_STREAM__DESTINATION__TYPE", "dynatrace"),
        ("HYDRANT_STREAM__DESTINATION__URL", "abc12345.live.dynatrace.com"),
        ("HYDRANT_STREAM__DESTINATION__API_TOKN", "dt0c01.SECRET"),
        ("HYDRANT_STREAM__RETRY_DURATION", "forever"),
        ("HYDRANT_STREAM__INCLUDE", "[{namespace: AWS/EC2, metrics: [a]}]"),
        ("HYDRANT_ON_REFUSED", "shrug"),
        ("HYDRANT_DEADLINE_MARGIN", "3"),
        ("HYDRANT_SOURCE__ASSUME_ROLE", "{role_arn: reader, external_id: sesame}"),
    ];
    let mut lambda = Lambda::start(Vec::new(), &variables);
    let answer = lambda.answer();
    assert_eq!(answer.path, "init/error");
    let (kind, message) = answer.error();
    assert_eq!(kind, "Hydrant.BadSettings");
    for part in [
        "HYDRANT_STREAM__DESTINATION__URL: destination.url: must be a URL",
        "HYDRANT_STREAM__DESTINATION__API_TOKN: unknown key",
        "api_token",
        "HYDRANT_STREAM__RETRY_DURATION: retry_duration: ",
        "HYDRANT_STREAM__INCLUDE: unknown key \"metrics\"",
        "HYDRANT_ON_REFUSED: must be fail_object, fail or log",
        "HYDRANT_DEADLINE_MARGIN: ",
        "HYDRANT_SOURCE__ASSUME_ROLE: assume_role.role_arn: must be the ARN of a role",
    ] {
        assert!(message.contains(part), "{part} is not in:\n{message}");
    }
    assert!(!message.contains("SECRET") && !message.contains("sesame"), "{message}");
    assert_eq!(lambda.process.wait(PATIENCE).code(), Some(78));
}

/// *Scenario:* the command where there is no Lambda.
/// *Guarantees:* usage, with what to do.
#[test]
fn outside_lambda() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hydrant"))
        .arg("lambda")
        .env_remove("AWS_LAMBDA_RUNTIME_API")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("AWS_LAMBDA_RUNTIME_API is not set") && said.contains("hint:"), "{said}");
}
