//! Diverting: records that will not be delivered go to backup (or, by command, nowhere), counted.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use journal::Position;
use metric::{Decoder, Point, Reject, Visit};
use rules::Decision;

use crate::claim::keep_raw;
use crate::feed::Plain;
use crate::pack::Packing;
use crate::parcel::{Parcel, Tally};
use crate::pieces::{Broken, Piece, UNREADABLE};
use crate::place::{Failure, Place};
use crate::ranges::{Range, covering, normalised, without};
use crate::time::Now;
use crate::verdict::Why;
use crate::worker::{STORE_RETRY_MS, Worker};

/// Lines are written as a file when they come to this: one file a few records is too many, more
/// would be held in memory for nothing.
const FILE_BYTES: usize = 4 * 1024 * 1024;
/// Bodies swept in one round, so that answers and commands are not kept waiting long.
const ROUND_BYTES: u64 = 16 * 1024 * 1024;

/// Where diverted records go.
#[derive(Clone, Copy)]
enum Way<'a> {
    /// Into the backup, for this reason.
    Backup(&'a Failure),
    /// Nowhere, by command.
    Nowhere,
}

/// What is being diverted, and what came of it so far.
struct Diversion<'a> {
    feed: usize,
    range: Range,
    taken: &'a [Range],
    way: Way<'a>,
    now_ms: i64,
    /// First position that is not settled yet.
    from: Position,
    /// First point in the file being gathered, and its arrival: they name the file. The range cannot,
    /// since what is in flight within it may be diverted later, to a file that begins there as well.
    first: Option<(Position, i64)>,
    failed: Vec<u8>,
    rejected: Vec<u8>,
    tally: Tally,
    points: u64,
}

impl Worker {
    /// Everything whose retries have run out, and what exceeds the backlog, goes to backup.
    pub(crate) fn sweep(&mut self, now: Now) {
        let retry = self.config.retry_duration;
        self.feeds.iter_mut().for_each(|feed| feed.note_end(now.steady_ms, retry));
        if now.steady_ms < self.store_retry_ms || !self.failed.is_empty() {
            return;
        }
        let exhausted = self.dispatch.exhausted_before_ms(now.steady_ms);
        let mut swept = false;
        for index in 0..self.feeds.len() {
            let Some((limit, failure)) = self.sweep_limit(index, exhausted, now) else { continue };
            swept = true;
            if let Err(error) = self.sweep_to(index, limit, &failure, now) {
                self.tell_backup(Some(error));
                self.store_retry_ms = now.steady_ms + STORE_RETRY_MS;
                return;
            }
        }
        // It works, or is not needed any more.
        if self.backup_failed && (swept || self.stuck.is_empty()) {
            self.tell_backup(None);
        }
    }

    /// The first sequence that is not swept now, and why the others are.
    fn sweep_limit(
        &self,
        index: usize,
        exhausted_ms: Option<i64>,
        now: Now,
    ) -> Option<(u64, Failure)> {
        let feed = self.feeds.get(index)?;
        let backlog = feed.cursor.backlog_bytes();
        let over = backlog.saturating_sub(self.config.max_backlog_bytes);
        if exhausted_ms.is_none() && over == 0 {
            return None;
        }
        let low = feed.cursor.low().sequence;
        let (mut sequence, mut bytes) = (low, 0);
        let tried_out = exhausted_ms.map_or(0, |before| feed.end_at(before).min(feed.tried()));
        while bytes < ROUND_BYTES {
            let Ok(Some((found, _, length))) = feed.cursor.read_head(sequence) else { break };
            let too_old = found < tried_out;
            if !too_old && bytes >= over {
                break;
            }
            bytes += length.max(1);
            sequence = found + 1;
        }
        let (from, to) = (feed.cursor.low(), Position { sequence, ordinal: 0 });
        let mut taken = self.dispatch.in_flight_of(index);
        taken.extend(self.waiting_for_a_store(index));
        taken.extend(feed.cursor.settled());
        if without((from, to), &normalised(taken)).is_empty() {
            // All of it is under way or settled: nothing to do but wait for the answers.
            return None;
        }
        let outage = self.dispatch.outage();
        let why = outage.map(|o| o.why.clone()).filter(|_| exhausted_ms.is_some());
        let why = why.unwrap_or_else(|| backlog_full(backlog, self.config.max_backlog_bytes));
        let attempts = outage.map_or(0, |o| o.step + 1);
        (sequence > low).then_some((sequence, Failure { why, attempts, ended_ms: now.wall_ms }))
    }

