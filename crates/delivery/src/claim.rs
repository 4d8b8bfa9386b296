//! Claiming: entries are read from the journal, decoded, selected and packed into parcels.

use entry::Header;
use journal::Position;

use crate::feed::{Feed, Loaded, Plain};
use crate::marker::CRASHES_MAX;
use crate::pack::Scope;
use crate::pieces::{Broken, Pieces, UNREAD, UNREADABLE};
use crate::place::Place;
use crate::quarantine::Quarantine;
use crate::ranges::without;
use crate::time::Now;
use crate::worker::{OpenEntry, Worker};

/// The end of everything, for a scope without an end.
const NO_END: Position = Position { sequence: u64::MAX, ordinal: u32::MAX };

/// After a failed read, the next one is tried this much later.
const READ_RETRY_MS: i64 = 5_000;
/// Reads of one entry that may fail: a minute's worth, longer than a disk that resets itself takes.
const READS_MAX: u32 = 12;
/// Reason for quarantine: decoding it ended the process again and again.
const CRASHED: &str = "crashed_three_times";

impl Worker {
    /// Packs while there is room and something to claim.
    pub(crate) fn fill(&mut self, now: Now) {
        if now.steady_ms < self.read_retry_ms {
            return;
        }
        self.packing.tap(self.stats.taps.look());
        let mut failure = None;
        let feeds = self.feeds.len();
        let order = (self.first_feed..feeds).chain(0..self.first_feed);
        for index in order {
            if let Err(error) = self.fill_from(index, now) {
                tracing::error!(stream = %self.config.name, error, "journal cannot be read");
                self.read_retry_ms = now.steady_ms + READ_RETRY_MS;
                self.give_up_reading(index, &error, now);
                failure = Some(error);
            }
        }
        if failure.is_some() || !self.flows() {
            self.pause();
        }
        // What is packed again later has been shown.
        self.packing.tap(Vec::new());
        self.stats.set_state(|s| s.journal_failure = failure);
    }

    /// An entry that cannot be read again and again is set aside by name, so that it holds up nobody.
    fn give_up_reading(&mut self, index: usize, error: &str, now: Now) {
        let Some(feed) = self.feeds.get_mut(index) else { return };
        let sequence = feed.next;
        if feed.read_failed() < READS_MAX {
            return;
        }
        let Ok(Some((found, Some(header)))) = feed.header(sequence) else { return };
        let topic = std::sync::Arc::clone(feed.cursor.topic());
        let detail = keep_raw(&self.quarantine, feed, (found, &header), error);
        feed.claimed(found);
        let feed_begin = feed.begin;
        self.packing.start(index, feed_begin);
        let place =
            Place { stream: &self.config.name, topic: &topic, sequence: found, header: &header };
        let scope = Scope { skips: &[], until: NO_END, points_max: u32::MAX, now_ms: now.wall_ms };
        let piece = Err(Broken { reason: UNREADABLE, detail, bytes: &[] });
        self.packing.piece(&mut self.decoder, &place, (0, piece), &mut 0, &scope);
        self.packing.close(Position { sequence: found + 1, ordinal: 0 });
        self.collect();
        if let Some(feed) = self.feeds.get_mut(index) {
            feed.begin = self.packing.begin();
        }
    }

    fn fill_from(&mut self, index: usize, now: Now) -> Result<(), String> {
        if self.open.as_ref().is_some_and(|(feed, _)| *feed != index) {
            return Ok(());
        }
        if self.open.is_none()
            && let Some(feed) = self.feeds.get(index)
        {
            self.packing.start(index, feed.begin);
        }
        let (mut packed, mut read) = (false, Ok(()));
        while self.has_room() {
            let more = match self.open {
                Some(_) => self.pack_open_record(now).map(|()| true),
                None => self.pack_next_entry(index, now),
            };
            match more {
                Ok(true) => {}
                Ok(false) => break,
                // What is packed already is as good as ever: it is closed below.
                Err(error) => {
                    read = Err(error);
                    break;
                }
            }
            packed = true;
            self.collect();
        }
        if packed {
            self.first_feed = (index + 1) % self.feeds.len();
        }
        if packed && self.open.is_none() {
            // Nothing more to add: what is open goes as it is. Buffering was decided before the claim.
            let next = self.feeds.get(index).map_or(0, |f| f.next);
            let end = Position { sequence: next, ordinal: 0 };
            self.packing.close(end.max(self.packing.begin()));
            self.collect();
            if let Some(feed) = self.feeds.get_mut(index) {
                feed.begin = self.packing.begin();
            }
        }
        read
    }

