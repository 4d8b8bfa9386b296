//! What a metric stream must carry so that every Hydrant stream behind it gets its points.
//!
//! CloudWatch knows namespaces and metric names, and either includes or excludes. What it cannot
//! express is left to Hydrant, which filters again: the answer is never narrower than the streams,
//! and a note says where it is wider.

use std::collections::BTreeMap;

use delivery::StreamConfig;
use rules::Filter;

/// AWS counts each namespace and each metric name.
pub const ENTRIES_MAX: usize = 1000;

/// Metric names by namespace; `None` is the whole namespace.
pub type Names = BTreeMap<String, Option<Vec<String>>>;

/// The filters of a metric stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filters {
    /// Every metric of account and region.
    All,
    /// These and no others.
    Include(Names),
    /// All but these.
    Exclude(Names),
}

impl Filters {
    /// How many entries AWS counts.
    pub fn entries(&self) -> usize {
        match self {
            Filters::All => 0,
            Filters::Include(names) | Filters::Exclude(names) => {
                names.values().map(|names| 1 + names.as_ref().map_or(0, Vec::len)).sum()
            }
        }
    }
}

/// The union of what the streams take, and what CloudWatch could not be told; `then` says who filters
/// behind it.
pub fn union(streams: &[&StreamConfig], then: &str) -> (Filters, Vec<String>) {
    let mut notes = Notes { then, list: Vec::new() };
    let mut included = Names::new();
    let mut excluded: Option<Names> = None;
    for stream in streams {
        if stream.include.is_empty() {
            let names = exclude(stream, &mut notes);
            excluded = Some(match excluded {
                None => names,
                Some(others) => both(&others, &names),
            });
            continue;
        }
        match include(stream, &mut notes) {
            Some(names) => {
                names.into_iter().for_each(|(key, value)| add(&mut included, key, value));
            }
            // A filter without namespace asks for any.
            None => excluded = Some(Names::new()),
        }
    }
    let filters = match excluded {
        None => Filters::Include(included),
        Some(mut excluded) => {
            excluded.retain(|namespace, _| !included.contains_key(namespace));
            if excluded.is_empty() { Filters::All } else { Filters::Exclude(excluded) }
        }
    };
    if filters == Filters::All && streams.iter().any(|stream| !stream.include.is_empty()) {
        notes
            .add("the metric stream carries every metric, since one of the streams takes them all");
    }
    (filters, notes.list)
}

/// What is said about filters.
struct Notes<'a> {
    then: &'a str,
    list: Vec<String>,
}

impl Notes<'_> {
    fn add(&mut self, what: &str) {
        self.list.push(format!("{what}; {}", self.then));
    }
}

/// What a stream includes; `None` when it needs every namespace.
fn include(stream: &StreamConfig, notes: &mut Notes<'_>) -> Option<Names> {
    let mut names = Names::new();
    let mut is_all = false;
    for (at, filter) in stream.include.iter().enumerate() {
        let place = format!("streams.{}.include[{at}]", stream.name);
        if let Some(keys) = beyond(filter) {
            notes.add(&format!("{place}: CloudWatch cannot filter by {keys}"));
        }
        match &filter.namespace {
            Some(namespace) => add(&mut names, namespace.clone(), named(filter)),
            None => {
                notes.add(&format!(
                    "{place} names no namespace, which CloudWatch needs: the metric stream carries all"
                ));
                is_all = true;
            }
        }
    }
    (!is_all).then_some(names)
}

/// What a stream excludes, as far as CloudWatch can.
fn exclude(stream: &StreamConfig, notes: &mut Notes<'_>) -> Names {
    let mut names = Names::new();
    for (at, filter) in stream.exclude.iter().enumerate() {
        let place = format!("streams.{}.exclude[{at}]", stream.name);
        match (&filter.namespace, beyond(filter)) {
            (Some(namespace), None) => add(&mut names, namespace.clone(), named(filter)),
            (None, _) => {
                notes.add(&format!("{place} names no namespace, which CloudWatch needs"));
            }
            (_, Some(keys)) => {
                notes.add(&format!("{place}: CloudWatch cannot filter by {keys}"));
            }
        }
    }
    names
}

/// The keys that CloudWatch's filters do not have.
fn beyond(filter: &Filter) -> Option<String> {
    let keys = [
        ("dimensions", filter.dimensions.is_empty()),
        ("accounts", filter.accounts.is_empty()),
        ("regions", filter.regions.is_empty()),
    ];
    let keys: Vec<&str> = keys.iter().filter(|(_, empty)| !empty).map(|(key, _)| *key).collect();
    (!keys.is_empty()).then(|| keys.join(" and "))
}

fn named(filter: &Filter) -> Option<Vec<String>> {
    (!filter.metric_names.is_empty()).then(|| filter.metric_names.clone())
}

fn add(names: &mut Names, namespace: String, new: Option<Vec<String>>) {
    let known = names.entry(namespace).or_insert_with(|| Some(Vec::new()));
    *known = match (known.take(), new) {
        (Some(mut known), Some(new)) => {
            known.extend(new);
            known.sort_unstable();
            known.dedup();
            Some(known)
        }
        _ => None,
    };
}

/// What both leave out.
fn both(one: &Names, other: &Names) -> Names {
    let mut names = Names::new();
    for (namespace, mine) in one {
        let Some(theirs) = other.get(namespace) else { continue };
        let common = match (mine, theirs) {
            (None, common) | (common, None) => common.clone(),
            (Some(mine), Some(theirs)) => {
                Some(mine.iter().filter(|name| theirs.contains(name)).cloned().collect())
            }
        };
        // An empty list would mean the whole namespace.
        if common.as_ref().is_none_or(|names| !names.is_empty()) {
            names.insert(namespace.clone(), common);
        }
    }
    names
}

#[cfg(test)]
mod tests;
