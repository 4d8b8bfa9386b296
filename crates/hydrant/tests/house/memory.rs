//! Memory is bounded whatever is sent: the largest legal deliveries, several at once, four streams.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use metric::Format;
use rehearsal::ledger::View;
use rehearsal::sender::{Request, Sender};

use crate::load;
use crate::points::{Batch, now_ms};
use crate::receivers::{Book, Dynatrace, Otlp, TOKEN, to_blackhole, to_dynatrace, to_otlp};
use crate::service::{Home, free_port};

/// Anonymous memory of the whole service with up to four streams: the promise.
pub(crate) const ANONYMOUS_MAX_KIB: u64 = 150 * 1024;
/// Bytes of a record: close to the most that Firehose takes.
const RECORD_BYTES: usize = 1_016_000;
/// Points of a record.
const RECORD_POINTS: u32 = 100;
/// Records of the largest delivery: 64 MiB, the most that Firehose buffers.
const LARGEST: u32 = 66;
/// Records of a delivery that is held in memory while it is checked and read: 8 MB of JSON.
const MIDDLE: u32 = 6;
/// Records of a delivery that is held in memory as it came, plain: below 4 MiB.
const PLAIN: u32 = 3;

/// Lines of JSON, each record filled up with the white space that JSON allows.
fn wide(number: u64, gzip: bool, count: u32, books: &[&Book]) -> Request {
    let batch = Batch::new(number, count * RECORD_POINTS);
    for book in books {
        let mut ledger = book.lock();
        batch.each(|_, point| ledger.expect(number, point));
    }
    let mut records = batch.records(Format::Json);
    assert_eq!(records.len(), count as usize);
    for record in &mut records {
        let blanks = (RECORD_BYTES - record.len()) / RECORD_POINTS as usize;
        let mut filled = Vec::with_capacity(RECORD_BYTES);
        for line in record.split_inclusive(|b| *b == b'\n') {
            let (open, rest) = line.split_at(1);
            filled.extend_from_slice(open);
            filled.extend(std::iter::repeat_n(b' ', blanks));
            filled.extend_from_slice(rest);
        }
        *record = filled;
    }
    let sender = Sender { gzip, ..load::sender() };
    sender.compose(&number.to_string(), now_ms(), &records)
}

/// Anonymous memory of a process, KiB.
fn anonymous_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
}

/// The most that `process` takes while `work` runs, KiB, looked at every few milliseconds.
pub(crate) fn highest_kib(process: u32, work: impl FnOnce()) -> u64 {
    let (highest, over) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                highest.fetch_max(anonymous_kib(process), Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        // Also when the work fails, or the scope would wait forever.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        over.store(true, Ordering::SeqCst);
        if let Err(failure) = ended {
            std::panic::resume_unwind(failure);
        }
    });
    highest.into_inner()
}

/// Sends all at once; each must be answered with yes.
fn send_all(source: SocketAddr, requests: &[Request], books: &[&Book]) {
    std::thread::scope(|scope| {
        for (number, request) in (0_u64..).zip(requests) {
            scope.spawn(move || {
                let answer = load::post(source, "/", request).unwrap();
                assert_eq!(answer.status, 200, "{number}: {}", answer.text());
                books.iter().for_each(|book| book.lock().acknowledge(number));
            });
        }
    });
}

/// Four streams to these ports and to nowhere.
fn settings(home: &Home, ports: [u16; 3]) {
    let streams = to_dynatrace("one", ports[0], &[])
        + &to_otlp("two", ports[1], &["compression: gzip"])
        + &to_otlp("three", ports[2], &["protocol: http/json"])
        + &to_blackhole("four");
    home.write_budget("2GiB", &streams);
}

/// *Scenario:* four deliveries of 64 MiB of records at the same time, two plain and two gzip, to a
/// source with four streams.
/// *Guarantees:* all are answered with yes and all points arrive; the anonymous memory of the process,
/// looked at every few milliseconds until the end, stays under 150 MiB.
#[test]
fn four_deliveries_of_64_mib_fit_into_150_mib() {
    let ports = [free_port(), free_port(), free_port()];
    let home = Home::new("memory");
    settings(&home, ports);
    let (lines, otlp, json) =
        (Book::new(View::Dynatrace), Book::new(View::Otlp), Book::new(View::Otlp));
    let _dynatrace = Dynatrace::start(ports[0], TOKEN, &lines);
    let _receivers = [Otlp::start(ports[1], &otlp), Otlp::start(ports[2], &json)];
    let books = [&lines, &otlp, &json];
    let requests: Vec<Request> =
        (0..4).map(|n| wide(n, n.is_multiple_of(2), LARGEST, &books)).collect();
    let service = home.start();
    let highest = highest_kib(service.process.id(), || {
        send_all(home.source, &requests, &books);
        for book in books {
            book.settle("all points", || service.log());
        }
    });
    println!("four of 64 MiB: anonymous memory at most {:.1} MiB", highest as f64 / 1024.0);
    assert!(highest > 0 && highest < ANONYMOUS_MAX_KIB, "{highest} KiB of anonymous memory");
    let all = f64::from(4 * LARGEST * RECORD_POINTS);
    service.until("the fourth stream", |s| s.points("four", "delivered") == all);
    service.stop();
}

/// *Scenario:* three of four destinations are down; 96 senders at once deliver bodies of the size that
/// is held in memory, plain and gzip; the destinations come up and read the backlog.
/// *Guarantees:* all are answered with yes, all points arrive, and the anonymous memory stays under
/// 150 MiB at every moment.
#[test]
fn a_backlog_read_by_four_streams_fits_into_150_mib() {
    let ports = [free_port(), free_port(), free_port()];
    let home = Home::new("memory-backlog");
    settings(&home, ports);
    let (lines, otlp, json) =
        (Book::new(View::Dynatrace), Book::new(View::Otlp), Book::new(View::Otlp));
    let books = [&lines, &otlp, &json];
    let middle = (0..96).step_by(2).map(|n| wide(n, true, MIDDLE, &books));
    let plain = (1..96).step_by(2).map(|n| wide(n, false, PLAIN, &books));
    let requests: Vec<Request> = middle.zip(plain).flat_map(|(one, two)| [one, two]).collect();
    let service = home.start();
    let highest = highest_kib(service.process.id(), || {
        send_all(home.source, &requests, &books);
        let _dynatrace = Dynatrace::start(ports[0], TOKEN, &lines);
        let _receivers = [Otlp::start(ports[1], &otlp), Otlp::start(ports[2], &json)];
        for book in books {
            book.settle("all points", || service.log());
        }
    });
    println!("a backlog: anonymous memory at most {:.1} MiB", highest as f64 / 1024.0);
    assert!(highest > 0 && highest < ANONYMOUS_MAX_KIB, "{highest} KiB of anonymous memory");
    service.stop();
}
