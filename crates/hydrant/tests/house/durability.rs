//! What was answered with yes arrives, whatever happens to the process in between.

use std::time::Duration;

use rehearsal::ledger::View;
use rehearsal::random::Random;

use crate::load::{self, Load};
use crate::points::Batch;
use crate::receivers::{Book, Dynatrace, TOKEN, to_dynatrace};
use crate::service::{Home, PATIENCE, eventually, free_port};

/// Times the process is killed.
const KILLS: u32 = 6;
/// Senders at a time, and points of a delivery.
const SENDERS: (usize, u32) = (4, 150);
/// The moment of a kill lies within this of the last thing that was waited for, ms.
const MOMENT_MS: u64 = 400;

/// Kills and restarts the process under load. Every other time it is let come to some answers first.
fn kill_under_load(home: &Home, load: &Load, seed: u64) {
    let mut random = Random::new(seed);
    for round in 0..KILLS {
        let service = home.start();
        let wanted = load.yes() + random.between(1, 20);
        if round % 2 == 0 {
            eventually("deliveries are answered", || load.yes() >= wanted, || service.log());
        }
        std::thread::sleep(Duration::from_millis(random.below(MOMENT_MS)));
        service.kill();
    }
}

/// *Scenario:* four senders repeat each delivery until it is answered with yes, while the process is
/// killed by SIGKILL six times at seeded moments and started again; the destination is there always.
/// *Guarantees:* every point of a delivery answered with yes has arrived, as it was sent.
#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let (seed, port) = (0x5eed_0001, free_port());
    let home = Home::new("kill");
    home.write(&to_dynatrace("to-dynatrace", port, &[]));
    let book = Book::new(View::Dynatrace);
    let dynatrace = Dynatrace::start(port, TOKEN, &book);
    let load = Load::start(home.source, seed, SENDERS, &[&book]);
    kill_under_load(&home, &load, seed);
    let service = home.start();
    let repeats = load.repeats();
    let yes = load.finish();
    let compared = book.settle("every promised point has arrived", || service.log());
    assert!(yes > 20 && repeats > 0, "{yes} deliveries, {repeats} repeats: this was no load");
    assert_eq!(dynatrace.receiver.stats().snapshot().first_error, None);
    service.stop();
    println!("seed {seed:#x}: {yes} deliveries, {repeats} repeats, {compared:?}");
}

/// *Scenario:* the same, but nobody listens where the destination should be until the last start.
/// *Guarantees:* every point of a delivery answered with yes arrives once the destination is there.
#[test]
fn nothing_acknowledged_is_lost_by_kill_9_while_the_destination_is_down() {
    let (seed, port) = (0x5eed_0002, free_port());
    let home = Home::new("kill-down");
    home.write(&to_dynatrace("to-dynatrace", port, &[]));
    let book = Book::new(View::Dynatrace);
    let load = Load::start(home.source, seed, SENDERS, &[&book]);
    kill_under_load(&home, &load, seed);
    let service = home.start();
    let yes = load.finish();
    let compared = book.compare();
    assert_eq!((compared.arrived, yes > 20), (0, true), "{yes} deliveries, {compared:?}");
    service.until("the outage is told", |s| {
        s.metric("hydrant_stream_outage{stream=\"to-dynatrace\"}") > 0.0
    });
    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let compared = book.settle("every promised point has arrived", || service.log());
    service.stop();
    println!("seed {seed:#x}: {yes} deliveries, {compared:?}");
}

/// *Scenario:* a delivery is answered and has arrived, the process is killed and started again, and
/// the same delivery comes a second and a third time.
/// *Guarantees:* each is answered with yes, none is stored again, and metrics count the repeats.
#[test]
fn a_repeat_after_a_restart_is_stored_once() {
    let port = free_port();
    let home = Home::new("repeat");
    home.write(&to_dynatrace("to-dynatrace", port, &[]));
    let book = Book::new(View::Dynatrace);
    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let (sender, id) = (load::sender(), "00000000-0000-4000-8000-000000000001");
    let batch = Batch::new(1, 120);
    let service = home.start();
    assert_eq!(load::deliver(home.source, &sender, id, &batch, &[&book]).status, 200);
    // Told as delivered: then the cursor is past it, and nothing is sent again.
    service.until("it is delivered", |s| s.points("to-dynatrace", "delivered") == 120.0);
    service.kill();

    let service = home.start();
    for _ in 0..2 {
        let answer = load::deliver(home.source, &sender, id, &batch, &[]);
        assert_eq!(answer.status, 200);
        assert!(answer.text().contains(id), "{}", answer.text());
    }
    assert_eq!(service.metric("hydrant_source_repeats_total{source=\"aws\"}"), 2.0);
    assert_eq!(service.metric("hydrant_journal_entries_total{topic=\"aws\"}"), 0.0);
    // Another delivery, so that what might have been stored before it would have been sent.
    let next = Batch::new(2, 10);
    assert_eq!(load::deliver(home.source, &sender, "another", &next, &[&book]).status, 200);
    let compared = book.settle("all has arrived", || service.log());
    assert_eq!((compared.sent, compared.duplicates), (130, 0), "{compared:?}");
    service.stop();
}

/// *Scenario:* the process is killed within its n-th sync of some thread, for several n; each time it
/// is started again, and the senders go on.
/// *Guarantees:* at whatever sync it ends, the next start goes well, and every point of a delivery
/// answered with yes arrives.
#[test]
fn nothing_acknowledged_is_lost_by_a_kill_within_a_sync() {
    let port = free_port();
    let home = Home::new("kill-sync");
    home.write(&to_dynatrace("to-dynatrace", port, &[]));
    let book = Book::new(View::Dynatrace);
    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let load = Load::start(home.source, 0x5eed_0003, SENDERS, &[&book]);
    for number in [1, 2, 3, 5, 8, 13, 21] {
        let fault = format!("inject=fsync,fdatasync:signal=SIGKILL:when={number}");
        let mut process = home.spawn_with_fault(&fault);
        let status = process.wait(PATIENCE);
        assert_eq!(status.code(), None, "it ended by a signal: {}", process.stderr().join("\n"));
    }
    let service = home.start();
    let yes = load.finish();
    let compared = book.settle("every promised point has arrived", || service.log());
    assert!(yes > 10, "{yes} deliveries: this was no load");
    service.stop();
    println!("{yes} deliveries, {compared:?}");
}
