//! One decoder for all three formats, told apart per piece of a record and, for OTel, per data point.
//!
//! Owns the way through a record: which piece comes next, where it ends, and where to go on after
//! damage. A piece is a JSON object or a length-prefixed message, in any mixture. Always holds:
//! every byte belongs to a point, to a reject, or to the white space and empty messages between
//! pieces; the work is linear in the record's length; the same bytes give the same items.
//! Deliberately not here: the layout of a piece (`json`, `tolerant`, `otel`).

pub mod boundary;
mod frame;
mod json;
mod otel;
mod scratch;
mod tolerant;

use codec::gzip::{InflateError, Inflater, is_gzip};

use crate::sniff::is_log_data;
use crate::{Point, Reason, Reject};
use frame::Frame;
use scratch::Scratch;
use tolerant::Fault;

/// Receives what a record holds, in order. Every call is one item; items are numbered by the caller.
pub trait Visit {
    /// A point.
    fn point(&mut self, point: &Point<'_>);
    /// A piece that could not be decoded.
    fn reject(&mut self, reject: &Reject<'_>);
}

/// Most bytes a gzip record may inflate to. Gzip makes metric data 9 to 15 times smaller and a
/// Firehose record has at most 1,000 KiB, so this is twice what can honestly come.
const INFLATED_BYTES_MAX: usize = 32 << 20;

/// An inflated record above this size gives its buffer back instead of keeping it for the next.
const INFLATED_BYTES_KEPT: usize = 8 << 20;

/// Bytes that may be looked at twice for each byte of the record, in search of the next good piece
/// after damage. Bounds the work on hostile input; real damage needs a small part of it.
const SEARCH_FACTOR: usize = 8;

/// Bytes that may be looked at twice in any record, however small.
const SEARCH_BASE: usize = 64 << 10;

/// Reusable state of decoding; nothing is allocated per point once warm.
#[derive(Default)]
pub struct Decoder {
    scratch: Scratch<'static>,
    inflater: Option<Inflater>,
    inflated: Vec<u8>,
}

impl Decoder {
    /// New state.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes one record (base64 already undone): any of the formats, gzip or not. An empty record
    /// holds no items. Whatever the bytes, this returns, and each byte is part of a point or a reject.
    /// The same bytes give the same items in the same order, always: positions on disk rely on it.
    ///
    /// Offsets of a gzip record count inflated bytes.
    pub fn decode(&mut self, record: &[u8], visit: &mut impl Visit) {
        if is_gzip(record) {
            self.decode_gzip(record, visit);
        } else {
            self.decode_plain(record, visit);
        }
    }

    fn decode_plain<V: Visit>(&mut self, record: &[u8], visit: &mut V) {
        let scratch = std::mem::take(&mut self.scratch);
        let mut pass = Pass::new(record, scratch, visit);
        pass.run();
        self.scratch = pass.scratch.recycle();
    }

    fn decode_gzip<V: Visit>(&mut self, record: &[u8], visit: &mut V) {
        let mut inflated = std::mem::take(&mut self.inflated);
        let inflater = self.inflater.get_or_insert_with(Inflater::new);
        let mut whole_record = |reason, detail| {
            visit.reject(&Reject { offset: 0, bytes: record, reason, detail });
        };
        match gunzip(inflater, record, &mut inflated) {
            Err(error) => whole_record(Reason::MalformedGzip, error.to_string()),
            Ok(()) if is_log_data(&inflated) => {
                whole_record(Reason::CloudWatchLogs, tolerant::LOGS_DETAIL.to_owned());
            }
            Ok(()) if is_gzip(&inflated) => {
                whole_record(Reason::UnknownFormat, "gzip inside gzip".to_owned());
            }
            Ok(()) => self.decode_plain(&inflated, visit),
        }
        if inflated.capacity() <= INFLATED_BYTES_KEPT {
            self.inflated = inflated;
        }
    }
}

/// Inflates a record; a delimiter that Firehose appended after the last member is cut off.
fn gunzip(
    inflater: &mut Inflater,
    record: &[u8],
    inflated: &mut Vec<u8>,
) -> Result<(), InflateError> {
    let whole = inflater.gunzip(record, inflated, INFLATED_BYTES_MAX);
    match (&whole, record.strip_suffix(b"\n")) {
        (Err(InflateError::TooLarge { .. }), _) | (Ok(()), _) | (_, None) => whole,
        (Err(_), Some(trimmed)) => inflater.gunzip(trimmed, inflated, INFLATED_BYTES_MAX).or(whole),
    }
}

/// The start of `bytes` as text, for a person.
fn excerpt(bytes: &[u8]) -> String {
    const LENGTH_MAX: usize = 80; // a metric name or the start of a line; a detail stays short
    let start = bytes.get(..LENGTH_MAX).unwrap_or(bytes);
    String::from_utf8_lossy(start).into_owned()
}

/// Where `piece` begins in `record`; `piece` is a part of it.
fn offset_in(record: &[u8], piece: &[u8]) -> usize {
    piece.as_ptr().addr().saturating_sub(record.as_ptr().addr()).min(record.len())
}

/// What is left of `rest` from where `piece`, a part of it, begins.
fn from_piece<'a>(rest: &'a [u8], piece: &[u8]) -> &'a [u8] {
    rest.get(offset_in(rest, piece)..).unwrap_or(&[])
}

