//! Which minutes close, what is put into files before, and which windows go.
//!
//! Owns the clock's part of the rules. Always: samples leave memory only when they are in a durable
//! file. Not here: reading the journal, and delivering.

use std::collections::BTreeSet;
use std::io;

use super::super::deliver::Pending;
use super::super::file::Meta;
use super::super::gathered::Gathered;
use super::super::store::{KEPT, PART, PENDING, Whole};
use super::{Engine, MINUTE_MS};

/// Late samples are gathered this long, so that a burst of them is one correction.
const GATHER_MS: i64 = 5_000;

/// Windows that wait for delivery streams; with more, closing waits.
const PENDING_MAX: usize = 64;

/// A minute open this long (one in the future) is kept in a file, so that the journal need not keep
/// the entries.
const HOLD_MS: i64 = 300_000;

impl Engine {
    /// When a minute is to be closed.
    fn due(&self, minute_ms: i64, gathered: &Gathered) -> i64 {
        let over = self.over(minute_ms);
        let late = gathered.since_ms >= over || self.store.windows.get(minute_ms).is_some();
        if late { gathered.since_ms + GATHER_MS } else { over }
    }

    /// When a minute and its grace are over.
    fn over(&self, minute_ms: i64) -> i64 {
        let grace = i64::try_from(self.config.grace.as_millis()).unwrap_or(i64::MAX);
        (minute_ms + MINUTE_MS).saturating_add(grace)
    }

    pub(super) fn close_due(&mut self, now_ms: i64) -> io::Result<()> {
        loop {
            let gathered = self.gathered.iter();
            let due = gathered.filter(|(minute_ms, some)| self.due(**minute_ms, some) <= now_ms);
            let mut due: BTreeSet<i64> = due.map(|(minute_ms, _)| *minute_ms).collect();
            // Of these all is in a file.
            let kept = self.store.kept.keys();
            let kept = kept.filter(|minute_ms| !self.gathered.contains_key(minute_ms));
            due.extend(kept.filter(|minute_ms| self.over(**minute_ms) <= now_ms));
            due.retain(|minute_ms| !self.pending.contains_key(minute_ms));
            let room = PENDING_MAX.saturating_sub(self.pending.len());
            let due: Vec<i64> = due.into_iter().take(room).collect();
            if due.is_empty() {
                return Ok(());
            }
            self.close(&due, now_ms)?;
            self.deliver(now_ms)?;
        }
    }

    /// Writes the windows of these minutes, none of which has one that waits.
    fn close(&mut self, minutes: &[i64], now_ms: i64) -> io::Result<()> {
        let mut written = Vec::new();
        for minute_ms in minutes {
            let known = self.store.windows.get(*minute_ms);
            let revision = known.map_or(0, |known| known.revision + 1);
            written.push(self.write(*minute_ms, revision, now_ms)?);
        }
        for whole in &written {
            self.store.rename(whole.meta.minute_ms, PART, PENDING)?;
        }
        self.store.sync()?;
        for whole in written {
            let minute_ms = whole.meta.minute_ms;
            self.forget(minute_ms);
            self.pending.insert(minute_ms, Pending::new(whole));
            self.store.closed(minute_ms)?;
        }
        Ok(())
    }

    fn write(&mut self, minute_ms: i64, revision: u32, now_ms: i64) -> io::Result<Whole> {
        let nothing = Gathered::default();
        let gathered = self.gathered.get(&minute_ms).unwrap_or(&nothing);
        let streams = self.streams.iter().map(|stream| stream.arn.clone()).collect();
        let meta = Meta { minute_ms, revision, through: self.next, written_ms: now_ms, streams };
        self.store.write(meta, &mut self.series, gathered)
    }

    /// Lets go of samples that are in a file.
    fn forget(&mut self, minute_ms: i64) {
        if let Some(gathered) = self.gathered.remove(&minute_ms) {
            self.sets -= gathered.len();
            self.room.held -= gathered.raw_held();
        }
    }

    /// Keeps sets of a minute that stays open in a file.
    fn keep(&mut self, minute_ms: i64, now_ms: i64) -> io::Result<()> {
        let whole = self.write(minute_ms, 0, now_ms)?;
        self.store.rename(minute_ms, PART, KEPT)?;
        self.store.sync()?;
        self.store.kept.insert(minute_ms, whole.meta.through);
        self.forget(minute_ms);
        Ok(())
    }

    /// Is no window and waits for none.
    fn is_open(&self, minute_ms: i64) -> bool {
        !self.pending.contains_key(&minute_ms) && self.store.windows.get(minute_ms).is_none()
    }

    pub(super) fn keep_long_open(&mut self, now_ms: i64) -> io::Result<()> {
        let long = self.gathered.iter().filter(|(minute_ms, gathered)| {
            gathered.since_ms.saturating_add(HOLD_MS) <= now_ms
                && self.is_open(**minute_ms)
                && self.due(**minute_ms, gathered) > now_ms
        });
        for minute_ms in long.map(|(minute_ms, _)| *minute_ms).collect::<Vec<_>>() {
            self.keep(minute_ms, now_ms)?;
        }
        Ok(())
    }

    /// Puts into files what is in memory, but for corrections of windows that still wait.
    pub(super) fn relieve(&mut self, now_ms: i64) -> io::Result<()> {
        for minute_ms in self.gathered.keys().copied().collect::<Vec<_>>() {
            if self.is_open(minute_ms) {
                self.keep(minute_ms, now_ms)?;
            } else if !self.pending.contains_key(&minute_ms) && self.pending.len() < PENDING_MAX {
                self.close(&[minute_ms], now_ms)?;
            }
        }
        self.deliver(now_ms)?;
        if self.gathered.is_empty() {
            self.series.clear();
        }
        Ok(())
    }

    pub(super) fn retire(&mut self, now_ms: i64) -> io::Result<()> {
        // While the journal is behind, what comes of it is judged by when it arrived.
        let behind = self.next < self.cursor.end();
        let now_ms = if behind { now_ms.min(self.arrival_ms) } else { now_ms };
        let busy =
            self.gathered.keys().chain(self.pending.keys()).chain(self.store.kept.keys()).min();
        let busy_ms = busy.copied().unwrap_or(i64::MAX);
        // A late sample may be on its way while its minute turns two days old.
        self.store.retire(now_ms.saturating_sub(MINUTE_MS), self.config.windows_bytes, busy_ms)
    }
}
