//! The table of polled keys and what each becomes on a metric stream.

use std::collections::HashMap;

use delivery::sink::dynatrace::stream_key;

const TABLE: &str = include_str!("dynatrace.tsv");

/// What values a polled key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statistic {
    /// Minimum, maximum and average, as a stream's gauge has them.
    Multi,
    /// The sum of each period.
    Sum,
    /// The key does not say; an average at least.
    Unnamed,
}

/// What is known of a polled key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The same metric with the same dimensions.
    Rewrite { to: String, statistic: Statistic },
    /// A likely counterpart, and why it is not certain.
    Report { to: String, why: &'static str },
    /// No counterpart, and why.
    Nothing { why: &'static str },
}

/// The rules by polled key.
pub(super) struct Table {
    rules: HashMap<&'static str, Rule>,
}

impl Table {
    /// The table that ships; the error is a line of it that is wrong.
    pub(super) fn new() -> Result<Table, String> {
        let mut rules = HashMap::new();
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let (key, rule) = rule(line).ok_or_else(|| format!("the table is broken: {line}"))?;
            if rules.insert(key, rule).is_some() {
                return Err(format!("the table has {key} twice"));
            }
        }
        Ok(Table { rules })
    }

    pub(super) fn find(&self, key: &str) -> Option<&Rule> {
        self.rules.get(key)
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = (&&'static str, &Rule)> {
        self.rules.iter()
    }
}

fn rule(line: &'static str) -> Option<(&'static str, Rule)> {
    let cells: Vec<&'static str> = line.split('\t').collect();
    let [key, namespace, metric, dimensions, statistic, rule, why] = cells[..] else {
        return None;
    };
    let dimensions: Vec<&str> =
        if dimensions == "-" { Vec::new() } else { dimensions.split(',').collect() };
    let to = || stream_key(namespace, metric, &dimensions);
    let statistic = match statistic {
        "Multi" => Some(Statistic::Multi),
        "Sum" => Some(Statistic::Sum),
        "Unnamed" => Some(Statistic::Unnamed),
        _ => None,
    };
    let rule = match rule {
        "rewrite" => Rule::Rewrite { to: to(), statistic: statistic? },
        "report" => Rule::Report { to: to(), why },
        "none" => Rule::Nothing { why },
        _ => return None,
    };
    Some((key, rule))
}
