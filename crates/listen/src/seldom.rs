//! A flood of strangers must not become a flood of log lines.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Lets one event through per interval and counts the others.
#[derive(Debug)]
pub struct Seldom {
    start: Instant,
    interval: Duration,
    /// Milliseconds since `start` at which the next one passes.
    next_ms: AtomicU64,
    held_back: AtomicU64,
}

impl Seldom {
    /// Often enough to notice within a coffee's first sip, rare enough for a night's log: ten seconds.
    pub const INTERVAL: Duration = Duration::from_secs(10);

    /// One event per `interval`; the first passes.
    pub fn new(interval: Duration) -> Self {
        Self {
            start: Instant::now(),
            interval,
            next_ms: AtomicU64::new(0),
            held_back: AtomicU64::new(0),
        }
    }
    /// `Some(n)` when this event passes; `n` were held back since the last that did.
    pub fn pass(&self) -> Option<u64> {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = self.next_ms.load(Ordering::Relaxed);
        let next = now.saturating_add(u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX));
        let mine = now >= due
            && self
                .next_ms
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if mine {
            return Some(self.held_back.swap(0, Ordering::Relaxed));
        }
        self.held_back.fetch_add(1, Ordering::Relaxed);
        None
    }
}

impl Default for Seldom {
    fn default() -> Self {
        Self::new(Self::INTERVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* three events within the interval.
    /// *Guarantees:* the first passes, the others are counted.
    #[test]
    fn one_passes_and_the_rest_are_counted() {
        let seldom = Seldom::new(Duration::from_secs(3600));
        assert_eq!([seldom.pass(), seldom.pass(), seldom.pass()], [Some(0), None, None]);
        let always = Seldom::new(Duration::ZERO);
        assert_eq!([always.pass(), always.pass()], [Some(0), Some(0)]);
    }
}
