//! Why nothing is written, and what to do.

use crate::exit::Exit;

/// What stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// How the command ends.
    pub exit: Exit,
    /// What it is.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl Refusal {
    /// The settings do not hold what is needed.
    pub fn settings(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { exit: Exit::BadSettings, what: what.into(), remedy: remedy.into() }
    }

    /// A flag is missing or wrong.
    pub fn usage(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, what: what.into(), remedy: remedy.into() }
    }
}
