use proptest::prelude::*;

use super::Statistic;

fn name(statistic: Statistic<'_>) -> String {
    let mut out = Vec::new();
    statistic.write_name(&mut out);
    String::from_utf8(out).expect("ASCII")
}

/// *Scenario:* percentiles whose float arithmetic goes wrong, with few and many decimals.
/// *Guarantees:* names and quantiles map both ways exactly, digit for digit.
#[test]
fn percentiles_map_by_decimal_text() {
    for (text, quantile) in [
        ("p99.9", 0.999),
        ("p99.99", 0.9999),
        ("p50", 0.5),
        ("p55", 0.55),
        ("p57", 0.57),
        ("p29", 0.29),
        ("p99", 0.99),
        ("p95.2345", 0.952_345),
        ("p0.1", 0.001),
        ("p0.01", 0.0001),
        ("p10", 0.1),
        ("p1", 0.01),
        ("p1.5", 0.015),
        ("p99.9999999999", 0.999_999_999_999),
        ("p0.0000000001", 0.000_000_000_001),
    ] {
        assert_eq!(name(Statistic::Quantile(quantile)), text);
        assert_eq!(Statistic::Named(text.as_bytes()).quantile(), Some(quantile), "{text}");
    }
}

/// *Scenario:* percentiles in other spellings, and names that are no percentiles.
/// *Guarantees:* the first read as the same number, the second have no quantile.
#[test]
fn only_percentiles_have_a_quantile() {
    for (text, quantile) in
        [("p99.90", 0.999), ("P99", 0.99), ("p100", 1.0), ("p0", 0.0), ("p05", 0.05)]
    {
        assert_eq!(Statistic::Named(text.as_bytes()).quantile(), Some(quantile), "{text}");
    }
    for text in [
        "",
        "p",
        "p.",
        "p.5",
        "p9.",
        "p9.9.9",
        "p-1",
        "p1e1",
        "p100.1",
        "p101",
        "tm99",
        "IQM",
        "TM(25%:75%)",
        "p99 ",
        "PR(:300)",
        "p11111111111111111111111111111111111111111111",
    ] {
        assert_eq!(Statistic::Named(text.as_bytes()).quantile(), None, "{text}");
        assert_eq!(name(Statistic::Named(text.as_bytes())), text);
    }
}

proptest! {
    /// *Scenario:* any percentile with up to ten decimals, CloudWatch's limit.
    /// *Guarantees:* its name comes back from its quantile.
    #[test]
    fn names_come_back(whole in 1_u64..100, decimals in 0_usize..=10, digits in any::<u64>()) {
        let fraction = format!("{:010}", digits % 10_000_000_000);
        let fraction: String = fraction.chars().take(decimals).collect();
        let fraction = fraction.trim_end_matches('0');
        let text = if fraction.is_empty() { format!("p{whole}") } else { format!("p{whole}.{fraction}") };
        let quantile = Statistic::Named(text.as_bytes()).quantile().expect("a percentile");
        prop_assert_eq!(name(Statistic::Quantile(quantile)), text);
    }

    /// *Scenario:* any quantile between 0 and 1.
    /// *Guarantees:* its name reads back as the same number, or is too long to be a percentile.
    #[test]
    fn quantiles_come_back(quantile in 0.0_f64..1.0) {
        prop_assume!(quantile > 0.0);
        let text = name(Statistic::Quantile(quantile));
        match Statistic::Named(text.as_bytes()).quantile() {
            Some(again) => prop_assert_eq!(again, quantile),
            None => prop_assert!(text.len() > 32),
        }
    }
}
