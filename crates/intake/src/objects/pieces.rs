//! From the bytes of an object to its pieces, each a journal entry of one record.
//!
//! Owns the window on an object: its container is told and undone, what comes out is cut where a
//! record may end (`metric::boundary`), and what holds no metric is told from what does. Always
//! holds: memory is a window of [`WINDOW_BYTES`] (eight times as much where the object is damaged)
//! besides the container's own, whatever the object; a cut depends on the object alone and never on
//! how its bytes arrived; every byte is in a piece or in a [`Rejected`], up to where reading ends.
//! Deliberately not here: what a piece means, and the journal.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use codec::container::{self, Wrong};
use metric::boundary::{Cut, Sizes, cut};
use metric::{Decoder, Point, Reject, Visit};

use super::reason::{Reason, look};

/// A piece has at most this many bytes, when its lines and messages allow: what a record of
/// Firehose may have, 1000 KiB, so that any destination that takes those takes these.
pub const PIECE_BYTES: usize = 1000 * 1024;
/// A single line or message may have this many, and is then a piece of its own: four times what
/// CloudWatch can write.
pub const PIECE_BYTES_MAX: usize = 4 << 20;
/// Read at a time: a piece and what shows that it ends there.
pub const WINDOW_BYTES: usize = 1 << 20;
/// Kept of what is set aside: enough to see what it is, and most small objects whole.
pub const KEPT_BYTES: usize = 1 << 20;
/// An object without a single metric in this many bytes is no metric stream, and is read no further.
pub const BARREN_BYTES: u64 = 16 << 20;

/// A piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its number in the object, from 0.
    pub number: u64,
    /// Where it begins in the object, once inflated.
    pub offset: u64,
    /// The record.
    pub bytes: Bytes,
}

/// A part of an object that is no piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Why.
    pub reason: Reason,
    /// More in words; may be empty.
    pub detail: String,
    /// Where it begins in the object, once inflated.
    pub offset: u64,
    /// How many bytes it has, once inflated.
    pub length: u64,
    /// The first [`KEPT_BYTES`] of them; of a container that gave nothing, its own.
    pub bytes: Vec<u8>,
}

/// What an object holds, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A piece.
    Piece(Piece),
    /// What is none.
    Rejected(Rejected),
}

/// The pieces of an object.
pub struct Pieces<R: Read> {
    reader: container::Reader<Head<R>>,
    head: Arc<Mutex<Vec<u8>>>,
    sizes: Sizes,
    window_bytes: usize,
    window: Vec<u8>,
    /// Where the rest begins in the window.
    begin: usize,
    /// Where that is in the object.
    offset: u64,
    end: End,
    number: u64,
    /// A metric was seen.
    fertile: bool,
    /// A step was told.
    told: bool,
    decoder: Decoder,
    lost: Option<Rejected>,
    ready: VecDeque<Step>,
}

/// How far reading has come.
#[derive(Clone, Debug, PartialEq)]
enum End {
    /// There may be more.
    NotYet,
    /// The object was read whole.
    Whole,
    /// The container failed here.
    Fault(Reason, String),
    /// Everything was told.
    Told,
}

impl<R: Read> Pieces<R> {
    /// The pieces of `object`, of which at most `limit` bytes are read, once inflated.
    pub fn new(object: R, limit: u64) -> Self {
        let sizes = Sizes { target: PIECE_BYTES, most: PIECE_BYTES_MAX };
        Self::with_sizes(object, limit, sizes, WINDOW_BYTES)
    }

    /// The same with other sizes; `window_bytes` is read at a time.
    pub fn with_sizes(object: R, limit: u64, sizes: Sizes, window_bytes: usize) -> Self {
        let head = Arc::default();
        Self {
            reader: container::Reader::new(Head { object, kept: Arc::clone(&head) }, limit),
            head,
            sizes,
            window_bytes,
            window: Vec::new(),
            begin: 0,
            offset: 0,
            end: End::NotYet,
            number: 0,
            fertile: false,
            told: false,
            decoder: Decoder::new(),
            lost: None,
            ready: VecDeque::new(),
        }
    }

    /// Bytes looked at so far, once inflated.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next step; `None` after the last. An error is one of the layer below: the object may be
    /// good, and gives the same steps when it is read again.
    #[expect(clippy::should_implement_trait, reason = "an iterator would be driven past an error")]
    pub fn next(&mut self) -> io::Result<Option<Step>> {
        loop {
            if let Some(step) = self.ready.pop_front() {
                self.told = true;
                return Ok(Some(step));
            }
            if self.end == End::Told {
                return Ok(None);
            }
            self.advance()?;
        }
    }

