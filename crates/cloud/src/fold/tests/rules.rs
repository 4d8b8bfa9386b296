//! One rule at a time.

use metric::Unit;

use super::house::{ACCOUNT, House, MINUTE, NOON, Sample, Told, plain, sample};
use crate::put::Samples;
use crate::registry::Additional;

pub(super) const OVER: i64 = MINUTE + 5_000;

pub(super) fn points(house: &House, stream: &str) -> Vec<Told> {
    house.sent(stream).into_iter().flat_map(|sent| sent.points).collect()
}

fn names(house: &House, stream: &str) -> Vec<String> {
    let told = points(house, stream).into_iter();
    told.map(|told| format!("{}/{}", told.account, told.key.0)).collect()
}

/// *Scenario:* samples of two minutes, the clock at each border.
/// *Guarantees:* a minute is sent when it and its grace are over, once, with the right sums, and is
/// found by queries.
#[test]
fn a_minute() {
    let mut house = House::new(1);
    house.stream("s", |_| {});
    let all = [
        sample("Used", "a", NOON, 3.0),
        sample("Used", "a", NOON + MINUTE - 1, 5.0),
        sample("Used", "b", NOON + 1, -1.0),
        sample("Free", "a", NOON + MINUTE, 7.0),
    ];
    house.put(1, &all).unwrap();
    house.at(NOON + MINUTE + 4_999);
    assert!(house.sent("s").is_empty());
    assert_eq!((house.status().open_series, house.status().open_minutes), (3, 2));
    house.at(NOON + OVER);
    assert_eq!(house.told("s"), plain(&all[..3]));
    house.at(NOON + MINUTE + OVER);
    house.at(NOON + MINUTE + OVER + 1);
    assert_eq!(house.told("s"), plain(&all));
    assert_eq!(house.sent("s").len(), 2);
    assert_eq!(house.kept(&plain(&all)), plain(&all));
    assert_eq!(house.windows().minutes(), [NOON, NOON + MINUTE]);
    let found = house.windows().range(ACCOUNT, "Own", "Used", &[("Host", "a")], NOON, i64::MAX);
    assert_eq!(found.unwrap()[0].unit, Unit::parse(b"Count"));
}

/// *Scenario:* a sample for a closed minute, and two of a minute that never had a window.
/// *Guarantees:* within ten seconds the whole corrected set of that series is sent, and only of it;
/// what has no window gets one.
#[test]
fn late_samples() {
    let mut house = House::new(2);
    house.stream("s", |_| {});
    let first = [sample("Used", "a", NOON, 3.0), sample("Used", "b", NOON, 4.0)];
    house.put(1, &first).unwrap();
    house.at(NOON + OVER);
    let late = [sample("Used", "a", NOON + 7, 10.0), sample("Used", "c", NOON, 1.0)];
    house.put(2, &late).unwrap();
    house.put(3, &[sample("Used", "a", NOON - 60 * MINUTE, 5.0)]).unwrap();
    let came = NOON + OVER;
    house.at(came + 4_999);
    assert_eq!(house.sent("s").len(), 1);
    house.at(came + 9_000);
    let sent = house.sent("s");
    assert_eq!(sent.len(), 3);
    let corrected: Vec<_> =
        sent.iter().flat_map(|one| &one.points).skip(2).map(|told| told.key.clone()).collect();
    assert_eq!(corrected.len(), 3);
    let mut all = first.to_vec();
    all.extend(late);
    all.push(sample("Used", "a", NOON - 60 * MINUTE, 5.0));
    assert_eq!(house.told("s"), plain(&all));
    assert_eq!(house.kept(&plain(&all)), plain(&all));
    assert_eq!(house.status().late_samples, 2);
}

