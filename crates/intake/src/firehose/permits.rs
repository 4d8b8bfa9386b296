//! How much memory deliveries may hold, for the whole process, and the buffers they hold it in.
//!
//! Owns three budgets: bodies as received, bodies inflated, and bodies that are spooled. Large and slow
//! uploads have the last to themselves, so that they never keep a small delivery waiting. The first is
//! asked for before the second and a holder of the second asks for nothing, so nobody waits in a
//! circle. Those who ask are served in turn; what is asked beyond a whole budget gets all of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use codec::gzip::Inflater;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits are counted in KiB, since a semaphore hands out at most 2^32 of them at once.
const UNIT: usize = 1024;
/// Buffers kept for the next body: one per worker and one on its way in.
const SPARE_BUFFERS: usize = 4;
/// Bytes in them, at most.
const SPARE_BYTES: usize = 8 * 1024 * 1024;

/// The process's memory for deliveries.
#[derive(Debug)]
pub struct Permits {
    wire: Budget,
    plain: Budget,
    spool: Budget,
    workers: Arc<Semaphore>,
    spare: Mutex<Spare>,
}

#[derive(Debug)]
struct Budget {
    free: Arc<Semaphore>,
    units: usize,
}

#[derive(Default)]
struct Spare {
    buffers: Vec<Vec<u8>>,
    /// Each with the last small body that it inflated.
    inflaters: Vec<(Inflater, Vec<u8>)>,
}

impl std::fmt::Debug for Spare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spare").field("buffers", &self.buffers.len()).finish_non_exhaustive()
    }
}

/// A share of a budget, given back on drop.
#[derive(Debug)]
pub struct Permit(OwnedSemaphorePermit);

impl Permit {
    /// Gives back all but `bytes`.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let units = bytes.div_ceil(UNIT).max(1);
        let Some(unused) = self.0.num_permits().checked_sub(units) else { return };
        drop(self.0.split(unused));
    }
}

impl Budget {
    fn new(bytes: usize) -> Budget {
        let units = (bytes / UNIT).clamp(1, u32::MAX as usize);
        Budget { free: Arc::new(Semaphore::new(units)), units }
    }
    async fn take(&self, bytes: usize, wait: Duration) -> Option<Permit> {
        let units = bytes.div_ceil(UNIT).clamp(1, self.units);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let taken = Arc::clone(&self.free).acquire_many_owned(units);
        tokio::time::timeout(wait, taken).await.ok()?.ok().map(Permit)
    }
}

impl Permits {
    /// `bytes` in flight: three eighths as received, three eighths inflated, a quarter for spooling.
    pub fn new(bytes: usize) -> Permits {
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        Permits {
            wire: Budget::new(bytes / 8 * 3),
            plain: Budget::new(bytes / 8 * 3),
            spool: Budget::new(bytes / 4),
            workers: Arc::new(Semaphore::new(workers)),
            spare: Mutex::default(),
        }
    }
    /// Bytes that may be taken now, of all kinds.
    pub fn free_bytes(&self) -> usize {
        let budgets = [&self.wire, &self.plain, &self.spool];
        budgets.iter().map(|budget| budget.free.available_permits() * UNIT).sum()
    }
    /// A share for bytes as received; `None` when `wait` is over.
    pub async fn wire(&self, bytes: usize, wait: Duration) -> Option<Permit> {
        self.wire.take(bytes, wait).await
    }
    /// At least half of what bodies as received may hold is free.
    pub(crate) fn wire_is_easy(&self) -> bool {
        self.wire.free.available_permits() >= self.wire.units / 2
    }
    /// A share for inflated bytes; `None` when `wait` is over.
    pub async fn plain(&self, bytes: usize, wait: Duration) -> Option<Permit> {
        self.plain.take(bytes, wait).await
    }
    /// A share for a body that is spooled; `None` when `wait` is over.
    pub(crate) async fn spool(&self, bytes: usize, wait: Duration) -> Option<Permit> {
        self.spool.take(bytes, wait).await
    }
    /// A turn at the processor for one body: as many at a time as there are cores.
    pub async fn worker(&self) -> Option<Permit> {
        Arc::clone(&self.workers).acquire_owned().await.ok().map(Permit)
    }

    fn spare(&self) -> MutexGuard<'_, Spare> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// An empty buffer with room for `capacity` bytes.
    pub(crate) fn buffer(&self, capacity: usize) -> Vec<u8> {
        let mut spare = self.spare();
        let fits = |(_, buffer): &(usize, &Vec<u8>)| buffer.capacity() >= capacity;
        let sizes = spare.buffers.iter().enumerate().filter(fits);
        match sizes.min_by_key(|(_, buffer)| buffer.capacity()).map(|(at, _)| at) {
            Some(at) => spare.buffers.remove(at),
            None => Vec::with_capacity(capacity),
        }
    }
    fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut spare = self.spare();
        if spare.buffers.len() >= SPARE_BUFFERS {
            // The newest size is the likeliest to be asked for next.
            spare.buffers.remove(0);
        }
        let held: usize = spare.buffers.iter().map(Vec::capacity).sum();
        if held + buffer.capacity() <= SPARE_BYTES {
            spare.buffers.push(buffer);
        }
    }
    /// Runs `work` with an inflater that keeps its tables from body to body, and a buffer of its own
    /// for bodies that fit a processor's cache.
    pub fn inflating<T>(&self, work: impl FnOnce(&mut Inflater, &mut Vec<u8>) -> T) -> T {
        let kept = self.spare().inflaters.pop();
        let (mut inflater, mut buffer) = kept.unwrap_or_default();
        let done = work(&mut inflater, &mut buffer);
        // As many as there are workers, since each holds one at most.
        self.spare().inflaters.push((inflater, buffer));
        done
    }
    /// The body as it goes to the journal: buffer and share come back when the journal lets go of it.
    pub(crate) fn hold(self: &Arc<Self>, buffer: Vec<u8>, permit: Permit) -> Bytes {
        Bytes::from_owner(Held { buffer, permits: Arc::clone(self), _permit: permit })
    }
}

struct Held {
    buffer: Vec<u8>,
    permits: Arc<Permits>,
    _permit: Permit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.permits.give_back(std::mem::take(&mut self.buffer));
    }
}
