//! One filter, and what it says about a point.
//!
//! Owns the split between what depends on a shape alone (namespace, metric name, which dimensions
//! there are) and what depends on values (their values, account, region).

use metric::Point;

/// One filter of `include:` or `exclude:`. Empty lists select all. A point matches when all parts match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Exact namespace; `None` matches any.
    pub namespace: Option<String>,
    /// Exact metric names; empty matches any.
    pub metric_names: Vec<String>,
    /// Dimension name to allowed values; an empty value list means the dimension must be there. All must hold.
    pub dimensions: Vec<(String, Vec<String>)>,
    /// Owning accounts; empty matches any.
    pub accounts: Vec<String>,
    /// Regions; empty matches any.
    pub regions: Vec<String>,
}

/// Longest namespace or metric name that CloudWatch has, in characters.
const NAME_LENGTH_MAX: usize = 255;

/// What a filter says about a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    No,
    Yes,
    /// The shape matches, and values are to be looked at.
    Depends,
}

/// A filter with its lists sorted for search.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    namespace: Option<String>,
    metric_names: Vec<String>,
    dimensions: Vec<(String, Vec<String>)>,
    accounts: Vec<String>,
    regions: Vec<String>,
}

impl Matcher {
    /// Checks and sorts a filter.
    pub(crate) fn compile(filter: Filter) -> Result<Self, String> {
        let Filter { namespace, mut metric_names, mut dimensions, mut accounts, mut regions } =
            filter;
        if let Some(namespace) = &namespace {
            check_name("namespace", namespace)?;
            if namespace.starts_with(':') {
                return Err(format!("namespace {namespace:?} begins with a colon"));
            }
        }
        for name in &metric_names {
            check_name("metric name", name)?;
        }
        for (name, values) in &mut dimensions {
            if name.is_empty() {
                return Err("a dimension has no name".to_owned());
            }
            values.sort_unstable();
        }
        metric_names.sort_unstable();
        accounts.sort_unstable();
        regions.sort_unstable();
        Ok(Self { namespace, metric_names, dimensions, accounts, regions })
    }

    /// What the names alone decide.
    pub(crate) fn matches_shape(&self, point: &Point<'_>) -> Match {
        let namespace = self.namespace.as_ref();
        let same_names = namespace.is_none_or(|namespace| namespace.as_bytes() == point.namespace)
            && allows(&self.metric_names, point.name);
        let has = |name: &str| point.dimensions.iter().any(|(key, _)| *key == name.as_bytes());
        if !same_names || !self.dimensions.iter().all(|(name, _)| has(name)) {
            return Match::No;
        }
        let any_value = self.dimensions.iter().all(|(_, values)| values.is_empty());
        if any_value && self.accounts.is_empty() && self.regions.is_empty() {
            Match::Yes
        } else {
            Match::Depends
        }
    }

    /// The rest of the answer for a point whose shape matches.
    pub(crate) fn matches_values(&self, point: &Point<'_>) -> bool {
        let holds = |name: &str, values: &[String]| {
            point
                .dimensions
                .iter()
                .any(|(key, value)| *key == name.as_bytes() && allows(values, value))
        };
        allows(&self.accounts, point.account)
            && allows(&self.regions, point.region)
            && self.dimensions.iter().all(|(name, values)| holds(name, values))
    }
}

/// True when `wanted` is in the sorted list, or the list is empty.
fn allows(sorted: &[String], wanted: &[u8]) -> bool {
    sorted.is_empty() || sorted.binary_search_by(|entry| entry.as_bytes().cmp(wanted)).is_ok()
}

/// What the API demands of a namespace or metric name in a filter: 1 to 255 characters.
fn check_name(what: &str, name: &str) -> Result<(), String> {
    match name.chars().count() {
        0 => Err(format!("a {what} is empty")),
        1..=NAME_LENGTH_MAX => Ok(()),
        length => Err(format!(
            "a {what} of {length} characters is longer than {NAME_LENGTH_MAX}: {:?}",
            name.chars().take(40).collect::<String>()
        )),
    }
}
