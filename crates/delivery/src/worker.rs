//! The worker of one delivery stream: one thread that owns cursors, parcels, quarantine and backup.
//!
//! It waits for events, applies all that are there, then always does the same round: claim and pack,
//! send what is due, sweep what has run out of retries, tell how it stands. Only sends run elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use entry::Header;
use journal::{Position, Topic};
use metric::Decoder;

use crate::backup::Backup;
use crate::config::StreamConfig;
use crate::dispatch::{Dispatch, Failed};
use crate::feed::Feed;
use crate::marker::Marker;
use crate::pack::Packing;
use crate::parcel::Parcel;
use crate::pieces::Pieces;
use crate::place::{Failure, Place};
use crate::quarantine::Quarantine;
use crate::sink::Wire;
use crate::stats::Stats;
use crate::stream::FeedOpener;
use crate::time::{Clocks, Now};
use crate::verdict::{Named, Verdict, Why};

/// Cursors are synced this often, and the state is told.
const HOUSEKEEPING_MS: i64 = 1_000;
/// A backup or quarantine that failed is tried again this often.
pub(crate) const STORE_RETRY_MS: i64 = 5_000;

/// What a worker waits for.
pub(crate) enum Event {
    /// The journal has more.
    Committed,
    /// An attempt was answered.
    Answered { id: u64, verdict: Verdict, took: Duration },
    /// Drop everything up to the end; the answer is the number of points.
    DropBacklog(SyncSender<Result<u64, String>>),
    /// Read one more topic, unless it is read already.
    ReadReplay { topic: Topic, opener: FeedOpener, reply: SyncSender<Result<(), String>> },
    /// Finish what is in flight and end.
    Stop,
}

/// An entry that is read as a stream, between two records.
pub(crate) struct OpenEntry {
    pub sequence: u64,
    pub header: Header,
    pub reader: Pieces<'static>,
    pub record: u32,
    pub ordinal: u32,
}

pub(crate) struct Worker {
    pub config: StreamConfig,
    pub feeds: Vec<Feed>,
    pub open: Option<(usize, OpenEntry)>,
    pub packing: Packing,
    pub decoder: Decoder,
    pub record: Vec<u8>,
    pub dispatch: Dispatch,
    pub wire: Wire,
    pub backup: Backup,
    pub quarantine: Quarantine,
    pub marker: Marker,
    pub stats: Arc<Stats>,
    pub clocks: Clocks,
    pub runtime: tokio::runtime::Handle,
    pub inbox: SyncSender<Event>,
    pub woken: Arc<AtomicBool>,
    /// Parcels whose request is answered but whose set-aside lines could not be stored.
    pub stuck: Vec<Parcel>,
    /// Parcels that must go to backup, and why; they wait for the backup to work.
    pub failed: Vec<(Parcel, Failure)>,
    pub store_retry_ms: i64,
    /// The feed that fills first: the one after that which filled last, so that a backlog in one does
    /// not hold up the others.
    pub first_feed: usize,
    /// The journal could not be read: not before this.
    pub read_retry_ms: i64,
    pub backup_failed: bool,
    pub stopping: bool,
}

impl Worker {
    pub(crate) fn run(mut self, events: &Receiver<Event>) {
        let mut housekept = self.now().steady_ms;
        loop {
            self.wait(events, housekept);
            let now = self.now();
            if !self.stopping {
                self.store_again(now);
                self.sweep(now);
                self.fill(now);
                self.send_due(now);
            }
            if now.steady_ms - housekept >= HOUSEKEEPING_MS {
                self.housekeep();
                housekept = now.steady_ms;
            }
            if self.stopping && self.dispatch.in_flight() == 0 {
                break;
            }
        }
        self.housekeep();
        tracing::info!(stream = %self.config.name, "stream stopped");
    }

    pub(crate) fn now(&self) -> Now {
        self.clocks.now()
    }

