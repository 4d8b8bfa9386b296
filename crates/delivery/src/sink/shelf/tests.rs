use super::{BUFFERS_MAX, BYTES_MAX, Shelf};

/// *Scenario:* a body with several handles, dropped one after the other.
/// *Guarantees:* its memory comes back with the last, and is what the next body is made of.
#[test]
fn memory_comes_back_with_the_last_handle() {
    let shelf = Shelf::default();
    let mut buffer = shelf.take();
    buffer.extend_from_slice(b"body");
    let address = buffer.as_ptr();
    let body = shelf.body(buffer);
    let other = body.clone();
    drop(body);
    assert_eq!((&other[..], shelf.lock().len()), (&b"body"[..], 0));
    drop(other);
    let taken = shelf.take();
    assert_eq!(taken.as_ptr(), address);
    assert!(shelf.take().is_empty());
}

/// *Scenario:* more bodies than a shelf holds, and larger ones.
/// *Guarantees:* the rest is freed.
#[test]
fn a_shelf_is_bounded() {
    let shelf = Shelf::default();
    let bodies: Vec<_> = (0..10).map(|_| shelf.body(vec![0; 10])).collect();
    drop(bodies);
    assert_eq!(shelf.lock().len(), BUFFERS_MAX);
    let shelf = Shelf::default();
    drop(shelf.body(vec![0; BYTES_MAX + 1]));
    drop([shelf.body(vec![0; BYTES_MAX / 2 + 1]), shelf.body(vec![0; BYTES_MAX / 2 + 1])]);
    assert_eq!(shelf.lock().len(), 1);
}
