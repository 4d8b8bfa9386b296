//! Appends against the bare disk: the same bytes with one `pwrite` and one `fdatasync` each, in the same run.
//!
//! `cargo bench -p journal` writes to a temporary directory (give another as argument) and prints for each
//! size: throughput, CPU time an append, and the ratio of both to the bare loop.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use bytes::Bytes;
use journal::{Body, Item, Journal, Key, Options, Start};

/// Threads that append, each with one append in flight.
const THREADS: usize = 4;
/// Clock ticks a second in /proc.
const TICKS: f64 = 100.0;

struct Figures {
    seconds: f64,
    cpu_seconds: f64,
    syncs: u64,
}

fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).unwrap().parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / TICKS
}

fn measure(run: impl FnOnce() -> u64) -> Figures {
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let syncs = run();
    Figures { seconds: start.elapsed().as_secs_f64(), cpu_seconds: cpu_seconds() - cpu, syncs }
}

/// One thread, one file with reserved space, one sync for each `size` bytes.
fn bare(directory: &Path, size: usize, count: usize) -> Figures {
    let path = directory.join("bare");
    let body = vec![0x5a; size];
    let file = fs::File::create(&path).unwrap();
    let all = (size * count) as u64;
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, all).unwrap();
    file.sync_all().unwrap();
    let figures = measure(|| {
        for number in 0..count {
            file.write_all_at(&body, (number * size) as u64).unwrap();
            file.sync_data().unwrap();
        }
        count as u64
    });
    fs::remove_file(&path).unwrap();
    figures
}

fn through_the_journal(directory: &Path, size: usize, count: usize) -> Figures {
    let path = directory.join("journal");
    let (journal, _) = Journal::open(&path, Options::default()).unwrap();
    let topic = journal.topic("bench").unwrap();
    let mut cursor = topic.cursor("reader", Start::Oldest).unwrap();
    let body = Bytes::from(vec![0x5a; size]);
    let figures = measure(|| {
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (topic, body) = (topic.clone(), body.clone());
                scope.spawn(move || {
                    let (told, answer) = sync_channel(1);
                    for number in 0..count / THREADS {
                        let name = (thread * count + number) as u128;
                        let key = Some(Key { name, data: 1 });
                        let item =
                            Item { key, head: vec![1; 200], body: Body::Bytes(body.clone()) };
                        let told = told.clone();
                        topic.append(item, Box::new(move |outcome| told.send(outcome).unwrap()));
                        answer.recv().unwrap().unwrap();
                    }
                });
            }
        });
        journal.status().first().unwrap().commits
    });
    let read = measure(|| {
        let (mut sequence, mut entries) = (0, 0);
        while let Some(entry) = cursor.read(sequence).unwrap() {
            sequence = entry.sequence + 1;
            entries += 1;
        }
        entries
    });
    let megabytes = (read.syncs * size as u64) as f64 / 1e6;
    println!("{:>8} B  read back        {:>8.0} MB/s", size, megabytes / read.seconds);
    let end = journal::Position { sequence: topic.end(), ordinal: 0 };
    cursor.settle(cursor.low(), end).unwrap();
    cursor.sync().unwrap();
    journal.close();
    fs::remove_dir_all(&path).unwrap();
    figures
}

fn print(name: &str, size: usize, count: usize, figures: &Figures) {
    let megabytes = (size * count) as f64 / 1e6 / figures.seconds;
    let cpu = figures.cpu_seconds * 1e6 / count as f64;
    let syncs = figures.syncs;
    println!(
        "{size:>8} B  {name:<16} {megabytes:>8.0} MB/s  {cpu:>7.0} us CPU an append  {syncs:>6} syncs of {count}"
    );
}

fn main() {
    let named = std::env::args().nth(1).filter(|argument| !argument.starts_with('-'));
    let directory = named.map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = directory.join(format!("hydrant-bench-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    for (size, count) in [(1 << 20, 1200), (64 << 10, 4000), (1 << 10, 8000)] {
        let before = bare(&directory, size, count);
        let figures = through_the_journal(&directory, size, count);
        let after = bare(&directory, size, count);
        print("bare, before", size, count, &before);
        print("journal", size, count, &figures);
        print("bare, after", size, count, &after);
        let bare_seconds = (before.seconds + after.seconds) / 2.0;
        let bare_cpu = (before.cpu_seconds + after.cpu_seconds) / 2.0;
        println!(
            "{size:>8} B  journal / bare: time {:.2}, CPU {:.2}\n",
            figures.seconds / bare_seconds,
            figures.cpu_seconds / bare_cpu
        );
    }
    fs::remove_dir_all(&directory).unwrap();
}
