//! The lanes, told as stories with a clock of our own.

use std::time::Duration;

use journal::Position;

use super::*;

const RETRY: Duration = Duration::from_secs(300);

fn at(sequence: u64) -> Position {
    Position { sequence, ordinal: 0 }
}

fn lanes(parcels: u64, concurrency: usize) -> Dispatch {
    let mut lanes = Dispatch::new(concurrency, RETRY, 0);
    for id in 0..parcels {
        lanes.push(Parcel::new(id, 0, at(id), at(id + 1), 0));
    }
    lanes
}

fn why() -> Why {
    Why { code: "HttpEndpoint.DestinationException", message: "503".into() }
}

fn due(lanes: &mut Dispatch, now: i64) -> Vec<u64> {
    let mut ids = Vec::new();
    while let Some(parcel) = lanes.due(now) {
        ids.push(parcel.id);
    }
    ids
}

fn fail(lanes: &mut Dispatch, id: u64, now: i64) -> Failed {
    lanes.failed(id, None, false, why(), now)
}

/// Scenario: five parcels, two requests at a time.
/// Guarantees: the oldest go first and never more than two are under way.
#[test]
fn concurrency_is_kept() {
    let mut lanes = lanes(5, 2);
    assert_eq!(due(&mut lanes, 0), [0, 1]);
    lanes.take(0).unwrap();
    lanes.succeeded(1);
    assert_eq!(due(&mut lanes, 1), [2]);
}

/// Scenario: as many requests under way as may be, more wait; one of the side lane waits for its time.
/// Guarantees: only the side lane's time wakes: the others wait for an answer.
#[test]
fn a_full_lane_waits_for_an_answer() {
    let mut lanes = lanes(5, 2);
    assert_eq!(due(&mut lanes, 1_000), [0, 1]);
    assert_eq!(lanes.wake_ms(), None);
    let mut aside = Parcel::new(9, 0, at(9), at(10), 0);
    (aside.side, aside.not_before_ms) = (true, 7_000);
    lanes.push(aside);
    assert_eq!(lanes.wake_ms(), Some(7_000));
    lanes.take(0).unwrap();
    assert_eq!(lanes.wake_ms(), Some(0));
}

/// Scenario: three requests under way when the destination goes down.
/// Guarantees: one outage, one probe at a time, the backoff grows by probes and not by requests.
#[test]
fn an_outage_is_probed_once_at_a_time() {
    let mut lanes = lanes(5, 3);
    assert_eq!(due(&mut lanes, 1_000), [0, 1, 2]);
    assert!(matches!(fail(&mut lanes, 0, 1_100), Failed::OutageBegins));
    assert!(matches!(fail(&mut lanes, 1, 1_110), Failed::Waits));
    assert!(matches!(fail(&mut lanes, 2, 1_120), Failed::Waits));
    assert_eq!(lanes.outage().unwrap().step, 0);
    let probe = lanes.wake_ms().unwrap();
    assert!((1_950..=2_250).contains(&probe), "{probe}");
    assert_eq!(due(&mut lanes, probe - 1), Vec::<u64>::new());
    assert_eq!(due(&mut lanes, probe), [3], "the least tried shows whether it is an outage");
    fail(&mut lanes, 3, probe + 5);
    assert_eq!(lanes.outage().unwrap().step, 1);
    assert!(!lanes.has_room());
}

/// Scenario: the oldest parcel is poison, the destination answers it with 500 and takes all others.
/// Guarantees: its neighbour is the next probe, the outage ends, and after three failures of its own
/// the poison waits in the side lane.
#[test]
fn a_poisoned_parcel_does_not_hold_up_its_neighbours() {
    let mut lanes = lanes(9, 1);
    let (mut now, mut tried) = (0, Vec::new());
    while lanes.side() == 0 {
        assert!(tried.len() < 20, "{tried:?}");
        now = lanes.wake_ms().unwrap().max(now);
        let id = due(&mut lanes, now)[0];
        tried.push(id);
        now += 1;
        if id == 0 {
            fail(&mut lanes, 0, now);
        } else {
            lanes.take(id).unwrap();
            lanes.succeeded(now);
        }
        now += 500;
    }
    assert_eq!(tried[..2], [0, 1], "{tried:?}");
    assert_eq!(tried.iter().filter(|id| **id == 0).count(), 3, "{tried:?}");
    assert!(tried.len() > 4, "neighbours were sent between its retries: {tried:?}");
    assert!(lanes.outage().is_none());
}

/// Scenario: the poison keeps failing for itself while neighbours succeed.
/// Guarantees: after its own retry duration it is handed out for backup, and only it.
#[test]
fn a_parcel_of_its_own_exhausts_its_own_clock() {
    let mut lanes = lanes(1, 4);
    let mut now = 0;
    loop {
        now = lanes.wake_ms().unwrap().max(now);
        assert_eq!(due(&mut lanes, now), [0]);
        lanes.succeeded(now + 1);
        match fail(&mut lanes, 0, now + 2) {
            Failed::Waits => {}
            Failed::Exhausted(parcel) => {
                assert_eq!(parcel.id, 0);
                break;
            }
            Failed::OutageBegins => panic!("a neighbour succeeded"),
        }
        assert!(now < 1_000_000, "never exhausted");
    }
    assert!((300_000..=450_000).contains(&now), "{now}");
    assert_eq!(lanes.len(), 0);
}

