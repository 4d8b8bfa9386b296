//! Gzip in and out. Inflating is bounded by a limit and reads every member; deflating reuses its state.

use std::io::Read;

/// Why bytes did not inflate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InflateError {
    /// The bytes do not begin with a gzip header.
    #[error("not gzip")]
    NotGzip,
    /// The stream ends before its end marker and checksum.
    #[error("gzip stream is cut short")]
    Truncated,
    /// A block, a length or a checksum is wrong.
    #[error("gzip stream is corrupt: {0}")]
    Corrupt(&'static str),
    /// More than `limit` bytes would come out.
    #[error("inflates to more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

/// True when `bytes` begin as a gzip member does.
pub fn is_gzip(bytes: &[u8]) -> bool {
    matches!(bytes, [0x1f, 0x8b, 0x08, ..])
}

/// Inflates whole bodies, reusing its state and the caller's buffer.
pub struct Inflater {
    _state: libdeflater::Decompressor,
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

impl Inflater {
    /// New state, about 32 KiB.
    pub fn new() -> Self {
        Self { _state: libdeflater::Decompressor::new() }
    }
    /// Replaces `out` with the content of all gzip members of `input`; at most `limit` bytes.
    pub fn gunzip(
        &mut self,
        _input: &[u8],
        _out: &mut Vec<u8>,
        _limit: usize,
    ) -> Result<(), InflateError> {
        unimplemented!()
    }
}

/// Inflates a stream in a small window, for bodies that should never be held whole.
/// Reads every member, checks every CRC. A failure is an `io::Error` whose source is an [`InflateError`].
pub struct StreamInflater<R: Read> {
    _inner: R,
}

impl<R: Read> StreamInflater<R> {
    /// At most `limit` bytes come out; one more is [`InflateError::TooLarge`].
    pub fn new(inner: R, _limit: u64) -> Self {
        Self { _inner: inner }
    }
}

impl<R: Read> Read for StreamInflater<R> {
    fn read(&mut self, _out: &mut [u8]) -> std::io::Result<usize> {
        unimplemented!()
    }
}

/// Gzip out, level 1 by default, state reused from body to body.
pub struct Deflater {
    _level: u32,
}

impl Deflater {
    /// `level` 1 to 9.
    pub fn new(level: u32) -> Self {
        Self { _level: level }
    }
    /// Appends one gzip member holding `input` to `out`.
    pub fn gzip(&mut self, _input: &[u8], _out: &mut Vec<u8>) {
        unimplemented!()
    }
}
