//! Metric keys as Dynatrace's own endpoint for metric streams makes them:
//! `cloud.aws.<namespace>.<metric>By<dimension names>` (docs/dynatrace.md, "Metric keys").
//!
//! Pure, and only run once per shape. Whatever the names, the key satisfies the grammar of metric
//! ingestion: ASCII, sections of letters, digits, `_` and `-`, at most 255 characters.

use super::DigitSection;

/// Longest metric key a server takes.
pub(crate) const KEY_MAX: usize = 255;

/// Characters that replace the end of a key that is too long: `_` and 32 bits of its checksum, so
/// that long keys with a common beginning stay apart.
const CUT_MARK: usize = 9;

/// A finished key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its text.
    pub(crate) text: String,
    /// It was too long and has been cut.
    pub(crate) cut: bool,
}

/// The key of a metric.
pub(crate) fn metric_key<'a>(
    namespace: &str,
    name: &str,
    dimensions: impl Iterator<Item = &'a str>,
    digits: DigitSection,
) -> Key {
    let raw = format!(
        "cloud.aws.{}.{}{}",
        namespace_part(namespace),
        metric_part(name),
        dimensions_part(dimensions)
    );
    // `cloud` begins with a letter, so there always is a normalised form.
    let mut text = normalise(&raw).unwrap_or(raw);
    if digits == DigitSection::Underscore {
        text = text.split('.').map(without_leading_digit).collect::<Vec<_>>().join(".");
    }
    match fit(&text, KEY_MAX) {
        Some(text) => Key { text, cut: true },
        None => Key { text, cut: false },
    }
}

/// The key cut to `max` characters, the cut marked with a checksum of the whole; `None` when it fits.
pub(crate) fn fit(key: &str, max: usize) -> Option<String> {
    if key.len() <= max {
        return None;
    }
    let checksum = codec::checksum::crc32c(0, key.as_bytes());
    let kept = key.get(..max.saturating_sub(CUT_MARK)).unwrap_or_default().trim_end_matches('.');
    Some(format!("{kept}_{checksum:08x}"))
}

/// True when a later section begins with a digit, which some servers refuse.
pub(crate) fn has_digit_section(key: &str) -> bool {
    key.split('.').skip(1).any(|section| section.starts_with(|c: char| c.is_ascii_digit()))
}

fn without_leading_digit(section: &str) -> String {
    match section.as_bytes().first() {
        Some(first) if first.is_ascii_digit() => format!("_{section}"),
        _ => section.to_owned(),
    }
}

/// Without a leading `AWS/` or `/aws/`, in lower case, `/` as `.`, white space deleted.
fn namespace_part(namespace: &str) -> String {
    let rest = without_prefix(namespace, "AWS/")
        .or_else(|| without_prefix(namespace, "/aws/"))
        .unwrap_or(namespace);
    let kept = rest.chars().filter(|c| !c.is_whitespace());
    kept.flat_map(char::to_lowercase).map(|c| if c == '/' { '.' } else { c }).collect()
}

fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Other characters deleted; of a leading run of capitals and digits all but the last in lower case.
fn metric_part(name: &str) -> String {
    let mut kept: String = name.chars().filter(|c| is_word(*c)).collect();
    let run = kept.bytes().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).count();
    let lowered = if run == 0 { 0 } else { (run - 1).max(1) };
    if let Some(head) = kept.get_mut(..lowered) {
        head.make_ascii_lowercase();
    }
    kept
}

/// `By` and the names, `AccountId` and `Region` among them, sorted by byte, each once.
fn dimensions_part<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut all: Vec<String> =
        names.map(|name| name.chars().filter(|c| is_word(*c)).collect()).collect();
    all.push("AccountId".to_owned());
    all.push("Region".to_owned());
    all.sort_unstable();
    all.dedup();
    format!("By{}", all.concat())
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The normalisation of metric keys of Dynatrace's client libraries, but for the cut at the end. `None` for a key
/// that has none: empty, or with a leading dot.
pub(crate) fn normalise(raw: &str) -> Option<String> {
    if raw.is_empty() || raw.starts_with('.') {
        return None;
    }
    let mut key = String::with_capacity(raw.len());
    for (index, section) in raw.split('.').filter(|section| !section.is_empty()).enumerate() {
        if index > 0 {
            key.push('.');
        }
        let first_ok =
            |c: char| c.is_ascii_alphabetic() || c == '_' || (index > 0 && c.is_ascii_digit());
        push_section(&mut key, section, first_ok, |c| is_word(c) || c == '-');
    }
    Some(key)
}

/// Appends a section in which each run of characters that may not stand there is one `_`.
pub(super) fn push_section(
    out: &mut String,
    section: &str,
    first_ok: impl Fn(char) -> bool,
    rest_ok: impl Fn(char) -> bool,
) {
    let mut in_run = false;
    for (index, c) in section.chars().enumerate() {
        let good = if index == 0 { first_ok(c) } else { rest_ok(c) };
        if good {
            out.push(c);
        } else if !in_run {
            out.push('_');
        }
        in_run = !good;
    }
}

#[cfg(test)]
mod tests;
