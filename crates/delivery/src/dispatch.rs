//! Which parcel is tried when: concurrency, outages, probes, the side lane. Pure; `now` is an argument, by
//! the steady clock as all instants here.
//!
//! An *outage* begins when a parcel fails and no neighbour succeeded since it was sent. During an
//! outage one probe is tried at a time. A parcel that fails while neighbours succeed fails for
//! itself: it is suspicious, has its own clock, opens no outage any more, and after three such
//! failures waits in the side lane, where it holds up nobody. Neither the journal nor the network is known here.
//!
//! *Ordered* dispatch is for destinations that must get samples in their order: one request at a time,
//! always the oldest parcel, no side lane. There nobody overtakes, so there is no neighbour to tell
//! a poisoned parcel from an outage: every failure that may be repeated is an outage.

use std::collections::VecDeque;
use std::time::Duration;

use crate::parcel::Parcel;
use crate::retry::{Random, delay};
use crate::time::millis;
use crate::verdict::Why;

/// Failures of its own after which a parcel leaves the main lane.
pub(crate) const OWN_FAILURES_MAX: u32 = 3;
/// Parcels in the side lane: enough for a few poisoned requests, few enough to stay small.
pub(crate) const SIDE_LANE_MAX: usize = 16;
/// Parcels at hand during an outage: two, so that one poisoned request is not taken for an outage.
pub(crate) const PROBES: usize = 2;
/// Bytes of parcels one stream holds: keeps memory flat with uncompressed requests too.
pub(crate) const PARCEL_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The destination is not well.
#[derive(Clone, Debug)]
pub(crate) struct Outage {
    /// First failure.
    pub since_ms: i64,
    /// Failed probes.
    pub step: u32,
    /// Next probe.
    pub next_probe_ms: i64,
    /// What it said last.
    pub why: Why,
    /// An operator must act.
    pub loud: bool,
}

/// What a failure means for the parcel.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It waits and is tried again.
    Waits,
    /// An outage has begun with it; it waits.
    OutageBegins,
    /// Its own retry duration is over: it goes to backup.
    Exhausted(Box<Parcel>),
}

/// The parcels of one stream, in the main lane and the side lane. (The lanes of drop-in mode are streams
/// of their own.)
pub(crate) struct Dispatch {
    parcels: VecDeque<Parcel>,
    outage: Option<Outage>,
    last_success_ms: i64,
    concurrency: usize,
    ordered: bool,
    retry_ms: i64,
    started_ms: i64,
    random: Random,
}

impl Dispatch {
    pub(crate) fn new(concurrency: usize, retry: Duration, started_ms: i64) -> Self {
        Self {
            parcels: VecDeque::new(),
            outage: None,
            last_success_ms: i64::MIN,
            concurrency: concurrency.max(1),
            ordered: false,
            retry_ms: millis(retry),
            started_ms,
            random: Random::new(started_ms.unsigned_abs()),
        }
    }

    /// One in which no parcel overtakes another.
    pub(crate) fn ordered(retry: Duration, started_ms: i64) -> Self {
        Self { ordered: true, ..Self::new(1, retry, started_ms) }
    }

    /// May another parcel be packed? Two rounds ahead at most, and nothing during an outage.
    pub(crate) fn has_room(&self) -> bool {
        let waiting = self.main().count();
        let bytes: usize = self.parcels.iter().map(Parcel::bytes).sum();
        let rounds = if self.outage.is_some() { PROBES } else { self.concurrency * 2 };
        waiting < rounds && bytes < PARCEL_BYTES_MAX
    }

    /// Adds a parcel; order of addition is order of sending.
    pub(crate) fn push(&mut self, parcel: Parcel) {
        self.parcels.push_back(parcel);
    }

    /// Adds parcels that replace one just taken out, at the head: they are the oldest.
    pub(crate) fn push_front(&mut self, parcels: Vec<Parcel>) {
        for parcel in parcels.into_iter().rev() {
            self.parcels.push_front(parcel);
        }
    }

    /// The next parcel to try now, marked as in flight.
    pub(crate) fn due(&mut self, now_ms: i64) -> Option<&mut Parcel> {
        let index = self.choose(now_ms)?;
        let parcel = self.parcels.get_mut(index)?;
        parcel.in_flight = true;
        parcel.sent_ms = now_ms;
        parcel.attempts += 1;
        Some(parcel)
    }

    fn choose(&self, now_ms: i64) -> Option<usize> {
        if let Some(outage) = &self.outage {
            if self.in_flight() > 0 || now_ms < outage.next_probe_ms {
                return None;
            }
            let mut idle = self.parcels.iter().enumerate();
            if self.ordered {
                return idle.next().map(|(n, _)| n);
            }
            // The least tried, of these the oldest: if only one request is poisoned, its neighbour
            // shows at the next probe that this is no outage.
            return idle.min_by_key(|(n, p)| (p.probe_failures, *n)).map(|(n, _)| n);
        }
        let main_full = self.main_full();
        self.parcels
            .iter()
            .position(|p| !p.in_flight && now_ms >= p.not_before_ms && (p.side || !main_full))
    }

    /// When `due` may have something, if nothing else happens.
    pub(crate) fn wake_ms(&self) -> Option<i64> {
        match &self.outage {
            Some(outage) if self.in_flight() == 0 && !self.parcels.is_empty() => {
                Some(outage.next_probe_ms)
            }
            Some(_) => None,
            None => {
                // With a full main lane only an answer makes way for another of its parcels.
                let main_full = self.main_full();
                let idle = self.parcels.iter().filter(|p| !p.in_flight && (p.side || !main_full));
                idle.map(|p| p.not_before_ms).min()
            }
        }
    }

