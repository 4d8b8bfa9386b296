//! Alert rules, dashboard and runbook, held against the metrics that the admin port really has.

use std::collections::{BTreeMap, BTreeSet};

use hydrant::admin::{METRICS, metrics_text};
use hydrant::run::{
    ApiReport, CursorReport, FoldReport, JournalReport, ObjectsReport, Report, SourceReport,
    StreamReport, TagsReport, TopicReport, UploadsReport,
};

const RULES: &str = include_str!("../../../packaging/prometheus/hydrant.rules.yml");
const RULE_TESTS: &str = include_str!("../../../packaging/prometheus/hydrant.rules.test.yml");
const DASHBOARD: &str = include_str!("../../../packaging/grafana/hydrant.json");
const RUNBOOK: &str = include_str!("../../../docs/runbook.md");
const METRICS_PAGE: &str = include_str!("../../../docs/metrics.md");

/// Labels that a scrape adds, and one that belongs to alerts.
const OF_THE_SCRAPE: [&str; 4] = ["instance", "job", "alertname", "alertstate"];

fn one<V: Default + From<u8>>(name: &str) -> BTreeMap<String, V> {
    BTreeMap::from([(name.to_owned(), V::from(1))])
}

/// A report in which everything that can be told is there.
fn full_report() -> Report {
    let fold = FoldReport { left_out: one("too_old"), ..FoldReport::default() };
    let api = ApiReport {
        metric_streams: BTreeMap::from([("m".to_owned(), true)]),
        updates: one("m"),
        unsent: one("m"),
        fold,
        ..ApiReport::default()
    };
    let objects = ObjectsReport {
        objects: one("read"),
        messages: one("deleted"),
        oldest_message_seconds: Some(1.0),
        ..ObjectsReport::default()
    };
    let source = |name: &str| SourceReport {
        name: name.to_owned(),
        rejected: one("busy"),
        certificate_ends_s: Some(1),
        ..SourceReport::default()
    };
    // Each kind of source has counters of its own.
    let sources = vec![
        source("aws"),
        SourceReport { objects: Some(objects), ..source("archive") },
        SourceReport { api: Some(api), ..source("cloud") },
    ];
    let tags =
        TagsReport { age_seconds: Some(1.0), points: one("matched"), ..TagsReport::default() };
    let uploads = UploadsReport { outcomes: one("failed"), ..UploadsReport::default() };
    let stream = StreamReport {
        name: "s".to_owned(),
        filtered: one("rule"),
        quarantined: one("too_old"),
        losses: one("kind"),
        requests: one("delivered"),
        tags: Some(tags),
        uploads: Some(uploads),
        data_age_seconds: Some(1.0),
        ..StreamReport::default()
    };
    let topic = TopicReport { name: "aws".to_owned(), ..TopicReport::default() };
    let journal = JournalReport { topics: vec![topic], ..JournalReport::default() };
    let forgotten =
        CursorReport { name: "old".to_owned(), topic: "aws".to_owned(), ..CursorReport::default() };
    Report {
        journal,
        sources,
        streams: vec![stream],
        forgotten: vec![forgotten],
        ..Report::default()
    }
}

/// The labels of every metric, as the admin port writes them.
fn real_labels() -> BTreeMap<String, BTreeSet<String>> {
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let text = metrics_text(&full_report());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, _value) = line.rsplit_once(' ').expect("a sample has a value");
        let (name, inside) = series.split_once('{').unwrap_or((series, ""));
        let names = inside.trim_end_matches('}').split("\",").filter_map(|l| l.split_once("=\""));
        let found = labels.entry(name.to_owned()).or_default();
        found.extend(names.map(|(name, _)| name.to_owned()));
    }
    labels
}

/// The expressions of the rules: each ends where the next key begins.
fn rule_expressions() -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = RULES.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(expression) = line.trim_start().strip_prefix("expr: ") else { continue };
        let mut expression = expression.trim_start_matches(">-").to_owned();
        while let Some(more) = lines.next_if(|next| next.starts_with("          ")) {
            expression.push(' ');
            expression.push_str(more.trim());
        }
        found.push(expression);
    }
    found
}

