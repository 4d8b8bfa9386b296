//! How fast the generators and receivers are, so that a load test knows what it measures.
//!
//! One line for each: nanoseconds a metric, best of several rounds.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::time::Instant;

use metric::Format;
use rehearsal::payload::{self, Options};
use rehearsal::services::{self, Deliveries, Plan, Services};
use rehearsal::{dynatrace, otlp};

/// Metrics of a round.
const METRICS: usize = 50_000;

/// Rounds, of which the best counts: the machine is shared.
const ROUNDS: usize = 5;

fn measure(what: &str, mut work: impl FnMut() -> u64) {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let metrics = work();
        best = best.min(begin.elapsed().as_nanos() as f64 / metrics as f64);
    }
    println!("{best:8.0} ns/metric  {what}");
}

fn main() {
    let options = Options { metrics: METRICS, ..Options::default() };
    for format in [Format::Json, Format::Otel07, Format::Otel10] {
        measure(&format!("payload, {}", format.name()), || {
            payload::records(&options, format);
            METRICS as u64
        });
    }
    let records = payload::records(&options, Format::Otel10);
    let body = payload::body(&records, "00000000-0000-4000-8000-000000000000");
    measure("gzip of the body, level 6", || {
        payload::gzip(&body);
        METRICS as u64
    });
    let services = Services::new(services::Options::new(1, METRICS));
    let mut deliveries = Deliveries::new(services, Plan::new(Format::Otel10));
    let mut minute = 0;
    measure("simulated services to records, opentelemetry1.0", || {
        minute += 60_000;
        deliveries.minute(options.start_ms + minute, |_, _, _| {}).iter().map(|d| d.points).sum()
    });
    mint(&options);
    requests(&records);
}

/// The Dynatrace receiver, on requests of 1,000 lines.
fn mint(options: &Options) {
    let mut lines = Vec::new();
    payload::points(options, |point| {
        let dimensions: String =
            (0..4).map(|n| format!(",dimension{n}=\"value-{n}-abc\"")).collect();
        let key = "cloud.aws.applicationelb.requestCountByAccountIdLoadBalancerRegion";
        let instant = point.instant_ms();
        lines.push(format!(
            "{key}{dimensions} gauge,min=1,max=2.5,sum=12345.5,count=9000 {instant}"
        ));
    });
    let requests: Vec<String> = lines.chunks(1_000).map(|lines| lines.join("\n")).collect();
    let now_ms = i64::try_from(options.start_ms).unwrap_or(0);
    measure("MINT lines, judged", || {
        let judge = |body: &String| dynatrace::judge(body.as_bytes(), now_ms, |_| Ok(()));
        requests.iter().filter_map(|body| judge(body).ok()).map(|judged| judged.lines_ok).sum()
    });
    measure("MINT lines, counted", || {
        let count = |body: &String| dynatrace::count(body.as_bytes());
        requests.iter().filter_map(|body| count(body).ok()).map(|judged| judged.points).sum()
    });
}

/// The OTLP receiver, on the messages of the records.
fn requests(records: &[Vec<u8>]) {
    let mut messages = Vec::new();
    for record in records {
        let mut rest = record.as_slice();
        while let Ok(length) = prost::encoding::decode_varint(&mut rest) {
            let Some((message, after)) = rest.split_at_checked(length as usize) else { break };
            messages.push(message);
            rest = after;
        }
    }
    measure("OTLP requests, checked", || {
        let check = |body: &&[u8]| otlp::read_protobuf(body).and_then(|r| otlp::check(&r));
        messages.iter().filter_map(|body| check(body).ok()).sum()
    });
    measure("OTLP requests, counted", || {
        messages.iter().filter_map(|body| otlp::count_points(body).ok()).sum()
    });
}
