//! Tests of the generator: its mixture, its sizes, and that it never says a thing twice.

use std::collections::HashSet;

use super::*;

fn small() -> Options {
    Options { metrics: 2_500, series: 1_000, ..Options::default() }
}

/// *Scenario:* the same options twice, then another seed, then each format.
/// *Guarantees:* bytes follow from the options alone, and each option matters.
#[test]
fn the_same_options_give_the_same_bytes() {
    let first = records(&small(), Format::Otel10);
    assert_eq!(first, records(&small(), Format::Otel10));
    assert_ne!(first, records(&Options { seed: 2, ..small() }, Format::Otel10));
    assert_ne!(first, records(&small(), Format::Otel07));
    assert_ne!(first, records(&Options { order: Order::Grouped, ..small() }, Format::Otel10));
}

/// *Scenario:* 2,500 metrics of 1,000 series are walked.
/// *Guarantees:* there are exactly as many points as asked for, and no series has two in a minute.
#[test]
fn no_series_has_two_points_in_a_minute() {
    let mut seen = HashSet::new();
    let mut minutes = HashSet::new();
    points(&small(), |point| {
        minutes.insert(point.start_ns);
        let key = format!(
            "{:?}",
            (point.account, point.region, point.namespace, point.name, point.dimensions)
        );
        assert!(seen.insert((key, point.start_ns)));
    });
    assert_eq!(seen.len(), 2_500);
    assert_eq!(minutes.len(), 3);
}

/// *Scenario:* the sets of ten thousand points are counted by kind.
/// *Guarantees:* 76 % are whole numbers, 40 % hold one sample, some have a minimum of zero, and
/// every set is consistent in itself.
#[test]
fn the_mixture_is_as_promised() {
    let (mut whole, mut single, mut zero) = (0, 0, 0);
    points(&Options::default(), |point| {
        let (min, max, sum) = (point.min.unwrap(), point.max.unwrap(), point.sum.unwrap());
        whole += u32::from([min, max, sum].iter().all(|n| n.fract() == 0.0));
        single += u32::from(point.count == 1.0);
        zero += u32::from(min == 0.0);
        let mean = sum / point.count;
        assert!(min <= mean + 1e-6 && mean <= max + 1e-6, "{min} {mean} {max}");
    });
    assert!((7_450..7_850).contains(&whole), "{whole}");
    assert!((3_850..4_150).contains(&single), "{single}");
    assert!(zero > 500, "{zero}");
}

/// *Scenario:* the default payload is framed, packed and compressed in both orders.
/// *Guarantees:* sizes stay near those that the goals of speed were measured with, so that
/// figures can be compared; records are within what Firehose takes.
#[test]
fn sizes_are_near_the_measured_ones() {
    for (order, format, raw, packed) in [
        (Order::Shuffled, Format::Otel10, 258.1, 77.9),
        (Order::Grouped, Format::Otel10, 258.2, 39.2),
        (Order::Shuffled, Format::Json, 323.2, 59.4),
        (Order::Grouped, Format::Json, 323.2, 33.9),
    ] {
        let records = records(&Options { order, ..Options::default() }, format);
        let bytes: usize = records.iter().map(Vec::len).sum();
        assert!(records.iter().all(|record| record.len() < 1_024_000));
        let body = gzip(&body(&records, "00000000-0000-4000-8000-000000000000"));
        let (a, b) = (bytes as f64 / 10_000.0, body.len() as f64 / 10_000.0);
        let c = gzip(&records.concat()).len() as f64 / 10_000.0;
        println!("{order:?} {format:?}: {a:.1} B raw, {b:.1} B body, {c:.1} B raw packed");

        assert!((a / raw - 1.0).abs() < 0.10, "{order:?} {format:?}: {a} raw, wanted {raw}");
        assert!((b / packed - 1.0).abs() < 0.15, "{order:?} {format:?}: {b} body, wanted {packed}");
    }
}
