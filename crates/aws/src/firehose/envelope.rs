//! The JSON body of a delivery: `{"requestId","timestamp","records":[{"data":"<base64>"}]}`.
//!
//! Read record by record; a whole body is scanned in place, a stream through a window that grows
//! to one record at most.
//!
//! Owns: the shape of the envelope. Keys come in any order; unknown keys are skipped, checked for
//! being JSON, nested at most [`NESTING_MAX`] deep; white space and escapes are taken wherever JSON
//! has them; a known key that comes twice is refused, because then two readers could disagree.
//! `records` must be there; it may be empty (AWS's schema says at least one: a door decides).
//!
//! Always: no panic and no more memory than the window, whatever the bytes. After a fault the
//! reader gives nothing more.
//!
//! Not here: base64. The text of a record is lent as it stands, with JSON escapes resolved;
//! whatever is in it that base64 does not know, the decoder refuses.

mod json;
mod window;

#[cfg(test)]
mod tests;

use std::io::Read;

use json::Text;
use window::Window;

pub use json::NESTING_MAX;

/// Most bytes of a `requestId`; Firehose sends 36.
const REQUEST_ID_MAX: usize = 1024;

/// Longest key that is told apart; all longer ones are unknown.
const KEY_MAX: usize = 16;

/// Bounds on a body.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most records (AWS's schema says 10,000).
    pub records: u32,
    /// Most base64 characters of one record.
    pub record_text: usize,
}

/// What is wrong with a body. `offset` is in plain bytes.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeFault {
    /// Not the JSON of a delivery.
    #[error("{what} at byte {offset}")]
    Malformed {
        /// What was expected or found.
        what: String,
        /// Where.
        offset: u64,
    },
    /// More records than the limit.
    #[error("more than {limit} records")]
    TooManyRecords {
        /// The limit.
        limit: u32,
    },
    /// One record longer than the limit.
    #[error("record {record} is longer than {limit} base64 characters")]
    RecordTooLong {
        /// Its index.
        record: u32,
        /// The limit.
        limit: usize,
    },
    /// The bytes below could not be read or inflated.
    #[error("{0}")]
    Read(#[from] std::io::Error),
}

/// What the envelope says besides its records, known when the last record was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// `requestId`, when there is one.
    pub request_id: Option<String>,
    /// `timestamp`, when it is a whole number.
    pub timestamp: Option<i64>,
    /// How many records there were.
    pub records: u32,
}

/// Where the next byte lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the document.
    Start,
    /// Inside `records`, before an element or the end of the array.
    BeforeRecord,
    /// Inside an element, after the string of its `data`.
    AfterText,
    /// Past the last byte of a good document.
    End,
    /// A fault was returned.
    Failed,
}

/// Which known top-level keys have been seen.
#[derive(Default)]
struct Seen {
    request_id: bool,
    timestamp: bool,
    records: bool,
}

/// Reads an envelope record by record.
pub struct EnvelopeReader<'a> {
    window: Window<'a>,
    limits: Limits,
    place: Place,
    seen: Seen,
    envelope: Envelope,
    /// A text with escapes, resolved; at most one record long.
    unescaped: Vec<u8>,
}

impl<'a> EnvelopeReader<'a> {
    /// Reads a body that is in memory, plain.
    pub fn whole(plain: &'a [u8], limits: Limits) -> Self {
        Self::over(Window::whole(plain), limits)
    }

    /// Reads a body from a stream of plain bytes.
    pub fn stream(plain: Box<dyn Read + Send + 'a>, limits: Limits) -> Self {
        Self::over(Window::stream(plain, limits.record_text), limits)
    }

    fn over(window: Window<'a>, limits: Limits) -> Self {
        let (place, seen, envelope) = (Place::Start, Seen::default(), Envelope::default());
        Self { window, limits, place, seen, envelope, unescaped: Vec::new() }
    }

    /// The base64 text of the next record, or `None` at the end of the document (checked to its last byte).
    #[expect(clippy::should_implement_trait, reason = "lends from its own window")]
    pub fn next(&mut self) -> Result<Option<&[u8]>, EnvelopeFault> {
        match self.advance() {
            Ok(None) => Ok(None),
            Ok(Some(Text::Plain(range))) => Ok(Some(self.window.slice(range))),
            Ok(Some(Text::Unescaped)) => Ok(Some(&self.unescaped)),
            Err(fault) => {
                self.place = Place::Failed;
                Err(fault)
            }
        }
    }

