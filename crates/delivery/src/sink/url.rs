//! URLs of destinations, as people set them: whether one can be used, and what of it may be shown.
//!
//! Always holds: no text made here carries a part of a URL in which a receiver may want a key.

use remote::Secret;

/// A part of a path this long is no word of an API.
const KEY_IN_PATH_MIN: usize = 16;
/// Shorter values are flags, and blotting them out would blot out words.
const KEY_IN_QUERY_MIN: usize = 6;

/// Scheme, host and port of a URL that can be used, and what follows them. The error names
/// `setting`, and does not show the URL.
pub(crate) fn parts<'a>(setting: &str, url: &'a str) -> Result<(&'a str, &'a str), String> {
    let url = url.trim();
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Err(format!("{setting}: must begin with https:// or http://"));
    };
    let length = rest.find(['/', '?']).unwrap_or(rest.len());
    let unusable = |c: char| c.is_whitespace() || c.is_control() || c == '#';
    if length == 0 || url.contains(unusable) {
        return Err(format!("{setting}: no usable URL"));
    }
    let (place, rest) = url.split_at(url.len() - rest.len() + length);
    if place.contains('@') {
        let remedy = "credentials have settings of their own";
        return Err(format!("{setting}: must not hold a user name or password; {remedy}"));
    }
    Ok((place, rest))
}

/// What of a URL may be a key: values of its query, and long parts of its path. Receivers echo both.
pub(crate) fn secrets_of(url: &str) -> Vec<Secret> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let parts = path.split('/').skip(1).filter(|part| part.len() >= KEY_IN_PATH_MIN);
    let values = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value);
    let values = values.filter(|value| value.len() >= KEY_IN_QUERY_MIN);
    parts.chain(values).map(Secret::new).collect()
}

/// The place of a URL that may be shown: without its query, in which many receivers want a key.
pub(crate) fn shown(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}
