//! One rule at a time.

use super::house::{House, MINUTE, NOON, plain, sample};

/// *Scenario:* samples of two minutes, the clock at each border.
/// *Guarantees:* a minute is sent when it and its grace are over, once, with the right sums, and is
/// found by queries.
#[test]
fn a_minute() {
    let mut house = House::new(1);
    house.stream("s", |_| {});
    let all = [
        sample("Used", "a", NOON, 3.0),
        sample("Used", "a", NOON + MINUTE - 1, 5.0),
        sample("Used", "b", NOON + 1, -1.0),
        sample("Free", "a", NOON + MINUTE, 7.0),
    ];
    house.put(1, &all).unwrap();
    house.at(NOON + MINUTE + 4_999);
    assert!(house.sent("s").is_empty());
    assert_eq!((house.status().open_series, house.status().open_minutes), (3, 2));
    house.at(NOON + MINUTE + 5_000);
    assert_eq!(house.told("s"), plain(&all[..3]));
    house.at(NOON + 2 * MINUTE + 5_000);
    house.at(NOON + 2 * MINUTE + 5_001);
    assert_eq!(house.told("s"), plain(&all));
    assert_eq!(house.sent("s").len(), 2);
    assert_eq!(house.kept(&plain(&all)), plain(&all));
    assert_eq!(house.windows().minutes(), [NOON, NOON + MINUTE]);
}