    /// Takes one cut off the window.
    fn advance(&mut self) -> io::Result<()> {
        for want in [self.window_bytes, self.sizes.window_max()] {
            self.fill(want)?;
            let rest = self.window.get(self.begin..).unwrap_or(&[]);
            if rest.is_empty() {
                self.finish();
                return Ok(());
            }
            match cut(rest, self.sizes, self.end == End::Whole) {
                Cut::At(length) => {
                    self.take(length);
                    return Ok(());
                }
                Cut::Damaged(length) if self.goes_on() => {
                    self.set_aside(length, Reason::Noise, "");
                    return Ok(());
                }
                Cut::Damaged(length) => {
                    self.take(length);
                    return Ok(());
                }
                Cut::More => {}
                Cut::Lost(length) => {
                    self.set_aside(length, Reason::Noise, "no metric begins here");
                    return Ok(());
                }
                Cut::TooLarge(length) => {
                    let detail = "a line or message is over 4 MiB";
                    self.set_aside(length, Reason::PieceTooLarge, detail);
                    return Ok(());
                }
            }
        }
        // The container failed in the middle of something.
        self.finish();
        Ok(())
    }

    /// Reads on until `want` bytes are in the window, or no more come.
    fn fill(&mut self, want: usize) -> io::Result<()> {
        let held = self.window.len() - self.begin;
        if self.end != End::NotYet || held >= want {
            return Ok(());
        }
        self.window.drain(..self.begin);
        self.begin = 0;
        if self.window.capacity() > self.window_bytes.max(want) {
            self.window.shrink_to(want);
        }
        let missing = want - held;
        self.window.reserve_exact(missing);
        let read = self.reader.by_ref().take(missing as u64).read_to_end(&mut self.window);
        match read {
            Ok(read) if read < missing => self.end = End::Whole,
            Ok(_) => {}
            Err(error) => {
                let Some(fault) = container::Fault::within(&error) else { return Err(error) };
                let reason = match fault.wrong {
                    Wrong::CutShort => Reason::CutShort,
                    Wrong::Damaged => Reason::Damaged,
                    Wrong::OverLimit => Reason::TooLarge,
                    Wrong::Unsupported => Reason::Unsupported,
                };
                self.end = End::Fault(reason, fault.to_string());
            }
        }
        Ok(())
    }

    /// Takes the next `length` bytes, which may be a piece.
    fn take(&mut self, length: usize) {
        let bytes = self.window.get(self.begin..self.begin + length).unwrap_or(&[]);
        if !self.fertile {
            let mut tally = Tally::default();
            self.decoder.decode(bytes, &mut tally);
            if tally == Tally::default() {
                // Nothing but white space, or messages without content.
                self.pass(length);
                return;
            }
            self.fertile = tally.points;
            if !self.fertile
                && let Some(reason) = look(bytes)
            {
                return self.set_aside(length, reason, "");
            }
        }
        self.flush();
        let bytes = Bytes::copy_from_slice(bytes_of(&self.window, self.begin, length));
        let piece = Piece { number: self.number, offset: self.offset, bytes };
        self.ready.push_back(Step::Piece(piece));
        self.number += 1;
        self.pass(length);
    }

    /// True when what was set aside ends right here.
    fn goes_on(&self) -> bool {
        self.lost.as_ref().is_some_and(|lost| lost.offset + lost.length == self.offset)
    }

    fn pass(&mut self, length: usize) {
        self.begin += length;
        self.offset += length as u64;
    }

    /// Sets the next `length` bytes aside; stretches that follow each other are one.
    fn set_aside(&mut self, length: usize, reason: Reason, detail: &str) {
        let goes_on = self.goes_on();
        let bytes = bytes_of(&self.window, self.begin, length);
        // Before the first metric the whole object is in doubt.
        let reason = if self.fertile { reason } else { look(bytes).unwrap_or(reason) };
        match &mut self.lost {
            Some(lost) if goes_on => {
                lost.length += length as u64;
                let room = KEPT_BYTES.saturating_sub(lost.bytes.len()).min(length);
                lost.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            }
            _ => {
                let kept = bytes.get(..KEPT_BYTES).unwrap_or(bytes).to_vec();
                let detail = detail.to_owned();
                let (offset, length) = (self.offset, length as u64);
                self.flush();
                self.lost = Some(Rejected { reason, detail, offset, length, bytes: kept });
            }
        }
        self.pass(length);
        if !self.fertile && self.offset > BARREN_BYTES {
            if let Some(lost) = &mut self.lost {
                lost.detail = format!("no metric in the first {} MiB", BARREN_BYTES >> 20);
            }
            self.flush();
            self.end = End::Told;
        }
    }