/// Every expression and query of the dashboard.
fn dashboard_expressions() -> Vec<String> {
    fn walk(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(members) => {
                for (key, value) in members {
                    match value.as_str() {
                        Some(text) if key == "expr" || key == "definition" => {
                            found.push(text.to_owned());
                        }
                        _ => walk(value, found),
                    }
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(&serde_json::from_str(DASHBOARD).expect("the dashboard is JSON"), &mut found);
    found
}

/// Metrics of an expression, each with the labels in its braces; and all labels it groups by.
fn used(expression: &str) -> (Vec<(String, BTreeSet<String>)>, BTreeSet<String>) {
    let mut metrics = Vec::new();
    let mut rest = expression;
    while let Some(at) = rest.find("hydrant_") {
        rest = rest.split_at(at).1;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let inside = after.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let labels = inside.map_or("", |(inside, _)| inside).split("\",").filter_map(|matcher| {
            let end = matcher.find(['=', '!'])?;
            Some(matcher.get(..end)?.trim_matches([',', ' ']).to_owned())
        });
        metrics.push((name.to_owned(), labels.collect()));
        rest = after;
    }
    let mut grouped = BTreeSet::new();
    for word in ["by (", "on ("] {
        for part in expression.split(word).skip(1) {
            let names = part.split(')').next().unwrap_or("").split(',');
            grouped.extend(names.map(|name| name.trim().to_owned()));
        }
    }
    (metrics, grouped)
}

fn alerts() -> Vec<&'static str> {
    RULES.lines().filter_map(|line| line.trim_start().strip_prefix("- alert: ")).collect()
}

/// *Scenario:* every expression of rules and dashboard beside what `/metrics` writes.
/// *Guarantees:* each metric exists, with every label that is asked of it or grouped by.
#[test]
fn only_what_is_there_is_asked() {
    let real = real_labels();
    let expressions: Vec<String> =
        rule_expressions().into_iter().chain(dashboard_expressions()).collect();
    assert!(expressions.len() > 40, "{}", expressions.len());
    for expression in &expressions {
        let (metrics, grouped) = used(expression);
        assert!(!metrics.is_empty(), "{expression}");
        for (name, labels) in metrics {
            let known = real.get(&name).unwrap_or_else(|| panic!("no {name}: {expression}"));
            for label in labels.iter().chain(&grouped) {
                let there = known.contains(label) || OF_THE_SCRAPE.contains(&label.as_str());
                assert!(there, "{name} has no label {label}: {expression}");
            }
        }
    }
}

/// *Scenario:* the page of metrics beside what `/metrics` writes.
/// *Guarantees:* every metric can be told, and its labels are those of docs/metrics.md.
#[test]
fn labels_are_documented() {
    let real = real_labels();
    for (name, _kind, _help) in METRICS {
        let found = real.get(*name).unwrap_or_else(|| panic!("the full report lacks {name}"));
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        let rows = METRICS_PAGE.lines().filter_map(|line| line.strip_prefix("| `"));
        let told = rows.filter_map(|row| row.split_once('`')).map(|(told, _)| told);
        let of_name = |told: &&str| told.split('{').next() == Some(*name);
        let told = told.into_iter().find(of_name).unwrap_or_else(|| panic!("{name}"));
        let inside = told.split_once('{').map_or("", |(_, inside)| inside.trim_end_matches('}'));
        let mut told: Vec<&str> = inside.split(',').filter(|label| !label.is_empty()).collect();
        told.sort_unstable();
        assert_eq!(told, found, "labels of {name}");
    }
}

/// *Scenario:* every alert.
/// *Guarantees:* it has a severity, a section in the runbook to which it links, and a rule test that
/// sees it fire or stay silent; and no section is about an alert that is gone.
#[test]
fn every_alert_has_its_section() {
    let alerts = alerts();
    assert!(alerts.len() > 15);
    for alert in &alerts {
        let (_, rule) = RULES.split_once(&format!("- alert: {alert}\n")).expect("it is there");
        let rule = rule.split("- alert: ").next().unwrap_or("");
        let anchor = format!("docs/runbook.md#{}\n", alert.to_lowercase());
        assert!(rule.contains(&anchor), "{alert} does not link to its section");
        assert!(rule.contains("severity: critical") || rule.contains("severity: warning"));
        assert!(RUNBOOK.contains(&format!("\n## {alert}\n")), "no section for {alert}");
    }
    let sections = RUNBOOK.lines().filter_map(|line| line.strip_prefix("## "));
    for section in sections {
        assert!(alerts.contains(&section), "no alert {section}");
    }
    let fire = format!("exp_samples: [ {{ value: {} }} ]", alerts.len() - 1);
    assert!(RULE_TESTS.contains(&fire), "the rule tests do not see every alert fire");
}

/// *Scenario:* links within the runbook.
/// *Guarantees:* each leads to a section.
#[test]
fn links_of_the_runbook_lead_somewhere() {
    for part in RUNBOOK.split("](#").skip(1) {
        let anchor = part.split(')').next().unwrap_or("");
        assert!(alerts().iter().any(|alert| alert.to_lowercase() == anchor), "{anchor}");
    }
}
