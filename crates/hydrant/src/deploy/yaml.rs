//! YAML as text, as CloudFormation reads it: block style, two spaces, its short tags.

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Text; quoted when it could be anything else.
    Text(String),
    /// A number or boolean.
    Bare(String),
    /// `!Ref name`, `!Sub text`, `!GetAtt name`.
    Tagged(&'static str, String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in this order.
    Map(Vec<Entry>),
}

/// An entry of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// A remark before it; each line a line.
    pub comment: Option<String>,
    /// The key.
    pub key: String,
    /// The value.
    pub node: Node,
}

/// `key: node`.
pub(super) fn entry(key: impl Into<String>, node: Node) -> Entry {
    Entry { comment: None, key: key.into(), node }
}

/// The same with a remark before it.
pub(super) fn remarked(comment: &str, key: impl Into<String>, node: Node) -> Entry {
    Entry { comment: Some(comment.to_owned()), key: key.into(), node }
}

/// Text.
pub(super) fn text(value: impl Into<String>) -> Node {
    Node::Text(value.into())
}

/// A number or boolean.
pub(super) fn bare(value: impl ToString) -> Node {
    Node::Bare(value.to_string())
}

/// The value of a parameter, or the name of a resource.
pub(super) fn reference(name: impl Into<String>) -> Node {
    Node::Tagged("!Ref", name.into())
}

/// Text with `${...}` in it.
pub(super) fn sub(text: impl Into<String>) -> Node {
    Node::Tagged("!Sub", text.into())
}

/// An attribute of a resource.
pub(super) fn attribute(of: &str) -> Node {
    Node::Tagged("!GetAtt", of.to_owned())
}

/// A document; top level entries stand apart.
pub(super) fn document(entries: &[Entry]) -> String {
    let mut out = String::new();
    for (at, entry) in entries.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        map(std::slice::from_ref(entry), 0, is_sections(entry), &mut out);
    }
    out
}

/// The sections whose entries are worth a blank line between them.
fn is_sections(entry: &Entry) -> bool {
    matches!(entry.key.as_str(), "Parameters" | "Resources")
}

fn map(entries: &[Entry], depth: usize, apart: bool, out: &mut String) {
    let pad = "  ".repeat(depth);
    for Entry { comment, key, node } in entries {
        for line in comment.iter().flat_map(|comment| comment.lines()) {
            out.push_str(&format!("{pad}# {line}\n"));
        }
        out.push_str(&format!("{pad}{}:", scalar(key)));
        match node {
            Node::Map(inner) if !inner.is_empty() && apart => {
                out.push('\n');
                for (at, one) in inner.iter().enumerate() {
                    if at > 0 {
                        out.push('\n');
                    }
                    map(std::slice::from_ref(one), depth + 1, false, out);
                }
            }
            other => value(other, depth, out),
        }
    }
}

/// What stands behind `key:`.
fn value(node: &Node, depth: usize, out: &mut String) {
    match node {
        Node::Map(inner) if !inner.is_empty() => {
            out.push('\n');
            map(inner, depth + 1, false, out);
        }
        Node::List(items) if !items.is_empty() => {
            out.push('\n');
            items.iter().for_each(|item| item_of(item, depth + 1, out));
        }
        simple => out.push_str(&format!(" {}\n", inline(simple))),
    }
}

fn item_of(node: &Node, depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    match node {
        Node::Map(inner) if !inner.is_empty() => {
            let mut text = String::new();
            map(inner, depth + 1, false, &mut text);
            // The first entry stands behind the dash.
            out.push_str(&format!("{pad}- {}", text.trim_start()));
        }
        simple => out.push_str(&format!("{pad}- {}\n", inline(simple))),
    }
}

fn inline(node: &Node) -> String {
    match node {
        Node::Text(text) => scalar(text),
        Node::Bare(text) => text.clone(),
        Node::Tagged(tag, text) => format!("{tag} {}", scalar(text)),
        Node::List(_) => "[]".to_owned(),
        Node::Map(_) => "{}".to_owned(),
    }
}

/// Plain where nobody could take it for anything but text.
fn scalar(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-' | ':');
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let word = text.to_ascii_lowercase();
    let is_other = matches!(
        word.as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
    );
    let is_sentence = text.chars().all(|c| fits(c) || matches!(c, ' ' | ',' | ';' | '(' | ')'))
        && !text.contains(": ")
        && !text.ends_with([' ', ':']);
    if begins && is_sentence && !is_other {
        return text.to_owned();
    }
    // A JSON string is a quoted scalar of YAML.
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
