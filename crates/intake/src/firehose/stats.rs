//! Counters of a source. The source counts, the admin page reads; nobody resets.

use std::sync::atomic::{AtomicU64, Ordering};

use super::refusal::Reason;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Its value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }
}

/// Counters of a source.
#[derive(Debug, Default)]
pub struct Stats {
    /// Deliveries (POST requests), whatever became of them.
    pub requests: Counter,
    /// Deliveries answered 200, repeats among them.
    pub accepted: Counter,
    /// Records stored.
    pub records: Counter,
    /// Body bytes of stored deliveries, as received.
    pub bytes: Counter,
    /// Deliveries that were known already and not stored again.
    pub repeats: Counter,
    /// Deliveries stored though their id was known, since their data differed.
    pub other_data: Counter,
    /// Deliveries stored without their common attributes, which were malformed.
    pub attributes_malformed: Counter,
    /// Health checks.
    pub health_checks: Counter,
    rejected: [Counter; Reason::ALL.len()],
}

impl Stats {
    /// How often a delivery was not taken, by reason.
    pub fn rejected(&self, reason: Reason) -> u64 {
        self.rejected.get(reason.index()).map_or(0, Counter::get)
    }
    pub(crate) fn reject(&self, reason: Reason) {
        if let Some(counter) = self.rejected.get(reason.index()) {
            counter.add(1);
        }
    }
}
