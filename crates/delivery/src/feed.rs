//! A feed: one topic of the journal, read from a stream's cursor.
//!
//! Owns the cursor, the place up to which entries were claimed, and the buffering that says how far
//! may be claimed. Buffering reads entry headers only; nothing decoded is held while it waits.

use std::collections::VecDeque;
use std::io::{Cursor as Bytes, ErrorKind, Read};
use std::sync::Arc;
use std::time::Duration;

use codec::gzip::{Inflater, StreamInflater};
use entry::{Encoding, Header, Kind, LaneId, Reader, Tail, TailKey};
use journal::{Cursor, Entry, EntryBody, Position};

use crate::config::Buffering;
use crate::ranges::{Range, normalised};
use crate::time::{Now, millis};

/// A plain body up to this is inflated whole (and found in the tail); above it is read as a stream,
/// so that no entry, however large, needs more than a record of memory.
const WHOLE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// What is said of an entry whose body in the log is not what was written.
const ROTTEN: &str = "its body in the journal is damaged: the log tells where a copy is";

/// The journal's end is noted this many times in a retry duration: how long an entry has been there is
/// known to a sixty-fourth of it.
const ENDS: i64 = 64;

/// What is said of an entry that only the fold of metric streams reads.
const SAMPLES: &str = "holds samples put by PutMetricData, which no stream delivers as they are";

/// An entry, opened.
pub(crate) struct Loaded {
    pub sequence: u64,
    pub header: Header,
    pub body: Plain,
}

/// The plain body of an entry, in whichever form it is at hand.
pub(crate) enum Plain {
    /// Inflated from the journal, our own.
    Whole(Arc<Vec<u8>>),
    /// Its records, each with its length before it, shared with the tail.
    Records(Arc<Vec<u8>>),
    /// In memory, as it arrived.
    Bytes(bytes::Bytes),
    /// Inflated while it is read.
    Stream(Box<dyn Read + Send>),
    /// One record, as it is.
    Record(bytes::Bytes),
    /// It cannot be read as what its header says; the text says why, the bytes are kept.
    Broken(String, Vec<u8>),
    /// The disk has it no more as it was written, and reading it again will not mend it; the text says why.
    Unreadable(String),
    /// Another lane's: nothing of ours.
    Foreign,
}

/// What is known of entries not yet claimed.
#[derive(Default)]
struct Scout {
    next: u64,
    bytes: u64,
    /// When the first of them has waited long enough, by the steady clock.
    due_ms: Option<i64>,
}

/// One topic, read by one stream.
pub(crate) struct Feed {
    pub cursor: Cursor,
    /// Next entry to claim.
    pub next: u64,
    /// Where the next parcel begins.
    pub begin: Position,
    /// Positions that must not be packed again: settled, or in flight.
    pub skips: Vec<Range>,
    released: u64,
    scout: Scout,
    lane: Option<LaneId>,
    reader: Reader,
    inflater: Inflater,
    failures: u32,
    /// Entries before this one had been released when an attempt failed last, of this feed or another:
    /// only they may be given up.
    tried: u64,
    /// Its records have been buffered before.
    unbuffered: bool,
    /// Where the journal ended when, by the steady clock; over the last retry duration.
    ends: VecDeque<(i64, u64)>,
}

impl Feed {
    pub(crate) fn new(cursor: Cursor, lane: Option<LaneId>, tail: Arc<Tail>) -> Self {
        let low = cursor.low();
        let reader = Reader::new(tail, cursor.topic(), low.sequence);
        let mut feed = Self {
            cursor,
            next: low.sequence,
            begin: low,
            skips: Vec::new(),
            released: low.sequence,
            scout: Scout::default(),
            lane,
            reader,
            inflater: Inflater::new(),
            failures: 0,
            tried: low.sequence,
            unbuffered: false,
            ends: VecDeque::new(),
        };
        feed.restart(low, Vec::new());
        feed
    }

    /// Waits for nothing, whatever the stream's buffering.
    pub(crate) fn unbuffered(self) -> Self {
        Self { unbuffered: true, ..self }
    }

