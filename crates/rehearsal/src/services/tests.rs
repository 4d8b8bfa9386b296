//! Tests of the simulated services and their deliveries.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use metric::{Decoder, Format, Reject, Visit};
use proptest::prelude::*;

use super::*;
use crate::ledger::{Ledger, Values, View};

const NOON: u64 = 1_795_176_000_000;

fn identity(point: &Point<'_>) -> String {
    format!("{:?}", (point.account, point.region, point.namespace, point.name, point.dimensions))
}

/// *Scenario:* two minutes of 2,000 series with percentiles and a tenth of them late.
/// *Guarantees:* exactly as many points as series, none twice, all consistent, and late ones are of
/// the day before, beyond one hour and within two days.
#[test]
fn a_minute_has_one_consistent_point_of_each_series() {
    let options =
        Options { additional: Additional::Percentiles, late: 0.1, ..Options::new(5, 2_000) };
    let services = Services::new(options);
    let mut seen = HashSet::new();
    let (mut late, mut percentiles) = (0, 0);
    for minute in [NOON, NOON + MINUTE_MS] {
        services.minute(minute, |point, lateness| {
            assert!(seen.insert((identity(point), point.start_ns)));
            let age_ms = minute - point.start_ns / NS_PER_MS;
            match lateness {
                Lateness::OnTime => assert_eq!(age_ms, 0),
                Lateness::Late => assert!((3_600_001..172_800_000).contains(&age_ms)),
            }
            late += u32::from(lateness == Lateness::Late);
            let (min, max, sum) = (point.min.unwrap(), point.max.unwrap(), point.sum.unwrap());
            let mean = sum / point.count;
            assert!(min <= mean + 1e-6 && mean <= max + 1e-6, "{point:?}");
            let values: Vec<f64> = point.extra.iter().map(|extra| extra.value).collect();
            assert!(values.is_sorted() && values.iter().all(|v| (min..=max).contains(v)));
            percentiles += values.len();
        });
    }
    assert_eq!(seen.len(), 4_000);
    assert!((200..600).contains(&late), "{late}");
    assert!(percentiles > 1_000, "{percentiles}");
}

/// *Scenario:* the requests of all load balancers, hour by hour over a day.
/// *Guarantees:* there is a night and a day, and the same seed lives the same day.
#[test]
fn traffic_follows_the_day() {
    let services = Services::new(Options::new(5, 1_000));
    let requests = |hour: u64| {
        let mut sum = 0.0;
        services.minute(NOON + hour * 60 * MINUTE_MS, |point, _| {
            if point.name == b"RequestCount" {
                sum += point.sum.unwrap();
            }
        });
        sum
    };
    let day: Vec<f64> = (0..24).map(requests).collect();
    let (low, high) = day.iter().fold((f64::MAX, 0f64), |(l, h), v| (l.min(*v), h.max(*v)));
    assert!(high > 3.0 * low, "{day:?}");
    assert_eq!(day, (0..24).map(requests).collect::<Vec<_>>());
}

/// Enters decoded points into a ledger and counts what could not be decoded.
struct Arrivals<'a> {
    ledger: &'a mut Ledger,
    rejects: u64,
    points: u64,
}

impl Visit for Arrivals<'_> {
    fn point(&mut self, point: &Point<'_>) {
        self.points += 1;
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        let identity = crate::ledger::identity(
            &[text(point.account), text(point.region), text(point.namespace), text(point.name)],
            point.dimensions.iter().map(|(name, value)| (text(name), text(value))),
        );
        let values =
            Values { min: point.min, max: point.max, sum: point.sum, count: Some(point.count) };
        self.ledger.sight(&identity, point.instant_ms(), values);
    }
    fn reject(&mut self, _: &Reject<'_>) {
        self.rejects += 1;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// *Scenario:* a few minutes are delivered in each format with repeats and damaged records, and
    /// everything is decoded again.
    /// *Guarantees:* the ledger finds every point unaltered and nothing else; repeats are equal to
    /// what they repeat; each damaged record is at least one reject and never a point.
    #[test]
    fn deliveries_hold_exactly_what_was_announced(
        seed in any::<u64>(),
        series in 1usize..700,
        format in prop_oneof![Just(Format::Json), Just(Format::Otel07), Just(Format::Otel10)],
        delivery_bytes in 2_000usize..300_000,
    ) {
        let plan = Plan { delivery_bytes, repeated: 0.3, damaged: 0.5, ..Plan::new(format) };
        let mut deliveries = Deliveries::new(Services::new(Options::new(seed, series)), plan);
        let ledger = Mutex::new(Ledger::new(View::Otlp));
        let mut sent: HashMap<String, Delivery> = HashMap::new();
        let (mut damaged, mut announced) = (0, 0);
        let mut received = Vec::new();
        for minute in 0..3 {
            let start_ms = NOON + minute * MINUTE_MS;
            let made = deliveries.minute(start_ms, |number, point, _| {
                ledger.lock().unwrap().expect(number, point);
                announced += 1;
            });
            for delivery in made {
                ledger.lock().unwrap().acknowledge(delivery.number);
                let id = delivery.request_id.clone();
                if delivery.is_repeat {
                    prop_assert_eq!(&sent[&id].records, &delivery.records);
                    continue;
                }
                damaged += delivery.damaged;
                received.extend(delivery.records.iter().cloned());
                prop_assert!(sent.insert(id, delivery).is_none());
            }
        }
        let mut ledger = ledger.into_inner().unwrap();
        let mut decoder = Decoder::new();
        let mut arrivals = Arrivals { ledger: &mut ledger, rejects: 0, points: 0 };
        for record in &received {
            decoder.decode(record, &mut arrivals);
        }
        prop_assert_eq!(arrivals.points, announced);
        prop_assert!(arrivals.rejects >= damaged, "{} {}", arrivals.rejects, damaged);
        prop_assert_eq!(sent.values().map(|d| d.points).sum::<u64>(), announced);
        let result = ledger.compare();
        prop_assert!(result.is_clean(), "{:?}", result);
        prop_assert_eq!(result.arrived, 3 * series as u64);
        prop_assert_eq!(result.duplicates, 0);
    }
}

/// *Scenario:* the same run twice.
/// *Guarantees:* deliveries are the same to the byte, request ids included.
#[test]
fn the_same_seed_gives_the_same_deliveries() {
    let run = || {
        let plan =
            Plan { repeated: 0.2, damaged: 0.2, delivery_bytes: 50_000, ..Plan::new(Format::Json) };
        let mut deliveries = Deliveries::new(Services::new(Options::new(9, 500)), plan);
        let mut all = deliveries.minute(NOON, |_, _, _| {});
        all.extend(deliveries.minute(NOON + MINUTE_MS, |_, _, _| {}));
        all
    };
    assert_eq!(run(), run());
    assert!(run().len() > 4);
}
