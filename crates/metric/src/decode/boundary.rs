//! Where a stream of records, joined without a word on where one ends, may be cut for the journal.
//!
//! Owns the walk from piece to piece without decoding them. Objects that Firehose wrote are records
//! back to back, with or without a delimiter; the decoder takes any number of pieces in a row, so a
//! cut is good wherever a piece ends. Always holds: what is a piece, and what is a delimiter, is
//! decided by the same code as in the decoder, so that decoding all cuts gives the points that
//! decoding the whole gives; a cut depends on the bytes of the window alone; the work is linear in
//! the window. Deliberately not here: reading, and what becomes of bytes that hold nothing.
//!
//! The rule for a line feed (Firehose's `AppendDelimiterToRecord`) where the length of a message is
//! expected: a message of ten bytes comes first, and counts only when its fields fill it exactly and
//! are `resource_metrics`; else the line feed is a delimiter, if a whole message or a `{` follows,
//! or nothing. Both cannot hold at once (`frame` has the proof).

use super::frame::{self, Frame};
use super::{Pass, Tally, line_len};
use crate::wire::Reader;

/// How large what is cut may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// A cut is the last that is good within this many bytes.
    pub target: usize,
    /// A single object or message may have this many; then it is a cut of its own.
    pub most: usize,
}

impl Sizes {
    /// A window of this many bytes always gives an answer: what begins in its first half and is not
    /// too large ends in it.
    pub fn window_max(self) -> usize {
        self.most.saturating_mul(2).max(self.target)
    }
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The first bytes, this many, are for the decoder.
    At(usize),
    /// The first bytes, this many, hold no piece as a whole, and behind them one begins. The decoder
    /// may judge what they are.
    Damaged(usize),
    /// More of the stream is needed to tell.
    More,
    /// Nothing begins in the first bytes, this many: they are no metrics, or their end is lost.
    Lost(usize),
    /// An object or message begins that is larger than a piece may be. The first bytes, this many,
    /// belong to it; what follows may belong to it as well.
    TooLarge(usize),
}

/// Levels of nesting in an object; a metric has three.
const DEPTH_MAX: usize = 64;

/// Bytes that may be looked at twice in search of the next good piece, per byte of the window.
const SEARCH_FACTOR: usize = 4;

/// Where the stream whose next bytes are `window` may be cut. `at_end` says that nothing follows.
/// The window is never empty. [`Cut::More`] is answered only below [`Sizes::window_max`] and not at
/// the end.
pub fn cut(window: &[u8], sizes: Sizes, at_end: bool) -> Cut {
    if let Some(length) = cut_text(window, sizes.target, at_end) {
        return Cut::At(length);
    }
    let mut walk = Walk { window, at_end, json_seen: false, search: 0, object_seen: None };
    walk.search = window.len().saturating_mul(SEARCH_FACTOR);
    let mut end = 0;
    let stopped = loop {
        let rest = window.get(end..).unwrap_or(&[]);
        if rest.is_empty() {
            return Cut::At(end);
        }
        let (piece, length) = match walk.piece(rest) {
            Piece::Whole(length) => (Piece::Whole(length), length),
            Piece::Open => break Piece::Open,
            Piece::Nothing => match walk.next_good(end + 1, window.len()) {
                Some(next) if end == 0 && next <= sizes.most => return Cut::Damaged(next),
                Some(next) => (Piece::Nothing, next - end),
                None => break Piece::Nothing,
            },
        };
        if length > sizes.most || (end > 0 && end + length > sizes.target) {
            break piece;
        }
        end += length;
    };
    if end > 0 {
        return Cut::At(end);
    }
    walk.first(stopped, sizes)
}

/// The fast way for lines of JSON: no message is in the text, and a line feed between `}` and `{`
/// stands between two objects, since text inside an object may not hold a line feed.
fn cut_text(window: &[u8], target: usize, at_end: bool) -> Option<usize> {
    let head = window.get(..target).unwrap_or(window);
    let start = head.strip_prefix(frame::BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
    if !start.starts_with(b"{") || !head.iter().all(|byte| is_text_byte(*byte)) {
        return None;
    }
    if at_end && head.len() == window.len() {
        return Some(window.len());
    }
    let mut before = head;
    while let Some(feed) = memchr::memrchr(b'\n', before) {
        let (left, right) = window.split_at_checked(feed)?;
        let left = left.trim_ascii_end();
        let left = left.strip_suffix(b",").map_or(left, <[u8]>::trim_ascii_end);
        if left.ends_with(b"}") && right.trim_ascii_start().starts_with(b"{") {
            return Some(feed + 1);
        }
        before = head.get(..feed)?;
    }
    None
}

fn is_text_byte(byte: u8) -> bool {
    byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r')
}

/// What stands at the start of the rest of a window.
enum Piece {
    /// A piece, or delimiters, of this length.
    Whole(usize),
    /// A piece that seems to go on behind the window.
    Open,
    /// Nothing that is known.
    Nothing,
}

/// How far an object reaches.
enum Reach {
    Ends(usize),
    Open,
    Broken,
}

struct Walk<'a> {
    window: &'a [u8],
    at_end: bool,
    json_seen: bool,
    search: usize,
    /// Where the next object of CloudWatch's layout begins, once it was looked for.
    object_seen: Option<usize>,
}

