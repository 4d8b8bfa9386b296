//! The shape of a metric: namespace, name and dimension *names*. What depends on these alone
//! (is it selected, what is its key) is worked out once per shape and looked up by number.

use crate::Point;

/// Dense number of a shape, below [`Shapes::CAPACITY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShapeId(pub u32);

impl ShapeId {
    /// The number as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A bounded interner of shapes.
#[derive(Default)]
pub struct Shapes {}

impl Shapes {
    /// Most shapes kept. Senders can invent names; past this a point has no number and takes the slow path.
    pub const CAPACITY: usize = 8192;

    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }
    /// The number of the point's shape; `None` when the table is full.
    pub fn intern(&mut self, _point: &Point<'_>) -> Option<ShapeId> {
        unimplemented!()
    }
}