    /// Reads on from `at`; `taken` are ranges in flight.
    pub(crate) fn restart(&mut self, at: Position, mut taken: Vec<Range>) {
        taken.extend(self.cursor.settled());
        // What lies below the low mark of its entry is settled too.
        let low = self.cursor.low();
        taken.push((Position { sequence: low.sequence, ordinal: 0 }, low));
        self.skips = normalised(taken);
        self.next = at.sequence;
        self.begin = at;
        self.reader.seek(at.sequence);
        self.scout = Scout { next: at.sequence, ..Scout::default() };
        self.released = self.released.max(at.sequence);
    }

    /// Reading an entry failed half way: it is opened again, and what lies below `begin` passed over.
    pub(crate) fn reopen(&mut self, begin: Position) {
        let mut skips = std::mem::take(&mut self.skips);
        skips.push((Position { sequence: begin.sequence, ordinal: 0 }, begin));
        self.skips = normalised(skips);
        self.next = begin.sequence;
        self.begin = begin;
    }

    /// A reader of the body of an entry as it arrived, damaged or not.
    pub(crate) fn raw_reader(&self, sequence: u64) -> Option<Box<dyn Read + Send>> {
        let entry = self.cursor.read(sequence).ok()??;
        (entry.sequence == sequence).then(|| side(entry.body))
    }

    /// There is no entry in what was released: sequences have holes.
    pub(crate) fn nothing_left(&mut self) {
        self.next = self.next.max(self.released);
    }

    /// Counts a failed read of the next entry.
    pub(crate) fn read_failed(&mut self) -> u32 {
        self.failures = self.failures.saturating_add(1);
        self.failures
    }

    /// An entry was claimed.
    pub(crate) fn claimed(&mut self, sequence: u64) {
        self.failures = 0;
        self.next = sequence + 1;
        // Ranges behind us are never asked for again.
        self.skips.retain(|(_, to)| to.sequence >= sequence);
    }

    /// Looks at new entries; may anything be claimed?
    pub(crate) fn release(&mut self, buffering: Buffering, now: Now) -> Result<bool, String> {
        let end = self.cursor.end();
        if buffering.interval.is_zero() || self.unbuffered {
            self.released = end;
        } else if self.next >= self.released {
            self.scout_to(end, millis(buffering.interval), now)?;
            let due = self.scout.due_ms.is_some_and(|due| now.steady_ms >= due);
            // Entries of other lanes need no buffering, and held back they could not be freed.
            let foreign = self.scout.due_ms.is_none() && self.scout.next > self.released;
            if self.scout.bytes >= buffering.size_bytes || due || foreign {
                self.released = self.scout.next;
                self.scout = Scout { next: self.released, ..Scout::default() };
            }
        }
        Ok(self.next < self.released)
    }

    fn scout_to(&mut self, end: u64, interval_ms: i64, now: Now) -> Result<(), String> {
        self.scout.next = self.scout.next.max(self.next);
        while self.scout.next < end {
            let Some((sequence, header)) = self.header(self.scout.next)? else { break };
            self.scout.next = sequence + 1;
            if let Some(header) = header.filter(|h| self.is_ours(h)) {
                self.scout.bytes += match header.kind {
                    // Three quarters: base64 in JSON against the raw records that Firehose counts.
                    Kind::FirehoseDelivery => header.plain_bytes / 4 * 3,
                    Kind::Record | Kind::Records | Kind::Metrics => header.plain_bytes,
                };
                // What it has waited already, perhaps in another process, only the wall clock tells.
                let waited_ms = (now.wall_ms - header.arrival_ms).clamp(0, interval_ms);
                let due_ms = now.steady_ms + interval_ms - waited_ms;
                self.scout.due_ms = self.scout.due_ms.into_iter().chain([due_ms]).min();
            }
        }
        Ok(())
    }

    /// A lane takes what is addressed to it; a stream of its own destination takes everything, also
    /// what lanes of the same source take.
    fn is_ours(&self, header: &Header) -> bool {
        self.lane.is_none() || header.lane == self.lane
    }

