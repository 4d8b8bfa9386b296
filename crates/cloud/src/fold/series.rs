//! The series that are known: a number for each, so that a minute need not hold names.
//!
//! Owns the keys, one after the other in chunks that never move, and a table from key to number.
//! Always: equal keys have one number, and the order given is that of the rows of a window's file.
//! Costs a series its key and about 30 bytes. Not here: what was measured.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

/// Keys are kept in pieces of this size: growing moves nothing.
const CHUNK: usize = 1 << 20;

/// Longest key with its scope: what a row of a file can hold.
const KEY_MAX: usize = u16::MAX as usize;

/// A series not seen in this many turns is forgotten when room is made.
const TURNS_KEPT: u8 = 3;

/// What a scope costs, about: its name twice and their places.
const SCOPE: usize = 512;

/// Scope and length before a key.
const HEAD: usize = 6;

/// Metrics whose raw values are wanted, by namespace and name.
pub(crate) type RawWanted = HashSet<(String, String)>;

/// The series that are known; the number of one is its index in `places`, `hashes`, `seen` and `raw`.
#[derive(Default)]
pub(crate) struct Series {
    /// What keys of an account and namespace begin with.
    scopes: Vec<Vec<u8>>,
    by_scope: HashMap<Vec<u8>, u32>,
    chunks: Vec<Vec<u8>>,
    /// Chunk and place in it of each series.
    places: Vec<(u32, u32)>,
    hashes: Vec<u32>,
    /// The turn each was last seen in.
    seen: Vec<u8>,
    /// Raw values of it are wanted.
    raw: Vec<bool>,
    /// Numbers plus one; a power of two of them, zero is free.
    table: Vec<u32>,
    /// The first of them, sorted; what came later is not in it.
    order: Vec<u32>,
    turn: u8,
    wanted: RawWanted,
    hasher: RandomState,
}

