use super::{Encoder, Format, OPEN_RESOURCES_MAX, exporter_arn};
use crate::{Decoder, Extra, Point, Reject, Statistic, Visit};

fn point<'a>(account: &'a str, region: &'a str, name: &'a str) -> Point<'a> {
    Point {
        stream: b"s",
        account: account.as_bytes(),
        region: region.as_bytes(),
        start_ns: 1_000_000,
        ..Point::of(b"N", name.as_bytes())
    }
}

/// Collects `account/name` of each point.
#[derive(Default)]
struct Names(Vec<String>);

impl Visit for Names {
    fn point(&mut self, point: &Point<'_>) {
        let (account, name) = (crate::text(point.account), crate::text(point.name));
        self.0.push(format!("{account}/{name}"));
    }
    fn reject(&mut self, reject: &Reject<'_>) {
        panic!("{reject:?}");
    }
}

fn names(record: &[u8]) -> Vec<String> {
    let mut names = Names::default();
    Decoder::new().decode(record, &mut names);
    names.0
}

/// *Scenario:* points of two accounts in turn, then a second record with the same encoder.
/// *Guarantees:* one message for each resource in the order they came; a record starts empty.
#[test]
fn points_are_grouped_by_resource() {
    let mut encoder = Encoder::new(Format::Otel10);
    for (account, name) in [("1", "a"), ("2", "b"), ("1", "c"), ("2", "d")] {
        encoder.push(&point(account, "r", name));
    }
    assert!(!encoder.is_empty() && encoder.len() > 100);
    let mut record = Vec::new();
    encoder.finish(&mut record);
    assert_eq!(names(&record), ["1/a", "1/c", "2/b", "2/d"]);
    let first = usize::from(record[0] & 0x7f) | usize::from(record[1]) << 7;
    assert_eq!(names(&record[..first + 2]), ["1/a", "1/c"]);

    assert!(encoder.is_empty());
    encoder.push(&point("3", "r", "e"));
    let mut record = Vec::new();
    encoder.finish(&mut record);
    assert_eq!(names(&record), ["3/e"]);
    let mut nothing = Vec::new();
    encoder.finish(&mut nothing);
    assert!(nothing.is_empty());
}

/// *Scenario:* more resources in a record than are looked through.
/// *Guarantees:* every point is written; an old resource merely comes twice.
#[test]
fn many_resources_lose_nothing() {
    let mut encoder = Encoder::new(Format::Otel07);
    let accounts: Vec<String> = (0..OPEN_RESOURCES_MAX + 20).map(|at| at.to_string()).collect();
    for round in ["a", "b"] {
        for account in &accounts {
            encoder.push(&point(account, "r", round));
        }
    }
    let mut record = Vec::new();
    encoder.finish(&mut record);
    let mut found = names(&record);
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 2 * accounts.len());
}

/// *Scenario:* points with statistics that OTel cannot carry.
/// *Guarantees:* they are counted, percentiles are not; JSON leaves nothing out.
#[test]
fn what_is_left_out_is_counted() {
    let named = |name: &'static [u8]| Extra { statistic: Statistic::Named(name), value: 1.0 };
    let extra = [named(b"p99"), named(b"TM(25%:75%)"), named(b"IQM"), named(b"p99.9")];
    for (format, expect) in [(Format::Json, 0), (Format::Otel07, 2), (Format::Otel10, 2)] {
        let mut encoder = Encoder::new(format);
        encoder.push(&Point { extra: &extra, ..point("1", "r", "a") });
        assert_eq!(encoder.left_out(), expect, "{}", format.name());
    }
}

/// *Scenario:* streams of several partitions without an ARN, one with, and one without a name.
/// *Guarantees:* an ARN that came is kept, else it is made as AWS makes it, else there is none.
#[test]
fn the_arn_is_made_when_it_is_missing() {
    for (region, expect) in [
        ("eu-west-1", "arn:aws:cloudwatch:eu-west-1:1:metric-stream/s"),
        ("cn-north-1", "arn:aws-cn:cloudwatch:cn-north-1:1:metric-stream/s"),
        ("eusc-de-east-1", "arn:aws-eusc:cloudwatch:eusc-de-east-1:1:metric-stream/s"),
        ("us-gov-east-1", "arn:aws-us-gov:cloudwatch:us-gov-east-1:1:metric-stream/s"),
    ] {
        let mut arn = Vec::new();
        exporter_arn(&point("1", region, "a"), &mut arn);
        assert_eq!(arn, expect.as_bytes());
    }
    let mut arn = Vec::new();
    exporter_arn(&Point { exporter_arn: b"arn:x", ..point("1", "r", "a") }, &mut arn);
    assert_eq!(arn, b"arn:x");
    exporter_arn(&Point { stream: b"", ..point("1", "r", "a") }, &mut arn);
    assert_eq!(arn, b"arn:x");
}
