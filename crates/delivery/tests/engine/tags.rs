//! Tags: a snapshot that changes while the stream runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use delivery::{Stats, Stream};
use rules::{Enrichment, Filter, Fixed, Tags};

use super::queues;
use crate::world::{MINUTE_MS, World, delivered, wait_until};

/// A world with a snapshot file and a clock that can be put forward.
struct Tagged {
    world: World,
    ahead_ms: Arc<AtomicI64>,
    stats: Arc<Stats>,
    stream: Stream,
}

impl Tagged {
    fn new(name: &str, snapshot: Option<&str>) -> Tagged {
        let world = World::new(name);
        let file = world.dir.join("tags.json");
        if let Some(team) = snapshot {
            std::fs::write(&file, body(team, 0)).unwrap();
        }
        let mut config = world.config("s");
        config.enrich = Enrichment {
            fixed: vec![Fixed {
                when: Filter { accounts: vec!["111122223333".into()], ..Filter::default() },
                attributes: vec![
                    ("environment".into(), "production".into()),
                    ("QueueName".into(), "never".into()),
                ],
            }],
            tags: Some(Tags {
                file,
                keys: vec!["team".into()],
                prefix: "tag.".into(),
                rules: rules::ArnRules::built_in(),
            }),
        };
        let stats = Arc::<Stats>::default();
        let mut parts = world.parts(&stats);
        let ahead_ms = Arc::<AtomicI64>::default();
        let (clock, ahead) = (Arc::clone(&parts.steady), Arc::clone(&ahead_ms));
        parts.steady = Arc::new(move || clock() + ahead.load(Ordering::Relaxed));
        let sink = delivery::sink::Config::Dynatrace(world.dynatrace());
        let stream = Stream::start(config, &sink, parts).unwrap();
        Tagged { world, ahead_ms, stats, stream }
    }

    /// Puts another file in the place of the snapshot, as `hydrant tags fetch` does, and waits until
    /// the stream has looked at it.
    fn put(&self, text: &str, seen: impl Fn(&delivery::TagState) -> bool) {
        let part = self.world.dir.write("part", text);
        std::fs::rename(part, self.world.dir.join("tags.json")).unwrap();
        self.ahead_ms.fetch_add(31_000, Ordering::Relaxed);
        wait_until("the file is looked at", || self.stats.tags().is_some_and(|tags| seen(&tags)));
    }

    /// Delivers the point of one queue; its line.
    fn line(&self, queue: u32) -> String {
        let before = delivered(&self.stats);
        self.world.deliver(&queues(queue..queue + 1, MINUTE_MS), true);
        wait_until("the point", || delivered(&self.stats) == before + 1);
        let name = format!("queuename=\"q-{queue}\"");
        self.world.lines.all().into_iter().find(|line| line.contains(&name)).unwrap()
    }
}

/// A snapshot that was fetched so many minutes after eleven.
fn body(team: &str, minute: u32) -> String {
    let queue = |n: u32| {
        format!(r#""arn:aws:sqs:eu-west-1:111122223333:q-{n}":{{"team":"{team}","x":"y"}}"#)
    };
    let queues: Vec<String> = (0..10).map(queue).collect();
    format!(
        r#"{{"version":1,"regions":[{{"fetched_at":"2026-11-20T11:{minute:02}:00Z","resources":{{{}}}}}]}}"#,
        queues.join(",")
    )
}

/// Scenario: points with and without a resource in the snapshot; the file is replaced by a good one,
/// a broken one, and a good one again, while the stream runs.
/// Guarantees: lines carry fixed attributes and tags, a dimension is never replaced; a good file is
/// used from the next delivery on, a broken one changes nothing and is told; what was found is counted.
#[test]
fn a_snapshot_is_replaced_while_running() {
    let tagged = Tagged::new("tags-replaced", Some("shop"));
    let ends = |line: &str, added: &str| {
        assert!(line.contains(&format!("{added},dt.source=")), "{line}");
    };
    ends(&tagged.line(1), "environment=\"production\",tag.team=\"shop\"");
    let far = tagged.line(11);
    ends(&far, "environment=\"production\"");
    assert!(!far.contains("tag.team") && !far.contains("never"), "{far}");

    tagged.put(&body("data", 1), |tags| tags.fetched_ms == Some(1_795_172_460_000));
    ends(&tagged.line(2), "tag.team=\"data\"");

    tagged.put("{", |tags| tags.failure.is_some());
    ends(&tagged.line(3), "tag.team=\"data\"");
    let failure = tagged.stats.tags().unwrap().failure.unwrap();
    assert!(failure.contains("tags.json") && failure.contains("line 1"), "{failure}");

    tagged.put(&body("ops", 2), |tags| tags.failure.is_none());
    ends(&tagged.line(4), "tag.team=\"ops\"");
    let points = delivered(&tagged.stats);
    wait_until("the counters", || {
        let tags = tagged.stats.tags().unwrap();
        tags.matched + 1 == points && tags.unmatched == 1
    });
    assert_eq!(tagged.stats.tags().unwrap().fetched_ms, Some(1_795_172_520_000));
    wait_until("the losses", || tagged.stats.losses()["attributes_shadowed"] == points);
    assert!(tagged.stream.join());
}

/// Scenario: the snapshot is missing at the start, and appears later.
/// Guarantees: the stream delivers without tags and says what to do; then with them.
#[test]
fn a_snapshot_may_come_later() {
    let tagged = Tagged::new("tags-later", None);
    let line = tagged.line(1);
    assert!(line.contains("environment=\"production\",dt.source="), "{line}");
    wait_until("it is told", || {
        let failure = tagged.stats.tags().and_then(|tags| tags.failure);
        failure.is_some_and(|text| text.contains("hydrant tags fetch"))
    });
    tagged.put(&body("shop", 0), |tags| tags.resources == 10 && tags.failure.is_none());
    assert!(tagged.line(2).contains("tag.team=\"shop\""));
    assert!(tagged.stream.join());
}