    fn sweep_to(
        &mut self,
        index: usize,
        limit: u64,
        failure: &Failure,
        now: Now,
    ) -> Result<(), String> {
        let stream = &self.config.name;
        let (code, reason) = (failure.why.code, &failure.why.message);
        tracing::warn!(stream, code, reason, entries_before = limit, "sweeping to backup");
        let to = Position { sequence: limit, ordinal: 0 };
        self.divert_front(index, to, Way::Backup(failure), now).map(|_| ())
    }

    /// Diverts everything below `to` that is neither settled nor held, and reads on from there.
    fn divert_front(
        &mut self,
        index: usize,
        to: Position,
        way: Way<'_>,
        now: Now,
    ) -> Result<u64, String> {
        if self.open.as_ref().is_some_and(|(feed, _)| *feed == index) {
            self.open = None;
            self.packing.start(index, to);
        }
        let mut held = self.dispatch.reset(index);
        held.extend(self.waiting_for_a_store(index));
        let Some(feed) = self.feeds.get(index) else { return Ok(0) };
        let low = feed.cursor.low();
        let mut taken = held.clone();
        taken.extend(feed.cursor.settled());
        let taken = normalised(taken);
        let diverted = self.divert(index, (low, to), &taken, way, now);
        let Some(feed) = self.feeds.get_mut(index) else { return Ok(0) };
        // Where a failure stopped it, the low mark tells how far it came.
        let at = if diverted.is_ok() { to } else { feed.cursor.low() };
        feed.restart(at, held);
        diverted
    }

