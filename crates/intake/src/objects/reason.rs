//! Why an object, or a part of one, became no journal entry: a closed list, each with a remedy.
//!
//! Owns the look at bytes that hold no metric: what they seem to be instead, for a person.

use metric::Kind;

/// Why something of an object was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is nothing in it.
    Empty,
    /// The container (gzip, zip, ...) ends too soon.
    CutShort,
    /// The container is damaged.
    Damaged,
    /// It inflates to more than the limit.
    TooLarge,
    /// A container of a kind that is not read.
    Unsupported,
    /// A single line or message above the limit.
    PieceTooLarge,
    /// A long stretch in which no metric begins, among metrics.
    Noise,
    /// CloudWatch Logs data.
    CloudWatchLogs,
    /// Records that Firehose or Hydrant could not deliver.
    FailedRecords,
    /// JSON, and no metrics.
    OtherJson,
    /// CSV or other text.
    Text,
    /// HTML or XML.
    Markup,
    /// Parquet.
    Parquet,
    /// ORC.
    Orc,
    /// None of these.
    Unknown,
    /// The object was deleted before it could be read.
    Missing,
    /// An object of another bucket, in a message with one of ours.
    Foreign,
    /// A message of the queue that tells of no object.
    Message,
}

impl Reason {
    /// All of them, in the order of their counters.
    pub const ALL: [Reason; 18] = [
        Reason::Empty,
        Reason::CutShort,
        Reason::Damaged,
        Reason::TooLarge,
        Reason::Unsupported,
        Reason::PieceTooLarge,
        Reason::Noise,
        Reason::CloudWatchLogs,
        Reason::FailedRecords,
        Reason::OtherJson,
        Reason::Text,
        Reason::Markup,
        Reason::Parquet,
        Reason::Orc,
        Reason::Unknown,
        Reason::Missing,
        Reason::Foreign,
        Reason::Message,
    ];

    /// The value of the `reason` label, of quarantine lines and of the docs.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Empty => "empty",
            Reason::CutShort => "cut_short",
            Reason::Damaged => "damaged",
            Reason::TooLarge => "too_large",
            Reason::Unsupported => "unsupported",
            Reason::PieceTooLarge => "piece_too_large",
            Reason::Noise => "noise",
            Reason::CloudWatchLogs => "cloudwatch_logs",
            Reason::FailedRecords => "failed_records",
            Reason::OtherJson => "other_json",
            Reason::Text => "text",
            Reason::Markup => "markup",
            Reason::Parquet => "parquet",
            Reason::Orc => "orc",
            Reason::Unknown => "unknown",
            Reason::Missing => "missing",
            Reason::Foreign => "foreign",
            Reason::Message => "message",
        }
    }

    /// What a person can do.
    pub fn remedy(self) -> &'static str {
        match self {
            Reason::Empty => "nothing is lost; see what writes empty objects under this prefix",
            Reason::CutShort => {
                "write the object again as a whole; what was whole in it has been taken"
            }
            Reason::Damaged => {
                "write the object again; what was good before the damage has been taken"
            }
            Reason::TooLarge => "raise limits.object of the source, or split the object",
            Reason::Unsupported => "write it as gzip, zip with one entry, snappy, zstd or plain",
            Reason::PieceTooLarge => {
                "CloudWatch writes records of at most 1000 KiB; see what writes this object"
            }
            Reason::Noise => {
                "look at the kept bytes; the object is damaged or holds other data too"
            }
            Reason::CloudWatchLogs => {
                "give the log subscription a delivery stream and prefix of its own"
            }
            Reason::FailedRecords => {
                "these were not delivered once; put them back with `hydrant replay`"
            }
            Reason::OtherJson => {
                "narrow the prefix: this is no metric stream, look with `hydrant inspect`"
            }
            Reason::Text | Reason::Markup | Reason::Unknown => {
                "narrow the prefix: this is no metric stream"
            }
            Reason::Parquet | Reason::Orc => {
                "turn off record format conversion in the delivery stream"
            }
            Reason::Missing => "a lifecycle rule or somebody deleted it before it was read",
            Reason::Foreign => "give each bucket a queue of its own, or leave `bucket` out",
            Reason::Message => {
                "send only notifications of S3 (direct, SNS, EventBridge) to the queue"
            }
        }
    }

    /// Its counter.
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// Bytes that are looked at for words.
const LOOKED_AT: usize = 4096;

/// What bytes without a single metric seem to be; `None` when they are of a format of metrics all
/// the same, and the decoder of each stream should say what is wrong with them.
pub(crate) fn look(bytes: &[u8]) -> Option<Reason> {
    let start = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let holds = |word: &str| start.windows(word.len()).any(|found| found == word.as_bytes());
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    if start.starts_with(b"PAR1") {
        return Some(Reason::Parquet);
    }
    if start.starts_with(b"ORC") {
        return Some(Reason::Orc);
    }
    match metric::sniff(bytes) {
        Kind::CloudWatchLogs => Some(Reason::CloudWatchLogs),
        Kind::Otel => None,
        Kind::Json if holds("\"metric_name\"") => None,
        _ if text.starts_with(b"{") || text.starts_with(b"[") => {
            let failed = holds("\"attemptsMade\"") || holds("\"rawData\"");
            Some(if failed { Reason::FailedRecords } else { Reason::OtherJson })
        }
        _ if text.starts_with(b"<") => Some(Reason::Markup),
        _ if is_text(start) => Some(Reason::Text),
        _ => Some(Reason::Unknown),
    }
}

fn is_text(start: &[u8]) -> bool {
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    // The last character may be cut.
    let whole = match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    whole && !start.iter().any(control)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../docs/s3-source.md");

    /// *Scenario:* the whole list of reasons beside the page that explains them.
    /// *Guarantees:* each has its own counter, code and row, and no row has a reason that is not there.
    #[test]
    fn reasons_are_told_apart_and_are_on_the_page() {
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), index);
            assert!(!reason.remedy().is_empty());
        }
        let table = PAGE.split("## What is set aside").nth(1).expect("the section");
        let table = table.split("\n## ").next().expect("its end");
        let rows: Vec<&str> =
            table.split("\n| `").skip(1).filter_map(|row| row.split('`').next()).collect();
        assert_eq!(rows, Reason::ALL.map(Reason::code));
    }

    /// *Scenario:* the beginnings of what people put under a prefix by mistake.
    /// *Guarantees:* each is called what it is.
    #[test]
    fn mistakes_are_called_by_name() {
        let logs = br#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logEvents":[]}"#;
        let failed = br#"{"attemptsMade":4,"errorCode":"HttpEndpoint.X","rawData":"eyJ9"}"#;
        let cases: [(&[u8], Option<Reason>); 10] = [
            (logs, Some(Reason::CloudWatchLogs)),
            (failed, Some(Reason::FailedRecords)),
            (b"{\"Records\":[{\"eventName\":\"RunInstances\"}]}", Some(Reason::OtherJson)),
            (b"id,name\r\n1,x\r\n", Some(Reason::Text)),
            ("\u{feff}h\u{e9}llo".as_bytes(), Some(Reason::Text)),
            (b"<!DOCTYPE html><html>", Some(Reason::Markup)),
            (b"PAR1\x15\x04\x15", Some(Reason::Parquet)),
            (b"ORC\x08\x03", Some(Reason::Orc)),
            (b"\xff\xfe\x01\x02", Some(Reason::Unknown)),
            (b"{\"metric_name\":1}", None),
        ];
        for (bytes, expect) in cases {
            assert_eq!(look(bytes), expect, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
