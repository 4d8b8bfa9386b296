//! Which records and items are taken.

use super::{Ages, Scales, Weighed, Wish, contains, matches};
use crate::replay::kept::{Kept, Kind, item_id};
use crate::replay::ledger::Ledger;

const NOW_MS: i64 = 1_795_180_000_000;

/// Points of two namespaces in turn, each minute older by one, and a piece that is none.
fn kept(undelivered: &[(u32, u32)]) -> Kept {
    let mut data = String::new();
    for n in 0..6_i64 {
        let namespace = if n % 2 == 0 { "AWS/SQS" } else { "AWS/ECS" };
        let time = NOW_MS - n * 60_000;
        data.push_str(&format!(
            r#"{{"metric_stream_name":"m","account_id":"1","region":"r","namespace":"{namespace}","metric_name":"N","dimensions":{{"Q":"{n}"}},"timestamp":{time},"value":{{"max":1.0,"min":1.0,"sum":1.0,"count":1.0}},"unit":"Count"}}
"#
        ));
    }
    data.push_str("{\"metric_name\":7}\n");
    Kept {
        kind: Kind::Hydrant,
        data: data.into_bytes(),
        code: "HttpEndpoint.RequestTimeout".to_owned(),
        arrival_ms: NOW_MS,
        stream: "s".to_owned(),
        data_id: "1.0".to_owned(),
        undelivered: undelivered.to_vec(),
        source: String::new(),
        source_arn: String::new(),
        request_id: String::new(),
        attributes: Vec::new(),
    }
}

fn weigh(kept: &Kept, wish: &Wish, ledger: Option<&Ledger>) -> Weighed {
    let ages = Ages { limit_ms: Some(150_000), now_ms: NOW_MS };
    Scales::new().weigh(kept, wish, ages, ledger)
}

/// *Scenario:* a record with everything asked for, one namespace, only recent points, and half of
/// it delivered already.
/// *Guarantees:* the ranges name exactly the items to put back, and the others are counted by reason.
#[test]
fn items_are_chosen() {
    let all = weigh(&kept(&[]), &Wish::default(), None);
    assert!(all.whole && all.only == [(0, 7)], "{all:?}");
    assert_eq!((all.points, all.rejects, all.too_old), (6, 1, 3));

    let ecs = Wish { namespaces: vec!["AWS/ECS".to_owned()], ..Wish::default() };
    let some = weigh(&kept(&[]), &ecs, None);
    assert!(!some.whole && some.only == [(1, 2), (3, 4), (5, 6)], "{some:?}");
    assert_eq!((some.points, some.filtered, some.too_old), (3, 3, 2));

    let recent = Wish { skip_older_ms: Some(150_000), ..Wish::default() };
    let some = weigh(&kept(&[]), &recent, None);
    assert!(!some.whole && some.only == [(0, 3), (6, 7)], "{some:?}");
    assert_eq!((some.points, some.skipped, some.too_old), (3, 3, 3));

    let half = weigh(&kept(&[(1, 3), (4, 7)]), &Wish::default(), None);
    assert!(half.whole && half.only == [(1, 3), (4, 7)] && half.points == 4, "{half:?}");
    let both = weigh(&kept(&[(1, 3), (4, 7)]), &ecs, None);
    assert!(both.only == [(1, 2), (5, 6)] && both.filtered == 2, "{both:?}");
}

/// *Scenario:* one namespace of a record was put back; then the whole is asked for, twice over.
/// *Guarantees:* only the rest is put back, and with `--again` all of it.
#[test]
fn an_item_is_put_back_once_whatever_was_asked_before() {
    let dir = testkit::TempDir::new("pick");
    let mut ledger = Ledger::open(&dir.join("l")).unwrap();
    let record = kept(&[]);
    ledger.note_parts().unwrap();
    for item in [1, 3, 5] {
        ledger.note(item_id(record.id(), item)).unwrap();
    }
    let rest = weigh(&record, &Wish::default(), Some(&ledger));
    assert!(rest.only == [(0, 1), (2, 3), (4, 5), (6, 7)] && rest.already == 3, "{rest:?}");
    let again = Wish { again: true, ..Wish::default() };
    assert!(weigh(&record, &again, Some(&ledger)).whole);
}

/// *Scenario:* filters of whole records.
/// *Guarantees:* from is inclusive, until is not; codes are patterns; streams are names.
#[test]
fn records_are_chosen() {
    let takes = |wish: Wish| wish.takes(&kept(&[]));
    assert!(takes(Wish::default()));
    assert!(takes(Wish { from_ms: Some(NOW_MS), ..Wish::default() }));
    assert!(!takes(Wish { until_ms: Some(NOW_MS), ..Wish::default() }));
    assert!(!takes(Wish { from_ms: Some(NOW_MS + 1), ..Wish::default() }));
    let codes = |codes: &[&str]| {
        takes(Wish { codes: codes.iter().map(|c| (*c).to_owned()).collect(), ..Wish::default() })
    };
    assert!(codes(&["Lambda.*", "HttpEndpoint.*"]) && !codes(&["Lambda.*"]));
    assert!(!takes(Wish { streams: vec!["t".to_owned()], ..Wish::default() }));
}

/// *Scenario:* patterns that match and that do not, with many stars.
/// *Guarantees:* the meaning of a shell's `*` and `?`, in linear time for what people can type.
#[test]
fn patterns() {
    for (pattern, text) in
        [("*", ""), ("a*c", "abc"), ("a*c", "ac"), ("?b*", "abxx"), ("*a*b*", "xxaxxbxx"), ("", "")]
    {
        assert!(matches(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [("?", ""), ("a*c", "abd"), ("a", "ab"), ("", "a"), ("*b", "ab ")] {
        assert!(!matches(pattern, text), "{pattern} {text}");
    }
    assert!(!matches(&"*a".repeat(200), &"b".repeat(20_000)));
    assert!(contains(&[(1, 3), (5, 6)], 5) && !contains(&[(1, 3), (5, 6)], 3));
}
