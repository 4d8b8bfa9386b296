use super::*;

const NOW: i64 = 1_795_176_000_000;
const MINUTE: i64 = 60_000;

fn at(age_minutes: i64, held_minutes: i64, too_old: TooOld) -> Place {
    let moment = Moment { now_ms: NOW, arrival_ms: NOW - held_minutes * MINUTE };
    place(NOW - age_minutes * MINUTE, moment, too_old)
}

/// *Scenario:* points of many ages, fresh and held, with both settings.
/// *Guarantees:* each is sent, re-stamped, refused or expired, and only re-stamped when asked to and
/// too old on arrival.
#[test]
fn the_window_has_four_ways_out() {
    use TooOld::{Quarantine, Restamp};
    for setting in [Quarantine, Restamp] {
        for age in [-10, 0, 3, 59] {
            assert_eq!(at(age, 0, setting), Place::At(NOW - age * MINUTE));
        }
        assert_eq!(at(-11, 0, setting), Place::Out(Offer::Refused("too_far_ahead")));
        assert_eq!(at(70, 30, setting), Place::Out(Offer::Expired("Dynatrace.TooOld")));
        assert_eq!(at(60, 1, setting), Place::Out(Offer::Expired("Dynatrace.TooOld")));
    }
    assert_eq!(at(60, 0, Quarantine), Place::Out(Offer::Refused("too_old")));
    assert_eq!(at(2_880, 5, Quarantine), Place::Out(Offer::Refused("too_old")));
    assert_eq!(at(2_880, 5, Restamp), Place::Restamped(NOW));
}

/// *Scenario:* instants at the ends of the number range.
/// *Guarantees:* an answer, no overflow.
#[test]
fn extreme_instants_are_only_out_of_the_window() {
    let moment = Moment { now_ms: NOW, arrival_ms: NOW };
    assert_eq!(
        place(i64::MAX, moment, TooOld::Restamp),
        Place::Out(Offer::Refused("too_far_ahead"))
    );
    assert_eq!(place(i64::MIN, moment, TooOld::Quarantine), Place::Out(Offer::Refused("too_old")));
}
