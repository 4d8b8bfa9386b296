//! What SDKs really send.

use testkit::Received;

use super::*;

/// *Scenario:* every captured CloudWatch request of boto3, both AWS CLIs, JavaScript and Rust, as it
/// was signed, in three protocols and gzip.
/// *Guarantees:* all are believed, known and answered with 200, but for a statistic that an
/// OpenTelemetry stream cannot carry and a range without length, which are refused by name.
#[test]
fn captured_requests_are_answered() {
    let captures = testkit::captured_requests();
    let mut port = port("cloudwatch-captured");
    let mut config = Config::clone(&port.context.config);
    config.unsigned = None;
    port.context.config = Arc::new(config);
    port.ask("PutMetricStream", &stream("ms", "")).unwrap();
    let (mut count, mut answered) = (0, 0);
    for (name, request) in &captures {
        if !name.contains("-cloudwatch-") {
            continue;
        }
        let (status, told) = replayed(&mut port, request);
        // Two captures say what CloudWatch refuses too.
        let refusal = if name.contains("PutMetricStream") {
            "takes percentiles only"
        } else {
            "StartTime must not equal parameter EndTime"
        };
        let excused = name.contains("PutMetricStream") || name == "rust-cloudwatch-GetMetricData";
        let refused = excused && status == 400 && told.contains(refusal);
        assert!(status == 200 || refused, "{name}: {status} {told}");
        answered += usize::from(status == 200);
        count += 1;
    }
    assert!(captures.is_empty() || count > 45, "only {count} captures were found");
    assert!(answered + 10 > count, "only {answered} of {count} were answered with 200");
}

fn replayed(port: &mut Port, request: &Received) -> (u16, String) {
    let header = |name: &str| request.header(name);
    let body = request.body.as_slice();
    let mut plain = Vec::new();
    match header("content-encoding") {
        Some("gzip") => {
            codec::gzip::Inflater::new().gunzip(body, &mut plain, 1 << 24).unwrap();
        }
        _ => plain.extend_from_slice(body),
    }
    let date = header("x-amz-date").unwrap();
    // All were made on the day of NOW, which is its noon.
    let clock: i64 = date.strip_prefix("20261120T").unwrap().trim_end_matches('Z').parse().unwrap();
    let seconds = clock / 10_000 * 3_600 + clock / 100 % 100 * 60 + clock % 100;
    let now_ms = NOW + (seconds - 12 * 3_600) * 1_000;
    port.context.clock = Arc::new(move || now_ms);
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let path = request.target.as_str();
    let incoming =
        Incoming { method: "POST", path, query: "", headers: &headers, body, plain: &plain };
    let answer = port.runtime.block_on(port.context.respond(&incoming));
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}
