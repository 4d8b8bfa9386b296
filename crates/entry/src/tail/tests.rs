//! What the tail keeps, what it lets go, and what it reuses.

use std::sync::Arc;

use super::{BODIES_MAX, SPARE_BYTES_MAX, SPARE_MAX, Tail, TailKey};

fn key(sequence: u64) -> TailKey {
    TailKey { topic: Arc::from("aws"), sequence }
}

fn body(length: usize, byte: u8) -> Vec<u8> {
    vec![byte; length]
}

/// *Scenario:* more bodies than fit.
/// *Guarantees:* the oldest go first, the rest are there, and the size given is never passed.
#[test]
fn oldest_out_first() {
    let tail = Tail::new(1000);
    for sequence in 0..20 {
        tail.put(key(sequence), body(200, sequence as u8));
        assert!(tail.bytes() <= 1000);
    }
    assert_eq!(tail.bytes(), 1000);
    for sequence in 0..15 {
        assert_eq!(tail.get(&key(sequence)), None, "{sequence}");
    }
    for sequence in 15..20 {
        assert_eq!(tail.get(&key(sequence)).as_deref(), Some(&body(200, sequence as u8)));
    }
    let other = TailKey { topic: Arc::from("other"), sequence: 19 };
    assert_eq!(tail.get(&other), None, "topics do not share sequences");
}

/// *Scenario:* bodies at and above a quarter of the tail, an empty one, and a tail of size 0.
/// *Guarantees:* what is too large is not kept and pushes nothing out.
#[test]
fn large_bodies_are_not_kept() {
    let tail = Tail::new(1000);
    tail.put(key(1), body(250, 1));
    tail.put(key(2), body(251, 2));
    tail.put(key(3), Vec::new());
    assert!(tail.get(&key(1)).is_some());
    assert!(tail.get(&key(2)).is_none() && tail.get(&key(3)).is_none());
    let off = Tail::new(0);
    off.put(key(1), body(1, 1));
    assert!(off.get(&key(1)).is_none());
    assert_eq!(off.bytes(), 0);
}

/// *Scenario:* the same entry put twice, as two streams that both missed may do.
/// *Guarantees:* it is counted once and the later body is given.
#[test]
fn the_same_entry_twice() {
    let tail = Tail::new(1000);
    tail.put(key(1), body(100, 1));
    tail.put(key(1), body(50, 2));
    assert_eq!(tail.bytes(), 50);
    assert_eq!(tail.get(&key(1)).as_deref(), Some(&body(50, 2)));
    for sequence in 2..50 {
        tail.put(key(sequence), body(100, 3));
    }
    assert!(tail.bytes() <= 1000);
    assert!(tail.get(&key(1)).is_none());
}

/// *Scenario:* a small body in a buffer that once held a large one.
/// *Guarantees:* it is kept in a buffer of its own size, so it does not push out ten others.
#[test]
fn a_small_body_gives_room_back() {
    let tail = Tail::new(4_000_000);
    let mut plain = Vec::with_capacity(900_000);
    plain.extend_from_slice(b"small");
    tail.put(key(1), plain);
    assert!(tail.bytes() < 1000, "{}", tail.bytes());
    assert_eq!(tail.get(&key(1)).unwrap().as_slice(), b"small");
}

/// *Scenario:* bodies evicted while no stream holds them, and while one does.
/// *Guarantees:* the first come back as buffers, empty or stale as asked for; the second are left
/// to their reader.
#[test]
fn evicted_buffers_come_back() {
    let tail = Tail::new(1000);
    for sequence in 0..5 {
        tail.put(key(sequence), body(200, 9));
    }
    assert_eq!(tail.spare_bytes(), 0);
    let held = tail.get(&key(0)).unwrap();
    tail.put(key(5), body(200, 9));
    assert_eq!(tail.spare_bytes(), 0, "a body that is being read is not reused");
    assert_eq!(held.as_slice(), body(200, 9));
    tail.put(key(6), body(200, 9));
    tail.put(key(7), body(200, 9));
    assert_eq!(tail.spare_bytes(), 400);
    assert_eq!(tail.stale_buffer().len(), 200, "stale bytes need not be zeroed again");
    let buffer = tail.buffer();
    assert!(buffer.is_empty() && buffer.capacity() == 200);
    assert_eq!(tail.spare_bytes(), 0);
    assert_eq!(tail.buffer().capacity(), 0, "no spare is left: a new one");
}

/// *Scenario:* more buffers given back than are kept, in number and in size; a flood of tiny bodies.
/// *Guarantees:* spares and the index are bounded.
#[test]
fn everything_is_bounded() {
    let tail = Tail::new(1_000_000);
    for _ in 0..50 {
        tail.give_back(Vec::with_capacity(1000));
    }
    assert_eq!(tail.spare_bytes(), SPARE_MAX * 1000);
    let tail = Tail::new(1_000_000);
    tail.give_back(Vec::with_capacity(SPARE_BYTES_MAX + 1));
    assert_eq!(tail.spare_bytes(), 0);
    tail.give_back(Vec::with_capacity(SPARE_BYTES_MAX));
    tail.give_back(Vec::with_capacity(1));
    assert_eq!(tail.spare_bytes(), SPARE_BYTES_MAX);
    for sequence in 0..10_000 {
        tail.put(key(sequence), body(1, 1));
    }
    assert!(tail.get(&key(10_000 - BODIES_MAX as u64)).is_some());
    assert!(tail.get(&key(10_000 - BODIES_MAX as u64 - 1)).is_none());
}

/// *Scenario:* four threads put, get and take at once.
/// *Guarantees:* what is got is what was put, and the counts end in step with what is there.
#[test]
fn threads_share_a_tail() {
    let tail = Tail::new(50_000);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let tail = &tail;
            scope.spawn(move || {
                for step in 0..2000_u64 {
                    let mut buffer = tail.buffer();
                    let sequence = thread * 10_000 + step;
                    buffer.resize(1 + (sequence % 997) as usize, sequence as u8);
                    tail.put(key(sequence), buffer);
                    if let Some(found) = tail.get(&key(sequence)) {
                        assert!(found.iter().all(|byte| *byte == sequence as u8));
                    }
                }
            });
        }
    });
    let kept = tail.kept.lock().unwrap();
    let bytes: usize = kept.bodies.values().map(|body| body.capacity()).sum();
    assert_eq!((bytes, kept.order.len()), (kept.bytes, kept.bodies.len()));
    assert!(bytes <= 50_000);
}