/// *Scenario:* samples older than two days; room for one window only, and samples of one that went.
/// *Guarantees:* they are counted and never sent; the oldest window goes, also over a restart.
#[test]
fn too_old_and_gone() {
    let mut house = House::new(3);
    house.stream("s", |_| {});
    let day = 24 * 3_600_000;
    house.put(1, &[sample("Used", "a", NOON - 2 * day - 1, 1.0)]).unwrap();
    house.put(2, &[sample("Used", "a", NOON, 2.0)]).unwrap();
    house.at(NOON + OVER);
    house.put(3, &[sample("Used", "a", NOON + MINUTE, 3.0)]).unwrap();
    house.at(NOON + MINUTE + OVER);
    assert_eq!(house.windows().minutes(), [NOON, NOON + MINUTE]);
    let (_, bytes) = house.windows().size();
    house.config.windows_bytes = bytes - 1;
    house.start().unwrap();
    house.at(NOON + MINUTE + OVER + 1);
    assert_eq!(house.windows().minutes(), [NOON + MINUTE]);
    house.config.windows_bytes = 1 << 30;
    house.start().unwrap();
    house.put(4, &[sample("Used", "a", NOON, 9.0)]).unwrap();
    house.at(NOON + 3 * MINUTE);
    house.at(NOON + 4 * MINUTE);
    let told = house.told("s");
    assert_eq!(told.len(), 2);
    assert_eq!(told[&("Used".to_owned(), "a".to_owned(), NOON)], [1.0, 2.0, 2.0, 2.0]);
    assert_eq!(house.status().gone_samples, 1);
    // Two days later the last one goes too.
    house.at(NOON + 2 * day + 10 * MINUTE);
    assert!(house.windows().minutes().is_empty());
}

/// *Scenario:* samples at the edge of two days, read an hour after they arrived.
/// *Guarantees:* what was too old on arrival is counted, what was not is sent.
#[test]
fn age_is_that_of_arrival() {
    let mut house = House::new(4);
    house.stream("s", |_| {});
    let edge = NOON - 2 * 24 * 3_600_000;
    house.put(1, &[sample("Used", "a", edge - 1, 1.0), sample("Used", "a", edge, 2.0)]).unwrap();
    // The fold was away for an hour.
    house.at(NOON + 3_600_000);
    house.at(NOON + 3_600_000 + 5_000);
    assert_eq!(house.status().too_old_samples, 1);
    assert_eq!(house.told("s").len(), 1);
}

/// *Scenario:* streams with include and exclude filters, with and without names, and linked
/// accounts.
/// *Guarantees:* each gets what CloudWatch's would.
#[test]
fn filters() {
    let mut house = House::new(5);
    let own = |names: &[&str]| {
        vec![("Own".to_owned(), names.iter().map(|name| (*name).to_owned()).collect())]
    };
    house.stream("all", |_| {});
    house.stream("some", |s| (s.include, s.exclude) = (own(&["Used", "used"]), Vec::new()));
    house.stream("space", |s| (s.include, s.exclude) = (own(&[]), Vec::new()));
    house.stream("not", |s| s.exclude = own(&["Used"]));
    house.stream("none", |s| s.exclude = own(&[]));
    house.stream("linked", |s| s.linked_accounts = true);
    house.put(1, &[sample("Used", "a", NOON, 1.0), sample("Free", "a", NOON, 1.0)]).unwrap();
    house.put_of("999999999999", 2, &[sample("Used", "a", NOON, 1.0)]).unwrap();
    house.at(NOON + OVER);
    let [used, free, other] = ["111122223333/Used", "111122223333/Free", "999999999999/Used"];
    assert_eq!(names(&house, "all"), [free, used]);
    assert_eq!(names(&house, "some"), [used]);
    assert_eq!(names(&house, "space"), [free, used]);
    assert_eq!(names(&house, "not"), [free]);
    assert!(names(&house, "none").is_empty());
    assert_eq!(names(&house, "linked"), [free, used, other]);
}

