//! What Dynatrace's answers mean (docs/dynatrace.md, "Answers"). Pure: status, headers and body in, verdict out.
//!
//! A 400 with counts of lines is no failure of the request: the valid lines have been taken.

use std::collections::BTreeSet;
use std::time::Duration;

use remote::Answer;
use serde::Deserialize;

use super::key::has_digit_section;
use crate::sink::Payload;
use crate::sink::answer::{self, Class};
use crate::{RefusedLine, Verdict};

/// Most refused lines that are read from an answer. Servers list about ten.
const LISTED_MAX: usize = 1_000;

#[derive(Deserialize)]
struct Ingest {
    #[serde(rename = "linesOk")]
    lines_ok: u64,
    #[serde(rename = "linesInvalid", default)]
    lines_invalid: Option<u64>,
    #[serde(default)]
    error: Option<IngestError>,
}

#[derive(Deserialize, Default)]
struct IngestError {
    #[serde(default)]
    message: Option<String>,
    #[serde(rename = "invalidLines", default)]
    invalid_lines: Option<Vec<InvalidLine>>,
}

#[derive(Deserialize)]
struct InvalidLine {
    #[serde(default)]
    line: Option<u64>,
    #[serde(default)]
    error: Option<String>,
}

/// The general error of the API.
#[derive(Deserialize)]
struct Envelope {
    error: EnvelopeError,
}

#[derive(Deserialize)]
struct EnvelopeError {
    #[serde(default)]
    message: Option<String>,
    #[serde(rename = "constraintViolations", default)]
    violations: Option<Vec<Violation>>,
}

#[derive(Deserialize)]
struct Violation {
    #[serde(default)]
    message: Option<String>,
}

/// The verdict on an answer to `payload`; `now_us` is the time since the epoch in microseconds.
pub(crate) fn verdict(answer: &Answer, payload: &Payload, token: &str, now_us: u64) -> Verdict {
    let class = answer::class_of(answer);
    if matches!(class, Class::Success | Class::BadData) {
        if let Ok(ingest) = serde_json::from_slice::<Ingest>(&answer.body) {
            if ingest.lines_invalid.unwrap_or(0) > 0 {
                return partly(answer, &ingest, payload, token);
            }
            if class == Class::Success {
                // An error beside "nothing refused": it does not say that the lines were taken.
                let failed = answer::says_error(&answer.body);
                return if failed { answer::garbage(answer, &[token]) } else { Verdict::Delivered };
            }
        } else if class == Class::Success {
            return unread_success(answer, token);
        }
    }
    let why = answer::said(answer, &text_of(&answer.body, token), "token");
    answer::verdict(class, pause(answer, now_us), why)
}

/// A success whose body is no answer of metric ingestion. 202 is what ingestion alone says, so a
/// short or unknown body is taken for one; a page is a proxy speaking, as is any other status, and an
/// error says that nothing was taken.
fn unread_success(answer: &Answer, token: &str) -> Verdict {
    if answer.status == 202 && !answer::is_html(answer) && !answer::says_error(&answer.body) {
        return Verdict::Delivered;
    }
    answer::garbage(answer, &[token])
}

