//! What leaves the Dynatrace packer, read back by a strict reader of the grammar that shares no
//! code with it.

use metric::{Extra, Point, Shapes, Statistic};
use proptest::prelude::*;

use delivery::sink::dynatrace::{DigitSection, TooOld};
use delivery::sink::{Moment, Offer, Packer};

use crate::sink_support::{ARRIVAL_MS, NOW, captured, dynatrace, each_point, inflate, mint, point};

const MINUTE: i64 = 60_000;

fn text_of(packer: &mut Packer) -> String {
    let payload = packer.close();
    let text = inflate(&payload.body);
    assert_eq!(text.len(), payload.plain_bytes);
    String::from_utf8(text).unwrap()
}

fn offer(packer: &mut Packer, point: &Point<'_>) -> Offer {
    packer.offer(point, None, NOW)
}

/// *Scenario:* the point of the documentation's example.
/// *Guarantees:* its line, to the byte: key, owner, dimensions sorted, source, numbers, instant.
#[test]
fn the_example_makes_the_documented_line() {
    let mut packer = dynatrace(|_| {});
    let dimensions = [(&b"ServiceName"[..], &b"web"[..]), (b"ClusterName", b"prod")];
    let point = Point { dimensions: &dimensions, ..point() };
    assert_eq!(offer(&mut packer, &point), Offer::Taken);
    assert_eq!(
        text_of(&mut packer),
        "cloud.aws.ecs.cpuUtilizationByAccountIdClusterNameRegionServiceName,\
         aws.account.id=\"123456789012\",aws.region=\"eu-west-1\",clustername=\"prod\",\
         servicename=\"web\",dt.source=\"AWS Metric Streams\" \
         gauge,min=10,max=20,sum=45.5,count=3 1795176000000"
    );
}

/// *Scenario:* no account, no region, dimensions without values, with the name of another after
/// normalisation, with one of our own names, and without any usable name.
/// *Guarantees:* each is left out and counted; what remains is a good line.
#[test]
fn unusable_dimensions_are_left_out_and_counted() {
    let mut packer = dynatrace(|_| {});
    let dimensions = [
        (&b"Name"[..], &b"first"[..]),
        (b"name", b"second"),
        (b"Empty", b""),
        (b"dt.source", b"mine"),
        (b"aws.region", b"mine"),
        (b"...", b"x"),
        (b"Region", b"Global"),
    ];
    let point = Point { account: b"", region: b"", dimensions: &dimensions, ..point() };
    assert_eq!(offer(&mut packer, &point), Offer::Taken);
    let text = text_of(&mut packer);
    let (_, rest) = text.split_once(',').unwrap();
    assert!(
        rest.starts_with(
            "name=\"first\",region=\"Global\",dt.source=\"AWS Metric Streams\" gauge,"
        ),
        "{text}"
    );
    mint::read(&text);
    let losses: std::collections::BTreeMap<_, _> = packer.losses().into_iter().collect();
    assert_eq!(losses["dimensions_repeated"], 3);
    assert_eq!(losses["dimensions_empty"], 1);
    assert_eq!(losses["dimensions_unnamed"], 1);
}

/// *Scenario:* dimensions with one name after normalisation, of which the first, or all, are empty;
/// an attribute of that name.
/// *Guarantees:* the first that has a value is written, and only what has none is left out.
#[test]
fn an_empty_dimension_takes_no_place() {
    let added = [(&b"NAME"[..], &b"added"[..])];
    for (values, expected) in [
        ([&b""[..], b"second", b"third"], "second"),
        ([b"", b"", b"third"], "third"),
        ([b"", b"", b""], "added"),
    ] {
        let mut packer = dynatrace(|_| {});
        let [one, two, three] = values;
        let dimensions = [(&b"Name"[..], one), (b"name", two), (b"nAme", three)];
        let point = Point { dimensions: &dimensions, attributes: &added, ..point() };
        assert_eq!(offer(&mut packer, &point), Offer::Taken);
        let text = text_of(&mut packer);
        assert!(text.contains(&format!(",name=\"{expected}\",dt.source=")), "{text}");
        assert_eq!(text.matches("name=").count(), 1, "{text}");
    }
}

