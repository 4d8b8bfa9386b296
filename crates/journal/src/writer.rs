//! The writer of a topic: one thread that makes durable what waits, then says yes.
//!
//! Owns the active segment. It takes all that waits while the last sync runs, writes it with one vectored
//! write, syncs once, publishes, and only then answers (I1). A segment whose write or sync failed is sealed at
//! its durable mark and never synced again; a new one is tried every `retry_after`. Not here: what may be freed.

use std::collections::HashMap;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::disk::File;
use crate::frame::{self, ALIGN, Front, Header};
use crate::inbox::{Done, Taken, Waiting};
use crate::item::{Appended, Body, Key, Refused};
use crate::keys::{Known, Seen};
use crate::locked;
use crate::segment::{Before, DATA_START, Segment, SegmentHeader, file_name};
use crate::shared::{Refusing, Shared};
use crate::side::SideFile;

/// Zeros behind a body up to the next frame.
const PADDING: [u8; ALIGN as usize] = [0; ALIGN as usize];

/// A segment reserves at most this part of the budget, so that with a small budget the first topic does not
/// take all of it for its first segment.
const SEGMENTS_MIN: u64 = 16;
/// And at most this part of the share of each topic, so that what quiet topics hold leaves room for all others.
const SEGMENTS_OF_A_TOPIC: u64 = 4;

/// Longest pause before a new segment is tried, whatever the setting: nobody waits a day for a disk that is well.
const RETRY_MAX: Duration = Duration::from_secs(24 * 3600);

/// The writer thread's state.
#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    active: Option<Active>,
    /// The segment before the next one.
    before: Option<Before>,
    /// The next sequence.
    next: u64,
    /// After a failure: when a new segment is tried.
    retry_at: Option<Instant>,
}

/// The segment that is written.
#[derive(Debug)]
struct Active {
    file: Arc<dyn File>,
    first: u64,
    salt: u32,
    durable: u64,
    reserved: u64,
}

/// An item that is to be stored, and who waits for it.
struct Fresh {
    key: Option<Key>,
    head: Vec<u8>,
    body: Bytes,
    side: Option<SideFile>,
    other_data: bool,
    done: Done,
    /// Repeats of it that came in the same commit share its fate.
    followers: Vec<(Done, Body)>,
}

impl Fresh {
    fn length(&self) -> u64 {
        let (key, side) = (self.key.is_some(), self.side.is_some());
        frame::length_of(key, side, self.head.len(), self.body.len())
    }

    fn refuse(self, refused: &Refused) {
        (self.done)(Err(refused.clone()));
        for (follower, _body) in self.followers {
            follower(Err(refused.clone()));
        }
    }
}

/// A frame as written, to be published once it is durable.
struct Written {
    fresh: Fresh,
    header: Header,
    offset: u64,
}

