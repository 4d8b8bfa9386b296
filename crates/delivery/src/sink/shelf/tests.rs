use super::{FEW_LARGE, MANY_SMALL, Shelf};

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
    let again = shelf.take();
    assert_eq!(again.as_ptr(), address);
    assert!(shelf.take().is_empty());
}

/// *Scenario:* more bodies than a shelf holds: small ones, middling ones, and larger ones.
/// *Guarantees:* the rest is freed.
#[test]
fn a_shelf_is_bounded() {
    let kept = |count: usize, bytes: usize| {
        let shelf = Shelf::default();
        drop((0..count).map(|_| shelf.body(vec![0; bytes])).collect::<Vec<_>>());
        shelf.lock().len()
    };
    assert_eq!(kept(20, 10), MANY_SMALL.0);
    assert_eq!(kept(20, MANY_SMALL.1 / 10), 10);
    assert_eq!(kept(20, MANY_SMALL.1 / 2), FEW_LARGE.0);
    assert_eq!(kept(2, FEW_LARGE.1 / 2 + 1), 1);
    assert_eq!(kept(1, FEW_LARGE.1 + 1), 0);
}
