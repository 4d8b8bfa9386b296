//! How often a refused request may be sent again in halves. Pure; `now` is an argument.
//!
//! Finding one bad sample among a thousand points takes some twenty requests, and that is worth it:
//! the others arrive. When half of the data is bad, it takes as many requests as there are points.
//! So divisions are paid from a purse that fills with time; when it is empty, what is refused goes
//! to the backup as it is.

use std::time::Duration;

/// Divisions in a full purse: one bad point of a request is found with eleven; this finds dozens.
const PURSE: u32 = 256;
/// Time after which one more is paid. Eight a second keep the rest of the stream moving.
const REFILL: Duration = Duration::from_millis(125);

/// The purse, and when it was last filled.
#[derive(Debug)]
pub(crate) struct Divisions {
    left: u32,
    filled: Duration,
}

impl Divisions {
    /// A full purse; `now` is time since any fixed moment.
    pub(crate) fn new(now: Duration) -> Divisions {
        Divisions { left: PURSE, filled: now }
    }

    /// Pays for one division, if it can.
    pub(crate) fn pay(&mut self, now: Duration) -> bool {
        let since = now.saturating_sub(self.filled);
        let more = since.as_millis() / REFILL.as_millis();
        let more = u32::try_from(more).unwrap_or(PURSE).min(PURSE);
        self.left = (self.left + more).min(PURSE);
        // What is left of the interval counts for the next one.
        self.filled = if self.left == PURSE { now } else { self.filled + REFILL * more };
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests;