    fn flush(&mut self) {
        self.ready.extend(self.lost.take().map(Step::Rejected));
    }

    /// The container failed, and what it gave before may end exactly where a metric does: a line is
    /// only known to be whole by what follows it, or by being one.
    fn take_whole_rest(&mut self) {
        let rest = self.window.get(self.begin..).unwrap_or(&[]);
        let mut tally = Tally::default();
        self.decoder.decode(rest, &mut tally);
        if tally.points && !tally.rejects && rest.len() <= self.sizes.most {
            self.take(rest.len());
        }
    }

    /// Nothing more comes: tells what is left.
    fn finish(&mut self) {
        if let End::Fault(reason, detail) = std::mem::replace(&mut self.end, End::Told) {
            self.take_whole_rest();
            self.flush();
            let rest = self.window.get(self.begin..).unwrap_or(&[]);
            let length = rest.len() as u64;
            let kept = if self.offset == 0 && rest.is_empty() {
                std::mem::take(&mut *self.head.lock().unwrap_or_else(PoisonError::into_inner))
            } else {
                rest.get(..KEPT_BYTES).unwrap_or(rest).to_vec()
            };
            let lost = Rejected { reason, detail, offset: self.offset, length, bytes: kept };
            self.ready.push_back(Step::Rejected(lost));
            return;
        }
        let nothing = !self.told && self.lost.is_none() && self.ready.is_empty();
        self.flush();
        if nothing {
            let (offset, length) = (0, self.offset);
            let (reason, detail) = (Reason::Empty, String::new());
            let lost = Rejected { reason, detail, offset, length, bytes: Vec::new() };
            self.ready.push_back(Step::Rejected(lost));
        }
    }
}

fn bytes_of(window: &[u8], begin: usize, length: usize) -> &[u8] {
    window.get(begin..).and_then(|rest| rest.get(..length)).unwrap_or(&[])
}

/// The object as it comes, with its first bytes kept, in case that nothing can be made of it.
struct Head<R> {
    object: R,
    kept: Arc<Mutex<Vec<u8>>>,
}

impl<R: Read> Read for Head<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.object.read(out)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT_BYTES.saturating_sub(kept.len()).min(read);
        kept.extend_from_slice(out.get(..room).unwrap_or_default());
        Ok(read)
    }
}

/// What the pieces before the first metric hold.
#[derive(Default, PartialEq)]
struct Tally {
    points: bool,
    rejects: bool,
}

impl Visit for Tally {
    fn point(&mut self, _: &Point<'_>) {
        self.points = true;
    }
    fn reject(&mut self, _: &Reject<'_>) {
        self.rejects = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same bytes again and again.
    struct Again {
        unit: Vec<u8>,
        at: usize,
        left: u64,
    }

    impl Read for Again {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let rest = self.unit.get(self.at..).unwrap_or_default();
            let length = rest.len().min(out.len()).min(usize::try_from(self.left).unwrap_or(0));
            out[..length].copy_from_slice(&rest[..length]);
            self.at = (self.at + length) % self.unit.len();
            self.left -= length as u64;
            Ok(length)
        }
    }

    /// *Scenario:* objects of 100 MiB: good messages, lines, and messages with noise between.
    /// *Guarantees:* the window never holds more than its size (twice a largest piece where there is
    /// damage), nothing queues up, and every byte is told.
    #[test]
    fn memory_does_not_grow_with_the_object() {
        let options = rehearsal::payload::Options { metrics: 4000, ..Default::default() };
        let records = |format| rehearsal::payload::records(&options, format).concat();
        let frames = records(metric::Format::Otel10);
        let noisy = [&frames[..], &[0x7f; 5000], b"\n"].concat();
        let cases = [
            (frames, WINDOW_BYTES),
            (records(metric::Format::Json), WINDOW_BYTES),
            (noisy, 2 * PIECE_BYTES_MAX),
        ];
        for (unit, most) in cases {
            let left = (100 << 20) / unit.len() as u64 * unit.len() as u64;
            let mut pieces = Pieces::new(Again { unit, at: 0, left }, u64::MAX);
            let mut told = 0;
            while let Some(step) = pieces.next().expect("it reads") {
                told += match step {
                    Step::Piece(piece) => piece.bytes.len() as u64,
                    Step::Rejected(rejected) => rejected.length,
                };
                assert!(pieces.window.capacity() <= most, "{}", pieces.window.capacity());
                assert!(pieces.ready.len() <= 1);
            }
            assert_eq!(told, left);
        }
    }
}
