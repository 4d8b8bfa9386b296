//! Which labels, in which order, and who wins.

use super::super::Naming::{Otel, Yace};
use super::*;

fn point<'a>(
    dimensions: &'a [(&'a [u8], &'a [u8])],
    attributes: &'a [(&'a [u8], &'a [u8])],
) -> Point<'a> {
    Point { account: b"1", region: b"r", dimensions, attributes, ..Point::of(b"N", b"M") }
}

fn shown(naming: Naming, external: &[(&str, &str)], point: &Point<'_>) -> (String, u64, u64) {
    let external: Vec<_> =
        external.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let plan = Plan::new(naming, &external, point);
    assert!(plan.slots.windows(2).all(|w| w[0].name < w[1].name), "{:?}", plan.slots);
    let mut out = String::new();
    for slot in &plan.slots {
        let mut value = Vec::new();
        slot.value.push(point, &mut value);
        out += &format!("{}={} ", text(&slot.name), text(&value));
    }
    (out.trim_end().to_owned(), plan.overridden, plan.joined)
}

/// *Scenario:* ordinary points in both namings.
/// *Guarantees:* account, region and dimensions as labels, sorted by bytes.
#[test]
fn ordinary_labels() {
    let point = point(&[(b"b", b"2"), (b"A", b"1")], &[(b"tag.Name", b"web")]);
    let (yace, overridden, joined) = shown(Yace, &[], &point);
    assert_eq!(yace, "account_id=1 dimension_A=1 dimension_b=2 region=r tag_Name=web");
    assert_eq!((overridden, joined), (0, 0));
    let (otel, ..) = shown(Otel, &[], &point);
    assert_eq!(
        otel,
        "A=1 MetricName=M Namespace=N b=2 cloud_account_id=1 cloud_provider=aws cloud_region=r tag_Name=web"
    );
}

/// *Scenario:* dimensions whose names become one, in either order.
/// *Guarantees:* one label with both values, ordered by the names as they were; counted.
#[test]
fn names_that_become_one() {
    let one = shown(Yace, &[], &point(&[(b"a.b", b"1"), (b"a-b", b"2")], &[]));
    let other = shown(Yace, &[], &point(&[(b"a-b", b"2"), (b"a.b", b"1")], &[]));
    assert_eq!(one.0, "account_id=1 dimension_a_b=2;1 region=r");
    assert_eq!(one, other);
    assert_eq!(one.2, 1);
}

/// *Scenario:* external labels, reserved names, and attributes named as what is there.
/// *Guarantees:* the settings win, then the form, the owner, dimensions, attributes; what is lost
/// is counted, but not what the settings replace nor what the metric's name says.
#[test]
fn who_wins() {
    let all = shown(Yace, &[("region", "x"), ("account_id", "")], &point(&[], &[]));
    assert_eq!(all, ("account_id= region=x".to_owned(), 0, 0));
    let all = shown(Yace, &[], &point(&[], &[(b"region", b"mine"), (b"dimension_a", b"2")]));
    assert_eq!(all, ("account_id=1 dimension_a=2 region=r".to_owned(), 1, 0));
    let all = shown(
        Otel,
        &[],
        &point(&[(b"quantile", b"q"), (b"Namespace", b"pods")], &[(b"Namespace", b"x")]),
    );
    assert_eq!(
        all.0,
        "MetricName=M Namespace=pods cloud_account_id=1 cloud_provider=aws cloud_region=r"
    );
    assert_eq!((all.1, all.2), (2, 0));
}

/// *Scenario:* a dimension named as the region, of points with and without one, of one shape.
/// *Guarantees:* a region that is not known takes no dimension's place.
#[test]
fn an_unknown_owner_takes_no_place() {
    let dimensions = [(&b"cloud.region"[..], &b"mine"[..]), (b"cloud.account.id", b"2")];
    let known = point(&dimensions, &[]);
    let unknown = Point { region: b"", account: b"", ..known };
    let mut config = super::super::tests_support::config("http://127.0.0.1:9");
    config.naming = Otel;
    let mut plans = Plans::new(&config);
    for (point, expected, overridden) in
        [(&known, ["1", "r"], 2), (&unknown, ["2", "mine"], 0), (&known, ["1", "r"], 2)]
    {
        let (plan, _) = plans.of(point, Some(ShapeId(7)));
        let value = |name: &[u8]| {
            let slot = plan.slots.iter().find(|slot| *slot.name == *name).unwrap();
            text(slot.value.of(point)).to_owned()
        };
        assert_eq!([value(b"cloud_account_id"), value(b"cloud_region")], expected);
        assert_eq!(plan.overridden, overridden);
    }
}

/// *Scenario:* one shape in many units and with many attributes.
/// *Guarantees:* each point gets its own plan, and a bounded number of them is kept.
#[test]
fn plans_are_kept_within_bounds() {
    let config = super::super::tests_support::config("http://127.0.0.1:9");
    let mut plans = Plans::new(&config);
    let shape = Some(ShapeId(7));
    for round in 0..2 {
        for n in 0..10_u8 {
            let name = [b'a' + n];
            let attributes = [(&name[..], &b"v"[..])];
            let point = point(&[], &attributes);
            let (plan, kept) = plans.of(&point, shape);
            assert!(plan.slots.iter().any(|slot| *slot.name == name), "{round} {n}");
            assert_eq!(kept, usize::from(n) < PER_SHAPE_MAX);
        }
    }
    assert!(!plans.of(&point(&[], &[]), None).1);
}
