//! Measures what one core does for a call that carries data, but for signature and disk:
//! `PutRecordBatch` from its JSON to the entry and back to the answer, `PutMetricData` from gzip and
//! CBOR to the entry.
//!
//! `cargo bench -p cloud --bench put [-- ROUNDS]`. The least time of all rounds counts.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws::api::{Answer, Protocol, Seen, Shape, Value, answer, call};
use cloud::firehose::put::{Put, batch_json};
use cloud::put::{check, read, wire};

/// Records of a call, and bytes of each.
const RECORDS: usize = 500;
const RECORD_BYTES: usize = 200;
/// Metrics of a call.
const DATUMS: usize = 500;
/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000_000;
/// Most bytes of an inflated call.
const PLAIN_MAX: usize = 16 << 20;

fn main() {
    // Cargo passes `--bench`.
    let rounds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(2_000);
    let batch = batch();
    let put = least(rounds, || {
        let put = Put::read("PutRecordBatch", &batch).expect("the call is sound");
        put.check().expect("it is within the limits");
        black_box(put.entries("cloud", "arn:aws:firehose:us-east-1:1:deliverystream/s", NOW));
        black_box(told(&vec![true; RECORDS]));
    });
    row("PutRecordBatch, records", RECORDS, put);
    let metrics = metrics();
    let mut inflater = codec::gzip::Inflater::new();
    let mut plain = Vec::new();
    let put = least(rounds, || {
        inflater.gunzip(&metrics, &mut plain, PLAIN_MAX).expect("it is gzip");
        let seen = seen();
        let call = call(&seen, &plain).expect("a known operation");
        let checked = check(read(&call, &seen, &plain).expect("a sound call"), NOW);
        let mut body = Vec::with_capacity(128 * DATUMS);
        wire::encode("111122223333", &checked.expect("it is within the limits"), &mut body);
        black_box(body);
    });
    row("PutMetricData gzip CBOR, datums", DATUMS, put);
}

fn least(rounds: usize, mut work: impl FnMut()) -> Duration {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..rounds).map(time).min().unwrap_or_default()
}

fn row(name: &str, count: usize, took: Duration) {
    let each = took.as_nanos() as f64 / count as f64;
    println!("{name:<36}{each:>8.0} ns{:>14.0} a second", 1e9 / each);
}

fn told(kept: &[bool]) -> Answer {
    let seen = Seen { target: Some("Firehose_20150804.PutRecordBatch"), ..Seen::default() };
    let call = call(&seen, b"").expect("a known operation");
    answer(&call, &Shape::Json(batch_json(kept, false)), "id")
}

fn batch() -> Vec<u8> {
    let mut state = 1_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    let mut out = b"{\"DeliveryStreamName\": \"s\", \"Records\": [".to_vec();
    for index in 0..RECORDS {
        let record: Vec<u8> = (0..RECORD_BYTES).map(|_| byte()).collect();
        out.extend_from_slice(if index == 0 { b"" } else { b", " });
        out.extend_from_slice(b"{\"Data\": \"");
        codec::base64::encode_into(&record, &mut out);
        out.extend_from_slice(b"\"}");
    }
    out.extend_from_slice(b"]}");
    out
}

fn seen() -> Seen<'static> {
    Seen {
        path: "/service/GraniteServiceVersion20100801/operation/PutMetricData",
        smithy_protocol: Some("rpc-v2-cbor"),
        ..Seen::default()
    }
}

/// A call as an SDK sends it: one value and three dimensions each.
fn metrics() -> Vec<u8> {
    let dimension = |name: &'static str, value: String| {
        Value::map([("Name", Some(Value::text(name))), ("Value", Some(Value::text(value)))])
    };
    let datum = |n: usize| {
        Value::map([
            ("MetricName", Some(Value::text(format!("Latency{}", n % 10)))),
            (
                "Dimensions",
                Some(Value::List(vec![
                    dimension("Service", format!("checkout-{}", n % 7)),
                    dimension("InstanceId", format!("i-{:017x}", n * 7_919)),
                    dimension("Stage", "production".to_owned()),
                ])),
            ),
            ("Timestamp", Some(Value::Time(NOW as f64 / 1e3 - 1.0))),
            ("Value", Some(Value::Float(n as f64 * 1.37))),
            ("Unit", Some(Value::text("Milliseconds"))),
        ])
    };
    let input = Value::map([
        ("Namespace", Some(Value::text("Shop"))),
        ("MetricData", Some(Value::List((0..DATUMS).map(datum).collect()))),
    ]);
    // An answer in CBOR is written as an SDK writes its input.
    let call = call(&seen(), b"").expect("a known operation");
    assert_eq!(call.protocol, Protocol::Cbor);
    let plain = answer(&call, &Shape::Members(input), "id").body;
    let mut out = Vec::new();
    codec::gzip::Deflater::default().gzip(&plain, &mut out);
    out
}
