//! What answers of an OTLP receiver mean over gRPC. Pure.
//!
//! The table is that of the OTLP specification, but for statuses that say nothing about the data:
//! those are never a reason to give data up. An answer that is none of gRPC took nothing.

use std::time::Duration;

use bytes::Bytes;
use metric::wire::Reader;
use remote::Answer;
use remote::grpc::{Code, Message, Outcome, Status};

use super::answer::{partial_verdict, read_partial_success};
use crate::sink::Payload;
use crate::sink::answer::{self, CREDENTIALS, Class};
use crate::{Verdict, Why};

/// The method of the metrics service.
pub(crate) const PATH: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// An answer holds a count and a sentence; what inflates beyond this is none.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// `type.googleapis.com/google.rpc.RetryInfo`, whatever stands before the name.
const RETRY_INFO: &[u8] = b"google.rpc.RetryInfo";

/// The verdict on what came back for `payload`.
pub(crate) fn verdict(outcome: &Outcome, payload: &Payload, secrets: &[&str]) -> Verdict {
    match outcome {
        Outcome::Status(status) if status.code == Code::Ok => success(status, payload, secrets),
        Outcome::Status(status) => failure(status, secrets),
        Outcome::NoStatus => no_status(),
        Outcome::Http(answer) => foreign(answer, secrets),
    }
}

/// The verdict on an empty request, which every receiver takes or calls empty.
pub(crate) fn probe_verdict(outcome: &Outcome, secrets: &[&str]) -> Verdict {
    match outcome {
        Outcome::Status(status) if status.code == Code::InvalidArgument => Verdict::Delivered,
        other => verdict(other, &Payload::default(), secrets),
    }
}

/// Were the credentials refused?
pub(crate) fn is_unauthenticated(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Status(status) => status.code == Code::Unauthenticated,
        Outcome::NoStatus => false,
        Outcome::Http(answer) => answer.status == 401,
    }
}

fn success(status: &Status, payload: &Payload, secrets: &[&str]) -> Verdict {
    let message = status.answer.as_ref().and_then(plain);
    match message.and_then(|message| read_partial_success(&message)) {
        Some(partial) => partial_verdict(&partial, payload, "grpc-status 0 OK", secrets),
        None => {
            let message = "grpc-status 0 OK with a message of something else".to_owned();
            Verdict::Later {
                after: None,
                loud: true,
                why: Why { code: answer::INVALID_ANSWER, message },
            }
        }
    }
}

/// The bytes of a message. Whoever is asked in gzip may answer in gzip.
fn plain(message: &Message) -> Option<Bytes> {
    match message.encoding.as_deref() {
        None => Some(message.bytes.clone()),
        Some("gzip") => {
            let mut out = Vec::new();
            let mut inflater = codec::gzip::Inflater::new();
            inflater.gunzip(&message.bytes, &mut out, ANSWER_BYTES_MAX).ok()?;
            Some(Bytes::from(out))
        }
        Some(_) => None,
    }
}

fn failure(status: &Status, secrets: &[&str]) -> Verdict {
    let retry_info = retry_info(&status.details);
    let after = answer::hint(retry_info);
    let why = said(status, secrets);
    let quiet = |why| Verdict::Later { after, loud: false, why };
    match status.code {
        _ if is_about_size(status) => Verdict::TooLarge { why },
        Code::InvalidArgument => Verdict::Never { why },
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => quiet(why),
        Code::ResourceExhausted if retry_info.is_some() => quiet(why),
        // The 500s of gRPC: the specification gives up here, we lose nothing for it.
        Code::Unknown | Code::Internal => quiet(why),
        _ => Verdict::Later { after, loud: true, why },
    }
}

/// Receivers have no code of their own for a message over their limit: grpc-go, grpc-java and
/// grpc-core say RESOURCE_EXHAUSTED, tonic OUT_OF_RANGE, old grpc-java INTERNAL, each in its words.
fn is_about_size(status: &Status) -> bool {
    const WORDS: [&str; 4] =
        ["larger than max", "exceeds maximum", "message length too large", "message too large"];
    let code = matches!(status.code, Code::ResourceExhausted | Code::OutOfRange | Code::Internal);
    let text = status.message.to_ascii_lowercase();
    code && WORDS.iter().any(|words| text.contains(words))
}

