//! Listing: what is read once, what is read again, and what must never be missed.

use std::time::Duration;

use intake::objects::s3::Config;
use intake::objects::{Reason, State};
use metric::Format;

use crate::common::{House, now_ms, object, wait, wait_for};
use crate::world::{World, start};

const HOUR: i64 = 3_600_000;

fn small(seed: u64) -> Vec<u8> {
    object(Format::Otel10, 10, seed)
}

/// *Scenario:* a prefix of several pages is listed once; folders and other prefixes lie beside it.
/// *Guarantees:* all points are in the journal, the source is done; run again it reads nothing.
#[test]
fn a_prefix_is_read_once() {
    let (mut house, world) = (House::new(), World::new());
    for n in 0..25 {
        world.put(&format!("in/k{n:02}"), small(n));
    }
    world.put("in/folder/", "");
    world.put("out/k", small(99));
    world.sky().page = 10;
    let config = || Config { prefix: "in/".to_owned(), ..world.config() };
    let stats = start(&house, config()).end();
    assert!(stats.is_done() && stats.state() == State::Done);
    assert_eq!((stats.objects.get(), house.points()), (25, 250));
    let read = world.sky().read.len();
    let stats = start(&house, config()).end();
    assert_eq!((stats.objects.get(), stats.is_done(), world.sky().read.len()), (0, true, read));
}

/// *Scenario:* two streams share a prefix; after both were read for days, an object appears in the
/// first that sorts far before what is done in the second, then one that sorts before the floor;
/// an object is written over.
/// *Guarantees:* each is read in the next round (the one below the floor when the whole prefix is
/// listed again), nothing else is read twice.
#[test]
fn what_appears_later_and_sorts_earlier_is_found() {
    let (mut house, world) = (House::new(), World::new());
    let now = now_ms();
    for n in 0..5 {
        world.put_at(&format!("a/old{n}"), small(n), now - (100 - n as i64) * HOUR);
        world.put_at(&format!("b/new{n}"), small(10 + n), now - (5 - n as i64) * HOUR);
    }
    start(&house, world.config()).end();
    assert_eq!(house.points(), 100);
    world.put_at("a/zlate", small(20), now);
    world.put_at("b/new0", small(21), now);
    start(&house, world.config()).end();
    assert_eq!(house.points(), 20);
    // The floor is behind what is old by now, and the next round begins there.
    start(&house, world.config()).end();
    assert_eq!(world.sky().listed.last().unwrap(), "a/old4");
    world.put_at("a/ancient", small(22), now);
    let running =
        start(&house, Config { interval: Some(Duration::from_millis(20)), ..world.config() });
    let rounds = world.sky().listed.len();
    wait("two rounds", || world.sky().listed.len() > rounds + 2);
    // The position is behind it; the whole prefix is listed every six hours.
    assert_eq!(house.points(), 0);
    running.stop();
    house.later(7 * HOUR);
    let rounds = world.sky().listed.len();
    // The stop may have been in the middle of a round, which is ended before the next one begins.
    start(&house, world.config()).end();
    start(&house, world.config()).end();
    assert_eq!(house.points(), 10);
    assert!(world.sky().listed[rounds..].iter().any(|after| after.is_empty()));
}

/// *Scenario:* the first listing begins after a key; later ones do as well, the whole ones too.
/// *Guarantees:* what is before that key is never read.
#[test]
fn start_after_holds_for_ever() {
    let (mut house, world) = (House::new(), World::new());
    for n in 0..6 {
        world.put(&format!("k{n}"), small(n));
    }
    let config = || Config { start_after: Some("k3".to_owned()), ..world.config() };
    start(&house, config()).end();
    assert_eq!(house.points(), 20);
    house.later(7 * HOUR);
    world.put("k2", small(9));
    world.put("k9", small(10));
    start(&house, config()).end();
    assert_eq!(house.points(), 10);
}

