//! `enrich:` of a stream: fixed attributes, resource tags, and who fetches them.

use std::path::PathBuf;
use std::time::Duration;

use delivery::{Destination, StreamConfig, sink};
use rules::{ArnRules, Enricher, Enrichment, Filter, Fixed, Tags};

use super::place::{readable_file, url};
use super::stream::Stream;
use super::{DAY, filter, optional};
use crate::cli::TagsFetchArgs;
use crate::settings::read::{At, Found, Report, Section, Spot};

/// Short, and `tag_Name` in Prometheus, as dashboards of polling exporters have it.
const PREFIX_DEFAULT: &str = "tag.";
/// Most bytes of a file of ARN rules: thousands of rules.
const RULES_BYTES_MAX: u64 = 1 << 20;

/// Tags change by the hour; a large account takes minutes to fetch.
const REFRESH_DEFAULT: Duration = Duration::from_secs(15 * 60);
const REFRESH_MIN: Duration = Duration::from_secs(60);

/// What a stream adds to its points; nothing by default. How its tags are fetched goes to `refresh`.
pub(super) fn enrichment(
    report: &Report,
    stream: &Section<'_>,
    refresh: &mut Option<TagsFetchArgs>,
) -> Option<Enrichment> {
    optional(stream.get("enrich"), Enrichment::default(), |at| {
        let section = at.section()?;
        let fixed = optional(section.get("attributes"), Vec::new(), |at| fixed(report, at));
        let tags = section.get("tags").map(|at| tags(report, &at, refresh));
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

/// Says when the form of the destination has no place for what is added.
pub(super) fn warn_if_lost(report: &Report, spot: &Spot, config: &StreamConfig) {
    let is_cloudwatch = matches!(
        &config.destination,
        Destination::Fixed(sink::Config::HttpEndpoint(_) | sink::Config::S3(_))
    );
    if is_cloudwatch && config.enrich != Enrichment::default() {
        let rule = "adds attributes, and the records of CloudWatch have no place for them";
        let hint = "remove enrich, and enrich where the records are read";
        report.warning(spot, rule, Some(hint.to_owned()));
    }
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
    let pairs = at.named_texts()?;
    if pairs.is_empty() {
        report.error(&at.spot(), "adds nothing", Some("name at least one attribute".to_owned()));
        return None;
    }
    Some(pairs)
}

fn tags(report: &Report, at: &At<'_>, refresh: &mut Option<TagsFetchArgs>) -> Option<Tags> {
    let section = at.section()?;
    let hint = "the snapshot that hydrant tags fetch --output writes";
    let file = section.need_text("file", hint);
    let keys = section
        .need("keys", "the keys of the tags to add, for instance [Name, team]")
        .and_then(|at| keys(report, &at));
    let prefix = optional(section.get("prefix"), PREFIX_DEFAULT.to_owned(), prefix);
    let rules = optional(section.get("rules_file"), ArnRules::built_in(), |at| rules(report, at));
    let fetched = section.get("refresh").map(|at| fetched(report, &at));
    section.finish();
    let file = file?;
    let keys = keys?;
    if let Some(fetched) = fetched {
        let output = PathBuf::from(&file.value);
        *refresh = Some(TagsFetchArgs { output, keys: keys.clone(), ..fetched? });
    } else if let Err(error) = std::fs::metadata(&file.value) {
        let rule = format!("cannot be read yet: {error}");
        let hint = "hydrant tags fetch --output writes it; until then there are no tags";
        report.warning(&file.spot, rule, Some(hint.to_owned()));
    }
    Some(Tags { file: PathBuf::from(file.value), keys, prefix: prefix?, rules: rules? })
}

/// `refresh`: how this process fetches the snapshot itself.
fn fetched(report: &Report, at: &At<'_>) -> Option<TagsFetchArgs> {
    let section = at.section()?;
    let every =
        optional(section.get("every"), REFRESH_DEFAULT, |at| at.duration(REFRESH_MIN..=DAY));
    let regions = section.get("regions").map(|at| texts(&at)).unwrap_or_default();
    let types = section.get("types").map(|at| texts(&at)).unwrap_or_default();
    let profile = section.text("profile");
    let role_arns = section.get("role_arns").map(|at| texts(&at)).unwrap_or_default();
    let external_id = optional(section.get("external_id"), None, |at| Some(at.secret()));
    let endpoint = optional(section.get("endpoint_url"), None, |at| Some(url(report, at)));
    let ca_file = optional(section.get("ca_file"), None, |at| Some(readable_file(at)));
    section.finish();
    Some(TagsFetchArgs {
        output: PathBuf::new(),
        region: regions,
        profile: profile.map(|found| found.value),
        role_arn: role_arns,
        external_id: external_id?.map(|found| found.value),
        types,
        keys: Vec::new(),
        every: Some(every?),
        endpoint_url: endpoint?.map(|found| found.value),
        ca_file: ca_file?.map(|found| found.value),
    })
}

fn texts(at: &At<'_>) -> Vec<String> {
    at.texts().into_iter().map(|found| found.value).collect()
}

/// The snapshots this process fetches: each file once, as the first stream says that names it, with
/// the keys of every stream that reads it.
pub(super) fn refreshes(streams: &[Stream]) -> Vec<TagsFetchArgs> {
    let mut all: Vec<TagsFetchArgs> = Vec::new();
    for refresh in streams.iter().filter_map(|stream| stream.refresh.as_ref()) {
        if !all.iter().any(|known| known.output == refresh.output) {
            all.push(refresh.clone());
        }
    }
    let read = streams.iter().filter_map(|stream| stream.config.as_ref()?.enrich.tags.as_ref());
    for tags in read {
        for refresh in all.iter_mut().filter(|refresh| refresh.output == tags.file) {
            let new = tags.keys.iter().filter(|key| !refresh.keys.contains(key));
            let new: Vec<String> = new.cloned().collect();
            refresh.keys.extend(new);
        }
    }
    all
}

const KEYS_HINT: &str = "name the tags to add; all of them would be a dimension each";

fn keys(report: &Report, at: &At<'_>) -> Option<Vec<String>> {
    let found = at.texts();
    if found.is_empty() {
        report.error(&at.spot(), "names no tag", Some(KEYS_HINT.to_owned()));
        return None;
    }
    let mut keys: Vec<String> = Vec::with_capacity(found.len());
    for Found { value, spot } in found {
        if value.contains('*') {
            let rule = "is not the key of a tag: AWS allows no * in one";
            report.error(&spot, rule, Some(KEYS_HINT.to_owned()));
            return None;
        }
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
    let found = readable_file(at)?;
    if at.is_elsewhere() {
        return Some(ArnRules::built_in());
    }
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
