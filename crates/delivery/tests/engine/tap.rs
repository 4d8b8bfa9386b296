//! Looking on: what a tap shows, and that it holds up nobody.

use std::collections::BTreeSet;
use std::sync::Arc;

use delivery::{Stats, Tap, TapFilter};
use metric::Format;
use testkit::Reply;

use crate::engine::queues;
use crate::world::{World, accepted, delivered, plain, wait_until};

/// All lines that wait.
fn drained(tap: &mut Tap, runtime: &tokio::runtime::Handle) -> Vec<String> {
    let mut lines = Vec::new();
    let soon = std::time::Duration::from_millis(200);
    while let Ok(Some(line)) =
        runtime.block_on(async { tokio::time::timeout(soon, tap.next()).await })
    {
        lines.push(String::from_utf8(line).unwrap());
    }
    lines
}

/// *Scenario:* a destination that finds requests of more than 100 lines too large, so that they are
/// packed again; a tap on the stream, opened before it starts.
/// *Guarantees:* every point is shown once, though it was packed more than once.
#[test]
fn what_is_packed_again_is_shown_once() {
    let world = World::new("tap-split");
    let lines = world.lines.clone();
    world.peer.set_script(move |request| match plain(request).lines().count() {
        101.. => Reply::status(413),
        _ => accepted(lines.take(request)),
    });
    let stats = Arc::<Stats>::default();
    let mut tap = stats.taps.open(TapFilter::default()).unwrap();
    let stream = world.start(world.config("s"), &stats);
    world.deliver(&queues(0..1_000, world.now_ms()), true);
    wait_until("1,000 points", || delivered(&stats) == 1_000);
    let shown = drained(&mut tap, &world.parts(&stats).runtime);
    let distinct: BTreeSet<&String> = shown.iter().collect();
    assert_eq!((shown.len(), distinct.len(), tap.missed()), (1_000, 1_000, 0));
    assert!(stream.join());
}

/// *Scenario:* a tap that nobody reads, on a stream with more points than may wait for it.
/// *Guarantees:* the stream delivers them all; what was not shown is counted, to the point.
#[test]
fn a_tap_that_is_not_read_holds_up_nobody() {
    let world = World::new("tap-unread");
    world.peer_takes_all();
    let stats = Arc::<Stats>::default();
    let mut tap = stats.taps.open(TapFilter::default()).unwrap();
    let stream = world.start(world.config("s"), &stats);
    let count = 12_000;
    world.deliver_points(1, count, Format::Otel10);
    wait_until("all points", || delivered(&stats) == count as u64);
    let shown = drained(&mut tap, &world.parts(&stats).runtime).len() as u64;
    assert!(tap.missed() > 0);
    assert_eq!(shown + tap.missed(), count as u64);
    assert!(stream.join());
}
