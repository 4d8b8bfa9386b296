//! Crashes at every step: what was accepted is told and kept with the sums of a plain model.

use std::collections::BTreeMap;

use rehearsal_random::Random;

use super::super::engine::Limits;
use super::house::{House, MINUTE, NOON, Sample, Told, config, plain, sample};

/// Numbers from a seed, so that a failure can be run again.
mod rehearsal_random {
    #[derive(Clone, Debug)]
    pub(super) struct Random(u64);

    impl Random {
        pub(super) fn new(seed: u64) -> Random {
            Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
        }

        pub(super) fn below(&mut self, most: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) % most
        }
    }
}

/// What a test does, in order.
#[derive(Clone, Debug)]
enum Act {
    Put(u64, Vec<Sample>),
    /// Milliseconds later.
    Later(i64),
}

/// A hundred acts of a minute or three: samples on time, late, very late, too old, of the future.
fn script(seed: u64, acts: u64) -> Vec<Act> {
    let mut random = Random::new(seed);
    let mut now = NOON;
    let mut script = Vec::new();
    for id in 0..acts {
        let mut samples = Vec::new();
        for _ in 0..=random.below(4) {
            let back = match random.below(12) {
                0 => 10 * MINUTE,
                1 => 3_600_000 + 7 * MINUTE,
                2 => 3 * 24 * 3_600_000,
                3 => -(random.below(180_000) as i64),
                _ => random.below(100_000) as i64,
            };
            let value = random.below(100) as f64 - 20.0;
            let host = format!("h{}", random.below(5));
            let name = ["Used", "Free"][random.below(2) as usize];
            samples.push(sample(name, &host, now - back, value));
        }
        script.push(Act::Put(id, samples));
        let later = random.below(14_000) as i64;
        now += later;
        script.push(Act::Later(later));
    }
    script
}

/// Plays a script; whenever the disk has died, the house is opened again and goes on, with the next
/// death `again` operations later. What was accepted.
fn play(house: &mut House, script: &[Act], power: bool, again: Option<u64>) -> Vec<Sample> {
    let mut accepted = Vec::new();
    let arm = |house: &House| {
        let Some(again) = again else { return };
        let at = house.disk.operations() + again;
        house.die_at(at, power);
    };
    for act in script {
        match act {
            Act::Put(id, samples) => {
                while let Err(refused) = house.put(*id, samples) {
                    assert!(house.disk.is_cut(), "{refused}");
                    house.crash(power);
                    arm(house);
                }
                let oldest = house.now - 48 * 3_600_000;
                accepted.extend(samples.iter().filter(|one| one.at_ms >= oldest).cloned());
            }
            Act::Later(later) => house.now += later,
        }
        step(house, power, arm);
    }
    for _ in 0..60 {
        house.now += 8_000;
        step(house, power, arm);
    }
    accepted
}

fn step(house: &mut House, power: bool, arm: impl Fn(&House)) {
    // A refusal is no error of the step, but a dead disk is seen.
    let stepped = house.step();
    if house.disk.is_cut() {
        house.crash(power);
        arm(house);
        if house.step().is_err() {
            assert!(house.disk.is_cut());
            house.crash(power);
        }
    } else {
        stepped.unwrap();
    }
}

fn two_streams(house: &House) {
    house.stream("s", |_| {});
    house.stream("own", |own| {
        own.exclude.clear();
        own.include = vec![("AWS/CloudWatch/MetricStreams".to_owned(), Vec::new())];
        own.output_format = "opentelemetry1.0".to_owned();
    });
}

/// Everything that must hold at the end.
fn check(house: &House, accepted: &[Sample], what: &str) {
    let model = plain(accepted);
    assert_eq!(house.told("s"), model, "{what}: the last word on each set");
    assert_eq!(house.kept(&model), model, "{what}: what queries find");
    let mut bodies = BTreeMap::new();
    let sent = house.sent("s");
    for one in &sent {
        let known = bodies.insert(one.id.clone(), one.body.clone());
        assert_eq!(known, None, "{what}: {} came twice", one.id);
    }
    // Each window is said to have been sent exactly once, though it may have been tried often.
    let updates: usize = sent.iter().map(|one| one.points.len()).sum();
    let own: Vec<Told> = house.sent("own").into_iter().flat_map(|one| one.points).collect();
    let mut last = BTreeMap::new();
    for told in own {
        last.insert(told.key, told.set[1]);
    }
    let said = last
        .iter()
        .filter(|((name, stream, _), _)| (name.as_str(), stream.as_str()) == ("MetricUpdate", "s"));
    let said: f64 = said.map(|(_, sum)| sum).sum();
    assert_eq!(said, updates as f64, "{what}: MetricUpdate");
    assert_eq!(house.status().waiting_windows, 0, "{what}");
}

/// *Scenario:* one script, and the disk dies at its first operation, its second, and so on; once as
/// a power cut, once as a killed process.
/// *Guarantees:* every time the sums are those of the plain model, each revision is one body, and
/// nothing is appended twice.
#[test]
fn at_every_step() {
    let script = script(7, 12);
    let mut whole = House::new(1);
    two_streams(&whole);
    let before = whole.disk.operations();
    let accepted = play(&mut whole, &script, true, None);
    check(&whole, &accepted, "without a crash");
    let operations = whole.disk.operations() - before;
    assert!(operations > 100);
    // Every operation was tried once (stride 1); these are enough to see it break.
    for (power, stride) in [(true, 5), (false, 7)] {
        for at in (1..operations).step_by(stride) {
            let mut house = House::new(at);
            two_streams(&house);
            let first = house.disk.operations() + at;
            house.die_at(first, power);
            let accepted = play(&mut house, &script, power, None);
            check(&house, &accepted, &format!("power {power}, operation {at}"));
        }
    }
}

/// *Scenario:* random scripts with a crash every few hundred operations, memory for very few sets
/// in every second of them.
/// *Guarantees:* the same.
#[test]
fn again_and_again() {
    for seed in 1..=24 {
        let sets = if seed % 2 == 0 { 6 } else { 1_000 };
        let limits = Limits { sets, ..Limits::default() };
        let mut house = House::with(seed, config(), limits);
        two_streams(&house);
        let mut random = Random::new(seed);
        let again = 150 + random.below(400);
        let script = script(seed, 40);
        house.disk.cut_at(house.disk.operations() + again);
        let accepted = play(&mut house, &script, seed % 3 != 0, Some(again));
        check(&house, &accepted, &format!("seed {seed}, every {again}"));
    }
}
