//! What the door costs: processor time per million metrics, latency at a steady rate, and memory with
//! four of the largest deliveries in flight. Real sockets, real files, real syncs.
//!
//! `cargo bench -p intake` runs small sizes; `BENCH=1 cargo bench -p intake` the real ones. Figures are
//! given beside G, one gunzip of the same body in the same process.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]
#![expect(clippy::print_stdout, reason = "this is what it is for")]

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aws::firehose::headers::GZIP;
use aws::firehose::request::{self, Delivery};
use codec::gzip::{Deflater, Inflater};
use entry::Tail;
use intake::Clock;
use intake::firehose::{Access, Config, Limits, Permits, Source};
use journal::{Journal, Options, Start};
use listen::Listener;
use metric::Format;
use rehearsal::payload;
use testkit::{TempDir, read_answer};
use tokio::sync::watch;

/// Metrics in a gzip body of about 1 MiB.
const METRICS: usize = 13_500;

#[expect(clippy::disallowed_methods, reason = "how long a benchmark takes is set from outside")]
fn main() {
    let full = std::env::var_os("BENCH").is_some();
    let dir = TempDir::new("door");
    let (journal, _) = Journal::open(dir.path(), Options::default()).unwrap();
    let topic = journal.topic("aws").unwrap();
    // Settles nothing; the bench writes less than the budget.
    let _cursor = topic.cursor("bench", Start::Oldest).unwrap();
    let (_access, access) = watch::channel(Arc::new(Access::default()));
    let limits = Limits::default();
    let config = Config { name: "aws".to_owned(), limits, access, admit: None };
    let tail = Arc::new(Tail::new(24 << 20));
    let permits = Arc::new(Permits::new(limits.in_flight_bytes));
    let clock: Clock = Arc::new(|| 0);
    let source = Source::new(config, topic, tail, permits, clock);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(Listener::bind("127.0.0.1:0")).unwrap();
    let address = listener.address();
    let (_stop, stopped) = watch::channel(false);
    let serving = source.clone();
    runtime
        .spawn(async move { serving.serve(listener, None, Duration::from_secs(5), stopped).await });

    for format in [Format::Otel10, Format::Json] {
        throughput(address, format, if full { 300 } else { 20 });
    }
    latency(address, Duration::from_secs(if full { 20 } else { 2 }));
    memory(address);
    println!("stored {} records", source.stats().records.get());
}

struct Sample {
    plain: Vec<u8>,
    gzip: Vec<u8>,
}

fn sample(format: Format) -> Sample {
    let options = payload::Options { metrics: METRICS, ..payload::Options::default() };
    let records = payload::records(&options, format);
    // The id is of the same length as the ones it is replaced by.
    let plain = payload::body(&records, &id(0));
    let gzip = payload::gzip(&plain);
    Sample { plain, gzip }
}

fn id(n: u64) -> String {
    format!("00000000-0000-0000-0000-{n:012}")
}

