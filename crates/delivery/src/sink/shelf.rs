//! Memory of request bodies, which comes back when a body has been sent.
//!
//! A body of some hundred kilobytes is more than the allocator keeps at hand: made anew for every
//! request, its pages are mapped and zeroed each time, which cost a fifth of a path. A shelf
//! belongs to one packer; bodies may outlive it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Buffers on a shelf and their bytes, at most. As many as a stream has requests in flight, by default
/// and a little more; two plain requests of the default size fit.
const FEW_LARGE: (usize, usize) = (4, 8 << 20);

/// Or, when they are small, as many as one delivery of 1 MiB gives requests: these come back together,
/// and with four of them kept, nearly every body of remote write was made of fresh pages.
const MANY_SMALL: (usize, usize) = (16, 2 << 20);

/// Empty buffers, waiting.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<Vec<Vec<u8>>>>);

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A buffer of any length and content, to be overwritten.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.lock().pop().unwrap_or_default()
    }

    /// A body that puts its memory on this shelf when the last handle on it is gone.
    pub(crate) fn body(&self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Body { bytes, shelf: self.clone() })
    }

    fn put(&self, buffer: Vec<u8>) {
        let mut shelf = self.lock();
        let held: usize = shelf.iter().map(Vec::capacity).sum();
        let (count, bytes) = (shelf.len() + 1, held + buffer.capacity());
        if [FEW_LARGE, MANY_SMALL].iter().any(|most| count <= most.0 && bytes <= most.1) {
            shelf.push(buffer);
        }
    }
}

struct Body {
    bytes: Vec<u8>,
    shelf: Shelf,
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.shelf.put(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests;
