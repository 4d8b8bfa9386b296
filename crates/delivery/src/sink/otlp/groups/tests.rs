use metric::Point;

use super::Groups;

fn point(account: &[u8]) -> Point<'_> {
    Point { account, region: b"r", ..Point::of(b"N", b"X") }
}

/// *Scenario:* a hundred owners, of which each in turn is the one with much in it.
/// *Guarantees:* what is kept for the next parcel stays within the bound; small buffers are kept.
#[test]
fn kept_buffers_are_bounded() {
    let mut groups = Groups::default();
    let held =
        |groups: &Groups| -> usize { groups.groups.iter().map(|g| g.metrics.capacity()).sum() };
    for large in 0..100 {
        for owner in 0..100 {
            let group = groups.of(&point(format!("{owner}").as_bytes()));
            let bytes = if owner == large { 10_000 } else { 10 };
            group.metrics.resize(bytes, 0);
        }
        assert_eq!((groups.len(), groups.iter().count()), (100, 100));
        groups.clear(50_000);
        assert!(held(&groups) <= 50_000, "{}", held(&groups));
        assert_eq!((groups.len(), groups.iter().count()), (0, 0));
    }
    groups.of(&point(b"a")).metrics.push(1);
    groups.clear(50_000);
    assert!(held(&groups) > 0);
}
