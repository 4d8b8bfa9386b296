use std::time::Duration;

use remote::{Unreachable, Why as Cause};

use super::{Class, HINT_MAX, QUOTE_MAX, hint, plain, quote, says_error, unreachable};
use crate::Verdict;

/// *Scenario:* every status a server may answer with.
/// *Guarantees:* only 400 and 413 speak about the data; the rest can be tried again.
#[test]
fn a_status_has_one_meaning() {
    for status in 100..=599 {
        let expected = match status {
            200..=299 => Class::Success,
            400 => Class::BadData,
            413 => Class::TooLarge,
            408 | 425 | 429 => Class::Busy,
            500.. => Class::Busy,
            _ => Class::Misconfigured,
        };
        assert_eq!(Class::of(status), expected, "{status}");
    }
}

/// *Scenario:* each way of getting no answer.
/// *Guarantees:* Firehose's code for it; only a certificate or an unusable URL is said loudly.
#[test]
fn no_answer_has_the_code_of_firehose() {
    let table = [
        (Cause::Dns, "HttpEndpoint.ConnectionFailed", false),
        (Cause::Connect, "HttpEndpoint.ConnectionFailed", false),
        (Cause::Tls, "HttpEndpoint.SSLHandshakeFailure", true),
        (Cause::Timeout, "HttpEndpoint.RequestTimeout", false),
        (Cause::Reset, "HttpEndpoint.ConnectionReset", false),
        (Cause::Protocol, "HttpEndpoint.IllegalMessageStart", false),
        (Cause::Request, "HttpEndpoint.MakeRequestFailure.IllegalUriException", true),
    ];
    for (cause, code, is_loud) in table {
        let error = Unreachable { why: cause, detail: "host said tok3n".to_owned() };
        match unreachable(&error, &["tok3n"]) {
            Verdict::Later { after: None, loud, why } => {
                assert_eq!((why.code, loud), (code, is_loud));
                assert!(!why.message.contains("tok3n"), "{}", why.message);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// *Scenario:* a body with line ends, control characters, wrong UTF-8, the token, and too much text.
/// *Guarantees:* one printable line of bounded length in which the token cannot be read.
#[test]
fn a_quote_is_one_bounded_line_without_secrets() {
    let body = b"bad\r\n\ttoken \x1b[31mdt0c01.SECRET\x1b[0m \xff end";
    let text = quote(body, &["dt0c01.SECRET", ""]);
    assert_eq!(text, "bad token  [31m*** [0m \u{fffd} end");
    let long = "x".repeat(10_000);
    assert_eq!(quote(long.as_bytes(), &[]).chars().count(), QUOTE_MAX + 3);
    let split = format!("{}SECRET", "x".repeat(QUOTE_MAX - 3));
    assert!(!quote(split.as_bytes(), &["SECRET"]).contains("SEC"));
    assert_eq!(quote(b"", &[]), "");
}

/// *Scenario:* hints of a second and of a year.
/// *Guarantees:* the first is followed, the second is cut.
#[test]
fn a_hint_is_bounded() {
    assert_eq!(hint(Some(Duration::from_secs(1))), Some(Duration::from_secs(1)));
    assert_eq!(hint(Some(Duration::from_secs(31_536_000))), Some(HINT_MAX));
    assert_eq!(hint(None), None);
}

/// *Scenario:* an answer in gzip that nobody asked for, whole and damaged.
/// *Guarantees:* the one is read, the other stays as it came.
#[test]
fn an_answer_in_gzip_is_read() {
    let mut packed = Vec::new();
    codec::gzip::Deflater::new(1).gzip(b"{}", &mut packed);
    let cut = packed[..packed.len() - 3].to_vec();
    for (body, expected) in [(packed, b"{}".to_vec()), (cut.clone(), cut)] {
        let mut headers = http::HeaderMap::new();
        headers.insert("content-encoding", http::HeaderValue::from_static("gzip"));
        let answer = remote::Answer { status: 200, headers, body: body.into(), retry_after: None };
        assert_eq!(plain(answer).body, expected);
    }
}

/// *Scenario:* objects of JSON beside a success, those that tell an error and those that do not.
/// *Guarantees:* told apart.
#[test]
fn an_error_beside_a_success_is_seen() {
    for body in [
        r#"{"error":"x"}"#,
        r#"{"error":{"code":500}}"#,
        r#"{"errors":["x"]}"#,
        r#"{"code":13,"message":"internal"}"#,
        r#"{"code":503}"#,
        r#"{"errors":2}"#,
        r#"{"status":"error"}"#,
    ] {
        assert!(says_error(body.as_bytes()), "{body}");
    }
    for body in [
        "",
        "ok",
        "{}",
        r#"{"error":null,"errors":[]}"#,
        r#"{"code":200}"#,
        r#"{"code":1000,"error":0,"errors":false}"#,
        r#"{"status":"success"}"#,
    ] {
        assert!(!says_error(body.as_bytes()), "{body}");
    }
}
