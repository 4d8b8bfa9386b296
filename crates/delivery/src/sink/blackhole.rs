//! Nowhere: takes every point.

/// The packing half.
#[derive(Default)]
pub struct Packer {}