/// Answers whoever still waits when the writer ends, be it by a panic.
struct Farewell(Arc<Shared>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.inbox.refuse_rest();
    }
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, before: Option<Before>, next: u64) -> Writer {
        Writer { shared, active: None, before, next, retry_at: None }
    }

    /// Runs until the inbox is closed and empty.
    pub(crate) fn run(mut self) {
        let farewell = Farewell(self.shared.clone());
        let commit_bytes = self.shared.options.commit_bytes as u64;
        loop {
            match self.shared.inbox.take(commit_bytes, self.retry_at) {
                Taken::Items(items) => self.commit(items),
                Taken::Deadline => self.retry(),
                Taken::Rest(end) => self.rest(end),
                Taken::Closed => break,
            }
        }
        self.seal();
        drop(farewell);
    }

    fn commit(&mut self, items: Vec<Waiting>) {
        let now_ms = self.shared.disk.now_ms();
        let mut rest = self.sort_out(items, now_ms);
        while !rest.is_empty() {
            let room = match self.room(&rest) {
                Ok(room) => room,
                Err(refused) => return refuse_all(rest, &refused),
            };
            let mut taken = 0;
            let fits = rest.iter().take_while(|fresh| {
                taken += fresh.length();
                taken <= room
            });
            let later = rest.split_off(fits.count());
            let batch = std::mem::replace(&mut rest, later);
            if let Err(refused) = self.write(batch, now_ms) {
                return refuse_all(rest, &refused);
            }
        }
    }

    /// Answers repeats of what is durable; attaches repeats of what is not to the first of their kind.
    fn sort_out(&self, items: Vec<Waiting>, now_ms: u64) -> Vec<Fresh> {
        let mut fresh: Vec<Fresh> = Vec::with_capacity(items.len());
        let mut by_name: HashMap<u128, usize> = HashMap::new();
        let mut repeats = Vec::new();
        let mut keys = locked(&self.shared.keys);
        for Waiting { item, done } in items {
            let mut other_data = false;
            if let Some(key) = item.key {
                let index = by_name.get(&key.name).copied();
                match index.and_then(|index| fresh.get_mut(index)) {
                    Some(first) if first.key == Some(key) => {
                        first.followers.push((done, item.body));
                        continue;
                    }
                    Some(_) => other_data = true,
                    None => match keys.look(key, now_ms) {
                        Seen::Never => {}
                        Seen::OtherData => other_data = true,
                        Seen::Same => {
                            repeats.push((done, item.body));
                            continue;
                        }
                    },
                }
                by_name.insert(key.name, fresh.len());
            }
            let (body, side) = match item.body {
                Body::Bytes(bytes) => (bytes, None),
                Body::Side(side) => (Bytes::new(), Some(side)),
            };
            let (key, head, followers) = (item.key, item.head, Vec::new());
            fresh.push(Fresh { key, head, body, side, other_data, done, followers });
        }
        drop(keys);
        locked(&self.shared.log).counters.repeats += repeats.len() as u64;
        for (done, _body) in repeats {
            done(Ok(Appended::Repeat));
        }
        fresh
    }

    /// Room in the active segment for at least the first of `fresh`; makes a new one where need be.
    fn room(&mut self, fresh: &[Fresh]) -> Result<u64, Refused> {
        let first = fresh.first().map_or(0, Fresh::length);
        if let Some(active) = &self.active {
            let room = active.reserved - active.durable;
            if first <= room {
                return Ok(room);
            }
        }
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            let refusing = locked(&self.shared.log).refusing.clone();
            let refused = refusing.map(|refusing| refusing.refused);
            return Err(refused.unwrap_or(Refused::Disk("waiting to try again".to_owned())));
        }
        self.seal();
        self.start_segment(first)
    }

    /// Shortens the active segment to what is durable; nothing is written to it any more.
    fn seal(&mut self) {
        let Some(active) = self.active.take() else { return };
        self.before = Some(Before { first: active.first, durable: active.durable });
        let cut = active.file.cut(active.durable);
        let given = if cut.is_ok() { active.reserved - active.durable } else { 0 };
        let mut log = locked(&self.shared.log);
        if let Some(segment) = log.segments.back_mut() {
            segment.held -= given;
        }
        drop(log);
        self.shared.share.give(given);
        self.shared.count_failure("shortening a segment of", &self.shared.directory, cut);
    }

    /// A new segment with room for `least` bytes of frames.
    fn start_segment(&mut self, least: u64) -> Result<u64, Refused> {
        let least = DATA_START + least;
        let options = &self.shared.options;
        let parts = SEGMENTS_MIN.max(SEGMENTS_OF_A_TOPIC * self.shared.roster.len());
        let share = options.budget_bytes.min(options.topic_bytes) / parts;
        let most = least.max(options.segment_bytes.min(share));
        let reserved = match self.shared.share.take(least, most) {
            Ok(reserved) => reserved,
            Err(_) => self.make_way(least, most)?,
        };
        let made = self.create(reserved);
        made.map_err(|(doing, error)| {
            self.shared.share.give(reserved);
            self.fail(doing, &error)
        })
    }

    /// The budget is spent, perhaps by what the last segment holds though nobody needs it.
    fn make_way(&mut self, least: u64, most: u64) -> Result<u64, Refused> {
        self.vacate()?;
        self.shared.share.take(least, most).map_err(|spent| {
            let refused = self.shared.refused_full(spent);
            let given = Some(self.shared.share.budget().given());
            locked(&self.shared.log).refusing = Some(Refusing { refused: refused.clone(), given });
            refused
        })
    }

    /// Frees the last segment when nobody needs what it holds: it stays only to remember the sequence. An
    /// empty segment remembers it as well. Nothing is being written to it.
    fn vacate(&mut self) -> Result<(), Refused> {
        self.shared.free();
        let useless = {
            let log = locked(&self.shared.log);
            let held = log.segments.back().is_some_and(|last| last.held > DATA_START);
            held && log.segments.len() == 1 && log.settled_by_all() >= log.end
        };
        if useless {
            self.shared.share.force(DATA_START);
            if let Err((doing, error)) = self.create(DATA_START) {
                self.shared.share.give(DATA_START);
                return Err(self.fail(doing, &error));
            }
            self.seal();
            self.shared.free();
        }
        Ok(())
    }

    /// The last cursor is gone, and with it whoever needed what lies before `end`. What came since then
    /// waits for a cursor that is to come.
    fn rest(&mut self, end: u64) {
        let wanted = {
            let log = locked(&self.shared.log);
            !log.cursors.is_empty() || log.end != end
        };
        if wanted {
            return;
        }
        self.seal();
        // A failure is counted, and the next append tries again.
        drop(self.vacate());
    }

    /// Makes a segment of `reserved` bytes, durable with its name, and the active one.
    fn create(&mut self, reserved: u64) -> Result<u64, (&'static str, io::Error)> {
        self.step_behind_last();
        let first = self.next;
        let salt = self.shared.disk.random() as u32;
        let path = self.shared.directory.join(file_name(first));
        // Never reused: where this fails, the name is not tried again.
        self.next += 1;
        let header = SegmentHeader { first, salt, before: self.before };
        let file = self.shared.disk.create(&path).map_err(|error| ("creating a segment", error))?;
        let make = || {
            file.reserve(reserved).map_err(|error| ("reserving a segment", error))?;
            let bytes = header.to_bytes();
            let written = file.write_at(&[IoSlice::new(&bytes)], 0);
            written.map_err(|error| ("writing a segment's header", error))?;
            file.sync().map_err(|error| ("syncing a new segment", error))?;
            let named = self.shared.disk.sync_dir(&self.shared.directory);
            named.map_err(|error| ("syncing the directory of a new segment", error))
        };
        if let Err(failed) = make() {
            self.shared.count_failure("removing", &path, self.shared.disk.remove(&path));
            return Err(failed);
        }
        self.next = first;
        let mut log = locked(&self.shared.log);
        let mut segment = Segment::new(path, first, salt);
        segment.held = reserved;
        log.segments.push_back(segment);
        // Sequences that were refused may be passed only now: until this segment was durable, a crash could
        // have brought them back as entries, and then cursors must not be behind them already.
        log.skip_to(first);
        log.refusing = None;
        drop(log);
        self.retry_at = None;
        self.active = Some(Active { file, first, salt, durable: DATA_START, reserved });
        Ok(reserved - DATA_START)
    }

    /// Two segments never begin with the same sequence, though one of them be empty.
    fn step_behind_last(&mut self) {
        let last = locked(&self.shared.log).segments.back().map(|last| last.first);
        if last.is_some_and(|last| last >= self.next) {
            self.next += 1;
        }
    }

    /// Writes, syncs, publishes and answers; on failure refuses all of `batch`.
    fn write(&mut self, batch: Vec<Fresh>, now_ms: u64) -> Result<(), Refused> {
        let Some(active) = &mut self.active else { return Ok(()) };
        let mut fronts = Vec::with_capacity(batch.len());
        let mut offset = active.durable;
        for (sequence, fresh) in (self.next..).zip(&batch) {
            let front = Front {
                sequence,
                proven: active.durable,
                arrived_ms: now_ms,
                key: fresh.key,
                side: fresh.side.as_ref().map(|side| side.about),
                head: &fresh.head,
            };
            let (bytes, padding) = frame::encode(&front, &fresh.body, active.salt);
            fronts.push((bytes, padding, offset));
            offset += fresh.length();
        }
        let mut pieces = Vec::with_capacity(3 * batch.len());
        for ((front, padding, _), fresh) in fronts.iter().zip(&batch) {
            pieces.push(IoSlice::new(front));
            pieces.push(IoSlice::new(&fresh.body));
            pieces.push(IoSlice::new(PADDING.get(..*padding).unwrap_or_default()));
        }
        let written = active.file.write_at(&pieces, active.durable);
        drop(pieces);
        let synced = written
            .map_err(|error| ("writing", error))
            .and_then(|()| active.file.sync().map_err(|error| ("syncing", error)));
        // What is written to a file without a name is gone with the process.
        let path = self.shared.directory.join(file_name(active.first));
        let outcome = synced.and_then(|()| {
            self.shared.disk.still_there(&path).map_err(|error| ("finding the segment", error))
        });
        self.next += batch.len() as u64;
        if let Err((doing, error)) = outcome {
            let refused = self.give_up(doing, &error);
            refuse_all(batch, &refused);
            return Err(refused);
        }
        active.durable = offset;
        let salt = active.salt;
        let frames = fronts.into_iter().zip(batch);
        let written = frames.filter_map(|((front, _, offset), fresh)| {
            Header::parse(&front, salt).map(|header| Written { fresh, header, offset })
        });
        self.publish(written.collect(), offset);
        Ok(())
    }

    /// The active segment's write or sync failed: it ends at its durable mark.
    fn give_up(&mut self, doing: &'static str, error: &io::Error) -> Refused {
        self.seal();
        self.fail(doing, error)
    }

    /// Refuses from now on, until a new segment can be made.
    fn fail(&mut self, doing: &'static str, error: &io::Error) -> Refused {
        let hint = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                "; free space there, or lower disk_budget"
            }
            ErrorKind::NotFound => "; somebody moved or removed it: put it back, or start anew",
            _ => "",
        };
        let directory = self.shared.directory.display();
        let refused = Refused::Disk(format!("{doing} in {directory}: {error}{hint}"));
        let mut log = locked(&self.shared.log);
        log.counters.sync_failures += 1;
        log.refusing = Some(Refusing { refused: refused.clone(), given: None });
        self.retry_at = Some(Instant::now() + self.shared.options.retry_after.min(RETRY_MAX));
        refused
    }

    /// Tries a new segment though nothing waits, since nothing comes while the topic says it refuses.
    fn retry(&mut self) {
        self.retry_at = None;
        self.seal();
        // A failure has set the next time; a spent budget is seen by who asks.
        drop(self.start_segment(0));
    }

    /// Makes what is durable visible to readers and answers.
    fn publish(&self, written: Vec<Written>, durable: u64) {
        let end = self.next;
        let mut without_cursors = false;
        {
            let mut keys = locked(&self.shared.keys);
            for Written { fresh, header, .. } in &written {
                let (arrived_ms, sequence) = (header.arrived_ms, header.sequence);
                if let Some(key) = fresh.key {
                    keys.insert(Known { key, arrived_ms, sequence }, arrived_ms);
                }
            }
            let mut guard = locked(&self.shared.log);
            let log = &mut *guard;
            for Written { fresh, header, offset } in &written {
                let side = fresh.side.as_ref().map(|side| side.about);
                log.sides.extend(side.map(|about| (header.sequence, about)));
                if let Some(segment) = log.segments.back_mut() {
                    segment.note(*offset, header, side.map_or(0, |about| about.length));
                }
                log.counters.appended += 1;
                log.counters.other_data += u64::from(fresh.other_data);
                log.counters.repeats += fresh.followers.len() as u64;
            }
            if let Some(segment) = log.segments.back_mut() {
                segment.durable = durable;
            }
            log.counters.commits += 1;
            log.end = end;
            if log.cursors.is_empty() {
                without_cursors = log.segments.len() > 1 || !log.sides.is_empty();
            }
        }
        for Written { fresh, header, .. } in written {
            if let Some(side) = fresh.side {
                side.keep();
            }
            let (sequence, other_data) = (header.sequence, fresh.other_data);
            (fresh.done)(Ok(Appended::Stored { sequence, other_data }));
            for (follower, _body) in fresh.followers {
                follower(Ok(Appended::Repeat));
            }
        }
        for wake in locked(&self.shared.wakes).iter() {
            wake(end);
        }
        if without_cursors {
            self.shared.free();
        }
    }
}

fn refuse_all(batch: Vec<Fresh>, refused: &Refused) {
    for fresh in batch {
        fresh.refuse(refused);
    }
}