    /// Something was released and not claimed yet.
    pub(crate) fn claimable(&self) -> bool {
        self.next < self.released
    }

    /// First entry that may not be claimed yet.
    pub(crate) fn released(&self) -> u64 {
        self.released
    }

    /// An attempt failed when entries before this one could have been part of one.
    pub(crate) fn failed_before(&mut self, released: u64) {
        self.tried = self.tried.max(released);
    }

    /// First entry that has had no chance yet: no attempt failed since it was released.
    pub(crate) fn tried(&self) -> u64 {
        self.tried
    }

    /// When `release` should be asked again, if nothing arrives.
    pub(crate) fn wake_ms(&self) -> Option<i64> {
        self.scout.due_ms
    }

    /// Notes where the journal ends now, so that later one can tell what has been there for how long.
    pub(crate) fn note_end(&mut self, now_ms: i64, retry: Duration) {
        let retry_ms = millis(retry);
        if self.ends.back().is_some_and(|(at, _)| now_ms - at < retry_ms / ENDS) {
            return;
        }
        self.ends.push_back((now_ms, self.cursor.end()));
        // Of the notes older than a retry duration the youngest is enough.
        while self.ends.get(1).is_some_and(|(at, _)| now_ms - at >= retry_ms) {
            self.ends.pop_front();
        }
    }

    /// The end at an instant of the steady clock, or shortly before: what lies below it was there then.
    pub(crate) fn end_at(&self, at_ms: i64) -> u64 {
        self.ends.iter().take_while(|(at, _)| *at <= at_ms).last().map_or(0, |(_, end)| *end)
    }

    /// The header of the first entry at or after `sequence`; `None` inside when it cannot be read.
    pub(crate) fn header(&self, sequence: u64) -> Result<Option<(u64, Option<Header>)>, String> {
        let head = self.cursor.read_head(sequence).map_err(|e| e.to_string())?;
        Ok(head.map(|(sequence, head, _)| (sequence, Header::decode(&head).ok())))
    }