fn next_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    id(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Deliveries with an id of their own each, made before any clock starts.
fn bodies(sample: &Sample, count: usize) -> Vec<(String, Vec<u8>)> {
    let mut deflater = Deflater::new(6);
    let old = id(0);
    (0..count)
        .map(|_| {
            let id = next_id();
            let text = String::from_utf8(sample.plain.clone()).unwrap();
            let plain = text.replacen(&old, &id, 1);
            let mut gzip = Vec::new();
            deflater.gzip(plain.as_bytes(), &mut gzip);
            (id, gzip)
        })
        .collect()
}

fn post(stream: &TcpStream, id: &str, gzip: &[u8]) -> u16 {
    let delivery = Delivery {
        request_id: id,
        source_arn: "arn:aws:firehose:eu-west-1:111122223333:deliverystream/bench",
        content_encoding: Some(GZIP),
        ..Delivery::default()
    };
    let mut head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n", gzip.len());
    for (name, value) in delivery.headers() {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut writer = stream;
    writer.write_all(head.as_bytes()).unwrap();
    writer.write_all(gzip).unwrap();
    read_answer(&mut BufReader::new(stream)).unwrap().status
}

/// Processor time of the process and of this thread, seconds.
fn process_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after.split_whitespace().skip(11).take(2).map(|n| n.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

fn thread_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn throughput(address: SocketAddr, format: Format, rounds: usize) {
    let sample = sample(format);
    let prepared = bodies(&sample, rounds);
    let gunzip = gunzip_time(&sample.gzip);
    let (before, start) = (process_cpu(), Instant::now());
    let halves = prepared.chunks(rounds.div_ceil(2));
    let clients: f64 = thread::scope(|scope| {
        let workers: Vec<_> = halves
            .map(|bodies| {
                scope.spawn(move || {
                    let stream = TcpStream::connect(address).unwrap();
                    for (id, gzip) in bodies {
                        assert_eq!(post(&stream, id, gzip), 200);
                    }
                    thread_cpu()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    let (wall, cpu) = (start.elapsed().as_secs_f64(), process_cpu() - before - clients);
    let metrics = (rounds * METRICS) as f64;
    println!(
        "{format:?}: body {} kB, plain {} kB; {:.0} metrics/s; server {:.0} ns of cpu a metric = {:.2} G \
         (G {:.0} ns, client {:.0} ns)",
        sample.gzip.len() / 1000,
        sample.plain.len() / 1000,
        metrics / wall,
        cpu / metrics * 1e9,
        cpu / metrics / (gunzip / METRICS as f64),
        gunzip / METRICS as f64 * 1e9,
        clients / metrics * 1e9,
    );
}

/// Best of ten, seconds.
fn gunzip_time(gzip: &[u8]) -> f64 {
    let (mut inflater, mut out) = (Inflater::new(), Vec::new());
    let times = (0..10).map(|_| {
        let start = Instant::now();
        inflater.gunzip(gzip, &mut out, usize::MAX).unwrap();
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::MAX, f64::min)
}

/// 200,000 metrics a second in bodies of 1 MiB.
fn latency(address: SocketAddr, length: Duration) {
    let pause = Duration::from_secs_f64(METRICS as f64 / 200_000.0);
    let rounds = (length.as_secs_f64() / pause.as_secs_f64()) as usize;
    let prepared = bodies(&sample(Format::Otel10), rounds);
    let stream = TcpStream::connect(address).unwrap();
    let start = Instant::now();
    let mut times: Vec<_> = prepared
        .iter()
        .zip(0..)
        .map(|((id, gzip), n)| {
            let due = start + pause * n;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            assert_eq!(post(&stream, id, gzip), 200);
            due.elapsed()
        })
        .collect();
    times.sort();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    println!("200,000 metrics/s: acknowledged within {:?} (50 %), {:?} (99 %)", at(50), at(99));
}

fn anonymous_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Four deliveries of 64 MiB of records at once.
fn memory(address: SocketAddr) {
    let mut state = 1_u64;
    let record: Vec<u8> = (0..1_024_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    let prepared: Vec<_> = (0..4)
        .map(|_| {
            let id = next_id();
            let (mut plain, mut gzip) = (Vec::new(), Vec::new());
            request::body(&id, 0, &vec![&record; 65], &mut plain);
            Deflater::new(1).gzip(&plain, &mut gzip);
            gzip.shrink_to_fit();
            (id, gzip)
        })
        .collect();
    let before = anonymous_kib();
    let done = AtomicBool::new(false);
    let peak = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = 0;
            while !done.load(Ordering::Relaxed) {
                peak = peak.max(anonymous_kib());
                thread::sleep(Duration::from_millis(2));
            }
            peak
        });
        let start = Instant::now();
        let clients: Vec<_> = prepared
            .iter()
            .map(|(id, gzip)| {
                scope.spawn(move || {
                    let stream = TcpStream::connect(address).unwrap();
                    assert_eq!(post(&stream, id, gzip), 200);
                })
            })
            .collect();
        for client in clients {
            client.join().unwrap();
        }
        println!("four deliveries of 64 MiB: {:?}", start.elapsed());
        done.store(true, Ordering::Relaxed);
        watch.join().unwrap()
    });
    let held: usize = prepared.iter().map(|(_, gzip)| gzip.len()).sum();
    println!(
        "anonymous memory: {} MiB before, peak {} MiB ({} MiB more), of which the client's bodies {} MiB",
        before / 1024,
        peak / 1024,
        (peak.saturating_sub(before)) / 1024,
        held >> 20
    );
}
