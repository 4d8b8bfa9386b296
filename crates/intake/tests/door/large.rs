//! Deliveries of the largest legal size: spooled, never held.

use std::sync::Arc;
use std::thread;

use entry::Encoding;

use crate::common::{Plan, Post, noise, open};

const MIB: usize = 1 << 20;

/// 64 MiB of records, the most a Firehose buffer holds: 86 MiB of JSON. Not compressible.
fn largest(id: &str) -> Post {
    let record = noise(7, 1000 * 1024);
    Post::with_id(id, &vec![record; 64 * 1024 / 1000])
}

/// *Scenario:* a legal body of 64 MiB of records, plain, then gzip.
/// *Guarantees:* 200; stored as received in a side file; not kept in the tail.
#[test]
fn legal_body_of_64_mib_of_records() {
    let door = open(Plan::default());
    let plain = largest("plain");
    assert!(plain.body.len() > 84 * MIB && plain.body.len() < 96 * MIB);
    let gzip = largest("gzip").gzip();
    assert_eq!(door.send(&plain).status, 200);
    assert_eq!(door.send(&gzip).status, 200);
    let stored = door.stored();
    assert!(stored[0].in_side_file && stored[1].in_side_file);
    assert!(stored[0].body == plain.body && stored[1].body == gzip.body);
    assert_eq!(stored[1].header.encoding, Encoding::Gzip);
    assert_eq!(stored[1].header.plain_bytes, plain.body.len() as u64 - 1);
    assert_eq!((stored[0].header.records, stored[1].header.records), (65, 65));
    assert_eq!(door.tail.bytes(), 0);
}

/// *Scenario:* a small gzip body that inflates to 40 MiB of legal records.
/// *Guarantees:* 200; stored as the small body it is, without a side file; not kept in the tail.
#[test]
fn small_body_that_inflates_to_much() {
    let door = open(Plan::default());
    let records = vec![vec![b'x'; 1_000_000]; 30];
    let post = Post::of(&records).gzip();
    assert!(post.body.len() < MIB);
    assert_eq!(door.send(&post).status, 200);
    let stored = door.stored();
    assert!(!stored[0].in_side_file && stored[0].body == post.body);
    assert_eq!(stored[0].header.records, 30);
    assert!(stored[0].header.plain_bytes > 40_000_000);
    assert_eq!(door.tail.bytes(), 0);
}

/// *Scenario:* a large body whose last record is not base64; a large one that is cut; one sent twice.
/// *Guarantees:* 400 and no side file left; the second sending is a repeat.
#[test]
fn large_bodies_are_checked_like_small_ones() {
    let door = open(Plan::default());
    let good = Post::with_id("good", &vec![noise(3, 1_000_000); 6]);
    let mut bad = good.clone();
    let at = bad.body.len() - 10;
    bad.body[at] = b'!';
    let answer = door.send(&bad);
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("record 5"), "{}", answer.text());
    let mut cut = Post::with_id("good", &vec![noise(3, 1_000_000); 6]).gzip();
    cut.body.truncate(5_000_000);
    assert_eq!(door.send(&cut).status, 400);
    let before = door.journal.bytes();
    assert_eq!(door.send(&good).status, 200);
    assert!(door.journal.bytes() > before);
    assert_eq!(door.send(&good).status, 200);
    assert_eq!(door.source.stats().repeats.get(), 1);
    assert_eq!(door.stored().len(), 1);
}

/// *Scenario:* eight senders of 12 MiB at once, with memory for fewer.
/// *Guarantees:* those who do not fit wait, and all are stored.
#[test]
fn many_large_bodies_wait_for_their_turn() {
    let door = Arc::new(open(Plan::limits(|limits| limits.in_flight_bytes = 16 * MIB)));
    let free = door.permits.free_bytes();
    let senders: Vec<_> = (0..8)
        .map(|n| {
            let door = Arc::clone(&door);
            thread::spawn(move || {
                let post = Post::with_id(&format!("id{n}"), &vec![noise(n, 1_000_000); 9]);
                door.send(&post).status
            })
        })
        .collect();
    for sender in senders {
        assert_eq!(sender.join().unwrap(), 200);
    }
    assert_eq!(door.stored().len(), 8);
    door.until(|door| door.permits.free_bytes() == free);
}
