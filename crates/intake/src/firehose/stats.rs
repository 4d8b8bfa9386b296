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

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Deliveries (POST requests), whatever became of them.
    pub requests: u64,
    /// Deliveries answered 200, repeats among them.
    pub accepted: u64,
    /// Records stored.
    pub records: u64,
    /// Body bytes of stored deliveries, as received.
    pub bytes: u64,
    /// Repeats answered without storing.
    pub repeats: u64,
    /// Stored under a known id, with other data.
    pub other_data: u64,
    /// Stored without their common attributes.
    pub attributes_malformed: u64,
    /// Health checks.
    pub health_checks: u64,
    /// Refusals by reason, those that happened.
    pub rejected: Vec<(&'static str, u64)>,
}

impl Stats {
    /// All of them now. Each is right; together they may be one request apart.
    pub fn snapshot(&self) -> Snapshot {
        let reasons = Reason::ALL.into_iter().map(|reason| (reason.code(), self.rejected(reason)));
        Snapshot {
            requests: self.requests.get(),
            accepted: self.accepted.get(),
            records: self.records.get(),
            bytes: self.bytes.get(),
            repeats: self.repeats.get(),
            other_data: self.other_data.get(),
            attributes_malformed: self.attributes_malformed.get(),
            health_checks: self.health_checks.get(),
            rejected: reasons.filter(|(_, count)| *count > 0).collect(),
        }
    }
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
