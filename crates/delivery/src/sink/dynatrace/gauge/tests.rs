use metric::Point;
use proptest::prelude::*;

use super::*;

fn point(min: Option<f64>, max: Option<f64>, sum: Option<f64>, count: f64) -> Point<'static> {
    Point { min, max, sum, count, ..Point::of(b"N", b"X") }
}

fn of(min: f64, max: f64, sum: f64, count: f64) -> Result<Gauge, NoGauge> {
    Gauge::of(&point(Some(min), Some(max), Some(sum), count))
}

/// The server's own rule, as users have seen it.
fn server_takes(gauge: &Gauge) -> bool {
    let Gauge { min, max, sum, count, .. } = *gauge;
    if count == 0.0 {
        return min == 0.0 && max == 0.0 && sum == 0.0;
    }
    let mean = sum / count;
    count > 0.0 && max >= min && min <= mean + 0.000_001 && mean <= max + 0.000_001
}

/// *Scenario:* consistent sets, with one sample, with many, negative, and fractional in count.
/// *Guarantees:* taken as they are.
#[test]
fn consistent_numbers_are_left_alone() {
    for (min, max, sum, count) in [
        (10.0, 20.0, 45.5, 3.0),
        (7.0, 7.0, 7.0, 1.0),
        (-5.0, -1.0, -9.0, 3.0),
        (1.0, 2.0, 3.75, 2.5),
    ] {
        let gauge = of(min, max, sum, count).unwrap();
        assert_eq!((gauge.min, gauge.max, gauge.sum, gauge.count), (min, max, sum, count));
        assert!(!gauge.repaired && !gauge.supplied);
    }
}

/// *Scenario:* three times 0.1, whose mean is not 0.1 in binary; a gap of a billionth; a tiny value.
/// *Guarantees:* minimum or maximum moves to the mean; what the server takes anyway is not touched.
#[test]
fn rounding_is_repaired() {
    let sum = 0.1 + 0.1 + 0.1;
    let gauge = of(0.1, 0.1, sum, 3.0).unwrap();
    assert!(gauge.repaired && gauge.max == sum / 3.0 && gauge.min == 0.1);
    let gauge = of(1e9 + 0.5, 2e9, 3e9, 3.0).unwrap();
    assert_eq!((gauge.min, gauge.repaired), (1e9, true));
    let gauge = of(1e-7, 1e-7, 0.0, 1.0).unwrap();
    assert_eq!((gauge.min, gauge.max, gauge.repaired), (1e-7, 1e-7, false));
}

/// *Scenario:* EBS volumes as captured (minimum and maximum 0, sum above), swapped extremes, a
/// count of zero with a sum, a negative count, a mean that is no number.
/// *Guarantees:* refused as inconsistent, never bent into shape.
#[test]
fn contradictions_are_refused() {
    for (min, max, sum, count) in [
        (0.0, 0.0, 477_184.0, 92.0),
        (2.0, 1.0, 3.0, 2.0),
        (10.0, 20.0, 5.0, 1.0),
        (0.0, 0.0, 1.0, 0.0),
        (1.0, 1.0, 0.0, 0.0),
        (-1.0, 1.0, 0.0, -1.0),
        (0.0, f64::MAX, f64::MAX, 0.1),
    ] {
        assert_eq!(
            of(min, max, sum, count),
            Err(NoGauge::Inconsistent),
            "{min} {max} {sum} {count}"
        );
    }
}

/// *Scenario:* sets without some of their numbers.
/// *Guarantees:* the mean stands in for an extreme, equal extremes tell the sum, an empty set is
/// zero; without a sum there is nothing to send.
#[test]
fn missing_numbers_are_supplied_where_they_can_be_told() {
    let gauge = Gauge::of(&point(None, Some(9.0), Some(10.0), 2.0)).unwrap();
    assert_eq!((gauge.min, gauge.max, gauge.supplied), (5.0, 9.0, true));
    let gauge = Gauge::of(&point(Some(3.0), Some(3.0), None, 2.0)).unwrap();
    assert_eq!((gauge.sum, gauge.supplied), (6.0, false));
    let gauge = Gauge::of(&point(None, None, None, 0.0)).unwrap();
    assert_eq!((gauge.min, gauge.sum, gauge.count), (0.0, 0.0, 0.0));
    assert_eq!(Gauge::of(&point(Some(1.0), Some(3.0), None, 2.0)), Err(NoGauge::Incomplete));
}

proptest! {
    /// *Scenario:* any numbers, and sums of real samples.
    /// *Guarantees:* what is sent satisfies the server's rule; sums of samples are never refused.
    #[test]
    fn what_is_sent_the_server_takes(
        bits in any::<[u64; 4]>(),
        samples in proptest::collection::vec(-1e12..1e12f64, 1..50),
    ) {
        let [min, max, sum, count] = bits.map(f64::from_bits);
        if [min, max, sum, count].iter().all(|n| n.is_finite())
            && let Ok(gauge) = of(min, max, sum, count)
        {
            prop_assert!(server_takes(&gauge), "{:?}", gauge);
        }
        let min = samples.iter().copied().fold(f64::INFINITY, f64::min);
        let max = samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let same = [samples[0]; 30];
        for (min, max, set) in [(min, max, &samples[..]), (samples[0], samples[0], &same)] {
            let gauge = of(min, max, set.iter().sum(), set.len() as f64);
            prop_assert!(gauge.is_ok_and(|gauge| server_takes(&gauge)));
        }
    }
}
