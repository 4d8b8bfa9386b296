//! Deflate for text of metrics: one look into a hash table at each step, dynamic Huffman codes.
//!
//! Owns: the table of places seen, the symbols of one block, and their counts; about 250 KiB, kept
//! from body to body.
//!
//! Always: what comes out is deflate (RFC 1951) that any inflater reads, and the same for the same
//! input. No place the table names is trusted: bytes are compared before a match is written, so a
//! stale or colliding entry costs a match, never the content.
//!
//! The loops are written for speed in safe code. A window of the bytes before and after the place
//! is taken as an array, so that offsets masked to its size need no check; one check a step is left.
//!
//! Not here: better compression for more time; that is zlib-rs at a higher level.

mod block;
mod huffman;
mod matches;

#[cfg(test)]
mod tests;

use block::BitWriter;
use matches::{AHEAD, Span, Symbols};

use super::rfc1951::WINDOW;

/// Reusable state of the encoder.
pub(super) struct FastEncoder {
    symbols: Symbols,
    /// The edges of an input, with room around them for whole windows.
    padded: Vec<u8>,
}

impl FastEncoder {
    pub(super) fn new() -> Self {
        Self { symbols: Symbols::new(), padded: Vec::new() }
    }

    /// Appends `input` as a whole deflate stream.
    pub(super) fn deflate(&mut self, input: &[u8], out: &mut Vec<u8>) {
        self.symbols.forget();
        let mut writer = BitWriter::new(out);
        let mut body = Body { input, written: 0 };
        // The first bytes have no whole window before them, the last ones none behind them.
        let head = if input.len() <= 2 * WINDOW { input.len() } else { WINDOW };
        let at = self.edge(&mut body, 0, head, &mut writer);
        let at = self.middle(&mut body, at, &mut writer);
        self.edge(&mut body, at, input.len(), &mut writer);
        body.write_block(&mut self.symbols, input.len(), true, &mut writer);
        writer.finish();
    }

    /// Finds matches where whole windows lie in the input; returns how far it came.
    fn middle(&mut self, body: &mut Body<'_>, from: usize, writer: &mut BitWriter<'_>) -> usize {
        let to = body.input.len().saturating_sub(AHEAD);
        let mut at = from;
        while at < to {
            let span = Span { bytes: body.input, before: 0, floor: 0, to, end: body.input.len() };
            at = self.symbols.find::<false>(&span, at);
            body.write_full_block(&mut self.symbols, at, writer);
        }
        at
    }

    /// Finds matches from `from` to `to` in a copy that has a window before and room behind.
    fn edge(
        &mut self,
        body: &mut Body<'_>,
        from: usize,
        to: usize,
        writer: &mut BitWriter<'_>,
    ) -> usize {
        if from >= to {
            return from;
        }
        let input = body.input;
        let known = from.min(WINDOW);
        let copied = input.get(from - known..input.len().min(to + AHEAD)).unwrap_or_default();
        self.padded.clear();
        self.padded.resize(WINDOW - known, 0);
        self.padded.extend_from_slice(copied);
        let end = self.padded.len();
        self.padded.resize(end + AHEAD, 0);

        // From here on places are those of the copy, whose byte `WINDOW` is the input's `from`.
        let (floor, to) = (WINDOW - known, WINDOW + (to - from));
        let mut at = WINDOW;
        while at < to {
            let before = from.wrapping_sub(WINDOW);
            let span = Span { bytes: &self.padded, before, floor, to, end };
            at = self.symbols.find::<true>(&span, at);
            body.write_full_block(&mut self.symbols, from + at - WINDOW, writer);
        }
        from + at - WINDOW
    }
}

/// An input, and how much of it is in blocks already.
struct Body<'a> {
    input: &'a [u8],
    written: usize,
}

impl Body<'_> {
    fn write_full_block(&mut self, symbols: &mut Symbols, at: usize, writer: &mut BitWriter<'_>) {
        if symbols.is_full() {
            self.write_block(symbols, at, false, writer);
        }
    }

    /// Writes what the symbols say of the input up to `at`.
    fn write_block(
        &mut self,
        symbols: &mut Symbols,
        at: usize,
        last: bool,
        writer: &mut BitWriter<'_>,
    ) {
        let plain = self.input.get(self.written..at).unwrap_or_default();
        block::write(symbols, plain, last, writer);
        symbols.clear();
        self.written = at;
    }
}
