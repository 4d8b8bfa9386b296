//! A disk that gives back something else than was written: what is lost is told, and by whom it can be had again.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use metric::Format;
use rehearsal::ledger::View;
use serde_json::Value;

use crate::load;
use crate::points::{Batch, now_ms};
use crate::receivers::{Book, Dynatrace, TOKEN, to_dynatrace};
use crate::service::{Home, Service, files_below, free_port};

const ROTTEN: &str = "hydrant_journal_damaged_bytes{kind=\"rotten\"}";
/// Larger than what goes to a file of its own.
const BLANKS: usize = 5 << 20;

/// Deliveries of 20 points each; the body of one of them is wide. What is spared is expected to arrive.
fn deliver(home: &Home, book: &Book, wide: Option<u64>, spoilt: u64) {
    for number in 0..5 {
        let batch = Batch::new(number, 20);
        let sender = rehearsal::sender::Sender { gzip: false, ..load::sender() };
        let id = format!("delivery-{number}");
        let mut request = sender.compose(&id, now_ms(), &batch.records(Format::Otel10));
        if wide == Some(number) {
            request.body.splice(1..1, std::iter::repeat_n(b' ', BLANKS));
        }
        batch.each(|_, point| book.lock().expect(number, point));
        assert_eq!(load::post(home.source, "/", &request).unwrap().status, 200);
        if number != spoilt {
            book.lock().acknowledge(number);
        }
    }
}

fn only_file(home: &Home, extension: &str) -> PathBuf {
    let all = files_below(&home.data().join("journal/aws"));
    let found: Vec<_> =
        all.into_iter().filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// Overwrites 16 bytes in the body of a delivery.
fn spoil(log: &Path, id: &str) {
    let bytes = std::fs::read(log).unwrap();
    let mark = format!("\"requestId\":\"{id}\"");
    let at = bytes.windows(mark.len()).position(|window| window == mark.as_bytes()).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(log).unwrap();
    file.write_all_at(&[0xa5; 16], at as u64).unwrap();
}

fn told(home: &Home, command: &[&str]) -> (i32, String) {
    let (code, stdout, stderr) = home.command(command);
    (code, stdout + &stderr)
}

fn journal(service: &Service<'_>) -> Value {
    service.status()["journal"].clone()
}

/// *Scenario:* the destination is down and the process is killed; 16 bytes in the body of a delivery that was
/// answered with yes are overwritten; it starts again, the destination is there.
/// *Guarantees:* what is lost is told: once in the log as an error, in the metric, by status and doctor, also
/// after a restart and without a process, until the copy is removed; the other deliveries arrive.
#[test]
fn a_rotten_delivery_is_told() {
    let port = free_port();
    let home = Home::new("rot");
    home.write(&to_dynatrace("to-dynatrace", port, &[]));
    let book = Book::new(View::Dynatrace);
    let service = home.start();
    deliver(&home, &book, None, 1);
    service.kill();
    spoil(&only_file(&home, "log"), "delivery-1");

    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let service = home.start();
    book.settle("the others arrive", || service.log());
    service.until("it is counted", |service| service.metric(ROTTEN) > 1_000.0);
    let bytes = service.metric(ROTTEN);
    assert_eq!(
        service.logged("acknowledged data in the journal is damaged"),
        1,
        "{}",
        service.log()
    );
    // The journal has met it; the stream sets the delivery aside a moment later.
    service.until("it is set aside", |s| s.points("to-dynatrace", "quarantined") >= 1.0);
    assert_eq!(service.points("to-dynatrace", "quarantined"), 1.0);
    let copy = only_file(&home, "bin");
    assert_eq!(service.logged(copy.file_name().unwrap().to_str().unwrap()), 1);
    assert_eq!(std::fs::metadata(&copy).unwrap().len() as f64, bytes);
    let said = journal(&service);
    assert_eq!(
        (said["rotten_bytes"].as_f64(), said["copies"][0]["files"].as_u64()),
        (Some(bytes), Some(1))
    );
    let (code, text) = told(&home, &["status", "-c", "hydrant.yaml"]);
    assert!(code == 0 && text.contains("of aws found damaged since the last start"), "{text}");
    let (code, text) = told(&home, &["doctor", "-c", "hydrant.yaml"]);
    assert!(code == 1 && text.contains("aws: ") && text.contains("hydrant replay"), "{text}");
    service.stop();

    for command in ["status", "doctor"] {
        let (_, text) = told(&home, &[command, "-c", "hydrant.yaml"]);
        assert!(text.contains("journal/aws/damaged"), "{command}: {text}");
    }
    std::fs::remove_file(&copy).unwrap();
    for command in ["status", "doctor"] {
        let (_, text) = told(&home, &[command, "-c", "hydrant.yaml"]);
        assert!(!text.contains("damaged"), "{command}: {text}");
    }
}

/// *Scenario:* the same with a delivery in a file of its own, which is cut short, or removed.
/// *Guarantees:* it is told in the same way; the stream's quarantine tells what was in it, and has the rest.
#[test]
fn a_lost_side_file_is_told() {
    for left in [Some(100_000), None] {
        let port = free_port();
        let home = Home::new("rot-side");
        home.write(&to_dynatrace("to-dynatrace", port, &[]));
        let book = Book::new(View::Dynatrace);
        let service = home.start();
        deliver(&home, &book, Some(1), 1);
        service.kill();
        let file = only_file(&home, "body");
        let length = std::fs::metadata(&file).unwrap().len();
        match left {
            Some(left) => {
                let file = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
                file.set_len(left).unwrap();
            }
            None => std::fs::remove_file(&file).unwrap(),
        }

        let _dynatrace = Dynatrace::start(port, TOKEN, &book);
        let service = home.start();
        book.settle("the others arrive", || service.log());
        service.until("it is told", |service| service.points("to-dynatrace", "quarantined") == 1.0);
        assert_eq!(service.metric(ROTTEN), length as f64);
        let log = service.log();
        assert_eq!(service.logged("acknowledged data in the journal is damaged"), 1, "{log}");
        let (code, text) = told(&home, &["doctor", "-c", "hydrant.yaml"]);
        assert!(code == 1 && text.contains("unreadable_entry"), "{text}");
        let kept = files_below(&home.data().join("quarantine"));
        let rest = kept.iter().find(|path| path.extension().is_some_and(|e| e == "body")).unwrap();
        assert_eq!(std::fs::metadata(rest).unwrap().len(), left.unwrap_or(0));
        service.stop();
    }
}
