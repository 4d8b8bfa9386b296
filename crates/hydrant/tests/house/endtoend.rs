//! The whole path in one process: three formats in, four kinds of destination out, nothing missing.

use std::collections::BTreeSet;

use metric::{Encoder, Format};
use rehearsal::ledger::View;
use rehearsal::services::{Additional, Options, Services};

use crate::load;
use crate::points::{NAMESPACE, now_ms};
use crate::receivers::{Book, Dynatrace, Otlp, TOKEN, to_dynatrace, to_otlp};
use crate::service::{Home, Service, files_below, free_port};

/// Series of each delivery, and so its points; from all namespaces of the catalogue.
const SERIES: usize = 600;
/// Points of a record.
const RECORD_POINTS: usize = 120;
const FORMATS: [Format; 3] = [Format::Json, Format::Otel07, Format::Otel10];
const OUTCOMES: [&str; 5] = ["delivered", "filtered", "backed_up", "quarantined", "dropped"];

/// What one stream lets pass.
fn passes(stream: &str, namespace: &[u8]) -> bool {
    match stream {
        "to-dynatrace" => namespace != b"AWS/Lambda",
        "to-file" => namespace == b"AWS/ECS" || namespace == b"AWS/Lambda",
        _ => true,
    }
}

/// Makes the delivery of one minute in one format and enters its points; answers the records and how
/// many points each stream should see.
fn make(
    number: u64,
    format: Format,
    books: &[(&'static str, &Book)],
    wanted: &mut BTreeSet<(String, u64)>,
) -> Vec<Vec<u8>> {
    let mut options = Options::new(number, SERIES);
    if format != Format::Otel07 {
        options.additional = Additional::Percentiles;
    }
    let minute = u64::try_from(now_ms()).unwrap() / 60_000 * 60_000 - number * 60_000;
    let (mut encoder, mut records, mut open) = (Encoder::new(format), Vec::new(), 0);
    let mut ordinal = 0;
    Services::new(options).minute(minute, |point, _| {
        for (stream, book) in books.iter().filter(|(s, _)| passes(s, point.namespace)) {
            book.lock().expect(number, point);
            wanted.insert(((*stream).to_owned(), number << 32 | ordinal));
        }
        if passes("to-file", point.namespace) {
            wanted.insert(("to-file".to_owned(), number << 32 | ordinal));
        }
        ordinal += 1;
        encoder.push(point);
        open += 1;
        if open == RECORD_POINTS {
            records.push(Vec::new());
            encoder.finish(records.last_mut().unwrap());
            open = 0;
        }
    });
    if open > 0 {
        records.push(Vec::new());
        encoder.finish(records.last_mut().unwrap());
    }
    records
}

fn settings(dynatrace: u16, otlp: u16, gauges: u16) -> String {
    let file = "  to-file:\n    source: aws\n    include:\n      - { namespace: AWS/ECS }\n      \
                - { namespace: AWS/Lambda }\n    destination: { type: file, path: out.ndjson }\n";
    to_dynatrace("to-dynatrace", dynatrace, &["exclude: [ { namespace: AWS/Lambda } ]"])
        + &to_otlp("to-otlp", otlp, &["compression: gzip"])
        + &to_otlp("to-gauges", gauges, &["protocol: http/json", "points: gauges"])
        + file
}

fn sum(service: &Service<'_>, stream: &str) -> f64 {
    OUTCOMES.iter().map(|outcome| service.points(stream, outcome)).sum()
}

/// *Scenario:* deliveries of simulated services in JSON, OpenTelemetry 0.7 and 1.0 go to Dynatrace, to
/// OTLP as protobuf with gzip, to OTLP as JSON gauges, and to a file; two of the streams filter.
/// *Guarantees:* the strict receivers take every request, each ledger is clean, the file holds one
/// line a point, and in each stream the outcomes add up to the points that were sent.
#[test]
fn three_formats_reach_four_destinations() {
    let ports = [free_port(), free_port(), free_port()];
    let home = Home::new("end-to-end");
    home.write(&settings(ports[0], ports[1], ports[2]));
    let (lines, otlp, gauges) =
        (Book::new(View::Dynatrace), Book::new(View::Otlp), Book::new(View::Otlp));
    let dynatrace = Dynatrace::start(ports[0], TOKEN, &lines);
    let receivers = [Otlp::start(ports[1], &otlp), Otlp::start(ports[2], &gauges)];
    let books = [("to-dynatrace", &lines), ("to-otlp", &otlp), ("to-gauges", &gauges)];
    let service = home.start();
    let mut wanted = BTreeSet::new();
    for (number, format) in (0..).zip(FORMATS) {
        let records = make(number, format, &books, &mut wanted);
        let request = load::sender().compose(&number.to_string(), now_ms(), &records);
        let answer = load::post(home.source, "/", &request).unwrap();
        assert_eq!(answer.status, 200, "{format:?}: {}", answer.text());
        books.iter().for_each(|(_, book)| book.lock().acknowledge(number));
    }
    let sent = (FORMATS.len() * SERIES) as f64;
    for (stream, book) in books {
        let compared = book.settle(stream, || service.log());
        assert_eq!(compared.duplicates, 0, "{stream}: {compared:?}");
    }
    for stream in ["to-dynatrace", "to-otlp", "to-gauges", "to-file"] {
        service.until(stream, |s| sum(s, stream) >= sent);
        assert_eq!(sum(&service, stream), sent, "{stream}");
        let passed = wanted.iter().filter(|(name, _)| name == stream).count() as f64;
        assert_eq!(service.points(stream, "delivered"), passed, "{stream}");
        assert_eq!(service.points(stream, "filtered"), sent - passed, "{stream}");
        assert!(passed > 0.0, "{stream} would see nothing");
    }
    assert!(service.points("to-dynatrace", "filtered") > 0.0, "a filter that filters");
    assert_eq!(dynatrace.receiver.stats().snapshot().first_error, None);
    for receiver in &receivers {
        assert_eq!(receiver.receiver.stats().snapshot().first_error, None);
    }
    let passed = service.points("to-file", "delivered");
    service.stop();
    let files = files_below(home.dir.path()).into_iter();
    let text: String = files
        .filter(|file| file.file_name().is_some_and(|n| n.to_string_lossy().starts_with("out")))
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    assert_eq!(text.lines().count() as f64, passed);
    assert!(!text.contains(NAMESPACE) && text.contains("AWS/Lambda"));
}

/// *Scenario:* one delivery holds good records, one that nobody can read, and points a day old.
/// *Guarantees:* the good points arrive; the rest is in quarantine with a reason, counted; outcomes
/// add up to good points and items that could not be used.
#[test]
fn what_cannot_be_used_is_in_quarantine() {
    let port = free_port();
    let home = Home::new("quarantine");
    home.write(&to_dynatrace("to-dynatrace", port, &[]));
    let book = Book::new(View::Dynatrace);
    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let service = home.start();
    let mut wanted = BTreeSet::new();
    let mut records = make(0, Format::Otel10, &[("to-otlp", &book)], &mut wanted);
    records.insert(1, b"neither JSON nor a length-prefixed message".to_vec());
    // Not entered: Dynatrace takes nothing older than an hour.
    let old = make(24 * 60, Format::Json, &[], &mut BTreeSet::new());
    records.extend(old);
    let request = load::sender().compose("mixed", now_ms(), &records);
    assert_eq!(load::post(home.source, "/", &request).unwrap().status, 200);
    book.lock().acknowledge(0);
    book.settle("the good points", || service.log());
    let all = (2 * SERIES + 1) as f64;
    service.until("every item has an outcome", |s| sum(s, "to-dynatrace") >= all);
    assert_eq!(service.points("to-dynatrace", "delivered"), SERIES as f64);
    assert_eq!(service.points("to-dynatrace", "quarantined"), (SERIES + 1) as f64);
    let told = service.stream("to-dynatrace");
    assert_eq!(told["quarantined"]["too_old"], SERIES, "{told}");
    assert!(told["quarantine"]["bytes"].as_u64() > Some(0), "{told}");
    service.stop();
}
