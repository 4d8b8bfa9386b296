//! A few bytes at hand.

/// Some bytes that are made before it is known how they are written.
#[derive(Clone, Copy, Default)]
pub(super) struct Short {
    bytes: [u8; 32],
    end: usize,
}

impl Short {
    #[inline]
    pub(super) fn put(&mut self, piece: &[u8]) {
        let end = self.end + piece.len();
        if let Some(place) = self.bytes.get_mut(self.end..end) {
            place.copy_from_slice(piece);
            self.end = end;
        }
        debug_assert!(self.end == end, "the longest head has 28 bytes");
    }

    #[inline]
    pub(super) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.put(&[(value & 0x7f) as u8 | 0x80]);
            value >>= 7;
        }
        self.put(&[(value & 0x7f) as u8]);
    }

    #[inline]
    pub(super) fn head(&mut self, tag: u8, length: usize) {
        self.put(&[tag]);
        self.varint(length as u64);
    }

    /// Writes other bytes where some were written.
    #[inline]
    pub(super) fn set(&mut self, at: usize, bytes: [u8; 8]) {
        if let Some(place) = self.bytes.get_mut(at..at + 8) {
            place.copy_from_slice(&bytes);
        }
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.end).unwrap_or_default()
    }
}
