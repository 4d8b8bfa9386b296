//! A wall clock that is set while a stream runs: it delivers, buffers and gives up as if nobody had touched it.
//! Records go as they are, so that no point is too old for its destination.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use delivery::sink::http_endpoint::BYTES_MAX;
use delivery::{Buffering, Stats, Stream, StreamConfig};
use testkit::Reply;

use super::queues;
use super::raw::{Receiver, raw};
use crate::world::{MINUTE_MS, World, backed_up, delivered, wait_until};

const HOUR_MS: i64 = 3_600_000;
/// Longer than the first probes and the buffering of these tests, shorter than any step of the clock.
const SOON: Duration = Duration::from_secs(12);

/// Puts so many records into the journal.
fn deliver(world: &World, records: u32) {
    world.deliver(&queues(0..100 * records, MINUTE_MS), true);
}

fn take_all(world: &World) {
    let receiver = Receiver::default();
    world.peer.set_script(move |request| receiver.take(request));
}

/// How far each clock is ahead of the world's.
#[derive(Clone, Default)]
struct Ahead {
    wall: Arc<AtomicI64>,
    steady: Arc<AtomicI64>,
}

impl Ahead {
    fn start(&self, world: &World, config: StreamConfig, stats: &Arc<Stats>) -> Stream {
        let mut parts = world.parts(stats);
        for (clock, ahead) in [(&mut parts.clock, &self.wall), (&mut parts.steady, &self.steady)] {
            let (base, ahead) = (Arc::clone(clock), Arc::clone(ahead));
            *clock = Arc::new(move || base() + ahead.load(Ordering::Relaxed));
        }
        Stream::start(config, &raw(world, BYTES_MAX), parts).unwrap()
    }

    fn step_wall(&self, ms: i64) {
        self.wall.fetch_add(ms, Ordering::Relaxed);
    }

    /// Time passes, for both.
    fn pass(&self, ms: i64) {
        self.step_wall(ms);
        self.steady.fetch_add(ms, Ordering::Relaxed);
        // It is seen within a second, when the stream does its housekeeping.
        std::thread::sleep(Duration::from_millis(1_500));
    }
}

/// Scenario: the destination is down; the wall clock is set back by an hour, then the destination is back.
/// Guarantees: the next probe comes as it would have come, and is told at the time that clocks show now.
#[test]
fn a_clock_set_back_delays_no_probe() {
    let (world, ahead) = (World::new("clock-probe"), Ahead::default());
    world.peer.set(Reply::status(503));
    world.hold("s");
    deliver(&world, 3);
    let stats = Arc::<Stats>::default();
    let stream = ahead.start(&world, world.config("s"), &stats);
    wait_until("the outage", || stats.state().outage_since_ms.is_some());
    ahead.step_wall(-HOUR_MS);
    wait_until("it is told by the new time", || {
        let told = stats.state();
        let now = world.now_ms() - HOUR_MS;
        let times = [told.outage_since_ms.unwrap(), told.next_attempt_ms.unwrap()];
        times.iter().all(|time| time.abs_diff(now) < 60_000)
    });
    take_all(&world);
    let begun = Instant::now();
    wait_until("all records", || delivered(&stats) == 3);
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert!(stream.join());
}

/// Scenario: a stream buffers for 3 s; the wall clock is set back by an hour just after a delivery, and
/// again before the next.
/// Guarantees: both deliveries go after 3 s, not before.
#[test]
fn a_clock_set_back_delays_no_buffer() {
    let (world, ahead) = (World::new("clock-buffer"), Ahead::default());
    let mut config = world.config("s");
    take_all(&world);
    config.buffering = Buffering { size_bytes: 5 << 20, interval: Duration::from_secs(3) };
    let stats = Arc::<Stats>::default();
    let stream = ahead.start(&world, config, &stats);
    for number in 1..=2 {
        let begun = Instant::now();
        deliver(&world, 1);
        std::thread::sleep(Duration::from_millis(200));
        ahead.step_wall(-HOUR_MS);
        wait_until("all records", || delivered(&stats) == number);
        let took = begun.elapsed();
        assert!((Duration::from_millis(2_500)..SOON).contains(&took), "{took:?}");
    }
    assert!(stream.join());
}

/// Scenario: the destination is down; the wall clock is set forward by three days; more arrives, the
/// first delivery comes to the end of its retry duration, the destination comes back.
/// Guarantees: nothing is given up before its time, whatever the wall clock shows; the first is then, and
/// the second, which is younger, is delivered.
#[test]
fn a_clock_set_forward_gives_nothing_up() {
    let (world, ahead) = (World::new("clock-retry"), Ahead::default());
    world.peer.set(Reply::status(503));
    world.hold("s");
    deliver(&world, 3);
    let mut config = world.config("s");
    config.retry_duration = Duration::from_secs(3_600);
    let stats = Arc::<Stats>::default();
    let stream = ahead.start(&world, config, &stats);
    wait_until("the outage", || stats.state().outage_since_ms.is_some());
    ahead.step_wall(72 * HOUR_MS);
    ahead.pass(HOUR_MS / 6 * 5);
    deliver(&world, 2);
    assert_eq!(backed_up(&stats), 0);
    ahead.step_wall(72 * HOUR_MS);
    ahead.pass(HOUR_MS / 6);
    ahead.pass(HOUR_MS / 20);
    wait_until("the first is given up", || backed_up(&stats) == 3);
    take_all(&world);
    ahead.pass(HOUR_MS / 20);
    wait_until("the second is delivered", || delivered(&stats) == 2);
    assert!(stream.join());
    assert_eq!(backed_up(&stats), 3);
}

/// Scenario: the destination is down and stays down; the wall clock is set back by an hour.
/// Guarantees: what arrived before it and what arrives behind it goes to the backup in its time.
#[test]
fn a_clock_set_back_delays_no_backup() {
    let (world, ahead) = (World::new("clock-backup"), Ahead::default());
    world.peer.set(Reply::status(503));
    let mut config = world.config("s");
    config.retry_duration = Duration::from_secs(3);
    let stats = Arc::<Stats>::default();
    let stream = ahead.start(&world, config, &stats);
    deliver(&world, 3);
    wait_until("the outage", || stats.state().outage_since_ms.is_some());
    ahead.step_wall(-HOUR_MS);
    deliver(&world, 2);
    wait_until("both are given up", || backed_up(&stats) == 5);
    assert!(stream.join());
}
