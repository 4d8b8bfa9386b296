//! What was measured in one minute and is not in a file yet.
//!
//! Owns a compact map from the number of a series to its statistic set, and raw values of the few
//! series that want them. About 45 bytes a set. Always: raw values are all that the set was made
//! of, or they are said to be incomplete. Not here: names, files, time.

use std::collections::HashMap;

use crate::put::Samples;
use crate::statistic::raw_of;

/// Values with their weights, when all are known.
pub(crate) type Raw = Option<Vec<(f64, f64)>>;

/// Count, sum, minimum, maximum.
pub(crate) type Set = [f64; 4];

/// The samples of a minute.
#[derive(Default)]
pub(crate) struct Gathered {
    /// The first entry of the journal that has one of them.
    pub(crate) first: u64,
    /// When the first of them was read, milliseconds since the epoch.
    pub(crate) since_ms: i64,
    numbers: Vec<u32>,
    sets: Vec<Set>,
    /// Places plus one, by number; a power of two of them, zero is free.
    table: Vec<u32>,
    /// By number.
    raw: HashMap<u32, Raw>,
}

/// How many raw values may be kept, and are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RawRoom {
    pub(crate) most: usize,
    pub(crate) held: usize,
    /// Series that lost their raw values for want of room.
    pub(crate) refused: u64,
}

/// The set that samples make; `None` when they count nothing.
pub(crate) fn set_of(samples: &Samples) -> Option<Set> {
    let set = match samples {
        Samples::Set(set) => *set,
        Samples::Raw(values) => {
            let mut set = [0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY];
            for (value, weight) in values.iter().filter(|(_, weight)| *weight > 0.0) {
                add(&mut set, [*weight, value * weight, *value, *value]);
            }
            set
        }
    };
    let [count, ..] = set;
    (count > 0.0).then_some(set)
}

/// Adds a set to another.
pub(crate) fn add(set: &mut Set, other: Set) {
    let ([count, sum, min, max], [c, s, l, h]) = (set, other);
    (*count, *sum) = (*count + c, *sum + s);
    (*min, *max) = (min.min(l), max.max(h));
}

impl Gathered {
    pub(crate) fn new(first: u64, since_ms: i64) -> Gathered {
        Gathered { first, since_ms, ..Gathered::default() }
    }

    /// How many sets.
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Numbers of the series, in no order.
    pub(crate) fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// The set of a series.
    pub(crate) fn get(&self, number: u32) -> Option<Set> {
        self.sets.get(self.find(number).ok()?).copied()
    }

    /// The raw values of a series, when they are all known.
    pub(crate) fn raw(&self, number: u32) -> Option<&[(f64, f64)]> {
        self.raw.get(&number)?.as_deref()
    }

    /// Raw values held.
    pub(crate) fn raw_held(&self) -> usize {
        self.raw.values().flatten().map(Vec::len).sum()
    }

    /// Adds samples whose set is `set`.
    pub(crate) fn add(
        &mut self,
        number: u32,
        set: Set,
        samples: &Samples,
        wants_raw: bool,
        room: &mut RawRoom,
    ) {
        if self.len() >= self.table.len() / 4 * 3 {
            self.grow();
        }
        let new = match self.find(number) {
            Ok(place) => {
                if let Some(known) = self.sets.get_mut(place) {
                    add(known, set);
                }
                false
            }
            Err(slot) => {
                self.numbers.push(number);
                self.sets.push(set);
                if let Some(free) = self.table.get_mut(slot) {
                    *free = self.numbers.len() as u32;
                }
                true
            }
        };
        if wants_raw || (!self.raw.is_empty() && self.raw.contains_key(&number)) {
            self.add_raw(number, new, samples, wants_raw, room);
        }
    }

    fn add_raw(
        &mut self,
        number: u32,
        new: bool,
        samples: &Samples,
        wanted: bool,
        room: &mut RawRoom,
    ) {
        // A series that was there without raw values has lost some.
        let raw = self.raw.entry(number).or_insert(new.then(Vec::new));
        let Some(values) = raw else { return };
        let before = values.len();
        let single;
        let more: &[(f64, f64)] = match samples {
            Samples::Raw(more) => more,
            Samples::Set(set) => {
                single = raw_of(*set);
                single.as_slice()
            }
        };
        let fits = room.held + more.len() <= room.most;
        if more.is_empty() || !wanted || !fits {
            room.held -= before;
            room.refused += u64::from(!fits);
            *raw = None;
            return;
        }
        for (value, weight) in more.iter().filter(|(_, weight)| *weight > 0.0) {
            match values.last_mut() {
                Some((last, known)) if *last == *value => *known += weight,
                _ => values.push((*value, *weight)),
            }
        }
        room.held += values.len() - before;
    }

    /// The place of a series, or the slot it would have.
    fn find(&self, number: u32) -> Result<usize, usize> {
        let mask = self.table.len().wrapping_sub(1);
        let mut slot = number as usize & mask;
        loop {
            let Some(place) = self.table.get(slot).and_then(|found| found.checked_sub(1)) else {
                return Err(slot);
            };
            if self.numbers.get(place as usize) == Some(&number) {
                return Ok(place as usize);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let slots = (self.table.len() * 2).max(16);
        self.table.clear();
        self.table.resize(slots, 0);
        self.fill();
    }

    fn fill(&mut self) {
        let mask = self.table.len().wrapping_sub(1);
        for (place, number) in self.numbers.iter().enumerate() {
            let mut slot = *number as usize & mask;
            while self.table.get(slot).is_some_and(|found| *found != 0) {
                slot = (slot + 1) & mask;
            }
            if let Some(free) = self.table.get_mut(slot) {
                *free = place as u32 + 1;
            }
        }
    }

    /// Gives the series their new numbers.
    pub(crate) fn renumber(&mut self, moved: &[u32]) {
        let new = |number: u32| moved.get(number as usize).copied().unwrap_or(number);
        self.numbers.iter_mut().for_each(|number| *number = new(*number));
        self.raw = std::mem::take(&mut self.raw).into_iter().map(|(n, r)| (new(n), r)).collect();
        self.table.fill(0);
        self.fill();
    }
}
