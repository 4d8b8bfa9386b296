//! Two clocks. The wall's is for people, files and what destinations call too old; it may be set at any time.
//! The steady one is never set: whatever is waited for is measured by it, so that a wall clock that steps
//! neither holds up a delivery nor gives one up early.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// Milliseconds since the epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A clock that begins at what `wall` shows and goes on at one pace. While the machine sleeps it stands
/// still: what nobody tried meanwhile has not run out of retries.
pub fn steady_clock(wall: &Clock) -> Clock {
    let (from_ms, begun) = (wall(), Instant::now());
    Arc::new(move || from_ms + millis(begun.elapsed()))
}

/// An instant, by both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub wall_ms: i64,
    pub steady_ms: i64,
}

impl Now {
    /// What the wall clock shows at an instant of the steady one, if nobody sets it.
    pub(crate) fn wall_of(self, steady_ms: i64) -> i64 {
        steady_ms - self.steady_ms + self.wall_ms
    }
}

/// Both clocks.
#[derive(Clone)]
pub(crate) struct Clocks {
    pub wall: Clock,
    pub steady: Clock,
}

impl Clocks {
    pub(crate) fn now(&self) -> Now {
        Now { wall_ms: (self.wall)(), steady_ms: (self.steady)() }
    }
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
