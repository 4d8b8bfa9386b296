//! For whom a door waits, and for how long.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Reader, Tail, TailKey, WAIT_MAX};

fn key(topic: &str, sequence: u64) -> TailKey {
    TailKey { topic: Arc::from(topic), sequence }
}

/// A tail for ten bodies of 100 bytes, of which those up to `last` are in it.
fn tail(last: u64) -> Arc<Tail> {
    let tail = Arc::new(Tail::new(1000));
    for sequence in 1..=last {
        tail.put(key("aws", sequence), vec![0; 100]);
    }
    tail
}

fn reader(tail: &Arc<Tail>) -> Reader {
    Reader::new(Arc::clone(tail), &Arc::from("aws"), 1)
}

async fn waits(tail: &Arc<Tail>) -> bool {
    timeout(WAIT_MAX / 2, tail.room(100)).await.is_err()
}

/// *Scenario:* a full tail; nobody reads, then one reads its first body, then all, then pauses.
/// *Guarantees:* a door waits while it would push out what that reader has not read, and no longer.
#[tokio::test(start_paused = true)]
async fn a_door_waits_for_who_reads_along() {
    let tail = tail(10);
    assert!(!waits(&tail).await, "nobody reads");
    let mut reader = reader(&tail);
    assert!(!waits(&tail).await, "it has not begun");
    assert!(reader.get(&key("aws", 1)).is_some());
    assert!(!waits(&tail).await, "nine are unread: one more fits");
    let held = tail.room(100).await;
    assert!(waits(&tail).await, "nine and the one that is on its way");
    assert!(reader.get(&key("aws", 2)).is_some());
    assert!(!waits(&tail).await, "eight and the one on its way");
    drop(held);
    let _held = (tail.room(100).await, tail.room(100).await);
    assert!(waits(&tail).await);
    reader.pause();
    assert!(!waits(&tail).await, "it has paused");
    assert!(reader.get(&key("aws", 3)).is_some());
    let _more = tail.room(100).await;
    assert!(waits(&tail).await);
    assert!(reader.get(&key("aws", 11)).is_none());
    assert!(!waits(&tail).await, "it is not where the tail is");
}

/// *Scenario:* two readers of one topic, one of another, and one that is gone.
/// *Guarantees:* the slowest that reads along counts, each for its own topic.
#[tokio::test(start_paused = true)]
async fn the_slowest_counts() {
    let tail = tail(9);
    tail.put(key("other", 1), vec![0; 100]);
    let (mut fast, mut slow) = (reader(&tail), reader(&tail));
    assert!(slow.get(&key("aws", 1)).is_some());
    for sequence in 1..=9 {
        assert!(fast.get(&key("aws", sequence)).is_some());
    }
    let room = tail.room(200).await;
    assert!(waits(&tail).await, "eight are unread by one");
    let mut other = Reader::new(Arc::clone(&tail), &Arc::from("other"), 1);
    assert!(other.get(&key("other", 1)).is_some());
    drop(slow);
    assert!(!waits(&tail).await, "the rest have read everything");
    drop(room);
}

/// *Scenario:* a reader that reads along and then does nothing; a body too large to be kept.
/// *Guarantees:* a door goes on after a second; what pushes out nothing need not wait.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let tail = tail(10);
    let mut reader = reader(&tail);
    assert!(reader.get(&key("aws", 1)).is_some());
    let begun = Instant::now();
    drop(tail.room(251).await);
    assert_eq!(begun.elapsed(), Duration::ZERO);
    drop(tail.room(200).await);
    assert_eq!(begun.elapsed(), WAIT_MAX);
}

