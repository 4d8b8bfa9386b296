//! What could not be decoded, where, and why. Nothing is skipped in silence.

/// A piece of a record that could not be used.
#[derive(Clone, Debug)]
pub struct Reject<'a> {
    /// Byte offset of the piece inside the record.
    pub offset: usize,
    /// The bytes of the piece.
    pub bytes: &'a [u8],
    /// Why.
    pub reason: Reason,
    /// One sentence fragment with the wrong value, for a person.
    pub detail: String,
}

/// Closed set of reasons; each is a value of the `reason` label of a counter and is listed in the docs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A line of JSON does not parse or misses a required key.
    MalformedJson,
    /// A varint, tag or length of a message is wrong, or a message is longer than its record.
    MalformedFrame,
    /// A protobuf message inside a frame is malformed.
    MalformedMessage,
    /// A metric that is not a summary: CloudWatch does not send these.
    UnsupportedMetric,
    /// A data point without namespace or metric name.
    MissingName,
    /// Text that is not UTF-8.
    InvalidUtf8,
    /// A number that is not finite.
    NotFinite,
    /// CloudWatch Logs data, which belongs in another stream.
    CloudWatchLogs,
    /// gzip inside the record does not inflate, or inflates beyond the limit.
    MalformedGzip,
    /// None of the known formats.
    UnknownFormat,
}

impl Reason {
    /// The value used in counters, files and docs.
    pub fn code(self) -> &'static str {
        match self {
            Reason::MalformedJson => "malformed_json",
            Reason::MalformedFrame => "malformed_frame",
            Reason::MalformedMessage => "malformed_message",
            Reason::UnsupportedMetric => "unsupported_metric",
            Reason::MissingName => "missing_name",
            Reason::InvalidUtf8 => "invalid_utf8",
            Reason::NotFinite => "not_finite",
            Reason::CloudWatchLogs => "cloudwatch_logs",
            Reason::MalformedGzip => "malformed_gzip",
            Reason::UnknownFormat => "unknown_format",
        }
    }
}
