//! Text being written, for lines made of many short pieces.
//!
//! Room for a whole line is made once, before it; after that a piece is a few plain moves at a
//! cursor instead of a call to `memcpy` and a look at the capacity each. Everything here is safe
//! code: moves are bounds-checked, and a piece that does not fit after all takes the slow way.

/// The text and where it ends; the bytes behind the end are of no meaning.
#[derive(Default)]
pub(crate) struct Text {
    bytes: Vec<u8>,
    end: usize,
}

impl Text {
    /// Makes room for `more` bytes.
    #[inline]
    pub(crate) fn reserve(&mut self, more: usize) {
        if self.bytes.len() - self.end < more {
            self.grow(more);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let wanted = self.end + more;
        self.bytes.resize(wanted.max(self.bytes.len() * 2), 0);
    }

    /// What has been written.
    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.end).unwrap_or_default()
    }

    /// How much has been written.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.end
    }

    /// Forgets what has been written.
    pub(crate) fn clear(&mut self) {
        self.end = 0;
    }

    /// Forgets what was written after the first `length` bytes.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.end = self.end.min(length);
    }

    /// Gives the text away and goes on, empty, in another buffer.
    pub(crate) fn replace(&mut self, buffer: Vec<u8>) -> Vec<u8> {
        let mut bytes = std::mem::replace(&mut self.bytes, buffer);
        bytes.truncate(self.end);
        self.end = 0;
        bytes
    }

    /// Appends one byte.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        match self.bytes.get_mut(self.end) {
            Some(place) => {
                *place = byte;
                self.end += 1;
            }
            None => self.put_slowly(&[byte]),
        }
    }

    /// Writes another byte where one was written.
    #[inline]
    pub(crate) fn set(&mut self, at: usize, byte: u8) {
        if let Some(place) = self.bytes.get_mut(at) {
            *place = byte;
        }
    }

    /// Appends a piece.
    #[inline]
    pub(crate) fn put(&mut self, piece: &[u8]) {
        let end = self.end + piece.len();
        let Some(place) = self.bytes.get_mut(self.end..end) else {
            return self.put_slowly(piece);
        };
        copy(piece, place);
        self.end = end;
    }

    /// Appends the first `length` bytes of a word, eight at most.
    #[inline]
    pub(crate) fn put_word(&mut self, word: u64, length: usize) {
        let bytes = word.to_le_bytes();
        match self.bytes.get_mut(self.end..).and_then(|rest| rest.first_chunk_mut::<8>()) {
            Some(place) => {
                *place = bytes;
                self.end += length;
            }
            None => self.put_slowly(bytes.get(..length).unwrap_or_default()),
        }
    }

    /// Appends a piece of the text once more.
    #[inline]
    pub(crate) fn repeat(&mut self, piece: std::ops::Range<usize>) {
        let length = piece.len();
        if self.end + length <= self.bytes.len() && piece.end <= self.end {
            self.bytes.copy_within(piece, self.end);
            self.end += length;
        }
    }

    #[cold]
    fn put_slowly(&mut self, piece: &[u8]) {
        self.grow(piece.len());
        if let Some(place) = self.bytes.get_mut(self.end..self.end + piece.len()) {
            place.copy_from_slice(piece);
            self.end += piece.len();
        }
    }
}

/// Whether two short slices are equal, by words instead of a call: accounts and regions have up to
/// sixteen bytes, ARNs some sixty.
#[inline]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if a.len() >= 16 {
        let blocks = a.as_chunks::<16>().0.iter().zip(b.as_chunks::<16>().0);
        let equal =
            |(a, b): (&[u8; 16], &[u8; 16])| u128::from_ne_bytes(*a) == u128::from_ne_bytes(*b);
        return blocks.map(equal).fold(true, |all, one| all & one)
            && a.last_chunk::<16>() == b.last_chunk::<16>();
    }
    if a.len() >= 8 {
        return a.first_chunk::<8>() == b.first_chunk::<8>()
            && a.last_chunk::<8>() == b.last_chunk::<8>();
    }
    // Not by `==`, which may call `memcmp`: with the dangling pointer of an empty vector that has
    // been seen to take a hundred nanoseconds (a masked load whose fault is suppressed).
    a.iter().zip(b).all(|(a, b)| a == b)
}

/// Copies between slices of one length; short ones by two moves that may overlap.
#[inline]
fn copy(from: &[u8], to: &mut [u8]) {
    if from.len() > 32 {
        to.copy_from_slice(from);
    } else if from.len() >= 16 {
        ends::<16>(from, to);
    } else if from.len() >= 8 {
        ends::<8>(from, to);
    } else if from.len() >= 4 {
        ends::<4>(from, to);
    } else {
        for (to, from) in to.iter_mut().zip(from) {
            *to = *from;
        }
    }
}

/// Copies the first and the last `N` bytes.
#[inline]
fn ends<const N: usize>(from: &[u8], to: &mut [u8]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<N>(), to.first_chunk_mut::<N>()) {
        *to = *from;
    }
    if let (Some(from), Some(to)) = (from.last_chunk::<N>(), to.last_chunk_mut::<N>()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests;