/// Scenario: an outage of a day; data arrives all along.
/// Guarantees: the clock is that of the outage for what was there, and of its arrival for what came later.
#[test]
fn the_retry_clock_is_that_of_the_outage() {
    let mut lanes = lanes(1, 1);
    due(&mut lanes, 10_000);
    fail(&mut lanes, 0, 10_000);
    assert_eq!(lanes.exhausted_before_ms(309_999), None);
    assert_eq!(lanes.exhausted_before_ms(310_000), Some(10_000));
    assert_eq!(lanes.exhausted_before_ms(86_400_000), Some(86_100_000));
}

/// Scenario: Retry-After of 60 s on the first failure.
/// Guarantees: no probe before it has passed.
#[test]
fn retry_after_delays_the_probe() {
    let mut lanes = lanes(2, 1);
    due(&mut lanes, 0);
    lanes.failed(0, Some(Duration::from_secs(60)), false, why(), 0);
    assert_eq!(lanes.wake_ms(), Some(60_000));
}

/// Scenario: the sweep takes what is old while a probe is under way.
/// Guarantees: the parcel in flight stays and its range is told, so that nothing is sent twice.
#[test]
fn reset_keeps_what_is_in_flight() {
    let mut lanes = lanes(3, 1);
    due(&mut lanes, 0);
    assert_eq!(lanes.reset(0), [(at(0), at(1))]);
    assert_eq!(lanes.len(), 1);
}

fn ordered(parcels: u64) -> Dispatch {
    let mut lanes = Dispatch::ordered(RETRY, 0);
    for id in 0..parcels {
        lanes.push(Parcel::new(id, 0, at(id), at(id + 1), 0));
    }
    lanes
}

/// Scenario: ordered lanes with several parcels at hand.
/// Guarantees: one request at a time, the oldest, and the next one only when that is answered.
#[test]
fn ordered_lanes_send_one_at_a_time() {
    let mut lanes = ordered(3);
    assert_eq!(due(&mut lanes, 1_000), [0]);
    assert_eq!(lanes.wake_ms(), None);
    lanes.succeeded(1_001);
    lanes.take(0).unwrap();
    assert_eq!(due(&mut lanes, 1_001), [1]);
}

/// Scenario: the oldest parcel is answered with 500 again and again, right after others passed.
/// Guarantees: it is the only one that is tried: every failure is an outage, none overtakes, and none
/// gets to a side lane or a clock of its own.
#[test]
fn an_ordered_parcel_is_never_overtaken() {
    let mut lanes = ordered(4);
    // One has just passed: elsewhere that would make the next failure one of its own.
    assert_eq!(due(&mut lanes, 0), [0]);
    lanes.succeeded(5);
    lanes.take(0).unwrap();
    let mut now = 5;
    for step in 0..6 {
        now = lanes.wake_ms().unwrap().max(now);
        assert_eq!(due(&mut lanes, now), [1], "step {step}");
        assert_eq!(due(&mut lanes, now), Vec::<u64>::new());
        let failed = fail(&mut lanes, 1, now);
        let begins = matches!(failed, Failed::OutageBegins);
        assert!(begins || matches!(failed, Failed::Waits), "{failed:?}");
        assert_eq!(begins, step == 0);
        assert_eq!((lanes.side(), lanes.outage().unwrap().step), (0, step));
        lanes.push(Parcel::new(100 + u64::from(step), 0, at(9), at(10), 0));
    }
    now = lanes.wake_ms().unwrap();
    assert_eq!(due(&mut lanes, now), [1]);
    assert!(lanes.succeeded(now + 1));
    lanes.take(1).unwrap();
    assert_eq!(due(&mut lanes, now + 1), [2]);
    assert!(matches!(fail(&mut lanes, 2, now + 2), Failed::OutageBegins));
}

/// Scenario: an ordered parcel is taken out and its halves put in its place, during an outage too.
/// Guarantees: the halves go first, in their order, and a failure of the second one holds up the rest.
#[test]
fn ordered_halves_stay_in_order() {
    let mut lanes = ordered(3);
    assert_eq!(due(&mut lanes, 0), [0]);
    fail(&mut lanes, 0, 0);
    let now = lanes.wake_ms().unwrap();
    assert_eq!(due(&mut lanes, now), [0]);
    lanes.take(0).unwrap();
    assert!(lanes.succeeded(now));
    let halves = [10, 11].map(|id| Parcel::new(id, 0, at(0), at(1), 0));
    lanes.push_front(halves.into());
    assert_eq!(due(&mut lanes, now), [10]);
    lanes.succeeded(now);
    lanes.take(10).unwrap();
    assert_eq!(due(&mut lanes, now), [11]);
    assert!(matches!(fail(&mut lanes, 11, now), Failed::OutageBegins));
    let now = lanes.wake_ms().unwrap();
    assert_eq!(due(&mut lanes, now), [11]);
    lanes.succeeded(now);
    lanes.take(11).unwrap();
    assert_eq!(due(&mut lanes, now), [1]);
}

/// Scenario: what an ordered outage has swept is gone from the lanes, but for the probe under way.
/// Guarantees: the probe is still the only one tried before what comes after the sweep.
#[test]
fn an_ordered_sweep_keeps_the_probe() {
    let mut lanes = ordered(3);
    due(&mut lanes, 0);
    fail(&mut lanes, 0, 0);
    assert_eq!(lanes.exhausted_before_ms(300_000), Some(0));
    let now = lanes.wake_ms().unwrap();
    assert_eq!(due(&mut lanes, now), [0]);
    assert_eq!(lanes.reset(0), [(at(0), at(1))]);
    lanes.push(Parcel::new(7, 0, at(7), at(8), 0));
    assert_eq!(due(&mut lanes, now + 300_000), Vec::<u64>::new());
    fail(&mut lanes, 0, now + 1);
    let now = lanes.wake_ms().unwrap();
    assert_eq!(due(&mut lanes, now), [0]);
}
