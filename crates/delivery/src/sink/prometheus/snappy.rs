//! Snappy, written by one who knows what repeats.
//!
//! The series of a point are their labels five times over. An encoder of any text has to find that
//! out byte by byte, which was the largest part of this path; who writes the labels knows where
//! they stand already, and says so. The format (`format_description.txt` of Snappy) is a list of
//! literals and of copies of earlier text, from any distance.
//!
//! Positions count on from request to request, so that what is known of an earlier one is told from
//! this one's without forgetting it. Not here: what repeats (`encode`).

use crate::sink::text::Text;

/// Longest literal whose length stands in its tag.
const SHORT_MAX: usize = 60;
/// Longest copy of one element.
const COPY_MAX: usize = 64;
/// A shorter repetition costs as much as its bytes.
const COPY_MIN: usize = 4;

/// A place in the plain text of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place(u64);

impl Place {
    /// The place `bytes` behind this one.
    pub(crate) fn plus(self, bytes: usize) -> Place {
        Place(self.0 + bytes as u64)
    }
}

/// A request being written.
pub(crate) struct Snappy {
    text: Text,
    begin: u64,
    at: u64,
    /// Tag of the literal that may still grow.
    tag: usize,
    /// Its length; 0 when there is none.
    literal: usize,
    /// What is to be copied, and how much of it; 0 when nothing is.
    from: u64,
    copy: usize,
}

impl Snappy {
    pub(crate) fn new() -> Snappy {
        // Place 0 is never reached: it stands for nothing known.
        Snappy { text: Text::default(), begin: 1, at: 1, tag: 0, literal: 0, from: 0, copy: 0 }
    }

    /// Where the next byte goes.
    #[inline]
    pub(crate) fn place(&self) -> Place {
        Place(self.at)
    }

    /// Is it a place of this request?
    #[inline]
    pub(crate) fn knows(&self, place: Place) -> bool {
        place.0 >= self.begin
    }

    /// Makes room for `more` plain bytes, roughly.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.text.reserve(more);
    }

    /// Appends `bytes`.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        let length = bytes.len();
        if length == 0 {
            return;
        }
        self.flush();
        self.at += length as u64;
        if self.literal > 0 && self.literal + length <= SHORT_MAX {
            self.literal += length;
            self.text.set(self.tag, tag(self.literal));
        } else if length <= SHORT_MAX {
            (self.tag, self.literal) = (self.text.len(), length);
            self.text.push(tag(length));
        } else {
            self.long(length);
        }
        self.text.put(bytes);
    }

    /// The tag of a long literal: how many bytes of length follow, and these.
    #[cold]
    fn long(&mut self, length: usize) {
        self.literal = 0;
        let less = (length - 1).to_le_bytes();
        let used = less.iter().rposition(|byte| *byte != 0).unwrap_or(0);
        self.text.push(((SHORT_MAX + used) << 2) as u8);
        self.text.put(less.get(..=used).unwrap_or_default());
    }

    /// Appends `bytes`, which stand at `from` already; at any place but a known one they are put.
    #[inline]
    pub(crate) fn again(&mut self, from: Place, bytes: &[u8]) {
        let length = bytes.len();
        let goes_on = self.copy > 0 && self.from + self.copy as u64 == from.0;
        if goes_on || length >= COPY_MIN && self.knows(from) {
            self.copy(from, length);
        } else {
            self.put(bytes);
        }
    }

    /// Appends what stands at a known place.
    #[inline]
    pub(crate) fn copy(&mut self, from: Place, length: usize) {
        debug_assert!(self.knows(from), "only what was written can be copied");
        if self.copy > 0 && self.from + self.copy as u64 == from.0 {
            self.copy += length;
        } else {
            self.flush();
            self.literal = 0;
            (self.from, self.copy) = (from.0, length);
        }
        self.at += length as u64;
    }

    /// Writes the copy that may have grown.
    #[inline]
    fn flush(&mut self) {
        if self.copy > 0 {
            self.write_copy();
        }
    }

    #[inline]
    fn write_copy(&mut self) {
        let distance = self.at - self.copy as u64 - self.from;
        // A word for each element: its tag, and how far back.
        let (form, size) = if distance < 1 << 16 { (2, 3) } else { (3, 5) };
        while self.copy > COPY_MAX {
            self.copy -= COPY_MAX;
            self.text.put_word((COPY_MAX as u64 - 1) << 2 | form | distance << 8, size);
        }
        let length = std::mem::take(&mut self.copy) as u64;
        if (4..12).contains(&length) && distance < 1 << 11 {
            let word = distance >> 8 << 5 | (length - 4) << 2 | 1 | (distance & 0xff) << 8;
            self.text.put_word(word, 2);
        } else {
            self.text.put_word((length - 1) << 2 | form | distance << 8, size);
        }
    }

    /// Appends a text that nothing is known of.
    pub(crate) fn put_unknown(&mut self, bytes: &[u8], encoder: &mut snap::raw::Encoder) {
        if bytes.is_empty() {
            return;
        }
        self.flush();
        self.literal = 0;
        let packed = encoder.compress_vec(bytes).expect("a request is below 4 GiB");
        // Its length goes before, once for all; copies say how far back, and so may be moved.
        let length = packed.iter().position(|byte| *byte < 0x80).map_or(0, |last| last + 1);
        self.text.put(packed.get(length..).unwrap_or_default());
        self.at += bytes.len() as u64;
    }

    /// Ends the request: puts it into `out`, and says how long it is plain.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> usize {
        self.flush();
        let plain = self.at - self.begin;
        metric::wire::put_varint(plain, out);
        out.extend_from_slice(self.text.as_slice());
        self.discard();
        usize::try_from(plain).unwrap_or(usize::MAX)
    }

    /// Forgets the request.
    pub(crate) fn discard(&mut self) {
        self.text.clear();
        (self.begin, self.literal, self.copy) = (self.at, 0, 0);
    }
}

