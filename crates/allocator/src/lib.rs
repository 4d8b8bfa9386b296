//! Two settings of the C library's allocator, made once at the start of the process.
//!
//! Bodies of megabytes come and go on many threads. After glibc has freed one that large it serves
//! the next ones from its arenas, and keeps there what they leave behind: more than 150 MiB after a
//! burst of large deliveries, 110 MiB with the first setting (`hydrant`'s memory tests). It switches
//! off that glibc learns how much to keep, and then every body above 128 KiB costs fresh pages: the
//! second setting keeps one buffer's worth in each arena, which spares a third of the processor's time
//! of `PutRecordBatch` (`cargo bench -p hydrant --bench api`). Always holds: nothing else in the
//! workspace needs `unsafe` to run.

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
