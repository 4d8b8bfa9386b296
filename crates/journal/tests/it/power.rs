//! Power fails at every operation of several scenarios; the journal is opened again and asked what it kept.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use journal::sim::SimDisk;
use journal::{Appended, Body, Cursor, Item, Journal, Options, Position, Refused, Start, Topic};

use crate::common::{append, at, item, keyed, read_from, small, store};

const ROOT: &str = "/data/journal";

/// What the test knows: who was told what.
#[derive(Default)]
struct Facts {
    /// Sequence, key and body of all that was acknowledged.
    acked: BTreeMap<u64, (Option<u128>, Vec<u8>)>,
    /// Bodies that were offered, acknowledged or not.
    offered: Vec<Vec<u8>>,
    /// Sequences the cursor settled, durably or not.
    settled: Vec<u64>,
    /// The low mark at the last sync that succeeded.
    synced: Option<Position>,
    next_key: u128,
}

/// A run on a disk whose power may fail any time: each step stops quietly once it has.
struct Run {
    disk: SimDisk,
    facts: Facts,
    seed: u64,
}

type Answer = Receiver<Result<Appended, Refused>>;

impl Run {
    fn open(&self) -> Option<(Journal, Topic)> {
        let (journal, recovery) =
            Journal::open_on(Arc::new(self.disk.clone()), Path::new(ROOT), small()).ok()?;
        assert_eq!(recovery.rotten_bytes, 0, "a power cut is not rot: {recovery:?}");
        let topic = journal.topic("aws").ok()?;
        Some((journal, topic))
    }

    fn offer(&mut self, topic: &Topic, length: usize) -> (u128, Vec<u8>, Answer) {
        self.facts.next_key += 1;
        let key = self.facts.next_key;
        let body: Vec<u8> = (0..length).map(|n| (n as u128 * 31 + key * 17) as u8).collect();
        self.facts.offered.push(body.clone());
        let (told, answer) = sync_channel(1);
        topic.append(keyed(key, 0, &body), Box::new(move |outcome| told.send(outcome).unwrap()));
        (key, body, answer)
    }

    fn learn(&mut self, (key, body, answer): (u128, Vec<u8>, Answer)) {
        if let Ok(Appended::Stored { sequence, .. }) = answer.recv().unwrap() {
            let before = self.facts.acked.insert(sequence, (Some(key), body));
            assert!(before.is_none(), "sequence {sequence} was used twice");
        }
    }

    fn append(&mut self, topic: &Topic, length: usize) {
        let offered = self.offer(topic, length);
        self.learn(offered);
    }

    fn append_side(&mut self, topic: &Topic, length: usize) {
        let body: Vec<u8> = (0..length).map(|n| (n * 7) as u8).collect();
        let Ok(mut writer) = topic.side_file() else { return };
        let written = body.chunks(900).try_for_each(|chunk| writer.write(chunk));
        let Some(side) = written.ok().and_then(|()| writer.finish().ok()) else { return };
        self.facts.offered.push(body.clone());
        let item = Item { key: None, head: Vec::new(), body: Body::Side(side) };
        if let Ok(Appended::Stored { sequence, .. }) = append(topic, item) {
            self.facts.acked.insert(sequence, (None, body));
        }
    }

    fn settle(&mut self, cursor: &mut Cursor, from: u64, to: u64) {
        let to = to.min(cursor.end());
        if from < to {
            let there = |sequence: &u64| self.facts.acked.contains_key(sequence);
            self.facts.settled.extend((from..to).filter(there));
            drop(cursor.settle(at(from), at(to)));
        }
    }

    fn sync(&mut self, cursor: &mut Cursor) {
        let low = cursor.low();
        if cursor.sync().is_ok() {
            self.facts.synced = Some(low);
        }
    }

    /// Opens what the cut left and compares it with what was said.
    fn check(&mut self, what: &str) {
        let violations = self.disk.violations();
        assert!(violations.is_empty(), "{what}: {violations:?}");
        self.disk = self.disk.power_cut();
        for turn in 0..2 {
            let what = format!("{what}, turn {turn}, seed {}", self.seed);
            let (journal, topic) = self.open().unwrap_or_else(|| panic!("{what}: does not open"));
            let mut cursor = topic.cursor("one", Start::Oldest).unwrap();
            self.check_cursor(&cursor, &what);
            let next = store(&topic, item("", b"after"));
            let highest = self.facts.acked.keys().chain(&self.facts.settled).max();
            assert!(
                highest.is_none_or(|highest| *highest < next),
                "{what}: {next} was used before"
            );
            self.facts.acked.insert(next, (None, b"after".to_vec()));
            self.facts.offered.push(b"after".to_vec());
            for (key, body) in self.facts.acked.values() {
                let Some(key) = *key else { continue };
                let repeat = append(&topic, keyed(key, 0, body));
                assert_eq!(repeat, Ok(Appended::Repeat), "{what}: key {key} is forgotten");
            }
            // All of it can be settled, whatever holes there are.
            let end = cursor.end();
            let all = read_from(&cursor, 0);
            if turn == 1 {
                for (sequence, ..) in &all {
                    cursor.settle(at(*sequence), at(sequence + 1)).unwrap();
                }
                assert_eq!((cursor.low(), cursor.backlog_bytes()), (at(end), 0), "{what}");
            }
            drop(cursor);
            journal.close();
        }
    }

