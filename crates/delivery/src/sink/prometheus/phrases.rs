//! What the labels of an open request consist of, each kept once.
//!
//! A *phrase* is what repeats from family to family: the label of a dimension, the labels that every
//! point of a plan has, the name of a metric. Families are lists of their numbers, so that a label
//! is encoded, hashed and looked up once for each point, and not for each series. Always holds:
//! equal bytes have one number within a request. Not here: which phrases a point has (`plan`).

use std::hash::{BuildHasher, RandomState};

use super::label::delimited;
use crate::sink::text::{Text, same};

/// Slots of the table to begin with; it doubles when half full.
const TABLE_MIN: usize = 1024;

#[derive(Clone, Copy, Debug)]
struct Phrase {
    hash: u64,
    from: u32,
    to: u32,
}

/// The phrases of the open request.
pub(super) struct Phrases {
    arena: Text,
    all: Vec<Phrase>,
    table: Table,
    /// Of the hash: senders must not know which labels collide.
    seed: u64,
}

impl Phrases {
    pub(super) fn new() -> Phrases {
        Phrases {
            arena: Text::default(),
            all: Vec::new(),
            table: Table::default(),
            seed: RandomState::new().hash_one(0),
        }
    }

    /// Forgets everything but the memory.
    pub(super) fn clear(&mut self) {
        self.arena.clear();
        self.all.clear();
        self.table.clear();
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The bytes of all.
    pub(super) fn bytes(&self) -> usize {
        self.arena.len()
    }

    pub(super) fn get(&self, number: u32) -> &[u8] {
        self.all.get(number as usize).map_or(&[], |phrase| self.slice(phrase))
    }

    pub(super) fn hash(&self, number: u32) -> u64 {
        self.all.get(number as usize).map_or(0, |phrase| phrase.hash)
    }

    fn slice(&self, phrase: &Phrase) -> &[u8] {
        self.arena.as_slice().get(phrase.from as usize..phrase.to as usize).unwrap_or_default()
    }

    /// The number of what `write` appends: one label or name. None when it appends nothing.
    #[inline]
    pub(super) fn one(&mut self, write: impl FnOnce(&mut Text)) -> Option<u32> {
        let start = self.arena.len();
        write(&mut self.arena);
        let bytes = self.arena.as_slice().get(start..).unwrap_or_default();
        let hash = hash(self.seed, bytes);
        (!bytes.is_empty()).then(|| self.number(start, hash))
    }

    /// The same for several labels. The hash is the sum of theirs, and so the same for labels that
    /// make one phrase here and several there.
    pub(super) fn run(&mut self, write: impl FnOnce(&mut Text)) -> Option<u32> {
        let start = self.arena.len();
        write(&mut self.arena);
        let mut rest = self.arena.as_slice().get(start..).unwrap_or_default();
        let mut sum = 0_u64;
        while let Some((head, content)) = delimited(rest) {
            let (label, next) = rest.split_at_checked(head + content).unwrap_or((rest, &[]));
            sum = sum.wrapping_add(hash(self.seed, label));
            rest = next;
        }
        (self.arena.len() > start).then(|| self.number(start, sum))
    }

    /// The number of the bytes that were appended from `start` on.
    #[inline]
    fn number(&mut self, start: usize, hash: u64) -> u32 {
        let bytes = self.arena.as_slice().get(start..).unwrap_or_default();
        let is = |known: u32| {
            let known = self.all.get(known as usize);
            known.is_some_and(|known| known.hash == hash && same(self.slice(known), bytes))
        };
        match self.table.find(hash, is) {
            Ok(known) => {
                self.arena.truncate(start);
                known
            }
            Err(slot) => {
                let number = self::number(self.all.len());
                let (from, to) = (self::number(start), self::number(self.arena.len()));
                self.all.push(Phrase { hash, from, to });
                let hash_of = |known: u32| self.all.get(known as usize).map_or(0, |p| p.hash);
                self.table.insert(slot, number, hash_of);
                number
            }
        }
    }
}

/// Numbers found by hash. What has a number is kept by who owns the table.
#[derive(Default)]
pub(super) struct Table {
    /// The number plus one; 0 is empty.
    slots: Vec<u32>,
    used: usize,
}

impl Table {
    /// The number for which `is` holds, or the slot where it would be.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Result<u32, usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = place(hash, mask);
        loop {
            match self.slots.get(at) {
                Some(0) | None => return Err(at),
                Some(slot) if is(slot - 1) => return Ok(slot - 1),
                Some(_) => at = (at + 1) & mask,
            }
        }
    }

    /// Puts a number where [`Table::find`] missed it. `hash_of` gives the hash of any number.
    #[inline]
    pub(super) fn insert(&mut self, slot: usize, number: u32, hash_of: impl Fn(u32) -> u64) {
        self.used += 1;
        match self.slots.get_mut(slot) {
            Some(place) => *place = number + 1,
            // There is no table yet.
            None => return self.grow(number + 1, hash_of),
        }
        if self.used * 2 > self.slots.len() {
            self.grow(number + 1, hash_of);
        }
    }

    /// Makes a larger table of the numbers below `end`.
    #[cold]
    fn grow(&mut self, end: u32, hash_of: impl Fn(u32) -> u64) {
        let size = (self.slots.len() * 2).max(TABLE_MIN);
        self.slots.clear();
        self.slots.resize(size, 0);
        for number in 0..end {
            let mut at = place(hash_of(number), size - 1);
            while self.slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) & (size - 1);
            }
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = number + 1;
            }
        }
    }

    pub(super) fn clear(&mut self) {
        if self.used > 0 {
            self.slots.fill(0);
            self.used = 0;
        }
    }
}

/// One multiply-fold per 16 bytes, as the hash of shapes; what is left is padded with zeros, and the
/// length goes in as well.
#[inline]
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = seed;
    let (blocks, rest) = bytes.as_chunks::<16>();
    for block in blocks {
        state = mix(state, *block);
    }
    let mut last = [0; 16];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    mix(state, last) ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER)
}

/// An odd constant with well-spread bits, from the fractional digits of pi.
const MULTIPLIER: u64 = 0x243f_6a88_85a3_08d3;

#[inline]
fn mix(state: u64, block: [u8; 16]) -> u64 {
    let block = u128::from_le_bytes(block);
    let (low, high) = (block as u64, (block >> 64) as u64);
    let product = u128::from(state ^ low) * u128::from(high ^ MULTIPLIER);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Where the search for a hash begins.
#[inline]
fn place(hash: u64, mask: usize) -> usize {
    usize::try_from(hash & mask as u64).unwrap_or(0)
}

/// Offsets and numbers of a request, which is far below 4 GiB.
#[inline]
pub(super) fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
