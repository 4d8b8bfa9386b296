//! What every HTTP destination has in common: what a status means, how an answer is quoted, and
//! which code of a failed record stands for no answer at all.
//!
//! Always holds: no text made here carries a secret or a control character. Not here: the bodies
//! that mean something special to one destination (`dynatrace::answer`, `otlp::answer`).

use std::time::Duration;

use remote::{Answer, Unreachable, Why as Cause};
use serde_json::Value;

use crate::{Verdict, Why};

/// Characters of an answer that are quoted: enough for the sentence that matters, little enough
/// for a log line and a failed record.
pub(crate) const QUOTE_MAX: usize = 300;

/// Bytes of an inflated answer that are read.
const PLAIN_MAX: usize = 4 << 20;

/// A destination's hint is followed up to this long. Longer ones are errors of a clock or of a
/// script more often than wishes, and the stream asks again anyway.
pub(crate) const HINT_MAX: Duration = Duration::from_secs(300);

/// The destination answered, and it was no success (Firehose's own code for that).
pub(crate) const DESTINATION: &str = "HttpEndpoint.DestinationException";
/// The answer is none that this destination gives.
pub(crate) const INVALID_ANSWER: &str = "HttpEndpoint.InvalidResponseFromDestination";

/// What a status means whatever the destination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// 2xx.
    Success,
    /// 400: about the data.
    BadData,
    /// 413.
    TooLarge,
    /// 408, 425, 429 and 5xx: not well just now.
    Busy,
    /// Anything else, redirects among it: an operator must act. It says nothing about the data, so
    /// nothing is thrown away for it.
    Misconfigured,
}

impl Class {
    /// Of a status.
    pub(crate) fn of(status: u16) -> Class {
        match status {
            200..=299 => Class::Success,
            400 => Class::BadData,
            413 => Class::TooLarge,
            408 | 425 | 429 | 500..=599 => Class::Busy,
            _ => Class::Misconfigured,
        }
    }
}

/// What kind of answer it is. A page never speaks of the data, whatever its status: it is of a proxy,
/// or of a TLS port that was asked without TLS.
pub(crate) fn class_of(answer: &Answer) -> Class {
    match Class::of(answer.status) {
        Class::BadData if is_html(answer) => Class::Misconfigured,
        class => class,
    }
}

/// The verdict on an answer whose body needs no special reading.
pub(crate) fn verdict(class: Class, after: Option<Duration>, why: Why) -> Verdict {
    match class {
        Class::Success => Verdict::Delivered,
        Class::BadData => Verdict::Never { why },
        Class::TooLarge => Verdict::TooLarge { why },
        Class::Busy => Verdict::Later { after, loud: false, why },
        Class::Misconfigured => Verdict::Later { after, loud: true, why },
    }
}

/// An answer with its body as it was before compression. Nobody asks for an encoding, which lets a
/// server (or a proxy before it) choose one. What does not inflate stays as it came.
pub(crate) fn plain(mut answer: Answer) -> Answer {
    let encoding = answer.headers.get(http::header::CONTENT_ENCODING).map(|v| v.as_bytes());
    if encoding.is_some_and(|name| matches!(name, b"gzip" | b"x-gzip")) {
        let mut out = Vec::new();
        let mut inflater = codec::gzip::Inflater::new();
        if inflater.gunzip(&answer.body, &mut out, PLAIN_MAX).is_ok() {
            answer.body = out.into();
        }
    }
    answer
}

/// What an object of JSON says to be an error, whatever the status beside it. Codes are those of gRPC
/// and of HTTP: a number that is neither may well be a success.
pub(crate) fn says_error(body: &[u8]) -> bool {
    if !body.trim_ascii_start().starts_with(b"{") {
        return false;
    }
    let Ok(said) = serde_json::from_slice::<Said>(body) else { return false };
    let is_said = |value: &Option<Value>| match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::Bool(true)) => true,
    };
    let code = said.code.as_ref().and_then(Value::as_i64).unwrap_or(0);
    let failed = said.status.as_ref().and_then(Value::as_str).is_some_and(|status| {
        status.eq_ignore_ascii_case("error") || status.eq_ignore_ascii_case("failed")
    });
    failed || is_said(&said.error) || is_said(&said.errors) || matches!(code, 1..=16 | 400..=599)
}

