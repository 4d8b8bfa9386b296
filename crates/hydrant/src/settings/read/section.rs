//! A map with fixed keys. What is not asked for by the end is unknown.

use std::cell::RefCell;

use super::at::join;
use super::{At, Found, Spot};
use crate::settings::nearest::nearest;
use crate::settings::tree::Entry;

/// A map with fixed keys.
pub(in crate::settings) struct Section<'a> {
    at: At<'a>,
    asked: RefCell<Vec<&'static str>>,
    /// Keys that must be there and are not, each with its hint. Said at the end: a misspelt one is
    /// one mistake, not two.
    missing: RefCell<Vec<(&'static str, String)>>,
}

impl<'a> Section<'a> {
    pub(super) fn new(at: At<'a>) -> Self {
        Self { at, asked: RefCell::default(), missing: RefCell::default() }
    }

    /// Where it begins.
    pub(in crate::settings) fn spot(&self) -> Spot {
        self.at.spot()
    }

    /// The value of a key.
    pub(in crate::settings) fn get(&self, key: &'static str) -> Option<At<'a>> {
        let pattern = join(&self.at.pattern, key);
        self.at.report.ask(pattern.clone());
        self.asked.borrow_mut().push(key);
        let entry = self.at.entries()?.iter().find(|entry| entry.key == key)?;
        let path = join(&self.at.path, key);
        let (report, owner) = (self.at.report, entry.place);
        Some(At { report, node: &entry.node, owner, path, pattern })
    }

    /// The value of a key that must be there.
    pub(in crate::settings) fn need(&self, key: &'static str, hint: &str) -> Option<At<'a>> {
        let found = self.get(key);
        if found.is_none() {
            self.missing.borrow_mut().push((key, hint.to_owned()));
        }
        found
    }

    /// Where a key stands, given or not.
    pub(in crate::settings) fn spot_of(&self, key: &str) -> Spot {
        let path = join(&self.at.path, key);
        let entry = self.at.entries().and_then(|all| all.iter().find(|entry| entry.key == key));
        let place = entry.map_or(self.at.node.place, |entry| entry.place);
        Spot { path, place, value: None }
    }

    /// Text, when given and not empty.
    pub(in crate::settings) fn text(&self, key: &'static str) -> Option<Found<String>> {
        self.get(key)?.text()
    }

    /// A text that must be there.
    pub(in crate::settings) fn need_text(
        &self,
        key: &'static str,
        hint: &str,
    ) -> Option<Found<String>> {
        self.need(key, hint)?.text()
    }

    /// Notes every key that nobody asked for, and every needed one that is not there.
    pub(in crate::settings) fn finish(self) {
        let asked = self.asked.take();
        let entries = self.at.entries().unwrap_or_default();
        let unknown = entries.iter().filter(|entry| !asked.contains(&entry.key.as_str()));
        let mut meant = Vec::new();
        for entry in unknown {
            let near = nearest(&entry.key, asked.iter().copied());
            let hint = match near {
                Some(key) => format!("did you mean \"{key}\"?"),
                None => format!("known here: {}", asked.join(", ")),
            };
            meant.extend(near);
            self.unknown(entry, hint);
        }
        self.say_missing(&meant);
    }

    /// For a section whose type is missing or unknown: nobody can say which keys are right, but the
    /// misspelt `type` itself is found.
    pub(in crate::settings) fn finish_untyped(self) {
        let missing = self.missing.borrow().clone();
        let mut meant = Vec::new();
        for (key, _) in missing {
            let near = |entry: &&Entry| nearest(&entry.key, [key]).is_some();
            if let Some(entry) = self.at.entries().unwrap_or_default().iter().find(near) {
                self.unknown(entry, format!("did you mean \"{key}\"?"));
                meant.push(key);
            }
        }
        self.say_missing(&meant);
    }

    fn unknown(&self, entry: &Entry, hint: String) {
        let path = join(&self.at.path, &entry.key);
        let rule = format!("unknown key \"{}\"", entry.key);
        let spot = Spot { path, place: entry.place, value: None };
        self.at.report.error(&spot, rule, Some(hint));
    }

    fn say_missing(&self, meant: &[&str]) {
        for (key, hint) in self.missing.take() {
            if meant.contains(&key) {
                continue;
            }
            let path = join(&self.at.path, key);
            let spot = Spot { path, place: self.at.owner, value: None };
            self.at.report.error(&spot, "is missing", Some(hint));
        }
    }
}
