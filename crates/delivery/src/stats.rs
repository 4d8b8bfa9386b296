//! What a stream tells of itself: counters, and a snapshot for status and metrics.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::config::Buffering;
use crate::parcel::Tally;
use crate::tags::TagState;
use crate::tap::Taps;

/// Outcome of a request, the label of `hydrant_destination_requests_total`.
pub const REQUEST_OUTCOMES: [&str; 5] = ["delivered", "partly", "retried", "too_large", "refused"];

/// Outcome of an upload of backup, the label of `hydrant_backup_uploads_total`.
pub const UPLOAD_OUTCOMES: [&str; 2] = ["uploaded", "failed"];

/// Counters of one stream; they outlive a reload.
#[derive(Debug, Default)]
pub struct Stats {
    /// Points delivered.
    pub delivered: AtomicU64,
    /// Points in the backup.
    pub backed_up: AtomicU64,
    /// Points dropped by command.
    pub dropped: AtomicU64,
    /// Requests by outcome, as [`REQUEST_OUTCOMES`].
    pub requests: [AtomicU64; 5],
    /// Bytes sent, as sent.
    pub sent_bytes: AtomicU64,
    /// Milliseconds of all answered requests.
    pub request_ms: AtomicU64,
    /// Arrival of the oldest undelivered entry, ms; 0 when there is none.
    pub oldest_ms: AtomicI64,
    /// Instant of the newest point delivered, ms.
    pub newest_instant_ms: AtomicI64,
    /// Told whenever a range is settled; one waiter at a time.
    pub settled: tokio::sync::Notify,
    /// No source will bring more: what is buffered goes now.
    pub hurried: AtomicBool,
    /// Those who look on.
    pub taps: Taps,
    /// Attempts to bring a file of backup to S3, as [`UPLOAD_OUTCOMES`].
    pub uploads: [AtomicU64; 2],
    /// Files of backup that wait for S3.
    pub pending_files: AtomicU64,
    /// Their bytes on the local disk.
    pub pending_bytes: AtomicU64,
    filtered: Mutex<BTreeMap<String, u64>>,
    quarantined: Mutex<BTreeMap<&'static str, u64>>,
    losses: Mutex<BTreeMap<&'static str, u64>>,
    tags: Mutex<Option<TagState>>,
    state: Mutex<State>,
}

/// What a stream is about, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Since when the destination does not take anything, ms.
    pub outage_since_ms: Option<i64>,
    /// When it is tried next, ms.
    pub next_attempt_ms: Option<i64>,
    /// An operator must act.
    pub loud: bool,
    /// What the destination said last when it refused.
    pub last_refusal: Option<String>,
    /// Why the backup does not take anything, when it does not.
    pub backup_failure: Option<String>,
    /// Why S3 does not take the backup, when it does not; it is safe in the local folder.
    pub upload_failure: Option<String>,
    /// When it is tried next, ms.
    pub upload_retry_ms: Option<i64>,
    /// An operator must act before it can be uploaded.
    pub upload_loud: bool,
    /// Why the quarantine does not take anything, when it does not.
    pub quarantine_failure: Option<String>,
    /// Why the journal cannot be read, when it cannot.
    pub journal_failure: Option<String>,
    /// Why what was delivered cannot be noted durably, when it cannot.
    pub cursor_failure: Option<String>,
    /// Requests held, in flight or waiting.
    pub parcels: usize,
    /// Of those, in the side lane.
    pub side_lane: usize,
    /// Bytes of journal from the cursor to the end.
    pub backlog_bytes: u64,
}

impl Stats {
    /// How it is buffered now.
    pub(crate) fn buffering(&self, set: Buffering) -> Buffering {
        let interval =
            if self.hurried.load(Ordering::Relaxed) { Duration::ZERO } else { set.interval };
        Buffering { interval, ..set }
    }

    /// Adds what became of the items of a range, besides those in its payload.
    pub(crate) fn add_tally(&self, rules: &[String], tally: &Tally) {
        for (rule, points) in rules.iter().zip(&tally.filtered).filter(|(_, points)| **points > 0) {
            add(&self.filtered, rule.clone(), *points);
        }
        for (reason, items) in &tally.quarantined {
            add(&self.quarantined, *reason, *items);
        }
        self.backed_up.fetch_add(tally.backed_up, Ordering::Relaxed);
    }

    /// Adds a request.
    pub(crate) fn add_request(&self, outcome: &str) {
        let known = REQUEST_OUTCOMES.iter().position(|o| *o == outcome);
        if let Some(counter) = known.and_then(|n| self.requests.get(n)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Points filtered, by rule.
    pub fn filtered(&self) -> BTreeMap<String, u64> {
        lock(&self.filtered).clone()
    }

    /// Items quarantined, by reason.
    pub fn quarantined(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.quarantined).clone()
    }

    /// What the destination's form could not carry, by kind; since the stream was started or changed.
    pub fn losses(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.losses).clone()
    }

    pub(crate) fn set_losses(&self, losses: Vec<(&'static str, u64)>) {
        *lock(&self.losses) = losses.into_iter().collect();
    }

    /// What is known of resource tags; `None` when the stream adds none.
    pub fn tags(&self) -> Option<TagState> {
        lock(&self.tags).clone()
    }

    pub(crate) fn set_tags(&self, tags: Option<TagState>) {
        *lock(&self.tags) = tags;
    }

    /// What the stream is about.
    pub fn state(&self) -> State {
        lock(&self.state).clone()
    }

    pub(crate) fn set_state(&self, change: impl FnOnce(&mut State)) {
        change(&mut lock(&self.state));
    }
}

fn add<K: Ord>(map: &Mutex<BTreeMap<K, u64>>, key: K, n: u64) {
    *lock(map).entry(key).or_insert(0) += n;
}

/// A poisoned lock still holds numbers; telling them is better than a second panic.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