    /// Waits for the first event or the next instant at which there is something to do; applies all.
    fn wait(&mut self, events: &Receiver<Event>, housekept: i64) {
        let now = self.now().steady_ms;
        let mut wake = housekept + HOUSEKEEPING_MS;
        if !self.stopping {
            wake = wake.min(self.dispatch.wake_ms().unwrap_or(i64::MAX));
            // Without room nothing is claimed, however long it has waited.
            for feed in self.feeds.iter().filter(|_| self.has_room() && now >= self.read_retry_ms) {
                wake = wake.min(feed.wake_ms().unwrap_or(i64::MAX));
            }
        }
        // More may be claimed at once: only look whether something has happened meanwhile.
        let pause = if self.may_claim() { 0 } else { u64::try_from(wake - now).unwrap_or(0) };
        let first = match events.recv_timeout(Duration::from_millis(pause)) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Event::Stop),
        };
        if let Some(event) = first {
            self.apply(event);
        }
        while let Ok(event) = events.try_recv() {
            self.apply(event);
        }
    }

    fn may_claim(&self) -> bool {
        !self.stopping
            && self.has_room()
            && self.now().steady_ms >= self.read_retry_ms
            && (self.open.is_some() || self.feeds.iter().any(Feed::claimable))
    }

    pub(crate) fn has_room(&self) -> bool {
        self.stuck.is_empty() && self.failed.is_empty() && self.dispatch.has_room()
    }

    /// Nothing holds it up but the processor and requests under way, so that a door may wait until it has
    /// read on (`entry::tail`).
    pub(crate) fn flows(&self) -> bool {
        self.stuck.is_empty()
            && self.failed.is_empty()
            && self.dispatch.outage().is_none()
            && self.config.buffering.interval.is_zero()
    }

    /// Nothing is claimed for a while, from any feed.
    pub(crate) fn pause(&mut self) {
        self.feeds.iter_mut().for_each(Feed::pause);
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Committed => self.woken.store(false, Ordering::Release),
            Event::Answered { id, verdict, took } => self.answered(id, verdict, took),
            Event::DropBacklog(reply) => {
                let dropped = self.drop_backlog();
                if reply.send(dropped).is_err() {
                    tracing::debug!(stream = %self.config.name, "nobody waits for the answer");
                }
            }
            Event::ReadReplay { topic, opener, reply } => {
                let known = self.feeds.iter().any(|feed| feed.cursor.topic() == topic.name());
                let read = if known {
                    Ok(())
                } else {
                    opener.open_replay(&topic).map(|feed| self.feeds.push(feed))
                };
                if reply.send(read).is_err() {
                    tracing::debug!(stream = %self.config.name, "nobody waits for the answer");
                }
            }
            Event::Stop => {
                self.stopping = true;
                self.pause();
            }
        }
    }

    fn send_due(&mut self, now: Now) {
        while let Some(parcel) = self.dispatch.due(now.steady_ms) {
            let (id, wire, inbox) = (parcel.id, self.wire.clone(), self.inbox.clone());
            parcel.released = self.feeds.get(parcel.feed).map_or(0, Feed::released);
            let Some(payload) = parcel.payload.clone() else { continue };
            self.stats.sent_bytes.fetch_add(payload.body.len() as u64, Ordering::Relaxed);
            self.runtime.spawn(async move {
                let begun = std::time::Instant::now();
                // In a task of its own: a panic there must not leave the parcel in flight for ever.
                let sent = tokio::spawn(async move { wire.send(&payload).await }).await;
                let verdict = sent.unwrap_or_else(|_| bug());
                let answer = Event::Answered { id, verdict, took: begun.elapsed() };
                // The inbox has room for every request that can be in flight; a closed one means
                // that the worker has ended, and its cursor tells what is not delivered.
                if inbox.try_send(answer).is_err() {
                    tracing::debug!("an answer came after its stream had ended");
                }
            });
        }
    }

    fn answered(&mut self, id: u64, verdict: Verdict, took: Duration) {
        let now = self.now();
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.stats.request_ms.fetch_add(took, Ordering::Relaxed);
        match verdict {
            Verdict::Delivered => self.delivered(id, now),
            Verdict::Partly { refused, lines, all_named, why } => {
                self.partly(id, refused, (&lines, all_named), &why, now);
            }
            Verdict::Later { after, loud, why } => self.later(id, after, loud, why, now),
            Verdict::TooLarge { why } => {
                self.stats.add_request("too_large");
                self.split(id, why, now);
            }
            Verdict::Divide { why } => {
                self.stats.add_request("refused");
                self.tell_refusal(&why);
                self.split(id, why, now);
            }
            Verdict::Never { why } => {
                self.stats.add_request("refused");
                self.tell_refusal(&why);
                self.recovered(now);
                if let Some(parcel) = self.dispatch.take(id) {
                    self.give_up(parcel, why, now);
                }
            }
        }
    }

    fn delivered(&mut self, id: u64, now: Now) {
        self.stats.add_request("delivered");
        self.recovered(now);
        let Some(parcel) = self.dispatch.take(id) else { return };
        let points = u64::from(parcel.points());
        self.stats.delivered.fetch_add(points, Ordering::Relaxed);
        self.finish(parcel);
    }

    fn partly(&mut self, id: u64, refused: u32, named: Named<'_>, why: &Why, now: Now) {
        self.stats.add_request("partly");
        self.tell_refusal(why);
        self.recovered(now);
        let Some(mut parcel) = self.dispatch.take(id) else { return };
        let refused = refused.min(parcel.points());
        let taken = u64::from(parcel.points() - refused);
        self.stats.delivered.fetch_add(taken, Ordering::Relaxed);
        self.keep_refused(&mut parcel, refused, named, why, now);
        self.finish(parcel);
    }

    /// The destination will never take these: their lines, or the whole request when it named too few.
    fn keep_refused(
        &self,
        parcel: &mut Parcel,
        refused: u32,
        (lines, all_named): Named<'_>,
        why: &Why,
        now: Now,
    ) {
        let Some(feed) = self.feeds.get(parcel.feed) else { return };
        // They are kept and counted also when the entry cannot say where it came from.
        let found = feed.header(parcel.from.sequence).ok().flatten().and_then(|(_, header)| header);
        let header = found.unwrap_or_else(crate::feed::nameless);
        let place = Place {
            stream: &self.config.name,
            topic: feed.cursor.topic(),
            sequence: parcel.from.sequence,
            header: &header,
        };
        let out = &mut parcel.aside.quarantine;
        for line in lines {
            place.refused_line(out, now.wall_ms, &line.text, ("refused", &line.why));
        }
        if let Some(payload) = parcel.payload.as_ref().filter(|_| !all_named) {
            let named = lines.len();
            let detail =
                format!("{named} of {refused} refused points named; request kept: {}", why.message);
            let item = (0, parcel.from.ordinal);
            place.raw_line(out, now.wall_ms, item, ("refused_request", &detail), &payload.body);
        }
        parcel.tally.quarantine("refused", u64::from(refused));
    }

    pub(crate) fn later(
        &mut self,
        id: u64,
        after: Option<Duration>,
        loud: bool,
        why: Why,
        now: Now,
    ) {
        self.stats.add_request("retried");
        let stream = self.config.name.clone();
        self.tell_refusal(&why);
        self.mark_tried(id);
        match self.dispatch.failed(id, after, loud, why.clone(), now.steady_ms) {
            Failed::Waits => {}
            Failed::OutageBegins if loud => {
                tracing::error!(
                    stream,
                    code = why.code,
                    reason = why.message,
                    "destination refuses us"
                );
            }
            Failed::OutageBegins => {
                tracing::warn!(
                    stream,
                    code = why.code,
                    reason = why.message,
                    "destination is down"
                );
            }
            Failed::Exhausted(parcel) => self.give_up(*parcel, why, now),
        }
    }

    /// What was released before a failed attempt has had its chance: none of what came later is given
    /// up before it is tried, however short the retry duration or long the buffering.
    fn mark_tried(&mut self, id: u64) {
        let Some((index, released)) = self.dispatch.tried(id) else { return };
        for (n, feed) in self.feeds.iter_mut().enumerate() {
            let released = if n == index { released } else { feed.released() };
            feed.failed_before(released);
        }
    }

    pub(crate) fn recovered(&mut self, now: Now) {
        if self.dispatch.succeeded(now.steady_ms) {
            tracing::info!(stream = %self.config.name, "destination is back");
        }
    }

    fn tell_refusal(&self, why: &Why) {
        let text = format!("{}: {}", why.code, why.message);
        self.stats.set_state(|s| s.last_refusal = Some(text));
    }

    /// Nothing more will be tried for this parcel: its records go to backup.
    pub(crate) fn give_up(&mut self, parcel: Parcel, why: Why, now: Now) {
        let stream = &self.config.name;
        let points = parcel.points();
        tracing::warn!(stream, points, code = why.code, reason = why.message, "goes to backup");
        let failure = Failure { why, attempts: parcel.attempts, ended_ms: now.wall_ms };
        self.failed.push((parcel, failure));
        if !self.backup_failed {
            self.store_retry_ms = 0;
        }
        self.store_again(now);
    }

    /// The request is answered (or there was none): store what was set aside, count, settle.
    pub(crate) fn finish(&mut self, parcel: Parcel) {
        if let Err(parcel) = self.try_finish(parcel) {
            self.stuck.push(*parcel);
            self.store_retry_ms = self.now().steady_ms + STORE_RETRY_MS;
        }
    }

    fn try_finish(&mut self, parcel: Parcel) -> Result<(), Box<Parcel>> {
        let Some(topic) = self.feeds.get(parcel.feed).map(|f| Arc::clone(f.cursor.topic())) else {
            return Ok(());
        };
        // The backup first: written again it replaces itself, the quarantine only grows.
        if !parcel.aside.backup.is_empty() {
            let lines = &parcel.aside.backup;
            let kept =
                self.backup.write_failed(&topic, parcel.from, parcel.arrival_ms, "old", lines);
            if let Err(error) = kept {
                self.tell_backup(Some(error));
                return Err(Box::new(parcel));
            }
        }
        if let Err(error) = self.quarantine.write(&parcel.aside.quarantine) {
            self.tell_quarantine(Some(error));
            return Err(Box::new(parcel));
        }
        self.stats.add_tally(self.packing.rules(), &parcel.tally);
        let newest = self.packing.newest_instant_ms();
        self.stats.newest_instant_ms.fetch_max(newest, Ordering::Relaxed);
        self.settle(parcel.feed, parcel.from, parcel.to);
        Ok(())
    }

    pub(crate) fn settle(&mut self, feed: usize, from: Position, to: Position) {
        let Some(feed) = self.feeds.get_mut(feed) else { return };
        if let Err(error) = feed.cursor.settle(from, to) {
            // The data is safe; only a crash now would deliver it a second time.
            tracing::error!(stream = %self.config.name, %error, "cursor not written");
        }
        self.stats.settled.notify_one();
    }

    /// Tries again what could not be stored.
    fn store_again(&mut self, now: Now) {
        if now.steady_ms < self.store_retry_ms || (self.stuck.is_empty() && self.failed.is_empty())
        {
            return;
        }
        for parcel in std::mem::take(&mut self.stuck) {
            self.finish(parcel);
        }
        for (parcel, failure) in std::mem::take(&mut self.failed) {
            if let Err(error) = self.back_up_parcel(&parcel, &failure, now) {
                self.tell_backup(Some(error));
                self.failed.push((parcel, failure));
                self.store_retry_ms = now.steady_ms + STORE_RETRY_MS;
            }
        }
        if self.stuck.is_empty() && self.failed.is_empty() {
            self.tell_backup(None);
            self.tell_quarantine(None);
        }
    }

    pub(crate) fn tell_backup(&mut self, failure: Option<String>) {
        let known = std::mem::replace(&mut self.backup_failed, failure.is_some());
        // Once, not at every try: status tells how it stands.
        if let Some(error) = failure.as_ref().filter(|_| !known) {
            tracing::error!(stream = %self.config.name, error, "backup failed, the stream waits");
        }
        self.stats.set_state(|s| s.backup_failure = failure);
    }

    fn tell_quarantine(&self, failure: Option<String>) {
        if let Some(error) = &failure {
            tracing::error!(stream = %self.config.name, error, "quarantine failed, the stream waits");
        }
        self.stats.set_state(|s| s.quarantine_failure = failure);
    }
}

/// The verdict on a request that could not even be made.
fn bug() -> Verdict {
    let message = "sending ended in a panic: this is a bug".to_owned();
    Verdict::Later { after: None, loud: true, why: Why { code: "Hydrant.Bug", message } }
}
