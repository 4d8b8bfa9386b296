//! What answers of a remote write receiver mean. Pure.
//!
//! Owns the table of remote write 1.0, and the one exception that is known by its text. A receiver
//! says 400 for a whole request when one sample of it is late; Prometheus then stores none of it.
//! `docs/prometheus.md` has the table.

use remote::Answer;

use crate::Verdict;
use crate::sink::answer::{self, CREDENTIALS, Class};

/// Texts of Prometheus about samples it will never take, and what helps. Prometheus 2.42 says the first
/// one with 500 instead of 400, and a sender that believes it waits for ever.
const NEVER_TAKEN: [(&[u8], &str); 4] = [
    (b"too old sample", LATE),
    (b"out of order sample", LATE),
    (b"out of bounds", LATE),
    (
        b"duplicate sample for timestamp",
        "the receiver keeps the value it has; CloudWatch has corrected it since",
    ),
];

const LATE: &str = "to have late samples, set storage.tsdb.out_of_order_time_window in the receiver's \
                    settings, then put this back with hydrant replay";

/// Beyond this a body is no text about a sample.
const SEARCHED_BYTES: usize = 4096;

/// The verdict on an answer to a request of `points`.
pub(crate) fn verdict(answer: &Answer, points: u32, secrets: &[&str]) -> Verdict {
    let text = answer::quote(&answer.body, secrets);
    let class = class_of(answer);
    let mut why = answer::said(answer, &text, CREDENTIALS);
    match class {
        // Receivers answer nothing or a little JSON. A page is of somebody else, who took nothing.
        Class::Success if answer::is_html(answer) || answer::says_error(&answer.body) => {
            answer::garbage(answer, secrets)
        }
        Class::BadData if points > 1 => Verdict::Divide { why },
        _ => {
            if let Some(hint) = hint(answer) {
                why.message = format!("{}; {hint}", why.message);
            }
            answer::verdict(class, answer::hint(answer.retry_after), why)
        }
    }
}

/// Which statuses speak of the data is for remote write to say, beyond what all have in common.
fn class_of(answer: &Answer) -> Class {
    match answer.status {
        // 409 is Thanos's 400; 422 that of receivers which check labels.
        409 | 422 => Class::BadData,
        500 if is_about_samples(&answer.body) => Class::BadData,
        _ => answer::class_of(answer),
    }
}

fn is_about_samples(body: &[u8]) -> bool {
    never_taken(body).is_some()
}

/// What helps with a sample that will never be taken, when the text speaks of one.
fn never_taken(body: &[u8]) -> Option<&'static str> {
    let searched = body.get(..SEARCHED_BYTES).unwrap_or(body);
    let has = |text: &[u8]| searched.windows(text.len()).any(|window| window == text);
    NEVER_TAKEN.iter().find(|(text, _)| has(text)).map(|(_, helps)| *helps)
}

/// What helps with an answer.
fn hint(answer: &Answer) -> Option<&'static str> {
    Some(match answer.status {
        400 | 409 | 422 | 500 => return never_taken(&answer.body),
        404 => {
            "Prometheus receives only with --web.enable-remote-write-receiver, at /api/v1/write; \
             Mimir at /api/v1/push, VictoriaMetrics at /api/v1/write"
        }
        415 => "this receiver does not take remote write 1.0 in Snappy",
        _ => return None,
    })
}

/// The verdict on a request without series, which every receiver takes.
pub(crate) fn probe_verdict(answer: &Answer, secrets: &[&str]) -> Verdict {
    match verdict(answer, 1, secrets) {
        // It read the request and found it empty.
        Verdict::Never { .. } if answer.status == 400 && !answer::is_html(answer) => {
            Verdict::Delivered
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
