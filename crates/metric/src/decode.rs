//! One decoder for all three formats, told apart per record and, for OTel, per data point.

use crate::{Point, Reject};

/// Receives what a record holds, in order. Every call is one item; items are numbered by the caller.
pub trait Visit {
    /// A point.
    fn point(&mut self, point: &Point<'_>);
    /// A piece that could not be decoded.
    fn reject(&mut self, reject: &Reject<'_>);
}

/// Reusable state of decoding; nothing is allocated per point once warm.
#[derive(Default)]
pub struct Decoder {}

impl Decoder {
    /// New state.
    pub fn new() -> Self {
        Self::default()
    }
    /// Decodes one record (base64 already undone): any of the formats, gzip or not. An empty record
    /// holds no items. Whatever the bytes, this returns, and each byte is part of a point or a reject.
    /// The same bytes give the same items in the same order, always: positions on disk rely on it.
    pub fn decode(&mut self, _record: &[u8], _visit: &mut impl Visit) {
        unimplemented!()
    }
}
