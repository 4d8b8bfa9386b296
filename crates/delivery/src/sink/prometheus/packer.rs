//! The packing half.

use metric::Point;

use super::Config;
use crate::sink::{Offer, Payload};

/// The packing half.
pub struct Packer {
    points: u32,
}

impl Packer {
    /// A packer for these settings.
    pub fn new(_config: &Config) -> Packer {
        Packer { points: 0 }
    }

    /// Offers a point.
    pub(crate) fn offer(&mut self, _point: &Point<'_>) -> Offer {
        Offer::Refused("not_built")
    }

    /// Must be closed first.
    pub(crate) fn full(&self) -> bool {
        false
    }

    /// Points in the open parcel.
    pub(crate) fn points(&self) -> u32 {
        self.points
    }

    /// Closes the open parcel.
    pub(crate) fn close(&mut self) -> Payload {
        Payload { points: std::mem::take(&mut self.points), ..Payload::default() }
    }

    /// Forgets the open parcel.
    pub(crate) fn discard(&mut self) {
        self.points = 0;
    }

    /// What was lost of points taken, by kind.
    pub(crate) fn losses(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}
