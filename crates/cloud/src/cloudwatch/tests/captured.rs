//! What SDKs really send.

use super::*;

/// *Scenario:* every captured CloudWatch request of boto3, both AWS CLIs, JavaScript and Rust, as it
/// was signed, in three protocols and gzip.
/// *Guarantees:* all are believed, known and answered with 200, but for a statistic that an
/// OpenTelemetry stream cannot carry and a range without length, which are refused by name.
#[test]
fn captured_requests_are_answered() {
    let Some(index) = testkit::testdata(env!("CARGO_MANIFEST_DIR"), "sdk-requests/INDEX.md") else {
        return;
    };
    let index = String::from_utf8(index).unwrap();
    let mut port = port("cloudwatch-captured");
    let mut config = Config::clone(&port.context.config);
    config.unsigned = None;
    port.context.config = Arc::new(config);
    port.ask("PutMetricStream", &stream("ms", "")).unwrap();
    let (mut count, mut answered) = (0, 0);
    for line in index.lines() {
        let name = line.split('|').nth(1).unwrap_or_default().trim();
        if !name.contains("-cloudwatch-") {
            continue;
        }
        let file = format!("sdk-requests/{name}.bin");
        let bytes = testkit::testdata(env!("CARGO_MANIFEST_DIR"), &file).expect(&file);
        let (status, told) = replayed(&mut port, &bytes);
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
    assert!(count > 45, "only {count} captures were found");
    assert!(answered > count - 10, "only {answered} of {count} were answered with 200");
}

fn replayed(port: &mut Port, bytes: &[u8]) -> (u16, String) {
    let at = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&bytes[..at]).unwrap();
    let mut lines = head.lines();
    let path = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers: Vec<(&str, &str)> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name, value.trim()))
        .collect();
    let header = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| *value)
    };
    let body = &bytes[at + 4..];
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
    let incoming =
        Incoming { method: "POST", path, query: "", headers: &headers, body, plain: &plain };
    let answer = port.runtime.block_on(port.context.respond(&incoming));
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}
