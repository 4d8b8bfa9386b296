//! Filters of streams, and what the metric stream must carry.

use std::path::Path;

use super::{Filters, union};
use crate::settings::{self, Environment};

/// Streams as `name: filters` lines; the answer as text, then the notes.
fn check(streams: &str) -> (String, Vec<String>) {
    let mut text =
        "sources: { a: { type: firehose, listen: '127.0.0.1:1' } }\nstreams:\n".to_owned();
    for line in streams.lines() {
        let (name, filters) = line.trim().split_once(": ").expect("a name and filters");
        text.push_str(&format!(
            "  {name}: {{ source: a, destination: {{ type: blackhole }}, {filters} }}\n"
        ));
    }
    let settings = settings::check(&text, Path::new("x"), &Environment::default());
    let settings = settings.unwrap_or_else(|problems| panic!("{text}{:?}", problems.list));
    let (filters, notes) = union(&settings.streams.iter().collect::<Vec<_>>(), "Hydrant filters");
    (written(&filters), notes)
}

fn written(filters: &Filters) -> String {
    let (word, names) = match filters {
        Filters::All => return "all".to_owned(),
        Filters::Include(names) => ("include", names),
        Filters::Exclude(names) => ("exclude", names),
    };
    let each = names.iter().map(|(namespace, names)| match names {
        None => format!(" {namespace}"),
        Some(names) => format!(" {namespace}({})", names.join(",")),
    });
    format!("{word}{}", each.collect::<String>())
}

/// *Scenario:* one stream, and several, with filters that CloudWatch can express.
/// *Guarantees:* includes are united, excludes intersected, and who wants everything gets it.
#[test]
fn union_of_streams() {
    let cases = [
        ("s: include: []", "all"),
        ("s: include: [{namespace: B}, {namespace: A, metric_names: [y, x]}]", "include A(x,y) B"),
        (
            "s: include: [{namespace: A, metric_names: [x]}, {namespace: A, metric_names: [w, x]}]",
            "include A(w,x)",
        ),
        ("s: include: [{namespace: A, metric_names: [x]}, {namespace: A}]", "include A"),
        ("s: include: [{namespace: A}]\nt: include: [{namespace: B}]", "include A B"),
        ("s: include: [{namespace: A}]\nt: include: []", "all"),
        ("s: exclude: [{namespace: A}]", "exclude A"),
        ("s: exclude: [{namespace: A}, {namespace: B}]\nt: exclude: [{namespace: B}]", "exclude B"),
        (
            "s: exclude: [{namespace: A}]\nt: exclude: [{namespace: A, metric_names: [x]}]",
            "exclude A(x)",
        ),
        (
            "s: exclude: [{namespace: A, metric_names: [x]}]\n\
             t: exclude: [{namespace: A, metric_names: [y]}]",
            "all",
        ),
        ("s: exclude: [{namespace: A}]\nt: include: [{namespace: A, metric_names: [x]}]", "all"),
        ("s: exclude: [{namespace: A}, {namespace: B}]\nt: include: [{namespace: A}]", "exclude B"),
    ];
    for (streams, expected) in cases {
        assert_eq!(check(streams).0, expected, "{streams}");
    }
}

/// *Scenario:* filters by dimensions, accounts, regions, or without a namespace.
/// *Guarantees:* the metric stream is never narrower than the stream, and each is told.
#[test]
fn what_cloudwatch_cannot_express_is_left_to_hydrant() {
    let cases = [
        ("s: include: [{namespace: A, dimensions: {d: v}}]", "include A", "dimensions"),
        ("s: include: [{namespace: A, accounts: ['111122223333']}]", "include A", "accounts"),
        ("s: include: [{metric_names: [x]}]", "all", "names no namespace"),
        ("s: exclude: [{namespace: A, regions: [eu-west-1]}]", "all", "regions"),
        ("s: exclude: [{namespace: B}, {metric_names: [x]}]", "exclude B", "names no namespace"),
    ];
    for (streams, expected, note) in cases {
        let (filters, notes) = check(streams);
        assert_eq!(filters, expected, "{streams}");
        assert!(notes.iter().any(|one| one.contains(note)), "{streams}: {notes:?}");
        assert!(notes.iter().any(|one| one.starts_with("streams.s.")), "{notes:?}");
        assert!(notes.iter().all(|one| one.ends_with("; Hydrant filters")), "{notes:?}");
    }
}

/// *Scenario:* a filter of namespaces and names.
/// *Guarantees:* entries are counted as AWS counts them: each namespace and each name is one.
#[test]
fn entries_are_counted_as_aws_counts() {
    let names =
        [("A".to_owned(), None), ("B".to_owned(), Some(vec!["x".to_owned(), "y".to_owned()]))];
    assert_eq!(Filters::Include(names.into()).entries(), 4);
    assert_eq!(Filters::All.entries(), 0);
}
