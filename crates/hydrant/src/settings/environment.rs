//! The environment of the process: the one place that reads it (I4).

use std::collections::BTreeMap;
use std::ffi::OsString;

/// Names and values, taken once.
#[derive(Clone, Default)]
pub struct Environment {
    values: BTreeMap<String, OsString>,
    references: References,
}

/// What becomes of `${NAME}` and `${file:PATH}` in the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum References {
    /// They must be there.
    #[default]
    Here,
    /// What is not there is assumed to be there on the machine that the settings are for.
    Elsewhere,
    /// They stay as they are written.
    Verbatim,
}

/// What is known of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// Its text.
    Text(&'a str),
    /// It is not set.
    Missing,
    /// It is set, but not to UTF-8 text.
    NotText,
}

impl Environment {
    /// That of this process. Names that are not UTF-8 cannot be asked for, and are left out.
    #[expect(clippy::disallowed_methods, reason = "I4: this is the one place of the hydrant crate")]
    pub fn of_process() -> Self {
        let pairs = std::env::vars_os();
        let pairs = pairs.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self { values: pairs.collect(), references: References::Here }
    }

    /// These and no others.
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.into()));
        Self { values: pairs.collect(), references: References::Here }
    }

    /// The same, for settings of another machine: variables and files that are not here are no
    /// problem, and something stands in for them.
    pub fn elsewhere(&self) -> Self {
        Self { references: References::Elsewhere, ..self.clone() }
    }

    /// The same, with all references left as they are written.
    pub fn verbatim(&self) -> Self {
        Self { references: References::Verbatim, ..self.clone() }
    }

    /// True after [`Environment::elsewhere`].
    pub(super) fn is_elsewhere(&self) -> bool {
        self.references == References::Elsewhere
    }

    /// True after [`Environment::verbatim`].
    pub(super) fn is_verbatim(&self) -> bool {
        self.references == References::Verbatim
    }

    /// What is known of `name`.
    pub fn look_up(&self, name: &str) -> Lookup<'_> {
        match self.values.get(name) {
            None => Lookup::Missing,
            Some(value) => value.to_str().map_or(Lookup::NotText, Lookup::Text),
        }
    }

    /// Every name that is set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The text of `name`, when it has one.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.look_up(name) {
            Lookup::Text(text) => Some(text),
            Lookup::Missing | Lookup::NotText => None,
        }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be secrets.
        f.debug_list().entries(self.values.keys()).finish()
    }
}
