//! The JSON body of a delivery: `{"requestId","timestamp","records":[{"data":"<base64>"}]}`.
//!
//! Read record by record; a whole body is scanned in place, a stream through a window that grows
//! to one record at most.

use std::io::Read;

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

/// Reads an envelope record by record.
pub struct EnvelopeReader<'a> {
    _source: Box<dyn Read + 'a>,
}

impl<'a> EnvelopeReader<'a> {
    /// Reads a body that is in memory, plain.
    pub fn whole(plain: &'a [u8], _limits: Limits) -> Self {
        Self { _source: Box::new(plain) }
    }
    /// Reads a body from a stream of plain bytes.
    pub fn stream(plain: Box<dyn Read + Send + 'a>, _limits: Limits) -> Self {
        Self { _source: plain }
    }
    /// The base64 text of the next record, or `None` at the end of the document (checked to its last byte).
    #[expect(clippy::should_implement_trait, reason = "lends from its own window")]
    pub fn next(&mut self) -> Result<Option<&[u8]>, EnvelopeFault> {
        unimplemented!()
    }
    /// What the envelope said. Complete once `next` has returned `None`.
    pub fn envelope(&self) -> &Envelope {
        unimplemented!()
    }
}
