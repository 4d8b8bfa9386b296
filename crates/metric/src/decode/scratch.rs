//! Vectors of borrowed pieces, emptied and kept from record to record.
//!
//! Owns the memory in which the dimensions and statistics of one point are gathered, so that no
//! point allocates once the vectors have grown.

use crate::{Dimension, Extra};

/// Most dimensions of a point. CloudWatch allows 30; the rest is room for other senders.
pub(super) const DIMENSIONS_MAX: usize = 1000;
/// Most additional statistics of a point. CloudWatch allows 20.
pub(super) const EXTRA_MAX: usize = 1000;

/// The lists of the point that is being read.
#[derive(Default)]
pub(super) struct Scratch<'a> {
    pub(super) dimensions: Vec<Dimension<'a>>,
    pub(super) extra: Vec<Extra<'a>>,
}

impl Scratch<'_> {
    /// The same memory, holding nothing and borrowing nothing.
    pub(super) fn recycle(self) -> Scratch<'static> {
        Scratch { dimensions: emptied(self.dimensions), extra: emptied(self.extra) }
    }
}

/// An empty vector in the memory of `used`. Collecting in place keeps the allocation, since both
/// element types have the same layout; should the library ever stop doing so, this merely allocates.
fn emptied<From, To>(mut used: Vec<From>) -> Vec<To> {
    used.clear();
    used.into_iter().filter_map(|_| None).collect()
}

#[cfg(test)]
mod tests {
    use super::Scratch;

    /// *Scenario:* scratch that has grown is recycled.
    /// *Guarantees:* its memory is kept, so a warm decoder allocates nothing.
    #[test]
    fn recycling_keeps_the_memory() {
        let text = *b"text";
        let mut scratch = Scratch::default();
        scratch.dimensions.reserve(77);
        scratch.dimensions.push((&text, &text));
        let capacity = scratch.dimensions.capacity();
        let recycled: Scratch<'static> = scratch.recycle();
        assert!(recycled.dimensions.is_empty());
        assert_eq!(recycled.dimensions.capacity(), capacity);
    }
}