    /// Ranges of parcels that are answered, and settle when quarantine or backup takes them.
    fn waiting_for_a_store(&self, feed: usize) -> impl Iterator<Item = Range> + '_ {
        let failed = self.failed.iter().map(|(parcel, _)| parcel);
        let waiting = self.stuck.iter().chain(failed);
        waiting.filter(move |p| p.feed == feed).map(|p| (p.from, p.to))
    }

    /// By command: everything up to the end is dropped, and counted.
    pub(crate) fn drop_backlog(&mut self) -> Result<u64, String> {
        let now = self.now();
        // What only waits for its backup is backlog like all else; what waits for the quarantine is
        // delivered already but for a line or two, and stays.
        self.failed.clear();
        let mut points = 0;
        for index in 0..self.feeds.len() {
            let end = self.feeds.get(index).map_or(0, |f| f.cursor.end());
            let to = Position { sequence: end, ordinal: 0 };
            points += self.divert_front(index, to, Way::Nowhere, now)?;
        }
        let stream = &self.config.name;
        tracing::warn!(stream, points, "backlog dropped by command");
        Ok(points)
    }

    /// The records of a parcel that nobody will take.
    pub(crate) fn back_up_parcel(
        &mut self,
        parcel: &Parcel,
        failure: &Failure,
        now: Now,
    ) -> Result<(), String> {
        let range = (parcel.from, parcel.to);
        self.divert(parcel.feed, range, &[], Way::Backup(failure), now).map(|_| ())
    }

    fn divert(
        &mut self,
        index: usize,
        range: Range,
        taken: &[Range],
        way: Way<'_>,
        now: Now,
    ) -> Result<u64, String> {
        let mut diversion = Diversion {
            feed: index,
            range,
            taken,
            way,
            now_ms: now.wall_ms,
            from: range.0,
            first: None,
            failed: Vec::new(),
            rejected: Vec::new(),
            tally: Tally::default(),
            points: 0,
        };
        let mut total = 0;
        let mut sequence = range.0.sequence;
        while (Position { sequence, ordinal: 0 }) < range.1 {
            let Some(feed) = self.feeds.get_mut(index) else { break };
            let Some(loaded) = feed.load(sequence)? else { break };
            sequence = loaded.sequence;
            if (Position { sequence, ordinal: 0 }) >= range.1 {
                break;
            }
            if let Plain::Unreadable(why) = &loaded.body {
                let (stream, topic) = (&*self.config.name, &**feed.cursor.topic());
                let place = Place { stream, topic, sequence, header: &loaded.header };
                if let Some(at) = diversion.first_wanted(&place) {
                    let detail = keep_raw(&self.quarantine, feed, (sequence, place.header), why);
                    let broken = Broken { reason: UNREADABLE, detail, bytes: &[] };
                    diversion.broken(&place, (0, at.ordinal), &broken);
                }
            } else {
                total +=
                    self.divert_entry(&mut diversion, sequence, &loaded.header, loaded.body)?;
            }
            sequence += 1;
            let next = Position { sequence, ordinal: 0 };
            if diversion.failed.len() + diversion.rejected.len() >= FILE_BYTES {
                total += self.put_diverted(&mut diversion, next.min(range.1))?;
            }
        }
        total += self.put_diverted(&mut diversion, range.1)?;
        Ok(total)
    }

    fn divert_entry(
        &mut self,
        diversion: &mut Diversion<'_>,
        sequence: u64,
        header: &entry::Header,
        mut body: Plain,
    ) -> Result<u64, String> {
        let Some(feed) = self.feeds.get(diversion.feed) else { return Ok(0) };
        let topic = Arc::clone(feed.cursor.topic());
        let stream = self.config.name.clone();
        let place = Place { stream: &stream, topic: &topic, sequence, header };
        let (mut total, mut ordinal) = (0, 0);
        let mut buffer = std::mem::take(&mut self.record);
        let walked = body.each_record(header.kind, &mut buffer, &mut |index, piece| {
            let parts = (&mut self.packing, &mut self.decoder);
            diversion.piece(parts.0, parts.1, &place, (index, piece), &mut ordinal);
            if diversion.failed.len() + diversion.rejected.len() >= FILE_BYTES {
                total += self.put_diverted(diversion, place.at(ordinal))?;
            }
            Ok(())
        });
        self.record = buffer;
        walked.map(|()| total)
    }

    /// Writes what was gathered, counts it and settles up to `to`.
    fn put_diverted(&mut self, diversion: &mut Diversion<'_>, to: Position) -> Result<u64, String> {
        let (from, to) = (diversion.from, to.clamp(diversion.from, diversion.range.1));
        let Some(feed) = self.feeds.get(diversion.feed) else { return Ok(0) };
        let topic = Arc::clone(feed.cursor.topic());
        // The backup first: written again it replaces itself, the quarantine only grows.
        if let Some((first, arrival_ms)) = diversion.first {
            let lines = &diversion.failed;
            self.backup.write_failed(&topic, first, arrival_ms, "failed", lines)?;
        }
        self.quarantine.write(&diversion.rejected)?;
        let points = std::mem::take(&mut diversion.points);
        let counter = match diversion.way {
            Way::Backup(_) => &self.stats.backed_up,
            Way::Nowhere => &self.stats.dropped,
        };
        counter.fetch_add(points, Ordering::Relaxed);
        let tally = std::mem::take(&mut diversion.tally);
        self.stats.add_tally(self.packing.rules(), &tally);
        diversion.failed.clear();
        diversion.rejected.clear();
        diversion.first = None;
        for (from, to) in without((from, to), diversion.taken) {
            self.settle(diversion.feed, from, to);
        }
        diversion.from = to;
        Ok(points)
    }
}

