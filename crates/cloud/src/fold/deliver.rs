//! Windows on their way to delivery streams.
//!
//! Owns what of a waiting window is not appended yet. A stream that cannot be appended to now is
//! tried again later from its first entry; the keys make that harmless, and other streams do not
//! wait for it. Always: a window becomes kept only when every stream that still runs has it. Not
//! here: what an entry holds (`emit`).

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use journal::{Appended, Item, Refused, Topic};

use super::emit::{self, Sent};
use super::engine::Engine;
use super::select::Stream;
use super::store::{PENDING, WINDOW, Whole};

/// Entries of up to 2 MiB that are with the journal and not durable yet.
const IN_FLIGHT: usize = 8;

/// How long after a refusal it is tried again, milliseconds.
const AGAIN_MS: i64 = 1_000;

/// A window that some delivery streams have not taken yet.
pub(crate) struct Pending {
    pub(crate) whole: Whole,
    /// ARNs of streams that have it.
    done: BTreeSet<String>,
    /// Its file is called `<minute>.window` by now.
    renamed: bool,
}

impl Pending {
    pub(crate) fn new(whole: Whole) -> Pending {
        Pending { whole, done: BTreeSet::new(), renamed: false }
    }
}

/// Appends that are on their way.
struct Flight {
    told: SyncSender<Result<Appended, Refused>>,
    answers: Receiver<Result<Appended, Refused>>,
    waiting: usize,
}

impl Flight {
    fn new() -> Flight {
        let (told, answers) = sync_channel(IN_FLIGHT);
        Flight { told, answers, waiting: 0 }
    }

    fn append(&mut self, topic: &Topic, item: Item) -> io::Result<()> {
        if self.waiting == IN_FLIGHT {
            self.wait()?;
        }
        let told = self.told.clone();
        let done = move |outcome| {
            // It has room for every answer; nobody waits for the others after a refusal.
            told.send(outcome).ok();
        };
        topic.append(item, Box::new(done));
        self.waiting += 1;
        Ok(())
    }

    fn wait(&mut self) -> io::Result<()> {
        self.waiting -= 1;
        let answer = self.answers.recv().map_err(io::Error::other)?;
        answer.map(|_| ()).map_err(io::Error::other)
    }

    fn finish(mut self) -> io::Result<()> {
        while self.waiting > 0 {
            self.wait()?;
        }
        Ok(())
    }
}

impl Engine {
    /// Sends what waits; what every stream has becomes a kept window.
    pub(crate) fn deliver(&mut self, now_ms: i64) -> io::Result<()> {
        // A clock that was put back does not make it wait longer.
        let rests = now_ms < self.again_ms && self.again_ms <= now_ms.saturating_add(AGAIN_MS);
        if rests || self.pending.is_empty() {
            return Ok(());
        }
        let streams = std::mem::take(&mut self.streams);
        let mut pending = std::mem::take(&mut self.pending);
        let mut blocked = HashSet::new();
        let mut whole = Vec::new();
        for (minute_ms, pending) in &mut pending {
            if self.deliver_one(pending, &streams, now_ms, &mut blocked) {
                whole.push(*minute_ms);
            }
        }
        self.streams = streams;
        self.pending = pending;
        if !blocked.is_empty() {
            self.again_ms = now_ms + AGAIN_MS;
        }
        for minute_ms in &whole {
            if let Some(pending) = self.pending.get_mut(minute_ms).filter(|one| !one.renamed) {
                self.store.rename(*minute_ms, PENDING, WINDOW)?;
                pending.renamed = true;
            }
        }
        if !whole.is_empty() {
            self.store.sync()?;
        }
        for minute_ms in whole {
            if let Some(done) = self.pending.remove(&minute_ms) {
                self.store.show(&done.whole);
                self.counts.closed += 1;
            }
        }
        Ok(())
    }

    /// True when every stream has it.
    fn deliver_one(
        &mut self,
        pending: &mut Pending,
        streams: &[Stream],
        now_ms: i64,
        blocked: &mut HashSet<String>,
    ) -> bool {
        let mut all = true;
        for stream in streams {
            let ran = pending.whole.meta.streams.contains(&stream.arn);
            if !ran || pending.done.contains(&stream.arn) {
                continue;
            }
            if blocked.contains(stream.firehose_arn.as_str()) {
                all = false;
                continue;
            }
            match self.send(&pending.whole, stream, now_ms) {
                Ok(()) => {
                    pending.done.insert(stream.arn.clone());
                }
                Err(error) => {
                    let text = format!("metric stream {}: {error}", stream.name);
                    self.counts.failed(text);
                    blocked.insert(stream.firehose_arn.clone());
                    all = false;
                }
            }
        }
        all
    }

    fn send(&mut self, whole: &Whole, stream: &Stream, now_ms: i64) -> io::Result<()> {
        let meta = &whole.meta;
        let Some(target) = self.target(stream) else {
            return self.leave_out(whole, stream, now_ms);
        };
        let topic = self.topic_of(&target)?;
        let mut scan = self.store.pending(meta.minute_ms)?;
        let mut flight = Flight::new();
        let sent = emit::entries(&self.names, stream, meta, &mut scan, now_ms, |item| {
            flight.append(&topic, item)
        })?;
        flight.finish()?;
        if sent.updates > 0 {
            *self.counts.updates.entry(stream.arn.clone()).or_default() += sent.updates;
            self.tell_own(stream, whole, Ok(sent));
        }
        Ok(())
    }

    /// There is no delivery stream: what it would have got is counted, so that one that selects
    /// nothing of this window says nothing.
    fn leave_out(&mut self, whole: &Whole, stream: &Stream, now_ms: i64) -> io::Result<()> {
        let meta = &whole.meta;
        let mut scan = self.store.pending(meta.minute_ms)?;
        let unsent = emit::entries(&self.names, stream, meta, &mut scan, now_ms, |_| Ok(()))?;
        if unsent.updates > 0 {
            self.counts.failures += 1;
            *self.counts.unsent.entry(stream.arn.clone()).or_default() += unsent.updates;
            self.tell_own(stream, whole, Err(()));
        }
        Ok(())
    }

    /// The stream's own metrics. They are no accepted samples: what cannot be kept is only said.
    fn tell_own(&mut self, stream: &Stream, whole: &Whole, sent: Result<Sent, ()>) {
        let item = emit::own(&self.names, stream, &whole.meta, sent);
        let mut flight = Flight::new();
        let topic = self.topic.clone();
        if let Err(error) = flight.append(&topic, item).and_then(|()| flight.finish()) {
            self.counts.failed(format!("metrics of metric stream {}: {error}", stream.name));
        }
    }

    fn topic_of(&mut self, name: &str) -> io::Result<Topic> {
        if let Some(topic) = self.topics.get(name) {
            return Ok(topic.clone());
        }
        let topic = self.journal.topic(name).map_err(io::Error::other)?;
        self.topics.insert(name.to_owned(), topic.clone());
        Ok(topic)
    }
}
