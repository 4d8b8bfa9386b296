//! The life of one metric: what its statistic set is in a given minute.

use metric::{Extra, Statistic};

use super::DAY_MS;
use crate::catalog::{Manner, Metric};
use crate::random::Random;

/// Which series of which run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) seed: u64,
    pub(super) service: u64,
    pub(super) metric: usize,
}

/// A statistic set, with percentiles where every event is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) sum: f64,
    pub(super) count: f64,
    percentiles: Option<[Extra<'static>; 3]>,
}

/// What decides about a service as a whole.
pub(super) fn chance_of(seed: u64, service: u64) -> Random {
    Random::keyed(seed ^ 0x5e4_71ce, service)
}

/// One failure in this many minutes.
const RARE: f64 = 0.01;

impl Sample {
    /// The set of `metric` in the minute that begins at `start_ms`.
    pub(super) fn of(metric: &Metric, place: Place, start_ms: u64) -> Self {
        // Services differ in size by a factor of ten, and in the hour of their peak.
        let mut service = chance_of(place.seed, place.service);
        let size = 0.3 + 2.7 * service.unit();
        let peak = service.unit() * 0.2;
        let traffic = traffic(start_ms, peak);
        let key = (place.service << 8) | place.metric as u64;
        let mut random = Random::keyed(place.seed ^ start_ms, key);
        let whole = matches!(metric.unit, "Count" | "Bytes" | "None");
        match metric.manner {
            Manner::Level(usual) => {
                let value = usual * (0.8 + 0.2 * size + 0.1 * traffic) * noise(&mut random);
                Self::single(rounded(value, whole))
            }
            Manner::Percent(usual) => Self::percent(usual * (0.5 + 0.7 * traffic), &mut random),
            Manner::Events(usual) => {
                Self::events((usual * size * traffic * noise(&mut random)).round())
            }
            Manner::Spread(usual) => {
                let mean = usual * (0.7 + 0.5 * traffic) * noise(&mut random);
                let count = (40.0 + 400.0 * size * traffic * noise(&mut random)).round();
                Self::spread(mean, count, whole, &mut random)
            }
            Manner::Rare if random.chance(RARE) => Self::events(random.between(1, 4) as f64),
            Manner::Rare => Self::single(0.0),
        }
    }

    /// The additional statistics, in ascending order; empty where events are not measured.
    pub(super) fn percentiles(&self) -> &[Extra<'static>] {
        self.percentiles.as_ref().map_or(&[], |three| three.as_slice())
    }

    fn single(value: f64) -> Self {
        Self { min: value, max: value, sum: value, count: 1.0, percentiles: None }
    }

    /// `count` samples of one; one sample of zero when there are none.
    fn events(count: f64) -> Self {
        if count < 1.0 {
            return Self::single(0.0);
        }
        Self { min: 1.0, max: 1.0, sum: count, count, percentiles: None }
    }

    /// Five samples of a share, each from 0 to 100.
    fn percent(usual: f64, random: &mut Random) -> Self {
        let mut set = Self { min: 100.0, max: 0.0, sum: 0.0, count: 5.0, percentiles: None };
        for _ in 0..5 {
            let value = (usual * noise(random)).clamp(0.0, 100.0);
            set.min = set.min.min(value);
            set.max = set.max.max(value);
            set.sum += value;
        }
        set
    }

    /// Many measured samples around `mean`, with a long tail above.
    fn spread(mean: f64, count: f64, whole: bool, random: &mut Random) -> Self {
        let min = rounded(mean * (0.05 + 0.25 * random.unit()), whole);
        let max = rounded(mean * (1.5 + 4.5 * random.unit()), whole).max(min);
        let mean = mean.clamp(min, max);
        let sum = rounded(mean * count, whole).clamp(min * count, max * count);
        let at = |name: &'static str, share: f64| Extra {
            statistic: Statistic::Named(name.as_bytes()),
            value: mean + (max - mean) * share,
        };
        let percentiles = Some([at("p50", 0.0), at("p90", 0.4), at("p99", 0.9)]);
        Self { min, max, sum, count, percentiles }
    }
}

/// The wave of a day, from 0.1 at night to 1.0 at the peak.
fn traffic(start_ms: u64, peak: f64) -> f64 {
    let day = (start_ms % DAY_MS) as f64 / DAY_MS as f64;
    0.55 - 0.45 * ((day - peak) * std::f64::consts::TAU).cos()
}

/// A factor around 1.
fn noise(random: &mut Random) -> f64 {
    0.8 + 0.4 * random.unit()
}

fn rounded(value: f64, whole: bool) -> f64 {
    if whole { value.round() } else { value }
}
