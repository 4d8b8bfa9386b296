//! Random lives of a journal against a small model that only knows what was promised.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use journal::sim::SimDisk;
use journal::{Appended, Body, Cursor, Item, Journal, Options, Position, Start, Topic};

use crate::common::{append, at, keyed, read_from, small};

const ROOT: &str = "/data/journal";
const CURSORS: [&str; 2] = ["one", "two"];

/// What was promised.
#[derive(Default)]
struct Model {
    /// Acknowledged: sequence, key, body.
    acked: BTreeMap<u64, (u128, Vec<u8>)>,
    /// Offered, whether or not acknowledged: a body by its key.
    offered: BTreeMap<u128, Vec<u8>>,
    /// Per cursor: the keys of the entries it settled, acknowledged or not.
    delivered: [BTreeSet<Vec<u8>>; 2],
    /// Per cursor: the low mark as of the last sync, and every range it ever settled.
    synced: [Position; 2],
    settled: [Vec<(u64, u64)>; 2],
    keys: u128,
}

/// The journal under test.
struct World {
    disk: SimDisk,
    journal: Journal,
    topic: Topic,
    cursors: Vec<Cursor>,
}

fn options(seed: u64) -> Options {
    // At once, or never in this life: that is the same in each run.
    let retry_after = Duration::from_secs(3600 * (seed % 2));
    Options { budget_bytes: 160 * 1024, retry_after, ..small() }
}

impl World {
    fn open(disk: SimDisk, seed: u64) -> World {
        let opened = Journal::open_on(Arc::new(disk.clone()), Path::new(ROOT), options(seed));
        let (journal, recovery) = opened.unwrap();
        assert_eq!(recovery.rotten_bytes, 0, "{recovery:?}");
        let topic = journal.topic("aws").unwrap();
        let cursors = CURSORS.map(|name| topic.cursor(name, Start::Oldest).unwrap()).into();
        World { disk, journal, topic, cursors }
    }
}

/// splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }
}

impl Model {
    fn append(&mut self, world: &World, dice: &mut Dice) {
        let length = [0, 10, 1000, 5000, 20_000][dice.roll(5) as usize];
        self.keys += 1;
        let mut body = vec![self.keys as u8; length];
        body.extend_from_slice(&self.keys.to_le_bytes());
        self.offered.insert(self.keys, body.clone());
        let item = keyed(self.keys, 1, &body);
        let item = match length > 10_000 {
            false => item,
            true => {
                let Ok(mut side) = world.topic.side_file() else { return };
                let written = side.write(&body).and_then(|()| side.finish());
                let Ok(side) = written else { return };
                Item { body: Body::Side(side), ..item }
            }
        };
        match append(&world.topic, item) {
            Ok(Appended::Stored { sequence, other_data: false }) => {
                let highest = self.acked.last_key_value().map(|(sequence, _)| *sequence);
                assert!(highest.is_none_or(|highest| highest < sequence), "used twice");
                self.acked.insert(sequence, (self.keys, body));
            }
            Ok(other) => panic!("a new key: {other:?}"),
            Err(_) => {}
        }
    }

    fn repeat(&mut self, world: &World, dice: &mut Dice) {
        let index = dice.roll(self.acked.len().max(1) as u64) as usize;
        let Some((key, body)) = self.acked.values().nth(index) else { return };
        assert_eq!(append(&world.topic, keyed(*key, 1, body)), Ok(Appended::Repeat), "key {key}");
    }

    /// Sends again what was refused.
    fn retry(&mut self, world: &World, dice: &mut Dice) {
        let acked = |key: &u128| self.acked.values().any(|(known, _)| known == key);
        let refused: Vec<_> = self.offered.iter().filter(|(key, _)| !acked(key)).collect();
        let index = dice.roll(refused.len().max(1) as u64) as usize;
        let Some((key, body)) = refused.get(index).map(|(key, body)| (**key, (*body).clone()))
        else {
            return;
        };
        match append(&world.topic, keyed(key, 1, &body)) {
            Ok(Appended::Stored { sequence, .. }) => {
                self.acked.insert(sequence, (key, body));
            }
            Ok(Appended::Repeat) => {
                for (which, cursor) in world.cursors.iter().enumerate() {
                    let low = cursor.low().sequence;
                    let there = read_from(cursor, low).iter().any(|(.., read)| *read == body);
                    let delivered = self.delivered[which].contains(&body);
                    assert!(there || delivered, "{key} is called a repeat of nothing");
                }
            }
            Err(_) => {}
        }
    }

