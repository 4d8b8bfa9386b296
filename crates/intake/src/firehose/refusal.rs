//! Why a delivery was not taken: a closed set of reasons, each with its status and its counter.
//!
//! Always: 400, 401, 405, 500 or 503. Never 413, because Firehose does not keep what was answered 413.

/// Why a delivery was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Neither POST nor a health check.
    Method,
    /// A protocol version other than 1.0.
    ProtocolVersion,
    /// The request id is missing or unusable.
    RequestId,
    /// A key is configured and none was sent.
    AccessKeyMissing,
    /// None of the configured keys.
    AccessKeyWrong,
    /// A content encoding other than gzip.
    Encoding,
    /// Common attributes that drop-in mode needs are unusable.
    Attributes,
    /// Drop-in mode did not admit the target or its token.
    NotAdmitted,
    /// More bytes than the limit, on the wire or inflated.
    BodyTooLarge,
    /// More plain bytes per wire byte than the limit.
    Ratio,
    /// More records than the limit.
    TooManyRecords,
    /// A record longer than the limit.
    RecordTooLong,
    /// The body did not arrive in time.
    SlowBody,
    /// The client went away before the body was whole.
    Disconnected,
    /// gzip that does not inflate.
    MalformedGzip,
    /// Not the JSON of a delivery.
    MalformedJson,
    /// A record that is not base64.
    MalformedBase64,
    /// The body's request id is not the header's.
    RequestIdMismatch,
    /// No records at all.
    NoRecords,
    /// Nothing but CloudWatch Logs.
    CloudWatchLogs,
    /// All memory for bodies is in use.
    Busy,
    /// The journal is full.
    JournalFull,
    /// The disk failed.
    Disk,
    /// The process is stopping.
    Closing,
    /// A bug of ours.
    Internal,
}

impl Reason {
    /// All of them, in the order of their counters.
    pub const ALL: [Reason; 25] = [
        Reason::Method,
        Reason::ProtocolVersion,
        Reason::RequestId,
        Reason::AccessKeyMissing,
        Reason::AccessKeyWrong,
        Reason::Encoding,
        Reason::Attributes,
        Reason::NotAdmitted,
        Reason::BodyTooLarge,
        Reason::Ratio,
        Reason::TooManyRecords,
        Reason::RecordTooLong,
        Reason::SlowBody,
        Reason::Disconnected,
        Reason::MalformedGzip,
        Reason::MalformedJson,
        Reason::MalformedBase64,
        Reason::RequestIdMismatch,
        Reason::NoRecords,
        Reason::CloudWatchLogs,
        Reason::Busy,
        Reason::JournalFull,
        Reason::Disk,
        Reason::Closing,
        Reason::Internal,
    ];

    /// The value of the `reason` label.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Method => "method",
            Reason::ProtocolVersion => "protocol_version",
            Reason::RequestId => "request_id",
            Reason::AccessKeyMissing => "access_key_missing",
            Reason::AccessKeyWrong => "access_key_wrong",
            Reason::Encoding => "encoding",
            Reason::Attributes => "attributes",
            Reason::NotAdmitted => "not_admitted",
            Reason::BodyTooLarge => "body_too_large",
            Reason::Ratio => "ratio",
            Reason::TooManyRecords => "too_many_records",
            Reason::RecordTooLong => "record_too_long",
            Reason::SlowBody => "slow_body",
            Reason::Disconnected => "disconnected",
            Reason::MalformedGzip => "malformed_gzip",
            Reason::MalformedJson => "malformed_json",
            Reason::MalformedBase64 => "malformed_base64",
            Reason::RequestIdMismatch => "request_id_mismatch",
            Reason::NoRecords => "no_records",
            Reason::CloudWatchLogs => "cloudwatch_logs",
            Reason::Busy => "busy",
            Reason::JournalFull => "journal_full",
            Reason::Disk => "disk",
            Reason::Closing => "closing",
            Reason::Internal => "internal",
        }
    }

    fn status(self) -> u16 {
        match self {
            Reason::Method => 405,
            Reason::AccessKeyMissing | Reason::AccessKeyWrong => 401,
            Reason::Busy | Reason::JournalFull | Reason::Disk | Reason::Closing => 503,
            Reason::Internal => 500,
            _ => 400,
        }
    }

    /// Its counter.
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// What a sender is told.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Refusal {
        Refusal { reason, status: reason.status(), message: message.into() }
    }

    /// What the journal said.
    pub(crate) fn from_journal(refused: &journal::Refused) -> Refusal {
        let reason = match refused {
            journal::Refused::Full { .. } => Reason::JournalFull,
            journal::Refused::Disk(_) => Reason::Disk,
            journal::Refused::Closing => Reason::Closing,
        };
        Refusal::new(reason, refused.to_string())
    }

    /// What the disk said, or the journal through it.
    pub(crate) fn from_disk(error: &std::io::Error) -> Refusal {
        let refused = error.get_ref().and_then(|inner| inner.downcast_ref::<journal::Refused>());
        match refused {
            Some(refused) => Refusal::from_journal(refused),
            None => Refusal::new(Reason::Disk, format!("disk failed: {error}")),
        }
    }

    /// Over `limits.body`, whichever way it was measured.
    pub(crate) fn too_large(what: &str, limit: u64) -> Refusal {
        let message = format!(
            "{what} is over the limit of {limit} bytes (setting limits.body); \
             lower the buffer size of the Firehose destination or raise the limit"
        );
        Refusal::new(Reason::BodyTooLarge, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* the whole list of reasons.
    /// *Guarantees:* each has its own counter and code, none is answered 413, 404 or a success.
    #[test]
    fn reasons_are_told_apart() {
        let mut codes = std::collections::BTreeSet::new();
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), index);
            assert!(codes.insert(reason.code()));
            assert!(matches!(reason.status(), 400 | 401 | 405 | 500 | 503));
        }
    }
}
