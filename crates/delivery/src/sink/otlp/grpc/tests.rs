use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use prost::Message as _;
use remote::grpc;

use super::*;

/// `google.rpc.Status` with what the tests put into it.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<ProtoDuration>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ProtoDuration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

fn details(seconds: i64, nanos: i32) -> String {
    let delay = ProtoDuration { seconds, nanos };
    let info = RetryInfo { retry_delay: Some(delay) }.encode_to_vec();
    let any = |name: &str, value| Any { type_url: format!("type.googleapis.com/{name}"), value };
    let details =
        vec![any("google.rpc.DebugInfo", b"x".to_vec()), any("google.rpc.RetryInfo", info)];
    let status = RpcStatus { code: 8, message: "slow down".to_owned(), details };
    let mut text = Vec::new();
    codec::base64::encode_into(&status.encode_to_vec(), &mut text);
    String::from_utf8(text).unwrap()
}

fn status(code: Code, message: &str) -> Status {
    let answer = grpc::Message { encoding: None, bytes: Bytes::new() };
    Status { code, message: message.to_owned(), details: String::new(), answer: Some(answer) }
}

fn judge(status: Status) -> Verdict {
    let payload = Payload { points: 10, ..Payload::default() };
    verdict(&Outcome::Status(status), &payload, &["s3cret"])
}

#[track_caller]
fn later(verdict: &Verdict) -> (Option<Duration>, bool, &str) {
    match verdict {
        Verdict::Later { after, loud, why } => (*after, *loud, &why.message),
        other => panic!("{other:?}"),
    }
}

/// *Scenario:* every code, with a text that holds a secret.
/// *Guarantees:* retried quietly, retried loudly, or never, by the table; the secret is not shown.
#[test]
fn every_code_has_its_verdict() {
    for code in [
        Code::Cancelled,
        Code::DeadlineExceeded,
        Code::Aborted,
        Code::OutOfRange,
        Code::Unavailable,
        Code::DataLoss,
        Code::Unknown,
        Code::Internal,
    ] {
        let verdict = judge(status(code, "no s3cret"));
        let (after, loud, text) = later(&verdict);
        assert_eq!((after, loud), (None, false), "{code:?}");
        assert!(text.contains(code.name()) && text.ends_with(": no ***"), "{text}");
    }
    for code in [
        Code::Unauthenticated,
        Code::PermissionDenied,
        Code::Unimplemented,
        Code::ResourceExhausted,
        Code::NotFound,
        Code::AlreadyExists,
        Code::FailedPrecondition,
    ] {
        assert!(later(&judge(status(code, ""))).1, "{code:?}");
    }
    assert!(matches!(judge(status(Code::InvalidArgument, "bad")), Verdict::Never { .. }));
}

/// *Scenario:* UNIMPLEMENTED by a port without the service, and by one without gzip.
/// *Guarantees:* each with its remedy.
#[test]
fn unimplemented_has_two_remedies() {
    let verdict = judge(status(Code::Unimplemented, "unknown service opentelemetry.proto"));
    assert!(later(&verdict).2.contains("port of OTLP over gRPC"));
    let text = "grpc: Decompressor is not installed for grpc-encoding \"gzip\"";
    assert!(later(&judge(status(Code::Unimplemented, text))).2.contains("compression: none"));
}

/// *Scenario:* the words of grpc-go, grpc-java, grpc-core and tonic for a message over their limit.
/// *Guarantees:* too large; other texts with those codes are not.
#[test]
fn a_message_over_the_limit_is_split() {
    for (code, text) in [
        (Code::ResourceExhausted, "grpc: received message larger than max (5242880 vs. 4194304)"),
        (
            Code::ResourceExhausted,
            "grpc: received message after decompression larger than max 4194304",
        ),
        (Code::ResourceExhausted, "Decompressed message larger than max"),
        (Code::ResourceExhausted, "gRPC message exceeds maximum size 4194304: 5242880"),
        (Code::ResourceExhausted, "CLIENT: Received message larger than max (5242880 vs. 4194304)"),
        (
            Code::OutOfRange,
            "Error, decoded message length too large: found 5 bytes, the limit is: 4 bytes",
        ),
        (Code::Internal, "Frame size 5242880 exceeds maximum: 4194304"),
    ] {
        assert!(matches!(judge(status(code, text)), Verdict::TooLarge { .. }), "{text}");
    }
    assert!(!matches!(
        judge(status(Code::Unavailable, "larger than max")),
        Verdict::TooLarge { .. }
    ));
    assert!(!matches!(judge(status(Code::ResourceExhausted, "quota")), Verdict::TooLarge { .. }));
}

