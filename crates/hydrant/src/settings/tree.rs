//! YAML text as a tree of values that know their place.
//!
//! What is wrong with the text itself is found here: syntax, duplicate keys, references to the
//! environment. A value that was found wrong is [`Value::Broken`], so that nobody complains twice.
//! What the values mean is not known here. The tree is bounded, aliases included.

mod build;

use super::problem::{Place, Problem};

pub(super) use build::parse;

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// Any other scalar, as it was written: `012` stays `012`, and `no` stays `no`.
    Text(Text),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file, without duplicate keys.
    Map(Vec<Entry>),
    /// It was wrong, and that has been said.
    Broken,
}

/// A scalar.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: String,
    /// Part of it came from the environment or a file: never show it.
    pub(super) outside: bool,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) node: Node,
}

/// The extent of a scalar value in the text: from a line and column to another, from 1, end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// First line and column.
    pub(super) start: (usize, usize),
    /// Line and column behind the last.
    pub(super) end: (usize, usize),
}

/// What came of a text.
pub(super) struct Parsed {
    /// The tree; `None` when there is none to speak of.
    pub(super) root: Option<Node>,
    /// What is wrong so far.
    pub(super) problems: Vec<Problem>,
    /// Every scalar value, for masking.
    pub(super) scalars: Vec<Extent>,
    /// The text could not be read to its end: places of values behind the fault are not known.
    pub(super) cut: bool,
}

impl Node {
    /// How many values it holds, itself included.
    pub(super) fn size(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Text(_) | Value::Broken => 0,
            Value::List(items) => items.iter().map(Node::size).sum(),
            Value::Map(entries) => entries.iter().map(|entry| entry.node.size()).sum(),
        }
    }
}
