//! Names and numbers as they are shown.

use metric::Statistic;

use super::output::number_text;
use super::table::statistic_text;

/// *Scenario:* quantiles as OTel carries them, and names as JSON does.
/// *Guarantees:* the percentile by its name, without what float arithmetic would add.
#[test]
fn statistics_have_their_names() {
    for (quantile, name) in [
        (0.99, "p99"),
        (0.999, "p99.9"),
        (0.5, "p50"),
        (0.05, "p5"),
        (0.001, "p0.1"),
        (0.9999999999, "p99.99999999"),
    ] {
        assert_eq!(statistic_text(Statistic::Quantile(quantile)), name);
    }
    assert_eq!(statistic_text(Statistic::Named(b"TM(25%:75%)")), "TM(25%:75%)");
    assert_eq!(statistic_text(Statistic::Named(b"\x1b[31m")), "\u{fffd}[31m");
}

/// *Scenario:* small, large and ordinary numbers.
/// *Guarantees:* the shortest text that reads back as the same number.
#[test]
fn numbers_read_back() {
    for (value, text) in [
        (0.0, "0"),
        (12.5, "12.5"),
        (1e300, "1e300"),
        (1e-9, "1e-9"),
        (0.1 + 0.2, "0.30000000000000004"),
    ] {
        assert_eq!(number_text(value), text);
        assert_eq!(text.parse::<f64>(), Ok(value));
    }
}
