//! `enrich:` of a stream: fixed attributes, and resource tags.

use std::path::PathBuf;

use rules::{ArnRules, Enricher, Enrichment, Filter, Fixed, Tags};

use super::{filter, optional};
use crate::settings::read::{At, Found, Report, Section};

/// Short, and `tag_Name` in Prometheus, as dashboards of polling exporters have it.
const PREFIX_DEFAULT: &str = "tag.";
/// Most bytes of a file of ARN rules: thousands of rules.
const RULES_BYTES_MAX: u64 = 1 << 20;

/// What a stream adds to its points; nothing by default.
pub(super) fn enrichment(report: &Report, stream: &Section<'_>) -> Option<Enrichment> {
    optional(stream.get("enrich"), Enrichment::default(), |at| {
        let section = at.section()?;
        let fixed = optional(section.get("attributes"), Vec::new(), |at| fixed(report, at));
        let tags = section.get("tags").map(|at| tags(report, &at));
        section.finish();
        let enrichment =
            Enrichment { fixed: fixed?, tags: tags.map_or(Some(None), |t| t.map(Some))? };
        if let Err(fragment) = Enricher::compile(&enrichment) {
            report.error(&at.spot(), fragment, None);
            return None;
        }
        Some(enrichment)
    })
}

/// The list of fixed attributes, each with its filter.
fn fixed(report: &Report, at: &At<'_>) -> Option<Vec<Fixed>> {
    let items = at.list()?;
    let read = |at: &At<'_>| {
        let section = at.section()?;
        let when =
            optional(section.get("when"), Filter::default(), |at| filter::filter(report, at));
        let hint = "name the attributes to add: set: { environment: production }";
        let attributes = section.need("set", hint).and_then(|at| pairs(report, &at));
        section.finish();
        Some(Fixed { when: when?, attributes: attributes? })
    };
    let fixed: Vec<Fixed> = items.iter().filter_map(read).collect();
    (fixed.len() == items.len()).then_some(fixed)
}

fn pairs(report: &Report, at: &At<'_>) -> Option<Vec<(String, String)>> {
    let named = at.named()?;
    if named.is_empty() {
        report.error(&at.spot(), "adds nothing", Some("name at least one attribute".to_owned()));
        return None;
    }
    let count = named.len();
    let pair = |(name, at): (Found<String>, At<'_>)| Some((name.value, at.text()?.value));
    let pairs: Vec<_> = named.into_iter().filter_map(pair).collect();
    (pairs.len() == count).then_some(pairs)
}

fn tags(report: &Report, at: &At<'_>) -> Option<Tags> {
    let section = at.section()?;
    let hint = "the snapshot that hydrant tags fetch --output writes";
    let file = section.need_text("file", hint);
    let keys = section
        .need("keys", "the keys of the tags to add, for instance [Name, team]")
        .and_then(|at| keys(report, &at));
    let prefix = optional(section.get("prefix"), PREFIX_DEFAULT.to_owned(), prefix);
    let rules = optional(section.get("rules_file"), ArnRules::built_in(), |at| rules(report, at));
    section.finish();
    let file = file?;
    if let Err(error) = std::fs::metadata(&file.value) {
        let rule = format!("cannot be read yet: {error}");
        let hint = "hydrant tags fetch --output writes it; until then there are no tags";
        report.warning(&file.spot, rule, Some(hint.to_owned()));
    }
    Some(Tags { file: PathBuf::from(file.value), keys: keys?, prefix: prefix?, rules: rules? })
}

fn keys(report: &Report, at: &At<'_>) -> Option<Vec<String>> {
    let found = at.texts();
    if found.is_empty() {
        let hint = "name the tags to add; all of them would be a dimension each".to_owned();
        report.error(&at.spot(), "names no tag", Some(hint));
        return None;
    }
    let mut keys: Vec<String> = Vec::with_capacity(found.len());
    for Found { value, spot } in found {
        if keys.contains(&value) {
            report.error(&spot, "names this tag twice", None);
            return None;
        }
        keys.push(value);
    }
    Some(keys)
}

/// May be empty, unlike other texts: then tags have their own names.
fn prefix(at: &At<'_>) -> Option<String> {
    at.text_or_empty().map(|found| found.value)
}

fn rules(report: &Report, at: &At<'_>) -> Option<ArnRules> {
    let found = super::place::readable_file(at)?;
    let read = std::fs::metadata(&found.value).and_then(|metadata| {
        if metadata.len() > RULES_BYTES_MAX {
            return Err(std::io::Error::other("it is larger than 1 MiB"));
        }
        std::fs::read_to_string(&found.value)
    });
    let parsed = read.map_err(|error| error.to_string()).and_then(|text| ArnRules::parse(&text));
    match parsed {
        Ok(rules) => Some(rules.over(&ArnRules::built_in())),
        Err(problem) => {
            let hint = "docs/enrichment.md explains the rules".to_owned();
            report.error(&found.spot, problem, Some(hint));
            None
        }
    }
}
