//! The environment of the process: the one place that reads it (I4).

use std::collections::BTreeMap;
use std::ffi::OsString;

/// Names and values, taken once.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, OsString>);

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
    pub fn of_process() -> Self {
        let pairs = std::env::vars_os();
        Self(pairs.filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect())
    }

    /// These and no others.
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect())
    }

    /// What is known of `name`.
    pub fn look_up(&self, name: &str) -> Lookup<'_> {
        match self.0.get(name) {
            None => Lookup::Missing,
            Some(value) => value.to_str().map_or(Lookup::NotText, Lookup::Text),
        }
    }

    /// Every name that is set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
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
        f.debug_list().entries(self.0.keys()).finish()
    }
}