/// Code and text of a status, with what helps to act on it.
fn said(status: &Status, secrets: &[&str]) -> Why {
    let mut message = format!("grpc-status {} {}", status.code as u8, status.code.name());
    if let Some(hint) = hint_for_operator(status) {
        message.push_str(&format!(" ({hint})"));
    }
    let text = answer::quote(status.message.as_bytes(), secrets);
    if !text.is_empty() {
        message.push_str(": ");
        message.push_str(&text);
    }
    Why { code: answer::DESTINATION, message }
}

fn hint_for_operator(status: &Status) -> Option<&'static str> {
    Some(match status.code {
        Code::Unauthenticated => "credentials missing, wrong or expired",
        Code::PermissionDenied => "credentials not permitted",
        Code::Unimplemented if status.message.to_ascii_lowercase().contains("compress") => {
            "the receiver does not take gzip: compression: none"
        }
        Code::Unimplemented => {
            "no OTLP receiver for metrics here; is this the port of OTLP over gRPC?"
        }
        Code::ResourceExhausted if !is_about_size(status) => "a quota or limit of the receiver",
        _ => return None,
    })
}

fn no_status() -> Verdict {
    let message =
        "the answer ended without grpc-status: something in between does not hand on the \
                   trailers of HTTP/2"
            .to_owned();
    Verdict::Later { after: None, loud: true, why: Why { code: answer::INVALID_ANSWER, message } }
}

/// An answer of HTTP, by a proxy or by who listens there instead. Whatever its status, it is not
/// about the data, but for a body that is too large for a proxy.
fn foreign(answer: &Answer, secrets: &[&str]) -> Verdict {
    let class = Class::of(answer.status);
    if class == Class::Success {
        return answer::garbage(answer, secrets);
    }
    let mut why = answer::said(answer, &answer::quote(&answer.body, secrets), CREDENTIALS);
    why.message = format!("no answer of gRPC, but HTTP {}", why.message);
    let class = if class == Class::BadData { Class::Misconfigured } else { class };
    answer::verdict(class, answer::hint(answer.retry_after), why)
}

/// `retry_delay` of a `google.rpc.RetryInfo` among the details of a status.
fn retry_info(details: &str) -> Option<Duration> {
    // Binary metadata may come without padding.
    let mut text = details.trim_end_matches('=').as_bytes().to_vec();
    text.resize(text.len().next_multiple_of(4), b'=');
    let mut status = Vec::new();
    codec::base64::decode_into(&text, &mut status).ok()?;
    let mut reader = Reader::new(&status);
    while !reader.is_empty() {
        match reader.tag()? {
            // `details` of `google.rpc.Status`, each a `google.protobuf.Any`.
            BYTES_3 => {
                if let Some(delay) = retry_delay(Reader::new(reader.bytes()?)) {
                    return Some(delay);
                }
            }
            other => reader.skip(other)?,
        }
    }
    None
}

const VARINT_1: u32 = 1 << 3;
const VARINT_2: u32 = 2 << 3;
const BYTES_1: u32 = 1 << 3 | 2;
const BYTES_2: u32 = 2 << 3 | 2;
const BYTES_3: u32 = 3 << 3 | 2;

fn retry_delay(mut any: Reader<'_>) -> Option<Duration> {
    let (mut kind, mut value) = (&b""[..], &b""[..]);
    while !any.is_empty() {
        match any.tag()? {
            BYTES_1 => kind = any.bytes()?,
            BYTES_2 => value = any.bytes()?,
            other => any.skip(other)?,
        }
    }
    if !kind.ends_with(RETRY_INFO) {
        return None;
    }
    let mut info = Reader::new(value);
    let mut delay = Duration::ZERO;
    while !info.is_empty() {
        match info.tag()? {
            BYTES_1 => delay = duration(Reader::new(info.bytes()?))?,
            other => info.skip(other)?,
        }
    }
    Some(delay)
}

/// `google.protobuf.Duration`; a negative one is none.
fn duration(mut reader: Reader<'_>) -> Option<Duration> {
    let (mut seconds, mut nanos) = (0, 0);
    while !reader.is_empty() {
        match reader.tag()? {
            VARINT_1 => seconds = reader.varint()?,
            VARINT_2 => nanos = reader.varint()?,
            other => reader.skip(other)?,
        }
    }
    i64::try_from(seconds).ok()?;
    let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests;
