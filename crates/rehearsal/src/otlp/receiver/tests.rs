//! Answers, without a socket.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;

use super::*;
use crate::payload::{self, Options as PayloadOptions};

fn receiver(checking: Checking, summaries: Summaries) -> Receiver {
    Receiver::new(Options {
        required_headers: vec![("authorization".to_owned(), "Bearer t".to_owned())],
        checking,
        summaries,
        ledger: None,
    })
}

fn head(headers: &[(&str, &str)]) -> Parts {
    let mut builder = Request::builder().method("POST").uri("/v1/metrics");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(()).unwrap().into_parts().0
}

const PROTOBUF: [(&str, &str); 2] =
    [("authorization", "Bearer t"), ("content-type", "application/x-protobuf")];

/// One message of 120 points or so.
fn message() -> (Vec<u8>, u64) {
    let options = PayloadOptions { metrics: 60, ..PayloadOptions::default() };
    let mut encoder = metric::Encoder::new(metric::Format::Otel10);
    let mut points = 0;
    payload::points(&options, |point| {
        if point.account == b"111122223333" {
            encoder.push(point);
            points += 1;
        }
    });
    let mut record = Vec::new();
    encoder.finish(&mut record);
    let mut rest = record.as_slice();
    prost::encoding::decode_varint(&mut rest).unwrap();
    (rest.to_vec(), points)
}

fn ask(receiver: &Receiver, head: &Parts, body: &[u8]) -> (u16, Bytes) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let response = runtime.block_on(receiver.respond(head, body));
    (response.status().as_u16(), door::text_of(&response))
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    codec::zstd::ZstdEncoder::default().compress(bytes, &mut out).unwrap();
    out
}

/// *Scenario:* the same message plain, as gzip and as zstd, checked strictly and merely counted.
/// *Guarantees:* 200 with an empty response, and the points are counted.
#[test]
fn every_encoding_is_taken() {
    let (body, points) = message();
    for checking in [Checking::Strict, Checking::Counting] {
        let receiver = receiver(checking, Summaries::Taken);
        for (encoding, body) in [
            ("identity", body.clone()),
            ("gzip", crate::sender::gzip(&body)),
            ("zstd", zstd(&body)),
        ] {
            let mut head = head(&PROTOBUF);
            head.headers.insert("content-encoding", encoding.parse().unwrap());
            assert_eq!(ask(&receiver, &head, &body), (200, Bytes::new()), "{encoding}");
        }
        let stats = receiver.stats().snapshot();
        assert_eq!((stats.accepted, stats.refused, stats.failed), (3 * points, 0, 0));
    }
}

/// *Scenario:* requests that are wrong in head or body.
/// *Guarantees:* each has its own status, and the first is kept with its text.
#[test]
fn each_wrong_request_has_its_status() {
    let receiver = receiver(Checking::Strict, Summaries::Taken);
    let (body, _) = message();
    let with = |name: &str, value: &str| {
        let mut parts = head(&PROTOBUF);
        let name: header::HeaderName = name.parse().unwrap();
        parts.headers.insert(name, value.parse().unwrap());
        parts
    };
    let mut get = head(&PROTOBUF);
    get.method = Method::GET;
    let mut elsewhere = head(&PROTOBUF);
    elsewhere.uri = "/v1/traces".parse().unwrap();
    for (parts, body, status) in [
        (head(&PROTOBUF), &b"\xff\xff"[..], 400),
        (head(&PROTOBUF), b"", 400),
        (with("authorization", "Bearer T"), &body, 401),
        (elsewhere, &body, 404),
        (get, &body, 405),
        (with("content-type", "text/plain"), &body, 415),
        (with("content-encoding", "br"), &body, 415),
        (with("content-encoding", "gzip"), &body, 400),
        (with("content-encoding", "zstd"), &body, 400),
        (with("content-type", "application/json"), &body, 400),
        (with("content-encoding", "gzip"), &crate::sender::gzip(&vec![0; 17 << 20]), 413),
        (with("content-encoding", "zstd"), &zstd(&vec![0; 17 << 20]), 413),
    ] {
        assert_eq!(ask(&receiver, &parts, body).0, status, "{} {:?}", parts.uri, parts.headers);
    }
    let first = receiver.stats().snapshot().first_error.unwrap();
    assert!(first.starts_with("400: "), "{first}");
}

/// *Scenario:* summaries at a backend that has none, and a partial refusal on order, in both encodings.
/// *Guarantees:* 200 with a partial success that opentelemetry-proto reads.
#[test]
fn partial_success_is_understood_by_others() {
    let (body, points) = message();
    let refusing = receiver(Checking::Strict, Summaries::Rejected);
    let (status, answer) = ask(&refusing, &head(&PROTOBUF), &body);
    let partial = ExportMetricsServiceResponse::decode(answer).unwrap().partial_success.unwrap();
    assert_eq!((status, partial.rejected_data_points), (200, i64::try_from(points).unwrap()));
    assert_eq!(partial.error_message, "summaries are not supported");
    assert_eq!(refusing.stats().snapshot().refused, points);

    let ordered = receiver(Checking::Strict, Summaries::Taken);
    ordered.faults().next([Fault::Partial]);
    let json = r#"{"resourceMetrics":[{"resource":{},"scopeMetrics":[{"metrics":[{"name":"a",
        "gauge":{"dataPoints":[{"timeUnixNano":"9","asInt":"7"}]}}]}]}]}"#;
    let headers = [("authorization", "Bearer t"), ("content-type", "application/json")];
    let (status, answer) = ask(&ordered, &head(&headers), json.as_bytes());
    let wanted =
        r#"{"partialSuccess":{"errorMessage":"refused on order","rejectedDataPoints":"1"}}"#;
    assert_eq!((status, answer.as_ref()), (200, wanted.as_bytes()));
    assert_eq!(ask(&ordered, &head(&headers), json.as_bytes()).1.as_ref(), b"{}");
}