    /// Opens the first entry at or after `sequence` and before the end.
    pub(crate) fn load(&mut self, sequence: u64) -> Result<Option<Loaded>, String> {
        let Some((sequence, head, _)) =
            self.cursor.read_head(sequence).map_err(|e| e.to_string())?
        else {
            return Ok(None);
        };
        let header = match Header::decode(&head) {
            Ok(header) => header,
            Err(error) => return self.broken(sequence, nameless(), error.to_string()).map(Some),
        };
        let key = TailKey { topic: Arc::clone(self.cursor.topic()), sequence };
        if !self.is_ours(&header) {
            self.reader.pass(&key);
            return Ok(Some(Loaded { sequence, header, body: Plain::Foreign }));
        }
        if header.kind == Kind::Metrics {
            return self.broken(sequence, header, SAMPLES.to_owned()).map(Some);
        }
        // What is read once more, to be split or set aside, is behind where we are.
        let kept =
            if sequence < self.next { self.reader.tail().get(&key) } else { self.reader.get(&key) };
        if let Some(plain) = kept {
            return Ok(Some(Loaded { sequence, header, body: Plain::Records(plain) }));
        }
        let entry = self.cursor.read(sequence).map_err(|e| e.to_string())?;
        let Some(entry) = entry.filter(|entry| entry.sequence == sequence) else {
            // Its head can be read and its body cannot: the journal has counted it and kept a copy.
            let body = Plain::Unreadable(ROTTEN.to_owned());
            return Ok(Some(Loaded { sequence, header, body }));
        };
        if let EntryBody::Side(body) = &entry.body {
            // A side file tells of damage at its end, when its points would be on their way: look first.
            let mut whole = body.reader();
            match std::io::copy(&mut whole, &mut std::io::sink()) {
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    let body = Plain::Unreadable(error.to_string());
                    return Ok(Some(Loaded { sequence, header, body }));
                }
                copied => copied.map_err(|error| error.to_string())?,
            };
        }
        match self.plain(&header, entry) {
            Ok(body) => Ok(Some(Loaded { sequence, header, body })),
            Err(why) => self.broken(sequence, header, why).map(Some),
        }
    }

    fn plain(&mut self, header: &Header, entry: Entry) -> Result<Plain, String> {
        if header.kind == Kind::Record {
            return self.record(header, entry.body).map(Plain::Record);
        }
        match (header.encoding, entry.body) {
            (Encoding::Gzip, EntryBody::Bytes(bytes)) if header.plain_bytes <= WHOLE_BYTES_MAX => {
                let mut plain = self.reader.tail().stale_buffer();
                let limit = usize::try_from(header.plain_bytes).unwrap_or(usize::MAX);
                self.inflater.gunzip(&bytes, &mut plain, limit).map_err(|e| e.to_string())?;
                Ok(Plain::Whole(Arc::new(plain)))
            }
            (Encoding::Identity, EntryBody::Bytes(bytes)) => Ok(Plain::Bytes(bytes)),
            (Encoding::Gzip, EntryBody::Bytes(bytes)) => Ok(Plain::Stream(Box::new(
                StreamInflater::new(Bytes::new(bytes), header.plain_bytes),
            ))),
            (Encoding::Identity, body @ EntryBody::Side(..)) => Ok(Plain::Stream(side(body))),
            (Encoding::Gzip, body @ EntryBody::Side(..)) => {
                Ok(Plain::Stream(Box::new(StreamInflater::new(side(body), header.plain_bytes))))
            }
        }
    }

    /// A record is small: whoever appends one bounds it.
    fn record(&mut self, header: &Header, body: EntryBody) -> Result<bytes::Bytes, String> {
        let bytes = match body {
            EntryBody::Bytes(bytes) => bytes,
            side @ EntryBody::Side(..) => {
                let mut bytes = Vec::new();
                self::side(side).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
                bytes.into()
            }
        };
        if header.encoding == Encoding::Identity {
            return Ok(bytes);
        }
        let mut plain = Vec::new();
        let limit = usize::try_from(header.plain_bytes).unwrap_or(usize::MAX);
        self.inflater.gunzip(&bytes, &mut plain, limit).map_err(|e| e.to_string())?;
        Ok(plain.into())
    }

    fn broken(&self, sequence: u64, header: Header, why: String) -> Result<Loaded, String> {
        let bytes = self.raw(sequence)?;
        Ok(Loaded { sequence, header, body: Plain::Broken(why, bytes) })
    }

    /// The body of an entry as it arrived.
    pub(crate) fn raw(&self, sequence: u64) -> Result<Vec<u8>, String> {
        let entry = self.cursor.read(sequence).map_err(|e| e.to_string())?;
        let mut bytes = Vec::new();
        if let Some(entry) = entry {
            side(entry.body).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
        }
        Ok(bytes)
    }

    /// Gives a body back for reuse, when nobody else holds it.
    pub(crate) fn give_back(&self, plain: Arc<Vec<u8>>) {
        if let Ok(buffer) = Arc::try_unwrap(plain) {
            self.reader.tail().give_back(buffer);
        }
    }

    /// Nothing is claimed for now: whatever comes next need not wait for us.
    pub(crate) fn pause(&mut self) {
        self.reader.pause();
    }

    /// Arrival of the oldest entry that is not settled.
    pub(crate) fn oldest_arrival_ms(&self) -> Option<i64> {
        let (_, header) = self.header(self.cursor.low().sequence).ok()??;
        header.map(|h| h.arrival_ms)
    }
}

fn side(body: EntryBody) -> Box<dyn Read + Send> {
    match body {
        EntryBody::Bytes(bytes) => Box::new(Bytes::new(bytes)),
        EntryBody::Side(body) => Box::new(body.reader()),
    }
}

/// The header of an entry that has none that can be read.
pub(crate) fn nameless() -> Header {
    Header {
        kind: entry::Kind::FirehoseDelivery,
        encoding: Encoding::Identity,
        arrival_ms: 0,
        plain_bytes: 0,
        records: 0,
        source: String::new(),
        source_arn: String::new(),
        request_id: String::new(),
        attributes: Vec::new(),
        lane: None,
        only: Vec::new(),
    }
}
