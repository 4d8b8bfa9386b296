//! Queries over windows in memory.

use super::*;

fn names(windows: &Windows, account: Option<&str>, since_ms: i64) -> Vec<String> {
    let mut names = Vec::new();
    let told = windows.metrics(account, since_ms, |metric| {
        names.push(format!("{}/{}@{}", metric.account, metric.name, metric.newest_ms));
        ControlFlow::Continue(())
    });
    told.unwrap();
    names
}

/// *Scenario:* three minutes of thousands of series; asked by range, dimensions in either order.
/// *Guarantees:* each unit of the metric in the half-open range is found, with its raw values, and
/// nothing else.
#[test]
fn sets_of_a_metric() {
    let windows = Windows::default();
    for minute in 0..3 {
        let hosts: Vec<String> = (0..2_000).map(|host| format!("host-{host}")).collect();
        let pairs: Vec<[(&str, &str); 2]> =
            hosts.iter().map(|host| [("Host", host.as_str()), ("Az", "a")]).collect();
        let mut sets = Vec::new();
        for (at, dimensions) in pairs.iter().enumerate() {
            for unit in ["None", "Bytes"] {
                let set = [1.0, at as f64, minute as f64, 3.0];
                let raw = (at == 7).then(|| vec![(1.5, 2.0), (2.5, 1.0)]);
                let (account, namespace, name) = ("111122223333", "Own", "Used");
                let dimensions = &dimensions[..];
                sets.push(Given { account, namespace, name, dimensions, unit, set, raw });
            }
        }
        windows.give(minute * MINUTE_MS, &sets).unwrap();
    }
    assert_eq!(windows.minutes(), [0, 60_000, 120_000]);
    let ask = |dimensions: &[(&str, &str)], from, to| {
        windows.range("111122223333", "Own", "Used", dimensions, from, to).unwrap()
    };
    for host in [0, 7, 1_999] {
        let host_name = format!("host-{host}");
        let found = ask(&[("Az", "a"), ("Host", &host_name)], 60_000, 120_000);
        let units: Vec<&str> =
            found.iter().map(|one| metric::text(one.unit.cloudwatch())).collect();
        assert_eq!(units, ["Bytes", "None"]);
        for one in &found {
            assert_eq!((one.minute_ms, one.sum, one.min), (60_000, f64::from(host), 1.0));
            assert_eq!(one.raw, (host == 7).then(|| vec![(1.5, 2.0), (2.5, 1.0)]));
        }
        assert_eq!(ask(&[("Host", &host_name), ("Az", "a")], 0, i64::MAX).len(), 6);
    }
    assert!(ask(&[("Az", "a")], 0, i64::MAX).is_empty());
    assert!(ask(&[("Az", "a"), ("Host", "host")], 0, i64::MAX).is_empty());
    assert!(ask(&[], 5, 4).is_empty());
}

/// *Scenario:* metrics of two accounts in two minutes, with two units.
/// *Guarantees:* each metric comes once, with its newest minute, and only those asked for.
#[test]
fn distinct_metrics() {
    let windows = Windows::default();
    let given = |account, name, unit| {
        let set = [1.0; 4];
        Given { account, namespace: "N", name, unit, set, ..Given::default() }
    };
    windows.give(0, &[given("1", "a", "None"), given("1", "b", "None")]).unwrap();
    let second = [given("2", "c", "None"), given("1", "a", "Bytes"), given("1", "a", "None")];
    windows.give(MINUTE_MS, &second).unwrap();
    assert_eq!(names(&windows, Some("1"), 0), ["1/a@60000", "1/b@0"]);
    assert_eq!(names(&windows, None, 0), ["1/a@60000", "2/c@60000", "1/b@0"]);
    assert_eq!(names(&windows, Some("1"), 1), ["1/a@60000"]);
    assert!(names(&windows, Some("3"), 0).is_empty());
    let mut first = 0;
    let stop = |_: &Metric<'_>| {
        first += 1;
        ControlFlow::Break(())
    };
    windows.metrics(None, 0, stop).unwrap();
    assert_eq!(first, 1);
}
