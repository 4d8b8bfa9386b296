//! Keys and where their values come from, as YAML that refers to variables.

use std::collections::BTreeMap;

use crate::settings::{self, Environment};

/// Paths of keys, each with its value.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree(BTreeMap<Vec<String>, Leaf>);

#[derive(Clone, Debug)]
struct Leaf {
    /// As it stands in the YAML.
    yaml: String,
    /// Who set it; empty when nobody did.
    variable: String,
}

impl Tree {
    /// `PREFIX_A__B_C=x` is `a: { b_c: x }`. A value in braces or brackets is YAML, any other is text
    /// as it is.
    pub(super) fn of_variables(
        environment: &Environment,
        prefix: &str,
        problems: &mut Vec<String>,
    ) -> Tree {
        let mut tree = Tree::default();
        for name in environment.names() {
            let Some(keys) = name.strip_prefix(prefix) else { continue };
            let Some(value) = super::given(environment, name) else { continue };
            let path: Vec<String> = keys.split("__").map(str::to_ascii_lowercase).collect();
            if path.iter().any(String::is_empty) {
                problems.push(format!("{name}: two underscores stand between keys, not more"));
                continue;
            }
            let yaml = if value.trim_start().starts_with(['{', '[']) {
                if let Some(fault) = settings::syntax_fault(value, environment) {
                    problems.push(format!("{name}: {fault}"));
                    continue;
                }
                value.trim().replace('\n', "\n        ")
            } else {
                format!("\"${{{name}}}\"")
            };
            tree.0.insert(path, Leaf { yaml, variable: name.to_owned() });
        }
        tree.refuse_both(problems);
        tree
    }

    /// A key that has a value of its own and keys below it would be there twice.
    fn refuse_both(&mut self, problems: &mut Vec<String>) {
        let mut gone = Vec::new();
        for ((above, one), (below, other)) in self.0.iter().zip(self.0.iter().skip(1)) {
            if below.starts_with(above) {
                let (one, other) = (&one.variable, &other.variable);
                problems.push(format!("{one} and {other} both say what {other} says: keep one"));
                gone.push(below.clone());
            }
        }
        self.0.retain(|path, _| !gone.contains(path));
    }

    /// Sets a key.
    pub(super) fn put(&mut self, path: &[&str], yaml: &str, variable: &str) {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        self.0.insert(path, Leaf { yaml: yaml.to_owned(), variable: variable.to_owned() });
    }

    /// Puts another over it: what that one says counts.
    pub(super) fn lay_over(&mut self, other: Tree) {
        for (path, leaf) in other.0 {
            self.0.retain(|known, _| !known.starts_with(&path) && !path.starts_with(known));
            self.0.insert(path, leaf);
        }
    }

    /// Is there a value at or below this path?
    pub(super) fn holds(&self, path: &[&str]) -> bool {
        let below = |known: &Vec<String>| known.iter().zip(path).filter(|(a, b)| a == b).count();
        self.0.keys().any(|known| known.len() >= path.len() && below(known) == path.len())
    }

    /// The variables that set one of these keys, or something below.
    pub(super) fn variables_of<'a>(&'a self, keys: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let named = self
            .0
            .iter()
            .filter(|(path, _)| path.first().is_some_and(|first| keys.contains(&first.as_str())));
        named.map(|(_, leaf)| leaf.variable.as_str())
    }

    /// The first variable, when there is one.
    pub(super) fn first_variable(&self) -> Option<&str> {
        self.0.values().next().map(|leaf| leaf.variable.as_str())
    }

    /// The variable that says what stands at a path of keys joined by dots, or above it.
    pub(super) fn variable_of(&self, path: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| {
            let known = known.join(".");
            path == known
                || path.strip_prefix(&known).is_some_and(|rest| rest.starts_with(['.', '[']))
        });
        found.map(|(_, leaf)| leaf.variable.as_str())
    }

    /// The first variable that says something below a path.
    pub(super) fn variable_below(&self, path: &str) -> Option<&str> {
        let below = |known: &[String]| known.join(".").starts_with(&format!("{path}."));
        self.0.iter().find(|(known, _)| below(known)).map(|(_, leaf)| leaf.variable.as_str())
    }

    /// As YAML, below a mapping that is indented by four.
    pub(super) fn write(&self, text: &mut String) {
        let mut open: &[String] = &[];
        for (path, leaf) in &self.0 {
            let Some((key, above)) = path.split_last() else { continue };
            let same = open.iter().zip(above).take_while(|(a, b)| a == b).count();
            for (depth, name) in above.iter().enumerate().skip(same) {
                text.push_str(&format!("{:width$}{name}:\n", "", width = 4 + 2 * depth));
            }
            let width = 4 + 2 * above.len();
            text.push_str(&format!("{:width$}{key}: {}\n", "", leaf.yaml));
            open = above;
        }
    }
}
