//! Where memory comes from: large buffers from a region of huge pages ([`Buffers`]), all else from the
//! C library, told twice at the start of the process how much to keep.
//!
//! Bodies come and go on many threads. Left alone, glibc learns from the first large one to serve the
//! next ones from its arenas, and keeps there what they leave behind; told not to, it gives every body
//! back at once, and the next one costs fresh pages. So it is told to keep one buffer's worth in each
//! arena. Always holds: nothing else in the workspace needs `unsafe` to run.

#[cfg(target_os = "linux")]
mod region;
#[cfg(target_os = "linux")]
mod units;

#[cfg(target_os = "linux")]
pub use region::Buffers;
/// Elsewhere all memory comes from the system's allocator.
#[cfg(not(target_os = "linux"))]
pub use std::alloc::System as Buffers;

/// From this size on, memory is the kernel's own and goes back to it when it is freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_MAPPING_BYTES: i32 = 1024 * 1024;

/// Up to this size, what is free at the end of an arena stays there for the next body.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: i32 = OWN_MAPPING_BYTES;

/// Large buffers are given back when they are freed. Call it before the first thread starts.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a C function without a safe form")]
pub fn give_large_buffers_back() {
    // SAFETY: mallopt takes two numbers and changes a tunable; any value is sound, and a refused
    // one changes nothing.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
    }
}

/// Elsewhere the allocator needs no telling.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_large_buffers_back() {}
