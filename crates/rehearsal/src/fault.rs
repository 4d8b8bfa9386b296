//! Faults on order: what a receiver does instead of its work.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::random::Random;

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status, and `Retry-After` in seconds when given. 503 is a destination that is down.
    Status(u16, Option<u64>),
    /// 429 with `X-RateLimit-Reset`, the time in microseconds since the epoch from when it is good again.
    RateLimited(u64),
    /// The request is answered as usual, after this time.
    Slow(Duration),
    /// Every third line or point of the request is refused.
    Partial,
    /// 200 with text that is no answer.
    Garbage,
}

#[derive(Debug, Default)]
struct State {
    next: VecDeque<Fault>,
    standing: Option<(Fault, f64, Random)>,
}

/// The orders of a receiver. Clones are the same orders.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<State>>);

impl Faults {
    /// The next requests meet these, one each, before any standing fault.
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.with(|state| state.next.extend(faults));
    }

    /// Every request meets `fault` until [`Faults::clear`].
    pub fn always(&self, fault: Fault) {
        self.share(fault, 1.0, 0);
    }

    /// This share of the requests meets `fault`, chosen by `seed`.
    pub fn share(&self, fault: Fault, share: f64, seed: u64) {
        self.with(|state| state.standing = Some((fault, share, Random::new(seed))));
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        self.with(|state| *state = State::default());
    }

    /// The fault that the request at hand meets.
    pub(crate) fn draw(&self) -> Option<Fault> {
        self.with(|state| {
            if let Some(fault) = state.next.pop_front() {
                return Some(fault);
            }
            let (fault, share, random) = state.standing.as_mut()?;
            random.chance(*share).then_some(*fault)
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(|e| e.into_inner()))
    }
}