    fn settle(&mut self, world: &mut World, dice: &mut Dice) {
        let which = dice.roll(2) as usize;
        let cursor = &mut world.cursors[which];
        let from = cursor.low().sequence + dice.roll(4);
        let to = (from + 1 + dice.roll(4)).min(cursor.end());
        if from < to {
            let there = read_from(cursor, from).into_iter();
            let these = there.take_while(|(sequence, ..)| *sequence < to).map(|(.., body)| body);
            self.delivered[which].extend(these);
            // A write that fails settles in memory; the next sync makes it durable.
            drop(cursor.settle(at(from), at(to)));
            self.settled[which].push((from, to));
        }
    }

    fn sync(&mut self, world: &mut World, dice: &mut Dice) {
        let which = dice.roll(2) as usize;
        let low = world.cursors[which].low();
        if world.cursors[which].sync().is_ok() {
            self.synced[which] = low;
        }
    }

    fn check(&self, world: &World) {
        assert_eq!(world.disk.violations(), Vec::<String>::new());
        for (which, cursor) in world.cursors.iter().enumerate() {
            let low = cursor.low();
            assert!(low >= self.synced[which] && low <= at(cursor.end()), "{low:?}");
            let there: BTreeMap<u64, Vec<u8>> = read_from(cursor, 0)
                .into_iter()
                .map(|(sequence, _, body)| (sequence, body))
                .collect();
            for body in there.values() {
                assert!(self.offered.values().any(|offered| offered == body), "from nowhere");
            }
            for (sequence, (_, body)) in &self.acked {
                let settled = &self.settled[which];
                if settled.iter().any(|(from, to)| from <= sequence && sequence < to) {
                    continue;
                }
                assert!(low <= at(*sequence), "{sequence} is behind the cursor");
                assert_eq!(there.get(sequence), Some(body), "acknowledged {sequence} is lost");
            }
            let open = there.range(low.sequence..).count() as u64;
            let known = &world.journal.status()[0].cursors[which];
            assert!(known.entries >= open, "{} entries, {open} read", known.entries);
        }
    }
}

fn live(seed: u64) {
    let mut dice = Dice(seed);
    let mut model = Model::default();
    let mut world = World::open(SimDisk::new(seed), seed);
    for _ in 0..120 {
        match dice.roll(20) {
            0..8 => model.append(&world, &mut dice),
            8 => model.repeat(&world, &mut dice),
            9 => model.retry(&world, &mut dice),
            10..13 => model.settle(&mut world, &mut dice),
            13..15 => model.sync(&mut world, &mut dice),
            15 => world.disk.fail_syncs(dice.roll(2), 1),
            16 => {
                let room = dice.roll(30_000);
                world.disk.set_capacity(Some(world.disk.used() + room));
            }
            17 => world.disk.set_capacity(None),
            18 => {
                model.check(&world);
                world.disk.fail_syncs(0, 0);
                let next = match dice.roll(2) {
                    0 => world.disk.power_cut(),
                    _ => world.disk.kill(),
                };
                world = World::open(next, seed);
                model.check(&world);
            }
            _ => {
                world.journal.close();
                world.disk.fail_syncs(0, 0);
                let next = world.disk.power_cut();
                world = World::open(next, seed);
                model.check(&world);
            }
        }
    }
    model.check(&world);
}

/// *Scenario:* 300 random lives: append, repeat, settle, sync, free, failing syncs, full disks, kills, power
/// cuts and clean restarts, in any order.
/// *Guarantees:* I1 and the rest of the promise, as the model says; no file is synced again after it failed.
#[test]
fn random_lives() {
    for seed in 0..300 {
        let life = std::panic::catch_unwind(|| live(seed));
        assert!(life.is_ok(), "seed {seed}");
    }
}
