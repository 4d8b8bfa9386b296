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
/// The bare loop and the journal take turns this many times, since the disk's mood changes.
const TURNS: usize = 6;
/// Clock ticks a second in /proc.
const TICKS: f64 = 100.0;

#[derive(Default)]
struct Figures {
    seconds: f64,
    cpu_seconds: f64,
    /// The part of it outside the kernel.
    user_seconds: f64,
    syncs: u64,
}

impl Figures {
    fn add(&mut self, other: &Figures) {
        self.seconds += other.seconds;
        self.cpu_seconds += other.cpu_seconds;
        self.user_seconds += other.user_seconds;
        self.syncs += other.syncs;
    }
}

/// CPU time of this process, all of it and outside the kernel.
fn cpu_seconds() -> (f64, f64) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).unwrap().parse::<f64>().unwrap();
    ((ticks(11) + ticks(12)) / TICKS, ticks(11) / TICKS)
}

fn measure(run: impl FnOnce() -> u64) -> Figures {
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let syncs = run();
    let now = cpu_seconds();
    let (cpu_seconds, user_seconds) = (now.0 - cpu.0, now.1 - cpu.1);
    Figures { seconds: start.elapsed().as_secs_f64(), cpu_seconds, user_seconds, syncs }
}

/// One thread, one file with reserved space, one sync for each `size` bytes, `count` times.
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

fn through_the_journal(directory: &Path, size: usize, count: usize) -> [Figures; 2] {
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
    let end = journal::Position { sequence: topic.end(), ordinal: 0 };
    cursor.settle(cursor.low(), end).unwrap();
    cursor.sync().unwrap();
    journal.close();
    fs::remove_dir_all(&path).unwrap();
    [figures, read]
}

fn print(name: &str, size: usize, count: usize, figures: &Figures) {
    let megabytes = (size * count) as f64 / 1e6 / figures.seconds;
    let cpu = figures.cpu_seconds * 1e6 / count as f64;
    let user = figures.user_seconds * 1e6 / count as f64;
    let syncs = figures.syncs;
    println!(
        "{size:>8} B  {name:<16} {megabytes:>8.0} MB/s  {cpu:>6.0} us CPU each ({user:>4.0} user)  {syncs:>6} syncs or reads of {count}"
    );
}

fn main() {
    let named = std::env::args().nth(1).filter(|argument| !argument.starts_with('-'));
    let directory = named.map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = directory.join(format!("hydrant-bench-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    for (size, count) in [(1 << 20, 1200), (64 << 10, 4800), (1 << 10, 7200)] {
        let [mut alone, mut grouped, mut journal, mut read] =
            std::array::from_fn(|_| Figures::default());
        for _ in 0..TURNS {
            alone.add(&bare(&directory, size, count / TURNS));
            // What a perfect group commit of all threads would write at once.
            grouped.add(&bare(&directory, size * THREADS, count / TURNS / THREADS));
            let [appended, read_back] = through_the_journal(&directory, size, count / TURNS);
            journal.add(&appended);
            read.add(&read_back);
        }
        print("bare", size, count, &alone);
        print("bare, by four", size, count, &grouped);
        print("journal", size, count, &journal);
        print("read back", size, count, &read);
        println!(
            "{size:>8} B  journal / bare: time {:.2}, CPU {:.2}; journal / bare by four: time {:.2}, CPU {:.2}\n",
            journal.seconds / alone.seconds,
            journal.cpu_seconds / alone.cpu_seconds,
            journal.seconds / grouped.seconds,
            journal.cpu_seconds / grouped.cpu_seconds,
        );
    }
    fs::remove_dir_all(&directory).unwrap();
}
