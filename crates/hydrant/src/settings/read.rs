//! Typed reading of the tree: each reader gives a value, or notes a problem and gives nothing.
//!
//! Nobody stops at the first problem. A [`Report`] collects problems, which keys were asked for (so
//! unknown keys and the documentation are checked against the readers themselves, not a second
//! list), and which values are harmless to show; every other value is masked in snippets.

mod at;
mod section;

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::problem::{Place, Problem, Severity};

pub(super) use at::{At, listed};
pub(super) use section::Section;

/// Collects what is found while reading.
#[derive(Default)]
pub(super) struct Report {
    problems: RefCell<Vec<Problem>>,
    /// Patterns of the keys asked for: `streams.<name>.source`.
    asked: RefCell<BTreeSet<String>>,
    /// Where values stand that may be shown.
    shown: RefCell<Vec<Place>>,
    /// The settings are for another machine: files they name need not be here.
    elsewhere: bool,
}

/// What was collected.
pub(super) struct Collected {
    pub(super) problems: Vec<Problem>,
    pub(super) asked: BTreeSet<String>,
    pub(super) shown: Vec<Place>,
}

impl Report {
    /// For settings of this machine, or of another one.
    pub(super) fn new(elsewhere: bool) -> Self {
        Self { elsewhere, ..Self::default() }
    }

    /// Notes an error at a value or key.
    pub(super) fn error(&self, spot: &Spot, rule: impl Into<String>, hint: Option<String>) {
        self.note(Severity::Error, spot, rule.into(), hint);
    }

    /// Notes something that is allowed but deserves a look.
    pub(super) fn warning(&self, spot: &Spot, rule: impl Into<String>, hint: Option<String>) {
        self.note(Severity::Warning, spot, rule.into(), hint);
    }

    fn note(&self, severity: Severity, spot: &Spot, rule: String, hint: Option<String>) {
        self.problems.borrow_mut().push(Problem {
            severity,
            path: spot.path.clone(),
            place: Some(spot.place),
            value: spot.value.clone(),
            rule,
            hint,
        });
    }

    fn ask(&self, pattern: String) {
        self.asked.borrow_mut().insert(pattern);
    }

    fn show(&self, place: Place) {
        self.shown.borrow_mut().push(place);
    }

    fn hide(&self, place: Place) {
        self.shown.borrow_mut().retain(|shown| *shown != place);
    }

    /// All of it.
    pub(super) fn into_collected(self) -> Collected {
        Collected {
            problems: self.problems.into_inner(),
            asked: self.asked.into_inner(),
            shown: self.shown.into_inner(),
        }
    }
}

/// Where a problem is: path, place, and the value if it may be shown.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) path: String,
    pub(super) place: Place,
    pub(super) value: Option<String>,
}

/// A value and where it stands, for checks that look at more than one value.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) spot: Spot,
}
