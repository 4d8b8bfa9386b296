//! An answer as Firehose sees it: delivered, to be delivered again, or given up.
//!
//! Written after AWS's "HTTP endpoint delivery request and response specifications" and its page on
//! troubleshooting HTTP endpoints; what the two leave open is a remark, never a verdict.

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::Value;

use super::members::{Members, members};

/// What came back.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A whole answer.
    Answer(Answer),
    /// None, and why.
    Silence(Silence),
}

/// An HTTP answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// The reason phrase of the status line.
    pub reason: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body as it came; of a longer one, one byte more than [`BODY_BYTES_MAX`].
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// None in time.
    Timeout,
    /// The connection was closed or reset before a whole answer.
    Closed,
    /// It no longer takes connections.
    Refused,
    /// What came was not HTTP, or TLS failed.
    Garbled,
}

/// Bytes of an answer's body at most.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Characters of a reason phrase at most.
const REASON_MAX: usize = 64;
/// Characters of an `errorMessage` at most.
const ERROR_MESSAGE_MAX: usize = 8192;
/// Characters of a receiver's own words that are shown.
const WORDS_MAX: usize = 200;
/// A time below this is in seconds, not milliseconds: 11 digits of ms end in 1973.
const MS_FROM: f64 = 1e11;

/// What an answer is to Firehose.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum View {
    /// Forgotten: it is the receiver's now.
    Delivered,
    /// Delivered again until the retry duration is over, then written to the backup.
    Again {
        /// Firehose's own error code.
        code: &'static str,
        /// For a person.
        why: String,
    },
    /// Given up at once, and not written to the backup.
    GivenUp,
}

const INVALID: &str = "HttpEndpoint.InvalidResponseFromDestination";

/// How Firehose treats an answer to the delivery with this request id.
pub(super) fn view(answer: &Answer, request_id: &str) -> View {
    let again = |code, why: String| View::Again { code, why };
    if answer.reason.chars().count() > REASON_MAX {
        let why = format!("the reason phrase has more than {REASON_MAX} characters");
        return again("HttpEndpoint.ResponseReasonPhraseExceededLimit", why);
    }
    match answer.status {
        200 => match fault(answer, request_id) {
            Some((code, why)) => again(code, why),
            None => View::Delivered,
        },
        413 => View::GivenUp,
        201..=299 => again(
            "HttpEndpoint.DestinationException",
            "a yes is exactly 200, no other 2xx".to_owned(),
        ),
        400..=599 => again("HttpEndpoint.DestinationException", String::new()),
        _ => again("HttpEndpoint.InvalidStatusCode", "redirects are not followed".to_owned()),
    }
}

/// What makes a 200 no yes.
fn fault(answer: &Answer, request_id: &str) -> Option<(&'static str, String)> {
    let invalid = |why: &str| Some((INVALID, why.to_owned()));
    let mut types = answer.headers.get_all(CONTENT_TYPE).iter();
    let Some(kind) = types.next() else { return invalid("the answer has no Content-Type") };
    if types.next().is_some() {
        let why = "the answer has more than one Content-Type".to_owned();
        return Some(("HttpEndpoint.IllegalResponseFailure", why));
    }
    if essence(kind.as_bytes()) != b"application/json" {
        return invalid("the Content-Type is not application/json");
    }
    if answer.headers.contains_key(CONTENT_ENCODING) {
        return invalid("the answer has a Content-Encoding");
    }
    if !answer.headers.contains_key(CONTENT_LENGTH) {
        return invalid("the answer has no Content-Length");
    }
    if answer.body.len() > BODY_BYTES_MAX {
        return Some(("HttpEndpoint.ResponseTooLarge", "the answer is over 1 MiB".to_owned()));
    }
    let Some(members) = members(&answer.body) else {
        return invalid("the answer is not a JSON object");
    };
    match members.get("requestId").map(Value::as_str) {
        None => return invalid("the answer has no requestId"),
        Some(id) if id != Some(request_id) => {
            return invalid("the requestId of the answer is not that of the delivery");
        }
        Some(_) => {}
    }
    let why = timestamp_fault(&members).or_else(|| error_message_fault(&members));
    if let Some(why) = why {
        return invalid(&why);
    }
    let known = ["requestId", "timestamp", "errorMessage"];
    match members.names().find(|name| !known.contains(name)) {
        Some(other) => invalid(&format!("the answer has an unexpected member, {other:?}")),
        None => None,
    }
}

