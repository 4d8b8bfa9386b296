use metric::{Dimension, Point, Shapes};
use proptest::prelude::*;

use super::{Decision, Filter, Selection};

fn point<'a>(
    (namespace, name): (&'a str, &'a str),
    dimensions: &'a [Dimension<'a>],
    (account, region): (&'a str, &'a str),
) -> Point<'a> {
    Point {
        account: account.as_bytes(),
        region: region.as_bytes(),
        dimensions,
        start_ns: 1,
        ..Point::of(namespace.as_bytes(), name.as_bytes())
    }
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn named(namespace: &str, names: &[&str]) -> Filter {
    Filter {
        namespace: Some(namespace.to_owned()),
        metric_names: texts(names),
        ..Filter::default()
    }
}

fn with_dimension(name: &str, values: &[&str]) -> Filter {
    Filter { dimensions: vec![(name.to_owned(), texts(values))], ..Filter::default() }
}

/// Decides each point three times: new, remembered, and without a shape.
#[track_caller]
fn check(include: &[Filter], exclude: &[Filter], points: &[(Point<'_>, Option<&str>)]) {
    let mut selection = Selection::compile(include.to_vec(), exclude.to_vec()).expect("compiles");
    let mut shapes = Shapes::new();
    for (point, expect) in points.iter().chain(points) {
        for shape in [shapes.intern(point), None] {
            let rule = match selection.decide(point, shape) {
                Decision::Keep => None,
                Decision::Filtered(rule) => Some(selection.rules()[rule].as_str()),
            };
            assert_eq!(rule, *expect, "{}", metric::text(point.name));
        }
    }
}

const EC2: (&str, &str) = ("AWS/EC2", "CPUUtilization");
const HERE: (&str, &str) = ("111122223333", "eu-west-1");

/// *Scenario:* no filter at all.
/// *Guarantees:* everything is kept and there is no rule to count.
#[test]
fn no_filter_keeps_all() {
    check(&[], &[], &[(point(EC2, &[], HERE), None)]);
    assert!(Selection::compile(vec![], vec![]).expect("compiles").rules().is_empty());
}

/// *Scenario:* include filters with and without metric names meet equal, other and almost equal names.
/// *Guarantees:* names are compared exactly and with case, no prefix and no wildcard matches, and
/// what is left out is counted as `not_included`.
#[test]
fn include_is_exact() {
    let not = Some("not_included");
    check(
        &[named("AWS/ECS", &["CPUUtilization", "MemoryUtilization"]), named("AWS/EC2", &[])],
        &[],
        &[
            (point(("AWS/ECS", "CPUUtilization"), &[], HERE), None),
            (point(("AWS/ECS", "MemoryUtilization"), &[], HERE), None),
            (point(("AWS/ECS", "Other"), &[], HERE), not),
            (point(("AWS/ECS", "cpuutilization"), &[], HERE), not),
            (point(("AWS/ECS", "CPUUtilization2"), &[], HERE), not),
            (point(("aws/ecs", "CPUUtilization"), &[], HERE), not),
            (point(("AWS/ECS/Sub", "CPUUtilization"), &[], HERE), not),
            (point(("AWS/EC2", "Anything"), &[], HERE), None),
        ],
    );
    let star = point(("AWS/EC2", "CPU"), &[], HERE);
    check(&[named("AWS/*", &[])], &[], &[(star, not)]);
    check(&[named("AWS/EC2", &["*"])], &[], &[(star, not)]);
}

/// *Scenario:* exclude filters that overlap.
/// *Guarantees:* the first filter that matches gives its name to the counter.
#[test]
fn exclude_names_the_first_match() {
    check(
        &[],
        &[named("AWS/EC2", &["NetworkIn"]), named("AWS/EC2", &[]), with_dimension("Env", &[])],
        &[
            (point(("AWS/EC2", "NetworkIn"), &[(b"Env", b"x")], HERE), Some("exclude[0]")),
            (point(("AWS/EC2", "NetworkOut"), &[(b"Env", b"x")], HERE), Some("exclude[1]")),
            (point(("AWS/S3", "NetworkOut"), &[(b"Env", b"x")], HERE), Some("exclude[2]")),
            (point(("AWS/S3", "NetworkOut"), &[(b"env", b"x")], HERE), None),
        ],
    );
}

/// *Scenario:* filters on dimension, account and region; the same shape comes with other values.
/// *Guarantees:* what is remembered of a shape never hides a value, and all parts must match.
#[test]
fn values_are_looked_at_each_time() {
    let filter = Filter {
        namespace: Some("AWS/EC2".to_owned()),
        dimensions: vec![
            ("Env".to_owned(), texts(&["prod", "stage"])),
            ("Id".to_owned(), Vec::new()),
        ],
        accounts: texts(&["111122223333"]),
        regions: texts(&["eu-west-1", "eu-north-1"]),
        ..Filter::default()
    };
    let not = Some("not_included");
    check(
        &[filter],
        &[],
        &[
            (point(EC2, &[(b"Env", b"prod"), (b"Id", b"1")], HERE), None),
            (point(EC2, &[(b"Env", b"stage"), (b"Id", b"2")], HERE), None),
            (point(EC2, &[(b"Env", b"dev"), (b"Id", b"1")], HERE), not),
            (point(EC2, &[(b"Id", b"1")], HERE), not),
            (point(EC2, &[(b"Env", b"prod")], HERE), not),
            (point(EC2, &[(b"Env", b"prod"), (b"Id", b"1")], ("999", "eu-west-1")), not),
            (point(EC2, &[(b"Env", b"prod"), (b"Id", b"1")], (HERE.0, "us-east-1")), not),
        ],
    );
}

/// *Scenario:* an exclude filter that looks at values stands before one that does not.
/// *Guarantees:* the order of filters decides, not which of them is cheap to ask.
#[test]
fn order_holds_between_values_and_names() {
    check(
        &[],
        &[with_dimension("Env", &["prod"]), named("AWS/EC2", &[]), with_dimension("Env", &["dev"])],
        &[
            (point(EC2, &[(b"Env", b"prod")], HERE), Some("exclude[0]")),
            (point(EC2, &[(b"Env", b"dev")], HERE), Some("exclude[1]")),
            (point(("X", "y"), &[(b"Env", b"dev")], HERE), Some("exclude[2]")),
            (point(("X", "y"), &[(b"Env", b"other")], HERE), None),
        ],
    );
}

/// *Scenario:* a dimension that comes twice with different values.
/// *Guarantees:* one allowed value is enough.
#[test]
fn one_of_two_equal_dimensions_is_enough() {
    let twice: [Dimension<'_>; 2] = [(b"Env", b"dev"), (b"Env", b"prod")];
    check(&[with_dimension("Env", &["prod"])], &[], &[(point(EC2, &twice, HERE), None)]);
}

/// *Scenario:* settings that CloudWatch would refuse, and 1,200 names, which it would refuse too.
/// *Guarantees:* the message names the filter and what is wrong; our filters have no limit of names.
#[test]
fn wrong_filters_are_refused() {
    let long = "n".repeat(256);
    for (include, exclude, expect) in [
        (vec![named("A", &[])], vec![named("B", &[])], "include and exclude cannot both be given"),
        (vec![named("", &[])], vec![], "include[0]: a namespace is empty"),
        (
            vec![],
            vec![named("A", &[]), named(":x", &[])],
            "exclude[1]: namespace \":x\" begins with a colon",
        ),
        (vec![named("A", &["ok", ""])], vec![], "include[0]: a metric name is empty"),
        (
            vec![named("A", &[&long])],
            vec![],
            "include[0]: a metric name of 256 characters is longer than 255: \"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\"",
        ),
        (vec![with_dimension("", &["x"])], vec![], "include[0]: a dimension has no name"),
    ] {
        assert_eq!(Selection::compile(include, exclude).err().as_deref(), Some(expect));
    }
    let names: Vec<String> = (0..1200).map(|at| format!("metric{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    check(&[named("A", &names)], &[], &[(point(("A", "metric1199"), &[], HERE), None)]);
}

/// *Scenario:* more shapes than a table of shapes takes, in a selection that remembers.
/// *Guarantees:* a point without a shape number is decided the same.
#[test]
fn points_past_the_table_are_decided() {
    let mut selection =
        Selection::compile(vec![named("A", &["n8300", "n1"])], vec![]).expect("compiles");
    let mut shapes = Shapes::new();
    for at in 0..8400 {
        let name = format!("n{at}");
        let point = point(("A", &name), &[], HERE);
        let kept = selection.decide(&point, shapes.intern(&point)) == Decision::Keep;
        assert_eq!(kept, at == 8300 || at == 1);
    }
}

/// The rule of the words, without any cleverness.
fn naive(include: &[Filter], exclude: &[Filter], point: &Point<'_>) -> Option<usize> {
    let is = |list: &[String], text: &[u8]| {
        list.is_empty() || list.iter().any(|entry| entry.as_bytes() == text)
    };
    let matches = |filter: &Filter| {
        filter.namespace.as_ref().is_none_or(|namespace| namespace.as_bytes() == point.namespace)
            && is(&filter.metric_names, point.name)
            && is(&filter.accounts, point.account)
            && is(&filter.regions, point.region)
            && filter.dimensions.iter().all(|(name, values)| {
                point.dimensions.iter().any(|(n, v)| *n == name.as_bytes() && is(values, v))
            })
    };
    if include.is_empty() {
        exclude.iter().position(matches)
    } else {
        (!include.iter().any(matches)).then_some(0)
    }
}

/// One of a few words, so that matches are frequent.
fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "A"]).prop_map(str::to_owned)
}

fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(word(), 0..3)
}

fn filters() -> impl Strategy<Value = Vec<Filter>> {
    let filter = (
        prop::option::of(word()),
        words(),
        prop::collection::vec((word(), words()), 0..3),
        words(),
        words(),
    );
    let filter = filter.prop_map(|(namespace, metric_names, dimensions, accounts, regions)| {
        Filter { namespace, metric_names, dimensions, accounts, regions }
    });
    prop::collection::vec(filter, 0..4)
}

proptest! {
    /// *Scenario:* any filters and any points over a few words, shapes shared between points.
    /// *Guarantees:* every decision, first, remembered and without a shape, is that of the plain rule.
    #[test]
    fn decisions_are_those_of_the_plain_rule(
        filters in filters(),
        include in any::<bool>(),
        points in prop::collection::vec(
            (word(), word(), prop::collection::vec((word(), word()), 0..3), word(), word()),
            1..20,
        ),
    ) {
        let (include, exclude) = if include { (filters, vec![]) } else { (vec![], filters) };
        let mut selection =
            Selection::compile(include.clone(), exclude.clone()).expect("compiles");
        let mut shapes = Shapes::new();
        for (namespace, name, dimensions, account, region) in points.iter().chain(&points) {
            let dimensions: Vec<Dimension<'_>> =
                dimensions.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
            let point = point((namespace, name), &dimensions, (account, region));
            let expect =
                naive(&include, &exclude, &point).map_or(Decision::Keep, Decision::Filtered);
            let shape = shapes.intern(&point);
            prop_assert_eq!(selection.decide(&point, shape), expect);
            prop_assert_eq!(selection.decide(&point, None), expect);
        }
    }
}
