//! The ledger: what it finds missing, altered, repeated, and what it leaves in peace.

use super::*;
use crate::payload::{self, Options};

fn options() -> Options {
    Options { metrics: 300, series: 100, ..Options::default() }
}

/// All points of the payload as an OTLP receiver would see them.
fn sightings() -> Vec<(String, i64, Values)> {
    let mut all = Vec::new();
    payload::points(&options(), |point| {
        let values =
            Values { min: point.min, max: point.max, sum: point.sum, count: Some(point.count) };
        all.push((otlp_identity(point), point.instant_ms(), values));
    });
    all
}

fn ledger(view: View) -> Ledger {
    let mut ledger = Ledger::new(view);
    payload::points(&options(), |point| ledger.expect(1, point));
    ledger
}

/// *Scenario:* everything arrives once, in another order.
/// *Guarantees:* the comparison is clean and complete.
#[test]
fn what_arrives_whole_is_clean() {
    let mut ledger = ledger(View::Otlp);
    ledger.acknowledge(1);
    for (identity, instant, values) in sightings().iter().rev() {
        ledger.sight(identity, *instant, *values);
    }
    let result = ledger.compare();
    assert!(result.is_clean(), "{result:?}");
    assert_eq!((result.sent, result.arrived, result.duplicates), (300, 300, 0));
}

/// *Scenario:* one point never comes, one comes twice, one with another sum, one from nowhere, one
/// at another instant.
/// *Guarantees:* each is counted under its own name, and the examples say which it was.
#[test]
fn each_difference_has_its_name() {
    let mut ledger = ledger(View::Otlp);
    ledger.acknowledge(1);
    let all = sightings();
    for (n, (identity, instant, values)) in all.iter().enumerate() {
        match n {
            0 => {}
            1 => {
                ledger.sight(identity, *instant, *values);
                ledger.sight(identity, *instant, *values);
            }
            2 => ledger.sight(identity, *instant, values.with(Statistic::Sum, -1.0)),
            _ => ledger.sight(identity, *instant, *values),
        }
    }
    ledger.sight("nobody", all[0].1, all[0].2);
    ledger.sight(&all[3].0, 5, all[3].2);
    let result = ledger.compare();
    let counts = (result.missing, result.duplicates, result.altered, result.unexpected);
    assert_eq!(counts, (1, 1, 1, 2));
    assert_eq!(result.arrived, 298);
    assert!(!result.is_clean());
    let text = result.examples.join("\n");
    for part in ["missing: ", "altered: ", "Sum -1.0", "no such series", "no such instant"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// *Scenario:* nothing arrives, first without a yes, then with one.
/// *Guarantees:* only what was promised can be missing.
#[test]
fn only_acknowledged_points_can_be_missing() {
    let mut ledger = ledger(View::Otlp);
    let result = ledger.compare();
    assert_eq!((result.missing, result.unacknowledged), (0, 300));
    assert!(result.is_clean());
    ledger.acknowledge(1);
    assert_eq!(ledger.compare().missing, 300);
}

/// *Scenario:* the statistics of each point arrive one by one, as gauges do; of one the maximum never.
/// *Guarantees:* a point has arrived when all its statistics have, and parts are no duplicates.
#[test]
fn a_point_can_arrive_in_parts() {
    let mut ledger = ledger(View::Otlp);
    ledger.acknowledge(1);
    for (n, (identity, instant, values)) in sightings().iter().enumerate() {
        for statistic in STATISTICS {
            if n == 0 && statistic == Statistic::Max {
                continue;
            }
            let part = Values::default().with(statistic, values.get(statistic).unwrap());
            ledger.sight(identity, *instant, part);
        }
    }
    let result = ledger.compare();
    assert_eq!((result.arrived, result.missing, result.duplicates), (299, 1, 0));
}

/// *Scenario:* the values at Dynatrace are repaired within rounding, then beyond it.
/// *Guarantees:* a repair is no alteration, anything more is; OTLP takes neither.
#[test]
fn rounding_is_forgiven_at_dynatrace_only() {
    let value = 12_345.678;
    assert!(same(View::Dynatrace, value, value * (1.0 + 1e-9)));
    assert!(!same(View::Dynatrace, value, value * (1.0 + 1e-5)));
    assert!(same(View::Dynatrace, 0.0, 0.0));
    assert!(!same(View::Dynatrace, 0.0, 1e-3));
    assert!(!same(View::Otlp, value, value * (1.0 + 1e-9)));
    assert!(same(View::Otlp, 0.0, -0.0));
}

/// *Scenario:* what arrived in the first minute is forgotten while one point of it is missing.
/// *Guarantees:* sums stay true, the missing one stays known, and memory is given back.
#[test]
fn forgetting_keeps_the_sums_and_the_missing() {
    let mut ledger = ledger(View::Otlp);
    ledger.acknowledge(1);
    let all = sightings();
    for (identity, instant, values) in &all[1..] {
        ledger.sight(identity, *instant, *values);
    }
    ledger.forget_before(all[0].1 + 60_000);
    assert_eq!(ledger.entries.len(), 201);
    let result = ledger.compare();
    assert_eq!((result.sent, result.arrived, result.missing), (300, 299, 1));
}
