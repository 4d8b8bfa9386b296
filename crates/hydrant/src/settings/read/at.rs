//! One value and its path, read as what it should be.

use std::ops::RangeInclusive;
use std::time::Duration;

use remote::Secret;

use super::{Found, Report, Section, Spot};
use crate::settings::nearest::nearest;
use crate::settings::problem::Place;
use crate::settings::quantity::{self, QuantityFault};
use crate::settings::tree::{Node, Text, Value};

/// A wrong value is quoted up to this many characters.
const VALUE_SHOWN_MAX: usize = 80;

/// Least and most, both allowed.
pub(in crate::settings) type Range<T> = RangeInclusive<T>;

/// A value and its path.
#[derive(Clone)]
pub(in crate::settings) struct At<'a> {
    pub(super) report: &'a Report,
    pub(super) node: &'a Node,
    /// Where the key stands that it belongs to.
    pub(super) owner: Place,
    /// Keys from the top.
    pub(super) path: String,
    /// The same with `<name>` for names that people give.
    pub(super) pattern: String,
}

impl<'a> At<'a> {
    /// The top of the tree.
    pub(in crate::settings) fn top(report: &'a Report, node: &'a Node) -> Self {
        let (path, pattern) = (String::new(), String::new());
        Self { report, node, owner: node.place, path, pattern }
    }

    /// Where it stands; the value is not shown.
    pub(in crate::settings) fn spot(&self) -> Spot {
        // Nothing stands nowhere: its key is what can be pointed at.
        let nothing = matches!(self.node.value, Value::Null);
        let place = if nothing { self.owner } else { self.node.place };
        Spot { path: self.path.clone(), place, value: None }
    }

    /// True when files that the settings name need not be here.
    pub(in crate::settings) fn is_elsewhere(&self) -> bool {
        self.report.elsewhere
    }

    /// Notes a problem without showing the value.
    fn wrong(&self, rule: String, hint: Option<String>) {
        self.report.error(&self.spot(), rule, hint);
    }

    /// Notes a problem of a text that was read here.
    pub(in crate::settings) fn note<T>(&self, rule: &str, found: &Found<T>, hint: &str) {
        self.report.error(&found.spot, rule, Some(hint.to_owned()));
    }

    /// Notes a problem and takes back that the value may be shown.
    pub(in crate::settings) fn hide_and_note(&self, rule: &str, hint: &str) {
        self.report.hide(self.node.place);
        self.wrong(rule.to_owned(), Some(hint.to_owned()));
    }

    /// Text that may be shown, as it was written: numbers and words alike.
    pub(in crate::settings) fn text(&self) -> Option<Found<String>> {
        let scalar = self.scalar("text")?;
        let mut spot = self.spot();
        if !scalar.outside {
            self.report.show(self.node.place);
            spot.value = Some(scalar.text.chars().take(VALUE_SHOWN_MAX).collect());
        }
        if scalar.text.trim().is_empty() {
            self.report.error(&spot, "is empty", None);
            return None;
        }
        Some(Found { value: scalar.text.clone(), spot })
    }

    /// Text that may be shown and may be empty.
    pub(in crate::settings) fn text_or_empty(&self) -> Option<Found<String>> {
        let scalar = self.scalar("text")?;
        match scalar.text.is_empty() {
            true => Some(Found { value: String::new(), spot: self.spot() }),
            false => self.text(),
        }
    }

    /// Text that is never shown.
    pub(in crate::settings) fn secret(&self) -> Option<Found<Secret>> {
        let scalar = self.scalar("text")?;
        if scalar.text.trim().is_empty() {
            self.wrong("is empty".to_owned(), None);
            return None;
        }
        Some(Found { value: Secret::new(scalar.text.clone()), spot: self.spot() })
    }

