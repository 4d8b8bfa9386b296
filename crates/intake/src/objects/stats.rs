//! Counters of an object source, and what it is doing. The source counts, others read.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::reason::Reason;
use crate::firehose::Counter;

/// What went wrong last, and what a person can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
    /// What happened, and where.
    pub text: String,
    /// What to do, when it is known.
    pub remedy: Option<String>,
}

/// What a source is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It has not begun.
    #[default]
    Starting,
    /// Objects are being read.
    Reading,
    /// There is nothing to read: it waits for messages, for new objects, or for the next look.
    Waiting,
    /// It cannot go on by itself: somebody refuses. It keeps trying.
    Refused(Trouble),
    /// All is read, and it was asked to read once.
    Done,
}

impl State {
    /// One word for `status` and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            State::Starting => "starting",
            State::Reading => "reading",
            State::Waiting => "waiting",
            State::Refused(_) => "refused",
            State::Done => "done",
        }
    }
}

/// Counters of an object source.
#[derive(Debug, Default)]
pub struct Stats {
    /// Objects read to their end, those among them in which something was set aside.
    pub objects: Counter,
    /// Objects that were known to be read, and not read again.
    pub known: Counter,
    /// Objects that could not be read now; they are tried again.
    pub put_off: Counter,
    /// Pieces cut from objects.
    pub pieces: Counter,
    /// Pieces stored as records.
    pub records: Counter,
    /// Pieces that the journal knew already.
    pub repeats: Counter,
    /// Pieces stored though their key was known, since their data differed.
    pub other_data: Counter,
    /// Bytes of objects, once inflated.
    pub bytes: Counter,
    /// Messages received from the queue.
    pub messages_received: Counter,
    /// Messages deleted: all they told of is durable or set aside.
    pub messages_deleted: Counter,
    /// Messages given back to the queue.
    pub messages_left: Counter,
    /// Times a message was kept hidden for longer.
    pub messages_extended: Counter,
    /// Messages that tell of no object; the queue's redrive policy has them.
    pub messages_unknown: Counter,
    /// `s3:TestEvent` messages.
    pub messages_test: Counter,
    /// Notices of a message that are not for us: removals, other prefixes, folders.
    pub ignored: Counter,
    /// Notices of another bucket.
    pub foreign: Counter,
    rejected: [Counter; Reason::ALL.len()],
    in_flight: AtomicU64,
    started: AtomicBool,
    done: AtomicBool,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    refused: Option<Trouble>,
    last: Option<Trouble>,
    /// Messages at work: id, and when they were sent.
    messages: Vec<(String, i64)>,
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// What the source is doing.
    pub state: State,
    /// Objects read to their end.
    pub objects: u64,
    /// Objects known to be read.
    pub known: u64,
    /// Times an object was put off.
    pub put_off: u64,
    /// Pieces cut.
    pub pieces: u64,
    /// Records stored.
    pub records: u64,
    /// Pieces known already.
    pub repeats: u64,
    /// Stored under a known key, with other data.
    pub other_data: u64,
    /// Bytes once inflated.
    pub bytes: u64,
    /// Parts of objects set aside, by reason, those that happened.
    pub rejected: Vec<(&'static str, u64)>,
    /// Objects being read.
    pub in_flight: u64,
    /// Messages received.
    pub messages_received: u64,
    /// Messages deleted.
    pub messages_deleted: u64,
    /// Messages given back.
    pub messages_left: u64,
    /// Extensions.
    pub messages_extended: u64,
    /// Messages not understood.
    pub messages_unknown: u64,
    /// Test events.
    pub messages_test: u64,
    /// Notices not for us.
    pub ignored: u64,
    /// Notices of another bucket.
    pub foreign: u64,
    /// When the oldest message at work was sent, milliseconds since the epoch.
    pub oldest_message_ms: Option<i64>,
    /// What went wrong last, also when it has passed.
    pub last_failure: Option<Trouble>,
}

impl Stats {
    /// All of them now. Each is right; together they may be one object apart.
    pub fn snapshot(&self) -> Snapshot {
        let reasons = Reason::ALL.into_iter().map(|reason| (reason.code(), self.rejected(reason)));
        let (oldest_message_ms, last_failure) = {
            let now = self.now();
            (now.messages.iter().map(|(_, sent)| *sent).min(), now.last.clone())
        };
        Snapshot {
            state: self.state(),
            objects: self.objects.get(),
            known: self.known.get(),
            put_off: self.put_off.get(),
            pieces: self.pieces.get(),
            records: self.records.get(),
            repeats: self.repeats.get(),
            other_data: self.other_data.get(),
            bytes: self.bytes.get(),
            rejected: reasons.filter(|(_, count)| *count > 0).collect(),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            messages_received: self.messages_received.get(),
            messages_deleted: self.messages_deleted.get(),
            messages_left: self.messages_left.get(),
            messages_extended: self.messages_extended.get(),
            messages_unknown: self.messages_unknown.get(),
            messages_test: self.messages_test.get(),
            ignored: self.ignored.get(),
            foreign: self.foreign.get(),
            oldest_message_ms,
            last_failure,
        }
    }

    /// What the source is doing.
    pub fn state(&self) -> State {
        if self.is_done() {
            return State::Done;
        }
        if let Some(trouble) = &self.now().refused {
            return State::Refused(trouble.clone());
        }
        match (self.in_flight.load(Ordering::Relaxed), self.started.load(Ordering::Relaxed)) {
            (1.., _) => State::Reading,
            (_, true) => State::Waiting,
            _ => State::Starting,
        }
    }

    /// True when the source was asked to read once, and has.
    pub fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// How often something was set aside for this reason.
    pub fn rejected(&self, reason: Reason) -> u64 {
        self.rejected.get(reason.index()).map_or(0, Counter::get)
    }

    pub(crate) fn reject(&self, reason: Reason) {
        if let Some(counter) = self.rejected.get(reason.index()) {
            counter.add(1);
        }
    }

    pub(crate) fn started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    pub(crate) fn done(&self) {
        self.done.store(true, Ordering::Release);
    }

    /// Counts an object as being read until the value is dropped.
    pub(crate) fn reading(&self) -> Reading<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Reading(self)
    }

    /// Something is refused until [`Stats::clear`].
    pub(crate) fn refuse(&self, trouble: Trouble) {
        let mut now = self.now();
        now.last = Some(trouble.clone());
        now.refused = Some(trouble);
    }

    /// Nothing is refused any more.
    pub(crate) fn clear(&self) {
        self.now().refused = None;
    }

    pub(crate) fn message_begins(&self, id: &str, sent_ms: i64) {
        self.now().messages.push((id.to_owned(), sent_ms));
    }

    pub(crate) fn message_ends(&self, id: &str) {
        let mut now = self.now();
        if let Some(at) = now.messages.iter().position(|(known, _)| known == id) {
            now.messages.swap_remove(at);
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An object being read.
pub(crate) struct Reading<'a>(&'a Stats);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
