//! Answers, without a socket.

use std::time::Duration;

use serde_json::Value;

use super::*;

const NOW: i64 = 1_795_176_000_000;

fn receiver(checking: Checking) -> Receiver {
    let token = |secret: &str, may_ingest| Token { secret: secret.to_owned(), may_ingest };
    Receiver::new(Options {
        tokens: vec![token("good", true), token("reader", false)],
        checking,
        ledger: None,
        now_ms: || NOW,
    })
}

fn head(path: &str, headers: &[(&str, &str)]) -> Parts {
    let mut builder = Request::builder().method("POST").uri(path);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(()).unwrap().into_parts().0
}

const GOOD: [(&str, &str); 2] =
    [("authorization", "Api-Token good"), ("content-type", "text/plain; charset=utf-8")];

fn ask(receiver: &Receiver, head: &Parts, body: &[u8]) -> (u16, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let response = runtime.block_on(receiver.respond(head, body));
    let body = door::text_of(&response);
    (response.status().as_u16(), serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// *Scenario:* good lines, then good lines among bad ones.
/// *Guarantees:* 202 and partial 400 have the shape that Dynatrace gives them, and are counted.
#[test]
fn answers_have_the_shape_of_the_real_ones() {
    let receiver = receiver(Checking::Strict);
    let head = head("/api/v2/metrics/ingest", &GOOD);
    let (status, body) = ask(&receiver, &head, b"abc 1\nabd 2");
    assert_eq!(status, 202);
    let wanted = r#"{"error":null,"linesInvalid":0,"linesOk":2,"warnings":null}"#;
    assert_eq!(body, serde_json::from_str::<Value>(wanted).unwrap());
    let (status, body) = ask(&receiver, &head, b"abc 1\nAbc,X=1 2");
    assert_eq!(status, 400);
    assert_eq!(body["linesOk"], 1);
    assert_eq!(body["error"]["code"], 400);
    assert_eq!(body["error"]["invalidLines"][0]["line"], 2);
    let said = body["error"]["invalidLines"][0]["error"].as_str().unwrap();
    assert!(said.contains("invalid dimension key"), "{said}");
    let stats = receiver.stats().snapshot();
    assert_eq!((stats.requests, stats.accepted, stats.refused, stats.failed), (2, 3, 1, 1));
    assert!(stats.first_error.unwrap().starts_with("400: "));
}

/// *Scenario:* wrong token, token without scope, wrong path, method, type, encoding; empty, large.
/// *Guarantees:* each has its own status.
#[test]
fn each_wrong_head_has_its_status() {
    let receiver = receiver(Checking::Strict);
    let path = "/api/v2/metrics/ingest";
    let with = |name: &str, value: &str| {
        let mut parts = head(path, &GOOD);
        let name: header::HeaderName = name.parse().unwrap();
        parts.headers.insert(name, value.parse().unwrap());
        parts
    };
    let mut get = head(path, &GOOD);
    get.method = Method::GET;
    for (parts, body, status) in [
        (head(path, &[]), b"abc 1".as_slice(), 401),
        (with("authorization", "Api-Token GOOD"), b"abc 1", 401),
        (with("authorization", "Bearer good"), b"abc 1", 401),
        (with("authorization", "Api-Token reader"), b"abc 1", 403),
        (head("/metrics", &GOOD), b"abc 1", 404),
        (head("/x/api/v2/metrics/ingest", &GOOD), b"abc 1", 404),
        (head("/e/abc/api/v2/metrics/ingest", &GOOD), b"abc 1", 202),
        (get, b"", 405),
        (with("content-type", "application/json"), b"abc 1", 415),
        (with("content-encoding", "zstd"), b"abc 1", 415),
        (with("content-encoding", "gzip"), b"abc 1", 400),
        (with("content-encoding", "gzip"), &crate::sender::gzip(b"abc 1"), 202),
        (with("content-encoding", "gzip"), &crate::sender::gzip(&vec![b'\n'; 1_048_577]), 413),
        (head(path, &GOOD), b"", 400),
        (head(path, &GOOD), "abc 1\n".repeat(1001).as_bytes(), 413),
    ] {
        assert_eq!(ask(&receiver, &parts, body).0, status, "{} {:?}", parts.uri, parts.headers);
    }
}

/// *Scenario:* one fault of each kind is ordered, then none.
/// *Guarantees:* each request meets one, with the headers a client goes by; then all is well.
#[test]
fn faults_come_on_order() {
    let receiver = receiver(Checking::Strict);
    let parts = head("/api/v2/metrics/ingest", &GOOD);
    receiver.faults().next([
        Fault::Status(503, Some(7)),
        Fault::RateLimited(1_795_176_060_000_000),
        Fault::Partial,
        Fault::Garbage,
        Fault::Slow(Duration::from_millis(1)),
    ]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(runtime.block_on(receiver.respond(&parts, b"abc 1\nabc 2\nabc 3")));
    }
    let statuses: Vec<_> = answers.iter().map(|a| a.status().as_u16()).collect();
    assert_eq!(statuses, [503, 429, 400, 200, 202, 202]);
    assert_eq!(answers[0].headers()["retry-after"], "7");
    assert_eq!(answers[1].headers()["x-ratelimit-reset"], "1795176060000000");
    let partial: Value = serde_json::from_slice(&door::text_of(&answers[2])).unwrap();
    assert_eq!((&partial["linesOk"], &partial["linesInvalid"]), (&2.into(), &1.into()));
}

/// *Scenario:* a share of half is ordered for 200 requests, then cleared.
/// *Guarantees:* about half fail, and after clearing none.
#[test]
fn a_share_of_requests_can_fail() {
    let receiver = receiver(Checking::Counting);
    let parts = head("/api/v2/metrics/ingest", &GOOD);
    receiver.faults().share(Fault::Status(503, None), 0.5, 3);
    let failed = (0..200).filter(|_| ask(&receiver, &parts, b"abc 1").0 == 503).count();
    assert!((70..130).contains(&failed), "{failed}");
    receiver.faults().clear();
    assert_eq!(ask(&receiver, &parts, b"abc 1").0, 202);
}
