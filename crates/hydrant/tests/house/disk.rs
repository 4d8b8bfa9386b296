//! A disk that is full, and one that fails: nothing acknowledged is lost, delivery goes on, and one
//! can see why nothing is taken. A small file system in memory and `strace` (Debian: `strace`) make
//! the faults; both want root, and a test that cannot get them fails and says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use metric::Format;
use rehearsal::ledger::View;
use rehearsal::sender::{Request, Sender};

use crate::load::{self, Load};
use crate::points::{Batch, now_ms};
use crate::receivers::{Book, Dynatrace, TOKEN, to_dynatrace};
use crate::service::{Home, eventually, free_port};

/// The file system: a segment of the smallest disk budget (19 MiB) fits beside the ballast, two do not.
const DISK: &str = "size=40m";
const BALLAST_BYTES: usize = 10 << 20;
/// Bytes of a delivery, nearly all of them blanks: below what goes to a file of its own (4 MiB).
const DELIVERY_BYTES: usize = 3_500_000;
/// More deliveries than the disk can hold.
const DELIVERIES_MAX: u64 = 12;

/// A file system of its own, unmounted on drop.
pub(crate) struct Mount(PathBuf);

impl Mount {
    pub(crate) fn new(path: &Path) -> Mount {
        std::fs::create_dir_all(path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", DISK, "hydrant-test"])
            .arg(path)
            .status()
            .expect("this test needs the program mount");
        assert!(mounted.success(), "this test mounts a tmpfs: run it as root");
        Mount(path.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazy: a process that a failed test leaves behind is killed a moment later.
        Command::new("umount").arg("--lazy").arg(&self.0).status().ok();
    }
}

/// A delivery of much white space: legal JSON, stored as received.
fn wide(id: &str, batch: &Batch) -> Request {
    let sender = Sender { gzip: false, ..load::sender() };
    let mut request = sender.compose(id, now_ms(), &batch.records(Format::Otel10));
    let blanks = std::iter::repeat_n(b' ', DELIVERY_BYTES);
    request.body.splice(1..1, blanks);
    request
}

/// *Scenario:* the destination is down and deliveries fill the disk; the destination comes back; then
/// someone makes room.
/// *Guarantees:* a delivery that finds no room gets 503, /readyz, metrics and log say that the disk is
/// full, what was taken is delivered meanwhile, and with room deliveries are taken again by themselves.
#[test]
fn a_full_disk_refuses_and_delivers() {
    let port = free_port();
    let home = Home::new("full");
    let _mount = Mount::new(&home.data());
    let ballast = home.data().join("ballast");
    std::fs::write(&ballast, vec![0; BALLAST_BYTES]).unwrap();
    home.write(&to_dynatrace("to-dynatrace", port, &[]));
    let book = Book::new(View::Dynatrace);
    let service = home.start();
    // Repeated as it is, as Firehose does: the points are of the minute in which they were made.
    let make = |number: u64| {
        let batch = Batch::new(number, 20);
        batch.each(|_, point| book.lock().expect(number, point));
        (number, wide(&number.to_string(), &batch))
    };
    let send = |(number, request): &(u64, Request)| {
        let answer = load::post(home.source, "/", request).unwrap();
        if answer.status == 200 {
            book.lock().acknowledge(*number);
        }
        answer
    };
    let mut deliveries = (0..DELIVERIES_MAX).map(make);
    let refused = deliveries.find_map(|delivery| {
        let answer = send(&delivery);
        (answer.status != 200).then_some((delivery, answer))
    });
    let (refused, answer) = refused.expect("the disk is smaller than all deliveries");
    let taken = refused.0;
    assert!((2..=8).contains(&taken), "{taken} deliveries were taken");
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.text().contains("No space left"), "{}", answer.text());
    assert_eq!(
        service.metric("hydrant_source_rejected_total{source=\"aws\",reason=\"disk\"}"),
        1.0
    );
    let ready = service.get("/readyz");
    let why = ready.text();
    assert_eq!(ready.status, 503, "{why}");
    assert!(why.contains("source aws") && why.contains("No space left"), "{why}");
    let status = service.status();
    assert_eq!(status["ready"], false, "{status}");
    assert_eq!(service.get("/healthz").status, 200);

    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let compared = book.settle("what was taken is delivered", || service.log());
    assert_eq!(compared.arrived, 20 * taken, "{compared:?}");

    std::fs::remove_file(&ballast).unwrap();
    eventually("deliveries are taken again", || send(&refused).status == 200, || service.log());
    book.settle("all is delivered", || service.log());
    service.until("it says that it is ready", |s| s.get("/readyz").status == 200);
    service.stop();
}

/// *Scenario:* under load the twelfth sync of each thread fails, which is one of the journal's; later
/// the process is killed and started again.
/// *Guarantees:* deliveries that were not synced get 503, are repeated and taken; no point of an
/// answered delivery is missing; the failed syncs are counted and told.
#[test]
fn a_failing_fsync_loses_nothing_acknowledged() {
    let port = free_port();
    let home = Home::new("fsync");
    home.write(&to_dynatrace("to-dynatrace", port, &[]));
    let book = Book::new(View::Dynatrace);
    let dynatrace = Dynatrace::start(port, TOKEN, &book);
    let service = home.start_with_fault("inject=fsync,fdatasync:error=EIO:when=12");
    let load = Load::start(home.source, 0xf57c, (4, 50), &[&book]);
    let failures = "hydrant_journal_sync_failures_total{topic=\"aws\"}";
    service.until("a sync has failed", |s| s.metric(failures) >= 1.0);
    service.until("it is told", |s| s.get("/readyz").text().contains("disk failed"));
    let before = load.yes();
    eventually("deliveries are taken again", || load.yes() > before + 8, || service.log());
    assert!(load.repeats() > 0, "deliveries were refused meanwhile");
    service.kill();

    let service = home.start();
    load.finish();
    let compared = book.settle("every promised point has arrived", || service.log());
    assert_eq!(dynatrace.receiver.stats().snapshot().first_error, None);
    service.stop();
    println!("{compared:?}");
}