/// *Scenario:* a metric without dimensions and without owner; one with sixty dimensions.
/// *Guarantees:* `dt.source` is there in both, and never more than fifty dimensions.
#[test]
fn a_line_has_between_one_and_fifty_dimensions() {
    let mut packer = dynatrace(|_| {});
    offer(&mut packer, &Point { account: b"", region: b"", dimensions: &[], ..point() });
    let names: Vec<String> = (0..60).map(|n| format!("d{n:02}")).collect();
    let dimensions: Vec<(&[u8], &[u8])> =
        names.iter().map(|n| (n.as_bytes(), &b"\xf0\x9f\x9a\x80 long value"[..])).collect();
    offer(&mut packer, &Point { dimensions: &dimensions, ..point() });
    let text = text_of(&mut packer);
    let lines: Vec<mint::Line> = text.lines().map(mint::read).collect();
    assert_eq!((lines[0].dimensions.len(), lines[1].dimensions.len()), (1, 50));
    assert_eq!(packer.losses().iter().find(|(n, _)| *n == "dimensions_over").unwrap().1, 13);
}

/// *Scenario:* units, with metadata on, over parcels of which one is discarded.
/// *Guarantees:* a unit is announced once, before the first line of its key, and again only when
/// the parcel that announced it was never sent; the lines are counted.
#[test]
fn units_are_announced_once() {
    let mut packer = dynatrace(|config| config.metadata = true);
    let mut shapes = Shapes::new();
    let unit = metric::Unit::all().find(|unit| unit.cloudwatch() == b"Bytes/Second").unwrap();
    let point = Point { unit, ..point() };
    let mut put = |packer: &mut Packer| packer.offer(&point, shapes.intern(&point), NOW);
    put(&mut packer);
    packer.discard();
    put(&mut packer);
    put(&mut packer);
    let first = text_of(&mut packer);
    put(&mut packer);
    packer.discard();
    put(&mut packer);
    let second = text_of(&mut packer);
    let lines: Vec<&str> = first.lines().collect();
    assert_eq!(
        lines[0],
        "#cloud.aws.ecs.cpuUtilizationByAccountIdClusterNameRegion gauge dt.meta.unit=BytePerSecond"
    );
    assert_eq!((lines.len(), second.lines().count()), (3, 1));
    // No number, so no memory of what was announced: nothing is.
    packer.offer(&point, None, NOW);
    assert_eq!(text_of(&mut packer).lines().count(), 1);
}

/// *Scenario:* percentiles by name and by quantile, other statistics, with the option off and on.
/// *Guarantees:* a gauge of its own for each percentile when wanted; otherwise, and for the others,
/// a count.
#[test]
fn percentiles_are_an_option() {
    let extra = |statistic| Extra { statistic, value: 9.5 };
    let extras = [
        extra(Statistic::Named(b"p99")),
        extra(Statistic::Quantile(0.999)),
        extra(Statistic::Named(b"TM(25%:75%)")),
    ];
    let point = Point { extra: &extras, ..point() };
    let mut plain = dynatrace(|_| {});
    offer(&mut plain, &point);
    assert_eq!(text_of(&mut plain).lines().count(), 1);
    assert!(plain.losses().contains(&("percentiles_left_out", 2)));
    let mut packer = dynatrace(|config| config.percentiles = true);
    offer(&mut packer, &point);
    assert_eq!(packer.points(), 1);
    let text = text_of(&mut packer);
    let lines: Vec<mint::Line> = text.lines().map(mint::read).collect();
    let key = "cloud.aws.ecs.cpuUtilizationByAccountIdClusterNameRegion";
    assert_eq!(lines[1].key, format!("{key}.p99"));
    assert_eq!(lines[2].key, format!("{key}.p99_9"));
    assert!(text.ends_with(" gauge,9.5 1795176000000"));
    assert!(packer.losses().contains(&("statistics_left_out", 1)));
}