/// *Scenario:* a stream stopped before a minute closes, started after; one made after.
/// *Guarantees:* neither gets anything of it, not later either; the next minute they do.
#[test]
fn stopped_streams() {
    let mut house = House::new(6);
    house.stream("stopped", |s| s.running = false);
    house.put(1, &[sample("Used", "a", NOON, 1.0)]).unwrap();
    house.at(NOON + OVER);
    house.stream("stopped", |s| s.running = true);
    house.stream("new", |_| {});
    house.start().unwrap();
    house.put(2, &[sample("Used", "a", NOON + MINUTE, 2.0)]).unwrap();
    house.at(NOON + MINUTE + OVER);
    for stream in ["stopped", "new"] {
        let told = house.told(stream);
        assert_eq!(told.len(), 1, "{stream}");
        assert!(told.contains_key(&("Used".to_owned(), "a".to_owned(), NOON + MINUTE)));
    }
}

fn with_statistics(house: &House, stream: &str, format: &str) {
    house.stream(stream, |s| {
        s.output_format = format.to_owned();
        s.statistics = vec![Additional {
            metrics: vec![("Own".to_owned(), "Used".to_owned())],
            statistics: ["p99.90", "p50", "TM(25%:75%)", "tc90", "p100", "p99.9"]
                .map(str::to_owned)
                .into(),
        }];
    });
}

/// *Scenario:* additional statistics in the three formats over raw values, some late; a series of
/// statistic sets; one with a value below zero; another metric.
/// *Guarantees:* percentiles in every format, ascending in a summary, and all in JSON by the names they
/// were configured by; exact; absent where the metric cannot have them; the own metrics say what it costs.
#[test]
fn additional_statistics() {
    let mut house = House::new(7);
    for format in ["json", "opentelemetry0.7", "opentelemetry1.0"] {
        with_statistics(&house, &format.replace('.', "-"), format);
    }
    house.stream("own", |own| {
        own.exclude.clear();
        own.include = vec![("AWS/CloudWatch/MetricStreams".to_owned(), Vec::new())];
    });
    let raw = |values: &[(f64, f64)]| Samples::Raw(values.to_vec());
    let given = |name: &str, host: &str, samples| {
        let (name, host) = (name.to_owned(), host.to_owned());
        Sample { name, host, at_ms: NOON, samples }
    };
    let all = [
        given("Used", "raw", raw(&[(1.0, 1.0), (2.0, 98.0)])),
        given("Used", "set", Samples::Set([3.0, 6.0, 1.0, 3.0])),
        given("Used", "same", Samples::Set([3.0, 6.0, 2.0, 2.0])),
        given("Used", "below", raw(&[(-1.0, 1.0)])),
        given("Free", "raw", raw(&[(5.0, 1.0)])),
        given("Used", "zero", raw(&[(5.0, 0.0)])),
    ];
    house.put(1, &all).unwrap();
    house.at(NOON + OVER);
    let extra = |house: &House, stream: &str, name: &str, host: &str| {
        let told = points(house, stream).into_iter();
        let of = told.filter(|told| told.key.0 == name && told.key.1 == host);
        of.map(|told| told.extra).next_back().unwrap_or_default()
    };
    let pair = |name: &str, value| (name.to_owned(), value);
    for stream in ["opentelemetry0-7", "opentelemetry1-0"] {
        let both = [pair("p50", 2.0), pair("p99.9", 2.0)];
        assert_eq!(extra(&house, stream, "Used", "raw"), both);
        assert_eq!(extra(&house, stream, "Used", "same"), both);
    }
    let names = ["p99.90", "p50", "TM(25%:75%)", "tc90", "p100", "p99.9"];
    let json = names.map(|name| pair(name, if name == "tc90" { 89.1 } else { 2.0 }));
    assert_eq!(extra(&house, "json", "Used", "raw"), json);
    for (name, host) in [("Used", "set"), ("Used", "below"), ("Free", "raw")] {
        assert!(extra(&house, "json", name, host).is_empty(), "{name} {host}");
    }
    assert_eq!((house.status().empty_samples, house.status().raw_values), (1, 0));
    // Late raw values go into the corrected statistics.
    house.put(2, &[given("Used", "raw", raw(&[(9.0, 100.0)]))]).unwrap();
    house.at(NOON + OVER + 1_000);
    house.at(NOON + OVER + 9_000);
    assert_eq!(extra(&house, "json", "Used", "raw")[1], pair("p50", 9.0));
    house.at(NOON + MINUTE + OVER);
    let own = points(&house, "own");
    let of = |name: &str, host: &str| {
        let found = own.iter().find(|told| told.key.0 == name && told.key.1 == host);
        found.map(|told| told.set)
    };
    // Five series at first, then one: that is 2 samples; two and then one have statistics, six each.
    assert_eq!(of("MetricUpdate", "json"), Some([2.0, 6.0, 1.0, 5.0]));
    assert_eq!(of("TotalMetricUpdate", "json"), Some([2.0, 12.0, 3.0, 9.0]));
    assert_eq!(of("PublishErrorRate", "json"), Some([2.0, 0.0, 0.0, 0.0]));
    assert_eq!(of("MetricUpdate", ""), Some([6.0, 18.0, 1.0, 5.0]));
}