impl<'a> Walk<'a> {
    /// The piece at the start of `rest`, in the order of the decoder: JSON, message, delimiters.
    fn piece(&mut self, rest: &'a [u8]) -> Piece {
        let whole = || Frame::at(rest).filter(Frame::is_whole).map(|f| f.header + f.body.len());
        if rest.starts_with(b"{") {
            return match reach(rest) {
                Reach::Ends(length) => self.object(rest, length),
                Reach::Open => whole().map_or(Piece::Open, Piece::Whole),
                Reach::Broken => whole().map_or_else(|| self.broken_line(rest), Piece::Whole),
            };
        }
        if let Some(length) = whole() {
            return Piece::Whole(length);
        }
        match frame::after_delimiters(rest, self.json_seen) {
            _ if self.ends_in_delimiters(rest) => Piece::Open,
            // Delimiters go with what they are before: alone, a bracket is none.
            Some(after) if !after.is_empty() => match self.piece(after) {
                Piece::Whole(length) => Piece::Whole(rest.len() - after.len() + length),
                other => other,
            },
            Some(_) => Piece::Whole(rest.len()),
            None if self.may_go_on(rest) => Piece::Open,
            None => Piece::Nothing,
        }
    }

    /// An object, with the comma or closing bracket behind it: no cut may begin with one.
    fn object(&mut self, rest: &'a [u8], length: usize) -> Piece {
        self.json_seen = true;
        let after = super::tolerant::after_object(rest, length);
        let begins = after.starts_with(b"{") || Frame::at(after).is_some_and(|f| f.is_whole());
        let next = if begins { Some(after) } else { frame::after_delimiters(after, true) };
        match next {
            _ if self.ends_in_delimiters(after) => Piece::Open,
            Some(next) => {
                let between = after.len() - next.len();
                let between = after.get(..between).unwrap_or(after);
                let opening = memchr::memchr(b'[', between).unwrap_or(between.len());
                Piece::Whole(rest.len() - after.len() + opening)
            }
            None => Piece::Whole(rest.len() - after.len()),
        }
    }

    /// A line that begins as an object and is none: the decoder rejects it to its end.
    fn broken_line(&mut self, rest: &'a [u8]) -> Piece {
        let length = line_len(rest);
        let line = rest.get(..length).unwrap_or(rest);
        if !line.iter().all(|byte| is_text_byte(*byte)) {
            return Piece::Nothing;
        }
        self.json_seen = true;
        if line.ends_with(b"\n") || self.at_end { Piece::Whole(length) } else { Piece::Open }
    }

