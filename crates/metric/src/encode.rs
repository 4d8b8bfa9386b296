//! The three formats, written. What a format cannot carry is listed in docs/formats.md.

use crate::Point;

/// An output format of a metric stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `json`: one object a line.
    Json,
    /// `opentelemetry0.7`.
    Otel07,
    /// `opentelemetry1.0`.
    Otel10,
}

/// Writes records of one format.
pub struct Encoder {
    _format: Format,
}

impl Encoder {
    /// An encoder of `format`.
    pub fn new(format: Format) -> Self {
        Self { _format: format }
    }
    /// Adds a point to the open record.
    pub fn push(&mut self, _point: &Point<'_>) {
        unimplemented!()
    }
    /// Appends the open record to `out` (JSON lines, or one length-prefixed message per resource).
    pub fn finish(&mut self, _out: &mut Vec<u8>) {
        unimplemented!()
    }
}