fn partly(answer: &Answer, ingest: &Ingest, payload: &Payload, token: &str) -> Verdict {
    let invalid = ingest.lines_invalid.unwrap_or(0);
    let listed = ingest.error.as_ref().and_then(|e| e.invalid_lines.as_deref()).unwrap_or(&[]);
    let sent = if listed.is_empty() { Vec::new() } else { plain_text(payload) };
    let sent_lines: Vec<&[u8]> = sent.split(|byte| *byte == b'\n').collect();
    let mut lines = Vec::new();
    let mut metadata = 0;
    let mut named = BTreeSet::new();
    for one in listed.iter().take(LISTED_MAX) {
        // A line that was not sent, or is named twice, says nothing about which was refused.
        let index = one.line.and_then(|line| usize::try_from(line).ok()?.checked_sub(1));
        let Some(index) = index.filter(|index| named.insert(*index)) else { continue };
        let Some(text) = sent_lines.get(index).filter(|text| !text.is_empty()) else { continue };
        if text.first() == Some(&b'#') {
            metadata += 1;
            continue;
        }
        let said = one.error.as_deref().unwrap_or("");
        lines.push(RefusedLine { text: text.to_vec(), why: explain(said, text, token) });
    }
    // A point may have several lines: whether all are named is a matter of lines.
    let wanted = invalid.saturating_sub(metadata);
    let all_named = lines.len() as u64 >= wanted;
    let refused = wanted.min(u64::from(payload.points));
    let message = ingest.error.as_ref().and_then(|e| e.message.as_deref()).unwrap_or("");
    let total = invalid.saturating_add(ingest.lines_ok);
    let known = lines.len() as u64 + metadata;
    let count = format!("{invalid} of {total} lines refused, {known} named: {message}");
    Verdict::Partly {
        refused: u32::try_from(refused).unwrap_or(payload.points),
        lines,
        all_named,
        why: answer::said(answer, &answer::quote(count.as_bytes(), &[token]), "token"),
    }
}

/// What the server said of a line, with the setting that helps where one does.
fn explain(said: &str, line: &[u8], token: &str) -> String {
    let said = answer::quote(said.as_bytes(), &[token]);
    let key = line.split(|byte| matches!(byte, b',' | b' ')).next().unwrap_or_default();
    if said.contains("key") && has_digit_section(metric::text(key)) {
        format!("{said} (a section of the key begins with a digit: set digit_section: underscore)")
    } else {
        said
    }
}

/// The lines as they were before compression.
fn plain_text(payload: &Payload) -> Vec<u8> {
    if !codec::gzip::is_gzip(&payload.body) {
        return payload.body.to_vec();
    }
    let mut text = Vec::new();
    let mut inflater = codec::gzip::Inflater::new();
    match inflater.gunzip(&payload.body, &mut text, payload.plain_bytes) {
        Ok(()) => text,
        // Our own bytes inflate; if ever not, the refused lines are reported without their text.
        Err(_) => Vec::new(),
    }
}

/// The sentence in an error body, or the body itself.
fn text_of(body: &[u8], token: &str) -> String {
    let Ok(Envelope { error }) = serde_json::from_slice::<Envelope>(body) else {
        return answer::quote(body, &[token]);
    };
    let violations = error.violations.unwrap_or_default();
    let texts = error.message.into_iter().chain(violations.into_iter().filter_map(|v| v.message));
    answer::quote(texts.collect::<Vec<_>>().join("; ").as_bytes(), &[token])
}

/// How long the server wants us to wait: `Retry-After`, else the time its limit is reset.
fn pause(answer: &Answer, now_us: u64) -> Option<Duration> {
    if answer.retry_after.is_some() {
        return answer::hint(answer.retry_after);
    }
    if answer.status != 429 {
        return None;
    }
    let reset = answer.headers.get("x-ratelimit-reset")?.to_str().ok()?;
    let reset_us: u64 = reset.trim().parse().ok()?;
    answer::hint(Some(Duration::from_micros(reset_us.saturating_sub(now_us))))
}

/// The verdict on a probe: an empty body, which a server that knows us calls an empty request.
pub(crate) fn probe_verdict(answer: &Answer, token: &str, now_us: u64) -> Verdict {
    let why = || answer::said(answer, &text_of(&answer.body, token), "token");
    match Class::of(answer.status) {
        Class::BadData if !answer::is_html(answer) => Verdict::Delivered,
        Class::BadData => answer::garbage(answer, &[token]),
        Class::Success if answer.status == 202 && !answer::is_html(answer) => Verdict::Delivered,
        Class::Success if serde_json::from_slice::<Ingest>(&answer.body).is_ok() => {
            Verdict::Delivered
        }
        Class::Success => answer::garbage(answer, &[token]),
        class => answer::verdict(class, pause(answer, now_us), why()),
    }
}

#[cfg(test)]
mod tests;
