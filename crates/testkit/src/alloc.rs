//! Counts allocations, per thread and in all, so that a test can say "none per metric".
//!
//! Owns two counters per thread and two for the process. Use it in a test file of its own:
//! `#[global_allocator] static ALLOC: testkit::alloc::Counting = testkit::alloc::Counting;`
//! It frees and allocates through the system allocator and changes nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

static ALL_ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static ALL_BYTES: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

/// The system allocator, counting.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counting;

fn count(bytes: usize) {
    ALL_ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    ALL_BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
    // At thread exit the counters may be gone; what is allocated then belongs to no measurement.
    ALLOCATIONS.try_with(|n| n.set(n.get() + 1)).ok();
    BYTES.try_with(|n| n.set(n.get() + bytes as u64)).ok();
}

#[expect(
    unsafe_code,
    reason = "GlobalAlloc is an unsafe trait; each call goes to System unchanged"
)]
// SAFETY: every method passes its arguments to `System`, which upholds the contract of the trait.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promises are passed on as they are.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

/// Allocations (growing in place counts as one) and bytes asked for by this thread while `work` ran.
/// Both are 0 unless [`Counting`] is the global allocator.
pub fn counted(work: impl FnOnce()) -> (u64, u64) {
    let before = (ALLOCATIONS.get(), BYTES.get());
    work();
    (ALLOCATIONS.get() - before.0, BYTES.get() - before.1)
}

/// Allocations and bytes of all threads since the process began; the difference of two looks tells
/// what a server on other threads has allocated, along with all else that ran.
pub fn total() -> (u64, u64) {
    (ALL_ALLOCATIONS.load(Ordering::Relaxed), ALL_BYTES.load(Ordering::Relaxed))
}
