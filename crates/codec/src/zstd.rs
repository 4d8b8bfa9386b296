//! Zstandard out, and a bounded way in.
//!
//! Owns: the compression context, reused from body to body.
//!
//! Always: one frame with its content size is appended; what comes in is bounded by a limit and by
//! a window of 8 MiB, the most that RFC 8878 3.1.1.1.2 asks a receiver to have.

use std::io::Read;

#[cfg(test)]
mod tests;

/// Largest window taken when decompressing, as a power of two.
const WINDOW_LOG_MAX: u32 = 23;

/// Why bytes did not decompress.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZstdError {
    /// Not zstandard, cut short, damaged, or with a window that is too large.
    #[error("zstd stream is corrupt: {0}")]
    Corrupt(String),
    /// More than `limit` bytes would come out.
    #[error("decompresses to more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

/// Zstandard out, state reused from body to body.
pub struct ZstdEncoder {
    level: i32,
    state: Option<::zstd::bulk::Compressor<'static>>,
}

impl Default for ZstdEncoder {
    fn default() -> Self {
        Self::new(1)
    }
}

impl ZstdEncoder {
    /// `level` 1 to 19; what is outside is brought inside.
    pub fn new(level: i32) -> Self {
        Self { level: level.clamp(1, 19), state: None }
    }

    /// Appends one frame holding `input` to `out`.
    pub fn compress(&mut self, input: &[u8], out: &mut Vec<u8>) -> std::io::Result<()> {
        let mut state = match self.state.take() {
            Some(state) => state,
            None => ::zstd::bulk::Compressor::new(self.level)?,
        };
        out.reserve(::zstd::zstd_safe::compress_bound(input.len()));
        let begin = out.len();
        let mut tail = std::io::Cursor::new(out);
        tail.set_position(begin as u64);
        // A failed call leaves a half-used state: it is not kept.
        state.compress_to_buffer(input, &mut tail)?;
        self.state = Some(state);
        Ok(())
    }
}

/// Replaces `out` with the content of all frames of `input`; at most `limit` bytes. On failure `out`
/// is empty.
pub fn decompress(input: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), ZstdError> {
    out.clear();
    let result = match read_frames(input, out, limit) {
        Ok(_) if out.len() > limit => Err(ZstdError::TooLarge { limit }),
        Ok(_) => Ok(()),
        Err(error) => Err(ZstdError::Corrupt(error.to_string())),
    };
    if result.is_err() {
        out.clear();
    }
    result
}

/// Appends at most one byte more than `limit`, by which too large is told from just right.
fn read_frames(input: &[u8], out: &mut Vec<u8>, limit: usize) -> std::io::Result<usize> {
    if input.is_empty() {
        return Err(std::io::Error::other("no frame"));
    }
    let mut decoder = ::zstd::stream::read::Decoder::with_buffer(input)?;
    decoder.window_log_max(WINDOW_LOG_MAX)?;
    decoder.take((limit as u64).saturating_add(1)).read_to_end(out)
}
