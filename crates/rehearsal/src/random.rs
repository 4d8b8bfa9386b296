//! splitmix64: the one source of chance in this crate.
//!
//! Same seed, same numbers, on every machine; no global state. Not for secrets.

/// A stream of pseudo-random numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

/// Weyl increment of splitmix64.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// A stream that begins at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for one thing among many: the same `key` gives the same numbers
    /// whatever else was drawn before.
    pub fn keyed(seed: u64, key: u64) -> Self {
        Self(mix(seed.wrapping_add(GAMMA)) ^ mix(key.wrapping_mul(GAMMA).wrapping_add(1)))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// A number from 0 to just below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high half of a 128-bit product is as even as a bound far below 2^64 needs.
        let product = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// A number from 0 to just below 1, with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True in `share` of the draws.
    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }
}

/// The output function of splitmix64.
pub(crate) fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