/// `rest` without its end `next`.
fn up_to<'a>(rest: &'a [u8], next: &[u8]) -> &'a [u8] {
    rest.get(..rest.len().saturating_sub(next.len())).unwrap_or(rest)
}

/// One walk over one record.
struct Pass<'a, 'v, V> {
    record: &'a [u8],
    scratch: Scratch<'a>,
    head: json::Head<'a>,
    visit: &'v mut V,
    /// Bytes that may still be looked at twice.
    search: usize,
    /// Rejects so far.
    rejects: usize,
    /// True once the record held an object of JSON, good or bad.
    json_seen: bool,
}

impl<'a, 'v, V: Visit> Pass<'a, 'v, V> {
    fn new(record: &'a [u8], scratch: Scratch<'a>, visit: &'v mut V) -> Self {
        let search = record.len().saturating_mul(SEARCH_FACTOR).saturating_add(SEARCH_BASE);
        Self {
            record,
            scratch,
            head: json::Head::default(),
            visit,
            search,
            rejects: 0,
            json_seen: false,
        }
    }

    /// Decodes piece after piece.
    fn run(&mut self) {
        let mut rest = self.record;
        while !rest.is_empty() {
            let after = self.piece(rest);
            debug_assert!(after.len() < rest.len(), "each piece takes at least one byte");
            rest = after;
        }
    }

