use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use super::*;

const ID: &str = "0b5e2c1e-7d0a-8b54-9b3e-5f2d3a1c9e10";

fn answered(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_static(value));
    }
    let body = Bytes::copy_from_slice(body.as_bytes());
    Answer { status, headers: map, body, retry_after: None }
}

fn ok(body: &str) -> Answer {
    answered(200, &[("content-type", "application/json")], body)
}

fn good() -> String {
    format!(r#"{{"requestId":"{ID}","timestamp":1795176000123}}"#)
}

#[track_caller]
fn later(answer: &Answer) -> (&'static str, bool, String) {
    match verdict(answer, ID, &["s3cret"]) {
        Verdict::Later { loud, why, .. } => (why.code, loud, why.message),
        other => panic!("{other:?}"),
    }
}

/// *Scenario:* the answer of the protocol, and what its documentation leaves open.
/// *Guarantees:* delivered.
#[test]
fn the_answer_of_the_protocol_is_taken() {
    let with_null = format!(r#"{{"requestId":"{ID}","timestamp":1.0,"errorMessage":null,"x":[]}}"#);
    for answer in [
        ok(&good()),
        ok(&with_null),
        answered(200, &[("content-type", "Application/JSON; charset=utf-8")], &good()),
    ] {
        assert_eq!(verdict(&answer, ID, &[]), Verdict::Delivered, "{answer:?}");
    }
}

/// *Scenario:* answers of status 200 that break a rule of the protocol, each one rule.
/// *Guarantees:* not delivered, said loudly, with Firehose's code and what is wrong.
#[test]
fn an_answer_that_breaks_a_rule_took_nothing() {
    let json = [("content-type", "application/json")];
    let twice = [json[0], json[0]];
    let encoded = [json[0], ("content-encoding", "gzip")];
    let quoted = format!(r#"{{"requestId":"{ID}","timestamp":"1795176000123"}}"#);
    let list = format!(r#"["{ID}", 1]"#);
    let other = good().replace("0b5e", "0b5f");
    let invalid = "HttpEndpoint.InvalidResponseFromDestination";
    for (answer, code, part) in [
        (answered(200, &[], &good()), invalid, "without Content-Type"),
        (answered(200, &[("content-type", "text/json")], &good()), invalid, "application/json"),
        (answered(200, &twice, &good()), "HttpEndpoint.IllegalResponseFailure", "more than one"),
        (answered(200, &encoded, &good()), invalid, "Content-Encoding"),
        (ok(""), invalid, "not the JSON"),
        (ok("<html>s3cret"), invalid, "***"),
        (ok(&list), invalid, "not the JSON"),
        (ok("{}"), invalid, "requestId is missing"),
        (ok(&other), invalid, "another delivery"),
        (ok(&format!(r#"{{"requestId":"{ID}"}}"#)), invalid, "timestamp is missing"),
        (ok(&quoted), invalid, "timestamp is not a number"),
    ] {
        let (found, loud, message) = later(&answer);
        assert_eq!((found, loud), (code, true), "{message}");
        assert!(message.contains(part) && !message.contains("s3cret"), "{message}");
    }
}

/// *Scenario:* an answer of exactly 1 MiB, and one byte more.
/// *Guarantees:* the first is read, the second is too large.
#[test]
fn an_answer_has_a_megabyte_at_most() {
    let mut body = good();
    body.push_str(&" ".repeat(ANSWER_BYTES_MAX - body.len()));
    assert_eq!(verdict(&ok(&body), ID, &[]), Verdict::Delivered);
    body.push(' ');
    assert_eq!(later(&ok(&body)).0, "HttpEndpoint.ResponseTooLarge");
}

/// *Scenario:* every other status, with the words of the receiver.
/// *Guarantees:* all are repeated, as Firehose does, but 413, which is split; 4xx loudly.
#[test]
fn every_status_has_its_verdict() {
    let with = |status| {
        let body = format!(r#"{{"requestId":"{ID}","timestamp":1,"errorMessage":"no s3cret"}}"#);
        answered(status, &[("content-type", "application/json")], &body)
    };
    let destination = "HttpEndpoint.DestinationException";
    for (status, code, loud) in [
        (201, destination, true),
        (204, destination, true),
        (301, "HttpEndpoint.InvalidStatusCode", true),
        (400, destination, true),
        (401, destination, true),
        (403, destination, true),
        (404, destination, true),
        (408, destination, false),
        (429, destination, false),
        (500, destination, false),
        (503, destination, false),
    ] {
        let (found, found_loud, message) = later(&with(status));
        assert_eq!((found, found_loud), (code, loud), "{message}");
        assert!(message.ends_with(": no ***"), "{message}");
    }
    assert!(matches!(verdict(&with(413), ID, &[]), Verdict::TooLarge { .. }));
    let busy = Answer { retry_after: Some(Duration::from_secs(7)), ..with(429) };
    let Verdict::Later { after, .. } = verdict(&busy, ID, &[]) else { panic!() };
    assert_eq!(after, Some(Duration::from_secs(7)));
}

/// *Scenario:* no answer, for each reason; TLS for four.
/// *Guarantees:* Firehose's code.
#[test]
fn no_answer_has_its_code() {
    let code =
        |why, detail: &str| match unreachable(&Unreachable { why, detail: detail.into() }, &[]) {
            Verdict::Later { why, .. } => why.code.trim_start_matches("HttpEndpoint.").to_owned(),
            other => panic!("{other:?}"),
        };
    for (why, detail, expected) in [
        (Cause::Dns, "", "ConnectionFailed"),
        (Cause::Connect, "", "ConnectionFailed"),
        (Cause::Reset, "", "ConnectionReset"),
        (Cause::Timeout, "", "RequestTimeout"),
        (Cause::Protocol, "", "IllegalMessageStart"),
        (Cause::Request, "", "MakeRequestFailure.IllegalUriException"),
        (
            Cause::Tls,
            "the certificate leads to no authority that is trusted here (UnknownIssuer): give",
            "SSLHandshakeCertificatePathFailure",
        ),
        (
            Cause::Tls,
            "the certificate expired at 2001-01-01T00:00:00Z: renew it",
            "SSLHandshakeCertificatePathValidationFailure",
        ),
        (Cause::Tls, "tls handshake eof", "SSLHandshakeFailure"),
        (Cause::Tls, "decrypt error", "SSLFailure"),
    ] {
        assert_eq!(code(why, detail), expected, "{detail}");
    }
}

/// *Scenario:* a receiver that does not know our access key, and one that does not let it in.
/// *Guarantees:* loud, and what to look at is the access key.
#[test]
fn a_refused_key_is_called_an_access_key() {
    for (status, hint) in
        [(401, "(access key missing, wrong or expired)"), (403, "(access key not permitted)")]
    {
        let (_, loud, message) = later(&answered(status, &[], ""));
        assert!(loud && message.contains(hint), "{message}");
    }
}
