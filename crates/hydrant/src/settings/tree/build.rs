//! Events of the YAML parser, put together.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};

use super::{Entry, Extent, Node, Parsed, Text, Value};
use crate::settings::environment::Environment;
use crate::settings::problem::{Place, Problem, Severity, line_of};
use crate::settings::substitute::substitute;

/// Values in a tree, those that aliases repeat included. Far above any settings, far below a bomb.
const NODES_MAX: usize = 50_000;

/// Reads one document.
pub(in crate::settings) fn parse(text: &str, environment: &Environment) -> Parsed {
    let mut builder = Builder {
        environment,
        stack: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        root: None,
        problems: Vec::new(),
        scalars: Vec::new(),
    };
    for next in Parser::new_from_str(text) {
        let proceed = match next {
            Ok((event, span)) => builder.take(event, span),
            Err(fault) => {
                builder.problems.push(syntax_problem(text, &fault));
                Err(Stop)
            }
        };
        if proceed.is_err() {
            let Builder { problems, scalars, .. } = builder;
            return Parsed { root: None, problems, scalars, cut: true };
        }
    }
    let Builder { root, problems, scalars, .. } = builder;
    Parsed { root, problems, scalars, cut: false }
}

/// Reading further makes no sense; the reason is among the problems.
struct Stop;

struct Builder<'a> {
    environment: &'a Environment,
    stack: Vec<Open>,
    /// Finished nodes by anchor.
    anchors: HashMap<usize, Node>,
    nodes: usize,
    root: Option<Node>,
    problems: Vec<Problem>,
    scalars: Vec<Extent>,
}

/// A collection that is not closed yet.
enum Open {
    List {
        place: Place,
        anchor: usize,
        items: Vec<Node>,
    },
    Map {
        place: Place,
        anchor: usize,
        entries: Vec<Entry>,
        seen: HashMap<String, usize>,
        key: Pending,
    },
}

/// What a mapping waits for.
enum Pending {
    /// A key.
    Key,
    /// The value of this key.
    Value(String, Place),
    /// The value of a key that cannot be used.
    Discard,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let place = place_of(&span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some_and(|tag| !tag.is_yaml_core_schema()), place);
                self.scalar(&text, style, anchor, &span)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some_and(|tag| !tag.is_yaml_core_schema()), place);
                self.stack.push(Open::List { place, anchor, items: Vec::new() });
                Ok(())
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some_and(|tag| !tag.is_yaml_core_schema()), place);
                let (entries, seen, key) = (Vec::new(), HashMap::new(), Pending::Key);
                self.stack.push(Open::Map { place, anchor, entries, seen, key });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(id) => {
                // An anchor that is not closed yet would hold itself.
                let Some(node) = self.anchors.get(&id).cloned() else {
                    self.problem(place, "an alias inside its own anchor", None);
                    return Err(Stop);
                };
                self.nodes += node.size();
                self.put(node, 0, place)
            }
            Event::DocumentStart(..) if self.root.is_some() => {
                let hint = "keep all settings in one document, without \"---\" between";
                self.problem(place, "a second YAML document", Some(hint));
                Err(Stop)
            }
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        span: &Span,
    ) -> Result<(), Stop> {
        let place = place_of(span);
        if self.expects_key() {
            return self.put_key(text.to_owned(), place);
        }
        self.scalars.push(extent_of(span));
        let null = style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null");
        let value = if null {
            Value::Null
        } else {
            match substitute(text, self.environment) {
                Ok(done) => Value::Text(Text { text: done.text, outside: done.outside }),
                Err(faults) => {
                    for fault in faults {
                        self.problem(place, &fault.rule, Some(&fault.hint));
                    }
                    Value::Broken
                }
            }
        };
        self.put(Node { place, value }, anchor, place)
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Open::Map { key: Pending::Key, .. }))
    }

    fn put_key(&mut self, name: String, place: Place) -> Result<(), Stop> {
        let Some(Open::Map { seen, key, .. }) = self.stack.last_mut() else { return Ok(()) };
        let first = seen.get(&name).copied();
        if first.is_none() {
            seen.insert(name.clone(), place.line);
            *key = Pending::Value(name, place);
        } else if let Some(line) = first {
            *key = Pending::Discard;
            let path = self.path_to(&name);
            self.problems.push(Problem {
                severity: Severity::Error,
                path,
                place: Some(place),
                value: None,
                rule: format!("duplicate key \"{name}\""),
                hint: Some(format!("it is given first in line {line}; keep one of them")),
            });
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let (place, anchor, value) = match self.stack.pop() {
            Some(Open::List { place, anchor, items }) => (place, anchor, Value::List(items)),
            Some(Open::Map { place, anchor, entries, .. }) => (place, anchor, merged(entries)),
            None => return Ok(()),
        };
        self.put(Node { place, value }, anchor, place)
    }

    /// Puts a finished node where it belongs. `at` is where it stands, which for an alias is not
    /// where it was written.
    fn put(&mut self, node: Node, anchor: usize, at: Place) -> Result<(), Stop> {
        self.nodes += 1;
        if anchor != 0 {
            // Kept a second time, for the aliases to come.
            self.nodes += node.size();
        }
        if self.nodes > NODES_MAX {
            self.problem(at, &format!("the settings hold more than {NODES_MAX} values"), None);
            return Err(Stop);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => {
                match std::mem::replace(key, Pending::Key) {
                    Pending::Value(name, place) => {
                        entries.push(Entry { key: name, place, node });
                    }
                    Pending::Discard => {}
                    Pending::Key => {
                        // A list, a map or an alias where a key belongs.
                        *key = Pending::Discard;
                        self.problem(at, "a key must be text", None);
                    }
                }
            }
        }
        Ok(())
    }

    fn refuse_tag(&mut self, foreign: bool, place: Place) {
        if foreign {
            let hint = "remove it; ${NAME} and ${file:PATH} bring in values from outside";
            self.problem(place, "a YAML tag, which means nothing here", Some(hint));
        }
    }

    fn problem(&mut self, place: Place, rule: &str, hint: Option<&str>) {
        let path = self.path();
        self.problems.push(Problem {
            severity: Severity::Error,
            path,
            place: Some(place),
            value: None,
            rule: rule.to_owned(),
            hint: hint.map(str::to_owned),
        });
    }

    fn path_to(&self, key: &str) -> String {
        let above: Vec<String> = self.stack.iter().rev().skip(1).rev().filter_map(step).collect();
        join(&above, key)
    }

    fn path(&self) -> String {
        let steps: Vec<String> = self.stack.iter().filter_map(step).collect();
        join(&steps, "")
    }
}