/// *Scenario:* more raw values than may be kept; statistics asked for in the middle of a minute.
/// *Guarantees:* the statistic is absent rather than made of a part, and the loss is counted.
#[test]
fn raw_values_are_bounded() {
    let mut house = House::new(8);
    let many: Vec<Sample> =
        (0..1_001).map(|value| sample("Used", "a", NOON, f64::from(value))).collect();
    house.put(1, &[sample("Used", "b", NOON, 1.0)]).unwrap();
    house.at(NOON + 1);
    with_statistics(&house, "s", "json");
    house.at(NOON + 2);
    house.put(2, &many).unwrap();
    house.put(3, &[sample("Used", "b", NOON, 2.0), sample("Used", "c", NOON, 2.0)]).unwrap();
    house.at(NOON + OVER);
    let told = points(&house, "s");
    let with: Vec<&str> =
        told.iter().filter(|told| !told.extra.is_empty()).map(|told| told.key.1.as_str()).collect();
    assert_eq!((told.len(), with), (3, vec!["c"]));
    assert_eq!((house.status().raw_refused, house.status().raw_values), (1, 0));
}

/// *Scenario:* thousands of series in one window, of one stream in each format.
/// *Guarantees:* records and entries are within their sizes (the house checks), all is there, and
/// one that is delivered again makes the same entries.
#[test]
fn sizes() {
    let mut house = House::new(9);
    house.stream("s", |_| {});
    house.stream("o", |s| s.output_format = "opentelemetry1.0".to_owned());
    let mut all = Vec::new();
    for id in 0..25 {
        let some: Vec<Sample> = (0..500)
            .map(|host| sample("Used", &format!("{:0>180}", id * 500 + host), NOON, 1.0))
            .collect();
        house.put(id, &some).unwrap();
        all.extend(some);
    }
    house.at(NOON + OVER);
    assert_eq!(house.told("s"), plain(&all));
    assert_eq!(house.told("o"), plain(&all));
    let sent = house.sent("s");
    assert!(sent.len() > 1 && sent[0].records > 5, "{} entries", sent.len());
}

