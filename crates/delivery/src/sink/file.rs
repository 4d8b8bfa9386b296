//! NDJSON files, rotated.

use std::path::PathBuf;

/// Settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where.
    pub path: PathBuf,
    /// What is written.
    pub content: Content,
    /// A file above this size is closed and the next begun.
    pub rotate_bytes: u64,
    /// Closed files kept; 0 keeps all.
    pub keep: u32,
}

/// `format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// One CloudWatch JSON object a line.
    Ndjson,
}

/// The packing half.
pub struct Packer {}
/// The sending half.
pub struct Wire {}