/// The members by which services tell an error.
#[derive(serde::Deserialize)]
struct Said {
    #[serde(default)]
    error: Option<Value>,
    #[serde(default)]
    errors: Option<Value>,
    #[serde(default)]
    code: Option<Value>,
    #[serde(default)]
    status: Option<Value>,
}

/// A success whose body is none of this destination's: someone else is answering there.
pub(crate) fn garbage(answer: &Answer, secrets: &[&str]) -> Verdict {
    let text = quote(&answer.body, secrets);
    let message = format!("status {} with a body of something else: {text}", answer.status);
    Verdict::Later { after: None, loud: true, why: Why { code: INVALID_ANSWER, message } }
}

/// What lets us in where the settings leave open what that is: a token, a header, a password.
pub(crate) const CREDENTIALS: &str = "credentials";

/// Status and text of an answer, with what helps to act on it. `key` is what we show to be let in.
pub(crate) fn said(answer: &Answer, text: &str, key: &str) -> Why {
    let status = answer.status;
    let message = match hint_for_operator(status, answer, key) {
        Some(hint) if text.is_empty() => format!("status {status} ({hint})"),
        Some(hint) => format!("status {status} ({hint}): {text}"),
        None if text.is_empty() => format!("status {status}"),
        None => format!("status {status}: {text}"),
    };
    Why { code: DESTINATION, message }
}

fn hint_for_operator(status: u16, answer: &Answer, key: &str) -> Option<String> {
    Some(match status {
        300..=399 => {
            let target = answer.headers.get("location").and_then(|value| value.to_str().ok());
            // The path may be ours, with a key in it.
            let host =
                target.and_then(|url| url.split_once("://")).map_or("another path", |(_, rest)| {
                    rest.split(['/', '?']).next().unwrap_or_default()
                });
            format!("redirects are not followed, it points to {}", quote(host.as_bytes(), &[]))
        }
        401 => format!("{key} missing, wrong or expired"),
        403 => format!("{key} not permitted"),
        404 | 405 | 410 => "check the URL of the destination".to_owned(),
        407 => "a proxy wants credentials".to_owned(),
        _ => return None,
    })
}

/// No answer: the code Firehose uses for it. Only a TLS failure and an unusable request need a person.
pub(crate) fn unreachable(error: &Unreachable, secrets: &[&str]) -> Verdict {
    let (code, loud) = match error.why {
        Cause::Dns | Cause::Connect => ("HttpEndpoint.ConnectionFailed", false),
        Cause::Tls => ("HttpEndpoint.SSLHandshakeFailure", true),
        Cause::Timeout => ("HttpEndpoint.RequestTimeout", false),
        Cause::Reset => ("HttpEndpoint.ConnectionReset", false),
        Cause::Protocol => ("HttpEndpoint.IllegalMessageStart", false),
        Cause::Request => ("HttpEndpoint.MakeRequestFailure.IllegalUriException", true),
    };
    let message = format!("{}: {}", error.why, quote(error.detail.as_bytes(), secrets));
    Verdict::Later { after: None, loud, why: Why { code, message } }
}

/// `Retry-After` within reason.
pub(crate) fn hint(after: Option<Duration>) -> Option<Duration> {
    after.map(|after| after.min(HINT_MAX))
}

/// Bytes as one printable line of at most [`QUOTE_MAX`] characters, the secrets blotted out.
pub(crate) fn quote(bytes: &[u8], secrets: &[&str]) -> String {
    // A character has at most four bytes; more cannot be shown, but a secret that is cut at the
    // end would not be recognised, so blotting comes before cutting.
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "***");
    }
    let mut line = String::new();
    for (count, c) in text.split_whitespace().flat_map(|word| word.chars().chain([' '])).enumerate()
    {
        if count == QUOTE_MAX {
            line.push_str("...");
            break;
        }
        line.push(if c.is_control() { ' ' } else { c });
    }
    line.truncate(line.trim_end().len());
    line
}

/// True when the body is meant for a browser: a login page, a proxy's error.
pub(crate) fn is_html(answer: &Answer) -> bool {
    let declared = answer
        .headers
        .get("content-type")
        .is_some_and(|value| value.as_bytes().to_ascii_lowercase().starts_with(b"text/html"));
    declared || answer.body.trim_ascii_start().starts_with(b"<")
}

#[cfg(test)]
mod tests;