/// *Scenario:* points outside the window and with contradicting numbers, with both settings.
/// *Guarantees:* the reasons of the contract; nothing of a refused point is in the parcel.
#[test]
fn refused_points_leave_no_trace() {
    let aged = |minutes: i64| Point {
        start_ns: u64::try_from(NOW.now_ms - minutes * MINUTE).unwrap() * 1_000_000,
        ..point()
    };
    let mut packer = dynatrace(|_| {});
    assert_eq!(offer(&mut packer, &aged(130)), Offer::Refused("too_old"));
    assert_eq!(offer(&mut packer, &aged(-20)), Offer::Refused("too_far_ahead"));
    let held = Moment { arrival_ms: ARRIVAL_MS - 90 * MINUTE, ..NOW };
    assert_eq!(packer.offer(&aged(100), None, held), Offer::Expired("Dynatrace.TooOld"));
    let ebs =
        Point { min: Some(0.0), max: Some(0.0), sum: Some(477_184.0), count: 92.0, ..point() };
    assert_eq!(offer(&mut packer, &ebs), Offer::Refused("inconsistent"));
    let bare = Point { sum: None, ..point() };
    assert_eq!(offer(&mut packer, &bare), Offer::Refused("incomplete"));
    assert_eq!(packer.points(), 0);
    offer(&mut packer, &point());
    assert_eq!(text_of(&mut packer).lines().count(), 1);

    let mut packer = dynatrace(|config| config.too_old = TooOld::Restamp);
    assert_eq!(offer(&mut packer, &aged(130)), Offer::Taken);
    assert!(text_of(&mut packer).ends_with(&format!(" {}", NOW.now_ms)));
    assert!(packer.losses().contains(&("restamped", 1)));
}

/// *Scenario:* thousands of points, with metadata and without, and points of the largest lines.
/// *Guarantees:* a parcel is full in time: at most 1,000 lines and 900,000 bytes, and exactly 1,000
/// lines when nothing but data is in it.
#[test]
fn parcels_keep_within_the_limits() {
    for metadata in [false, true] {
        let mut packer = dynatrace(|config| config.metadata = metadata);
        let mut shapes = Shapes::new();
        let mut sizes = Vec::new();
        for n in 0..5_000u32 {
            let name = format!("Metric{}", n % 700);
            let point = Point { name: name.as_bytes(), ..point() };
            if packer.full() {
                sizes.push(text_of(&mut packer).lines().count());
            }
            packer.offer(&point, shapes.intern(&point), NOW);
        }
        assert!(sizes.iter().all(|lines| *lines <= 1_000), "{sizes:?}");
        if !metadata {
            assert_eq!(sizes, [1_000; 4]);
        }
    }
    for percentiles in [false, true] {
        let mut packer = dynatrace(|config| config.percentiles = percentiles);
        let names: Vec<String> = (0..47).map(|n| format!("{n:02}{}", "n".repeat(98))).collect();
        let value = "\u{4e2d}".repeat(255);
        let dimensions: Vec<(&[u8], &[u8])> =
            names.iter().map(|n| (n.as_bytes(), value.as_bytes())).collect();
        let extras: Vec<Extra<'_>> = (1..40)
            .map(|n| Extra { statistic: Statistic::Quantile(f64::from(n) / 100.0), value: 1.0 })
            .collect();
        let point = Point { dimensions: &dimensions, extra: &extras, ..point() };
        for _ in 0..60 {
            if packer.full() {
                let text = text_of(&mut packer);
                assert!(text.len() <= 900_000 && text.lines().count() <= 1_000);
                text.lines().for_each(|line| assert!(line.chars().count() <= 50_000));
            }
            offer(&mut packer, &point);
        }
    }
}

/// *Scenario:* two shapes whose names differ only in characters a key does not keep.
/// *Guarantees:* both are sent, and the shared key is counted.
#[test]
fn a_shared_key_is_counted() {
    let mut packer = dynatrace(|_| {});
    let mut shapes = Shapes::new();
    for name in ["a.b", "ab", "a.b", "ab"] {
        let point = Point { name: name.as_bytes(), ..point() };
        packer.offer(&point, shapes.intern(&point), NOW);
    }
    assert_eq!(packer.points(), 4);
    assert!(packer.losses().contains(&("keys_shared", 1)));
}

