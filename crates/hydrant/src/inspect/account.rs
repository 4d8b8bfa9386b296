//! What was seen: counted for the summary, and said on stderr where it could not be used.

use std::collections::BTreeSet;

use metric::{Point, Reject};

use super::REJECTS_SAID_MAX;
use super::output::instant_text;
use crate::terminal::{self, Paint};

/// Distinct names kept for the summary; past it the summary says "at least".
const DISTINCT_MAX: usize = 100_000;

/// Counts of one run.
#[derive(Default)]
pub(super) struct Account {
    kinds: BTreeSet<&'static str>,
    records: u64,
    points: u64,
    rejects: u64,
    left_out: u64,
    said: u64,
    metrics: BTreeSet<(Vec<u8>, Vec<u8>)>,
    accounts: BTreeSet<Vec<u8>>,
    span_ms: Option<(i64, i64)>,
}

impl Account {
    /// A file of this kind is looked at.
    pub(super) fn file(&mut self, kind: &'static str) {
        self.kinds.insert(kind);
    }

    /// A record begins.
    pub(super) fn record(&mut self) {
        self.records += 1;
    }

    /// A point was decoded.
    pub(super) fn point(&mut self, point: &Point<'_>) {
        self.points += 1;
        let instant = point.instant_ms();
        let (first, last) = self.span_ms.unwrap_or((instant, instant));
        self.span_ms = Some((first.min(instant), last.max(instant)));
        if self.metrics.len() < DISTINCT_MAX {
            self.metrics.insert((point.namespace.to_vec(), point.name.to_vec()));
        }
        if self.accounts.len() < DISTINCT_MAX && !point.account.is_empty() {
            self.accounts.insert(point.account.to_vec());
        }
    }

    /// A piece of a record could not be decoded.
    pub(super) fn reject(&mut self, place: &str, reject: &Reject<'_>) {
        let (offset, code) = (reject.offset, reject.reason.code());
        self.refuse(&format!("{place}, byte {offset}"), &format!("{code}: {}", reject.detail));
    }

    /// Something that is no record at all could not be used.
    pub(super) fn refuse(&mut self, place: &str, why: &str) {
        self.rejects += 1;
        self.say(place, why);
    }

    /// A point was decoded, but the form asked for cannot carry it.
    pub(super) fn left_out(&mut self, place: &str, why: &str) {
        self.left_out += 1;
        self.say(place, why);
    }

    fn say(&mut self, place: &str, why: &str) {
        self.said += 1;
        if self.said <= REJECTS_SAID_MAX {
            terminal::say(&clean(&format!("{place}: {why}")));
        } else if self.said == REJECTS_SAID_MAX + 1 {
            terminal::say("more could not be used; only their number is said from here on");
        }
    }

    /// Pieces that could not be decoded.
    pub(super) fn undecodable(&self) -> u64 {
        self.rejects
    }

    /// One line for a person.
    pub(super) fn summary(&self, paint: Paint) -> String {
        let more = |count: usize| if count >= DISTINCT_MAX { "at least " } else { "" };
        let mut parts = vec![
            format!("{} points", self.points),
            format!("{}{} metrics", more(self.metrics.len()), self.metrics.len()),
            format!("{}{} accounts", more(self.accounts.len()), self.accounts.len()),
            format!("{} records", self.records),
        ];
        if let Some((first, last)) = self.span_ms {
            parts.push(format!("{} to {}", instant_text(first), instant_text(last)));
        }
        parts.push(format!("{} undecodable", self.rejects));
        if self.left_out > 0 {
            parts.push(format!("{} left out", self.left_out));
        }
        let said = paint.strong(&parts.join(", "));
        let kinds: Vec<&str> = self.kinds.iter().copied().collect();
        if kinds.is_empty() { said } else { format!("{said} ({})", kinds.join(", ")) }
    }
}

/// Names come from strangers: nothing of theirs may steer a terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
