//! Checksums: CRC32C for what lies on disk, a 128-bit hash for "is this the same data".
//!
//! Always: the same value for the same bytes on every machine and in every release, because both
//! are written to disk.
//!
//! Not here: anything that withstands an adversary.

#[cfg(test)]
mod tests;

/// CRC32C of `bytes`, continuing from `seed` (a salt, or the CRC of what came before).
pub fn crc32c(seed: u32, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(seed, bytes)
}

/// A running 128-bit hash, to tell equal data from other data. Not for adversaries.
#[derive(Default)]
pub struct Hasher128(xxhash_rust::xxh3::Xxh3);

impl Hasher128 {
    /// An empty hash.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    /// The hash of all bytes so far.
    pub fn digest(&self) -> u128 {
        self.0.digest128()
    }
}
