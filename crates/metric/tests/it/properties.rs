//! What is encoded in one format and decoded is the same metric in every other, but for the listed
//! exceptions: here they are written down as code.

use metric::Format;
use proptest::prelude::*;

use crate::common::{Sample, encode, points};

/// Text as CloudWatch allows it, and now and then anything.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ -~]{1,24}",
        1 => "[ -~]{100,140}",
        1 => "\\PC{1,12}",
        1 => prop::sample::select(vec!["Namespace", "MetricName", "Dimensions", "a\"b\\c", "x\ny\u{1}"])
            .prop_map(str::to_owned),
    ]
}

/// A finite number of any size, often a small whole one.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => (0_u32..100_000).prop_map(f64::from),
        1 => prop::sample::select(vec![0.0, -0.0, 9.999999e-9, 877_130_197.0, 1e108, -1.5, 5e-324]),
        2 => any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |v| v.is_finite()),
    ]
}

fn percentile() -> impl Strategy<Value = String> {
    prop_oneof![
        (1_u32..100).prop_map(|whole| format!("p{whole}")),
        (0_u32..100, 1_u64..10_000_000_000).prop_map(|(whole, fraction)| {
            format!("p{whole}.{}", format!("{fraction:010}").trim_end_matches('0'))
        }),
    ]
}

fn unit() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0_usize..27).prop_map(|at| {
            let unit = metric::Unit::all().nth(at).expect("27 units");
            metric::text(unit.cloudwatch()).to_owned()
        }),
        1 => "[a-z]{3,20}".prop_map(|text| format!("other {text}")),
    ]
}

/// Any metric that every OTel form can carry.
pub(crate) fn otel_sample() -> impl Strategy<Value = Sample> {
    let names = (text(), text(), prop::collection::vec((text(), text()), 0..5), unit());
    let place = ("[A-Za-z0-9_-]{0,20}", "[0-9]{0,12}", "[a-z0-9-]{0,14}", any::<bool>());
    let times = (1_u64..4_000_000_000_000, prop::option::of(0_u64..100_000_000));
    let values = (
        prop::option::of(number()),
        prop::option::of(number()),
        prop::option::of(number()),
        1_u32..1_000_000,
    );
    let extra = prop::collection::vec((percentile(), number()), 0..4);
    (names, place, times, values, extra).prop_map(|(names, place, times, values, extra)| {
        let (namespace, name, dimensions, unit) = names;
        let (stream, account, region, with_arn) = place;
        let exporter_arn = if with_arn && !stream.is_empty() {
            let partition = metric::partition(region.as_bytes());
            format!("arn:{partition}:cloudwatch:{region}:000000000000:metric-stream/{stream}")
        } else {
            String::new()
        };
        let (min, max, sum, count) = values;
        let start_ns = times.0 * 1_000_000;
        Sample {
            stream,
            exporter_arn,
            account,
            region,
            namespace,
            name,
            dimensions,
            unit,
            start_ns,
            end_ns: times.1.map(|period| start_ns + period * 1000),
            min,
            max,
            sum,
            count: f64::from(count),
            extra,
        }
    })
}

/// Several metrics, some of the same resource and name.
pub(crate) fn samples() -> impl Strategy<Value = Vec<Sample>> {
    (prop::collection::vec(otel_sample(), 1..4), prop::collection::vec(0_usize..3, 1..6)).prop_map(
        |(samples, turns)| {
            turns.into_iter().map(|at| samples[at % samples.len()].clone()).collect()
        },
    )
}

/// The sample, with what only JSON can carry.
fn json_sample() -> impl Strategy<Value = Sample> {
    let statistic = prop_oneof![
        percentile(),
        text().prop_filter("a name of its own", |name| {
            !["max", "min", "sum", "count"].contains(&name.as_str())
        }),
        prop::sample::select(vec![
            "TM(25%:75%)",
            "tm99",
            "IQM",
            "PR(:300)",
            "p0",
            "p100",
            "P50",
            "p5.50"
        ])
        .prop_map(str::to_owned),
    ];
    let extra = prop::collection::vec((statistic, number()), 0..4);
    (otel_sample(), extra, number()).prop_map(|(sample, extra, count)| {
        // One statistic there must be; the count always is one.
        Sample { extra, count, ..sample }
    })
}

/// What JSON carries of a metric: no ARN, no end, whole milliseconds (which all of ours have).
fn through_json(sample: &Sample) -> Sample {
    Sample { exporter_arn: String::new(), end_ns: None, ..sample.clone() }
}

