//! Bounded inflate and deflate, base64, checksums.
//!
//! Owns nothing but reusable state. Whatever the input, output is bounded by an explicit limit.
//!
//! Not here: what the bytes mean, and where they come from.

pub mod base64;
pub mod checksum;
pub mod container;
pub mod gzip;
pub mod zstd;
