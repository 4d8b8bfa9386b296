//! Polled keys in a text, and what the metric selector around them does with them.
//!
//! Reads as much of the selector language as is needed to know that a rewritten key gives the same
//! figures, and refuses the rest by name.

use std::collections::BTreeSet;
use std::ops::Range;

use super::table::Statistic;

/// How polled keys begin.
const PREFIXES: [&str; 3] = ["ext:cloud.aws.", "builtin:cloud.aws.", "dt.cloud.aws."];
/// Aggregations that a gauge has.
const AGGREGATIONS: [&str; 5] = ["auto", "avg", "sum", "min", "max"];
/// Aggregations that a stream's gauge has not, or has with another meaning.
const OTHER_AGGREGATIONS: [&str; 4] = ["count", "value", "median", "percentile"];
/// What works on values alone and leaves series and dimensions as they are.
/// (`names` adds the names of entities, of which a stream has none.)
const HARMLESS: [&str; 12] = [
    "default",
    "fold",
    "last",
    "lastreal",
    "limit",
    "names",
    "rollup",
    "setunit",
    "smooth",
    "sort",
    "timeshift",
    "tounit",
];

/// Where the polled keys stand in a text.
pub(super) fn keys(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = next(text, at) {
        let rest = text.get(start..).unwrap_or_default();
        let prefix = PREFIXES.iter().find(|prefix| rest.starts_with(**prefix));
        let head = prefix.map_or(0, |prefix| prefix.len());
        let tail = rest.get(head..).unwrap_or_default();
        let long = tail.find(|c: char| !is_of_key(c)).unwrap_or(tail.len());
        let tail = tail.get(..long).unwrap_or_default().trim_end_matches(['.', '-']);
        at = start + head + tail.len();
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        // `100-ext:...` is arithmetic; `next:...` would be another word.
        if !tail.is_empty() && before.is_none_or(|c| c == '-' || !is_of_key(c)) {
            found.push(start..at);
        }
    }
    found
}

fn next(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    PREFIXES.iter().filter_map(|prefix| rest.find(prefix)).min().map(|at| from + at)
}

fn is_of_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// What a selector or a query does with its metrics.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Aggregations by name, in lower case.
    pub(super) aggregations: BTreeSet<String>,
    /// What binds it to the dimensions of the polled metric, or is not understood.
    pub(super) obstacle: Option<String>,
}

impl Usage {
    /// Of a metric selector, with the places of its keys.
    pub(super) fn of_selector(text: &str, keys: &[Range<usize>]) -> Usage {
        let mut usage = Usage::default();
        let mut at = 0;
        while let Some(colon) = text.get(at..).and_then(|rest| rest.find(':')).map(|i| at + i) {
            at = colon + 1;
            if let Some(key) = keys.iter().find(|key| key.contains(&colon)) {
                at = key.end;
                continue;
            }
            let rest = text.get(at..).unwrap_or_default();
            let word = rest.trim_start();
            let long = word.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
            let (name, behind) = word.split_at(long);
            let arguments = arguments(behind);
            at += rest.len() - behind.len() + arguments.len();
            usage.transformation(name, arguments);
        }
        usage
    }

    fn transformation(&mut self, name: &str, arguments: &str) {
        let name = name.to_ascii_lowercase();
        let inner = arguments.trim_start().trim_start_matches('(').trim_end_matches(')').trim();
        let known = AGGREGATIONS.iter().chain(&OTHER_AGGREGATIONS);
        if known.into_iter().any(|known| *known == name) {
            self.aggregations.insert(name);
        } else if HARMLESS.contains(&name.as_str()) {
            // `sort(value(avg,...))` and `rollup(avg,5m)` choose by an aggregation of their own.
            let words = inner.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_lowercase);
            self.aggregations.extend(words.filter(|word| AGGREGATIONS.contains(&word.as_str())));
        } else if name != "splitby" || !inner.is_empty() {
            let what = if name.is_empty() { "text that is no selector".to_owned() } else { name };
            self.obstacle.get_or_insert(what);
        }
    }

    /// Why a stream's gauge under this usage may give other figures than the polled metric did.
    pub(super) fn differs(&self, statistic: Statistic) -> Option<String> {
        if let Some(what) = &self.obstacle {
            return Some(format!(
                "{what} depends on dimensions or periods, and a stream has others"
            ));
        }
        let fits: &[&str] = match statistic {
            Statistic::Sum => &["sum"],
            Statistic::Unnamed => &["avg"],
            Statistic::Multi => &["avg", "min", "max"],
        };
        let explicit = || self.aggregations.iter().map(String::as_str).filter(|a| *a != "auto");
        if let Some(other) = explicit().find(|aggregation| !fits.contains(aggregation)) {
            let fits = fits.join(", ");
            return Some(format!("the aggregation {other} gives other figures; {fits} would not"));
        }
        // A gauge without aggregation is averaged, which a period's sums are not.
        (statistic == Statistic::Sum && explicit().next().is_none()).then(|| {
            "it holds sums, and no aggregation is named here: with sum the figures are the same"
                .to_owned()
        })
    }
}

/// The parentheses that follow, as far as they close.
fn arguments(text: &str) -> &str {
    let open = text.len() - text.trim_start().len();
    if !text.trim_start().starts_with('(') {
        return "";
    }
    let (mut depth, mut is_quoted) = (0_u32, false);
    for (at, c) in text.char_indices().skip(open) {
        match c {
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => {
                depth -= 1;
                if depth == 0 {
                    return text.get(..=at).unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    text
}