/// *Scenario:* a sample of the next hour, then restarts and more of its minute.
/// *Guarantees:* after five minutes it is in a file and the journal need not keep it; it is sent
/// whole when its minute is over.
#[test]
fn a_minute_of_the_future() {
    let mut house = House::new(10);
    house.stream("s", |_| {});
    let far = NOON + 60 * MINUTE;
    let all = [sample("Used", "a", far, 1.0), sample("Used", "a", far + 5, 2.0)];
    house.put(1, &all[..1]).unwrap();
    house.at(NOON + 1);
    house.at(NOON + 5 * MINUTE + 1);
    assert_eq!((house.status().open_series, house.status().kept_minutes), (0, 1));
    let low = house.journal.status();
    let topic = low.iter().find(|one| one.topic == "cloud").unwrap();
    assert_eq!(topic.cursors[0].entries, 0);
    house.crash(true);
    house.put(2, &all[1..]).unwrap();
    house.at(NOON + 6 * MINUTE);
    house.crash(true);
    assert!(house.sent("s").is_empty());
    house.at(far + OVER);
    assert_eq!(house.told("s"), plain(&all));
    assert_eq!((house.sent("s").len(), house.status().kept_minutes), (1, 0));
    // One that is in a file as a whole is closed too.
    let next = far + 60 * MINUTE;
    house.put(3, &[sample("Used", "b", next, 1.0)]).unwrap();
    house.at(far + 2 * MINUTE);
    house.at(far + 8 * MINUTE);
    house.at(next + OVER);
    assert_eq!(house.sent("s").len(), 2);
}

/// *Scenario:* a window's file is damaged; its minute gets samples. An entry that is no call.
/// *Guarantees:* it is found at the start and said; the samples are counted, no part is sent.
#[test]
fn damage() {
    let mut house = House::new(13);
    house.stream("s", |_| {});
    house.put(1, &[sample("Used", "a", NOON, 1.0)]).unwrap();
    house.at(NOON + OVER);
    let path = std::path::PathBuf::from(format!("/data/windows/{NOON}.window"));
    let mut bytes = house.disk.contents(&path).unwrap();
    bytes[20] ^= 1;
    house.engine = None;
    house.disk.put(&path, &bytes);
    house.start().unwrap();
    assert!(house.status().last_failure.unwrap().contains("damaged"));
    house.put(2, &[sample("Used", "a", NOON, 1.0)]).unwrap();
    house.at(NOON + 2 * OVER);
    house.at(NOON + 3 * OVER);
    assert_eq!(house.sent("s").len(), 1);
    assert_eq!(house.status().gone_samples, 1);
}

/// *Scenario:* a body that is cut short, and one of a newer release, each before a good call.
/// *Guarantees:* the first is counted and passed; at the second the fold stops and says so, and
/// what had been read before is not lost.
#[test]
fn what_cannot_be_read() {
    let mut house = House::new(14);
    house.stream("s", |_| {});
    House::append_body(&house.topic, 1, NOON, vec![1, 4, 0]).unwrap();
    house.put(2, &[sample("Used", "a", NOON, 1.0)]).unwrap();
    house.at(NOON + OVER);
    assert_eq!((house.told("s").len(), house.status().unreadable), (1, 1));
    let low = |house: &House| house.journal.status()[0].cursors[0].low.sequence;
    assert_eq!(house.journal.status()[0].topic, "cloud");
    house.put(3, &[sample("Used", "a", NOON + MINUTE, 1.0)]).unwrap();
    House::append_body(&house.topic, 4, NOON, vec![2]).unwrap();
    house.put(5, &[sample("Used", "a", NOON + MINUTE, 1.0)]).unwrap();
    for _ in 0..2 {
        let said = house.step().unwrap_err().to_string();
        assert!(said.contains("newer release"), "{said}");
        house.now += 2 * OVER;
    }
    // The call before it, and the stream's own metrics before that, are still the journal's.
    assert!(low(&house) <= 3);
}

/// *Scenario:* minute after minute with nothing but a stream that excludes its own metrics.
/// *Guarantees:* it comes to rest: no window after the one of its own metrics.
#[test]
fn a_quiet_system() {
    let mut house = House::new(15);
    house.stream("s", |_| {});
    house.put(1, &[sample("Used", "a", NOON, 1.0)]).unwrap();
    for minute in 0..6 {
        house.at(NOON + minute * MINUTE + OVER);
    }
    assert_eq!(house.windows().minutes(), [NOON, NOON + MINUTE]);
    assert_eq!(house.status().open_series, 0);
}