    /// True when nothing but delimiters is left of the window, and more may follow.
    fn ends_in_delimiters(&self, rest: &[u8]) -> bool {
        let delimiter =
            |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']');
        !self.at_end && rest.iter().all(delimiter)
    }

    /// True when `rest` may be the start of a message (behind delimiters) that ends behind the window.
    fn may_go_on(&self, rest: &[u8]) -> bool {
        if self.at_end {
            return false;
        }
        let white = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        // The line feed is itself white: any of them may be the length, and the last the tag.
        (0..=white).rev().take(frame::DELIMITERS_MAX).any(|skipped| {
            let mut reader = Reader::new(rest.get(skipped..).unwrap_or(&[]));
            let Some(length) = reader.varint() else { return reader.rest().len() < 5 };
            let cut_short =
                usize::try_from(length).is_ok_and(|length| length > reader.rest().len());
            cut_short && reader.rest().first().is_none_or(|tag| *tag == b'\n')
        })
    }

    /// What to say of a window that does not begin with a whole piece within the sizes.
    fn first(&mut self, stopped: Piece, sizes: Sizes) -> Cut {
        let length = self.window.len();
        if !self.at_end && length < sizes.window_max() {
            return Cut::More;
        }
        if let Piece::Whole(length) = stopped {
            return Cut::TooLarge(length);
        }
        let within = length.min(sizes.most);
        let start = self.window.get(..within).unwrap_or(self.window);
        if length <= sizes.most || start.trim_ascii_start().is_empty() {
            // What is damaged is the decoder's to judge, as long as it is small.
            return Cut::At(within);
        }
        match (self.next_good(1, within), stopped) {
            (Some(next), _) => Cut::Damaged(next),
            (None, Piece::Nothing) => Cut::Lost(within),
            (None, _) => Cut::TooLarge(within),
        }
    }

    /// The first place in `from..to` where a piece begins that decodes to points and nothing else.
    fn next_good(&mut self, from: usize, to: usize) -> Option<usize> {
        const OBJECT: &[u8] = br#"{"metric_stream_name""#;
        let mut at = from;
        if self.object_seen.is_none_or(|seen| seen < from) {
            let objects = self.window.get(from..).unwrap_or(&[]);
            let found = memchr::memmem::find(objects, OBJECT);
            // Each byte is looked at once, however often damage is searched over.
            self.object_seen = Some(found.map_or(self.window.len(), |found| from + found));
        }
        let object = self.object_seen.filter(|object| *object < to && self.is_object(*object));
        let to = object.unwrap_or(to);
        while let Some(tail) = self.window.get(at..to)
            && let Some(found) = memchr::memchr(b'\n', tail)
            && self.search > 0
        {
            // A line feed is either before a line of JSON or the tag of a message's first field.
            let feed = at + found;
            at = feed + 1;
            if self.is_object(at) {
                return Some(at);
            }
            let widths = 1..=frame::SEARCHED_LENGTH_MAX;
            let good = |width: usize| Some(feed.checked_sub(width)?).filter(|at| *at >= from);
            if let Some(at) = widths.filter_map(good).find(|at| self.is_message(*at, feed - at)) {
                return Some(at);
            }
        }
        object
    }

    /// True when an object that is a metric begins at `at`.
    fn is_object(&mut self, at: usize) -> bool {
        let rest = self.window.get(at..).unwrap_or(&[]);
        if !rest.starts_with(b"{") {
            return false;
        }
        let Reach::Ends(length) = reach(rest) else {
            self.search = self.search.saturating_sub(line_len(rest));
            return false;
        };
        self.proves(at, length)
    }

    /// True when a message of metrics begins at `at`, with a length of `width` bytes.
    fn is_message(&mut self, at: usize, width: usize) -> bool {
        let Some(frame) = Frame::at(self.window.get(at..).unwrap_or(&[])) else { return false };
        if frame.header != width || !frame.begins_well() || !frame::is_boundary(frame.after) {
            return false;
        }
        let length = frame.body.len();
        frame.walk().is_strict(frame.body) && self.proves(at, width + length)
    }

    /// True when decoding the bytes gives points and nothing else.
    fn proves(&mut self, at: usize, length: usize) -> bool {
        self.search = self.search.saturating_sub(length);
        let piece = self.window.get(at..).and_then(|rest| rest.get(..length)).unwrap_or(&[]);
        let mut tally = Tally::default();
        let mut pass = Pass::new(piece, super::Scratch::default(), &mut tally);
        pass.search = 0;
        pass.run();
        tally.points > 0 && tally.rejects == 0
    }
}

/// How far the object at the start of `rest` reaches, by its braces and quotes alone.
fn reach(rest: &[u8]) -> Reach {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' if depth == DEPTH_MAX => return Reach::Broken,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Reach::Ends(at);
                }
            }
            b'"' => match end_of_text(rest, at) {
                Reach::Ends(end) => at = end,
                other => return other,
            },
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b'+' | b'-' | b'.' => {}
            byte if byte.is_ascii_alphanumeric() => {}
            _ => return Reach::Broken,
        }
    }
    Reach::Open
}

/// Where the text that begins at `at` ends, behind its quote.
fn end_of_text(rest: &[u8], mut at: usize) -> Reach {
    loop {
        let tail = rest.get(at..).unwrap_or(&[]);
        let found = memchr::memchr2(b'"', b'\\', tail);
        let text = tail.get(..found.unwrap_or(tail.len())).unwrap_or(tail);
        // Text holds no control characters; a line that lost its quote ends here.
        if text.iter().any(|byte| *byte < 0x20) {
            return Reach::Broken;
        }
        let Some(found) = found else { return Reach::Open };
        if tail.get(found) == Some(&b'"') {
            return Reach::Ends(at + found + 1);
        }
        at += found + 2;
        if at > rest.len() {
            return Reach::Open;
        }
    }
}
