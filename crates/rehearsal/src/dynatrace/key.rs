//! What Dynatrace's own endpoint makes of a CloudWatch metric: the key, the dimensions, and from
//! them the identity under which a ledger looks for a point.
//!
//! Written a second time on purpose: the destination has its own, and the two must agree.

use metric::Point;

use crate::ledger::identity;

/// The metric key: `cloud.aws.<namespace>.<metric>By<dimension names>`.
pub fn metric_key(namespace: &str, metric: &str, dimensions: &[&str]) -> String {
    let mut names: Vec<String> = vec!["AccountId".to_owned(), "Region".to_owned()];
    names.extend(dimensions.iter().map(|name| kept(name)));
    names.sort_unstable();
    names.dedup();
    format!("cloud.aws.{}.{}By{}", namespace_part(namespace), metric_part(metric), names.concat())
}

fn namespace_part(namespace: &str) -> String {
    let lower: String = namespace.to_lowercase().split_whitespace().collect();
    let lower = lower.as_str();
    let short = lower.strip_prefix("aws/").or_else(|| lower.strip_prefix("/aws/"));
    short.unwrap_or(lower).replace('/', ".")
}

fn metric_part(metric: &str) -> String {
    let kept = kept(metric);
    let run = kept.bytes().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).count();
    // A lone capital is lowered; of a longer run the last one stays, it begins the next word.
    let lowered = if run > 1 { run - 1 } else { run };
    let (head, tail) = kept.split_at(lowered);
    head.to_ascii_lowercase() + tail
}

fn kept(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// Longest dimension key.
const DIMENSION_KEY_MAX: usize = 100;

/// A dimension key as the official libraries normalise it: lower case, one underscore for each run
/// of what may not be there, empty sections gone. Nothing may be left of it.
pub fn dimension_key(name: &str) -> String {
    let lower = name.to_lowercase();
    let sections = lower.split('.').filter(|section| !section.is_empty());
    let joined = sections.map(section).collect::<Vec<_>>().join(".");
    joined.chars().take(DIMENSION_KEY_MAX).collect()
}

fn section(text: &str) -> String {
    let mut out = String::new();
    let mut in_bad_run = false;
    for (n, c) in text.chars().enumerate() {
        let body = c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | ':');
        let first = c.is_ascii_lowercase() || c == '_';
        if first || (n > 0 && body) {
            in_bad_run = false;
            out.push(c);
            continue;
        }
        if !in_bad_run {
            out.push('_');
        }
        // What is only wrong in front does not begin a run: `000` becomes `_00`.
        in_bad_run = !body;
    }
    out
}

/// The identity of a line: its key and its dimensions, but for those in the space of Dynatrace
/// itself (`dt.source`, `dt.entity.*`), which do not come from CloudWatch.
pub fn identity_of_line(key: &str, dimensions: &[(String, String)]) -> String {
    let own = dimensions.iter().filter(|(name, _)| !name.starts_with("dt."));
    identity(&[key], own.map(|(name, value)| (name.as_str(), value.as_str())))
}

/// The identity that a point must have at Dynatrace.
pub fn identity_of(point: &Point<'_>) -> String {
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or("");
    let names: Vec<&str> = point.dimensions.iter().map(|(name, _)| text(name)).collect();
    let key = metric_key(text(point.namespace), text(point.name), &names);
    let mut dimensions = vec![
        ("aws.account.id".to_owned(), text(point.account).to_owned()),
        ("aws.region".to_owned(), text(point.region).to_owned()),
    ];
    for (name, value) in point.dimensions {
        if !value.is_empty() {
            dimensions.push((dimension_key(text(name)), text(value).to_owned()));
        }
    }
    identity_of_line(&key, &dimensions)
}

#[cfg(test)]
mod tests;