    fn scalar(&self, expected: &str) -> Option<&'a Text> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            Value::Broken => None,
            Value::Null => {
                let hint = "give it a value, or remove the line for the default".to_owned();
                self.wrong("has no value".to_owned(), Some(hint));
                None
            }
            other => {
                self.wrong(format!("must be {expected}, not {}", kind(other)), None);
                None
            }
        }
    }

    /// `true` or `false`.
    pub(in crate::settings) fn boolean(&self) -> Option<bool> {
        let found = self.text()?;
        match found.value.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                let meant = match other.to_ascii_lowercase().as_str() {
                    "yes" | "on" | "1" | "true" | "y" => Some("write true".to_owned()),
                    "no" | "off" | "0" | "false" | "n" => Some("write false".to_owned()),
                    _ => None,
                };
                self.report.error(&found.spot, "must be true or false", meant);
                None
            }
        }
    }

    /// A whole number.
    pub(in crate::settings) fn number(&self, range: Range<u64>) -> Option<u64> {
        let found = self.text()?;
        let plain = found.value.bytes().all(|byte| byte.is_ascii_digit());
        let value = found.value.parse::<u64>().ok().filter(|_| plain);
        let between = format!("must be a whole number from {} to {}", range.start(), range.end());
        if value.is_none_or(|value| !range.contains(&value)) {
            self.report.error(&found.spot, between, None);
            return None;
        }
        value
    }

    /// `30s`.
    pub(in crate::settings) fn duration(&self, range: Range<Duration>) -> Option<Duration> {
        let found = self.text()?;
        let text = quantity::duration_text;
        match quantity::duration(&found.value) {
            Ok(value) if range.contains(&value) => Some(value),
            Ok(_) => {
                let (least, most) = (text(*range.start()), text(*range.end()));
                self.report.error(&found.spot, format!("must be from {least} to {most}"), None);
                None
            }
            Err(fault) => {
                let hint = match fault {
                    QuantityFault::NoUnit if found.spot.value.is_some() => {
                        let number = found.value.trim();
                        format!("write {number}s for seconds, or {number}ms for milliseconds")
                    }
                    _ => "durations are written 500ms, 30s, 1m30s, 2h or 7d".to_owned(),
                };
                self.report.error(&found.spot, quantity_rule("a duration", &fault), Some(hint));
                None
            }
        }
    }

    /// `3MiB`.
    pub(in crate::settings) fn size(&self, range: Range<u64>) -> Option<Found<u64>> {
        let found = self.text()?;
        let text = quantity::size_text;
        let rule = |least: u64, most: u64| match most.checked_add(1) {
            None => format!("must be at least {}", text(least)),
            // 4GiB rather than 4294967295B.
            Some(above) if text(above).len() < text(most).len() => {
                format!("must be from {} to below {}", text(least), text(above))
            }
            Some(_) => format!("must be from {} to {}", text(least), text(most)),
        };
        match quantity::size(&found.value) {
            Ok(value) if range.contains(&value) => Some(Found { value, spot: found.spot }),
            Ok(_) => {
                self.report.error(&found.spot, rule(*range.start(), *range.end()), None);
                None
            }
            Err(fault) => {
                let hint = match fault {
                    QuantityFault::NoUnit if found.spot.value.is_some() => {
                        let number = found.value.trim();
                        format!("write {number}B for bytes, or {number}MiB for mebibytes")
                    }
                    _ => "sizes are written 512KiB, 3MiB, 20GiB or 1MB".to_owned(),
                };
                self.report.error(&found.spot, quantity_rule("a size", &fault), Some(hint));
                None
            }
        }
    }

    /// One of these words. Those of later releases are refused as such.
    pub(in crate::settings) fn choice<T: Copy>(
        &self,
        words: &[(&str, T)],
        later: &[&str],
    ) -> Option<T> {
        let found = self.text()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == found.value) {
            return Some(*value);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        if later.contains(&found.value.as_str()) {
            let rule = format!("\"{}\" is not in this release", found.value);
            let hint = format!("this release knows {}", listed(&names));
            self.report.error(&found.spot, rule, Some(hint));
            return None;
        }
        let hint = nearest(&found.value, names.iter().copied())
            .map(|word| format!("did you mean \"{word}\"?"));
        self.report.error(&found.spot, format!("must be {}", listed(&names)), hint);
        None
    }

    /// A document of another's form, as JSON: what was written as JSON text stays as it is, and maps
    /// and lists of YAML become theirs. Every scalar is text.
    pub(in crate::settings) fn json(&self) -> Option<Found<String>> {
        let value = match &self.node.value {
            Value::Text(text) => text.text.clone(),
            Value::Map(_) | Value::List(_) => json(self.node)?.to_string(),
            Value::Null | Value::Broken => return self.text(),
        };
        Some(Found { value, spot: self.spot() })
    }

    /// The items of a list.
    pub(in crate::settings) fn list(&self) -> Option<Vec<At<'a>>> {
        match &self.node.value {
            Value::List(items) => Some(self.items(items)),
            Value::Broken => None,
            Value::Null => {
                self.wrong("has no value".to_owned(), Some("write [] for none".to_owned()));
                None
            }
            other => {
                let hint = "put it in [ ], or write one \"- item\" a line".to_owned();
                self.wrong(format!("must be a list, not {}", kind(other)), Some(hint));
                None
            }
        }
    }

    /// The items of a list, or the one value that stands in for a list of one.
    pub(in crate::settings) fn one_or_list(&self) -> Option<Vec<At<'a>>> {
        match &self.node.value {
            Value::Text(_) => Some(vec![self.clone()]),
            _ => self.list(),
        }
    }

    fn items(&self, items: &'a [Node]) -> Vec<At<'a>> {
        let numbered = items.iter().enumerate();
        numbered
            .map(|(index, node)| At {
                report: self.report,
                node,
                owner: node.place,
                path: format!("{}[{index}]", self.path),
                pattern: format!("{}[]", self.pattern),
            })
            .collect()
    }

    /// A list of texts; a single one may stand alone.
    pub(in crate::settings) fn texts(&self) -> Vec<Found<String>> {
        self.one_or_list().unwrap_or_default().iter().filter_map(At::text).collect()
    }

    /// A map with fixed keys.
    pub(in crate::settings) fn section(&self) -> Option<Section<'a>> {
        self.entries().map(|_| Section::new(self.clone()))
    }

    /// A map with names that people give: name, its place, and the value.
    pub(in crate::settings) fn named(&self) -> Option<Vec<(Found<String>, At<'a>)>> {
        let entries = self.entries()?;
        let named = entries.iter().map(|entry| {
            let path = join(&self.path, &entry.key);
            let pattern = join(&self.pattern, "<name>");
            let value = Some(entry.key.clone());
            let spot = Spot { path: path.clone(), place: entry.place, value };
            let (report, owner) = (self.report, entry.place);
            let at = At { report, node: &entry.node, owner, path, pattern };
            (Found { value: entry.key.clone(), spot }, at)
        });
        Some(named.collect())
    }

    /// What `read` makes of each entry of a map with names that people give; nothing when it makes nothing
    /// of one. It is asked of all, so that every problem is reported.
    pub(in crate::settings) fn each_named<T>(
        &self,
        read: impl FnMut((Found<String>, At<'a>)) -> Option<T>,
    ) -> Option<Vec<T>> {
        let named = self.named()?;
        let count = named.len();
        let all: Vec<T> = named.into_iter().filter_map(read).collect();
        (all.len() == count).then_some(all)
    }

    /// A map of names and texts.
    pub(in crate::settings) fn named_texts(&self) -> Option<Vec<(String, String)>> {
        self.each_named(|(name, at)| Some((name.value, at.text()?.value)))
    }

    pub(super) fn entries(&self) -> Option<&'a [crate::settings::tree::Entry]> {
        match &self.node.value {
            Value::Map(entries) => Some(entries),
            Value::Broken => None,
            Value::Null => {
                let hint = "give it keys, indented below it, or remove the line".to_owned();
                self.wrong("has no value".to_owned(), Some(hint));
                None
            }
            other => {
                self.wrong(format!("must be a map of keys and values, not {}", kind(other)), None);
                None
            }
        }
    }
}

/// A path and one more key.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// `None` when part of it is broken, which has been said.
fn json(node: &Node) -> Option<serde_json::Value> {
    Some(match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Text(text) => serde_json::Value::String(text.text.clone()),
        Value::List(items) => items.iter().map(json).collect::<Option<Vec<_>>>()?.into(),
        Value::Map(entries) => {
            let entries = entries.iter().map(|entry| Some((entry.key.clone(), json(&entry.node)?)));
            serde_json::Value::Object(entries.collect::<Option<_>>()?)
        }
        Value::Broken => return None,
    })
}

fn quantity_rule(noun: &str, fault: &QuantityFault) -> String {
    format!("must be {noun}, but {fault}")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Text(_) => "text",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
        Value::Broken => "something broken",
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(in crate::settings) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
