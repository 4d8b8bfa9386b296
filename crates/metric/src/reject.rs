//! What could not be decoded, where, and why. Nothing is skipped in silence.
//!
//! Owns the closed set of reasons. `docs/formats.md` lists each; a test holds the two together.

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
    /// All reasons, for whoever registers a counter for each.
    pub const ALL: [Reason; 10] = [
        Reason::MalformedJson,
        Reason::MalformedFrame,
        Reason::MalformedMessage,
        Reason::UnsupportedMetric,
        Reason::MissingName,
        Reason::InvalidUtf8,
        Reason::NotFinite,
        Reason::CloudWatchLogs,
        Reason::MalformedGzip,
        Reason::UnknownFormat,
    ];

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

#[cfg(test)]
mod tests {
    use super::Reason;
    use crate::Unit;

    const PAGE: &str = include_str!("../../../docs/formats.md");

    /// *Scenario:* the page on the formats is compared with the code.
    /// *Guarantees:* every reason has its row, and no row has a reason that is not there.
    #[test]
    fn every_reason_is_on_the_page() {
        let table = PAGE.split("## Reasons of a reject").nth(1).expect("the section");
        let table = table.split("\n## ").next().expect("its end");
        let rows: Vec<&str> =
            table.split("\n| `").skip(1).filter_map(|row| row.split('`').next()).collect();
        assert_eq!(rows, Reason::ALL.map(Reason::code));
    }

    /// *Scenario:* the same for the units.
    /// *Guarantees:* each of the 27 stands there with its OTel spelling.
    #[test]
    fn every_unit_is_on_the_page() {
        for unit in Unit::all() {
            let (cloudwatch, otel) = (crate::text(unit.cloudwatch()), crate::text(unit.otel()));
            assert!(PAGE.contains(&format!("| {cloudwatch} | `{otel}` |")), "{cloudwatch}");
        }
    }
}
