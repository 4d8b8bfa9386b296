//! Names there and back, and values against plain definitions.

use proptest::prelude::*;

use super::*;

/// *Scenario:* every form of the documentation, and what is none.
/// *Guarantees:* each is known by its canonical name; nothing else is taken.
#[test]
fn names() {
    for (given, canonical) in [
        ("p99", "p99"),
        ("P99.9", "p99.9"),
        ("p100", "p100"),
        ("p0.0000000001", "p0.0000000001"),
        ("tm99", "TM(:99%)"),
        ("TM(25%:75%)", "IQM"),
        ("iqm", "IQM"),
        ("TM(80%:500)", "TM(80%:500)"),
        ("wm(10%:90%)", "WM(10%:90%)"),
        ("TC(0.005:0.030)", "TC(0.005:0.03)"),
        ("ts80", "TS(:80%)"),
        ("TS(80%:)", "TS(80%:)"),
        ("PR(:300)", "PR(:300)"),
    ] {
        let parsed = Statistic::parse(given).unwrap_or_else(|| panic!("{given}"));
        assert_eq!(parsed.to_string(), canonical);
        assert_eq!(Statistic::parse(canonical), Some(parsed), "{canonical}");
    }
    for given in [
        "",
        "p",
        "p101",
        "p-1",
        "p1e1",
        "p1.12345678901",
        "Average",
        "TM()",
        "TM(:)",
        "TM(9%:1%)",
        "PR(1%:2)",
        "PR99",
        "XX(1:2)",
        "TM(a:b)",
        "tm",
        "p99 ",
        "TM(inf:)",
        "\u{e9}\u{e9}",
    ] {
        assert_eq!(Statistic::parse(given), None, "{given:?}");
    }
}

/// *Scenario:* ten values, one to ten.
/// *Guarantees:* the numbers anyone would work out by hand.
#[test]
fn one_to_ten() {
    let values = (1..=10).map(|n| (f64::from(n), 1.0)).collect();
    let ten = Distribution::new(values).unwrap();
    for (name, want) in [
        ("p50", 5.0),
        ("p90", 9.0),
        ("p91", 10.0),
        ("p0", 1.0),
        ("TM(10%:90%)", 5.5),
        ("TM(25%:75%)", 5.5),
        ("TM(:50%)", 3.0),
        ("TM(2:4)", 3.5),
        ("WM(10%:80%)", (1.0 + 2.0 + 3.0 + 4.0 + 5.0 + 6.0 + 7.0 + 8.0 * 3.0) / 10.0),
        ("WM(80%:)", (8.0 * 8.0 + 9.0 + 10.0) / 10.0),
        ("WM(4:)", (4.0 * 4.0 + 5.0 + 6.0 + 7.0 + 8.0 + 9.0 + 10.0) / 10.0),
        ("WM(:3)", (1.0 + 2.0 + 3.0 * 8.0) / 10.0),
        ("wm20", (1.0 + 2.0 * 9.0) / 10.0),
        ("TC(2:4)", 2.0),
        ("TS(80%:)", 19.0),
        ("PR(:3)", 30.0),
        ("PR(3:5)", 20.0),
    ] {
        let found = ten.compute(&Statistic::parse(name).unwrap()).unwrap();
        assert!((found - want).abs() < 1e-12, "{name}: {found}, not {want}");
    }
    assert_eq!(ten.compute(&Statistic::parse("TM(20:30)").unwrap()), None);
    assert_eq!(Distribution::new(vec![(-1.0, 1.0), (2.0, 1.0)]), None);
    assert_eq!(Distribution::new(vec![(1.0, 0.0)]), None);
}

/// *Scenario:* statistic sets that say what their values were, and some that do not.
/// *Guarantees:* only the former have values.
#[test]
fn sets_that_tell() {
    assert_eq!(raw_of([1.0, 5.0, 5.0, 5.0]), Some((5.0, 1.0)));
    assert_eq!(raw_of([3.0, 6.0, 2.0, 2.0]), Some((2.0, 3.0)));
    assert_eq!(raw_of([2.0, 3.0, 1.0, 2.0]), None);
    assert_eq!(raw_of([3.0, 7.0, 2.0, 2.0]), None);
}

proptest! {
    /// *Scenario:* any values with whole weights, and each value as often as its weight says.
    /// *Guarantees:* the same percentiles, counts, sums and ranks.
    #[test]
    fn weights_are_repetition(
        values in prop::collection::vec((0..50_u32, 1..5_u32), 1..30),
        share in 0.0..100.0f64,
        low in 0..50_u32,
    ) {
        let weighted = values.iter().map(|(v, w)| (f64::from(*v), f64::from(*w))).collect();
        let mut plain: Vec<f64> =
            values.iter().flat_map(|(v, w)| vec![f64::from(*v); *w as usize]).collect();
        plain.sort_by(f64::total_cmp);
        let all = Distribution::new(weighted).unwrap();
        let rank = (plain.len() as f64 * share / 100.0).ceil().max(1.0) as usize;
        prop_assert_eq!(all.compute(&Statistic::Percentile(share)), Some(plain[rank - 1]));
        let range = (Some(Bound::Value(f64::from(low))), None);
        let within: Vec<f64> = plain.iter().copied().filter(|v| *v > f64::from(low)).collect();
        let near = |a: Option<f64>, b: f64| a.is_some_and(|a| (a - b).abs() < 1e-6);
        prop_assert!(near(all.compute(&Statistic::TrimmedCount(range)), within.len() as f64));
        prop_assert!(near(all.compute(&Statistic::TrimmedSum(range)), within.iter().sum()));
        let percent = within.len() as f64 / plain.len() as f64 * 100.0;
        prop_assert!(near(all.compute(&Statistic::PercentileRank(range)), percent));
    }

    /// *Scenario:* any text as a name.
    /// *Guarantees:* no panic, and what is taken is known again by its canonical name.
    #[test]
    fn any_name(name in "(?i)(p|tm|wm|tc|ts|pr|iqm)?[(]?[0-9.%:]{0,12}[)]?") {
        if let Some(statistic) = Statistic::parse(&name) {
            prop_assert_eq!(Statistic::parse(&statistic.to_string()), Some(statistic));
        }
    }
}
