//! Who reads, who reads along, and how long a door waits for them.
//!
//! A body that all readers of its topic have read leaves the tail at once, and its buffer is used for
//! the next one while the processor's caches still hold it.
//!
//! A door takes bodies in three times as fast as a stream packs them. Unchecked, a burst pushes each
//! body out of the tail before it is read, and every one of them is inflated twice: a fifth of the
//! processor's time. So while a stream is at work on what the tail holds, a door that would push out
//! what it has not read waits for it.
//!
//! Always: a door waits only for a reader that found its last body here and has not paused. One that
//! is behind in the journal, whose destination is down or that gathers for a while keeps nobody. No
//! door waits longer than [`WAIT_MAX`], and for one that stands still only the first door does.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Kept, Tail, TailKey, locked};

/// A reader packs a body of 1 MiB in 10 ms; with a hundred times that, something else is wrong, and
/// the sender should not have to wait for it.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// The readers, and the room that doors were given.
#[derive(Default)]
pub(super) struct Readers {
    all: Vec<Place>,
    made: u64,
    promised: usize,
}

/// Where a reader is.
struct Place {
    reader: u64,
    topic: Arc<str>,
    next: u64,
    along: bool,
    moved_at: Instant,
}

/// One stream's view of the bodies of a topic.
pub struct Reader {
    tail: Arc<Tail>,
    id: u64,
    along: bool,
}

/// Room for a body in the tail, until it is there.
pub struct Room {
    tail: Arc<Tail>,
    bytes: usize,
}

impl Reader {
    /// A reader of `topic` that reads on from `next`.
    pub fn new(tail: Arc<Tail>, topic: &Arc<str>, next: u64) -> Reader {
        let mut kept = locked(&tail.kept);
        let readers = &mut kept.readers;
        readers.made += 1;
        let id = readers.made;
        let (topic, moved_at) = (Arc::clone(topic), Instant::now());
        readers.all.push(Place { reader: id, topic, next, along: false, moved_at });
        drop(kept);
        Reader { tail, id, along: false }
    }

    /// What it reads from.
    pub fn tail(&self) -> &Arc<Tail> {
        &self.tail
    }

    /// A kept body. With it the reader reads along, until it pauses or finds nothing.
    pub fn get(&mut self, key: &TailKey) -> Option<Arc<Vec<u8>>> {
        let mut kept = locked(&self.tail.kept);
        let found = kept.bodies.get(key).cloned();
        self.along = found.is_some();
        kept.readers.moves(self.id, key.sequence + 1, self.along);
        // Not freed under the lock: it is in `found`.
        kept.forget_unwanted(key);
        drop(kept);
        self.tail.moved.notify_waiters();
        found
    }

    /// It has no use for a body, and reads on behind it as it did.
    pub fn pass(&mut self, key: &TailKey) {
        let mut kept = locked(&self.tail.kept);
        kept.readers.moves(self.id, key.sequence + 1, self.along);
        let unwanted = kept.forget_unwanted(key);
        drop(kept);
        if let Some(buffer) = unwanted.and_then(Arc::into_inner) {
            self.tail.give_back(buffer);
        }
        self.tail.moved.notify_waiters();
    }

    /// It reads on from `next`, which may be anywhere.
    pub fn seek(&mut self, next: u64) {
        locked(&self.tail.kept).readers.moves(self.id, next, false);
        self.along = false;
        self.tail.moved.notify_waiters();
    }

    /// It waits for something that may take long.
    pub fn pause(&mut self) {
        if std::mem::take(&mut self.along) {
            if let Some(place) = locked(&self.tail.kept).readers.place(self.id) {
                place.along = false;
            }
            self.tail.moved.notify_waiters();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        locked(&self.tail.kept).readers.all.retain(|place| place.reader != self.id);
        self.tail.moved.notify_waiters();
    }
}

impl Readers {
    fn place(&mut self, reader: u64) -> Option<&mut Place> {
        self.all.iter_mut().find(|place| place.reader == reader)
    }

    fn moves(&mut self, reader: u64, next: u64, along: bool) {
        if let Some(place) = self.place(reader) {
            (place.next, place.along, place.moved_at) = (next, along, Instant::now());
        }
    }

    /// Nobody waits any more for those that have not moved since, until they do.
    fn leave_behind(&mut self, since: Instant) {
        for place in &mut self.all {
            place.along &= place.moved_at > since;
        }
    }
}

impl Place {
    fn wants(&self, key: &TailKey) -> bool {
        self.next <= key.sequence && self.topic == key.topic
    }
}

impl Kept {
    /// Forgets a body that nobody has still to read.
    fn forget_unwanted(&mut self, key: &TailKey) -> Option<Arc<Vec<u8>>> {
        let wanted = self.readers.all.iter().any(|place| place.wants(key));
        if wanted || !self.bodies.contains_key(key) { None } else { self.forget(key) }
    }

    /// Bytes that somebody who reads along has still to read.
    fn unread(&self) -> usize {
        let along = || self.readers.all.iter().filter(|place| place.along);
        let ahead = self.order.iter().filter(|key| along().any(|place| place.wants(key)));
        ahead.filter_map(|key| self.bodies.get(key)).map(|body| body.capacity()).sum()
    }

    fn has_room(&self, bytes: usize, bytes_max: usize) -> bool {
        !self.readers.all.iter().any(|place| place.along)
            || self.bytes + self.readers.promised + bytes <= bytes_max
            || self.unread() + self.readers.promised + bytes <= bytes_max
    }
}

impl Tail {
    /// Waits until `bytes` more push out nothing that is about to be read; not for ever.
    pub async fn room(self: &Arc<Self>, bytes: usize) -> Room {
        let begun = Instant::now();
        let deadline = begun + WAIT_MAX;
        // What is too large to be kept pushes out nothing.
        let bytes = if self.keeps(bytes) { bytes } else { 0 };
        loop {
            let mut moved = std::pin::pin!(self.moved.notified());
            // Before the look: what moves between the look and the wait must wake us.
            moved.as_mut().enable();
            let late = Instant::now() >= deadline;
            if let Some(room) = self.room_now(bytes, late.then_some(begun)) {
                if late {
                    // Who else waits for that reader need not either.
                    self.moved.notify_waiters();
                }
                return room;
            }
            timeout_at(deadline, moved).await.ok();
        }
    }

    /// Room, if there is some or it was waited for long enough: since `waited`.
    fn room_now(self: &Arc<Self>, bytes: usize, waited: Option<Instant>) -> Option<Room> {
        let mut kept = locked(&self.kept);
        if bytes > 0 && !kept.has_room(bytes, self.bytes_max) {
            kept.readers.leave_behind(waited?);
        }
        kept.readers.promised += bytes;
        Some(Room { tail: Arc::clone(self), bytes })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        locked(&self.tail.kept).readers.promised -= self.bytes;
        self.tail.moved.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
