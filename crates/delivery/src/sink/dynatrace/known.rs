//! The shapes seen so far and their finished parts. Bounded by the interner of shapes; a point
//! whose shape has no number is prepared anew each time.

use std::collections::HashMap;

use metric::{Point, ShapeId, Shapes};

use super::DigitSection;
use super::prepared::Prepared;

/// The cache.
pub(crate) struct Known {
    digits: DigitSection,
    shapes: Vec<Option<Prepared>>,
    /// Checksum of each key in use, with that of the names it was first made from.
    keys: HashMap<u128, u128>,
    /// Shapes whose key is also that of another.
    pub(crate) keys_shared: u64,
    /// Where a shape without a number is prepared.
    unnumbered: Option<Prepared>,
}

impl Known {
    /// An empty cache.
    pub(crate) fn new(digits: DigitSection) -> Known {
        Known { digits, shapes: Vec::new(), keys: HashMap::new(), keys_shared: 0, unnumbered: None }
    }

    /// The parts for a point of this shape.
    #[inline]
    pub(crate) fn parts(&mut self, point: &Point<'_>, shape: Option<ShapeId>) -> &mut Prepared {
        let index = shape.map_or(usize::MAX, ShapeId::index);
        if index >= self.shapes.len() {
            return self.unnumbered(point, index);
        }
        // The length was looked at right above; `get_or_insert_with` alone cannot say so.
        let digits = self.digits;
        let keys = (&mut self.keys, &mut self.keys_shared);
        match self.shapes.get_mut(index) {
            Some(place) => place.get_or_insert_with(|| first(point, digits, keys)),
            None => self.unnumbered.get_or_insert_with(|| Prepared::of(point, digits)),
        }
    }

    #[cold]
    fn unnumbered(&mut self, point: &Point<'_>, index: usize) -> &mut Prepared {
        if index < Shapes::CAPACITY {
            self.shapes.resize_with(Shapes::CAPACITY, || None);
            return self.parts(point, u32::try_from(index).ok().map(ShapeId));
        }
        self.unnumbered.insert(Prepared::of(point, self.digits))
    }

    /// The announcement of this shape's unit was not sent after all.
    pub(crate) fn take_back(&mut self, index: usize) {
        if let Some(Some(prepared)) = self.shapes.get_mut(index) {
            prepared.announced = false;
        }
    }
}

/// Prepares a shape seen for the first time, and looks whether its key is taken.
#[cold]
fn first(
    point: &Point<'_>,
    digits: DigitSection,
    (keys, shared): (&mut HashMap<u128, u128>, &mut u64),
) -> Prepared {
    let prepared = Prepared::of(point, digits);
    let mut names: Vec<&[u8]> = point.dimensions.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.extend([point.namespace, point.name]);
    let names = checksum(&names);
    let owner = *keys.entry(checksum(&[prepared.key.text.as_bytes()])).or_insert(names);
    *shared += u64::from(owner != names);
    prepared
}

fn checksum(parts: &[&[u8]]) -> u128 {
    let mut hasher = codec::checksum::Hasher128::new();
    for part in parts {
        hasher.update(part);
        hasher.update(b"\0");
    }
    hasher.digest()
}
