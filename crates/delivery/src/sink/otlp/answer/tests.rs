use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use prost::Message;

use super::*;

fn answered(status: u16, content_type: &'static str, body: impl AsRef<[u8]>) -> Answer {
    let mut headers = HeaderMap::new();
    if !content_type.is_empty() {
        headers.insert("content-type", HeaderValue::from_static(content_type));
    }
    Answer { status, headers, body: Bytes::copy_from_slice(body.as_ref()), retry_after: None }
}

fn judge(answer: &Answer) -> Verdict {
    let payload = Payload { points: 10, ..Payload::default() };
    verdict(answer, &payload, &["s3cret"])
}

fn response(rejected: i64, message: &str) -> Vec<u8> {
    let partial = ExportMetricsPartialSuccess {
        rejected_data_points: rejected,
        error_message: message.to_owned(),
    };
    ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec()
}

/// *Scenario:* successes in both encodings, empty, with an empty partial success, with a warning.
/// *Guarantees:* delivered.
#[test]
fn successes_are_read_in_either_encoding() {
    for answer in [
        answered(200, "application/x-protobuf", ""),
        answered(200, "application/x-protobuf", response(0, "")),
        answered(200, "", response(0, "only a warning")),
        answered(200, "application/json", "{}"),
        answered(200, "application/json", r#"{"partialSuccess":{}}"#),
        answered(200, "application/json", r#"{"partialSuccess":{"rejectedDataPoints":"0"}}"#),
        answered(204, "", ""),
        answered(200, "application/x-protobuf", " {} "),
    ] {
        assert_eq!(judge(&answer), Verdict::Delivered, "{answer:?}");
    }
}

/// *Scenario:* a receiver that rejects some points, or claims to reject more than were sent.
/// *Guarantees:* so many are refused, with its words, never more than were sent.
#[test]
fn a_partial_success_refuses_points() {
    for (answer, expected) in [
        (answered(200, "application/x-protobuf", response(3, "too s3cret")), 3),
        (answered(200, "application/x-protobuf", response(9_000, "too s3cret")), 10),
        (
            answered(
                200,
                "application/json",
                r#"{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"too s3cret"}}"#,
            ),
            3,
        ),
        (
            answered(
                200,
                "application/json",
                r#"{"partial_success":{"rejected_data_points":3,"error_message":"too s3cret"}}"#,
            ),
            3,
        ),
    ] {
        let Verdict::Partly { refused, lines, all_named: false, why } = judge(&answer) else {
            panic!("{answer:?}")
        };
        assert_eq!((refused, lines.len()), (expected, 0));
        assert!(why.message.contains("data points rejected: too ***"), "{}", why.message);
    }
    assert_eq!(judge(&answered(200, "", response(-4, ""))), Verdict::Delivered);
}

/// *Scenario:* 200 from a portal, a proxy, a web server, and an API that reports errors in a 200.
/// *Guarantees:* nothing counts as delivered, and an operator is told.
#[test]
fn a_success_with_garbage_is_no_success() {
    for body in [
        "<html>sign in</html>",
        "OK",
        "not found",
        "It works!",
        r#"{"error":"x"}"#,
        r#"{"errors":[]}"#,
        "{",
        "\u{0}\u{1}",
    ] {
        for content_type in ["", "text/html", "application/x-protobuf"] {
            let verdict = judge(&answered(200, content_type, body));
            let Verdict::Later { loud: true, why, .. } = &verdict else {
                panic!("{body}: {verdict:?}")
            };
            assert_eq!(why.code, "HttpEndpoint.InvalidResponseFromDestination");
        }
    }
}

/// *Scenario:* each refusal, with google.rpc.Status in both encodings and with plain text.
/// *Guarantees:* 400 never, 413 smaller, the outages later, the rest loudly; the text is the sentence.
#[test]
fn each_status_has_its_verdict() {
    // google.rpc.Status {code: 3, message: "no summaries"}
    let status = b"\x08\x03\x12\x0cno summaries";
    let sentence = |verdict: Verdict| match verdict {
        Verdict::Never { why } | Verdict::TooLarge { why } | Verdict::Later { why, .. } => {
            why.message
        }
        other => panic!("{other:?}"),
    };
    for answer in [
        answered(400, "application/x-protobuf", status),
        answered(400, "application/json", r#"{"code":3,"message":"no summaries"}"#),
        answered(400, "text/plain", "no summaries"),
    ] {
        assert!(matches!(judge(&answer), Verdict::Never { .. }));
        assert_eq!(sentence(judge(&answer)), "status 400: no summaries");
    }
    assert!(matches!(judge(&answered(413, "", "")), Verdict::TooLarge { .. }));
    for status in [408, 429, 500, 501, 502, 503, 504] {
        assert!(matches!(judge(&answered(status, "", "x")), Verdict::Later { loud: false, .. }));
    }
    for status in [301, 401, 403, 404, 405, 415, 422] {
        assert!(matches!(judge(&answered(status, "", "x")), Verdict::Later { loud: true, .. }));
    }
    let mut answer = answered(503, "", "");
    answer.retry_after = Some(Duration::from_secs(4));
    assert!(matches!(judge(&answer), Verdict::Later { after: Some(d), .. } if d.as_secs() == 4));
}

/// *Scenario:* a status of an error in a 200; counts that are floats, larger than any, negative.
/// *Guarantees:* an error is no delivery; a refusal is one however its count is written.
#[test]
fn a_lying_success_is_no_delivery() {
    let json = |body: &str| judge(&answered(200, "application/json", body));
    let error = json(r#"{"code":13,"message":"internal"}"#);
    assert!(matches!(error, Verdict::Later { loud: true, .. }), "{error:?}");
    let counts = [("3.0", 3), (r#""9999999999999999999999""#, 10), ("1e30", 10), (r#""2""#, 2)];
    for (count, expected) in counts {
        let body = format!(r#"{{"partialSuccess":{{"rejectedDataPoints":{count}}}}}"#);
        let verdict = json(&body);
        assert!(
            matches!(verdict, Verdict::Partly { refused, .. } if refused == expected),
            "{body}"
        );
    }
    let negative = json(r#"{"partialSuccess":{"rejectedDataPoints":"-5"}}"#);
    assert_eq!(negative, Verdict::Delivered);
}
