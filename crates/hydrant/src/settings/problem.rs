//! A problem in the settings: where, what, the rule it breaks, and what to do.

mod mask;

use std::path::PathBuf;

pub use mask::Hidden;

/// Must it be repaired before anything runs?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Yes.
    Error,
    /// No, but it deserves a look.
    Warning,
}

impl Severity {
    /// The word that is printed.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// Where in the file: line and column from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
    /// Characters to underline, at least one.
    pub width: usize,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// Keys from the top, joined by dots: `streams.ecs.destination.url`. Empty for the whole file.
    pub path: String,
    /// Where, unless the file as a whole is meant.
    pub place: Option<Place>,
    /// The value that is wrong; never one that came from the environment or a file, nor a secret.
    pub value: Option<String>,
    /// What is wrong: a lowercase fragment that says the rule.
    pub rule: String,
    /// What to do.
    pub hint: Option<String>,
}

/// All problems of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The file, as it was named.
    pub file: PathBuf,
    /// Its text, for snippets; empty when it could not be read.
    pub text: String,
    /// The problems by place; at least one of them is an error.
    pub list: Vec<Problem>,
    /// What must not be shown of the text.
    pub hidden: Hidden,
}

impl Problem {
    /// An error of the file as a whole.
    pub(super) fn of_file(rule: String, hint: Option<String>) -> Self {
        let (severity, path) = (Severity::Error, String::new());
        Self { severity, path, place: None, value: None, rule, hint }
    }

    /// The rule, led by the path it is about.
    pub fn sentence(&self) -> String {
        // The rules about keys name the key already.
        if self.path.is_empty() || self.rule.starts_with("unknown key") {
            return self.rule.clone();
        }
        format!("{}: {}", self.path, self.rule)
    }
}

/// A line by its number from 1, counted as YAML does: a lone carriage return ends one too.
pub(super) fn line_of(text: &str, number: usize) -> Option<&str> {
    let mut rest = text;
    for _skipped in 1..number {
        let end = rest.find(['\r', '\n'])?;
        let (_, behind) = rest.split_at_checked(end)?;
        rest = behind.strip_prefix("\r\n").or_else(|| behind.get(1..))?;
    }
    rest.split(['\r', '\n']).next()
}

impl std::fmt::Display for Problem {
    /// One line: place, sentence and hint, for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(place) = self.place {
            write!(f, "{}:{}: ", place.line, place.column)?;
        }
        f.write_str(&self.sentence())?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}