    /// Points of a parcel.
    pub(crate) fn points(&self, id: u64) -> u32 {
        self.parcels.iter().find(|p| p.id == id).map_or(0, Parcel::points)
    }

    /// The feed of a parcel, and what of it was released when it was tried last.
    pub(crate) fn tried(&self, id: u64) -> Option<(usize, u64)> {
        self.parcels.iter().find(|p| p.id == id).map(|p| (p.feed, p.released))
    }

    /// Takes a parcel out, whatever its state.
    pub(crate) fn take(&mut self, id: u64) -> Option<Parcel> {
        let index = self.parcels.iter().position(|p| p.id == id)?;
        self.parcels.remove(index)
    }

    /// The destination took something: an outage is over. True when there was one.
    pub(crate) fn succeeded(&mut self, now_ms: i64) -> bool {
        self.last_success_ms = now_ms;
        if self.outage.take().is_none() {
            return false;
        }
        for parcel in self.parcels.iter_mut().filter(|p| p.probe_failures > 0) {
            if self.ordered {
                // The one that passed, or one made anew of what did not: no neighbour was tried.
                parcel.probe_failures = 0;
                continue;
            }
            // It failed, and a neighbour passed: from here on it is under suspicion.
            let pause = delay(parcel.own_failures, self.random.next_unit(), None);
            parcel.not_before_ms = now_ms + millis(pause);
            parcel.own_failures += 1;
            parcel.own_since_ms.get_or_insert(now_ms);
            parcel.probe_failures = 0;
        }
        true
    }

    /// An attempt failed and may be repeated.
    pub(crate) fn failed(
        &mut self,
        id: u64,
        hint: Option<Duration>,
        loud: bool,
        why: Why,
        now_ms: i64,
    ) -> Failed {
        let Some(parcel) = self.parcels.iter_mut().find(|p| p.id == id) else {
            return Failed::Waits;
        };
        parcel.in_flight = false;
        let (sent_ms, suspicious) = (parcel.sent_ms, parcel.own_failures > 0);
        let alone = suspicious || self.last_success_ms >= sent_ms;
        if self.outage.is_none() && !self.ordered && alone {
            return self.failed_alone(id, hint, now_ms);
        }
        parcel.probe_failures += 1;
        let Some(outage) = &mut self.outage else {
            let pause = delay(0, self.random.next_unit(), hint);
            let next_probe_ms = now_ms + millis(pause);
            self.outage = Some(Outage { since_ms: now_ms, step: 0, next_probe_ms, why, loud });
            return Failed::OutageBegins;
        };
        // Requests that were under way when the outage began are no probes: they do not lengthen it.
        if sent_ms >= outage.next_probe_ms {
            outage.step += 1;
            let pause = delay(outage.step, self.random.next_unit(), hint);
            outage.next_probe_ms = now_ms + millis(pause);
        }
        outage.why = why;
        outage.loud = loud;
        Failed::Waits
    }

    fn failed_alone(&mut self, id: u64, hint: Option<Duration>, now_ms: i64) -> Failed {
        let side_full = self.parcels.iter().filter(|p| p.side).count() >= SIDE_LANE_MAX;
        let random = self.random.next_unit();
        let Some(parcel) = self.parcels.iter_mut().find(|p| p.id == id) else {
            return Failed::Waits;
        };
        let since = *parcel.own_since_ms.get_or_insert(now_ms);
        if now_ms - since >= self.retry_ms {
            return self.take(id).map_or(Failed::Waits, |p| Failed::Exhausted(Box::new(p)));
        }
        parcel.not_before_ms = now_ms + millis(delay(parcel.own_failures, random, hint));
        parcel.own_failures += 1;
        parcel.side |= parcel.own_failures >= OWN_FAILURES_MAX && !side_full;
        Failed::Waits
    }

    /// During an outage: data that arrived at or before the returned instant has run out of retries.
    pub(crate) fn exhausted_before_ms(&self, now_ms: i64) -> Option<i64> {
        let outage = self.outage.as_ref()?;
        let floor = outage.since_ms.max(self.started_ms);
        (now_ms - floor >= self.retry_ms).then_some(now_ms - self.retry_ms)
    }

    /// Forgets every parcel of `feed` that is not in flight; the ranges of those in flight are returned.
    pub(crate) fn reset(&mut self, feed: usize) -> Vec<(journal::Position, journal::Position)> {
        self.parcels.retain(|p| p.feed != feed || p.in_flight);
        self.parcels.iter().filter(|p| p.feed == feed).map(|p| (p.from, p.to)).collect()
    }

    /// Ranges of the requests of `feed` under way.
    pub(crate) fn in_flight_of(&self, feed: usize) -> Vec<(journal::Position, journal::Position)> {
        let mine = self.parcels.iter().filter(|p| p.feed == feed && p.in_flight);
        mine.map(|p| (p.from, p.to)).collect()
    }

    /// Requests under way.
    pub(crate) fn in_flight(&self) -> usize {
        self.parcels.iter().filter(|p| p.in_flight).count()
    }

    /// Parcels held.
    pub(crate) fn len(&self) -> usize {
        self.parcels.len()
    }

    /// Parcels in the side lane.
    pub(crate) fn side(&self) -> usize {
        self.parcels.iter().filter(|p| p.side).count()
    }

    pub(crate) fn outage(&self) -> Option<&Outage> {
        self.outage.as_ref()
    }

    fn main_full(&self) -> bool {
        self.main().filter(|p| p.in_flight).count() >= self.concurrency
    }

    fn main(&self) -> impl Iterator<Item = &Parcel> {
        self.parcels.iter().filter(|p| !p.side)
    }
}

#[cfg(test)]
mod tests;
