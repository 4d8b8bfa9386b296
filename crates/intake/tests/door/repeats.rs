//! Deliveries that come again.

use std::sync::Arc;
use std::thread;

use testkit::TempDir;

use crate::common::{ARN, METRIC, Plan, Post, open, open_in};

/// *Scenario:* the same delivery twice, the second time compressed; the same id from another stream;
/// the same id with other data.
/// *Guarantees:* the repeat is answered 200 and not stored, by its data and not by its bytes; the
/// others are stored, the last one counted.
#[test]
fn repeat_is_acknowledged_and_not_stored() {
    let door = open(Plan::default());
    assert_eq!(door.send(&Post::metrics()).status, 200);
    assert_eq!(door.send(&Post::metrics().gzip()).status, 200);
    assert_eq!((door.stored().len(), door.source.stats().repeats.get()), (1, 1));
    let other_arn = Post::metrics().header("X-Amz-Firehose-Source-Arn", &format!("{ARN}2"));
    assert_eq!(door.send(&other_arn).status, 200);
    assert_eq!(door.stored().len(), 2);
    assert_eq!(door.send(&Post::of(&[METRIC])).status, 200);
    assert_eq!((door.stored().len(), door.source.stats().other_data.get()), (3, 1));
    assert_eq!(door.source.stats().accepted.get(), 4);
    assert_eq!(door.source.stats().records.get(), 5);
}

/// *Scenario:* records cut differently: `ab` + `c` and `a` + `bc`, under one id.
/// *Guarantees:* other data.
#[test]
fn records_that_join_alike_are_other_data() {
    let door = open(Plan::default());
    assert_eq!(door.send(&Post::of(&["abcabc", "abc"])).status, 200);
    assert_eq!(door.send(&Post::of(&["abc", "abcabc"])).status, 200);
    assert_eq!((door.stored().len(), door.source.stats().other_data.get()), (2, 1));
}

/// *Scenario:* sixteen senders of the same delivery at once.
/// *Guarantees:* all are answered 200, one is stored.
#[test]
fn concurrent_repeats_are_stored_once() {
    let door = Arc::new(open(Plan::default()));
    let senders: Vec<_> = (0..16)
        .map(|_| {
            let door = Arc::clone(&door);
            thread::spawn(move || door.send(&Post::metrics().gzip()).status)
        })
        .collect();
    for sender in senders {
        assert_eq!(sender.join().unwrap(), 200);
    }
    assert_eq!((door.stored().len(), door.source.stats().repeats.get()), (1, 15));
}

/// *Scenario:* the same delivery before and after a restart.
/// *Guarantees:* a repeat.
#[test]
fn repeat_is_known_after_a_restart() {
    let dir = TempDir::new("intake");
    let door = open_in(dir.path(), Plan::default());
    assert_eq!(door.send(&Post::metrics()).status, 200);
    door.close();
    let door = open_in(dir.path(), Plan::default());
    assert_eq!(door.send(&Post::metrics()).status, 200);
    assert_eq!((door.stored().len(), door.source.stats().repeats.get()), (1, 1));
}

/// *Scenario:* a repeat with the wrong key.
/// *Guarantees:* 401: nobody learns what is known here without a key.
#[test]
fn repeat_needs_a_key_too() {
    let door = open(Plan::keys(&["key"]));
    assert_eq!(door.send(&Post::metrics().key("key")).status, 200);
    assert_eq!(door.send(&Post::metrics().key("other")).status, 401);
}
