//! Looking on: points of a stream as they pass, for a person beside the running process.
//!
//! Owned by the stream's counters, so that a tap stays over a reload. Always holds: a stream nobody
//! taps pays one atomic load a claim; one that is tapped never waits. What does not fit into the
//! channel, or comes faster than [`POINTS_A_SECOND`], is counted as missed and not even encoded.
//! Deliberately not here: what is packed again after a refusal; it has been shown.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metric::Point;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Taps on one stream at a time: a few people who look, not a fleet.
const TAPS_MAX: usize = 4;
/// Lines that wait for whoever looks: two or three megabytes.
const LINES_WAITING: usize = 8 * 1024;
/// Most points shown a second, which costs the stream's thread 2 % of its time at most.
const POINTS_A_SECOND: u64 = 20_000;

/// Which points are shown. Of each kind any one must match; an empty kind matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TapFilter {
    /// Namespaces.
    pub namespaces: Vec<String>,
    /// Names of metrics.
    pub metrics: Vec<String>,
    /// Names and values of dimensions; here all must match.
    pub dimensions: Vec<(String, String)>,
    /// Accounts.
    pub accounts: Vec<String>,
}

impl TapFilter {
    fn takes(&self, point: &Point<'_>) -> bool {
        let any = |wanted: &[String], found: &[u8]| {
            wanted.is_empty() || wanted.iter().any(|one| one.as_bytes() == found)
        };
        let has = |(name, value): &(String, String)| {
            let wanted = (name.as_bytes(), value.as_bytes());
            point.dimensions.iter().any(|(name, value)| (*name, *value) == wanted)
        };
        any(&self.namespaces, point.namespace)
            && any(&self.metrics, point.name)
            && any(&self.accounts, point.account)
            && self.dimensions.iter().all(has)
    }
}

/// The taps on a stream.
#[derive(Debug, Default)]
pub struct Taps {
    tapped: AtomicBool,
    /// The stream carries records as they came: there are no points to show.
    records: AtomicBool,
    open: Mutex<Vec<Arc<Open>>>,
}

/// One tap, as the stream sees it.
#[derive(Debug)]
pub(crate) struct Open {
    filter: TapFilter,
    lines: Sender<Vec<u8>>,
    missed: AtomicU64,
    /// The second that is counted, and what was shown in it.
    second: AtomicU64,
    shown: AtomicU64,
}

/// One tap, as its reader sees it. Dropped, it is closed.
#[derive(Debug)]
pub struct Tap {
    open: Arc<Open>,
    lines: Receiver<Vec<u8>>,
}

/// Why there is no tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTapped {
    /// The stream carries records as they came.
    Records,
    /// Others look already.
    TooMany,
}

impl Tap {
    /// The next point as a line of NDJSON; `None` never comes while the process lives.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.lines.recv().await
    }

    /// Points that matched and were not shown, so far.
    pub fn missed(&self) -> u64 {
        self.open.missed.load(Ordering::Relaxed)
    }
}

impl Taps {
    /// Opens one.
    pub fn open(&self, filter: TapFilter) -> Result<Tap, NotTapped> {
        if self.records.load(Ordering::Relaxed) {
            return Err(NotTapped::Records);
        }
        let mut all = self.all();
        all.retain(|open| !open.lines.is_closed());
        if all.len() >= TAPS_MAX {
            return Err(NotTapped::TooMany);
        }
        let (sender, lines) = channel(LINES_WAITING);
        let counters = [(); 3].map(|()| AtomicU64::new(0));
        let [missed, second, shown] = counters;
        let open = Arc::new(Open { filter, lines: sender, missed, second, shown });
        all.push(Arc::clone(&open));
        self.tapped.store(true, Ordering::Release);
        Ok(Tap { open, lines })
    }

    /// Says whether the stream carries records.
    pub(crate) fn carries_records(&self, records: bool) {
        self.records.store(records, Ordering::Relaxed);
    }

    /// Those that are open; asked once a claim.
    #[inline]
    pub(crate) fn look(&self) -> Vec<Arc<Open>> {
        if !self.tapped.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut all = self.all();
        all.retain(|open| !open.lines.is_closed());
        self.tapped.store(!all.is_empty(), Ordering::Release);
        all.clone()
    }

