//! Rewrites the keys in a JSON document and leaves every other byte as it is.

use serde::de::IgnoredAny;
use serde_json::Value;

use super::selector::{self, Usage};
use super::table::{Rule, Table};

/// Properties beside a bare key that say how it is aggregated.
const AGGREGATION_PROPERTIES: [&str; 3] = ["spaceAggregation", "aggregation", "aggregationType"];
/// Properties beside a bare key that name dimensions or entities of the polled metric.
const DIMENSION_PROPERTIES: [&str; 6] =
    ["splitBy", "filterBy", "dimensionFilter", "dimensions", "entityFilter", "alertingScope"];

/// What became of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) line: usize,
    pub(super) key: String,
    pub(super) outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Rewritten {
        to: String,
    },
    /// Left as it was; `to` is what it would become.
    Left {
        to: Option<String>,
        why: String,
    },
}

/// The document rewritten, and what was found in it; the error is why it is no JSON.
pub(super) fn rewrite(text: &str, table: &Table) -> Result<(String, Vec<Finding>), String> {
    // A byte order mark stays, as every other byte.
    let json = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str::<IgnoredAny>(json).map_err(|error| error.to_string())?;
    let document = scan(text);
    let mut out = String::with_capacity(text.len());
    let mut findings = Vec::new();
    let mut copied = 0;
    for string in &document.strings {
        let raw = text.get(string.start..string.end).unwrap_or_default();
        let keys = selector::keys(raw);
        if keys.is_empty() {
            continue;
        }
        let is_bare = keys.first().is_some_and(|key| *key == (0..raw.len()));
        let usage = if is_bare {
            beside(document.object(text, string))
        } else {
            // Quotes are escaped in JSON; a blank for the escape moves nothing.
            Usage::of_selector(&raw.replace("\\\"", " \""), &keys)
        };
        for key in keys {
            let start = string.start + key.start;
            let polled = raw.get(key.clone()).unwrap_or_default();
            let line = 1 + text.as_bytes().iter().take(start).filter(|b| **b == b'\n').count();
            let outcome = outcome(table.find(polled), &usage);
            if let Outcome::Rewritten { to } = &outcome {
                out.push_str(text.get(copied..start).unwrap_or_default());
                out.push_str(to);
                copied = start + polled.len();
            }
            findings.push(Finding { line, key: polled.to_owned(), outcome });
        }
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Ok((out, findings))
}

fn outcome(rule: Option<&Rule>, usage: &Usage) -> Outcome {
    match rule {
        Some(Rule::Rewrite { to, statistic }) => match usage.differs(*statistic) {
            None => Outcome::Rewritten { to: to.clone() },
            Some(why) => Outcome::Left { to: Some(to.clone()), why },
        },
        Some(Rule::Report { to, why }) => {
            Outcome::Left { to: Some(to.clone()), why: (*why).to_owned() }
        }
        Some(Rule::Nothing { why }) => Outcome::Left { to: None, why: (*why).to_owned() },
        None => Outcome::Left {
            to: None,
            why: "it is not in the table; docs/migration.md tells how its stream key is made"
                .to_owned(),
        },
    }
}

/// What the object around a bare key says of it.
fn beside(object: &str) -> Usage {
    let mut usage = Usage::default();
    let Ok(Value::Object(object)) = serde_json::from_str(object) else { return usage };
    for name in AGGREGATION_PROPERTIES {
        if let Some(Value::String(aggregation)) = object.get(name) {
            usage.aggregations.insert(aggregation.to_ascii_lowercase());
        }
    }
    let binding =
        DIMENSION_PROPERTIES.into_iter().find(|name| object.get(*name).is_some_and(names));
    // Dashboards write the expression out again beside it, with `:rate(...)`.
    let rate = object.get("rate").and_then(Value::as_str).filter(|rate| *rate != "NONE");
    usage.obstacle = binding.or(rate.map(|_| "rate")).map(str::to_owned);
    usage
}

/// Whether a filter or a split names anything: its lists are not empty.
fn names(value: &Value) -> bool {
    match value {
        Value::Array(list) => !list.is_empty(),
        // `dimensionKey` is that of the polled entity; other words say how lists are joined.
        Value::Object(object) => {
            object.get("dimensionKey").is_some_and(Value::is_string) || object.values().any(names)
        }
        _ => false,
    }
}

/// Strings, without their quotes, and the objects they stand in.
#[derive(Default)]
struct Document {
    strings: Vec<Text>,
    /// Start and end.
    objects: Vec<(usize, usize)>,
}

struct Text {
    start: usize,
    end: usize,
    object: Option<usize>,
}

impl Document {
    fn object<'a>(&self, text: &'a str, string: &Text) -> &'a str {
        let place = string.object.and_then(|at| self.objects.get(at));
        place.and_then(|(start, end)| text.get(*start..*end)).unwrap_or_default()
    }
}

/// Of valid JSON only: braces outside of strings pair up, and every string ends.
fn scan(text: &str) -> Document {
    let mut document = Document::default();
    let mut open: Vec<usize> = Vec::new();
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'{' => {
                open.push(document.objects.len());
                document.objects.push((at, at));
            }
            b'}' => {
                let object = open.pop().and_then(|object| document.objects.get_mut(object));
                object.into_iter().for_each(|object| object.1 = at + 1);
            }
            b'"' => {
                let mut is_escaped = false;
                let end = bytes.find(|(_, byte)| {
                    let is_end = *byte == b'"' && !is_escaped;
                    is_escaped = *byte == b'\\' && !is_escaped;
                    is_end
                });
                let end = end.map_or(text.len(), |(end, _)| end);
                let object = open.last().copied();
                document.strings.push(Text { start: at + 1, end, object });
            }
            _ => {}
        }
    }
    document
}
