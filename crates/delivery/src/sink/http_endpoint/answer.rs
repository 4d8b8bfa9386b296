//! What answers to a delivery mean, judged as Firehose judges them. Pure.
//!
//! A delivery counts as taken by one answer only: 200 with JSON that repeats the request id and has a
//! numeric timestamp. Where AWS's documentation leaves a rule open (more members, a parameter of the
//! content type, an answer in chunks), the answer is taken.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use remote::{Answer, Unreachable, Why as Cause};
use serde::Deserialize;

use crate::sink::answer::{self, Class};
use crate::{Verdict, Why};

/// Longest answer that Firehose reads.
pub(crate) const ANSWER_BYTES_MAX: usize = 1 << 20;

/// How Firehose begins the text of a failed record; readers of its backups look for it.
const LEAD_IN: &str = "Received the following response from the endpoint destination.";

/// The members that matter; the texts of either are those of the protocol.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    request_id: Option<String>,
    #[serde(default)]
    timestamp: Option<serde_json::Value>,
    #[serde(default)]
    error_message: Option<String>,
}

/// The verdict on an answer to the delivery `request_id`.
pub(crate) fn verdict(answer: &Answer, request_id: &str, secrets: &[&str]) -> Verdict {
    if answer.body.len() > ANSWER_BYTES_MAX {
        let message = format!("status {}: an answer of over 1 MiB", answer.status);
        return loudly("HttpEndpoint.ResponseTooLarge", message);
    }
    match answer.status {
        200 => match fault_of(answer, request_id) {
            None => Verdict::Delivered,
            Some((code, fault)) => loudly(
                code,
                format!("{LEAD_IN} status 200, but {fault}: {}", words(answer, secrets)),
            ),
        },
        100..=199 | 300..=399 => {
            let why = said(answer, secrets);
            loudly("HttpEndpoint.InvalidStatusCode", why.message)
        }
        413 => Verdict::TooLarge { why: said(answer, secrets) },
        status => {
            // Firehose repeats all of these; who must act is told by the class.
            let loud = Class::of(status) != Class::Busy;
            let why = said(answer, secrets);
            Verdict::Later { after: answer::hint(answer.retry_after), loud, why }
        }
    }
}

/// The verdict on no answer, with Firehose's code for it.
pub(crate) fn unreachable(error: &Unreachable, secrets: &[&str]) -> Verdict {
    let verdict = answer::unreachable(error, secrets);
    let (Cause::Tls, Verdict::Later { after, loud, why }) = (error.why, &verdict) else {
        return verdict;
    };
    // Which code is only for the reader; what happens next does not hang on the text.
    let code = if error.detail.contains("UnknownIssuer") {
        "HttpEndpoint.SSLHandshakeCertificatePathFailure"
    } else if error.detail.contains("certificate") {
        "HttpEndpoint.SSLHandshakeCertificatePathValidationFailure"
    } else if error.detail.contains("handshake") {
        "HttpEndpoint.SSLHandshakeFailure"
    } else {
        "HttpEndpoint.SSLFailure"
    };
    let why = Why { code, message: why.message.clone() };
    Verdict::Later { after: *after, loud: *loud, why }
}

fn loudly(code: &'static str, message: String) -> Verdict {
    Verdict::Later { after: None, loud: true, why: Why { code, message } }
}

/// Status and words of an answer, with what helps to act on it.
fn said(answer: &Answer, secrets: &[&str]) -> Why {
    let why = answer::said(answer, &words(answer, secrets), "access key");
    Why { message: format!("{LEAD_IN} {}", why.message), ..why }
}

/// `errorMessage`, in which no escape of JSON hides a secret, else the body as it is.
fn words(answer: &Answer, secrets: &[&str]) -> String {
    let message = read(&answer.body).and_then(|body| body.error_message);
    let text = message.as_ref().map_or(&answer.body[..], |message| message.as_bytes());
    answer::quote(text, secrets)
}

/// An object only: serde would take a list for the members in their order, too.
fn read(body: &[u8]) -> Option<Body> {
    let is_object = body.trim_ascii_start().starts_with(b"{");
    if is_object { serde_json::from_slice(body).ok() } else { None }
}

/// What is wrong with an answer of status 200.
fn fault_of(answer: &Answer, request_id: &str) -> Option<(&'static str, String)> {
    let invalid = |what: &str| Some((answer::INVALID_ANSWER, what.to_owned()));
    let mut types = answer.headers.get_all(CONTENT_TYPE).iter();
    match (types.next(), types.next()) {
        (None, _) => return invalid("without Content-Type"),
        (Some(_), Some(_)) => {
            let what = "with more than one Content-Type".to_owned();
            return Some(("HttpEndpoint.IllegalResponseFailure", what));
        }
        (Some(media), None) if !is_json(media) => {
            return invalid("not of Content-Type application/json");
        }
        _ => {}
    }
    if answer.headers.contains_key(CONTENT_ENCODING) {
        return invalid("with a Content-Encoding, which Firehose does not take");
    }
    let Some(body) = read(&answer.body) else {
        return invalid("the body is not the JSON of an answer to Firehose");
    };
    match body.request_id {
        None => return invalid("requestId is missing"),
        Some(other) if other != request_id => {
            return invalid("requestId is that of another delivery");
        }
        Some(_) => {}
    }
    match body.timestamp {
        Some(serde_json::Value::Number(_)) => None,
        Some(_) => invalid("timestamp is not a number"),
        None => invalid("timestamp is missing"),
    }
}

fn is_json(media: &HeaderValue) -> bool {
    let media = media.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    media.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

#[cfg(test)]
mod tests;
