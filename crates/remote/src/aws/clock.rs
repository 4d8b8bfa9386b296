//! The clock that requests are signed with: this machine's, mended by what AWS says the time is.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// AWS refuses what is signed five minutes (S3: fifteen) before or after its own time. A difference
/// below four is not why a request was refused.
const SKEW_THAT_MATTERS: i64 = 240;

/// Seconds to add to this machine's clock.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicI64);

impl Clock {
    /// Now.
    pub(super) fn now(&self) -> Timestamp {
        let skew = SignedDuration::from_secs(self.0.load(Ordering::Relaxed));
        Timestamp::now().checked_add(skew).unwrap_or_else(|_| Timestamp::now())
    }

    /// Takes the service's time, when it is so far from ours that this is why a request was refused.
    /// True when the clock was changed by it.
    pub(super) fn correct(&self, theirs: Timestamp) -> bool {
        let off = theirs.as_second() - self.now().as_second();
        if off.abs() < SKEW_THAT_MATTERS {
            return false;
        }
        let skew = theirs.as_second() - Timestamp::now().as_second();
        self.0.store(skew, Ordering::Relaxed);
        tracing::warn!(
            seconds = skew,
            "this machine's clock differs from AWS's by so much; requests are signed by AWS's"
        );
        true
    }
}

/// `20261120T144459Z`.
pub(super) fn stamp(now: Timestamp) -> String {
    now.strftime("%Y%m%dT%H%M%SZ").to_string()
}
