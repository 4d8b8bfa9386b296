//! A stream as text for another process: references unresolved, secrets lifted out.
//!
//! What is written there may be read by anybody who can read a template: a literal value is kept only
//! when the check took it as one that may be shown, every other becomes a variable.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value as Json};

use super::check;
use super::environment::Environment;
use super::problem::Place;
use super::read::Report;
use super::tree::{self, Node, Value};

/// Keys that mean nothing where a stream lives for one invocation.
const LEFT_OUT: [&str; 4] = ["source", "buffering", "start_from", "max_backlog"];

/// The body of a stream, and the variables it refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Portable {
    /// JSON, which is YAML too.
    pub text: String,
    /// In the order of their names.
    pub variables: Vec<PortableVariable>,
}

/// A variable that whoever runs the stream must set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortableVariable {
    /// Its name.
    pub name: String,
    /// The key of the stream that needs it.
    pub key: String,
    /// The text has a default for it.
    pub optional: bool,
}

impl Portable {
    /// The stream of this name in the text of a settings file.
    pub fn of(text: &str, environment: &Environment, name: &str) -> Option<Portable> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let shown = shown(text, environment)?;
        let root = tree::parse(text, &environment.verbatim()).root?;
        let stream = child(child(&root, "streams")?, name)?;
        let mut lifting = Lifting { shown, variables: BTreeMap::new() };
        let mut body = lifting.json(stream, "");
        if let Some(Json::Object(backup)) = body.get_mut("backup") {
            backup.remove("directory");
        }
        let variables = lifting.variables.into_values().collect();
        Some(Portable { text: body.to_string(), variables })
    }
}

/// Where values stand that may be shown.
fn shown(text: &str, environment: &Environment) -> Option<Vec<Place>> {
    let environment = environment.elsewhere();
    let root = tree::parse(text, &environment).root?;
    let report = Report::new(true);
    check::settings(&report, &root, Path::new(""))?;
    Some(report.into_collected().shown)
}

fn child<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
}

struct Lifting {
    shown: Vec<Place>,
    variables: BTreeMap<String, PortableVariable>,
}

impl Lifting {
    fn json(&mut self, node: &Node, path: &str) -> Json {
        match &node.value {
            Value::Null | Value::Broken => Json::Null,
            Value::Text(text) => Json::String(self.scalar(&text.text, node.place, path)),
            Value::List(items) => items.iter().map(|item| self.json(item, path)).collect(),
            Value::Map(entries) => {
                let mut map = Map::new();
                for entry in entries {
                    if path.is_empty() && LEFT_OUT.contains(&entry.key.as_str()) {
                        continue;
                    }
                    let below = if path.is_empty() {
                        entry.key.clone()
                    } else {
                        format!("{path}.{}", entry.key)
                    };
                    map.insert(entry.key.clone(), self.json(&entry.node, &below));
                }
                Json::Object(map)
            }
        }
    }

    fn scalar(&mut self, text: &str, place: Place, path: &str) -> String {
        let references = references(text);
        let is_named = references.iter().all(|name| !name.starts_with("file:"));
        if !references.is_empty() && is_named {
            for reference in references {
                let (name, optional) = match reference.split_once(":-") {
                    Some((name, _)) => (name, true),
                    None => (reference, false),
                };
                self.need(name, path, optional);
            }
            return text.to_owned();
        }
        if references.is_empty() && self.shown.contains(&place) {
            return text.to_owned();
        }
        let capital =
            |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let name: String = path.chars().map(capital).collect();
        self.need(&name, path, false);
        format!("${{{name}}}")
    }

    fn need(&mut self, name: &str, key: &str, optional: bool) {
        let new = PortableVariable { name: name.to_owned(), key: key.to_owned(), optional };
        let known = self.variables.entry(name.to_owned()).or_insert(new);
        known.optional &= optional;
    }
}

/// What stands between `${` and `}`, without `$${`.
fn references(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        rest = after;
        if before.ends_with('$') {
            continue;
        }
        let Some((reference, behind)) = after.split_once('}') else { break };
        found.push(reference);
        rest = behind;
    }
    found
}