    /// One entry: whole when it is in memory, else opened for reading record by record.
    fn pack_next_entry(&mut self, index: usize, now: Now) -> Result<bool, String> {
        let buffering = self.stats.buffering(self.config.buffering);
        let Some(feed) = self.feeds.get_mut(index) else { return Ok(false) };
        if !feed.release(buffering, now)? {
            return Ok(false);
        }
        let Some(loaded) = feed.load(feed.next)? else {
            feed.nothing_left();
            return Ok(false);
        };
        let topic = topic_number(feed.cursor.topic());
        feed.claimed(loaded.sequence);
        if self.marker.crashes(topic, loaded.sequence) >= CRASHES_MAX {
            self.set_crasher_aside(index, &loaded, now);
        } else if let Plain::Unreadable(why) = &loaded.body {
            self.set_unreadable_aside(index, &loaded, why, now);
        } else {
            self.pack_entry(index, loaded, now);
        }
        Ok(true)
    }

    fn pack_entry(&mut self, index: usize, loaded: Loaded, now: Now) {
        let Loaded { sequence, header, body } = loaded;
        if let Plain::Stream(plain) = body {
            let reader = Pieces::stream(header.kind, plain);
            let open = OpenEntry { sequence, header, reader, record: 0, ordinal: 0 };
            self.open = Some((index, open));
            return;
        }
        let Some(feed) = self.feeds.get(index) else { return };
        self.marker.begin(topic_number(feed.cursor.topic()), sequence);
        let loaded = Loaded { sequence, header, body };
        let (body, walked) = self.pack_pieces(index, loaded, NO_END, u32::MAX, now);
        debug_assert!(walked.is_ok(), "a body in memory can be read");
        let Some(feed) = self.feeds.get(index) else { return };
        if let Plain::Whole(plain) | Plain::Records(plain) = body {
            feed.give_back(plain);
        }
        self.marker.end(topic_number(feed.cursor.topic()), sequence);
    }

    /// All records of an entry into the open parcel, as far as they can be read.
    pub(crate) fn pack_pieces(
        &mut self,
        index: usize,
        loaded: Loaded,
        until: Position,
        points_max: u32,
        now: Now,
    ) -> (Plain, Result<(), String>) {
        let Loaded { sequence, header, mut body } = loaded;
        let Some(feed) = self.feeds.get(index) else { return (body, Ok(())) };
        let place = Place {
            stream: &self.config.name,
            topic: feed.cursor.topic(),
            sequence,
            header: &header,
        };
        let scope = Scope { skips: &feed.skips, until, points_max, now_ms: now.wall_ms };
        let (packing, decoder) = (&mut self.packing, &mut self.decoder);
        let (mut ordinal, mut over) = (0, false);
        let walked = body.each_record(header.kind, &mut self.record, &mut |record, piece| {
            over = place.at(ordinal) >= until;
            if over {
                return Err("nothing behind this is wanted".to_owned());
            }
            packing.piece(decoder, &place, (record, piece), &mut ordinal, &scope);
            Ok(())
        });
        (body, if over { Ok(()) } else { walked })
    }

