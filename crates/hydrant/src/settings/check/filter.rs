//! `include:` and `exclude:`.

use rules::{Filter, Selection};

use crate::settings::read::{At, Found, Report, Section};

/// Both lists of a stream.
pub(super) struct Filters {
    pub(super) include: Vec<Filter>,
    pub(super) exclude: Vec<Filter>,
}

/// `include` and `exclude` of a stream, which exclude each other.
pub(super) fn filters(report: &Report, stream: &Section<'_>) -> Option<Filters> {
    let include = list(report, stream, "include");
    let exclude = list(report, stream, "exclude");
    let both = |one: &Option<Vec<_>>| one.as_ref().is_some_and(|list| !list.is_empty());
    if both(&include) && both(&exclude) {
        let hint = "as in CloudWatch: keep one of the two, or make two streams".to_owned();
        let rule = "include and exclude cannot both be given";
        report.error(&stream.spot_of("exclude"), rule, Some(hint));
        return None;
    }
    let (include, exclude) = (include?, exclude?);
    let key = if include.is_empty() { "exclude" } else { "include" };
    if let Err(fragment) = Selection::compile(include.clone(), exclude.clone()) {
        report.error(&stream.spot_of(key), fragment, None);
        return None;
    }
    Some(Filters { include, exclude })
}

fn list(report: &Report, stream: &Section<'_>, key: &'static str) -> Option<Vec<Filter>> {
    let Some(at) = stream.get(key) else { return Some(Vec::new()) };
    let items = at.list()?;
    let filters: Vec<Filter> = items.iter().filter_map(|at| filter(report, at)).collect();
    (filters.len() == items.len()).then_some(filters)
}

/// One filter.
pub(super) fn filter(report: &Report, at: &At<'_>) -> Option<Filter> {
    let section = at.section()?;
    let namespace = section.text("namespace");
    let metric_names = texts(&section, "metric_names");
    let dimensions = section.get("dimensions").map(|at| dimensions(&at));
    let accounts = section.get("accounts").map(|at| accounts(report, &at));
    let regions = texts(&section, "regions");
    let spot = section.spot();
    section.finish();
    let filter = Filter {
        namespace: namespace.map(|found| found.value),
        metric_names,
        dimensions: dimensions.unwrap_or(Some(Vec::new()))?,
        accounts: accounts.unwrap_or(Some(Vec::new()))?,
        regions,
    };
    if filter == Filter::default() {
        let hint = "name a namespace, metric_names, dimensions, accounts or regions".to_owned();
        report.error(&spot, "a filter that selects everything", Some(hint));
        return None;
    }
    Some(filter)
}

fn texts(section: &Section<'_>, key: &'static str) -> Vec<String> {
    let found = section.get(key).map(|at| at.texts()).unwrap_or_default();
    found.into_iter().map(|found| found.value).collect()
}

/// Name to one value, or several; an empty list asks only that the dimension is there.
fn dimensions(at: &At<'_>) -> Option<Vec<(String, Vec<String>)>> {
    let named = at.named()?;
    let values = |at: &At<'_>| at.texts().into_iter().map(|found| found.value).collect();
    Some(named.into_iter().map(|(name, at)| (name.value, values(&at))).collect())
}

fn accounts(report: &Report, at: &At<'_>) -> Option<Vec<String>> {
    let found = at.texts();
    let wrong: Vec<&Found<String>> = found.iter().filter(|found| !is_account(found)).collect();
    for account in &wrong {
        let hint = "keep its leading zeros".to_owned();
        report.error(&account.spot, "an account id has 12 digits", Some(hint));
    }
    wrong.is_empty().then(|| found.into_iter().map(|found| found.value).collect())
}

fn is_account(found: &Found<String>) -> bool {
    found.value.len() == 12 && found.value.bytes().all(|byte| byte.is_ascii_digit())
}
