//! Bounded inflate and deflate, base64, checksums.
//!
//! Owns nothing but reusable state. Whatever the input, output is bounded by an explicit limit.

pub mod base64;
pub mod checksum;
pub mod gzip;
pub mod zstd;
