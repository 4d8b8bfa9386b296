//! Members of a request, read and checked with AWS's words.
//!
//! Owns the texts of `ValidationException` and what each kind of member may be. Always holds: all that
//! is wrong is said at once, in the order of reading, with the path of each member; a member of
//! another type is a `SerializationException`. Deliberately not here: which members there are.

use aws::api::{Fault, Value, ValueFault};

use super::pattern::Pattern;

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    said: Vec<String>,
    of_type: Option<ValueFault>,
    refused: Option<Fault>,
}

/// What a text must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) pattern: Option<Pattern>,
}

impl Rule {
    /// So many characters.
    pub(super) const fn length(least: usize, most: usize) -> Rule {
        Rule { least, most, pattern: None }
    }

    /// The same, of this pattern.
    pub(super) const fn of(least: usize, most: usize, pattern: Pattern) -> Rule {
        Rule { least, most, pattern: Some(pattern) }
    }
}

impl Checks {
    /// Notes a constraint that does not hold.
    pub(super) fn say(&mut self, path: &str, constraint: &str) {
        self.said.push(format!("Value at '{path}' failed to satisfy constraint: {constraint}"));
    }

    /// Notes a configuration whose members are sound and which is not taken; the first is told.
    pub(super) fn refuse(&mut self, text: impl Into<String>) {
        self.refused.get_or_insert_with(|| super::invalid(text));
    }

    /// `Ok` when nothing was found.
    pub(super) fn done(self) -> Result<(), Fault> {
        let (sound, refused) = self.split();
        sound.and(refused)
    }

    /// Whether the form is sound, and whether the configuration is taken.
    pub(super) fn split(self) -> (Result<(), Fault>, Result<(), Fault>) {
        let refused = self.refused.map_or(Ok(()), Err);
        if let Some(fault) = self.of_type {
            return (Err(fault.into()), refused);
        }
        let count = self.said.len();
        if count == 0 {
            return (Ok(()), refused);
        }
        let errors = if count == 1 { "error" } else { "errors" };
        let text = format!("{count} validation {errors} detected: {}", self.said.join("; "));
        (Err(Fault::new("ValidationException", 400, text)), refused)
    }

    /// Remembers the first member of a wrong type.
    fn kept<T>(&mut self, read: Result<Option<T>, ValueFault>) -> Option<T> {
        read.unwrap_or_else(|fault| {
            self.of_type.get_or_insert(fault);
            None
        })
    }

    /// Length and pattern of a text.
    pub(super) fn text(&mut self, path: &str, text: &str, rule: &Rule) {
        self.size(path, text.chars().count(), rule.least, rule.most);
        if let Some(pattern) = &rule.pattern
            && !pattern.fits(text)
        {
            let told = pattern.told();
            self.say(path, &format!("Member must satisfy regular expression pattern: {told}"));
        }
    }

    /// Characters of a text, members of a list.
    pub(super) fn size(&mut self, path: &str, size: usize, least: usize, most: usize) {
        if size < least {
            let rule = format!("Member must have length greater than or equal to {least}");
            self.say(path, &rule);
        }
        if size > most {
            self.say(path, &format!("Member must have length less than or equal to {most}"));
        }
    }

    /// A member that is not there and must be.
    pub(super) fn missing(&mut self, path: &str) {
        self.say(path, "Member must not be null");
    }
}

/// `S3Configuration` as paths write it.
fn lower(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// A structure of the request, and where it is.
#[derive(Clone, Debug)]
pub(super) struct At<'v> {
    value: &'v Value<'v>,
    path: String,
}

impl<'v> At<'v> {
    /// The request.
    pub(super) fn root(value: &'v Value<'v>) -> At<'v> {
        At { value, path: String::new() }
    }

    /// Path of a member.
    pub(super) fn path(&self, name: &str) -> String {
        let name = lower(name);
        if self.path.is_empty() { name } else { format!("{}.{name}", self.path) }
    }

    /// Whether a member is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.value.get(name).is_some()
    }

    /// A text.
    pub(super) fn text(&self, checks: &mut Checks, name: &str, rule: &Rule) -> Option<String> {
        let text = checks.kept(self.value.text_of(name))?;
        checks.text(&self.path(name), text, rule);
        Some(text.to_owned())
    }

    /// A text that must be there.
    pub(super) fn must(&self, checks: &mut Checks, name: &str, rule: &Rule) -> String {
        if !self.has(name) {
            checks.missing(&self.path(name));
        }
        self.text(checks, name, rule).unwrap_or_default()
    }

    /// One of these words.
    pub(super) fn word(&self, checks: &mut Checks, name: &str, set: &[&str]) -> Option<String> {
        let word = checks.kept(self.value.text_of(name))?;
        if !set.contains(&word) {
            let rule = format!("Member must satisfy enum value set: [{}]", set.join(", "));
            checks.say(&self.path(name), &rule);
        }
        Some(word.to_owned())
    }

    /// A whole number between these.
    pub(super) fn number(
        &self,
        checks: &mut Checks,
        name: &str,
        least: i64,
        most: i64,
    ) -> Option<i64> {
        let number = checks.kept(self.value.integer_of(name))?;
        if number < least {
            let rule = format!("Member must have value greater than or equal to {least}");
            checks.say(&self.path(name), &rule);
        }
        if number > most {
            let rule = format!("Member must have value less than or equal to {most}");
            checks.say(&self.path(name), &rule);
        }
        Some(number)
    }

    /// A boolean.
    pub(super) fn flag(&self, checks: &mut Checks, name: &str) -> Option<bool> {
        checks.kept(self.value.bool_of(name))
    }

    /// A structure.
    pub(super) fn part(&self, checks: &mut Checks, name: &str) -> Option<At<'v>> {
        let value = self.value.get(name)?;
        if !matches!(value, Value::Map(_)) {
            let fault = ValueFault { member: self.path(name), expected: "a structure" };
            checks.of_type.get_or_insert(fault);
            return None;
        }
        Some(At { value, path: self.path(name) })
    }

    /// All of it, for what is kept as it was given and read by nobody.
    pub(super) fn json(&self) -> serde_json::Value {
        self.value.into()
    }

    /// Members of a list; `None` when it is not there.
    pub(super) fn list(
        &self,
        checks: &mut Checks,
        name: &str,
        least: usize,
        most: usize,
    ) -> Option<Vec<At<'v>>> {
        let value = self.value.get(name)?;
        let Value::List(items) = value else {
            let fault = ValueFault { member: self.path(name), expected: "a list" };
            checks.of_type.get_or_insert(fault);
            return None;
        };
        let path = self.path(name);
        checks.size(&path, items.len(), least, most);
        let at = |(index, value)| At { value, path: format!("{path}.{}.member", index + 1) };
        Some(items.iter().enumerate().map(at).collect())
    }

    /// Itself as a text, as a member of a list is.
    pub(super) fn as_text(&self, checks: &mut Checks, rule: &Rule) -> String {
        let Some(text) = self.value.as_text() else {
            let fault = ValueFault { member: self.path.clone(), expected: "a string" };
            checks.of_type.get_or_insert(fault);
            return String::new();
        };
        checks.text(&self.path, text, rule);
        text.to_owned()
    }
}
