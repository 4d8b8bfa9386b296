//! Simulated traffic, paced: what `hydrant demo` and `hydrant simulate` send.
//!
//! A pass makes one point of every series for one minute. At a walking pace that is the minute of
//! the clock. A faster pace begins three quarters of an hour back and walks up to it, so that every
//! point is its own and no destination finds it too old; once there, later passes are corrections
//! of the minute at hand, as CloudWatch itself sends them.

use std::collections::VecDeque;

use metric::{Format, Point};
use rehearsal::sender::request_id;
use rehearsal::services::{
    Additional, Deliveries, Delivery, Lateness, Options, Plan, Put, Puts, Putter, Services,
};

/// Series at most: one pass is held in memory.
const SERIES_MAX: usize = 100_000;
/// Series at least, so that all kinds of services show.
const SERIES_MIN: usize = 500;
/// How far back a fast run begins: inside the hour that Dynatrace takes.
const BACK_MINUTES: u64 = 45;
/// One minute, ms.
const MINUTE_MS: u64 = 60_000;
/// Bytes of a point in a record, roughly; only sizes the deliveries.
const POINT_BYTES: u64 = 250;

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Same seed, same services.
    pub seed: u64,
    /// Points a second; 0 has no pace.
    pub rate: u32,
    /// Points in all, when known.
    pub points: Option<u64>,
    /// Format of the records.
    pub format: Format,
    /// Raw bytes of a delivery at most.
    pub delivery_bytes: u64,
}

/// Deliveries, one after the other.
pub struct Traffic {
    deliveries: Deliveries,
    queue: VecDeque<Delivery>,
    next_minute_ms: u64,
    run: u64,
}

impl Traffic {
    /// Traffic that begins at the clock's `now_ms`.
    pub fn new(wish: &Wish, now_ms: u64) -> Traffic {
        let minute = now_ms / MINUTE_MS * MINUTE_MS;
        let live = usize::try_from(wish.rate).unwrap_or(usize::MAX).saturating_mul(60);
        let is_live = wish.rate > 0 && live <= SERIES_MAX;
        let wanted = match wish.points {
            Some(points) if !is_live => {
                usize::try_from(points / BACK_MINUTES + 1).unwrap_or(usize::MAX)
            }
            _ if is_live => live,
            _ => SERIES_MAX,
        };
        let mut options = Options::new(wish.seed, wanted.clamp(SERIES_MIN, SERIES_MAX));
        options.additional = Additional::Percentiles;
        let mut plan = Plan::new(wish.format);
        // At a walking pace two deliveries a second are livelier than one each minute.
        let lively = u64::from(wish.rate) * POINT_BYTES / 2;
        let bytes = if is_live {
            wish.delivery_bytes.min(lively.max(16 * 1024))
        } else {
            wish.delivery_bytes
        };
        plan.delivery_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        plan.points_max = wish.points;
        let back = if is_live { 0 } else { BACK_MINUTES * MINUTE_MS };
        Traffic {
            deliveries: Deliveries::new(Services::new(options), plan),
            queue: VecDeque::new(),
            next_minute_ms: minute.saturating_sub(back),
            run: wish.seed ^ now_ms.rotate_left(20),
        }
    }

    /// The next delivery, until all points are made; `visit` sees its points (those of its whole pass)
    /// before it is handed out.
    pub fn next(
        &mut self,
        now_ms: u64,
        visit: impl FnMut(u64, &Point<'_>, Lateness),
    ) -> Option<Delivery> {
        if self.queue.is_empty() {
            let minute = self.next_minute_ms.min(now_ms / MINUTE_MS * MINUTE_MS);
            self.queue.extend(self.deliveries.minute(minute, visit));
            self.next_minute_ms = minute + MINUTE_MS;
        }
        let mut delivery = self.queue.pop_front()?;
        // The metrics follow from the seed alone; the ids do not, or a second run would be a repeat.
        delivery.request_id = request_id(self.run, delivery.number);
        Some(delivery)
    }
}

/// The ARN that simulated deliveries come from.
pub const SOURCE_ARN: &str =
    "arn:aws:firehose:eu-west-1:111122223333:deliverystream/hydrant-simulate";

/// Calls of `PutMetricData`, one after the other: a statistic set of every series for every minute
/// that is over, as agents report it.
pub struct PutTraffic {
    puts: Puts,
    queue: VecDeque<Put>,
    next_minute_ms: u64,
}

impl PutTraffic {
    /// Traffic of `rate` points a second that begins with the last minute that is over.
    pub fn new(seed: u64, rate: u32, putter: Putter, now_ms: u64) -> PutTraffic {
        let series = usize::try_from(rate).unwrap_or(usize::MAX).saturating_mul(60);
        let options = Options::new(seed, series.clamp(SERIES_MIN, SERIES_MAX));
        let puts = Puts::new(Services::new(options), putter);
        PutTraffic { puts, queue: VecDeque::new(), next_minute_ms: last_minute(now_ms) }
    }

    /// No more points than these in all.
    pub fn at_most(self, points: Option<u64>) -> PutTraffic {
        PutTraffic { puts: self.puts.at_most(points), ..self }
    }

    /// Every namespace there is.
    pub fn namespaces(&self) -> Vec<String> {
        self.puts.namespaces()
    }

    /// The next call; `visit` sees the points of its whole minute before it is handed out. `None`
    /// until the next minute is over.
    pub fn next(&mut self, now_ms: u64, visit: impl FnMut(u64, &Point<'_>)) -> Option<Put> {
        if self.queue.is_empty() && self.next_minute_ms <= last_minute(now_ms) {
            self.queue.extend(self.puts.minute(self.next_minute_ms, visit));
            self.next_minute_ms += MINUTE_MS;
        }
        self.queue.pop_front()
    }
}

/// Begin of the last minute that is over.
fn last_minute(now_ms: u64) -> u64 {
    (now_ms / MINUTE_MS * MINUTE_MS).saturating_sub(MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon of a day.
    const NOON: u64 = 1_795_176_000_000;

    /// *Scenario:* one point wished, a pass and one more, and several; at a pace and without.
    /// *Guarantees:* as many are made, and then nothing.
    #[test]
    fn as_many_points_as_wished() {
        for wanted in [1, 501, 3_333] {
            for rate in [0, 100] {
                let points = Some(wanted);
                let format = Format::Otel10;
                let wish = Wish { seed: 1, rate, points, format, delivery_bytes: 1 << 20 };
                let mut traffic = Traffic::new(&wish, NOON);
                let made = std::iter::from_fn(|| traffic.next(NOON, |_, _, _| {}));
                assert_eq!(made.map(|one| one.points).sum::<u64>(), wanted, "rate {rate}");
            }
            let whose = || String::from("x");
            let putter = Putter { account: whose(), region: whose(), stream: whose() };
            let mut puts = PutTraffic::new(1, 100, putter, NOON).at_most(Some(wanted));
            let calls = std::iter::from_fn(|| puts.next(NOON, |_, _| {}));
            assert_eq!(calls.map(|call| call.points).sum::<u64>(), wanted);
        }
    }
}
