//! What of a topic a cursor has settled: a low mark and the ranges above it.
//!
//! Always: everything below the low mark is settled; ranges are half-open, ascending, disjoint, do not touch,
//! and lie above the low mark. Pure; the slots on disk hold the low mark and the lowest ranges.

use std::collections::BTreeMap;

use crate::item::Position;

/// How much of a range is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Nothing.
    None,
    /// Some of it.
    Part,
    /// All.
    Whole,
}

/// Settled positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    low: Position,
    ranges: BTreeMap<Position, Position>,
}

impl Settled {
    pub(crate) fn new(low: Position) -> Settled {
        Settled { low, ranges: BTreeMap::new() }
    }

    pub(crate) fn low(&self) -> Position {
        self.low
    }

    pub(crate) fn ranges(&self) -> impl Iterator<Item = (Position, Position)> + '_ {
        self.ranges.iter().map(|(from, to)| (*from, *to))
    }

    /// The highest position that was ever settled.
    pub(crate) fn high(&self) -> Position {
        self.ranges.last_key_value().map_or(self.low, |(_, to)| *to)
    }

    /// How much of `from..to` is settled.
    pub(crate) fn coverage(&self, from: Position, to: Position) -> Coverage {
        if to <= self.low {
            return Coverage::Whole;
        }
        let mut touching = self.ranges.iter().filter(|(start, end)| **start < to && **end > from);
        if touching.clone().any(|(start, end)| *start <= from && to <= *end) {
            return Coverage::Whole;
        }
        let begun = self.low > from || touching.next().is_some();
        if begun { Coverage::Part } else { Coverage::None }
    }

    /// Settles `from..to`; true when that changed anything.
    pub(crate) fn add(&mut self, from: Position, to: Position) -> bool {
        let (mut from, mut to) = (from.max(self.low), to);
        if from >= to {
            return false;
        }
        if let Some((start, end)) = self.ranges.range(..=from).next_back() {
            if *end >= to {
                return false;
            }
            if *end >= from {
                from = *start;
            }
        }
        while let Some((start, end)) = self.ranges.range(from..=to).next() {
            let start = *start;
            to = to.max(*end);
            self.ranges.remove(&start);
        }
        if from <= self.low {
            self.low = to;
        } else {
            self.ranges.insert(from, to);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sequence: u64, ordinal: u32) -> Position {
        Position { sequence, ordinal }
    }

    /// *Scenario:* an entry before, in, across and behind what is settled.
    /// *Guarantees:* whole, part or nothing of it.
    #[test]
    fn coverage_of_an_entry() {
        let mut settled = Settled::new(at(3, 2));
        settled.add(at(5, 0), at(6, 0));
        settled.add(at(7, 4), at(8, 1));
        let of = |sequence| settled.coverage(at(sequence, 0), at(sequence + 1, 0));
        let expected = [
            (2, Coverage::Whole),
            (3, Coverage::Part),
            (4, Coverage::None),
            (5, Coverage::Whole),
            (6, Coverage::None),
            (7, Coverage::Part),
            (8, Coverage::Part),
            (9, Coverage::None),
        ];
        for (sequence, coverage) in expected {
            assert_eq!(of(sequence), coverage, "{sequence}");
        }
    }

    /// *Scenario:* 20,000 random ranges over 40 positions, in a set and in an array of booleans.
    /// *Guarantees:* both agree at every step on what is settled, and the ranges stay in their form.
    #[test]
    fn agrees_with_an_array() {
        let mut state = 1_u64;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..2_000 {
            let mut settled = Settled::new(at(0, 0));
            let mut model = [false; 40];
            for _ in 0..10 {
                let from = random(40);
                let to = (from + random(8)).min(40);
                let before = settled.clone();
                let changed = settled.add(at(from, 0), at(to, 0));
                assert_eq!(changed, before != settled);
                model[from as usize..to as usize].fill(true);
                let low = model.iter().position(|one| !one).unwrap_or(40) as u64;
                assert_eq!(settled.low(), at(low, 0));
                let mut last = settled.low();
                for (from, to) in settled.ranges() {
                    assert!(last < from && from < to);
                    last = to;
                }
                for (index, expected) in model.iter().enumerate() {
                    let here = at(index as u64, 0);
                    let found = here < settled.low()
                        || settled.ranges().any(|(from, to)| from <= here && here < to);
                    assert_eq!(found, *expected);
                }
            }
        }
    }
}
