//! How many bytes of disk the journal may hold, over all topics and per topic.
//!
//! Counted is what is taken from the disk: segments as reserved, side files as written, key and cursor files,
//! copies of damage. A claim is granted before the disk is touched, so the sum never passes the limit; only
//! what safety demands (the header of one segment a topic, cursors, keys) is counted after the fact.

use std::sync::{Arc, Mutex};

use crate::locked;

/// The journal's share of the disk.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: u64,
    /// Grows whenever something is given back: who was refused may ask again.
    given: u64,
}

/// A topic's part in the budget.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    limit: u64,
    held: Mutex<u64>,
}

/// Why a claim was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) used: u64,
    pub(crate) limit: u64,
    /// True when the journal's limit was met, false for the topic's own.
    pub(crate) by_all: bool,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Arc<Budget> {
        Arc::new(Budget { limit, state: Mutex::default() })
    }

    /// Changes whenever something was given back.
    pub(crate) fn given(&self) -> u64 {
        locked(&self.state).given
    }
}

impl Share {
    pub(crate) fn new(budget: Arc<Budget>, limit: u64) -> Share {
        Share { budget, limit, held: Mutex::new(0) }
    }

    /// Takes as much as there is, at most `most`, or nothing when it is less than `least`.
    pub(crate) fn take(&self, least: u64, most: u64) -> Result<u64, Spent> {
        let mut held = locked(&self.held);
        let mut all = locked(&self.budget.state);
        let own = self.limit.saturating_sub(*held);
        let shared = self.budget.limit.saturating_sub(all.held);
        let granted = own.min(shared).min(most);
        if granted < least {
            return Err(match shared < own {
                true => Spent { used: all.held, limit: self.budget.limit, by_all: true },
                false => Spent { used: *held, limit: self.limit, by_all: false },
            });
        }
        *held += granted;
        all.held += granted;
        Ok(granted)
    }

    /// Counts bytes that must be, or that were found on disk.
    pub(crate) fn force(&self, bytes: u64) {
        *locked(&self.held) += bytes;
        locked(&self.budget.state).held += bytes;
    }

    /// Gives bytes back.
    pub(crate) fn give(&self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        let mut held = locked(&self.held);
        let mut all = locked(&self.budget.state);
        *held = held.saturating_sub(bytes);
        all.held = all.held.saturating_sub(bytes);
        all.given += 1;
    }

    pub(crate) fn held(&self) -> u64 {
        *locked(&self.held)
    }

    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* two topics claim until one limit after the other is met.
    /// *Guarantees:* no claim passes a limit, and the refusal names the limit that was met.
    #[test]
    fn limits_hold() {
        let budget = Budget::new(100);
        let (one, two) = (Share::new(budget.clone(), 60), Share::new(budget.clone(), 60));
        assert_eq!(one.take(10, 90), Ok(60));
        assert_eq!(one.take(1, 1), Err(Spent { used: 60, limit: 60, by_all: false }));
        assert_eq!(two.take(50, 50), Err(Spent { used: 60, limit: 100, by_all: true }));
        assert_eq!(two.take(10, 50), Ok(40));
        let before = budget.given();
        one.give(30);
        assert_ne!(budget.given(), before);
        assert_eq!(two.take(20, 50), Ok(20));
    }
}
