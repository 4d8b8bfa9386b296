//! The queue between those who append and the writer thread.
//!
//! Bounded in bytes; who finds it full is told at once and never waits, since appends come from async threads.
//! The writer takes all that waits, up to one commit, and sleeps otherwise.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::item::{Appended, Body, Item, Refused};
use crate::locked;

/// Most bytes that wait. The door lets 32 MiB in at once; twice that leaves room for those inside.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What an item costs at least: its own bookkeeping. Bounds the number that wait to 65,536.
const COST_MIN: u64 = 1024;

/// Told to who appended, once.
pub(crate) type Done = Box<dyn FnOnce(Result<Appended, Refused>) + Send>;

/// An item that waits for the writer.
pub(crate) struct Waiting {
    pub(crate) item: Item,
    pub(crate) done: Done,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.item.fmt(formatter)
    }
}

impl Waiting {
    fn cost(&self) -> u64 {
        let body = match &self.item.body {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Side(_) => 0,
        };
        (body + self.item.head.len() as u64).max(COST_MIN)
    }
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    queue: Mutex<Queue>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: u64,
    closing: bool,
    /// Since when the writer is at what it took; `None` while it waits.
    busy_since: Option<Instant>,
    /// The writer was told that nobody needs what lies before this sequence.
    rest: Option<u64>,
}

/// What the writer gets.
#[derive(Debug)]
pub(crate) enum Taken {
    /// At least one.
    Items(Vec<Waiting>),
    /// The deadline came first.
    Deadline,
    /// Nobody needs what lies before this sequence, and nothing is expected.
    Rest(u64),
    /// Closed and empty.
    Closed,
}

impl Inbox {
    /// Queues an item, or answers it at once.
    pub(crate) fn put(&self, waiting: Waiting) {
        let cost = waiting.cost();
        let mut queue = locked(&self.queue);
        let refused = if queue.closing {
            Refused::Closing
        } else if queue.bytes + cost > BYTES_MAX && !queue.waiting.is_empty() {
            let holder = "appends that wait for the disk".to_owned();
            Refused::Full { used: queue.bytes, limit: BYTES_MAX, holder }
        } else {
            queue.bytes += cost;
            queue.waiting.push_back(waiting);
            drop(queue);
            self.filled.notify_one();
            return;
        };
        drop(queue);
        (waiting.done)(Err(refused));
    }

    /// Waits for items; takes what is there, as many as `bytes_max` allows and at least one.
    pub(crate) fn take(&self, bytes_max: u64, deadline: Option<Instant>) -> Taken {
        let mut queue = locked(&self.queue);
        queue.busy_since = None;
        while queue.waiting.is_empty() {
            if queue.closing {
                return Taken::Closed;
            }
            if let Some(end) = queue.rest.take() {
                queue.busy_since = Some(Instant::now());
                return Taken::Rest(end);
            }
            let Some(deadline) = deadline else {
                queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                queue.busy_since = Some(Instant::now());
                return Taken::Deadline;
            }
            let waited = self.filled.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut items = Vec::new();
        let mut bytes = 0;
        while let Some(next) = queue.waiting.front() {
            let cost = next.cost();
            if !items.is_empty() && bytes + cost > bytes_max {
                break;
            }
            bytes += cost;
            items.extend(queue.waiting.pop_front());
        }
        queue.bytes = queue.bytes.saturating_sub(bytes);
        queue.busy_since = Some(Instant::now());
        Taken::Items(items)
    }

    /// Tells the writer, once it has nothing to do, that nobody needs what lies before `end`.
    pub(crate) fn rest(&self, end: u64) {
        locked(&self.queue).rest = Some(end);
        self.filled.notify_all();
    }

    /// Takes nothing more; what waits is still written.
    pub(crate) fn close(&self) {
        locked(&self.queue).closing = true;
        self.filled.notify_all();
    }

    /// How long the writer has been at what it took last; zero while it waits for more.
    pub(crate) fn busy_for(&self) -> Duration {
        locked(&self.queue).busy_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// True once `close` was called.
    pub(crate) fn closing(&self) -> bool {
        locked(&self.queue).closing
    }

    /// Refuses all that waits: the writer is gone.
    pub(crate) fn refuse_rest(&self) {
        self.close();
        let rest = std::mem::take(&mut locked(&self.queue).waiting);
        for waiting in rest {
            (waiting.done)(Err(Refused::Closing));
        }
    }
}
