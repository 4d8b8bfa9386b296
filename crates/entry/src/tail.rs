//! The last bodies, as records ready to be read, shared by the streams that read at the head of the
//! journal. A miss is no error: the journal has the bytes.
//!
//! Owns: the kept bodies, oldest out first, and a few spare buffers that bodies come from and go
//! back to, so that a steady flow of deliveries allocates nothing.
//!
//! Always: what is held is bounded by the size given, counted by capacity, plus [`SPARE_BYTES_MAX`].
//! The lock is held for pushes and lookups only, never while a body is copied or freed.
//!
//! Not here: inflating and decoding, and reading the journal on a miss; when a door waits for the
//! readers, see `pace`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

mod pace;
#[cfg(test)]
mod tests;

use pace::Readers;
pub use pace::{Reader, Room};

/// Most bodies kept, so that a flood of tiny ones does not make the index larger than they are.
const BODIES_MAX: usize = 4096;

/// Most spare buffers: one for each source and stream that could be at work at once.
const SPARE_MAX: usize = 8;

/// Most bytes in spare buffers. A delivery of 5 MiB of records is 7 MB of JSON: one such body at
/// work and one on the way fit.
const SPARE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A buffer this small is never worth shrinking before it is kept.
const SHRINK_MIN: usize = 64 * 1024;

/// Which entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TailKey {
    /// Topic.
    pub topic: Arc<str>,
    /// Sequence.
    pub sequence: u64,
}

/// A bounded cache of inflated bodies, oldest out first.
pub struct Tail {
    bytes_max: usize,
    kept: Mutex<Kept>,
    spare: Mutex<Spare>,
    /// A reader has gone on, or a door has not used its room.
    moved: Notify,
}

#[derive(Default)]
struct Kept {
    bodies: HashMap<TailKey, Arc<Vec<u8>>>,
    order: VecDeque<TailKey>,
    bytes: usize,
    readers: Readers,
}

#[derive(Default)]
struct Spare {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

impl Tail {
    /// A tail that holds at most `bytes` (0 turns it off).
    pub fn new(bytes: usize) -> Self {
        Self {
            bytes_max: bytes,
            kept: Mutex::default(),
            spare: Mutex::default(),
            moved: Notify::new(),
        }
    }

    /// Would a body of so many bytes be kept? One above a quarter of the tail is not.
    pub fn keeps(&self, bytes: usize) -> bool {
        bytes > 0 && bytes <= self.bytes_max / 4
    }

    /// Keeps a body: the records of an entry, as [`crate::records`] has them.
    pub fn put(&self, key: TailKey, mut plain: Vec<u8>) {
        if !self.keeps(plain.len()) {
            return self.give_back(plain);
        }
        // A small body in the buffer of a large one would push out ten of its kind.
        if plain.capacity() / 2 > plain.len().max(SHRINK_MIN)
            || plain.capacity() > self.bytes_max / 4
        {
            plain.shrink_to_fit();
        }
        let evicted = locked(&self.kept).put(key, plain, self.bytes_max);
        for body in evicted {
            // A body that a stream still reads is freed by that stream.
            if let Ok(buffer) = Arc::try_unwrap(body) {
                self.give_back(buffer);
            }
        }
    }

    /// A kept body, for one who only looks.
    pub fn get(&self, key: &TailKey) -> Option<Arc<Vec<u8>>> {
        locked(&self.kept).bodies.get(key).cloned()
    }

    /// An empty buffer to inflate into, from those given back (or new).
    pub fn buffer(&self) -> Vec<u8> {
        let mut buffer = self.stale_buffer();
        buffer.clear();
        buffer
    }

    /// Like [`Tail::buffer`], but still holding old bytes. For `codec::gzip::Inflater::gunzip`,
    /// which replaces them and need not zero what is already there.
    pub fn stale_buffer(&self) -> Vec<u8> {
        locked(&self.spare).take()
    }

    /// Gives a buffer back for reuse.
    pub fn give_back(&self, buffer: Vec<u8>) {
        // What does not fit is freed here, after the lock.
        let _refused = locked(&self.spare).give_back(buffer);
    }

    /// Bytes held now in kept bodies.
    pub fn bytes(&self) -> usize {
        locked(&self.kept).bytes
    }

    /// Bytes held now in spare buffers.
    pub fn spare_bytes(&self) -> usize {
        locked(&self.spare).bytes
    }
}

impl Kept {
    /// Keeps a body; returns those that had to go.
    fn put(&mut self, key: TailKey, plain: Vec<u8>, bytes_max: usize) -> Vec<Arc<Vec<u8>>> {
        let mut gone = Vec::new();
        let size = plain.capacity();
        if self.bodies.contains_key(&key) {
            self.order.retain(|other| *other != key);
            gone.extend(self.remove(&key));
        }
        while self.bytes + size > bytes_max || self.order.len() >= BODIES_MAX {
            let Some(oldest) = self.order.pop_front() else { break };
            gone.extend(self.remove(&oldest));
        }
        self.bytes += size;
        self.order.push_back(key.clone());
        self.bodies.insert(key, Arc::new(plain));
        gone
    }

    /// Everybody has read it.
    fn forget(&mut self, key: &TailKey) -> Option<Arc<Vec<u8>>> {
        self.order.retain(|other| other != key);
        self.remove(key)
    }

    fn remove(&mut self, key: &TailKey) -> Option<Arc<Vec<u8>>> {
        let body = self.bodies.remove(key)?;
        self.bytes -= body.capacity();
        Some(body)
    }
}

impl Spare {
    fn take(&mut self) -> Vec<u8> {
        let buffer = self.buffers.pop().unwrap_or_default();
        self.bytes -= buffer.capacity();
        buffer
    }

    /// Takes a buffer, or returns it when there are enough.
    fn give_back(&mut self, buffer: Vec<u8>) -> Option<Vec<u8>> {
        let size = buffer.capacity();
        if size == 0 || self.buffers.len() >= SPARE_MAX || self.bytes + size > SPARE_BYTES_MAX {
            return Some(buffer);
        }
        self.bytes += size;
        self.buffers.push(buffer);
        None
    }
}

/// A panic elsewhere leaves bodies and counts in step: each method changes both or neither.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
