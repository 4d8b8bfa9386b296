//! A parcel: one request, the range of the journal it settles, and what else must be safe before it may.

use journal::Position;

use crate::sink::Payload;

/// What became of the items in a range, besides those in the payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Points filtered, by rule.
    pub filtered: Vec<u64>,
    /// Items quarantined, by reason.
    pub quarantined: Vec<(&'static str, u64)>,
    /// Points whose record goes to backup (they grew old while held).
    pub backed_up: u64,
}

impl Tally {
    pub(crate) fn filter(&mut self, rule: usize) {
        if self.filtered.len() <= rule {
            self.filtered.resize(rule + 1, 0);
        }
        if let Some(n) = self.filtered.get_mut(rule) {
            *n += 1;
        }
    }

    pub(crate) fn quarantine(&mut self, reason: &'static str, items: u64) {
        match self.quarantined.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, n)) => *n += items,
            None => self.quarantined.push((reason, items)),
        }
    }
}

/// Lines that must be on disk before the range is settled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aside {
    /// Quarantine lines.
    pub quarantine: Vec<u8>,
    /// Failed-record lines.
    pub backup: Vec<u8>,
}

impl Aside {
    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.quarantine.len() + self.backup.len()
    }
}

/// One request and its range.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    /// Number of the parcel in this process.
    pub id: u64,
    /// Index of the feed (topic) it was read from.
    pub feed: usize,
    /// First item of the range.
    pub from: Position,
    /// First item after the range.
    pub to: Position,
    /// Arrival of the newest delivery in the range, for the retry clock.
    pub arrival_ms: i64,
    /// The request; `None` when all items were filtered or set aside.
    pub payload: Option<Payload>,
    /// What became of the rest.
    pub tally: Tally,
    /// What must be on disk first.
    pub aside: Aside,
    /// Attempts made.
    pub attempts: u32,
    /// First entry of its feed that was not released when the last attempt began.
    pub released: u64,
    /// When the last attempt began.
    pub sent_ms: i64,
    /// A request is under way.
    pub in_flight: bool,
    /// Not tried before.
    pub not_before_ms: i64,
    /// Failures as the probe of an outage.
    pub probe_failures: u32,
    /// Failures while others succeeded.
    pub own_failures: u32,
    /// First of those.
    pub own_since_ms: Option<i64>,
    /// In the side lane.
    pub side: bool,
}

impl Parcel {
    pub(crate) fn new(id: u64, feed: usize, from: Position, to: Position, arrival_ms: i64) -> Self {
        Self {
            id,
            feed,
            from,
            to,
            arrival_ms,
            payload: None,
            tally: Tally::default(),
            aside: Aside::default(),
            attempts: 0,
            released: 0,
            sent_ms: 0,
            in_flight: false,
            not_before_ms: 0,
            probe_failures: 0,
            own_failures: 0,
            own_since_ms: None,
            side: false,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.payload.as_ref().map_or(0, |p| p.body.len()) + self.aside.bytes()
    }

    pub(crate) fn points(&self) -> u32 {
        self.payload.as_ref().map_or(0, |p| p.points)
    }
}