fn timestamp_fault(members: &Members) -> Option<String> {
    let Some(time) = members.get("timestamp") else {
        return Some("the answer has no timestamp".to_owned());
    };
    let Some(ms) = time.as_f64() else {
        return Some("the timestamp of the answer is not a number".to_owned());
    };
    // AWS asks for an integer; what holds milliseconds has 64 bits.
    let is_time = ms.abs() < 2f64.powi(63);
    (!is_time).then(|| format!("the timestamp of the answer, {ms:e}, is no time in milliseconds"))
}

/// Which form it may have; what it means beside a 200 is the judge's matter.
fn error_message_fault(members: &Members) -> Option<String> {
    match members.get("errorMessage")? {
        Value::Null => None,
        Value::String(text) if text.encode_utf16().count() <= ERROR_MESSAGE_MAX => None,
        Value::String(_) => {
            Some(format!("the errorMessage has over {ERROR_MESSAGE_MAX} characters"))
        }
        _ => Some("the errorMessage of the answer is not a string".to_owned()),
    }
}

/// The error that a yes names all the same.
pub(super) fn error_named(answer: &Answer) -> Option<String> {
    let members = members(&answer.body)?;
    let text = members.get("errorMessage")?.as_str()?.trim();
    (!text.is_empty()).then(|| text.chars().take(WORDS_MAX).collect())
}

/// What of a yes is outside the written contract, with no known harm.
pub(super) fn remarks_on_yes(answer: &Answer) -> Vec<String> {
    let mut remarks = Vec::new();
    let kind = answer.headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes()).unwrap_or_default();
    if !kind.eq_ignore_ascii_case(b"application/json") {
        remarks.push(format!(
            "the Content-Type is {:?}: AWS names application/json alone",
            String::from_utf8_lossy(kind)
        ));
    }
    let Some(members) = members(&answer.body) else { return remarks };
    if members.get("errorMessage").is_some() {
        remarks.push("a yes has no errorMessage".to_owned());
    }
    if let Some(name) = members.repeated() {
        remarks
            .push(format!("the answer has {name} twice: which one counts nobody has written down"));
    }
    match members.get("timestamp").and_then(Value::as_f64) {
        Some(time) if time < MS_FROM => {
            remarks.push("the timestamp is not in milliseconds".to_owned());
        }
        Some(time) if time.fract() != 0.0 => {
            remarks.push("the timestamp is not a whole number".to_owned());
        }
        _ => {}
    }
    remarks
}

/// What of a refusal would leave the operator without the reason: Firehose needs none of it to keep
/// the delivery, but shows it in its log and its backup.
pub(super) fn remarks_on_no(answer: &Answer, request_id: Option<&str>) -> Vec<String> {
    let Some(members) = members(&answer.body) else {
        return vec!["the refusal is not the JSON of an answer".to_owned()];
    };
    let mut remarks = Vec::new();
    match members.get("errorMessage").and_then(Value::as_str) {
        None => remarks.push("the refusal has no errorMessage".to_owned()),
        Some(text) if text.encode_utf16().count() > ERROR_MESSAGE_MAX => {
            remarks.push(format!("the errorMessage has over {ERROR_MESSAGE_MAX} characters"));
        }
        Some(_) => {}
    }
    let id = members.get("requestId").and_then(Value::as_str);
    if request_id.is_some() && id != request_id {
        remarks.push("the refusal does not name the request id".to_owned());
    }
    remarks
}

/// The receiver's own words, where it has some.
pub(super) fn words(answer: &Answer) -> Option<String> {
    let text = match members(&answer.body) {
        Some(members) => members.get("errorMessage")?.as_str()?.to_owned(),
        None => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(WORDS_MAX).collect())
}

/// A type without its parameters.
fn essence(kind: &[u8]) -> Vec<u8> {
    let essence = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().to_ascii_lowercase()
}