/// *Scenario:* details with a RetryInfo, with and without padding, absurd, broken, and of others.
/// *Guarantees:* the pause it asks for, within reason, makes RESOURCE_EXHAUSTED a quiet retry.
#[test]
fn retry_info_is_a_pause() {
    let with = |code, details: &str| {
        judge(Status { details: details.to_owned(), ..status(code, "slow down") })
    };
    let text = details(7, 500_000_000);
    for text in [text.as_str(), text.trim_end_matches('=')] {
        let verdict = with(Code::ResourceExhausted, text);
        let (after, loud, _) = later(&verdict);
        assert_eq!((after, loud), (Some(Duration::from_millis(7_500)), false));
    }
    let verdict = with(Code::Unavailable, &details(1 << 40, 0));
    assert_eq!(later(&verdict).0, Some(answer::HINT_MAX));
    for text in ["", "!!!", "AAAA", "CAg", &details(-1, 0), &details(0, -1), &details(0, i32::MAX)]
    {
        let verdict = with(Code::ResourceExhausted, text);
        assert_eq!((later(&verdict).0, later(&verdict).1), (None, true), "{text}");
    }
}

/// *Scenario:* every prefix and every changed byte of good details.
/// *Guarantees:* read or not, never a panic, never more than the cap.
#[test]
fn broken_details_do_no_harm() {
    let good = details(7, 0);
    for at in 0..good.len() {
        for byte in *b"A/z9=" {
            let mut text = good.clone().into_bytes();
            text[at] = byte;
            let cut = String::from_utf8(text[..at].to_vec()).unwrap();
            for details in [String::from_utf8(text).unwrap(), cut] {
                let read = answer::hint(retry_info(&details));
                assert!(read.is_none_or(|delay| delay <= answer::HINT_MAX));
            }
        }
    }
}

/// *Scenario:* status 0 with an empty answer, a warning, a partial success, and no answer at all.
/// *Guarantees:* delivered, delivered, so many refused, and nothing believed.
#[test]
fn a_success_is_read() {
    let encoded = |answer: Option<Vec<u8>>, encoding: Option<&str>| {
        let encoding = encoding.map(str::to_owned);
        let answer = answer.map(|bytes| grpc::Message { encoding, bytes: Bytes::from(bytes) });
        judge(Status { answer, ..status(Code::Ok, "") })
    };
    let with = |answer| encoded(answer, None);
    let response = |rejected, words: &str| {
        let partial = ExportMetricsPartialSuccess {
            rejected_data_points: rejected,
            error_message: words.to_owned(),
        };
        Some(ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec())
    };
    assert_eq!(with(Some(Vec::new())), Verdict::Delivered);
    assert_eq!(with(response(0, "only a warning")), Verdict::Delivered);
    for (rejected, expected) in [(3, 3), (9_000, 10)] {
        let Verdict::Partly { refused, why, .. } = with(response(rejected, "too s3cret")) else {
            panic!()
        };
        assert_eq!(refused, expected);
        assert!(why.message.ends_with("too ***"), "{}", why.message);
    }
    for answer in [None, Some(b"\x0a\xff".to_vec())] {
        assert!(later(&with(answer)).1);
    }
    // As grpc-go answers a call in gzip, with nothing and with something; an inflated bomb.
    let gzip = |plain: &[u8]| {
        let mut out = Vec::new();
        codec::gzip::Deflater::new(1).gzip(plain, &mut out);
        Some(out)
    };
    assert_eq!(encoded(gzip(b""), Some("gzip")), Verdict::Delivered);
    let partial = response(3, "no").unwrap();
    assert!(matches!(encoded(gzip(&partial), Some("gzip")), Verdict::Partly { refused: 3, .. }));
    for (answer, encoding) in
        [(gzip(&[0; 100_000]), "gzip"), (Some(b"no gzip".to_vec()), "gzip"), (gzip(b""), "snappy")]
    {
        assert!(later(&encoded(answer, Some(encoding))).1);
    }
}

/// *Scenario:* no status; pages and refusals of HTTP.
/// *Guarantees:* nothing counts as delivered or as refused for good; a proxy's pause is honoured.
#[test]
fn what_is_no_grpc_loses_nothing() {
    let judge = |outcome: &Outcome| verdict(outcome, &Payload::default(), &["s3cret"]);
    assert!(later(&judge(&Outcome::NoStatus)).2.contains("trailers"));
    let http = |status, body: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("text/html"));
        let retry_after = (status == 503).then_some(Duration::from_secs(7));
        Outcome::Http(Answer { status, headers, body: Bytes::from(body), retry_after })
    };
    for (status, loud) in
        [(200, true), (400, true), (401, true), (404, true), (301, true), (502, false)]
    {
        let verdict = judge(&http(status, "<html>s3cret"));
        assert_eq!(later(&verdict).1, loud, "{status}");
        assert!(!later(&verdict).2.contains("s3cret"));
    }
    assert_eq!(later(&judge(&http(503, ""))).0, Some(Duration::from_secs(7)));
    assert!(matches!(judge(&http(413, "")), Verdict::TooLarge { .. }));
    assert!(is_unauthenticated(&http(401, "")) && !is_unauthenticated(&http(403, "")));
}

/// *Scenario:* an empty request, taken or called invalid, or refused for its credentials.
/// *Guarantees:* reachable, reachable, and loudly not.
#[test]
fn an_empty_request_probes() {
    let probe = |code| probe_verdict(&Outcome::Status(status(code, "")), &[]);
    assert_eq!(probe(Code::Ok), Verdict::Delivered);
    assert_eq!(probe(Code::InvalidArgument), Verdict::Delivered);
    assert!(later(&probe(Code::Unauthenticated)).1);
}