    fn check_cursor(&self, cursor: &Cursor, what: &str) {
        let low = cursor.low();
        if let Some(synced) = self.facts.synced {
            assert!(low >= synced, "{what}: the cursor went back from {synced:?} to {low:?}");
        }
        let there: BTreeMap<u64, Vec<u8>> =
            read_from(cursor, 0).into_iter().map(|(sequence, _, body)| (sequence, body)).collect();
        for body in there.values() {
            assert!(self.facts.offered.contains(body), "{what}: an entry nobody wrote");
        }
        for (sequence, (_, body)) in &self.facts.acked {
            if self.facts.settled.contains(sequence) {
                continue;
            }
            assert!(at(*sequence) >= low, "{what}: {sequence} is lost below the cursor");
            assert_eq!(there.get(sequence), Some(body), "{what}: acknowledged {sequence} is lost");
        }
    }
}

/// Runs `scenario` once whole, then once for each operation with the power failing in it.
fn at_every_operation(seeds: u64, scenario: impl Fn(&mut Run) -> Option<()>) {
    for seed in 0..seeds {
        let run_to = |cut: Option<u64>| {
            let disk = SimDisk::new(seed * 1000 + cut.unwrap_or(0));
            if let Some(cut) = cut {
                disk.cut_at(cut);
            }
            let mut run = Run { disk, facts: Facts::default(), seed };
            scenario(&mut run);
            let operations = run.disk.operations();
            run.check(&format!("power cut at {cut:?}"));
            (operations, run.facts.acked.len())
        };
        let (operations, acked) = run_to(None);
        assert!(acked > 4, "the scenario does something");
        for cut in 1..=operations {
            run_to(Some(cut));
        }
    }
}

/// *Scenario:* appends of many sizes, alone and in groups, through several segments; power fails at every step.
/// *Guarantees:* I1: what was acknowledged is there, whole; nothing else appears; keys and sequences hold.
#[test]
fn i1_power_cut_while_appending() {
    at_every_operation(2, |run| {
        let (_journal, topic) = run.open()?;
        drop(topic.cursor("one", Start::Oldest).ok()?);
        for length in [0, 1, 500, 3000, 7, 9000] {
            run.append(&topic, length);
        }
        let offered: Vec<_> = (0..5).map(|n| run.offer(&topic, 700 * n)).collect();
        for one in offered {
            run.learn(one);
        }
        for _ in 0..4 {
            run.append(&topic, 5000);
        }
        Some(())
    });
}

/// *Scenario:* a cursor settles, syncs and frees segments while appends go on; power fails at every step.
/// *Guarantees:* what it had not settled is read again; it never goes back behind its last sync; keys outlive
/// their segments.
#[test]
fn i1_power_cut_while_settling() {
    at_every_operation(2, |run| {
        let (_journal, topic) = run.open()?;
        let mut cursor = topic.cursor("one", Start::Oldest).ok()?;
        for round in 0..5_u64 {
            for _ in 0..3 {
                run.append(&topic, 4000);
            }
            run.settle(&mut cursor, round * 3, round * 3 + 1);
            run.settle(&mut cursor, round * 3 + 2, round * 3 + 3);
            run.sync(&mut cursor);
            run.settle(&mut cursor, round * 3 + 1, round * 3 + 2);
            if round % 2 == 1 {
                run.sync(&mut cursor);
            }
        }
        Some(())
    });
}

/// *Scenario:* the journal is closed, opened and killed between appends; power fails at every step.
/// *Guarantees:* as above, over several lives of the process.
#[test]
fn i1_power_cut_over_restarts() {
    at_every_operation(2, |run| {
        for life in 0..4 {
            let (journal, topic) = run.open()?;
            let mut cursor = topic.cursor("one", Start::Oldest).ok()?;
            for _ in 0..3 {
                run.append(&topic, 1500);
            }
            run.settle(&mut cursor, life * 3, life * 3 + 2);
            if life % 2 == 0 {
                journal.close();
            } else {
                let killed = run.disk.is_cut();
                let next = run.disk.kill();
                if !killed {
                    run.disk = next;
                }
            }
        }
        Some(())
    });
}

/// *Scenario:* bodies go through side files, are settled and freed; power fails at every step.
/// *Guarantees:* acknowledged side files are there whole; none that nobody needs stays.
#[test]
fn i1_power_cut_with_side_files() {
    at_every_operation(2, |run| {
        let (_journal, topic) = run.open()?;
        let mut cursor = topic.cursor("one", Start::Oldest).ok()?;
        for round in 0..4 {
            run.append_side(&topic, 3000 + 10 * round as usize);
            run.append(&topic, 100);
            if round > 0 {
                run.settle(&mut cursor, 0, round * 2 - 1);
                run.sync(&mut cursor);
            }
        }
        Some(())
    });
}

/// *Scenario:* syncs fail in between, and power fails at every step.
/// *Guarantees:* nothing acknowledged before or after is lost; no file is synced again after it failed.
#[test]
fn i1_power_cut_around_failed_syncs() {
    at_every_operation(4, |run| {
        let (_journal, topic) = run.open()?;
        let mut cursor = topic.cursor("one", Start::Oldest).ok()?;
        for round in 0..4 {
            run.append(&topic, 2000);
            run.disk.fail_syncs(0, 1 + round % 2);
            run.append(&topic, 300);
            while !run.disk.is_cut() && topic.refusing().is_some() {
                std::thread::yield_now();
            }
            run.append(&topic, 10);
            run.settle(&mut cursor, 0, 1);
            run.disk.fail_syncs(0, round % 2);
            run.sync(&mut cursor);
            run.sync(&mut cursor);
        }
        Some(())
    });
}

/// *Scenario:* the default limits.
/// *Guarantees:* a commit fits in a segment, a segment in the budget.
#[test]
fn default_limits_fit_each_other() {
    let Options { segment_bytes, budget_bytes, commit_bytes, .. } = Options::default();
    assert!(commit_bytes as u64 <= segment_bytes && segment_bytes <= budget_bytes);
}