    /// Decodes the piece at the start of `rest`; returns what follows it.
    fn piece(&mut self, rest: &'a [u8]) -> &'a [u8] {
        if rest.starts_with(b"{") { self.json_piece(rest) } else { self.framed_piece(rest) }
    }

    /// Decodes the JSON object at the start of `rest`; returns what follows it.
    fn json_piece(&mut self, rest: &'a [u8]) -> &'a [u8] {
        if let Some(after) = json::line(rest, &mut self.head, &mut self.scratch, self.visit) {
            self.json_seen = true;
            return after;
        }
        // `{` and a line feed also begin a message of 123 bytes; JSON has the first say.
        match tolerant::object(rest, &mut self.scratch, self.visit) {
            Ok(after) => {
                self.json_seen = true;
                after
            }
            Err(Fault::Meaning { length, reason, detail }) => {
                self.json_seen = true;
                self.reject(rest.get(..length).unwrap_or(rest), reason, detail);
                tolerant::after_object(rest, length)
            }
            Err(_) if Frame::at(rest).is_some_and(|frame| frame.is_whole()) => {
                self.framed_piece(rest)
            }
            Err(Fault::Syntax { detail, looked_at }) => self.bad_json(rest, detail, looked_at),
        }
    }

    /// Rejects the object at the start of `rest` to the end of its line.
    #[cold]
    fn bad_json(&mut self, rest: &'a [u8], detail: String, looked_at: usize) -> &'a [u8] {
        self.json_seen = true;
        self.search = self.search.saturating_sub(looked_at);
        let mut length = line_len(rest);
        // Further lines of an object that was spread over several belong to the same piece.
        while let Some(line) = rest.get(length..)
            && let [b'}' | b'"' | b']', ..] = line.trim_ascii_start()
        {
            length += line_len(line);
        }
        if self.search == 0 {
            length = rest.len();
        }
        let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        let piece = piece.trim_ascii_end();
        if std::str::from_utf8(piece).is_err() {
            self.reject(piece, Reason::InvalidUtf8, "the line is not UTF-8".to_owned());
        } else {
            self.reject(piece, Reason::MalformedJson, detail);
        }
        after
    }

    /// Decodes what stands at the start of `rest` and is not JSON; returns what follows it.
    fn framed_piece(&mut self, rest: &'a [u8]) -> &'a [u8] {
        if let Some(frame) = Frame::at(rest).filter(Frame::is_whole) {
            let rejects = self.rejects;
            otel::message(self, frame.body);
            if self.rejects == rejects || frame::is_boundary(frame.after) {
                return frame.after;
            }
            return self.after_doubtful(&frame);
        }
        frame::after_delimiters(rest, self.json_seen).unwrap_or_else(|| self.damaged_piece(rest))
    }

    /// Where to go on behind a message that held damage and ends where nothing begins: bytes are
    /// missing inside it, so that it reaches into the next message. That one is looked for; its
    /// first bytes are then part of a reject as well.
    #[cold]
    fn after_doubtful(&mut self, frame: &Frame<'a>) -> &'a [u8] {
        let from = from_piece(self.record, frame.body);
        let next = self.next_proven(from, frame.body.len());
        if next.is_empty() { frame.after } else { next }
    }

    /// Decodes what can be of a message that is not whole, and finds where to go on.
    #[cold]
    fn damaged_piece(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let frame = Frame::at(rest);
        let usable = frame.as_ref().and_then(|frame| Some((frame, frame.walk().usable()?)));
        let Some((frame, usable)) = usable else {
            return self.damage(rest);
        };
        otel::message(self, usable);
        let bad = frame.body.get(usable.len()..).unwrap_or(&[]);
        let detail = format!("a field of a message of {} bytes is malformed", frame.body.len());
        if frame::is_boundary(frame.after) {
            self.reject(bad, Reason::MalformedMessage, detail);
            return frame.after;
        }
        // The length may be wrong: then the next message may begin right here.
        let bad = from_piece(rest, bad);
        let next = self.next_proven(bad, bad.len());
        let piece = up_to(bad, next);
        if !piece.is_empty() {
            self.reject(piece, Reason::MalformedMessage, detail);
        }
        next
    }

    /// Rejects from the start of `rest`, where no piece begins, to the next piece that proves
    /// itself, or to the end. Between lines of JSON each line is a piece of its own.
    fn damage(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let line = rest.get(..line_len(rest)).unwrap_or(rest);
        if !self.json_seen {
            let next = self.next_proven(rest, rest.len());
            if !(next.starts_with(b"{") && frame::is_text(line)) {
                return self.reject_damage(rest, next);
            }
            self.json_seen = true;
        }
        if rest.first().is_some_and(u8::is_ascii_whitespace) {
            rest.trim_ascii_start()
        } else if frame::is_text(line) {
            let detail = "the line is not a JSON object".to_owned();
            self.reject(line.trim_ascii_end(), Reason::MalformedJson, detail);
            rest.get(line.len()..).unwrap_or(&[])
        } else {
            let next = self.next_proven(rest, rest.len());
            self.reject_damage(rest, next)
        }
    }

    /// Rejects `rest` up to `next`, which follows.
    fn reject_damage(&mut self, rest: &'a [u8], next: &'a [u8]) -> &'a [u8] {
        let (reason, detail) = frame::describe(rest);
        self.reject(up_to(rest, next), reason, detail);
        next
    }

    /// The rest of the record from the first piece that begins in the first `within` bytes of
    /// `rest` and proves itself; empty when there is none.
    fn next_proven(&mut self, rest: &'a [u8], within: usize) -> &'a [u8] {
        let mut at = 0;
        while let Some(tail) = rest.get(at..within)
            && let Some(found) = memchr::memchr(b'\n', tail)
            && self.search > 0
        {
            // A line feed is either before a line of JSON or the tag of a message's first field.
            let feed = at + found;
            at = feed + 1;
            let line = rest.get(at..).unwrap_or(&[]);
            if line.starts_with(b"{") && self.proves(line, line_len(line)) {
                return line;
            }
            for width in (1..=frame::SEARCHED_LENGTH_MAX).take_while(|width| *width <= feed) {
                let candidate = rest.get(feed - width..).unwrap_or(&[]);
                if self.proves_message(candidate, width) {
                    return candidate;
                }
            }
        }
        rest.get(rest.len()..).unwrap_or(&[])
    }

    fn proves_message(&mut self, candidate: &'a [u8], width: usize) -> bool {
        let Some(frame) = Frame::at(candidate) else { return false };
        if frame.header != width || !frame.begins_well() || !frame::is_boundary(frame.after) {
            return false;
        }
        // Candidates may overlap, so each is paid for; all else here is looked at once.
        self.search = self.search.saturating_sub(frame.body.len());
        frame.walk().is_strict(frame.body) && self.proves(candidate, width + frame.body.len())
    }

    /// True when decoding the first `length` bytes of `rest` gives points and nothing else.
    fn proves(&mut self, rest: &'a [u8], length: usize) -> bool {
        let piece = rest.get(..length).unwrap_or(rest);
        let mut tally = Tally::default();
        let mut pass = Pass::new(piece, std::mem::take(&mut self.scratch), &mut tally);
        // One piece, and no search inside it.
        pass.search = 0;
        let after = pass.piece(piece);
        self.scratch = pass.scratch;
        after.trim_ascii().is_empty() && tally.points > 0 && tally.rejects == 0
    }

    /// Hands a piece of the record to the visitor as a reject.
    #[cold]
    fn reject(&mut self, bytes: &[u8], reason: Reason, detail: String) {
        self.rejects += 1;
        let offset = offset_in(self.record, bytes);
        self.visit.reject(&Reject { offset, bytes, reason, detail });
    }
}

/// Bytes up to and with the next line feed.
fn line_len(rest: &[u8]) -> usize {
    memchr::memchr(b'\n', rest).map_or(rest.len(), |feed| feed + 1)
}

/// True when a record begins with a message, whole or cut short, perhaps behind white space.
pub(crate) fn begins_as_message(record: &[u8]) -> bool {
    frame::begins(record)
}

/// Counts what a piece would give.
#[derive(Default)]
struct Tally {
    points: usize,
    rejects: usize,
}

impl Visit for Tally {
    fn point(&mut self, _: &Point<'_>) {
        self.points += 1;
    }
    fn reject(&mut self, _: &Reject<'_>) {
        self.rejects += 1;
    }
}
