//! Nowhere: takes every point. For measuring, and for a stream that is only watched.

use super::Payload;

/// Points of a parcel: as many as a request to a real destination would hold.
const POINTS_MAX: u32 = 10_000;

/// The packing half.
#[derive(Debug, Default)]
pub struct Packer {
    points: u32,
}

impl Packer {
    /// Takes a point.
    pub(crate) fn take(&mut self) {
        self.points += 1;
    }

    /// The parcel is full.
    pub(crate) fn full(&self) -> bool {
        self.points >= POINTS_MAX
    }

    /// Points in the open parcel.
    pub(crate) fn points(&self) -> u32 {
        self.points
    }

    /// Closes the open parcel.
    pub(crate) fn close(&mut self) -> Payload {
        let points = std::mem::take(&mut self.points);
        Payload { points, ..Payload::default() }
    }

    /// Forgets the open parcel.
    pub(crate) fn discard(&mut self) {
        self.points = 0;
    }
}
