//! Large buffers, close together in huge pages.
//!
//! Deliveries, their records and requests are megabytes that are written once and read once. In
//! pages of 4 KiB each of these costs a walk through the page tables, and on a virtual machine, when
//! the page was last used some while ago, a good deal more: 3 MiB took 28 ms to write after a pause of
//! 650 ms, and 0.5 ms in huge pages. So buffers from 128 KiB on come from one region of addresses,
//! for which huge pages are asked for; what the system does not want to give stays as it was.
//!
//! Always: a buffer belongs to one owner, and memory of buffers that were freed goes back to the
//! system, but for a few blocks. When the region is full, or the system has no addresses to give,
//! buffers come from where all else comes from.
#![expect(unsafe_code, reason = "the trait of allocators is unsafe, as are calls for memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::units::{BLOCK, BLOCKS, UNIT, Units};

/// Buffers from this size on; below it the C library's arenas are denser.
const LARGE: usize = 2 * UNIT;

/// The size of pages of which 512, one page of their table, make a huge one of [`BLOCK`] bytes.
const PAGE: libc::c_long = 4096;

/// The allocator of the process: large buffers from the region, all else from the system's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Buffers;

static UNITS: Mutex<Units> = Mutex::new(Units::new());
static REGION: OnceLock<Region> = OnceLock::new();

/// Where the region begins; null when there is none.
struct Region(*mut u8);

// SAFETY: it is an address. Who may use what lies there is told by `UNITS`.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// Asks for addresses; memory comes with use.
    fn map() -> Region {
        let (protection, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
        );
        // SAFETY: a new mapping, wherever the system likes; nothing that exists is touched.
        let begin =
            unsafe { libc::mmap(ptr::null_mut(), (BLOCKS + 1) * BLOCK, protection, flags, -1, 0) };
        if begin == libc::MAP_FAILED {
            return Region(ptr::null_mut());
        }
        let begin = begin.cast::<u8>();
        // SAFETY: less than a block, and one more than are used was asked for.
        let begin = unsafe { begin.add(begin.addr().next_multiple_of(BLOCK) - begin.addr()) };
        // SAFETY: it only tells a number.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        // With larger pages (some kernels on ARM) a huge one has 32 MiB, or as much as the region.
        let advice = if page == PAGE { libc::MADV_HUGEPAGE } else { libc::MADV_NOHUGEPAGE };
        // SAFETY: the range lies in the mapping; the advice changes no content. Refused, it changes
        // nothing.
        unsafe { libc::madvise(begin.cast(), BLOCKS * BLOCK, advice) };
        Region(begin)
    }

    /// The first unit of a buffer; `None` when it does not lie here.
    fn unit(&self, buffer: *mut u8) -> Option<usize> {
        let offset = buffer.addr().checked_sub(self.0.addr())?;
        (!self.0.is_null() && offset < BLOCKS * BLOCK).then_some(offset / UNIT)
    }

    /// A buffer for `bytes`, holding anything; null when there is no room.
    fn take(&self, bytes: usize) -> *mut u8 {
        let first = if self.0.is_null() { None } else { units().take(bytes.div_ceil(UNIT)) };
        match first {
            // SAFETY: units are numbered within the region.
            Some(first) => unsafe { self.0.add(first * UNIT) },
            None => ptr::null_mut(),
        }
    }

    fn give(&self, first: usize, count: usize) {
        let mut units = units();
        units.give(first, count);
        while let Some(block) = units.surplus() {
            // SAFETY: the block lies in the region. It is empty, and the lock is held, so that nobody
            // takes it before its content is gone.
            unsafe { libc::madvise(self.0.add(block * BLOCK).cast(), BLOCK, libc::MADV_DONTNEED) };
        }
    }
}

fn units() -> MutexGuard<'static, Units> {
    UNITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A buffer of the region; null when it is none for it, or there is no room.
fn of_region(layout: &Layout) -> *mut u8 {
    if !is_large(layout) {
        return ptr::null_mut();
    }
    REGION.get_or_init(Region::map).take(layout.size())
}

fn is_large(layout: &Layout) -> bool {
    layout.size() >= LARGE && layout.align() <= UNIT
}

// SAFETY: what `Region` gives is unused memory of the size asked for, aligned to a unit; what it did
// not give is passed to `System`, which upholds the contract, and nothing here unwinds.
unsafe impl GlobalAlloc for Buffers {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let buffer = of_region(&layout);
        if !buffer.is_null() {
            return buffer;
        }
        // SAFETY: the caller's promises are passed on as they are.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let buffer = of_region(&layout);
        if !buffer.is_null() {
            // SAFETY: it has room for so many bytes.
            unsafe { buffer.write_bytes(0, layout.size()) };
            return buffer;
        }
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, buffer: *mut u8, layout: Layout) {
        let region = REGION.get().filter(|_| is_large(&layout));
        match region.and_then(|region| Some((region, region.unit(buffer)?))) {
            Some((region, first)) => region.give(first, layout.size().div_ceil(UNIT)),
            // SAFETY: it came from there, by this layout.
            None => unsafe { System.dealloc(buffer, layout) },
        }
    }

    unsafe fn realloc(&self, buffer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that it is a size for this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if !is_large(&layout) && !is_large(&wanted) {
            // SAFETY: it is too small to have come from the region.
            return unsafe { System.realloc(buffer, layout, size) };
        }
        let region = REGION.get().filter(|_| is_large(&layout));
        if let Some(region) = region
            && let Some(first) = region.unit(buffer)
            && is_large(&wanted)
        {
            let (had, wants) = (layout.size().div_ceil(UNIT), size.div_ceil(UNIT));
            if wants < had {
                region.give(first + wants, had - wants);
            }
            if wants <= had || units().take_at(first + had, wants - had) {
                return buffer;
            }
        }
        // SAFETY: `size` is not zero, by the caller's promise.
        let moved = unsafe { self.alloc(wanted) };
        if !moved.is_null() {
            // SAFETY: both have as many bytes, and they are two buffers; the first is then freed once,
            // by the layout it was made by.
            unsafe {
                moved.copy_from_nonoverlapping(buffer, layout.size().min(size));
                self.dealloc(buffer, layout);
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests;
