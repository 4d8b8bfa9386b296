//! Which parts of the region are taken: one bit for each unit, one word for each block.
//!
//! Owns no memory but the bits. Always: what is taken is given to nobody else until it comes back.
//! The lowest place that fits is taken, so that buffers stand close together and blocks get empty.

/// Buffers begin and end at multiples of this.
pub(crate) const UNIT: usize = 64 * 1024;
/// Units of a block, which is as large as a huge page of the processor.
const BLOCK_UNITS: usize = u32::BITS as usize;
/// Bytes of a block.
pub(crate) const BLOCK: usize = BLOCK_UNITS * UNIT;
/// Blocks of the region: what is at work in ordinary times. A block counts as a whole as soon as any of it
/// is used, so when much is held, the rest is better off in pages of its own: a backlog read by four
/// streams took 118 to 124 MiB without a region, 126 to 134 with this one, 140 with 256 blocks.
pub(crate) const BLOCKS: usize = 32;
/// Empty blocks that stay in memory for the next buffers: two deliveries at work and on their way.
const KEPT_BLOCKS: usize = 4;

/// Taken and free units.
pub(crate) struct Units {
    taken: [u32; BLOCKS],
    resident: [bool; BLOCKS],
}

impl Units {
    pub(crate) const fn new() -> Units {
        Units { taken: [0; BLOCKS], resident: [false; BLOCKS] }
    }

    /// Takes `count` units in a row; the first of them.
    pub(crate) fn take(&mut self, count: usize) -> Option<usize> {
        let first = self.find(count)?;
        self.mark(first, count, true);
        Some(first)
    }

    /// Takes `count` units from `first` on, if all of them are free.
    pub(crate) fn take_at(&mut self, first: usize, count: usize) -> bool {
        let fits = first + count <= BLOCKS * BLOCK_UNITS
            && masks(first, count).all(|(block, mask)| self.word(block) & mask == 0);
        if fits {
            self.mark(first, count, true);
        }
        fits
    }

    /// Gives units back.
    pub(crate) fn give(&mut self, first: usize, count: usize) {
        self.mark(first, count, false);
    }

    /// An empty block beyond those that are kept: its memory is to be given to the system before
    /// anything is taken again.
    pub(crate) fn surplus(&mut self) -> Option<usize> {
        let empty = |units: &Units, block: usize| {
            units.word(block) == 0 && units.resident.get(block).is_some_and(|resident| *resident)
        };
        let last = (0..BLOCKS).rev().find(|block| empty(self, *block))?;
        let count = (0..=last).filter(|block| empty(self, *block)).count();
        if count <= KEPT_BLOCKS {
            return None;
        }
        *self.resident.get_mut(last)? = false;
        Some(last)
    }

    fn word(&self, block: usize) -> u32 {
        self.taken.get(block).copied().unwrap_or(u32::MAX)
    }

    fn find(&self, count: usize) -> Option<usize> {
        let mut run = 0;
        for (block, word) in self.taken.iter().enumerate() {
            // Whole blocks first: most are empty or full.
            if *word == 0 {
                run += BLOCK_UNITS;
                if run >= count {
                    return Some((block + 1) * BLOCK_UNITS - run);
                }
                continue;
            }
            for unit in 0..BLOCK_UNITS {
                run = if word >> unit & 1 == 0 { run + 1 } else { 0 };
                if run >= count {
                    return Some(block * BLOCK_UNITS + unit + 1 - run);
                }
            }
        }
        None
    }

    fn mark(&mut self, first: usize, count: usize, taken: bool) {
        for (block, mask) in masks(first, count) {
            let Some(word) = self.taken.get_mut(block) else { return };
            if taken {
                *word |= mask;
            } else {
                *word &= !mask;
            }
            if let Some(resident) = self.resident.get_mut(block).filter(|_| taken) {
                *resident = true;
            }
        }
    }
}

/// The blocks of a row of units, each with the bits of those units.
fn masks(first: usize, count: usize) -> impl Iterator<Item = (usize, u32)> {
    let end = first + count;
    (first / BLOCK_UNITS..end.div_ceil(BLOCK_UNITS)).map(move |block| {
        let begin = block * BLOCK_UNITS;
        let (from, to) = (first.max(begin) - begin, end.min(begin + BLOCK_UNITS) - begin);
        let below = |unit: usize| ((1_u64 << unit) - 1) as u32;
        (block, below(to) & !below(from))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* buffers of all sizes come, grow and go, in any order; the region gets full.
    /// *Guarantees:* no unit is in two buffers, the lowest place that fits is taken, and of empty
    /// blocks that were in use no more than the bound is kept.
    #[test]
    fn nothing_is_given_twice() {
        for seed in 0..40_u64 {
            let mut random = seed;
            let mut next = move |below: usize| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (random >> 33) as usize % below
            };
            let (mut units, mut held) = (Units::new(), Vec::new());
            let mut model = vec![false; BLOCKS * BLOCK_UNITS];
            let mut used = [false; BLOCKS];
            let most = [4, 40, 200, 3000][seed as usize % 4];
            for _ in 0..3_000 {
                match next(5) {
                    0 | 1 => {
                        let count = 1 + next(most);
                        let expected = model.windows(count).position(|row| row.iter().all(|u| !u));
                        assert_eq!(units.take(count), expected);
                        if let Some(first) = expected {
                            model[first..first + count].fill(true);
                            held.push((first, count));
                        }
                    }
                    2 if !held.is_empty() => {
                        let at = next(held.len());
                        let (first, count) = held[at];
                        let more = 1 + next(most);
                        let row = model.get(first + count..first + count + more);
                        let fits = row.is_some_and(|row| row.iter().all(|unit| !unit));
                        assert_eq!(units.take_at(first + count, more), fits);
                        if fits {
                            model[first + count..first + count + more].fill(true);
                            held[at].1 += more;
                        }
                    }
                    _ if !held.is_empty() => {
                        let (first, count) = held.swap_remove(next(held.len()));
                        units.give(first, count);
                        model[first..first + count].fill(false);
                    }
                    _ => {}
                }
                for (block, used) in used.iter_mut().enumerate() {
                    *used |= model[block * BLOCK_UNITS..][..BLOCK_UNITS].contains(&true);
                }
                while let Some(block) = units.surplus() {
                    assert!(!model[block * BLOCK_UNITS..][..BLOCK_UNITS].contains(&true));
                    assert!(std::mem::take(&mut used[block]), "it held something");
                }
                let empty = |block: &usize| {
                    used[*block] && !model[block * BLOCK_UNITS..][..BLOCK_UNITS].contains(&true)
                };
                assert!((0..BLOCKS).filter(empty).count() <= KEPT_BLOCKS);
            }
        }
    }
}
