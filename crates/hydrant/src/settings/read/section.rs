//! A map with fixed keys. What is not asked for by the end is unknown.

use std::cell::RefCell;

use super::at::join;
use super::{At, Found, Spot};
use crate::settings::nearest::nearest;
use crate::settings::problem::Place;

/// A map with fixed keys.
pub(in crate::settings) struct Section<'a> {
    at: At<'a>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub(super) fn new(at: At<'a>) -> Self {
        Self { at, asked: RefCell::default() }
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
        Some(At { report: self.at.report, node: &entry.node, path, pattern })
    }

    /// The value of a key that must be there.
    pub(in crate::settings) fn need(&self, key: &'static str, hint: &str) -> Option<At<'a>> {
        let found = self.get(key);
        if found.is_none() {
            let mut spot = self.spot();
            spot.path = join(&spot.path, key);
            self.at.report.error(&spot, "is missing", Some(hint.to_owned()));
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

    /// A key of a later release: refused, but not as unknown.
    pub(in crate::settings) fn later(&self, key: &'static str, instead: &str) {
        self.asked.borrow_mut().push(key);
        let given = self.at.entries().is_some_and(|all| all.iter().any(|entry| entry.key == key));
        if given {
            let rule = "is not in this release";
            self.at.report.error(&self.spot_of(key), rule, Some(instead.to_owned()));
        }
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

    /// Notes every key that nobody asked for.
    pub(in crate::settings) fn finish(self) {
        let asked = self.asked.borrow();
        for entry in self.at.entries().unwrap_or_default() {
            if asked.contains(&entry.key.as_str()) {
                continue;
            }
            let hint = match nearest(&entry.key, asked.iter().copied()) {
                Some(key) => format!("did you mean \"{key}\"?"),
                None => format!("known here: {}", asked.join(", ")),
            };
            let width = entry.key.chars().count().max(entry.place.width);
            let place = Place { width, ..entry.place };
            let path = join(&self.at.path, &entry.key);
            let rule = format!("unknown key \"{}\"", entry.key);
            self.at.report.error(&Spot { path, place, value: None }, rule, Some(hint));
        }
    }
}
