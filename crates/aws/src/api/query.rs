//! The query protocol's requests: a form whose names are paths.
//!
//! `MetricData.member.1.Dimensions.member.2.Name=x` is a tree; this is where it becomes one. Lists
//! may have gaps, and their order is that of their numbers.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Value;

/// Parts of a path; AWS's own shapes have nine.
const DEPTH_MAX: usize = 24;

/// A form as a value, `Action` and `Version` included. The text says which name is wrong.
pub(super) fn read(form: &str) -> Result<Value<'static>, String> {
    let mut root = Node::default();
    for (name, value) in pairs(form)? {
        root.put(&name, value)?;
    }
    Ok(root.value())
}

/// Names and values of a form, decoded.
pub(super) fn pairs(form: &str) -> Result<Vec<(String, String)>, String> {
    let given = form.split('&').filter(|pair| !pair.is_empty());
    let read = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decoded(name)?, decoded(value)?))
    };
    given.map(read).collect()
}

/// `+` is a blank, `%XX` a byte.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
                let (high, low) = (digit(), digit());
                let byte = high.zip(low).map(|(high, low)| (high * 16 + low) as u8);
                byte.ok_or_else(|| format!("{text:?} is not percent-encoded"))?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).map_err(|_| format!("{text:?} is not UTF-8"))
}

#[derive(Debug, Default)]
struct Node {
    text: Option<String>,
    /// In the order in which names first came, but for numbers, which are put in order.
    children: Vec<(String, Node)>,
    /// Where a name stands in `children`.
    places: BTreeMap<String, usize>,
}

impl Node {
    fn put(&mut self, path: &str, value: String) -> Result<(), String> {
        let mut node = self;
        for (depth, part) in path.split('.').enumerate() {
            if depth >= DEPTH_MAX || part.is_empty() {
                return Err(format!("{path:?} is no name of a parameter"));
            }
            node = node.child(part);
        }
        node.text = Some(value);
        Ok(())
    }

    fn child(&mut self, name: &str) -> &mut Node {
        let next = self.children.len();
        let place = *self.places.entry(name.to_owned()).or_insert(next);
        if place == next {
            self.children.push((name.to_owned(), Node::default()));
        }
        &mut self.children.get_mut(place).expect("the place was just made, or known").1
    }

    fn value(self) -> Value<'static> {
        match (self.children.is_empty(), self.text) {
            (true, text) => Value::Text(Cow::Owned(text.unwrap_or_default())),
            (false, _) => Node::tree(self.children),
        }
    }

    fn tree(mut children: Vec<(String, Node)>) -> Value<'static> {
        match children.as_slice() {
            [(name, _)] if name == "member" => {
                let (_, list) = children.swap_remove(0);
                Value::List(list.numbered().into_iter().map(Node::value).collect())
            }
            [(name, _)] if name == "entry" => {
                let (_, list) = children.swap_remove(0);
                let pair = |node: Node| {
                    let value = node.value();
                    let key = value.get("key").and_then(Value::as_text).unwrap_or_default();
                    let key = Cow::Owned(key.to_owned());
                    (key, value.get("value").cloned().unwrap_or(Value::Null))
                };
                Value::Table(list.numbered().into_iter().map(pair).collect())
            }
            _ => {
                let member = |(name, node): (String, Node)| (Cow::Owned(name), node.value());
                Value::Map(children.into_iter().map(member).collect())
            }
        }
    }

    /// Children by their number; what has none comes last.
    fn numbered(self) -> Vec<Node> {
        let mut children = self.children;
        children.sort_by_key(|(name, _)| name.parse::<u64>().unwrap_or(u64::MAX));
        children.into_iter().map(|(_, node)| node).collect()
    }
}

#[cfg(test)]
mod tests;
