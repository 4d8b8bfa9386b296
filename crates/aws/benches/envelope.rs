//! Measures the envelope reader against the least a scan can cost, and against serde_json.
//!
//! `cargo bench -p aws --bench envelope [-- METRICS ROUNDS]`. Rounds are interleaved, the least
//! time of each stage counts.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws::firehose::envelope::{EnvelopeReader, Limits};
use aws::firehose::request;

/// Bytes of base64 a metric takes in a record of OpenTelemetry 1.0.
const METRIC_BYTES: usize = 258;

const LIMITS: Limits = Limits { records: 10_000, record_text: 1_365_336 };

#[derive(serde::Deserialize)]
struct Peer<'a> {
    #[serde(borrow)]
    records: Vec<PeerRecord<'a>>,
}

#[derive(serde::Deserialize)]
struct PeerRecord<'a> {
    data: &'a str,
}

fn body(metrics: usize, record_metrics: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut record = |_| {
        let step = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        (0..record_metrics * METRIC_BYTES).map(step).collect::<Vec<u8>>()
    };
    let records: Vec<Vec<u8>> = (0..metrics / record_metrics).map(&mut record).collect();
    let mut out = Vec::new();
    request::body("bench", 1, &records, &mut out);
    out
}

fn drain(mut reader: EnvelopeReader<'_>) -> usize {
    let mut bytes = 0;
    while let Ok(Some(text)) = reader.next() {
        bytes += text.len();
    }
    bytes
}

struct Stage<'a> {
    name: &'static str,
    run: Box<dyn Fn() -> usize + 'a>,
    best: Duration,
}

fn stage<'a>(name: &'static str, run: impl Fn() -> usize + 'a) -> Stage<'a> {
    Stage { name, run: Box::new(run), best: Duration::MAX }
}

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<usize>().ok());
    let metrics = numbers.next().unwrap_or(10_000);
    let rounds = numbers.next().unwrap_or(60);
    println!("{:<36}{:>12}{:>12}", "stage", "ns/metric", "ns/record");
    for record_metrics in [1, 10, 500] {
        let body = body(metrics, record_metrics);
        let mut stages = [
            stage("memchr over the quotes (the floor)", || {
                memchr::memchr_iter(b'"', &body).count()
            }),
            stage("whole", || drain(EnvelopeReader::whole(&body, LIMITS))),
            stage("stream", || drain(EnvelopeReader::stream(Box::new(body.as_slice()), LIMITS))),
            stage("serde_json, borrowed (a peer)", || {
                serde_json::from_slice::<Peer<'_>>(&body)
                    .map_or(0, |peer| peer.records.iter().map(|record| record.data.len()).sum())
            }),
        ];
        for _ in 0..rounds {
            for Stage { run, best, .. } in &mut stages {
                let begin = Instant::now();
                black_box(run());
                *best = (*best).min(begin.elapsed());
            }
        }
        println!("records of {record_metrics} metrics, {} bytes in all", body.len());
        for Stage { name, best, .. } in &stages {
            let ns = best.as_nanos() as f64;
            let records = (metrics / record_metrics) as f64;
            println!("{name:<36}{:>12.1}{:>12.1}", ns / metrics as f64, ns / records);
        }
    }
}
