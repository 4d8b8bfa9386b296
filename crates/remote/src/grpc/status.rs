//! `grpc-status`, `grpc-message` and `grpc-status-details-bin`, as they stand in trailers or headers.

use bytes::Bytes;
use http::HeaderMap;

/// A status code of gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named by gRPC itself")]
pub enum Code {
    Ok,
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

/// By number, with their names.
const CODES: [(Code, &str); 17] = [
    (Code::Ok, "OK"),
    (Code::Cancelled, "CANCELLED"),
    (Code::Unknown, "UNKNOWN"),
    (Code::InvalidArgument, "INVALID_ARGUMENT"),
    (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
    (Code::NotFound, "NOT_FOUND"),
    (Code::AlreadyExists, "ALREADY_EXISTS"),
    (Code::PermissionDenied, "PERMISSION_DENIED"),
    (Code::ResourceExhausted, "RESOURCE_EXHAUSTED"),
    (Code::FailedPrecondition, "FAILED_PRECONDITION"),
    (Code::Aborted, "ABORTED"),
    (Code::OutOfRange, "OUT_OF_RANGE"),
    (Code::Unimplemented, "UNIMPLEMENTED"),
    (Code::Internal, "INTERNAL"),
    (Code::Unavailable, "UNAVAILABLE"),
    (Code::DataLoss, "DATA_LOSS"),
    (Code::Unauthenticated, "UNAUTHENTICATED"),
];

impl Code {
    /// As the specification writes it.
    pub fn name(self) -> &'static str {
        CODES.get(self as usize).map_or("", |(_, name)| name)
    }
}

/// The status of a call.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its code; a number gRPC does not know is [`Code::Unknown`].
    pub code: Code,
    /// `grpc-message`, decoded.
    pub message: String,
    /// `grpc-status-details-bin` as it came: base64 of `google.rpc.Status`; empty when there is none.
    pub details: String,
    /// The message of the answer, empty when none came; `None` when what came is not one message.
    pub answer: Option<Message>,
}

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `grpc-encoding`, when the message is compressed: grpc-go answers as it was asked, whatever
    /// the caller said it takes.
    pub encoding: Option<String>,
    /// Its bytes, compressed or not.
    pub bytes: Bytes,
}

impl Status {
    /// What these trailers or headers say, when they hold a status.
    pub(super) fn read(map: &HeaderMap) -> Option<Status> {
        let code =
            map.get("grpc-status")?.to_str().ok().and_then(|text| text.parse::<usize>().ok());
        let known = code.and_then(|number| CODES.get(number));
        let message = map.get("grpc-message").map(|value| percent_decoded(value.as_bytes()));
        let details = map.get("grpc-status-details-bin").and_then(|value| value.to_str().ok());
        Some(Status {
            code: known.map_or(Code::Unknown, |(code, _)| *code),
            message: message.unwrap_or_default(),
            details: details.unwrap_or_default().to_owned(),
            answer: None,
        })
    }
}

/// Percent-decoding as gRPC does it: what is no escape stays as it is.
fn percent_decoded(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.first_chunk::<2>().filter(|_| *first == b'%');
        let hex = |byte: u8| char::from(byte).to_digit(16);
        let pair = digits.and_then(|[high, low]| Some(hex(*high)? << 4 | hex(*low)?));
        match pair.and_then(|value| u8::try_from(value).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// *Scenario:* every code by its number.
    /// *Guarantees:* number, value and name belong together.
    #[test]
    fn codes_stand_at_their_numbers() {
        for (number, (code, name)) in CODES.iter().enumerate() {
            assert_eq!((*code as usize, code.name()), (number, *name));
        }
    }

    /// *Scenario:* statuses with escapes, bad escapes, unknown and absurd numbers, and none.
    /// *Guarantees:* the text is decoded, nothing is refused, and what has no status is none.
    #[test]
    fn statuses_are_read() {
        let read = |status: &'static str, message: &'static [u8]| {
            let mut map = HeaderMap::new();
            map.insert("grpc-status", HeaderValue::from_static(status));
            map.insert("grpc-message", HeaderValue::from_bytes(message).unwrap());
            Status::read(&map).map(|status| (status.code, status.message)).unwrap()
        };
        assert_eq!(read("0", b""), (Code::Ok, String::new()));
        assert_eq!(
            read("8", b"100%25 %C3%A4%zz %2"),
            (Code::ResourceExhausted, "100% \u{e4}%zz %2".into())
        );
        assert_eq!(read("16", b"%FF").0, Code::Unauthenticated);
        assert_eq!(read("17", b"x").0, Code::Unknown);
        assert_eq!(read("-1", b"x").0, Code::Unknown);
        assert_eq!(read("fourteen", b"x").0, Code::Unknown);
        assert!(Status::read(&HeaderMap::new()).is_none());
    }
}
