//! Members as an operation expects them, and what the model of the API allows in them.
//!
//! What the model says (lengths, ranges, enumerations) AWS's framework checks before the service
//! sees a call, all at once, with texts of its own; [`Constraints`] is that.

use aws::api::{Fault, Value};

use super::refusal::{missing, validation, value};

/// Characters of a namespace, a metric's name and a dimension's name.
pub(super) const NAME_MAX: usize = 255;
/// Characters of a dimension's value.
pub(super) const DIMENSION_VALUE_MAX: usize = 1_024;
/// Broken constraints that are told; a body could break a hundred thousand.
const BROKEN_MAX: usize = 100;
/// Characters of an ARN.
pub(super) const ARN_MAX: usize = 1_024;

/// A text that must be there.
pub(super) fn required<'v>(input: &'v Value<'_>, name: &str) -> Result<&'v str, Fault> {
    required_at(input, name, name)
}

/// The same, named by the place of its structure.
pub(super) fn required_at<'v>(
    input: &'v Value<'_>,
    name: &str,
    place: &str,
) -> Result<&'v str, Fault> {
    input.text_of(name)?.ok_or_else(|| missing(place))
}

/// What was broken of the model, in the words of AWS's framework.
#[derive(Default)]
pub(super) struct Constraints {
    broken: Vec<String>,
}

impl Constraints {
    fn breaks(&mut self, value: &str, at: &str, rule: &str) {
        if self.broken.len() == BROKEN_MAX {
            return;
        }
        self.broken.push(format!(
            "Value '{value}' at '{at}' failed to satisfy constraint: Member must {rule}"
        ));
    }

    /// A text of so many characters.
    pub(super) fn length(&mut self, at: &str, text: &str, least: usize, most: usize) {
        let length = text.chars().count();
        if length < least {
            self.breaks(text, at, &format!("have length greater than or equal to {least}"));
        } else if length > most {
            self.breaks(text, at, &format!("have length less than or equal to {most}"));
        }
    }

    /// A number in a range.
    pub(super) fn range(&mut self, at: &str, number: i64, least: i64, most: i64) {
        if number < least {
            let rule = format!("have value greater than or equal to {least}");
            self.breaks(&number.to_string(), at, &rule);
        } else if number > most {
            let rule = format!("have value less than or equal to {most}");
            self.breaks(&number.to_string(), at, &rule);
        }
    }

    /// A text of an enumeration.
    pub(super) fn among(&mut self, at: &str, text: &str, set: &[&str]) {
        if !set.contains(&text) {
            self.breaks(text, at, &format!("satisfy enum value set: [{}]", set.join(", ")));
        }
    }

    /// A namespace: its length, and no colon first.
    pub(super) fn namespace(&mut self, at: &str, text: &str) {
        self.length(at, text, 1, NAME_MAX);
        if text.starts_with(':') {
            self.breaks(text, at, "satisfy regular expression pattern: [^:].*");
        }
    }

    /// Nothing was broken, or the refusal.
    pub(super) fn hold(self) -> Result<(), Fault> {
        let count = self.broken.len();
        if count == 0 {
            return Ok(());
        }
        let errors = if count == 1 { "error" } else { "errors" };
        Err(validation(format!("{count} validation {errors} detected: {}", self.broken.join("; "))))
    }
}

/// Printable ASCII with something in it.
pub(super) fn printable(place: &str, text: &str) -> Result<(), Fault> {
    let rule = if !text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
        "must contain printable ASCII characters only"
    } else if !text.is_empty() && text.trim().is_empty() {
        "must contain at least one non-whitespace character"
    } else {
        return Ok(());
    };
    Err(value(format!("The parameter {place} {rule}.")))
}
