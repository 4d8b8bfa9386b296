//! The XML that S3 and STS answer with: elements and text.
//!
//! Our own reader, not a library: the two services use elements and text and nothing else, a tree of
//! owned strings is all that is needed, and what makes XML dangerous (document types, entities of
//! one's own) is refused by not being there. Attributes, comments and instructions are skipped.
//! Memory is bounded by the input, depth by a constant.

/// S3's answers are four deep.
const DEPTH_MAX: usize = 32;

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// Its name without a namespace prefix.
    pub(super) name: String,
    /// Its own text.
    pub(super) text: String,
    /// Its children.
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of this name.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// The first element of this name, here or anywhere below.
    pub(super) fn find(&self, name: &str) -> Option<&Element> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }
}

/// Reads a document; `None` when it is not one.
pub(super) fn parse(bytes: &[u8]) -> Option<Element> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut open: Vec<Element> = Vec::new();
    loop {
        let (before, markup) = rest.split_once('<')?;
        match open.last_mut() {
            Some(element) => element.text.push_str(&unescape(before)?),
            None if before.trim().is_empty() => {}
            None => return None,
        }
        let done = if let Some(tail) = markup.strip_prefix("!--") {
            rest = tail.split_once("-->")?.1;
            None
        } else if let Some(tail) = markup.strip_prefix("![CDATA[") {
            let (data, tail) = tail.split_once("]]>")?;
            open.last_mut()?.text.push_str(data);
            rest = tail;
            None
        } else if let Some(tail) = markup.strip_prefix('?') {
            rest = tail.split_once("?>")?.1;
            None
        } else if let Some(tail) = markup.strip_prefix('/') {
            let (name, tail) = tail.split_once('>')?;
            rest = tail;
            let element = open.pop()?;
            (element.name == local(name.trim_end())).then_some(())?;
            Some(element)
        } else {
            let (element, empty, tail) = start(markup)?;
            rest = tail;
            if empty {
                Some(element)
            } else {
                (open.len() < DEPTH_MAX).then_some(())?;
                open.push(element);
                None
            }
        };
        let Some(element) = done else { continue };
        match open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => return rest.trim().is_empty().then_some(element),
        }
    }
}

/// A start tag behind its `<`: the element, whether it ends at once, and what follows.
fn start(markup: &str) -> Option<(Element, bool, &str)> {
    let mut quote = None;
    let end = markup.char_indices().find(|&(_, c)| match (quote, c) {
        (None, '>') => true,
        (None, '"' | '\'') => {
            quote = Some(c);
            false
        }
        (Some(open), c) if open == c => {
            quote = None;
            false
        }
        _ => false,
    })?;
    let (tag, tail) = (markup.get(..end.0)?, markup.get(end.0 + 1..)?);
    let (tag, empty) = match tag.strip_suffix('/') {
        Some(tag) => (tag, true),
        None => (tag, false),
    };
    tag.starts_with(|c: char| c.is_alphabetic() || c == '_').then_some(())?;
    let name = tag.split_ascii_whitespace().next()?;
    Some((Element { name: local(name).to_owned(), ..Element::default() }, empty, tail))
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// The five entities that XML knows by itself, and characters by number.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, tail) = tail.split_once(';')?;
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            other => {
                let number = other.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                char::from_u32(code.ok()?)?
            }
        });
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests;