/// *Scenario:* a door waits while the reader goes on; another gives its room back unused.
/// *Guarantees:* either wakes it at once.
#[tokio::test(start_paused = true)]
async fn what_moves_wakes_the_door() {
    let tail = tail(10);
    let mut reader = reader(&tail);
    assert!(reader.get(&key("aws", 1)).is_some());
    let begun = Instant::now();
    let room = tail.room(100).await;
    let next = tokio::spawn({
        let tail = Arc::clone(&tail);
        async move { drop(tail.room(100).await) }
    });
    tokio::task::yield_now().await;
    assert!(!next.is_finished());
    assert!(reader.get(&key("aws", 2)).is_some());
    next.await.unwrap();
    let (more, waiting) = (tail.room(100).await, Arc::clone(&tail));
    let next = tokio::spawn(async move { drop(waiting.room(100).await) });
    tokio::task::yield_now().await;
    assert!(!next.is_finished());
    drop(room);
    next.await.unwrap();
    drop(more);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

/// *Scenario:* two readers of a topic and one of another read bodies; one goes back, one is gone.
/// *Guarantees:* a body leaves with its last reader, and not before; its buffer is the next one.
#[test]
fn a_body_leaves_with_its_last_reader() {
    let tail = tail(2);
    let mut other = Reader::new(Arc::clone(&tail), &Arc::from("other"), 1);
    let (mut first, mut second) = (reader(&tail), reader(&tail));
    assert!(first.get(&key("aws", 1)).is_some());
    assert_eq!(tail.bytes(), 200);
    let body = second.get(&key("aws", 1)).unwrap();
    assert_eq!(tail.bytes(), 100);
    tail.give_back(Arc::try_unwrap(body).unwrap());
    assert_eq!(tail.stale_buffer().len(), 100);
    assert!(second.get(&key("aws", 2)).is_some());
    assert!(tail.get(&key("aws", 2)).is_some(), "the first has not read it");
    drop(second);
    tail.put(key("aws", 3), vec![0; 100]);
    assert!(first.get(&key("aws", 3)).is_some());
    assert_eq!(tail.bytes(), 100, "the last has read it; the one before was passed over");
    first.seek(1);
    assert!(first.get(&key("aws", 1)).is_none());
    assert!(first.get(&key("aws", 2)).is_some());
    assert_eq!(tail.bytes(), 0);
    tail.put(key("other", 1), vec![0; 100]);
    assert!(other.get(&key("other", 1)).is_some());
    assert_eq!(tail.bytes(), 0);
}

/// *Scenario:* of two readers along, one passes over what is not for it, before and after the other reads.
/// *Guarantees:* no door waits for what it passed over, and a body leaves with whoever is last.
#[tokio::test(start_paused = true)]
async fn what_is_passed_over_is_not_unread() {
    let tail = tail(10);
    let (mut ours, mut others) = (reader(&tail), reader(&tail));
    assert!(ours.get(&key("aws", 1)).is_some() && others.get(&key("aws", 1)).is_some());
    for sequence in 2..=10 {
        others.pass(&key("aws", sequence));
    }
    assert_eq!(tail.bytes(), 900, "the other has not read them");
    let room = tail.room(100).await;
    assert!(waits(&tail).await, "for the other");
    for sequence in 2..=10 {
        assert!(ours.get(&key("aws", sequence)).is_some());
    }
    assert_eq!(tail.bytes(), 0);
    drop(room);
    tail.put(key("aws", 11), vec![0; 100]);
    let body = ours.get(&key("aws", 11)).unwrap();
    others.pass(&key("aws", 11));
    assert_eq!((tail.bytes(), body.len()), (0, 100), "it is still being read");
    tail.put(key("aws", 12), vec![0; 100]);
    ours.pass(&key("aws", 12));
    others.pass(&key("aws", 12));
    assert_eq!((tail.bytes(), tail.spare_bytes()), (0, 100), "its buffer is the next one");
}

/// *Scenario:* a reader along stands still; three doors come at once, one later, one when it has moved.
/// *Guarantees:* nobody waits a second time for one that did not move for as long as a door may wait.
#[tokio::test(start_paused = true)]
async fn who_stands_still_is_waited_for_once() {
    let tail = tail(10);
    let mut reader = reader(&tail);
    assert!(reader.get(&key("aws", 1)).is_some());
    let begun = Instant::now();
    drop(tokio::join!(tail.room(200), tail.room(200), tail.room(200)));
    assert_eq!(begun.elapsed(), WAIT_MAX);
    drop(tail.room(200).await);
    assert_eq!(begun.elapsed(), WAIT_MAX, "it has not moved since");
    assert!(reader.get(&key("aws", 2)).is_some());
    let _room = tail.room(200).await;
    assert!(waits(&tail).await, "it reads along again");
}

/// *Scenario:* a body too large to be kept is on its way while a reader reads along.
/// *Guarantees:* it takes no room from those that will be kept.
#[tokio::test(start_paused = true)]
async fn what_is_not_kept_takes_no_room() {
    let tail = tail(5);
    let mut reader = reader(&tail);
    assert!(reader.get(&key("aws", 1)).is_some());
    let _large = (tail.room(400).await, tail.room(400).await);
    assert!(!waits(&tail).await, "half of it is empty");
}
