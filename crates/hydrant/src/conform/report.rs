//! What was found, case by case, and its form for scripts.

use rehearsal::conform::{Case, Finding, NAMESPACE, Outcome, Verdict};
use serde::Serialize;

use super::send::Sent;

/// What no answer shows; part of every report.
pub(super) const UNSEEN: &str = "200 is what the receiver said. Whether it kept the points cannot be \
     seen from here: look for the namespace Hydrant/Conform where they should arrive.";
/// The word for a case that was left out.
pub(super) const NOT_TRIED: &str = "not tried";

/// The cases of a run.
pub(super) struct Report {
    /// Without what may be secret in it.
    pub(super) url: String,
    pub(super) rows: Vec<Row>,
}

/// One case.
pub(super) struct Row {
    pub(super) case: &'static Case,
    /// `None` when it was not tried.
    pub(super) finding: Option<Finding>,
    /// Why it was not tried.
    pub(super) skipped: Option<&'static str>,
    pub(super) answers: Vec<Answered>,
    /// It ended without an answer in time.
    pub(super) is_silent: bool,
}

/// What came back for one delivery.
#[derive(Serialize)]
pub(super) struct Answered {
    /// `null` without an answer.
    status: Option<u16>,
    /// Why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    took_ms: u64,
}

impl Answered {
    pub(super) fn of(sent: &Sent) -> Answered {
        let status = match &sent.outcome {
            Outcome::Answer(answer) => Some(answer.status),
            Outcome::Silence(_) => None,
        };
        let took_ms = u64::try_from(sent.took.as_millis()).unwrap_or(u64::MAX);
        Answered { status, failure: sent.failure.as_ref().map(ToString::to_string), took_ms }
    }
}

impl Row {
    pub(super) fn skipped(case: &'static Case, why: &'static str) -> Row {
        Row { case, finding: None, skipped: Some(why), answers: Vec::new(), is_silent: false }
    }

    /// The word for how it went.
    pub(super) fn verdict(&self) -> &'static str {
        self.finding.as_ref().map_or(NOT_TRIED, |finding| finding.verdict.text())
    }
}

#[derive(Serialize)]
struct Json<'a> {
    url: &'a str,
    conformant: bool,
    namespace: &'a str,
    counts: serde_json::Map<String, serde_json::Value>,
    unseen: &'a str,
    cases: Vec<JsonCase<'a>>,
}

#[derive(Serialize)]
struct JsonCase<'a> {
    name: &'a str,
    sends: &'a str,
    demands: String,
    did: &'a str,
    verdict: &'a str,
    notes: Vec<&'a str>,
    answers: &'a [Answered],
}

impl Report {
    pub(super) fn new(url: &str) -> Report {
        Report { url: shown(url), rows: Vec::new() }
    }

    /// How many cases were tried so far.
    pub(super) fn tried(&self) -> usize {
        self.rows.iter().filter(|row| row.finding.is_some()).count()
    }

    pub(super) fn is_conformant(&self) -> bool {
        let findings = self.rows.iter().filter_map(|row| row.finding.as_ref());
        self.tried() > 0 && findings.into_iter().all(|finding| finding.verdict.is_conformant())
    }

    /// How often each verdict was given, from best to worst, and how many were not tried.
    pub(super) fn counts(&self) -> Vec<(&'static str, usize)> {
        let words = Verdict::ALL.map(Verdict::text).into_iter().chain([NOT_TRIED]);
        words
            .map(|word| (word, self.rows.iter().filter(|row| row.verdict() == word).count()))
            .collect()
    }

    /// One object.
    pub(super) fn json(&self) -> String {
        let counts = self.counts().into_iter().map(|(word, n)| (word.to_owned(), n.into()));
        let report = Json {
            url: &self.url,
            conformant: self.is_conformant(),
            namespace: NAMESPACE,
            counts: counts.collect(),
            unseen: UNSEEN,
            cases: self.rows.iter().map(json_case).collect(),
        };
        serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
    }
}

fn json_case(row: &Row) -> JsonCase<'_> {
    let notes = row.finding.iter().flat_map(|finding| &finding.notes).map(String::as_str);
    JsonCase {
        name: row.case.name,
        sends: row.case.sends,
        demands: row.case.demand.text(),
        did: row.finding.as_ref().map_or("", |finding| finding.did.as_str()),
        verdict: row.verdict(),
        notes: notes.chain(row.skipped).collect(),
        answers: &row.answers,
    }
}

/// The URL without a password and without its query, where people put tokens.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return String::new() };
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, format!("/{path}")),
        None => (rest, String::new()),
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* URLs with passwords and tokens.
    /// *Guarantees:* neither is shown; host, port and path are.
    #[test]
    fn secrets_in_urls_are_not_shown() {
        for (url, wanted) in [
            ("http://127.0.0.1:4433", "http://127.0.0.1:4433"),
            ("https://u:p@in.example.com/a/b?token=x", "https://in.example.com/a/b"),
            ("https://in.example.com?api_key=x", "https://in.example.com"),
        ] {
            assert_eq!(shown(url), wanted);
        }
    }
}