impl Diversion<'_> {
    fn piece(
        &mut self,
        packing: &mut Packing,
        decoder: &mut Decoder,
        place: &Place<'_>,
        (index, piece): (u32, Piece<'_>),
        ordinal: &mut u32,
    ) {
        let first = *ordinal;
        let record = match piece {
            Ok(record) => record,
            Err(broken) => {
                *ordinal += 1;
                self.broken(place, (index, first), &broken);
                return;
            }
        };
        let (items, kept) = if packing.takes_records() {
            self.record(place, first)
        } else {
            let kept = Vec::new();
            let mut visit =
                Diverted { diversion: self, packing, place, index, first, item: 0, kept };
            decoder.decode(record, &mut visit);
            (visit.item, visit.kept)
        };
        *ordinal += items;
        let Way::Backup(failure) = self.way else { return };
        if let Some((item, _)) = kept.first() {
            let here = (place.at(first + item), place.header.arrival_ms);
            self.first.get_or_insert(here);
            place.failed_line(&mut self.failed, index, record, items, kept, failure);
        }
    }

    /// A record that is one item as it is: how many items, and which of them are kept.
    fn record(&mut self, place: &Place<'_>, item: u32) -> (u32, Vec<(u32, u32)>) {
        if !place.is_record_asked_for(item) || !self.wants(place.at(item)) {
            return (1, Vec::new());
        }
        self.points += 1;
        (1, vec![(0, 1)])
    }

    fn broken(&mut self, place: &Place<'_>, item: (u32, u32), broken: &Broken<'_>) {
        if self.wants(place.at(item.1)) {
            let why = (broken.reason, broken.detail.as_str());
            place.raw_line(&mut self.rejected, self.now_ms, item, why, broken.bytes);
            self.tally.quarantine(broken.reason, 1);
        }
    }

    /// The first position of an entry that is diverted, whatever items it has.
    fn first_wanted(&self, place: &Place<'_>) -> Option<Position> {
        let behind = Position { sequence: place.sequence + 1, ordinal: 0 };
        let here = (self.range.0.max(place.at(0)), self.range.1.min(behind));
        without(here, self.taken).first().map(|(from, _)| *from)
    }

    fn wants(&self, at: Position) -> bool {
        self.range.0 <= at && at < self.range.1 && covering(self.taken, at).is_none()
    }
}

/// One record being diverted: which of its items are kept by the rules and not delivered.
struct Diverted<'a, 'b> {
    diversion: &'a mut Diversion<'b>,
    packing: &'a mut Packing,
    place: &'a Place<'a>,
    index: u32,
    first: u32,
    item: u32,
    kept: Vec<(u32, u32)>,
}

impl Visit for Diverted<'_, '_> {
    fn point(&mut self, point: &Point<'_>) {
        let item = self.item;
        self.item += 1;
        if !self.wants(item) {
            return;
        }
        if let Decision::Filtered(rule) = self.packing.decide(point) {
            self.diversion.tally.filter(rule);
            return;
        }
        self.diversion.points += 1;
        match self.kept.last_mut() {
            Some((_, end)) if *end == item => *end += 1,
            _ => self.kept.push((item, item + 1)),
        }
    }

    fn reject(&mut self, reject: &Reject<'_>) {
        let item = self.first + self.item;
        self.item += 1;
        if self.wants(item - self.first) {
            let (out, now) = (&mut self.diversion.rejected, self.diversion.now_ms);
            self.place.reject_line(out, now, self.index, item, reject);
            self.diversion.tally.quarantine(reject.reason.code(), 1);
        }
    }
}

impl Diverted<'_, '_> {
    fn wants(&self, item: u32) -> bool {
        self.place.is_asked_for(self.first + item)
            && self.diversion.wants(self.place.at(self.first + item))
    }
}

fn backlog_full(backlog: u64, limit: u64) -> Why {
    let message = format!("backlog of {backlog} bytes is over max_backlog of {limit} bytes");
    Why { code: "Hydrant.BacklogFull", message }
}
