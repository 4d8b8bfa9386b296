//! HCL as text, in the style of `terraform fmt`: two spaces, and the equals signs of neighbours in
//! one column.

/// A part of a body.
#[derive(Clone, Debug)]
pub enum Item {
    /// `key = value`.
    Attribute(String, Expression),
    /// `head { ... }`.
    Block(String, Vec<Item>),
    /// A remark; each line a line.
    Comment(String),
    /// A blank line.
    Blank,
}

/// A value.
#[derive(Clone, Debug)]
pub enum Expression {
    /// As it is: a reference, a number.
    Bare(String),
    /// Text, in quotes, taken literally.
    Text(String),
    /// In brackets; one a line unless there is only one, and it is simple.
    List(Vec<Expression>),
    /// In braces.
    Object(Vec<(String, Expression)>),
}

/// `key = bare`.
pub fn set(key: &str, bare: impl Into<String>) -> Item {
    Item::Attribute(key.to_owned(), Expression::Bare(bare.into()))
}

/// `key = "text"`, taken literally.
pub fn text(key: &str, value: impl Into<String>) -> Item {
    Item::Attribute(key.to_owned(), Expression::Text(value.into()))
}

/// A block.
pub fn block(head: impl Into<String>, items: Vec<Item>) -> Item {
    Item::Block(head.into(), items)
}

/// `resource "type" "name" { ... }`.
pub fn resource(kind: &str, name: &str, items: Vec<Item>) -> Item {
    block(format!("resource \"{kind}\" \"{name}\""), items)
}

/// `data "type" "name" { ... }`.
pub fn data(kind: &str, name: &str, items: Vec<Item>) -> Item {
    block(format!("data \"{kind}\" \"{name}\""), items)
}

/// A remark.
pub fn comment(text: &str) -> Item {
    Item::Comment(text.to_owned())
}

/// Quoted, with what HCL would take for a template escaped.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// What stands between quotes.
pub fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace("${", "$${")
        .replace("%{", "%%{")
}

/// A file: blocks with a blank line between them.
pub fn file(items: &[Item]) -> String {
    let mut out = String::new();
    let mut before: Option<&Item> = None;
    for item in items {
        let apart = matches!(before, Some(Item::Block(..)))
            || (matches!(before, Some(Item::Attribute(..))) && matches!(item, Item::Block(..)));
        if apart {
            out.push('\n');
        }
        body(std::slice::from_ref(item), 0, &mut out);
        before = Some(item);
    }
    out
}

fn body(items: &[Item], depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    for (at, item) in items.iter().enumerate() {
        match item {
            Item::Attribute(key, value) => {
                let width = if is_long(value) { key.len() } else { width_at(items, at) };
                out.push_str(&format!("{pad}{key:width$} = "));
                expression(value, depth, out);
                out.push('\n');
            }
            Item::Block(head, inner) if inner.is_empty() => {
                out.push_str(&format!("{pad}{head} {{}}\n"));
            }
            Item::Block(head, inner) => {
                out.push_str(&format!("{pad}{head} {{\n"));
                body(inner, depth + 1, out);
                out.push_str(&format!("{pad}}}\n"));
            }
            Item::Comment(text) => {
                for line in text.lines() {
                    out.push_str(format!("{pad}# {line}").trim_end());
                    out.push('\n');
                }
            }
            Item::Blank => out.push('\n'),
        }
    }
}

/// The longest key among the neighbours that are written on one line each.
fn width_at(items: &[Item], at: usize) -> usize {
    let key = |item: &Item| match item {
        Item::Attribute(key, value) if !is_long(value) => Some(key.len()),
        _ => None,
    };
    let before = items.iter().take(at + 1).rev().map_while(key).max();
    let behind = items.iter().skip(at).map_while(key).max();
    before.max(behind).unwrap_or(0)
}

/// It takes several lines.
fn is_long(value: &Expression) -> bool {
    match value {
        Expression::Bare(text) => text.contains('\n'),
        Expression::Text(_) => false,
        Expression::List(items) => items.len() > 1 || items.iter().any(is_long),
        Expression::Object(entries) => !entries.is_empty(),
    }
}

fn expression(value: &Expression, depth: usize, out: &mut String) {
    match value {
        Expression::Bare(text) => out.push_str(text),
        Expression::Text(text) => out.push_str(&quoted(text)),
        Expression::List(items) if !is_long(value) => {
            out.push('[');
            items.iter().for_each(|item| expression(item, depth, out));
            out.push(']');
        }
        Expression::List(items) => {
            out.push_str("[\n");
            let pad = "  ".repeat(depth + 1);
            for item in items {
                out.push_str(&pad);
                expression(item, depth + 1, out);
                out.push_str(",\n");
            }
            out.push_str(&format!("{}]", "  ".repeat(depth)));
        }
        Expression::Object(entries) if entries.is_empty() => out.push_str("{}"),
        Expression::Object(entries) => {
            let attribute =
                |(key, value): &(String, Expression)| Item::Attribute(key.clone(), value.clone());
            let items: Vec<Item> = entries.iter().map(attribute).collect();
            out.push_str("{\n");
            body(&items, depth + 1, out);
            out.push_str(&format!("{}}}", "  ".repeat(depth)));
        }
    }
}

#[cfg(test)]
mod tests;
