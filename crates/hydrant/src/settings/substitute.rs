//! `${NAME}`, `${NAME:-default}` and `${file:PATH}` inside a scalar; `$${` stands for `${`.
//!
//! Works on scalars after parsing, so that quoted ones count alike and no value can bend the YAML
//! around it. Paths are relative to the current directory, as all paths in the settings are.

use std::fs::File;
use std::io::Read;

use super::environment::{Environment, Lookup};

/// A file named by `${file:...}` is a key or a token; a larger one is a mistake.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Stands in for what only another machine has: it passes as a URL and as a secret of any length asked
/// for, and leads nowhere.
const STAND_IN: &str = "https://not-set.invalid/0123456789abcdef0123456789abcdef";

/// A scalar with its references replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Substituted {
    /// The text.
    pub(super) text: String,
    /// Part of it came from the environment or a file: never show it.
    pub(super) outside: bool,
}

/// What is wrong with a reference.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReferenceFault {
    /// The rule, with the name, never with a value.
    pub(super) rule: String,
    /// What to do.
    pub(super) hint: String,
}

/// Replaces every reference, or says all that is wrong with them.
pub(super) fn substitute(
    scalar: &str,
    environment: &Environment,
) -> Result<Substituted, Vec<ReferenceFault>> {
    if environment.is_verbatim() {
        return Ok(Substituted { text: scalar.to_owned(), outside: scalar.contains("${") });
    }
    let mut text = String::with_capacity(scalar.len());
    let mut outside = false;
    let mut faults = Vec::new();
    let mut rest = scalar;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            text.push_str(before);
            text.push_str("${");
            rest = after;
            continue;
        }
        text.push_str(before);
        let Some((reference, behind)) = after.split_once('}') else {
            faults.push(ReferenceFault {
                rule: "\"${\" is not closed by \"}\"".to_owned(),
                hint: "write \"$${\" for a literal \"${\"".to_owned(),
            });
            rest = "";
            break;
        };
        match resolve(reference, environment) {
            Ok(Resolved::Outside(value)) => {
                outside = true;
                text.push_str(&value);
            }
            Ok(Resolved::Default(value)) => text.push_str(value),
            Err(fault) => faults.push(fault),
        }
        rest = behind;
    }
    text.push_str(rest);
    if faults.is_empty() { Ok(Substituted { text, outside }) } else { Err(faults) }
}

enum Resolved<'a> {
    Outside(String),
    Default(&'a str),
}

fn resolve<'a>(
    reference: &'a str,
    environment: &Environment,
) -> Result<Resolved<'a>, ReferenceFault> {
    if let Some(path) = reference.strip_prefix("file:") {
        let found = read(path).map(Resolved::Outside);
        return if environment.is_elsewhere() { found.or(stand_in()) } else { found };
    }
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    if !is_name(name) {
        return Err(malformed(reference));
    }
    if default.is_some_and(|default| default.contains("${")) {
        return Err(ReferenceFault {
            rule: format!("the default of {name} holds another reference"),
            hint: "references do not nest; set the variable before Hydrant starts".to_owned(),
        });
    }
    match (environment.look_up(name), default) {
        // As in a shell, `:-` also stands in for a variable that is set to nothing.
        (Lookup::Text("") | Lookup::Missing, Some(default)) => Ok(Resolved::Default(default)),
        (Lookup::Text(value), _) => Ok(Resolved::Outside(value.to_owned())),
        (Lookup::Missing, None) if environment.is_elsewhere() => stand_in(),
        (Lookup::Missing, None) => Err(ReferenceFault {
            rule: format!("environment variable {name} is not set"),
            hint: format!("set {name}, or write ${{{name}:-default}}"),
        }),
        (Lookup::NotText, _) => Err(ReferenceFault {
            rule: format!("environment variable {name} is not UTF-8 text"),
            hint: format!("set {name} to text"),
        }),
    }
}

/// Whether a text made from settings of another machine holds what only stands in.
pub fn holds_stand_in(text: &str) -> bool {
    text.contains(STAND_IN)
}

fn stand_in<'a>() -> Result<Resolved<'a>, ReferenceFault> {
    Ok(Resolved::Outside(STAND_IN.to_owned()))
}

fn malformed(reference: &str) -> ReferenceFault {
    let forms = "the forms are ${NAME}, ${NAME:-default} and ${file:PATH}";
    let hint = match reference.strip_prefix("env:") {
        Some(name) if is_name(name) => format!("write ${{{name}}}; {forms}"),
        _ => format!("{forms}; write \"$${{\" for a literal \"${{\""),
    };
    ReferenceFault { rule: format!("\"${{{reference}}}\" is no reference"), hint }
}

fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|next| next.is_ascii_alphanumeric() || next == '_')
}

/// The content of a file without its last newline, which editors and `echo` leave behind.
fn read(path: &str) -> Result<String, ReferenceFault> {
    let fault = |why: String| ReferenceFault {
        rule: format!("cannot read the file {path}: {why}"),
        hint: "the path is relative to the current directory; check name and permissions"
            .to_owned(),
    };
    let file = File::open(path).map_err(|error| fault(error.to_string()))?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| fault(error.to_string()))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(fault(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    let end = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(end);
    Ok(text)
}