/// *Scenario:* the real capture, where it is at hand: EC2 and EBS of 2022.
/// *Guarantees:* every line it makes is accepted by the strict reader; what is refused are EBS sets
/// that contradict themselves.
#[test]
fn the_real_capture_makes_good_lines() {
    let Some(points) = captured() else { return };
    let mut packer = dynatrace(|_| {});
    let mut shapes = Shapes::new();
    let (mut lines, mut refused) = (0, 0);
    each_point(&points, |point| {
        if packer.full() {
            lines += text_of(&mut packer).lines().map(mint::read_unwindowed).count();
        }
        let instant = point.instant_ms();
        let moment = Moment { now_ms: instant + MINUTE, arrival_ms: instant };
        match packer.offer(point, shapes.intern(point), moment) {
            Offer::Taken => {}
            Offer::Refused("inconsistent") => {
                assert_eq!(
                    (point.namespace, point.min, point.max),
                    (&b"AWS/EBS"[..], Some(0.0), Some(0.0))
                );
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    });
    lines += text_of(&mut packer).lines().map(mint::read_unwindowed).count();
    assert_eq!((lines + refused, refused), (1_160, 15));
}

proptest! {
    /// *Scenario:* points of any names, values and numbers.
    /// *Guarantees:* each is refused for a reason or makes a line of the grammar with its numbers.
    #[test]
    fn any_point_makes_a_good_line_or_none(
        (namespace, name) in ("\\PC{1,30}|.{1,20}", "\\PC{1,30}|.{1,20}"),
        dimensions in proptest::collection::vec((".{0,20}|\\PC{1,120}", ".{0,20}|\\PC{0,400}"), 0..12),
        owner in ("[0-9]{0,12}", "[a-z0-9-]{0,12}"),
        samples in proptest::collection::vec(-1e9..1e9f64, 1..5),
        exact in any::<bool>(),
        underscore in any::<bool>(),
    ) {
        let dimensions: Vec<(&[u8], &[u8])> =
            dimensions.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
        let count = if exact { samples.len() as f64 } else { 7.0 };
        let sum: f64 = samples.iter().sum();
        let point = Point {
            account: owner.0.as_bytes(),
            region: owner.1.as_bytes(),
            namespace: namespace.as_bytes(),
            name: name.as_bytes(),
            dimensions: &dimensions,
            min: samples.iter().copied().reduce(f64::min),
            max: samples.iter().copied().reduce(f64::max),
            sum: Some(sum),
            count,
            ..point()
        };
        let mut packer = dynatrace(|config| {
            if underscore {
                config.digit_section = DigitSection::Underscore;
            }
        });
        match offer(&mut packer, &point) {
            Offer::Taken => {
                let text = text_of(&mut packer);
                let line = mint::read(&text);
                prop_assert_eq!(line.sum, sum);
                prop_assert_eq!(line.count, count);
            }
            Offer::Refused(reason) => prop_assert_eq!((reason, exact), ("inconsistent", false)),
            Offer::Expired(code) => prop_assert!(false, "{}", code),
        }
    }
}

/// *Scenario:* three thousand points of the rehearsal's services, and the receiver the demo uses, which
/// names metrics and reads lines by code of its own.
/// *Guarantees:* every line is taken, under the name the receiver's side expects.
#[test]
fn the_rehearsal_takes_every_line() {
    use rehearsal::dynatrace::{Line, judge, key, read_line};
    let mut packer = dynatrace(|config| config.metadata = true);
    let mut shapes = Shapes::new();
    let mut bodies = Vec::new();
    let mut expected = Vec::new();
    let options = rehearsal::payload::Options { metrics: 3_000, ..Default::default() };
    rehearsal::payload::points(&options, |point| {
        if packer.full() {
            bodies.push(text_of(&mut packer));
        }
        assert_eq!(packer.offer(point, shapes.intern(point), NOW), Offer::Taken);
        expected.push(key::identity_of(point));
    });
    bodies.push(text_of(&mut packer));
    let mut seen = Vec::new();
    for body in &bodies {
        let judgement = judge(body.as_bytes(), NOW.now_ms, |_| Ok(())).unwrap();
        assert_eq!((judgement.lines_invalid, judgement.listed), (0, Vec::new()));
        for line in body.lines() {
            if let Line::Data { key, dimensions, .. } = read_line(line, NOW.now_ms).unwrap() {
                seen.push(key::identity_of_line(&key, &dimensions));
            }
        }
    }
    assert_eq!(seen, expected);
}
