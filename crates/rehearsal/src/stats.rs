//! What a receiver counts, readable while it runs.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of a receiver.
#[derive(Debug, Default)]
pub struct Stats {
    requests: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    plain_bytes: AtomicU64,
    failed: AtomicU64,
    first_error: Mutex<Option<String>>,
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Requests, good or bad.
    pub requests: u64,
    /// Points taken.
    pub accepted: u64,
    /// Lines or points refused inside a request that was read.
    pub refused: u64,
    /// Bytes of bodies, after inflating.
    pub plain_bytes: u64,
    /// Requests answered with anything but success.
    pub failed: u64,
    /// The first such answer.
    pub first_error: Option<String>,
}

impl Stats {
    /// The counters now.
    pub fn snapshot(&self) -> Snapshot {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            requests: load(&self.requests),
            accepted: load(&self.accepted),
            refused: load(&self.refused),
            plain_bytes: load(&self.plain_bytes),
            failed: load(&self.failed),
            first_error: self.first_error.lock().unwrap_or_else(|e| e.into_inner()).clone(),
        }
    }

    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn points(&self, accepted: u64, refused: u64, plain_bytes: usize) {
        self.accepted.fetch_add(accepted, Ordering::Relaxed);
        self.refused.fetch_add(refused, Ordering::Relaxed);
        self.plain_bytes.fetch_add(plain_bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn error(&self, text: impl FnOnce() -> String) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let mut first = self.first_error.lock().unwrap_or_else(|e| e.into_inner());
        if first.is_none() {
            *first = Some(text());
        }
    }
}
