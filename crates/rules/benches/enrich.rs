//! What enrichment costs a point, and what reading a snapshot costs.
//!
//! `cargo bench -p rules --bench enrich` measures; without `--bench` (as `cargo test --benches` calls
//! it) one small round shows that it works. Resources are asked for in an order that no cache likes.
#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a benchmark may stop")]

use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metric::{Dimension, Point, Shapes};
use rules::{ArnRules, Enricher, Enrichment, Filter, Fixed, TagSnapshot, Tags};

const ROUNDS: usize = 30;

fn main() {
    let measuring = std::env::args().any(|arg| arg == "--bench");
    let (resources, rounds) = if measuring { (100_000, ROUNDS) } else { (1_000, 1) };
    let enrichment = enrichment();
    let tags = enrichment.tags.as_ref().expect("tags");
    let text = snapshot(resources);
    let mut read = Duration::MAX;
    let mut snapshot = Arc::default();
    for _ in 0..rounds.min(5) {
        let begun = Instant::now();
        snapshot = Arc::new(TagSnapshot::parse(text.as_bytes(), tags).expect("a good snapshot"));
        read = read.min(begun.elapsed());
    }
    println!("{resources} resources, {} bytes of JSON, read in {read:?}", text.len());

    let fixed = Enrichment { tags: None, ..enrichment.clone() };
    for (what, enrichment) in [("fixed", fixed), ("fixed and tags", enrichment)] {
        for (whose, offset) in [("known", 0), ("unknown", resources)] {
            let mut enricher = Enricher::compile(&enrichment).expect("compiles");
            enricher.set_snapshot(Arc::clone(&snapshot));
            let time = measure(&mut enricher, resources, offset, rounds);
            println!("{what}, {whose} resources: {time:.0} ns a point");
        }
    }
}

/// Nanoseconds for each of ten thousand points of three metrics, the best of all rounds.
fn measure(enricher: &mut Enricher, resources: usize, offset: usize, rounds: usize) -> f64 {
    let ids: Vec<String> = (0..10_000).map(|at| id(at * 7_919 % resources + offset)).collect();
    let dimensions: Vec<[Dimension<'_>; 1]> =
        ids.iter().map(|id| [(&b"InstanceId"[..], id.as_bytes())]).collect();
    let names: [&[u8]; 3] = [b"CPUUtilization", b"NetworkIn", b"NetworkOut"];
    let points: Vec<Point<'_>> =
        dimensions.iter().enumerate().map(|(at, list)| point(names[at % 3], list)).collect();
    let mut shapes = Shapes::new();
    let shapes: Vec<_> = points.iter().map(|point| shapes.intern(point)).collect();
    let mut best = Duration::MAX;
    for _ in 0..=rounds {
        let mut added = Vec::new();
        let begun = Instant::now();
        for (point, shape) in points.iter().zip(&shapes) {
            // As the packer does: the same memory for every point.
            let mut room = emptied(added);
            enricher.enrich(black_box(point), *shape, &mut room);
            added = emptied::<_, Dimension<'static>>(black_box(room));
        }
        best = best.min(begun.elapsed());
    }
    best.as_nanos() as f64 / points.len() as f64
}

fn emptied<From, To>(mut used: Vec<From>) -> Vec<To> {
    used.clear();
    used.into_iter().filter_map(|_| None).collect()
}

fn id(at: usize) -> String {
    format!("i-{:017x}", at * 2_654_435_761)
}

fn snapshot(resources: usize) -> String {
    let mut text = String::from("{\"version\":1,\"regions\":[{\"resources\":{");
    for at in 0..resources {
        let (comma, id, team) = (if at > 0 { "," } else { "" }, id(at), at % 50);
        write!(
            text,
            "{comma}\"arn:aws:ec2:eu-west-1:111122223333:instance/{id}\":{{\"Name\":\"web-{at}\",\
             \"team\":\"team-{team}\",\"aws:autoscaling:groupName\":\"web\"}}"
        )
        .expect("a String takes everything");
    }
    text + "}}]}"
}

fn enrichment() -> Enrichment {
    let fixed = |account: &str, value: &str| Fixed {
        when: Filter { accounts: vec![account.to_owned()], ..Filter::default() },
        attributes: vec![("environment".to_owned(), value.to_owned())],
    };
    Enrichment {
        fixed: vec![fixed("111122223333", "production"), fixed("444455556666", "test")],
        tags: Some(Tags {
            file: "tags.json".into(),
            keys: vec!["Name".to_owned(), "team".to_owned()],
            prefix: "tag.".to_owned(),
            rules: ArnRules::built_in(),
        }),
    }
}

fn point<'a>(name: &'a [u8], dimensions: &'a [Dimension<'a>]) -> Point<'a> {
    Point {
        stream: b"s",
        account: b"111122223333",
        region: b"eu-west-1",
        dimensions,
        start_ns: 1,
        ..Point::of(b"AWS/EC2", name)
    }
}
