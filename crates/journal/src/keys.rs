//! The keys that are remembered, so that a repeat is recognised.
//!
//! Ordered by sequence, bounded by age and number. Pure: time is an argument, files are elsewhere.

use std::collections::{HashMap, VecDeque};

use crate::item::Key;

/// A key with when and where it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) key: Key,
    pub(crate) arrived_ms: u64,
    pub(crate) sequence: u64,
}

/// What is known about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Never,
    Same,
    OtherData,
}

/// Keys of one topic.
#[derive(Debug)]
pub(crate) struct Keys {
    keep_ms: u64,
    most: usize,
    by_name: HashMap<u128, u64>,
    in_order: VecDeque<Known>,
    /// How often each that was repeated was, by name.
    repeats: HashMap<u128, u32>,
    /// Forgotten because there were too many, not because they were old.
    pub(crate) evicted: u64,
}

impl Keys {
    pub(crate) fn new(keep_ms: u64, most: usize) -> Keys {
        let (by_name, in_order) = (HashMap::new(), VecDeque::new());
        Keys { keep_ms, most, by_name, in_order, repeats: HashMap::new(), evicted: 0 }
    }

    /// Remembers a key; sequences must ascend.
    pub(crate) fn insert(&mut self, known: Known, now_ms: u64) {
        self.by_name.insert(known.key.name, known.sequence);
        self.in_order.push_back(known);
        self.forget_old(now_ms);
        while self.in_order.len() > self.most {
            self.evicted += 1;
            self.forget_first();
        }
    }

    /// Looks a key up, and counts the repeat when it is one.
    pub(crate) fn look(&mut self, key: Key, now_ms: u64) -> Seen {
        self.forget_old(now_ms);
        match self.youngest(key.name) {
            None => Seen::Never,
            Some(known) if known.key.data == key.data => {
                *self.repeats.entry(key.name).or_default() += 1;
                Seen::Same
            }
            Some(_) => Seen::OtherData,
        }
    }

    /// The youngest key of this name, and how often it was repeated.
    pub(crate) fn find(&mut self, name: u128, now_ms: u64) -> Option<(Known, u32)> {
        self.forget_old(now_ms);
        let known = *self.youngest(name)?;
        Some((known, self.repeats.get(&name).copied().unwrap_or(0)))
    }

    fn youngest(&self, name: u128) -> Option<&Known> {
        let sequence = self.by_name.get(&name)?;
        let index = self.in_order.partition_point(|known| known.sequence < *sequence);
        self.in_order.get(index)
    }

    /// Keys whose sequence is in `from..to`.
    pub(crate) fn between(&self, from: u64, to: u64) -> Vec<Known> {
        let start = self.in_order.partition_point(|known| known.sequence < from);
        let rest = self.in_order.iter().skip(start);
        rest.take_while(|known| known.sequence < to).copied().collect()
    }

    fn forget_old(&mut self, now_ms: u64) {
        while let Some(first) = self.in_order.front() {
            if first.arrived_ms.saturating_add(self.keep_ms) > now_ms {
                break;
            }
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some(first) = self.in_order.pop_front() else { return };
        // The same name may have come again with other data; then the younger one stays.
        if self.by_name.get(&first.key.name) == Some(&first.sequence) {
            self.by_name.remove(&first.key.name);
            self.repeats.remove(&first.key.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: u128, data: u128, arrived_ms: u64, sequence: u64) -> Known {
        Known { key: Key { name, data }, arrived_ms, sequence }
    }

    /// *Scenario:* keys grow old, come again with other data, and become too many.
    /// *Guarantees:* each is known exactly for its time, the younger of two same names stays, evictions count.
    #[test]
    fn remembers_within_its_bounds() {
        let mut keys = Keys::new(100, 2);
        keys.insert(known(1, 10, 0, 0), 0);
        assert_eq!(keys.look(Key { name: 1, data: 10 }, 99), Seen::Same);
        assert_eq!(keys.look(Key { name: 1, data: 11 }, 99), Seen::OtherData);
        assert_eq!(keys.find(1, 99), Some((known(1, 10, 0, 0), 1)));
        keys.insert(known(1, 11, 50, 1), 50);
        assert_eq!(keys.look(Key { name: 1, data: 11 }, 120), Seen::Same);
        assert_eq!(keys.look(Key { name: 1, data: 11 }, 150), Seen::Never);
        assert_eq!((keys.find(1, 150), keys.repeats.len()), (None, 0));
        for sequence in 2..5 {
            keys.insert(known(u128::from(sequence), 0, 200, sequence), 200);
        }
        assert_eq!(keys.evicted, 1);
        assert_eq!(keys.look(Key { name: 2, data: 0 }, 200), Seen::Never);
        assert_eq!(keys.look(Key { name: 4, data: 0 }, 200), Seen::Same);
        assert_eq!(keys.between(3, 4), vec![known(3, 0, 200, 3)]);
    }
}