    /// The next record of the entry that is read as a stream. A failed read closes it, to be opened again.
    fn pack_open_record(&mut self, now: Now) -> Result<(), String> {
        let Some((index, mut open)) = self.open.take() else { return Ok(()) };
        let Some(feed) = self.feeds.get(index) else { return Ok(()) };
        let place = Place {
            stream: &self.config.name,
            topic: feed.cursor.topic(),
            sequence: open.sequence,
            header: &open.header,
        };
        let scope =
            Scope { skips: &feed.skips, until: NO_END, points_max: u32::MAX, now_ms: now.wall_ms };
        let (packing, decoder) = (&mut self.packing, &mut self.decoder);
        let topic = topic_number(feed.cursor.topic());
        self.marker.begin(topic, open.sequence);
        let more = match open.reader.next_piece(&mut self.record) {
            None => false,
            Some((Err(Broken { reason: UNREAD, detail, .. }), _)) => {
                self.marker.pause();
                let here = Position { sequence: open.sequence, ordinal: open.ordinal };
                self.packing.close(here);
                if let Some(feed) = self.feeds.get_mut(index) {
                    feed.reopen(here);
                }
                return Err(detail);
            }
            Some((piece, last)) => {
                packing.piece(decoder, &place, (open.record, piece), &mut open.ordinal, &scope);
                open.record += 1;
                !last
            }
        };
        if more {
            self.marker.pause();
            self.open = Some((index, open));
        } else {
            self.marker.end(topic, open.sequence);
        }
        Ok(())
    }

    /// Hands closed parcels to dispatch; one that needs no request is finished at once.
    pub(crate) fn collect(&mut self) {
        let ready: Vec<_> = self.packing.take_ready().collect();
        for parcel in ready {
            if parcel.payload.is_some() {
                self.dispatch.push(parcel);
            } else {
                self.finish(parcel);
            }
        }
    }

    /// Nothing will mend it: it is told, and what is left of it kept.
    pub(crate) fn set_unreadable_aside(
        &mut self,
        index: usize,
        loaded: &Loaded,
        why: &str,
        now: Now,
    ) {
        let (sequence, header) = (loaded.sequence, &loaded.header);
        let Some(feed) = self.feeds.get(index) else { return };
        let place =
            Place { stream: &self.config.name, topic: feed.cursor.topic(), sequence, header };
        let behind = Position { sequence: sequence + 1, ordinal: 0 };
        if without((place.at(0), behind), &feed.skips).is_empty() {
            return;
        }
        let detail = keep_raw(&self.quarantine, feed, (sequence, header), why);
        tracing::error!(
            stream = place.stream,
            sequence,
            detail,
            "entry cannot be read, quarantined"
        );
        let scope = Scope { skips: &[], until: NO_END, points_max: u32::MAX, now_ms: now.wall_ms };
        let piece = Err(Broken { reason: UNREADABLE, detail, bytes: &[] });
        self.packing.piece(&mut self.decoder, &place, (0, piece), &mut 0, &scope);
    }

    fn set_crasher_aside(&mut self, index: usize, loaded: &Loaded, now: Now) {
        let sequence = loaded.sequence;
        tracing::error!(stream = %self.config.name, sequence, "entry crashed the process three times");
        let Some(feed) = self.feeds.get(index) else { return };
        let bytes = feed.raw(sequence).unwrap_or_default();
        let place = Place {
            stream: &self.config.name,
            topic: feed.cursor.topic(),
            sequence,
            header: &loaded.header,
        };
        let scope =
            Scope { skips: &feed.skips, until: NO_END, points_max: u32::MAX, now_ms: now.wall_ms };
        let detail = "decoding it ended the process three times".to_owned();
        let piece = Err(Broken { reason: CRASHED, detail, bytes: &bytes });
        // It stays suspect: a restart before this is settled must not decode it again.
        self.packing.piece(&mut self.decoder, &place, (0, piece), &mut 0, &scope);
    }
}

/// Keeps as much of a body as can be read, whatever it is good for; says why that is not all, and what is lost.
pub(crate) fn keep_raw(
    quarantine: &Quarantine,
    feed: &Feed,
    (sequence, header): (u64, &Header),
    error: &str,
) -> String {
    let name = format!("{}-{sequence:016}.body", feed.cursor.topic());
    let kept = feed
        .raw_reader(sequence)
        .map_or_else(|| "nothing of it can be read".to_owned(), |raw| quarantine.keep(&name, raw));
    let Header { records, request_id, .. } = header;
    format!("{error}; {kept}; it held {records} records of request {request_id}")
}

/// A number for a topic that is the same in every process.
pub(crate) fn topic_number(topic: &str) -> u64 {
    let mut hash = codec::checksum::Hasher128::new();
    hash.update(topic.as_bytes());
    // The low half is as good as the whole for a handful of names.
    u64::try_from(hash.digest() & u128::from(u64::MAX)).unwrap_or(0)
}
