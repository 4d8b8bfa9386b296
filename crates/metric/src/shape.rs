//! The shape of a metric: namespace, name and dimension *names*. What depends on these alone
//! (is it selected, what is its key) is worked out once per shape and looked up by number.
//!
//! Owns a bounded table from shape to dense number. Always holds: equal shapes have equal numbers,
//! different shapes different ones, whatever the bytes; memory is bounded whatever senders invent.
//! The order of dimensions is part of the shape: CloudWatch always sends them in the same order.

use crate::Point;

/// Dense number of a shape, below [`Shapes::CAPACITY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShapeId(pub u32);

impl ShapeId {
    /// The number as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Slots of the table: twice the shapes, so that most searches end at the first slot.
const SLOTS: usize = Shapes::CAPACITY * 2;
/// Slots that are looked at for one shape. Names made to collide cost this much and no more.
const PROBES_MAX: usize = 64;
/// Bytes of all names together. 8,192 shapes of AWS take below 1 MiB.
const NAME_BYTES_MAX: usize = 4 << 20;

/// One slot: the hash's upper half beside the number of the shape, so that a miss costs one read.
#[derive(Clone, Copy)]
struct Slot {
    check: u32,
    /// Number of the shape plus one; 0 is an empty slot.
    number: u32,
}

/// Where the names of a shape stand in `Shapes::names`.
#[derive(Clone, Copy)]
struct Key {
    start: u32,
    length: u32,
}

/// A bounded interner of shapes.
#[derive(Default)]
pub struct Shapes {
    /// Empty until the first shape, then `SLOTS` of them.
    slots: Vec<Slot>,
    keys: Vec<Key>,
    /// For each shape: each name with its length before it, so that no two shapes read the same.
    names: Vec<u8>,
}

impl Shapes {
    /// Most shapes kept. Senders can invent names; past this a point has no number and takes the slow path.
    pub const CAPACITY: usize = 8192;

    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many shapes have a number.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True when no shape has a number.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The number of the point's shape; `None` when the table is full.
    #[inline]
    pub fn intern(&mut self, point: &Point<'_>) -> Option<ShapeId> {
        let hash = hash(point);
        let check = (hash >> 32) as u32;
        let mut at = hash as usize;
        for _ in 0..PROBES_MAX {
            at %= SLOTS;
            match self.slots.get(at) {
                Some(slot) if slot.number != 0 => {
                    if slot.check == check && self.is(slot.number - 1, point) {
                        return Some(ShapeId(slot.number - 1));
                    }
                }
                _ => return self.insert(at, check, point),
            }
            at += 1;
        }
        None
    }

    /// True when shape `number` is that of the point.
    #[inline]
    fn is(&self, number: u32, point: &Point<'_>) -> bool {
        let Some(key) = self.keys.get(number as usize) else { return false };
        let start = key.start as usize;
        let Some(mut rest) = self.names.get(start..start + key.length as usize) else {
            return false;
        };
        let mut next_is = |name: &[u8]| {
            let Some((length, after)) = rest.split_first_chunk::<4>() else { return false };
            let Some((stored, after)) = after.split_at_checked(name.len()) else { return false };
            rest = after;
            u32::from_le_bytes(*length) as usize == name.len() && stored == name
        };
        let names = next_is(point.namespace) && next_is(point.name);
        names && point.dimensions.iter().all(|(name, _)| next_is(name)) && rest.is_empty()
    }

    #[cold]
    fn insert(&mut self, at: usize, check: u32, point: &Point<'_>) -> Option<ShapeId> {
        let names = [point.namespace, point.name];
        let names = || names.into_iter().chain(point.dimensions.iter().map(|(name, _)| *name));
        let length: usize = names().map(|name| name.len() + 4).sum();
        if self.keys.len() == Self::CAPACITY || self.names.len() + length > NAME_BYTES_MAX {
            return None;
        }
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, Slot { check: 0, number: 0 });
        }
        let number = u32::try_from(self.keys.len()).ok()?;
        let start = u32::try_from(self.names.len()).ok()?;
        for name in names() {
            self.names.extend_from_slice(&u32::try_from(name.len()).ok()?.to_le_bytes());
            self.names.extend_from_slice(name);
        }
        self.keys.push(Key { start, length: u32::try_from(length).ok()? });
        *self.slots.get_mut(at)? = Slot { check, number: number + 1 };
        Some(ShapeId(number))
    }
}

/// Odd constants with well-spread bits, from the fractional digits of pi.
const MULTIPLIER: u64 = 0x243f_6a88_85a3_08d3;
const SEED: u64 = 0x1319_8a2e_0370_7345;

/// One multiply-fold per 16 bytes of name; the length of each name goes in as well.
#[inline]
fn hash(point: &Point<'_>) -> u64 {
    let mut state = mix(SEED, point.namespace);
    state = mix(state, point.name);
    for (name, _) in point.dimensions {
        state = mix(state, name);
    }
    fold(state ^ SEED, MULTIPLIER)
}

#[inline]
fn mix(mut state: u64, name: &[u8]) -> u64 {
    let mut rest = name;
    while let Some((block, tail)) = rest.split_first_chunk::<16>()
        && !tail.is_empty()
    {
        let (low, high) = halves(*block);
        state = fold(state ^ low, high ^ MULTIPLIER);
        rest = tail;
    }
    // What is left, at most 16 bytes, as two words that may overlap.
    let (low, high) = match (rest.first_chunk::<8>(), rest.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => match (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
            (Some(first), Some(last)) => {
                (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
            }
            _ => (rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
        },
    };
    fold(state ^ low ^ (name.len() as u64).wrapping_mul(SEED), high ^ MULTIPLIER)
}

#[inline]
fn halves(block: [u8; 16]) -> (u64, u64) {
    let whole = u128::from_le_bytes(block);
    (whole as u64, (whole >> 64) as u64)
}

/// The two halves of the 128-bit product, folded into one word.
#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let (low, high) = halves((u128::from(left) * u128::from(right)).to_le_bytes());
    low ^ high
}

#[cfg(test)]
mod tests;
