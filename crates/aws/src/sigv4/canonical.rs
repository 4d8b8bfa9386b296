//! A request in its canonical form, and the text that is signed.

use super::encode::{decode, encode};
use super::{ALGORITHM, Scope, hash};

/// How a service reads the path of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    /// S3: the path is what it is, encoded once; `//` and `..` are parts of a key.
    AsTheyAre,
    /// All others: dot segments and empty segments removed, and the path on the wire encoded again.
    Normal,
}

/// A request as it is on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET`.
    pub method: &'a str,
    /// Percent-encoded, without the query.
    pub path: &'a str,
    /// Without its `?`; empty when there is none.
    pub query: &'a str,
    /// The headers that are signed: names in any case, values as sent; a name may come twice.
    pub headers: &'a [(&'a str, &'a str)],
    /// Hexadecimal SHA-256 of the body, or the word that stands in its place.
    pub payload_hash: &'a str,
}

/// The canonical request. Header names come out in order, so that their order on the wire is free.
pub fn canonical_request(request: &Request<'_>, paths: Paths) -> String {
    let (headers, names) = canonical_headers(request.headers);
    let path = canonical_path(request.path, paths);
    let query = canonical_query(request.query);
    let Request { method, payload_hash, .. } = request;
    format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{payload_hash}")
}

/// The text that is signed; `date` is that of `X-Amz-Date`.
pub fn string_to_sign(date: &str, scope: &Scope<'_>, canonical_request: &str) -> String {
    let digest = hash(canonical_request.as_bytes());
    format!("{ALGORITHM}\n{date}\n{scope}\n{digest}")
}

/// The names of these headers as `SignedHeaders` lists them.
pub(super) fn signed_names(headers: &[(&str, &str)]) -> String {
    canonical_headers(headers).1
}

fn canonical_headers(headers: &[(&str, &str)]) -> (String, String) {
    let mut sorted: Vec<(String, &str)> =
        headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), *value)).collect();
    // Stable: the values of a name that comes twice stay in their order.
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut lines = String::new();
    let mut names = String::new();
    let mut last = None;
    for (name, value) in &sorted {
        if last == Some(name) {
            lines.pop();
            lines.push(',');
        } else {
            if last.is_some() {
                names.push(';');
            }
            names.push_str(name);
            lines.push_str(name);
            lines.push(':');
        }
        push_value(&mut lines, value);
        lines.push('\n');
        last = Some(name);
    }
    (lines, names)
}

/// Trimmed, and runs of white space made one space.
fn push_value(out: &mut String, value: &str) {
    for (index, word) in value.split_ascii_whitespace().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
}

fn canonical_path(path: &str, paths: Paths) -> String {
    let path = if path.is_empty() { "/" } else { path };
    match paths {
        // A server reads the key out of the path and encodes it anew: `%2F` and `/` are one thing.
        Paths::AsTheyAre => encode(&decode(path, false), true),
        Paths::Normal => encode(normal(path).as_bytes(), true),
    }
}

/// RFC 3986, 6.2.2.3, and without empty segments.
fn normal(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let open = path.ends_with('/') && !kept.is_empty();
    format!("/{}{}", kept.join("/"), if open { "/" } else { "" })
}

/// Sorted by encoded name, then by encoded value. A `+` is a space here, as servers read it.
fn canonical_query(query: &str) -> String {
    let again = |text: &str| encode(&decode(text, true), false);
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (again(name), again(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}
