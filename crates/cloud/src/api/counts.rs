//! What the port answered, counted. The port counts, the admin page reads; nobody resets.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counters of a port.
#[derive(Debug, Default)]
pub struct Counts {
    accepted: AtomicU64,
    bytes: AtomicU64,
    samples: AtomicU64,
    records: AtomicU64,
    /// By code of the query protocol; the codes are a fixed set.
    refused: Mutex<BTreeMap<&'static str, u64>>,
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Calls answered with 200.
    pub accepted: u64,
    /// Their body bytes, as received.
    pub bytes: u64,
    /// Metric data kept.
    pub samples: u64,
    /// Records kept.
    pub records: u64,
    /// Calls refused, by code.
    pub refused: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// All of them now.
    pub fn now(&self) -> Counted {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counted {
            accepted: of(&self.accepted),
            bytes: of(&self.bytes),
            samples: of(&self.samples),
            records: of(&self.records),
            refused: self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    pub(super) fn accepted(&self, bytes: usize) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn samples(&self, count: usize) {
        self.samples.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn records(&self, count: usize) {
        self.records.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, code: &'static str) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused.entry(code).or_default() += 1;
    }
}
