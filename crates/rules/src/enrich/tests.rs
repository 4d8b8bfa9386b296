use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use metric::{Dimension, Point, Shapes};
use proptest::prelude::*;

use super::arn::BUILT_IN;
use super::{ArnRules, Counts, Enricher, Enrichment, Fixed, TagSnapshot, Tags};
use crate::Filter;

const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-west-1";

fn point<'a>(
    namespace: &'a str,
    dimensions: &'a [Dimension<'a>],
    (account, region): (&'a str, &'a str),
) -> Point<'a> {
    Point {
        account: account.as_bytes(),
        region: region.as_bytes(),
        dimensions,
        start_ns: 1,
        ..Point::of(namespace.as_bytes(), b"m")
    }
}

fn tags(keys: &[&str]) -> Tags {
    Tags {
        file: PathBuf::new(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        prefix: "tag.".to_owned(),
        rules: ArnRules::built_in(),
    }
}

fn fixed(when: Filter, attributes: &[(&str, &str)]) -> Fixed {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Fixed { when, attributes: attributes.iter().map(owned).collect() }
}

/// A snapshot of one region.
fn snapshot(tags: &Tags, resources: &[(&str, &[(&str, &str)])]) -> Arc<TagSnapshot> {
    let of = |tags: &[(&str, &str)]| -> BTreeMap<String, String> {
        tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let resources: BTreeMap<&str, _> =
        resources.iter().map(|(arn, tags)| (*arn, of(tags))).collect();
    let text = serde_json::json!({
        "version": 1,
        "regions": [{ "fetched_at": "2026-11-20T12:00:00Z", "resources": resources }],
    });
    Arc::new(TagSnapshot::parse(text.to_string().as_bytes(), tags).expect("a good snapshot"))
}

/// The attributes of a point as text, the same whether remembered or not.
#[track_caller]
fn attributes(enricher: &mut Enricher, shapes: &mut Shapes, point: &Point<'_>) -> String {
    let mut seen = Vec::new();
    let shape = shapes.intern(point);
    for shape in [None, shape, shape] {
        let mut out = Vec::new();
        enricher.enrich(point, shape, &mut out);
        let pairs = out.iter().map(|(k, v)| format!("{}={}", metric::text(k), metric::text(v)));
        seen.push(pairs.collect::<Vec<_>>().join(","));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    seen.remove(0)
}

#[track_caller]
fn check(
    enrichment: &Enrichment,
    snapshot: Option<Arc<TagSnapshot>>,
    cases: &[(Point<'_>, &str)],
) -> Counts {
    let mut enricher = Enricher::compile(enrichment).expect("compiles");
    if let Some(snapshot) = snapshot {
        enricher.set_snapshot(snapshot);
    }
    let mut shapes = Shapes::new();
    for (point, expect) in cases {
        assert_eq!(attributes(&mut enricher, &mut shapes, point), *expect);
    }
    enricher.counts()
}

const HERE: (&str, &str) = (ACCOUNT, REGION);

/// *Scenario:* fixed attributes for all, for an account, a region, a namespace, a dimension's value.
/// *Guarantees:* each is added where its filter matches and nowhere else; of one name the later wins.
#[test]
fn fixed_attributes_follow_their_filters() {
    let enrichment = Enrichment {
        fixed: vec![
            fixed(Filter::default(), &[("env", "dev"), ("owner", "all")]),
            fixed(
                Filter { accounts: vec![ACCOUNT.into()], ..Filter::default() },
                &[("env", "prod")],
            ),
            fixed(
                Filter { regions: vec!["us-east-1".into()], ..Filter::default() },
                &[("site", "virginia")],
            ),
            fixed(
                Filter {
                    namespace: Some("AWS/ECS".into()),
                    dimensions: vec![("ClusterName".into(), vec!["canary".into()])],
                    ..Filter::default()
                },
                &[("env", "canary")],
            ),
        ],
        tags: None,
    };
    let (prod, canary): ([Dimension<'_>; 1], [Dimension<'_>; 1]) =
        ([(b"ClusterName", b"prod")], [(b"ClusterName", b"canary")]);
    check(
        &enrichment,
        None,
        &[
            (point("AWS/EC2", &[], ("999", REGION)), "env=dev,owner=all"),
            (point("AWS/EC2", &[], HERE), "env=prod,owner=all"),
            (point("AWS/EC2", &[], (ACCOUNT, "us-east-1")), "env=prod,owner=all,site=virginia"),
            (point("AWS/ECS", &prod, HERE), "env=prod,owner=all"),
            (point("AWS/ECS", &canary, HERE), "env=canary,owner=all"),
            (point("AWS/EKS", &canary, HERE), "env=prod,owner=all"),
            (point("AWS/EC2", &[], ("", "")), "env=dev,owner=all"),
        ],
    );
}

/// *Scenario:* tags of resources, one without the tag, one with an empty one, one that is unknown; a
/// fixed attribute of the same name.
/// *Guarantees:* only chosen keys are added, a tag wins over the fixed attribute, which is what is
/// left where there is no tag; what was found is counted.
#[test]
fn tags_are_added_by_arn() {
    let tags = tags(&["team", "Name"]);
    let arn = |id: &str| format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{id}");
    let snapshot = snapshot(
        &tags,
        &[
            (&arn("i-1"), &[("Name", "web \u{e9}"), ("team", "shop"), ("secret", "x")]),
            (&arn("i-2"), &[("Name", "db")]),
            (&arn("i-3"), &[("team", ""), ("Name", "")]),
            // What a point without an account must not meet.
            (&arn("i-1").replace(ACCOUNT, ""), &[("team", "stranger")]),
        ],
    );
    assert_eq!((snapshot.resources(), snapshot.fetched_ms()), (4, Some(1_795_176_000_000)));
    let enrichment = Enrichment {
        fixed: vec![fixed(Filter::default(), &[("tag.team", "nobody")])],
        tags: Some(tags),
    };
    let ids: Vec<[Dimension<'_>; 1]> =
        [b"i-1", b"i-2", b"i-3", b"i-4"].map(|id| [(&b"InstanceId"[..], &id[..])]).to_vec();
    let counts = check(
        &enrichment,
        Some(snapshot),
        &[
            (point("AWS/EC2", &ids[0], HERE), "tag.team=shop,tag.Name=web \u{e9}"),
            (point("AWS/EC2", &ids[1], HERE), "tag.team=nobody,tag.Name=db"),
            (point("AWS/EC2", &ids[2], HERE), "tag.team=nobody"),
            (point("AWS/EC2", &ids[3], HERE), "tag.team=nobody"),
            (point("AWS/EC2", &ids[0], ("", REGION)), "tag.team=nobody"),
            (point("AWS/EC2", &ids[0], (ACCOUNT, "eu-west-2")), "tag.team=nobody"),
            (point("Custom", &ids[0], HERE), "tag.team=nobody"),
        ],
    );
    // Each case looks three times.
    let expect = Counts { matched: 9, unmatched: 9, no_rule: 3, shadowed: 0 };
    assert_eq!(counts, expect);
}

/// *Scenario:* attributes with the name of a dimension the point has.
/// *Guarantees:* the dimension stays, the attribute is left out and counted.
#[test]
fn a_dimension_is_never_replaced() {
    let enrichment = Enrichment {
        fixed: vec![fixed(Filter::default(), &[("env", "prod"), ("team", "shop")])],
        tags: None,
    };
    let dimensions: [Dimension<'_>; 1] = [(b"env", b"mine")];
    let point = point("A", &dimensions, HERE);
    let counts = check(&enrichment, None, &[(point, "team=shop")]);
    assert_eq!(counts.shadowed, 3);
}

/// *Scenario:* a target group and its load balancer, an ECS service and its cluster.
/// *Guarantees:* the more specific resource gives the tags; where it has none in the snapshot, the next.
#[test]
fn the_most_specific_resource_wins() {
    let tags = tags(&["t"]);
    let elb = format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}");
    let snapshot = snapshot(
        &tags,
        &[
            (&format!("{elb}:targetgroup/a/1"), &[("t", "group")]),
            (&format!("{elb}:loadbalancer/app/lb/1"), &[("t", "balancer")]),
            (&format!("arn:aws:ecs:{REGION}:{ACCOUNT}:service/c/new"), &[("t", "new")]),
            (&format!("arn:aws:ecs:{REGION}:{ACCOUNT}:service/old"), &[("t", "old")]),
            (&format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/c"), &[("t", "cluster")]),
        ],
    );
    let alb = |group: &'static [u8]| -> [Dimension<'static>; 2] {
        [(b"TargetGroup", group), (b"LoadBalancer", b"app/lb/1")]
    };
    let ecs = |service: &'static [u8]| -> [Dimension<'static>; 2] {
        [(b"ServiceName", service), (b"ClusterName", b"c")]
    };
    let (known, other) = (alb(b"targetgroup/a/1"), alb(b"targetgroup/b/2"));
    let (new, old, gone) = (ecs(b"new"), ecs(b"old"), ecs(b"gone"));
    check(
        &Enrichment { fixed: Vec::new(), tags: Some(tags) },
        Some(snapshot),
        &[
            (point("AWS/ApplicationELB", &known, HERE), "tag.t=group"),
            (point("AWS/ApplicationELB", &other, HERE), "tag.t=balancer"),
            (point("AWS/ECS", &new, HERE), "tag.t=new"),
            (point("AWS/ECS", &old, HERE), "tag.t=old"),
            (point("AWS/ECS", &gone, HERE), "tag.t=cluster"),
        ],
    );
}

/// *Scenario:* every example of `arn_examples.txt`, alone in a snapshot, and its point.
/// *Guarantees:* each rule makes the ARN that AWS writes, in each partition; no rule is untried.
#[test]
fn every_rule_makes_the_arn_of_its_example() {
    let mut tried = std::collections::BTreeSet::new();
    for line in include_str!("tests/arn_examples.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts: Vec<&str> = line.split(" | ").collect();
        let [namespace, region, dimensions, arn] = parts[..] else { panic!("{line}") };
        let pairs = dimensions.split(", ").map(|pair| pair.split_once('=').expect("name=value"));
        let dimensions: Vec<Dimension<'_>> =
            pairs.map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let point = point(namespace, &dimensions, (ACCOUNT, region));

        let tags = tags(&["t"]);
        let snapshot = snapshot(&tags, &[(arn, &[("t", "found")])]);
        let made: Vec<usize> = tags
            .rules
            .candidates(&point)
            .iter()
            .filter_map(|candidate| {
                let mut made = Vec::new();
                let found = tags.rules.make(candidate, &point, &mut made)
                    && snapshot.tags_of(&made).is_some();
                found.then(|| candidate.rule())
            })
            .collect();
        assert_eq!(made.len(), 1, "{line}: {made:?}");
        tried.extend(made);
    }
    assert_eq!(tried.len(), ArnRules::built_in().len(), "a rule has no example");
    assert!(ArnRules::parse(BUILT_IN).is_ok() && ArnRules::built_in().len() > 100);
}

/// *Scenario:* two clusters of one name, told apart only by an id that no dimension tells.
/// *Guarantees:* neither's tags are given; a resource that is listed twice is not two.
#[test]
fn a_shared_name_matches_nobody() {
    let tags = tags(&["t"]);
    let arn =
        |name: &str, id: &str| format!("arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/{name}/{id}");
    let text = serde_json::json!({ "version": 1, "regions": [
        { "fetched_at": "2026-11-20T12:00:00Z", "resources": {
            arn("two", "a"): { "t": "a" }, arn("two", "b"): { "t": "b" }, arn("one", "c"): { "t": "c" },
        } },
        { "fetched_at": "2026-11-20T11:00:00Z", "resources": { arn("one", "c"): { "t": "c" } } },
    ] });
    let snapshot = TagSnapshot::parse(text.to_string().as_bytes(), &tags).expect("good");
    assert_eq!((snapshot.resources(), snapshot.fetched_ms()), (3, Some(1_795_172_400_000)));
    let (one, two): ([Dimension<'_>; 1], [Dimension<'_>; 1]) =
        ([(b"Cluster Name", b"one")], [(b"Cluster Name", b"two")]);
    check(
        &Enrichment { fixed: Vec::new(), tags: Some(tags) },
        Some(Arc::new(snapshot)),
        &[(point("AWS/Kafka", &one, HERE), "tag.t=c"), (point("AWS/Kafka", &two, HERE), "")],
    );
}

/// *Scenario:* rules of one's own for a namespace that is known and one that is not.
/// *Guarantees:* they replace those of their namespaces and leave the others.
#[test]
fn own_rules_stand_over_the_built_in_ones() {
    let own =
        "# mine\nAWS/EC2 arn:{partition}:ec2:{region}:{account}:vpc/{VpcId}\n\n My App/x  {Arn}\n";
    let rules = ArnRules::parse(own).expect("good").over(&ArnRules::built_in());
    assert_eq!(rules.len(), ArnRules::built_in().len() + 1);
    let dims: [Dimension<'_>; 3] = [(b"InstanceId", b"i"), (b"VpcId", b"v"), (b"Arn", b"arn:a")];
    let made = |namespace: &str| {
        let point = point(namespace, &dims, HERE);
        let mut arns = Vec::new();
        for candidate in &rules.candidates(&point) {
            let mut arn = Vec::new();
            assert!(rules.make(candidate, &point, &mut arn));
            arns.push(String::from_utf8(arn).expect("text"));
        }
        arns.join(" ")
    };
    assert_eq!(made("AWS/EC2"), format!("arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/v"));
    assert_eq!(made("My App/x"), "arn:a");
    assert_eq!(made("CWAgent"), format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i"));
}

/// *Scenario:* rules, attributes and snapshots with a mistake each.
/// *Guarantees:* the message says where it is and what is wrong.
#[test]
fn mistakes_are_named() {
    for (text, expect) in [
        ("AWS/EC2", "line 1: \"AWS/EC2\" is not a namespace and an ARN pattern behind it"),
        (
            "\n arn:aws:{x}",
            "line 2: \"arn:aws:{x}\" is not a namespace and an ARN pattern behind it",
        ),
        ("A arn:aws:s3:::b", "line 1: the pattern names no dimension"),
        ("A arn:{", "line 1: a { without its }"),
        ("A arn:}x{y}", "line 1: a } without its {"),
        ("A arn:{}", "line 1: a hole {} without a name"),
        ("A arn:{x|upper}", "line 1: {x|upper}: only |lower can stand behind a name"),
        ("A arn:*{x}", "line 1: * may only stand at the end, behind a /"),
        ("A arn:{x}/*", "line 1: a pattern with * begins with arn:{partition}:"),
        ("A {1}{2}{3}{4}{5}{6}{7}{8}{9}", "line 1: the pattern names more than 8 dimensions"),
    ] {
        assert_eq!(ArnRules::parse(text).err().as_deref(), Some(expect), "{text}");
    }
    let many: Vec<String> = (0..51).map(|n| format!("n{n}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "v")).collect();
    let with = |attributes: &[(&str, &str)]| Enrichment {
        fixed: vec![fixed(Filter::default(), attributes)],
        tags: None,
    };
    for (enrichment, expect) in [
        (with(&[("a", "")]), "attributes[0]: \"a\" has no value"),
        (with(&[("", "x")]), "attributes[0]: an attribute has no name"),
        (with(&many), "attributes[0]: more than 50 different names"),
        (
            with(&[("Namespace", "x")]),
            "attributes[0]: \"Namespace\" is a name that every point has already",
        ),
        (Enrichment { fixed: Vec::new(), tags: Some(tags(&[""])) }, "tags: a key is empty"),
    ] {
        assert_eq!(Enricher::compile(&enrichment).err().as_deref(), Some(expect));
    }
    for (text, expect) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{}", "has no version: not a snapshot of hydrant tags fetch"),
        ("{\"version\": 2}", "version 2 is not one this release reads; fetch it anew"),
        ("{\"version\": 1} x", "trailing characters at line 1 column 16"),
        (
            "{\"version\": 1, \"regions\": [{\"fetched_at\": \"today\"}]}",
            "fetched_at: \"today\" is not an instant (RFC 3339) at line 1 column 50",
        ),
        (
            "{\"version\": 1, \"regions\": [{\"resources\": {\"a\": {\"t\": 3}}}]}",
            "invalid type: integer `3`, expected a text at line 1 column 54",
        ),
        (
            "[]",
            "invalid type: sequence, expected a snapshot of tags: an object with version and regions at line 1 column 0",
        ),
    ] {
        let error = TagSnapshot::parse(text.as_bytes(), &tags(&["t"])).err();
        assert_eq!(error.as_deref(), Some(expect), "{text}");
    }
}

/// *Scenario:* a snapshot is put in the place of another, read for other keys in another order.
/// *Guarantees:* names and values stay with each other.
#[test]
fn another_snapshot_takes_over() {
    let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:q");
    let resources: &[(&str, &[(&str, &str)])] = &[(&arn, &[("a", "1"), ("b", "2"), ("c", "3")])];
    let chosen = tags(&["a", "b"]);
    let mut enricher =
        Enricher::compile(&Enrichment { fixed: Vec::new(), tags: Some(chosen) }).expect("ok");
    let dims: [Dimension<'_>; 1] = [(b"QueueName", b"q")];
    let (point, mut shapes) = (point("AWS/SQS", &dims, HERE), Shapes::new());
    assert_eq!(attributes(&mut enricher, &mut shapes, &point), "");
    for keys in [&["a", "b"][..], &["c", "b", "a"], &["b"], &[]] {
        enricher.set_snapshot(snapshot(&tags(keys), resources));
        let expect: Vec<String> = [("a", 1), ("b", 2)]
            .into_iter()
            .filter(|(key, _)| keys.contains(key))
            .map(|(key, value)| format!("tag.{key}={value}"))
            .collect();
        assert_eq!(attributes(&mut enricher, &mut shapes, &point), expect.join(","));
    }
}

/// *Scenario:* more shapes than a table of shapes takes.
/// *Guarantees:* a point without a shape number gets the same.
#[test]
fn points_past_the_table_are_enriched() {
    let enrichment = Enrichment {
        fixed: vec![fixed(
            Filter { accounts: vec![ACCOUNT.into()], ..Filter::default() },
            &[("env", "prod")],
        )],
        tags: None,
    };
    let mut enricher = Enricher::compile(&enrichment).expect("compiles");
    let mut shapes = Shapes::new();
    for at in 0..8300 {
        let namespace = format!("n{at}");
        let here = if at % 2 == 0 { HERE } else { ("9", REGION) };
        let (point, mut out) = (point(&namespace, &[], here), Vec::new());
        enricher.enrich(&point, shapes.intern(&point), &mut out);
        assert_eq!(out.len(), usize::from(at % 2 == 0));
    }
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "AWS/EC2", "InstanceId", "QueueName", "AWS/SQS", ""])
        .prop_map(str::to_owned)
}

proptest! {
    /// *Scenario:* any bytes where rules or a snapshot should be.
    /// *Guarantees:* an answer, never a panic.
    #[test]
    fn any_bytes_get_an_answer(
        text in ".{0,80}",
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        cut in 0..400_usize,
    ) {
        drop(ArnRules::parse(&text));
        drop(ArnRules::parse(&format!("A {{{text}}}")));
        let tags = tags(&["t"]);
        drop(TagSnapshot::parse(&bytes, &tags));
        let mut whole = br#"{"version":1,"fetched_at":"x","regions":[{"account":"1","region":"r",
            "fetched_at":"2026-11-20T12:00:00Z","resources":{"arn:aws:kafka:r:1:cluster/x/y":
            {"t":"\u00e9","u":"v"}}}]}"#.to_vec();
        whole.truncate(cut);
        drop(TagSnapshot::parse(&whole, &tags));
        if let Some(byte) = whole.get_mut(cut / 2) {
            *byte = bytes.first().copied().unwrap_or(b'"');
        }
        drop(TagSnapshot::parse(&whole, &tags));
    }

    /// *Scenario:* any points over a few words and any bytes, shapes shared between points.
    /// *Guarantees:* remembered or not, the attributes are the same; never one of a dimension's name.
    #[test]
    fn remembered_attributes_are_the_plain_ones(
        points in prop::collection::vec(
            (word(), prop::collection::vec((word(), prop::collection::vec(any::<u8>(), 0..4)), 0..3), word(), word()),
            1..20,
        ),
        whens in prop::collection::vec((word(), word()), 0..4),
    ) {
        let tags = tags(&["a", "b"]);
        let snapshot = snapshot(&tags, &[("arn:aws:sqs:a:b:a", &[("a", "x")])]);
        let when = |(account, set): &(String, String)| fixed(
            Filter { accounts: vec![account.clone()], ..Filter::default() },
            &[(if set.is_empty() { "e" } else { set }, "v")],
        );
        let enrichment =
            Enrichment { fixed: whens.iter().map(when).collect(), tags: Some(tags) };
        let mut enricher = Enricher::compile(&enrichment).expect("compiles");
        enricher.set_snapshot(snapshot);
        let mut shapes = Shapes::new();
        for (namespace, dimensions, account, region) in points.iter().chain(&points) {
            let dimensions: Vec<Dimension<'_>> =
                dimensions.iter().map(|(n, v)| (n.as_bytes(), v.as_slice())).collect();
            let point = point(namespace, &dimensions, (account, region));
            let text = attributes(&mut enricher, &mut shapes, &point);
            for (name, _) in &dimensions {
                let name = format!("{}=", metric::text(name));
                prop_assert!(!text.split(',').any(|pair| pair.starts_with(&name) && name != "="));
            }
        }
    }
}
