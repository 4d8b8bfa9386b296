//! The time a line carries, and the window the server takes: one hour back, ten minutes ahead
//! (docs/dynatrace.md, "Time").

use super::TooOld;
use crate::sink::{Moment, Offer};

/// A minute is kept free at the old end: a line grows older between packing and the server's own
/// look at the clock (two request timeouts of 30 s), and clocks differ by seconds. At the far end
/// time works for us, so nothing is kept free there.
const MARGIN_MS: i64 = 60_000;

/// Oldest age that is sent.
pub const OLDEST_MS: i64 = 3_600_000 - MARGIN_MS;

/// Furthest lead that is sent.
pub(crate) const AHEAD_MS: i64 = 600_000;

/// A time to send, or what becomes of the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Inside the window.
    At(i64),
    /// Too old on arrival, sent with the time of now.
    Restamped(i64),
    /// Not sent.
    Out(Offer),
}

/// Where a point with this instant stands.
pub(crate) fn place(instant_ms: i64, moment: Moment, too_old: TooOld) -> Place {
    let age = moment.now_ms.saturating_sub(instant_ms);
    if age < -AHEAD_MS {
        return Place::Out(Offer::Refused("too_far_ahead"));
    }
    if age <= OLDEST_MS {
        return Place::At(instant_ms);
    }
    let age_on_arrival = moment.arrival_ms.saturating_sub(instant_ms);
    if age_on_arrival <= OLDEST_MS {
        return Place::Out(Offer::Expired("Dynatrace.TooOld"));
    }
    match too_old {
        TooOld::Restamp => Place::Restamped(moment.now_ms),
        TooOld::Quarantine => Place::Out(Offer::Refused("too_old")),
    }
}

#[cfg(test)]
mod tests;
