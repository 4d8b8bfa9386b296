//! Failed-record lines: what Firehose writes to S3 under `http-endpoint-failed/`, and so do we.
//!
//! Owns: the one form in which such records are written, and the many in which they are found.
//!
//! Always: what [`write()`] wrote, [`read()`] gives back. The reader takes what Firehose is known or
//! feared to write: either casing of the subsequence number, `errorCode`, `lastErrorCode` and
//! `ErrorCode`, numbers in quotes, LF, CRLF or nothing between objects, no line end at the end.
//! Only `rawData` must be there. What it can't read it names with its place, and goes on at the
//! next line. Objects are read whole or as a stream, by the same code.
//!
//! Not here: decompressing, and decoding `rawData`.

use std::collections::BTreeMap;
use std::io::{self, Read};

use serde::{Deserialize, Serialize};

pub use objects::{OBJECT_BYTES_MAX, Object, Objects};

pub mod objects;
#[cfg(test)]
mod tests;

/// One line. Unknown members are ignored when read; `hydrant` is ours and ignored by others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedRecord {
    /// Attempts made in all.
    pub attempts_made: u32,
    /// When the record arrived, ms.
    pub arrival_timestamp: i64,
    /// For instance `HttpEndpoint.DestinationException` or `Dynatrace.TooOld`.
    pub error_code: String,
    /// What the destination said last.
    pub error_message: String,
    /// When the last attempt ended, ms.
    pub attempt_ending_timestamp: i64,
    /// base64 of the record as it came.
    pub raw_data: String,
    /// 0 unless a record was split.
    #[serde(default)]
    pub subsequence_number: u32,
    /// Stable identity: `<sequence>.<sub>`.
    #[serde(default)]
    pub data_id: String,
    /// What our replay needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hydrant: Option<Origin>,
}

/// Where a failed record came from and which of its points were not delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// Version of this member, 1.
    pub version: u32,
    /// The delivery stream that could not deliver it.
    pub stream: String,
    /// The source it came through.
    pub source: String,
    /// Journal topic and sequence.
    pub topic: String,
    /// Sequence in the topic.
    pub sequence: u64,
    /// Index of the record in its delivery.
    pub record: u32,
    /// Request id of the delivery.
    pub request_id: String,
    /// Source ARN of the delivery.
    pub source_arn: String,
    /// Common attributes of the delivery.
    pub attributes: BTreeMap<String, String>,
    /// Items (points and undecodable pieces) in the record.
    pub points: u32,
    /// Half-open ranges of item numbers within the record that were not delivered.
    pub undelivered: Vec<(u32, u32)>,
}

/// Appends the record as one line.
pub fn write(record: &FailedRecord, out: &mut Vec<u8>) {
    serde_json::to_writer(&mut *out, record)
        .expect("a Vec takes every byte, and every key of the type is a string");
    out.push(b'\n');
}

/// A piece of a failed-record object that is not a failed record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {offset}")]
pub struct FailedFault {
    /// Where the object begins.
    pub offset: u64,
    /// What is wrong with it.
    pub what: String,
}

/// The records in `plain`, an object that Firehose or we wrote, decompressed.
pub fn read(plain: &[u8]) -> FailedRecords<'_> {
    FailedRecords { stream: stream(plain) }
}

/// Iterates over the records of an object; see [`read()`].
#[derive(Debug)]
pub struct FailedRecords<'a> {
    stream: FailedStream<&'a [u8]>,
}

impl Iterator for FailedRecords<'_> {
    type Item = Result<FailedRecord, FailedFault>;

    fn next(&mut self) -> Option<Self::Item> {
        // Reading memory does not fail.
        let found = self.stream.read_next().ok().flatten()?;
        Some(found.value.map_err(|what| FailedFault { offset: found.offset, what }))
    }
}

/// The records in an object that comes as a stream, in bounded memory.
pub fn stream<R: Read>(plain: R) -> FailedStream<R> {
    FailedStream { objects: Objects::new(plain) }
}

/// Reads the records of a stream; see [`stream()`].
#[derive(Debug)]
pub struct FailedStream<R> {
    objects: Objects<R>,
}

impl<R: Read> FailedStream<R> {
    /// The next record, or what stands where one should; `None` at the end. An error is one of the
    /// stream.
    pub fn read_next(&mut self) -> io::Result<Option<Object<FailedRecord>>> {
        let found = self.objects.read_next::<Line>()?;
        Ok(found.map(|Object { offset, line, value }| {
            let value = match value {
                Ok(found) => found.record(),
                Err(what) => Err(format!("the failed record is unreadable: {what}")),
            };
            Object { offset, line, value }
        }))
    }
}

/// A failed record in any of the forms in which it is found.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    attempts_made: Option<Number>,
    arrival_timestamp: Option<Number>,
    attempt_ending_timestamp: Option<Number>,
    error_code: Option<String>,
    last_error_code: Option<String>,
    #[serde(rename = "ErrorCode")]
    error_code_capital: Option<String>,
    error_message: Option<String>,
    last_error_message: Option<String>,
    #[serde(rename = "ErrorMessage")]
    error_message_capital: Option<String>,
    raw_data: Option<String>,
    subsequence_number: Option<Number>,
    #[serde(rename = "subSequenceNumber")]
    subsequence_number_capital: Option<Number>,
    sequence_number: Option<Number>,
    data_id: Option<String>,
    hydrant: Option<Origin>,
}

/// A number, in quotes or not.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Fraction(f64),
    Text(String),
}

impl Number {
    fn whole(&self, name: &str) -> Result<i64, String> {
        match self {
            Number::Whole(number) => Ok(*number),
            // `1795175995000.0`, or seconds with a fraction where milliseconds belong: cut.
            Number::Fraction(number) => Ok(*number as i64),
            Number::Text(text) => {
                let number = text.trim().parse();
                number.map_err(|_| format!("`{name}` of the failed record is no number"))
            }
        }
    }

    fn text(self) -> String {
        match self {
            Number::Whole(number) => number.to_string(),
            Number::Fraction(number) => number.to_string(),
            Number::Text(text) => text,
        }
    }
}

impl Line {
    fn record(self) -> Result<FailedRecord, String> {
        let whole =
            |number: &Option<Number>, name| number.as_ref().map_or(Ok(0), |n| n.whole(name));
        let small = |number, name| {
            u32::try_from(whole(number, name)?)
                .map_err(|_| format!("`{name}` of the failed record is out of range"))
        };
        let subsequence = self.subsequence_number.or(self.subsequence_number_capital);
        let subsequence_number = small(&subsequence, "subsequenceNumber")?;
        let data_id = match (self.data_id, self.sequence_number) {
            (Some(id), _) => id,
            (None, Some(sequence)) => format!("{}.{subsequence_number}", sequence.text()),
            (None, None) => String::new(),
        };
        let error_code = self.error_code.or(self.last_error_code).or(self.error_code_capital);
        let error_message =
            self.error_message.or(self.last_error_message).or(self.error_message_capital);
        Ok(FailedRecord {
            attempts_made: small(&self.attempts_made, "attemptsMade")?,
            arrival_timestamp: whole(&self.arrival_timestamp, "arrivalTimestamp")?,
            error_code: error_code.unwrap_or_default(),
            error_message: error_message.unwrap_or_default(),
            attempt_ending_timestamp: whole(
                &self.attempt_ending_timestamp,
                "attemptEndingTimestamp",
            )?,
            raw_data: self.raw_data.ok_or("the failed record has no `rawData`")?,
            subsequence_number,
            data_id,
            hydrant: self.hydrant,
        })
    }
}
