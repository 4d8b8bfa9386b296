//! What enrichment costs: nothing is allocated per point, and a large snapshot stays small.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

#[expect(dead_code, reason = "only some of it is needed here")]
mod sink_support;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use metric::{Decoder, Dimension, Format, Point, Reject, Shapes, Visit};
use rehearsal::payload::{self, Options};
use rules::{ArnRules, Enricher, Enrichment, Filter, Fixed, TagSnapshot, Tags};
use sink_support::{NOW, build, dynatrace_config, otlp_config};

use delivery::sink::{self, Offer, Packer, Payload};

#[global_allocator]
static ALLOC: testkit::alloc::Counting = testkit::alloc::Counting;

/// Allocations allowed for one request, as without enrichment.
const PER_REQUEST: u64 = 8;
/// Where the simulated services are.
const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "ap-southeast-2"];
/// Resources of a large organisation.
const RESOURCES: usize = 100_000;

fn enrichment() -> Enrichment {
    Enrichment {
        fixed: vec![Fixed {
            when: Filter { regions: REGIONS.map(str::to_owned).to_vec(), ..Filter::default() },
            attributes: vec![("environment".into(), "production".into())],
        }],
        tags: Some(Tags {
            file: "x".into(),
            keys: vec!["team".into(), "Name".into()],
            prefix: "tag.".into(),
            rules: ArnRules::built_in(),
        }),
    }
}

/// A snapshot of queues and instances, and of what the points of `records` are about.
fn snapshot_text(arns: &[String]) -> String {
    let mut text = String::from(
        r#"{"version":1,"regions":[{"fetched_at":"2026-11-20T11:00:00Z","resources":{"#,
    );
    for at in 0..RESOURCES {
        let comma = if at > 0 { "," } else { "" };
        let made = format!("arn:aws:sqs:eu-west-1:111122223333:queue-of-some-length-{at:08}");
        let arn = arns.get(at).unwrap_or(&made);
        let team = at % 50;
        write!(
            text,
            r#"{comma}"{arn}":{{"Name":"resource-{at}","team":"team-{team}","aws:cloudformation:stack-name":"stack-{at}"}}"#
        )
        .unwrap();
    }
    text + "}}]}"
}

struct Sieve {
    shapes: Shapes,
    enricher: Enricher,
    packer: Packer,
    closed: Vec<Payload>,
    added: Vec<Dimension<'static>>,
}

fn emptied<From, To>(mut used: Vec<From>) -> Vec<To> {
    used.clear();
    used.into_iter().filter_map(|_| None).collect()
}

impl Visit for Sieve {
    fn point(&mut self, point: &Point<'_>) {
        let shape = self.shapes.intern(point);
        if self.packer.full() {
            let payload = self.packer.close();
            self.closed.push(payload);
        }
        let mut added = emptied(std::mem::take(&mut self.added));
        self.enricher.enrich(point, shape, &mut added);
        assert!(!added.is_empty());
        let point = Point { attributes: &added, ..*point };
        assert_eq!(self.packer.offer(&point, shape, NOW), Offer::Taken);
        self.added = emptied(added);
    }
    fn reject(&mut self, reject: &Reject<'_>) {
        panic!("{reject:?}");
    }
}

/// ARNs of the queues, instances and functions among the points.
fn arns(records: &[Vec<u8>]) -> Vec<String> {
    let mut arns = Vec::new();
    sink_support::each_point(records, |point| {
        let text = metric::text;
        let (region, account) = (text(point.region), text(point.account));
        for (name, value) in point.dimensions {
            let value = text(value);
            arns.extend(match text(name) {
                "InstanceId" => Some(format!("arn:aws:ec2:{region}:{account}:instance/{value}")),
                "QueueName" => Some(format!("arn:aws:sqs:{region}:{account}:{value}")),
                "FunctionName" => {
                    Some(format!("arn:aws:lambda:{region}:{account}:function:{value}"))
                }
                _ => None,
            });
        }
    });
    arns.sort();
    arns.dedup();
    arns
}

/// *Scenario:* two thousand metrics get fixed attributes and tags out of a hundred thousand resources
/// on their way to lines, OTLP and files; every buffer is warm.
/// *Guarantees:* at most eight allocations a request, so none a metric; some points found their tags.
#[test]
fn enrichment_allocates_nothing_per_metric() {
    let options = Options { metrics: 2_200, series: 2_200, ..Options::default() };
    for format in [Format::Otel10, Format::Json] {
        let records = payload::records(&options, format);
        let enrichment = enrichment();
        let text = snapshot_text(&arns(&records));
        let snapshot =
            TagSnapshot::parse(text.as_bytes(), enrichment.tags.as_ref().unwrap()).unwrap();
        let snapshot = Arc::new(snapshot);
        let mut lines = dynatrace_config("http://127.0.0.1:9");
        lines.percentiles = true;
        for config in
            [sink::Config::Dynatrace(lines), sink::Config::Otlp(otlp_config("http://127.0.0.1:9"))]
        {
            let mut sieve = Sieve {
                shapes: Shapes::new(),
                enricher: Enricher::compile(&enrichment).unwrap(),
                packer: build(&config).0,
                closed: Vec::with_capacity(100),
                added: Vec::new(),
            };
            sieve.enricher.set_snapshot(Arc::clone(&snapshot));
            let mut decoder = Decoder::new();
            let mut pass = |sieve: &mut Sieve| {
                sieve.closed.clear();
                records.iter().for_each(|record| decoder.decode(record, sieve));
                let payload = sieve.packer.close();
                sieve.closed.push(payload);
            };
            for _ in 0..2 {
                pass(&mut sieve);
            }
            let before = sieve.enricher.counts();
            let (allocations, _) = testkit::alloc::counted(|| pass(&mut sieve));
            let requests = sieve.closed.len() as u64;
            assert!(
                allocations <= requests * PER_REQUEST,
                "{allocations} allocations for {requests} requests of {format:?}"
            );
            let found = sieve.enricher.counts().matched - before.matched;
            assert!(found > 100, "{found} points found their tags");
        }
    }
}

/// *Scenario:* a snapshot of a hundred thousand resources with three tags each, two of them chosen.
/// *Guarantees:* reading it allocates less than four times its bytes in all, growing included, and it
/// is read at more than a megabyte a second even without optimisation.
#[test]
fn a_large_snapshot_stays_small() {
    let enrichment = enrichment();
    let text = snapshot_text(&[]);
    let begun = Instant::now();
    let mut read = None;
    let (allocations, bytes) = testkit::alloc::counted(|| {
        read = TagSnapshot::parse(text.as_bytes(), enrichment.tags.as_ref().unwrap()).ok();
    });
    let took = begun.elapsed();
    assert_eq!(read.unwrap().resources(), RESOURCES as u64);
    println!("{} bytes of JSON: {took:?}, {allocations} allocations, {bytes} bytes", text.len());
    assert!(bytes < 4 * text.len() as u64, "{bytes} bytes allocated for {}", text.len());
    assert!(took.as_secs_f64() < text.len() as f64 / 1e6, "{took:?}");
}