/// What OTel carries of a metric.
fn through_otel(sample: &Sample) -> Sample {
    let (stream, region, account) = (&sample.stream, &sample.region, &sample.account);
    let exporter_arn = match (sample.exporter_arn.as_str(), stream.as_str()) {
        ("", "") => String::new(),
        ("", stream) => format!("arn:aws:cloudwatch:{region}:{account}:metric-stream/{stream}"),
        (arn, _) => arn.to_owned(),
    };
    let (mut min, mut max, mut extra) = (sample.min, sample.max, Vec::new());
    for (name, value) in &sample.extra {
        let Some(percent) = name.strip_prefix(['p', 'P']) else { continue };
        let plain = percent.split('.').count() <= 2
            && !percent.starts_with('.')
            && !percent.ends_with('.')
            && percent.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        match percent.parse::<f64>() {
            Ok(0.0) if plain => min = Some(min.map_or(*value, |min| min.min(*value))),
            Ok(100.0) if plain => max = Some(max.map_or(*value, |max| max.max(*value))),
            Ok(percent) if plain && percent < 100.0 => {
                // Percentiles lose other spellings of the same number.
                extra.push((format!("p{percent}"), *value));
            }
            _ => {}
        }
    }
    let count = if sample.count > 0.0 { sample.count.round().max(1.0) } else { 0.0 };
    Sample {
        exporter_arn,
        end_ns: sample.end_ns.or(Some(sample.start_ns + 60_000_000_000)),
        sum: sample.sum.or(Some(0.0)),
        min,
        max,
        count: (count as u64) as f64,
        extra,
        ..sample.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// *Scenario:* any metrics that all formats carry are written and read in each.
    /// *Guarantees:* they come back as they were, but for what JSON has no place for.
    #[test]
    fn every_format_carries_the_same_metric(samples in samples()) {
        let json: Vec<Sample> = samples.iter().map(through_json).collect();
        prop_assert_eq!(points(&encode(Format::Json, &samples)), json);
        for format in [Format::Otel07, Format::Otel10] {
            let mut found = points(&encode(format, &samples));
            let mut expect: Vec<Sample> = samples.iter().map(through_otel).collect();
            // Metrics of one resource come together.
            let key = |sample: &Sample| format!("{sample:?}");
            found.sort_by_key(key);
            expect.sort_by_key(key);
            prop_assert_eq!(found, expect);
        }
    }

    /// *Scenario:* any metric of JSON, with every statistic and fractional counts, goes through
    /// JSON, 0.7 and 1.0 in turn.
    /// *Guarantees:* JSON keeps all of it; OTel keeps all but the listed exceptions; both OTel
    /// forms keep the same, and a second passage changes nothing more.
    #[test]
    fn only_the_listed_exceptions_are_lost(sample in json_sample()) {
        let as_json = points(&encode(Format::Json, std::slice::from_ref(&sample)));
        prop_assert_eq!(&as_json, &[through_json(&sample)]);
        let expect = through_otel(&sample);
        for format in [Format::Otel07, Format::Otel10] {
            let once = points(&encode(format, std::slice::from_ref(&sample)));
            prop_assert_eq!(&once, std::slice::from_ref(&expect));
            let other = if format == Format::Otel07 { Format::Otel10 } else { Format::Otel07 };
            prop_assert_eq!(&points(&encode(other, &once)), &once);
            prop_assert_eq!(encode(format, &points(&encode(other, &once))), encode(format, &once));
        }
    }

    /// *Scenario:* messages of random metrics, with line feeds inserted at random borders.
    /// *Guarantees:* no message is lost, none is made up, nothing is rejected.
    #[test]
    fn inserted_line_feeds_lose_nothing(
        samples in prop::collection::vec(otel_sample(), 1..6),
        feeds in prop::collection::vec(0_usize..3, 7),
    ) {
        let mut record = vec![b'\n'; feeds[0]];
        for (sample, feeds) in samples.iter().zip(&feeds[1..]) {
            let format = if *feeds == 1 { Format::Otel07 } else { Format::Otel10 };
            record.extend(encode(format, std::slice::from_ref(sample)));
            record.extend(vec![b'\n'; *feeds]);
        }
        let expect: Vec<Sample> = samples.iter().map(through_otel).collect();
        prop_assert_eq!(points(&record), expect);
    }
}