/// What an open collection adds to the path of what is inside.
fn step(open: &Open) -> Option<String> {
    match open {
        Open::List { items, .. } => Some(format!("[{}]", items.len())),
        Open::Map { key: Pending::Value(name, _), .. } => Some(name.clone()),
        Open::Map { .. } => None,
    }
}

fn join(steps: &[String], last: &str) -> String {
    let mut path = String::new();
    for step in steps.iter().map(String::as_str).chain([last]) {
        if !path.is_empty() && !step.is_empty() && !step.starts_with('[') {
            path.push('.');
        }
        path.push_str(step);
    }
    path
}

/// `<<` brings in the entries of other maps that are not given here.
fn merged(entries: Vec<Entry>) -> Value {
    let (merges, mut own): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(is_merge);
    let mut given: HashSet<String> = own.iter().map(|entry| entry.key.clone()).collect();
    for merge in merges {
        let sources = match merge.node.value {
            Value::List(items) => items,
            value => vec![Node { place: merge.node.place, value }],
        };
        for source in sources {
            let Value::Map(entries) = source.value else { continue };
            for entry in entries {
                if given.insert(entry.key.clone()) {
                    own.push(entry);
                }
            }
        }
    }
    Value::Map(own)
}

/// A `<<` with anything but a map, or maps, is left in place, and so found to be an unknown key.
fn is_merge(entry: &Entry) -> bool {
    let is_map = |node: &Node| matches!(node.value, Value::Map(_));
    entry.key == "<<"
        && match &entry.node.value {
            Value::List(items) => items.iter().all(is_map),
            _ => is_map(&entry.node),
        }
}

fn syntax_problem(text: &str, fault: &ScanError) -> Problem {
    let line = fault.marker().line();
    let written = line_of(text, line).unwrap_or("");
    let hint = if written.contains("${") {
        Some("put quotes around a value with \"${...}\" inside [ ] or { }")
    } else if written.chars().nth(fault.marker().col()) == Some('*') {
        Some("put quotes around a value that begins with \"*\"")
    } else if written.starts_with('\t') || written.trim_start_matches(' ').starts_with('\t') {
        Some("indent with spaces; YAML takes no tabs")
    } else {
        None
    };
    Problem {
        severity: Severity::Error,
        path: String::new(),
        place: Some(Place { line, column: fault.marker().col() + 1, width: 1 }),
        value: None,
        rule: format!("not YAML: {}", fault.info()),
        hint: hint.map(str::to_owned),
    }
}

fn place_of(span: &Span) -> Place {
    let one_line = span.start.line() == span.end.line();
    let width = if one_line { span.end.col().saturating_sub(span.start.col()) } else { 1 };
    let (line, column) = position(&span.start);
    Place { line, column, width: width.max(1) }
}

fn extent_of(span: &Span) -> Extent {
    Extent { start: position(&span.start), end: position(&span.end) }
}

/// Line and column, both from 1.
fn position(marker: &Marker) -> (usize, usize) {
    (marker.line(), marker.col() + 1)
}
