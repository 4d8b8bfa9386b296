//! When to try again. Pure: time and randomness are arguments.
//!
//! Firehose's own rhythm (1 s doubling to 120 s, +-15 %), so that an operator who knows one knows both.

use std::time::Duration;

/// Before the first retry.
pub(crate) const BACKOFF_FIRST: Duration = Duration::from_secs(1);
/// Never longer, so that a destination that is back is noticed within two minutes.
pub(crate) const BACKOFF_CAP: Duration = Duration::from_secs(120);
/// Share by which a delay is spread, so that streams do not knock together.
pub(crate) const JITTER: f64 = 0.15;
/// A `Retry-After` beyond this is taken as this: a lying peer must not silence a stream for a day.
pub(crate) const RETRY_AFTER_CAP: Duration = Duration::from_secs(15 * 60);

/// The delay before retry number `step` (0 is the first). `random` is in `0.0..1.0`.
pub(crate) fn backoff(step: u32, random: f64) -> Duration {
    let doubled = BACKOFF_FIRST.saturating_mul(1_u32.checked_shl(step.min(20)).unwrap_or(u32::MAX));
    doubled.min(BACKOFF_CAP).mul_f64(1.0 - JITTER + 2.0 * JITTER * random.clamp(0.0, 1.0))
}

/// The delay, when the destination gave a hint: never sooner than it asked, within the cap.
pub(crate) fn delay(step: u32, random: f64, hint: Option<Duration>) -> Duration {
    backoff(step, random).max(hint.unwrap_or_default().min(RETRY_AFTER_CAP))
}

/// A small generator for jitter (splitmix64); its quality does not matter, its seed is an argument.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Seeded.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }
    /// The next value in `0.0..1.0`.
    pub(crate) fn next_unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // 53 bits are all an f64 holds.
        (z >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: delays for the first retries, at the middle of the jitter.
    /// Guarantees: 1, 2, 4 ... 64, 120, 120 seconds; the edges of the jitter are +-15 %.
    #[test]
    fn backoff_doubles_to_its_cap() {
        let middle: Vec<f64> = (0..10).map(|n| backoff(n, 0.5).as_secs_f64().round()).collect();
        assert_eq!(middle, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 120.0, 120.0, 120.0]);
        assert_eq!(backoff(9, 0.0), Duration::from_secs(102));
        assert_eq!(backoff(9, 1.0), Duration::from_secs(138));
        assert_eq!(backoff(u32::MAX, 0.5), Duration::from_secs(120));
    }

    /// Scenario: a destination asks for 30 s, then for a year.
    /// Guarantees: the hint is honoured when longer than the backoff, and capped.
    #[test]
    fn retry_after_is_honoured_and_capped() {
        assert_eq!(delay(0, 0.5, Some(Duration::from_secs(30))), Duration::from_secs(30));
        assert_eq!(delay(0, 0.5, Some(Duration::from_secs(31_536_000))), RETRY_AFTER_CAP);
        assert_eq!(delay(3, 0.5, Some(Duration::from_secs(1))), Duration::from_secs(8));
    }
}
