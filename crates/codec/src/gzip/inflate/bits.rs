//! Bits of a deflate stream, lowest first.

/// Input as bits. `bits` holds the next ones; those above `count` may be there already, as they
/// are in the input, or be zero.
#[derive(Clone)]
pub(super) struct Bits<'a> {
    pub(super) input: &'a [u8],
    /// The first byte that is not counted in `count`.
    pub(super) at: usize,
    pub(super) bits: u64,
    pub(super) count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0, bits: 0, count: 0 }
    }

    /// Takes in bytes while there are and they fit: then at least 56 bits, or all that is left.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        if let Some(word) = self.input.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            self.bits |= u64::from_le_bytes(*word) << (self.count & 63);
            self.at += (63 - self.count as usize) >> 3;
            self.count |= 56;
        } else {
            self.refill_slowly();
        }
    }

    #[cold]
    fn refill_slowly(&mut self) {
        while self.count < 56
            && let Some(byte) = self.input.get(self.at)
        {
            self.bits |= u64::from(*byte) << self.count;
            self.at += 1;
            self.count += 8;
        }
    }

    /// Drops bits; false if there are not so many.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) -> bool {
        let Some(left) = self.count.checked_sub(count) else { return false };
        self.bits >>= count;
        self.count = left;
        true
    }

    /// The next bits, at most 32.
    pub(super) fn take(&mut self, count: u32) -> Option<u32> {
        self.refill();
        let bits = self.bits as u32 & !(u32::MAX << count);
        self.skip(count).then_some(bits)
    }

    /// Drops the rest of a byte; returns where the next byte is.
    pub(super) fn align(&mut self) -> usize {
        self.at -= self.count as usize / 8;
        (self.bits, self.count) = (0, 0);
        self.at
    }
}
