//! The families of an open request: what the points of one metric with the same labels have in
//! common.
//!
//! Always holds: no two have the same name and labels, however these are cut into phrases.

use super::parts::Spoken;
use super::phrases::{Phrases, Table, number};

/// A family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    hash: u64,
    /// The phrase that is the name without its statistic.
    pub(super) base: u32,
    /// Where its list of phrases begins, and where each part of it ends.
    start: u32,
    ends: [u32; 3],
    /// Its last point plus one.
    pub(super) last: u32,
    pub(super) points: u32,
}

impl Family {
    /// Where the phrases before `__name__` are listed, those between it and `quantile`, and those
    /// behind that.
    pub(super) fn parts(&self) -> [(u32, u32); 3] {
        let [front, middle, back] = self.ends;
        [(self.start, front), (front, middle), (middle, back)]
    }
}

/// The families, and the phrases of each.
#[derive(Default)]
pub(super) struct Families {
    all: Vec<Family>,
    list: Vec<u32>,
    table: Table,
}

impl Families {
    pub(super) fn all(&self) -> &[Family] {
        &self.all
    }

    /// The phrases of all, one family after the other.
    pub(super) fn list(&self) -> &[u32] {
        &self.list
    }

    /// Where the phrases of the next family are put.
    pub(super) fn next(&mut self) -> &mut Vec<u32> {
        &mut self.list
    }

    /// The family whose phrases were put behind the first `start`.
    pub(super) fn family(&self, start: usize, spoken: Spoken, phrases: &Phrases) -> Family {
        let labels = self.list.get(start..).unwrap_or_default();
        let labels = labels.iter().fold(0_u64, |sum, of| sum.wrapping_add(phrases.hash(*of)));
        // Not the sum: a name must not stand for a label.
        let hash = labels ^ phrases.hash(spoken.base).rotate_left(17);
        let Spoken { base, ends } = spoken;
        Family { hash, base, start: number(start), ends, last: 0, points: 1 }
    }

    /// Bytes of its name and labels.
    pub(super) fn bytes(&self, family: &Family, phrases: &Phrases) -> usize {
        let labels = self.listed(family).iter().map(|of| phrases.get(*of).len()).sum::<usize>();
        phrases.get(family.base).len() + labels
    }

    /// Forgets the phrases of a family that was not added.
    pub(super) fn forget(&mut self, family: &Family) {
        self.list.truncate(family.start as usize);
    }

    /// Adds a family, which is the last in the list. The one that is there, if there is.
    pub(super) fn insert(&mut self, family: Family, phrases: &Phrases) -> Option<&mut Family> {
        let is = |known: u32| {
            let known = self.all.get(known as usize);
            known.is_some_and(|known| {
                known.hash == family.hash && self.alike(known, &family, phrases)
            })
        };
        match self.table.find(family.hash, is) {
            Ok(known) => {
                self.forget(&family);
                self.all.get_mut(known as usize)
            }
            Err(slot) => {
                let new = number(self.all.len());
                self.all.push(family);
                let hash_of = |known: u32| self.all.get(known as usize).map_or(0, |f| f.hash);
                self.table.insert(slot, new, hash_of);
                None
            }
        }
    }

    fn listed(&self, family: &Family) -> &[u32] {
        let [.., end] = family.ends;
        self.list.get(family.start as usize..end as usize).unwrap_or_default()
    }

    /// Have they the same name and labels?
    fn alike(&self, a: &Family, b: &Family, phrases: &Phrases) -> bool {
        let bytes = |of: &Family| {
            self.listed(of).iter().flat_map(|number| phrases.get(*number)).collect::<Vec<_>>()
        };
        // What several plans say in other phrases is rare.
        a.base == b.base && (self.listed(a) == self.listed(b) || bytes(a) == bytes(b))
    }

    /// Forgets everything but the memory.
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.list.clear();
        self.table.clear();
    }
}
