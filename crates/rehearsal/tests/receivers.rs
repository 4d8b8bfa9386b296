//! The receivers on real sockets: what is sent arrives, limits of bodies hold, a stop is heeded.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rehearsal::ledger::{Ledger, View};
use rehearsal::payload::{self, Options};
use rehearsal::{Checking, dynatrace, otlp};
use testkit::exchange;
use tokio::sync::watch;

const NOW: i64 = 1_795_176_000_000;

fn post(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let bytes = [request.as_bytes(), body].concat();
    let answer = exchange(address, &bytes).unwrap();
    (answer.status, answer.text())
}

/// A line as the destination would write it, for the points of the payload.
fn lines(options: &Options) -> String {
    let mut out = String::new();
    payload::points(options, |point| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let names: Vec<String> = point.dimensions.iter().map(|(name, _)| text(name)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let key = dynatrace::key::metric_key(&text(point.namespace), &text(point.name), &names);
        out.push_str(&key);
        out.push_str(&format!(",aws.account.id=\"{}\"", text(point.account)));
        out.push_str(&format!(",aws.region=\"{}\"", text(point.region)));
        for (name, value) in point.dimensions {
            let name = dynatrace::key::dimension_key(&text(name));
            out.push_str(&format!(",{name}=\"{}\"", text(value)));
        }
        let (min, max, sum) = (point.min.unwrap(), point.max.unwrap(), point.sum.unwrap());
        let (count, instant) = (point.count, point.instant_ms());
        out.push_str(&format!(
            ",dt.source=\"AWS Metric Streams\" gauge,min={min},max={max},sum={sum},count={count} {instant}\n"
        ));
    });
    out
}

/// *Scenario:* the lines of 900 points reach the Dynatrace receiver over a socket; a body over the
/// limit follows; then it is told to stop.
/// *Guarantees:* the ledger is clean, the large body is 413, and serving ends.
#[tokio::test(flavor = "multi_thread")]
async fn dynatrace_takes_lines_over_a_socket() {
    let options = Options { metrics: 900, series: 900, ..Options::default() };
    let mut ledger = Ledger::new(View::Dynatrace);
    payload::points(&options, |point| ledger.expect(1, point));
    ledger.acknowledge(1);
    let ledger = Arc::new(Mutex::new(ledger));
    let receiver = dynatrace::Receiver::new(dynatrace::Options {
        tokens: vec![dynatrace::Token { secret: "t".to_owned(), may_ingest: true }],
        checking: Checking::Strict,
        ledger: Some(Arc::clone(&ledger)),
        now_ms: || NOW,
    });
    let listener = listen::Listener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.address();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(receiver.clone().serve(listener, stopped));
    let (small, large) = tokio::task::spawn_blocking(move || {
        let headers = [("authorization", "Api-Token t"), ("content-type", "text/plain")];
        let path = "/api/v2/metrics/ingest";
        let small = post(address, path, &headers, lines(&options).as_bytes());
        (small, post(address, path, &headers, &vec![b'x'; 1_048_577]))
    })
    .await
    .unwrap();
    let wanted = r#"{"error":null,"linesInvalid":0,"linesOk":900,"warnings":null}"#;
    assert_eq!(small, (202, wanted.to_owned()));
    assert_eq!(large.0, 413);
    let result = ledger.lock().unwrap().compare();
    assert!(result.is_clean(), "{result:?}");
    assert_eq!(result.arrived, 900);
    assert_eq!(receiver.stats().snapshot().accepted, 900);
    stop.send(true).unwrap();
    serving.await.unwrap();
}

/// *Scenario:* a small request in JSON reaches the OTLP receiver over a socket.
/// *Guarantees:* 200 with the empty response of the encoding, content type included.
#[tokio::test(flavor = "multi_thread")]
async fn otlp_answers_over_a_socket() {
    let receiver = otlp::Receiver::new(otlp::Options {
        required_headers: Vec::new(),
        checking: Checking::Strict,
        summaries: otlp::Summaries::Taken,
        ledger: None,
    });
    let listener = listen::Listener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.address();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(receiver.clone().serve(listener, stopped));
    let body = br#"{"resourceMetrics":[{"resource":{},"scopeMetrics":[{"metrics":[{"name":"a",
        "gauge":{"dataPoints":[{"timeUnixNano":"9","asInt":"7"}]}}]}]}]}"#;
    let answer = tokio::task::spawn_blocking(move || {
        post(address, "/v1/metrics", &[("content-type", "application/json")], body)
    })
    .await
    .unwrap();
    assert_eq!(answer, (200, "{}".to_owned()));
    assert_eq!(receiver.stats().snapshot().accepted, 1);
    stop.send(true).unwrap();
    serving.await.unwrap();
}
