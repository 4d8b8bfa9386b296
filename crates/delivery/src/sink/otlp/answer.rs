//! What answers of an OTLP receiver mean over HTTP. Pure.
//!
//! A receiver may refuse some data points in a 200; and a 200 whose body is no answer of OTLP comes
//! from something else, which took nothing.

use metric::wire::Reader;
use remote::Answer;
use serde::Deserialize;

use crate::sink::Payload;
use crate::sink::answer::{self, CREDENTIALS, Class};
use crate::{Verdict, Why};

/// `partial_success` of an answer.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Partial {
    rejected: u64,
    message: String,
}

#[derive(Deserialize)]
struct JsonAnswer {
    #[serde(rename = "partialSuccess", alias = "partial_success", default)]
    partial: Option<JsonPartial>,
    #[serde(default)]
    error: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    errors: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct JsonPartial {
    #[serde(rename = "rejectedDataPoints", alias = "rejected_data_points", default)]
    rejected: serde_json::Value,
    #[serde(rename = "errorMessage", alias = "error_message", default)]
    message: Option<String>,
}

/// `google.rpc.Status` in JSON.
#[derive(Deserialize)]
struct JsonStatus {
    message: String,
}

/// The verdict on an answer to `payload`.
pub(crate) fn verdict(answer: &Answer, payload: &Payload, secrets: &[&str]) -> Verdict {
    let class = answer::class_of(answer);
    if class != Class::Success {
        let text = answer::quote(text_of(answer).as_bytes(), secrets);
        let why = answer::said(answer, &text, CREDENTIALS);
        return answer::verdict(class, answer::hint(answer.retry_after), why);
    }
    match read_success(answer) {
        None => answer::garbage(answer, secrets),
        Some(partial) => {
            partial_verdict(&partial, payload, &format!("status {}", answer.status), secrets)
        }
    }
}

/// The verdict on a success that may have refused some points.
pub(crate) fn partial_verdict(
    partial: &Partial,
    payload: &Payload,
    status: &str,
    secrets: &[&str],
) -> Verdict {
    if partial.rejected == 0 {
        return Verdict::Delivered;
    }
    let words = answer::quote(partial.message.as_bytes(), secrets);
    let message = format!("{status}: {} data points rejected: {words}", partial.rejected);
    let refused = u32::try_from(partial.rejected).unwrap_or(payload.points).min(payload.points);
    let why = Why { code: answer::DESTINATION, message };
    Verdict::Partly { refused, lines: Vec::new(), all_named: false, why }
}

/// The verdict on an empty request, which every receiver takes or calls empty.
pub(crate) fn probe_verdict(answer: &Answer, secrets: &[&str]) -> Verdict {
    let text = answer::quote(text_of(answer).as_bytes(), secrets);
    match Class::of(answer.status) {
        Class::BadData if !answer::is_html(answer) => Verdict::Delivered,
        Class::Success if read_success(answer).is_some() => Verdict::Delivered,
        Class::BadData | Class::Success => answer::garbage(answer, secrets),
        class => {
            let after = answer::hint(answer.retry_after);
            answer::verdict(class, after, answer::said(answer, &text, CREDENTIALS))
        }
    }
}

/// An `ExportMetricsServiceResponse` in either encoding, whichever was asked for; receivers are
/// known to answer JSON to protobuf. Empty is a full success. Many a short text happens to be
/// protobuf of unknown fields ("It works!" is), so what is none of the one field there is, or is
/// declared as text, is not taken for an answer.
fn read_success(answer: &Answer) -> Option<Partial> {
    let body = &answer.body[..];
    let trimmed = body.trim_ascii();
    if trimmed.is_empty() {
        return Some(Partial::default());
    }
    if trimmed.first() == Some(&b'{') {
        let read: JsonAnswer = serde_json::from_slice(trimmed).ok()?;
        if read.error.is_some() || read.errors.is_some() || answer::says_error(trimmed) {
            return None;
        }
        return Some(read.partial.map_or_else(Partial::default, |partial| Partial {
            rejected: number(&partial.rejected),
            message: partial.message.unwrap_or_default(),
        }));
    }
    let is_text = content_type_begins(answer, b"text/") || answer::is_html(answer);
    if is_text || body.first() != Some(&(BYTES_1 as u8)) {
        return None;
    }
    read_partial_success(body)
}

fn content_type_begins(answer: &Answer, prefix: &[u8]) -> bool {
    let declared = answer.headers.get("content-type");
    declared.is_some_and(|value| value.as_bytes().to_ascii_lowercase().starts_with(prefix))
}

/// 64-bit integers are strings in OTLP/JSON, and numbers from those who did not read that far. Read by
/// way of a float, they may have a fraction of zero, and be larger than any count: still a refusal.
fn number(value: &serde_json::Value) -> u64 {
    let float = match value {
        serde_json::Value::String(text) => match text.trim().parse() {
            Ok(whole) => return whole,
            Err(_) => text.trim().parse().ok(),
        },
        other => match other.as_u64() {
            Some(whole) => return whole,
            None => other.as_f64(),
        },
    };
    // A cast saturates: what is negative or no number rejects nothing.
    float.map_or(0, |float: f64| float.ceil() as u64)
}

/// Tags of a length-delimited field and of a varint field.
const BYTES_1: u32 = 1 << 3 | 2;
const BYTES_2: u32 = 2 << 3 | 2;
const VARINT_1: u32 = 1 << 3;

/// An `ExportMetricsServiceResponse` in protobuf; empty is a full success.
pub(crate) fn read_partial_success(body: &[u8]) -> Option<Partial> {
    let mut partial = Partial::default();
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        match reader.tag()? {
            BYTES_1 => read_partial(Reader::new(reader.bytes()?), &mut partial)?,
            other => reader.skip(other)?,
        }
    }
    Some(partial)
}

fn read_partial(mut reader: Reader<'_>, partial: &mut Partial) -> Option<()> {
    while !reader.is_empty() {
        match reader.tag()? {
            // An int64; a negative one makes no sense and rejects nothing.
            VARINT_1 => {
                let value = reader.varint()?;
                partial.rejected = if i64::try_from(value).is_ok() { value } else { 0 };
            }
            BYTES_2 => partial.message = String::from_utf8_lossy(reader.bytes()?).into_owned(),
            other => reader.skip(other)?,
        }
    }
    Some(())
}

/// Field 2 of `google.rpc.Status`, the message.
fn read_status(body: &[u8]) -> Option<String> {
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        match reader.tag()? {
            BYTES_2 => return Some(String::from_utf8_lossy(reader.bytes()?).into_owned()),
            other => reader.skip(other)?,
        }
    }
    None
}

/// The sentence in an error: `google.rpc.Status` in either encoding, else the body as it is.
fn text_of(answer: &Answer) -> String {
    if let Ok(status) = serde_json::from_slice::<JsonStatus>(&answer.body) {
        return status.message;
    }
    let declared = content_type_begins(answer, b"application/x-protobuf");
    let message = if declared { read_status(&answer.body) } else { None };
    message.unwrap_or_else(|| String::from_utf8_lossy(&answer.body).into_owned())
}

#[cfg(test)]
mod tests;