    /// A list is whole after every change: a poisoned lock still holds one.
    fn all(&self) -> MutexGuard<'_, Vec<Arc<Open>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Shows a point, if it is wanted and there is room.
    pub(crate) fn show(&self, point: &Point<'_>, now_ms: i64) {
        if !self.filter.takes(point) {
            return;
        }
        if !self.may_show(now_ms) || self.lines.capacity() == 0 {
            self.missed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut line = Vec::with_capacity(512);
        metric::encode::ndjson_line(point, &mut line);
        if self.lines.try_send(line).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts within the second. One thread shows, so the two counters agree.
    fn may_show(&self, now_ms: i64) -> bool {
        let second = u64::try_from(now_ms / 1000).unwrap_or(0);
        if self.second.swap(second, Ordering::Relaxed) != second {
            self.shown.store(0, Ordering::Relaxed);
        }
        self.shown.fetch_add(1, Ordering::Relaxed) < POINTS_A_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point<'a>(name: &'a [u8], dimensions: &'a [metric::Dimension<'a>]) -> Point<'a> {
        Point {
            stream: b"s",
            account: b"111122223333",
            region: b"eu-west-1",
            dimensions,
            unit: metric::Unit::Known(0),
            ..Point::of(b"AWS/ECS", name)
        }
    }

    /// *Scenario:* filters of each kind, met and not met.
    /// *Guarantees:* one of each kind is enough, of dimensions all are needed, none given takes all.
    #[test]
    fn filters_choose() {
        let dimensions: [metric::Dimension<'_>; 2] = [(b"Service", b"a"), (b"Cluster", b"b")];
        let point = point(b"CPUUtilization", &dimensions);
        let words = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert!(TapFilter::default().takes(&point));
        let namespaces = words(&["AWS/EC2", "AWS/ECS"]);
        assert!(TapFilter { namespaces, ..TapFilter::default() }.takes(&point));
        let metrics = words(&["Memory"]);
        assert!(!TapFilter { metrics, ..TapFilter::default() }.takes(&point));
        let accounts = words(&["999"]);
        assert!(!TapFilter { accounts, ..TapFilter::default() }.takes(&point));
        let both = vec![pair("Cluster", "b"), pair("Service", "a")];
        assert!(TapFilter { dimensions: both, ..TapFilter::default() }.takes(&point));
        let one_wrong = vec![pair("Cluster", "b"), pair("Service", "c")];
        assert!(!TapFilter { dimensions: one_wrong, ..TapFilter::default() }.takes(&point));
    }

    /// *Scenario:* a reader that does not read, then one that has gone; and a stream of records.
    /// *Guarantees:* what does not fit is counted and nothing waits; a tap that is gone is forgotten.
    #[test]
    fn what_does_not_fit_is_counted() {
        let taps = Taps::default();
        assert!(taps.look().is_empty());
        let tap = taps.open(TapFilter::default()).unwrap();
        let open = taps.look();
        for _ in 0..LINES_WAITING + 5 {
            open[0].show(&point(b"m", &[]), 0);
        }
        assert_eq!(tap.missed(), 5);
        drop(tap);
        assert!(taps.look().is_empty());
        assert!(!taps.tapped.load(Ordering::Relaxed));
        taps.carries_records(true);
        assert_eq!(taps.open(TapFilter::default()).err(), Some(NotTapped::Records));
    }

    /// *Scenario:* more points in one second than are shown, with a reader that reads all.
    /// *Guarantees:* the rest is counted; the next second shows again.
    #[tokio::test]
    async fn a_second_has_its_bound() {
        let taps = Taps::default();
        let mut tap = taps.open(TapFilter::default()).unwrap();
        let open = taps.look();
        for _ in 0..POINTS_A_SECOND {
            open[0].show(&point(b"m", &[]), 1_000);
            assert!(tap.next().await.is_some());
        }
        open[0].show(&point(b"m", &[]), 1_999);
        assert_eq!(tap.missed(), 1);
        open[0].show(&point(b"m", &[]), 2_000);
        assert_eq!(tap.missed(), 1);
        assert!(tap.next().await.unwrap().starts_with(b"{\"metric_stream_name\""));
    }

    /// *Scenario:* five that look at one stream.
    /// *Guarantees:* the fifth is refused.
    #[test]
    fn few_may_look() {
        let taps = Taps::default();
        let open: Vec<_> = (0..TAPS_MAX).map(|_| taps.open(TapFilter::default())).collect();
        assert!(open.iter().all(Result::is_ok));
        assert_eq!(taps.open(TapFilter::default()).err(), Some(NotTapped::TooMany));
    }
}