impl Series {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Bytes of keys and of scopes, about.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.len() * CHUNK + self.scopes.len() * SCOPE
    }

    /// The number of an account's namespace.
    pub(crate) fn scope(&mut self, prefix: &[u8]) -> u32 {
        if let Some(known) = self.by_scope.get(prefix) {
            return *known;
        }
        let number = self.scopes.len() as u32;
        self.scopes.push(prefix.to_vec());
        self.by_scope.insert(prefix.to_vec(), number);
        number
    }

    /// The number of a series; `None` when its key is longer than any that is checked.
    pub(crate) fn number(&mut self, scope: u32, key: &[u8]) -> Option<u32> {
        if self.len() >= self.table.len() / 8 * 7 {
            self.grow();
        }
        let hash = self.hash(scope, key);
        let mut slot = hash as usize & (self.table.len() - 1);
        while let Some(number) = self.table.get(slot).and_then(|found| found.checked_sub(1)) {
            let at = number as usize;
            if self.hashes.get(at) == Some(&hash) && self.get(number) == (scope, key) {
                if let Some(seen) = self.seen.get_mut(at) {
                    *seen = self.turn;
                }
                return Some(number);
            }
            slot = (slot + 1) & (self.table.len() - 1);
        }
        let prefix = self.scopes.get(scope as usize).map_or(0, Vec::len);
        if prefix + key.len() > KEY_MAX {
            return None;
        }
        let number = self.len() as u32;
        *self.table.get_mut(slot)? = number + 1;
        self.add(scope, key, hash, self.turn);
        Some(number)
    }

    fn add(&mut self, scope: u32, key: &[u8], hash: u32, seen: u8) {
        let length = HEAD + key.len();
        if self.chunks.last().is_none_or(|last| last.len() + length > CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let chunk = self.chunks.len() - 1;
        if let Some(last) = self.chunks.last_mut() {
            self.places.push((chunk as u32, last.len() as u32));
            last.extend_from_slice(&scope.to_le_bytes());
            last.extend_from_slice(&(key.len() as u16).to_le_bytes());
            last.extend_from_slice(key);
        }
        self.hashes.push(hash);
        self.seen.push(seen);
        self.raw.push(self.raw_wanted(scope, key));
    }

    fn hash(&self, scope: u32, key: &[u8]) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u32(scope);
        hasher.write(key);
        hasher.finish() as u32
    }

    fn grow(&mut self) {
        let slots = (self.table.len() * 2).max(1 << 10);
        self.table = Vec::new();
        self.table.resize(slots, 0);
        for (number, hash) in self.hashes.iter().enumerate() {
            let mut slot = *hash as usize & (slots - 1);
            while self.table.get(slot).is_some_and(|found| *found != 0) {
                slot = (slot + 1) & (slots - 1);
            }
            if let Some(free) = self.table.get_mut(slot) {
                *free = number as u32 + 1;
            }
        }
    }

    /// Scope and key.
    fn get(&self, number: u32) -> (u32, &[u8]) {
        let place = self.places.get(number as usize).copied().unwrap_or_default();
        let rest = self.chunks.get(place.0 as usize).and_then(|all| all.get(place.1 as usize..));
        read(rest.unwrap_or_default())
    }

    /// Appends the whole key, as the rows of files have it.
    pub(crate) fn key(&self, number: u32, out: &mut Vec<u8>) {
        let (scope, key) = self.get(number);
        out.extend_from_slice(self.scopes.get(scope as usize).map_or(&[], Vec::as_slice));
        out.extend_from_slice(key);
    }

    /// All numbers in the order of their keys.
    pub(crate) fn ordered(&mut self) -> &[u32] {
        let mut new: Vec<u32> = (self.order.len() as u32..self.len() as u32).collect();
        if !new.is_empty() {
            self.sort(&mut new);
            let rank = self.ranks();
            let place = |number: &u32| {
                let (scope, key) = self.get(*number);
                (rank.get(scope as usize).copied(), key)
            };
            let mut merged = Vec::with_capacity(self.len());
            let (mut old, mut new) = (self.order.iter().peekable(), new.iter().peekable());
            while let (Some(a), Some(b)) = (old.peek(), new.peek()) {
                let next = if place(a) < place(b) { old.next() } else { new.next() };
                merged.extend(next);
            }
            merged.extend(old.chain(new));
            self.order = merged;
        }
        &self.order
    }

    /// Sorts numbers by their keys.
    pub(crate) fn sort(&self, numbers: &mut [u32]) {
        let rank = self.ranks();
        let place = |number: u32| {
            let (scope, key) = self.get(number);
            (rank.get(scope as usize).copied(), key)
        };
        numbers.sort_unstable_by(|a, b| place(*a).cmp(&place(*b)));
    }

    /// The place of each scope among all. Scopes end where no other goes on, so their order and
    /// then that of the keys is the order of the whole keys.
    fn ranks(&self) -> Vec<u32> {
        let mut sorted: Vec<usize> = (0..self.scopes.len()).collect();
        sorted.sort_unstable_by_key(|scope| self.scopes.get(*scope));
        let mut ranks = vec![0; sorted.len()];
        for (rank, scope) in sorted.into_iter().enumerate() {
            if let Some(slot) = ranks.get_mut(scope) {
                *slot = rank as u32;
            }
        }
        ranks
    }

    /// Whether raw values of a series are wanted.
    pub(crate) fn wants_raw(&self, number: u32) -> bool {
        self.raw.get(number as usize).copied().unwrap_or(false)
    }

    /// Says whose raw values are wanted from now on.
    pub(crate) fn want_raw(&mut self, wanted: RawWanted) {
        if self.wanted == wanted {
            return;
        }
        self.wanted = wanted;
        for number in 0..self.len() as u32 {
            let (scope, key) = self.get(number);
            let wants = self.raw_wanted(scope, key);
            if let Some(slot) = self.raw.get_mut(number as usize) {
                *slot = wants;
            }
        }
    }

    fn raw_wanted(&self, scope: u32, key: &[u8]) -> bool {
        if self.wanted.is_empty() {
            return false;
        }
        let scope = self.scopes.get(scope as usize).map_or(&[][..], Vec::as_slice);
        let namespace = scope.split(|byte| *byte == 0).nth(1).unwrap_or_default();
        let name = crate::put::wire::series(key).map(|series| series.name).unwrap_or_default();
        self.wanted.contains(&(metric::text(namespace).to_owned(), name.to_owned()))
    }

    /// Begins a turn (a minute of the clock), and forgets what is neither in use nor was seen for a
    /// while, when that is more than half. The answer gives each number its new one; `u32::MAX` is
    /// gone.
    pub(crate) fn turn(&mut self, used: impl Iterator<Item = u32>) -> Option<Vec<u32>> {
        self.turn = self.turn.wrapping_add(1);
        let turn = self.turn;
        let recent = |seen: &u8| turn.wrapping_sub(*seen) <= TURNS_KEPT;
        let mut keep: Vec<bool> = self.seen.iter().map(recent).collect();
        for number in used {
            if let Some(slot) = keep.get_mut(number as usize) {
                *slot = true;
            }
        }
        // What is kept is as good as seen, or the count would come round to it.
        for (seen, _) in self.seen.iter_mut().zip(&keep).filter(|(_, keep)| !**keep) {
            *seen = turn.wrapping_sub(TURNS_KEPT + 1);
        }
        let kept = keep.iter().filter(|keep| **keep).count();
        (kept < self.len() / 2).then(|| self.rebuild(&keep))
    }

    /// Forgets all; nothing may be in use.
    pub(crate) fn clear(&mut self) {
        let wanted = std::mem::take(&mut self.wanted);
        *self = Series { wanted, ..Series::default() };
    }

    fn rebuild(&mut self, keep: &[bool]) -> Vec<u32> {
        let wanted = std::mem::take(&mut self.wanted);
        let mut old = std::mem::replace(self, Series { wanted, ..Series::default() });
        (self.scopes, self.by_scope) = (old.scopes, old.by_scope);
        (self.turn, self.hasher) = (old.turn, old.hasher);
        let mut moved = vec![u32::MAX; keep.len()];
        let mut freed = 0;
        for (number, place) in old.places.iter().enumerate() {
            // Keys lie in the order of their numbers: what is behind can be given back.
            while freed < place.0 as usize {
                if let Some(chunk) = old.chunks.get_mut(freed) {
                    *chunk = Vec::new();
                }
                freed += 1;
            }
            if keep.get(number) != Some(&true) {
                continue;
            }
            let rest = old.chunks.get(place.0 as usize).and_then(|all| all.get(place.1 as usize..));
            let (scope, key) = read(rest.unwrap_or_default());
            let hash = old.hashes.get(number).copied().unwrap_or(0);
            if let Some(slot) = moved.get_mut(number) {
                *slot = self.len() as u32;
            }
            self.add(scope, key, hash, old.seen.get(number).copied().unwrap_or(0));
        }
        while self.table.len() / 8 * 7 <= self.len() {
            self.table.resize((self.table.len() * 2).max(1 << 10), 0);
        }
        self.refill();
        let new = |number: &u32| moved.get(*number as usize).copied();
        self.order =
            old.order.iter().filter_map(new).filter(|number| *number != u32::MAX).collect();
        // Those that were not in the order yet are the last numbers, before and after.
        moved
    }

    fn refill(&mut self) {
        let half = self.table.len() / 2;
        self.table.truncate(half);
        self.grow();
    }
}

/// Scope and key of what begins with them.
fn read(bytes: &[u8]) -> (u32, &[u8]) {
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() else { return (0, &[]) };
    let [a, b, c, d, e, f] = *head;
    let length = usize::from(u16::from_le_bytes([e, f]));
    (u32::from_le_bytes([a, b, c, d]), rest.get(..length).unwrap_or_default())
}

#[cfg(test)]
mod tests;
