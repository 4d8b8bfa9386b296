//! Tests of the random numbers.

use super::*;

/// *Scenario:* the stream of seed 0 is drawn and compared with the published numbers of splitmix64.
/// *Guarantees:* payloads of a seed are the same on every machine and in every release.
#[test]
fn the_numbers_are_those_of_splitmix64() {
    let mut random = Random::new(0);
    assert_eq!(random.bits(), 0xe220_a839_7b1d_cdaf);
    assert_eq!(random.bits(), 0x6e78_9e6a_a1b9_65f4);
    assert_eq!(random.bits(), 0x06c4_5d18_8009_454f);
}

/// *Scenario:* ten thousand draws of each kind from one seed.
/// *Guarantees:* bounds hold, both ends are reached, a share is met within two percent.
#[test]
fn draws_stay_within_their_bounds() {
    let mut random = Random::new(7);
    let mut seen = [false; 4];
    let mut hits = 0;
    for _ in 0..10_000 {
        let n = random.between(3, 6);
        assert!((3..=6).contains(&n));
        seen[usize::try_from(n - 3).unwrap()] = true;
        let u = random.unit();
        assert!((0.0..1.0).contains(&u));
        hits += u32::from(random.chance(0.4));
    }
    assert_eq!(seen, [true; 4]);
    assert!((3_800..4_200).contains(&hits), "{hits}");
    assert_eq!(random.below(0), 0);
}