    /// What the envelope said. Complete once `next` has returned `None`.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    fn advance(&mut self) -> Result<Option<Text>, EnvelopeFault> {
        match self.place {
            Place::Start => {
                self.window.expect(b'{', "expected the `{` of a Firehose delivery")?;
                self.top_level(true)
            }
            Place::BeforeRecord => self.record(),
            Place::AfterText => {
                self.finish_record()?;
                self.after_record()
            }
            Place::End => Ok(None),
            Place::Failed => Err(self.window.malformed("reading goes on after a fault")),
        }
    }

    /// Reads top-level members until the first record of `records` or the end of the document.
    fn top_level(&mut self, mut first: bool) -> Result<Option<Text>, EnvelopeFault> {
        loop {
            if !self.window.member(first)? {
                return self.end_of_document();
            }
            first = false;
            let mut key = [0; KEY_MAX];
            match self.window.key(&mut key)? {
                b"requestId" => {
                    self.window.once(&mut self.seen.request_id, "requestId")?;
                    self.envelope.request_id = Some(self.request_id()?);
                }
                b"timestamp" => {
                    self.window.once(&mut self.seen.timestamp, "timestamp")?;
                    self.envelope.timestamp = self.window.whole_number()?;
                }
                b"records" => {
                    self.window.once(&mut self.seen.records, "records")?;
                    self.window.expect(b'[', "expected the `[` of `records`")?;
                    if !self.window.take_after_space(b']')? {
                        return self.record();
                    }
                }
                _ => self.window.skip_value(0)?,
            }
        }
    }

    fn end_of_document(&mut self) -> Result<Option<Text>, EnvelopeFault> {
        if !self.seen.records {
            return Err(self.window.malformed("the delivery has no `records`"));
        }
        if self.window.after_space()?.is_some() {
            return Err(self.window.malformed("expected nothing after the delivery"));
        }
        self.place = Place::End;
        Ok(None)
    }

    fn request_id(&mut self) -> Result<String, EnvelopeFault> {
        self.window.expect(b'"', "expected `requestId` to be a string")?;
        let mut bytes = Vec::new();
        if !self.window.string_into(&mut bytes, REQUEST_ID_MAX)? {
            let what = format!("`requestId` is longer than {REQUEST_ID_MAX} bytes");
            return Err(self.window.malformed(&what));
        }
        String::from_utf8(bytes).map_err(|_| self.window.malformed("`requestId` is not UTF-8"))
    }

    /// Reads an element of `records` as far as the end of its text.
    fn record(&mut self) -> Result<Option<Text>, EnvelopeFault> {
        if self.envelope.records >= self.limits.records {
            return Err(EnvelopeFault::TooManyRecords { limit: self.limits.records });
        }
        if !self.window.take_exact(b"{\"data\":\"")? {
            self.find_data()?;
        }
        let text = self.window.text(&mut self.unescaped, self.limits.record_text)?;
        let Some(text) = text else {
            let (record, limit) = (self.envelope.records, self.limits.record_text);
            return Err(EnvelopeFault::RecordTooLong { record, limit });
        };
        self.envelope.records += 1;
        self.place = Place::AfterText;
        Ok(Some(text))
    }

    /// Goes past the opening quote of `data` in an element that is not written as Firehose does.
    fn find_data(&mut self) -> Result<(), EnvelopeFault> {
        let record = self.envelope.records;
        self.window.expect(b'{', "expected the `{` of a record")?;
        let mut first = true;
        while self.window.member(first)? {
            first = false;
            let mut key = [0; KEY_MAX];
            if self.window.key(&mut key)? == b"data" {
                return self.window.expect(b'"', "expected `data` to be a base64 string");
            }
            self.window.skip_value(0)?;
        }
        Err(self.window.malformed(&format!("record {record} has no `data`")))
    }

    /// Reads the rest of an element after its text.
    fn finish_record(&mut self) -> Result<(), EnvelopeFault> {
        while self.window.member(false)? {
            let mut key = [0; KEY_MAX];
            if self.window.key(&mut key)? == b"data" {
                return Err(self.window.malformed("`data` comes twice in a record"));
            }
            self.window.skip_value(0)?;
        }
        Ok(())
    }

    /// Reads what follows an element: another one, or the rest of the document.
    fn after_record(&mut self) -> Result<Option<Text>, EnvelopeFault> {
        match self.window.after_space()? {
            Some(b',') => {
                self.window.bump();
                self.place = Place::BeforeRecord;
                self.record()
            }
            Some(b']') => {
                self.window.bump();
                self.top_level(false)
            }
            _ => Err(self.window.unexpected("expected `,` or `]` after a record")),
        }
    }
}
