//! Memory is bounded whatever is sent: the largest legal deliveries, several at once, four streams.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use metric::Format;
use rehearsal::ledger::View;
use rehearsal::sender::{Request, Sender};

use crate::load;
use crate::points::{Batch, now_ms};
use crate::receivers::{Book, Dynatrace, Otlp, TOKEN, to_blackhole, to_dynatrace, to_otlp};
use crate::service::{Home, free_port};

/// Anonymous memory of the whole service with up to four streams: the promise.
const ANONYMOUS_MAX_KIB: u64 = 150 * 1024;
/// Records of a delivery, and their bytes: 64 MiB in all, the most that Firehose buffers.
const RECORDS: usize = 66;
const RECORD_BYTES: usize = 1_016_000;
const POINTS: u32 = 66 * 100;

/// 64 MiB of records: lines of JSON, each record filled up with the white space that JSON allows.
fn wide(number: u64, gzip: bool, books: &[&Book]) -> Request {
    let batch = Batch::new(number, POINTS);
    for book in books {
        let mut ledger = book.lock();
        batch.each(|_, point| ledger.expect(number, point));
    }
    let mut records = batch.records(Format::Json);
    assert_eq!(records.len(), RECORDS);
    for record in &mut records {
        let ends = record.iter().filter(|b| **b == b'\n').count();
        let blanks = (RECORD_BYTES - record.len()) / ends;
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

/// *Scenario:* four deliveries of 64 MiB of records at the same time, two plain and two gzip, to a
/// source with four streams.
/// *Guarantees:* all are answered with yes and all points arrive; the anonymous memory of the process,
/// looked at every few milliseconds until the end, stays under 150 MiB.
#[test]
fn four_deliveries_of_64_mib_fit_into_150_mib() {
    let ports = [free_port(), free_port(), free_port()];
    let home = Home::new("memory");
    let streams = to_dynatrace("one", ports[0], &[])
        + &to_otlp("two", ports[1], &["compression: gzip"])
        + &to_otlp("three", ports[2], &["protocol: http/json"])
        + &to_blackhole("four");
    home.write_budget("2GiB", &streams);
    let (lines, otlp, json) =
        (Book::new(View::Dynatrace), Book::new(View::Otlp), Book::new(View::Otlp));
    let _dynatrace = Dynatrace::start(ports[0], TOKEN, &lines);
    let _receivers = [Otlp::start(ports[1], &otlp), Otlp::start(ports[2], &json)];
    let books = [&lines, &otlp, &json];
    let requests: Vec<Request> = (0..4).map(|n| wide(n, n % 2 == 0, &books)).collect();
    let service = home.start();
    let (highest, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let (process, source) = (service.process.id(), home.source);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                highest.fetch_max(anonymous_kib(process), Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        });
        let senders: Vec<_> = (0_u64..)
            .zip(&requests)
            .map(|(number, request)| {
                scope.spawn(move || (number, load::post(source, "/", request)))
            })
            .collect();
        for sender in senders {
            let (number, answer) = sender.join().unwrap();
            let answer = answer.unwrap();
            assert_eq!(answer.status, 200, "{number}: {}", answer.text());
            books.iter().for_each(|book| book.lock().acknowledge(number));
        }
        for book in books {
            book.settle("all points", || service.log());
        }
        over.store(true, Ordering::SeqCst);
    });
    let highest = highest.into_inner();
    println!("anonymous memory at most {:.1} MiB", highest as f64 / 1024.0);
    assert!(highest > 0 && highest < ANONYMOUS_MAX_KIB, "{highest} KiB of anonymous memory");
    service.until("the fourth stream", |s| s.points("four", "delivered") == f64::from(4 * POINTS));
    service.stop();
}