/// The tag of a literal of at most [`SHORT_MAX`] bytes.
#[inline]
fn tag(length: usize) -> u8 {
    ((length - 1) << 2) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Put(Vec<u8>),
        Again(prop::sample::Index, usize),
        Unknown(Vec<u8>),
        Finish,
    }

    fn step() -> impl Strategy<Value = Step> {
        let bytes = |max| prop::collection::vec(any::<u8>(), 0..max);
        prop_oneof![
            4 => bytes(70).prop_map(Step::Put),
            1 => bytes(70_000).prop_map(Step::Put),
            8 => (any::<prop::sample::Index>(), 0..300_usize).prop_map(|(a, b)| Step::Again(a, b)),
            1 => bytes(3_000).prop_map(Step::Unknown),
            1 => Just(Step::Finish),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// *Scenario:* any order of pieces, repetitions near and far, foreign parts and requests.
        /// *Guarantees:* another implementation reads back what was meant.
        #[test]
        fn others_read_it(steps in prop::collection::vec(step(), 0..60)) {
            let (mut snappy, mut encoder) = (Snappy::new(), snap::raw::Encoder::new());
            let (mut plain, mut first) = (Vec::new(), snappy.place());
            for step in steps.into_iter().chain([Step::Finish]) {
                match step {
                    Step::Put(bytes) => {
                        snappy.put(&bytes);
                        plain.extend(bytes);
                    }
                    Step::Again(at, length) => {
                        if plain.is_empty() {
                            continue;
                        }
                        let at = at.index(plain.len());
                        let end = (at + length).min(plain.len());
                        let bytes = plain[at..end].to_vec();
                        snappy.again(Place(first.0 + at as u64), &bytes);
                        plain.extend(bytes);
                    }
                    Step::Unknown(bytes) => {
                        snappy.put_unknown(&bytes, &mut encoder);
                        plain.extend(bytes);
                    }
                    Step::Finish => {
                        let mut packed = Vec::new();
                        prop_assert_eq!(snappy.finish(&mut packed), plain.len());
                        let read = snap::raw::Decoder::new().decompress_vec(&packed).unwrap();
                        prop_assert!(read == plain);
                        plain.clear();
                        prop_assert!(!snappy.knows(first) || snappy.place() == first);
                        first = snappy.place();
                    }
                }
            }
        }
    }

    /// *Scenario:* a copy at each border of its forms: 4, 11, 12, 64 and 65 bytes, from 2,047, 2,048,
    /// 65,535 and 65,536 bytes back, and one that overlaps itself.
    /// *Guarantees:* as read by another implementation; a place of an earlier request is none.
    #[test]
    fn the_borders_of_copies() {
        let text: Vec<u8> = (0..70_000_u32).map(|n| (n.wrapping_mul(n) >> 5) as u8).collect();
        for distance in [2_047, 2_048, 65_535, 65_536] {
            for length in [3, 4, 11, 12, 60, 61, 64, 65, 130, 2_000] {
                let mut snappy = Snappy::new();
                snappy.put(&text);
                let at = text.len() - distance;
                let bytes = &text[at..at + length];
                snappy.again(Place(snappy.place().0 - distance as u64), bytes);
                let mut packed = Vec::new();
                snappy.finish(&mut packed);
                let read = snap::raw::Decoder::new().decompress_vec(&packed).unwrap();
                assert!(read == [&text, bytes].concat(), "{distance} {length}");
            }
        }
        let (mut snappy, mut packed) = (Snappy::new(), Vec::new());
        let place = snappy.place();
        snappy.put(b"abcd");
        snappy.again(place, b"abcd");
        // Goes on where the copy ends, in what it is about to write.
        snappy.again(Place(place.0 + 4), b"abcdabcd");
        snappy.finish(&mut packed);
        let read = snap::raw::Decoder::new().decompress_vec(&packed).unwrap();
        assert_eq!(read, b"abcdabcdabcdabcd");
        assert_eq!(packed.len(), 1 + 5 + 3);
        packed.clear();
        assert!(!snappy.knows(place));
        snappy.again(place, b"abcd");
        snappy.finish(&mut packed);
        assert_eq!(snap::raw::Decoder::new().decompress_vec(&packed).unwrap(), b"abcd");
    }
}
