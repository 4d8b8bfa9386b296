//! What the fold costs: bytes of memory an open series, and datums a CPU-second from entry to set.
//!
//! `cargo bench -p cloud --bench fold` measures; without `--bench` (as `cargo test --benches` calls
//! it) a small round shows that it works. Memory is what the process has more than before, as the
//! kernel counts it; time is that of the processor on this thread, where the kernel tells it.
#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

use std::time::Instant;

use cloud::fold::bench::Load;

/// Series of the measurement: what must fit within 400 MiB.
const SERIES: usize = 1_000_000;
/// Data of a call.
const DATUMS: usize = 500;

fn main() {
    let measuring = std::env::args().any(|arg| arg == "--bench");
    let series = if measuring { SERIES } else { 5_000 };
    let bodies = bodies(series);
    let before = resident();
    let mut load = Load::default();
    for round in ["new series", "known series"] {
        let start = Stopwatch::start();
        bodies.iter().for_each(|body| load.fold(body));
        let seconds = start.seconds();
        let rate = series as f64 / seconds;
        println!("{round}: {series} datums in {seconds:.3} s, {rate:.0} a CPU-second");
    }
    let bytes = resident().saturating_sub(before);
    let each = bytes as f64 / series as f64;
    println!("memory: {} MiB, {each:.0} bytes an open series", bytes >> 20);
    assert_eq!(load.open_series(), series, "each series is open once");
    let start = Stopwatch::start();
    let bytes = load.write();
    let seconds = start.seconds();
    println!("window: {} MiB in {seconds:.3} s, sorted for the first time", bytes >> 20);
    let peak = resident().saturating_sub(before);
    println!("memory after it: {} MiB", peak >> 20);
}

/// Calls of 500 datums with three dimensions, as the journal keeps them.
fn bodies(series: usize) -> Vec<Vec<u8>> {
    let calls = series / DATUMS;
    (0..calls).map(|call| cloud::fold::bench::body(call * DATUMS, DATUMS)).collect()
}

/// Bytes of this process in memory; 0 where the kernel does not say.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

/// Seconds of the processor on this thread, or of the clock.
struct Stopwatch {
    clock: Instant,
    processor: Option<u64>,
}

impl Stopwatch {
    fn start() -> Stopwatch {
        Stopwatch { clock: Instant::now(), processor: processor_ns() }
    }

    fn seconds(&self) -> f64 {
        match (self.processor, processor_ns()) {
            (Some(from), Some(to)) if to > from => (to - from) as f64 / 1e9,
            _ => self.clock.elapsed().as_secs_f64(),
        }
    }
}

fn processor_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}
