//! ARN to a range of tags: an open table over one buffer of text, since a hundred thousand small
//! allocations would cost more than what they hold.

/// The range of an ARN that stands for two resources, so for neither.
const AMBIGUOUS: (u32, u32) = (u32::MAX, 0);

/// Odd constants with well-spread bits, from the fractional digits of pi.
const MULTIPLIER: u64 = 0x243f_6a88_85a3_08d3;
const SEED: u64 = 0x1319_8a2e_0370_7345;

/// The table. It only grows, and has at least twice as many slots as entries.
#[derive(Debug, Default)]
pub(super) struct Table {
    text: Vec<u8>,
    entries: Vec<Entry>,
    /// Number of an entry plus one, and the upper half of its hash; 0 is an empty slot.
    slots: Vec<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u32,
    length: u32,
    range: (u32, u32),
}

impl Table {
    /// The range of an ARN.
    #[inline]
    pub(super) fn find(&self, arn: &[u8]) -> Option<(u32, u32)> {
        let at = self.slot_of(arn, hash(arn))?;
        let (number, _) = self.slots.get(at).copied()?;
        let entry = self.entries.get((number as usize).checked_sub(1)?)?;
        Some(entry.range).filter(|range| *range != AMBIGUOUS)
    }

    /// Sets the range of an ARN, and says whether it is new; `None` when the text is full (4 GiB).
    pub(super) fn set(&mut self, arn: &[u8], range: (u32, u32)) -> Option<bool> {
        self.grow_if_full();
        let hash = hash(arn);
        let at = self.slot_of(arn, hash)?;
        let slot = self.slots.get_mut(at)?;
        if let Some(number) = (slot.0 as usize).checked_sub(1) {
            self.entries.get_mut(number)?.range = range;
            return Some(false);
        }
        let start = u32::try_from(self.text.len()).ok()?;
        let length = u32::try_from(arn.len()).ok()?;
        self.text.extend_from_slice(arn);
        self.entries.push(Entry { start, length, range });
        *slot = (u32::try_from(self.entries.len()).ok()?, upper(hash));
        Some(true)
    }

    /// Sets the range of a pattern that resources share: the second resource makes it ambiguous.
    pub(super) fn set_shared(&mut self, pattern: &[u8], range: (u32, u32)) -> Option<bool> {
        let at = if self.slots.is_empty() { None } else { self.slot_of(pattern, hash(pattern)) };
        let taken = at.and_then(|at| self.slots.get(at)).is_some_and(|slot| slot.0 != 0);
        self.set(pattern, if taken { AMBIGUOUS } else { range })
    }

    /// Gives back what growing has left over.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.entries.shrink_to_fit();
    }

    /// The slot of an ARN, or the empty one where it belongs.
    #[inline]
    fn slot_of(&self, arn: &[u8], hash: u64) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = (hash as usize) & mask;
        // There always is an empty slot, so this ends.
        for _ in 0..self.slots.len() {
            match self.slots.get(at) {
                Some((0, _)) | None => return Some(at),
                Some((number, check)) if *check == upper(hash) && self.is(*number - 1, arn) => {
                    return Some(at);
                }
                Some(_) => at = (at + 1) & mask,
            }
        }
        None
    }

    #[inline]
    fn is(&self, number: u32, arn: &[u8]) -> bool {
        let Some(entry) = self.entries.get(number as usize) else { return false };
        let (start, length) = (entry.start as usize, entry.length as usize);
        self.text.get(start..start + length) == Some(arn)
    }

    fn grow_if_full(&mut self) {
        if self.entries.len() * 2 < self.slots.len() {
            return;
        }
        // A power of two, so that a mask finds the slot.
        self.slots = vec![(0, 0); (self.slots.len() * 2).max(64)];
        for number in 0..self.entries.len() {
            let Some(entry) = self.entries.get(number) else { continue };
            let (start, length) = (entry.start as usize, entry.length as usize);
            let arn = self.text.get(start..start + length).unwrap_or(&[]);
            let hash = hash(arn);
            let at = self.slot_of(arn, hash);
            if let Some(slot) = at.and_then(|at| self.slots.get_mut(at)) {
                *slot = (number as u32 + 1, upper(hash));
            }
        }
    }
}

fn upper(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// One multiply-fold for every eight bytes, and the length.
#[inline]
fn hash(arn: &[u8]) -> u64 {
    let (words, rest) = arn.as_chunks::<8>();
    let mut state = SEED ^ arn.len() as u64;
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word));
    }
    fold(state ^ rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)))
}

/// The two halves of a 128-bit product, folded into one word.
#[inline]
fn fold(word: u64) -> u64 {
    let product = u128::from(word ^ SEED) * u128::from(MULTIPLIER);
    (product >> 64) as u64 ^ product as u64
}
