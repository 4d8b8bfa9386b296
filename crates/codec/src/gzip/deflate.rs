//! Gzip out: level 1 by our own encoder, the levels above by zlib-rs.
//!
//! Owns: the state of either, reused from body to body, and the member framing around it.
//!
//! Always: one good member is appended, whatever happens below: what zlib-rs can't compress in one
//! call is stored. Its state is used again only after a call that ended its stream: zlib-rs 0.6.8
//! at level 1 can panic when it is reset after a call that ran out of space.
//!
//! Not here: any choice of when to compress.

use flate2::{Compress, Compression, FlushCompress, Status};

use super::fast::FastEncoder;

/// A header without name or time; the operating system is "unknown" (RFC 1952 2.3.1).
pub(super) const HEADER: [u8; 10] = [0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0xff];

/// The most bytes a stored block holds (RFC 1951 3.2.4).
pub(super) const STORED_MAX: usize = 0xffff;

/// Gzip out, level 1 by default, state reused from body to body.
pub struct Deflater {
    engine: Engine,
}

enum Engine {
    Fast(Box<FastEncoder>),
    Zlib(Zlib),
}

impl Default for Deflater {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Deflater {
    /// `level` 1 to 9; what is outside is brought inside.
    pub fn new(level: u32) -> Self {
        let engine = match level {
            0 | 1 => Engine::Fast(Box::new(FastEncoder::new())),
            _ => Engine::Zlib(Zlib::new(level.min(9))),
        };
        Self { engine }
    }

    /// Appends one gzip member holding `input` to `out`.
    pub fn gzip(&mut self, input: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&HEADER);
        self.deflate(input, out);
        out.extend_from_slice(&libdeflater::crc32(input).to_le_bytes());
        out.extend_from_slice(&(input.len() as u32).to_le_bytes());
    }

    /// Appends `input` as a bare deflate stream, as a zip entry holds it.
    pub(crate) fn deflate(&mut self, input: &[u8], out: &mut Vec<u8>) {
        match &mut self.engine {
            Engine::Fast(encoder) => encoder.deflate(input, out),
            Engine::Zlib(zlib) => zlib.deflate(input, out),
        }
    }
}

/// A level of zlib-rs, and its state while it can be used again.
pub(super) struct Zlib {
    level: Compression,
    pub(super) state: Option<Compress>,
}

impl Zlib {
    pub(super) fn new(level: u32) -> Self {
        Self { level: Compression::new(level), state: None }
    }

    /// Appends `input` as a whole deflate stream.
    pub(super) fn deflate(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let begin = out.len();
        out.reserve(bound(input.len()));
        if !self.deflate_at_once(input, out) {
            out.truncate(begin);
            store(input, out);
        }
    }

    /// Compresses into the spare capacity of `out` in one call; false when that did not end the
    /// stream, and then the state is gone.
    pub(super) fn deflate_at_once(&mut self, input: &[u8], out: &mut Vec<u8>) -> bool {
        let mut state = self.state.take().unwrap_or_else(|| Compress::new(self.level, false));
        match state.compress_vec(input, out, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => {
                state.reset();
                self.state = Some(state);
                true
            }
            _ => false,
        }
    }
}

/// More than any deflate stream of `length` plain bytes needs. Level 1 of zlib-rs writes fixed
/// Huffman codes, at worst nine bits a byte; the other levels store what does not shrink.
fn bound(length: usize) -> usize {
    length + length / 8 + length / 1024 + 128
}

/// Appends `input` as stored blocks.
pub(super) fn store(input: &[u8], out: &mut Vec<u8>) {
    let mut rest = input;
    loop {
        let (block, after) = rest.split_at(rest.len().min(STORED_MAX));
        let length = block.len() as u16;
        out.push(u8::from(after.is_empty()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
        if after.is_empty() {
            return;
        }
        rest = after;
    }
}