/// *Scenario:* one object of many is denied, one is gone between listing and reading, one is poison.
/// *Guarantees:* the others are read at once; the denied one keeps the source from being done, is
/// told, and is read when it is allowed; the position does not pass it.
#[test]
fn a_denied_object_is_asked_for_again() {
    let (mut house, world) = (House::new(), World::new());
    for n in 0..6 {
        world.put_at(&format!("k{n}"), small(n), now_ms() - 100 * HOUR);
    }
    world.put("k7", "a,b\n1,2\n");
    world.change("k1", |thing| thing.fault = Some((403, "AccessDenied", 2)));
    world.change("k2", |thing| thing.fault = Some((404, "NoSuchKey", 9)));
    let config = || Config { interval: Some(Duration::from_millis(20)), ..world.config() };
    let running = start(&house, config());
    wait_for(&running.stats, "the others", |stats| stats.objects.get() == 5);
    wait_for(&running.stats, "the denied one", |stats| stats.objects.get() == 6);
    assert_eq!(running.stats.put_off.get(), 2);
    wait_for(&running.stats, "calm", |stats| stats.state() == State::Waiting);
    running.stop();
    assert_eq!((house.points(), house.reasons().len()), (50, 2));
    let stats = start(&house, world.config()).end();
    assert_eq!((stats.objects.get(), stats.rejected(Reason::Missing)), (0, 0));
}

/// *Scenario:* the bucket is not there, is denied, is in another region; then it is well.
/// *Guarantees:* the state names the refusal and its remedy, and the source goes on by itself.
#[test]
fn a_refused_listing_is_told_and_passes() {
    for (status, code) in [(404, "NoSuchBucket"), (403, "AccessDenied"), (301, "PermanentRedirect")]
    {
        let (mut house, world) = (House::new(), World::new());
        world.put("k", small(1));
        world.sky().list_fault = Some((status, code));
        let running = start(&house, world.config());
        wait_for(&running.stats, "a refusal", |stats| matches!(stats.state(), State::Refused(_)));
        let State::Refused(trouble) = running.stats.state() else { panic!("refused") };
        assert!(trouble.text.contains(code) && trouble.remedy.is_some(), "{trouble:?}");
        world.sky().list_fault = None;
        assert!(running.end().is_done());
        assert_eq!(house.points(), 10);
    }
}

/// *Scenario:* the position is lost (damaged), and is of another prefix.
/// *Guarantees:* the objects are read again and the journal knows them: nothing is stored twice.
#[test]
fn a_lost_position_costs_only_reading() {
    let (mut house, world) = (House::new(), World::new());
    for n in 0..5 {
        world.put(&format!("k{n}"), small(n));
    }
    start(&house, world.config()).end();
    assert_eq!(house.points(), 50);
    std::fs::write(house.dir.join("state/listing"), "nonsense").unwrap();
    let stats = start(&house, world.config()).end();
    assert_eq!((stats.objects.get(), stats.repeats.get(), house.points()), (5, 5, 0));
    let stats = start(&house, Config { prefix: "k".to_owned(), ..world.config() }).end();
    assert_eq!((stats.objects.get(), stats.repeats.get(), house.points()), (5, 5, 0));
}

/// *Scenario:* stopped in the middle of a long listing.
/// *Guarantees:* the next start goes on behind the pages that were done.
#[test]
fn a_stopped_listing_goes_on() {
    let (mut house, world) = (House::new(), World::new());
    for n in 0..30 {
        world.put(&format!("k{n:02}"), small(n));
    }
    world.sky().page = 5;
    world.change("k17", |thing| thing.slow = Duration::from_secs(3600));
    let running = start(&house, world.config());
    wait("it hangs", || world.sky().read.contains(&"k17".to_owned()));
    running.stop();
    world.change("k17", |thing| thing.slow = Duration::ZERO);
    world.sky().listed.clear();
    let stats = start(&house, world.config()).end();
    assert_eq!(world.sky().listed[0], "k14");
    assert!(stats.is_done() && stats.objects.get() <= 15);
    assert_eq!(house.points(), 300);
}

/// *Scenario:* the clock is two days ahead while a prefix is read, then it is set right; an object
/// appears that sorts before the floor.
/// *Guarantees:* the whole prefix is listed again, and not only after two days.
#[test]
fn a_clock_set_back_puts_no_listing_off() {
    let (mut house, world) = (House::new(), World::new());
    let now = now_ms();
    for n in 0..5 {
        world.put_at(&format!("a/old{n}"), small(n), now - (100 - n as i64) * HOUR);
        world.put_at(&format!("b/new{n}"), small(10 + n), now - (5 - n as i64) * HOUR);
    }
    house.later(48 * HOUR);
    start(&house, world.config()).end();
    start(&house, world.config()).end();
    assert_eq!(house.points(), 100);
    house.later(-48 * HOUR);
    world.put_at("a/ancient", small(22), now);
    start(&house, world.config()).end();
    assert_eq!(house.points(), 10);
}
