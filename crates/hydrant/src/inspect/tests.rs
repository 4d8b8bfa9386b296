//! Names and numbers as they are shown.

use metric::{Extra, Point, Statistic};

use super::output::number_text;
use super::table::{Table, statistic_text};

/// *Scenario:* a point with long numbers on a terminal of 60 columns, on a wide one, and in a file.
/// *Guarantees:* on the narrow one all of it, in lines that fit; columns in one line elsewhere.
#[test]
fn a_narrow_terminal_gets_paragraphs() {
    let extra = [("p50", 21.0), ("p99", 23.300392401462645)]
        .map(|(name, value)| Extra { statistic: Statistic::Named(name.as_bytes()), value });
    let point = Point {
        account: b"012345678901",
        region: b"eu-west-1",
        start_ns: 1_764_556_380_000_000_000,
        min: Some(20.165451405689453),
        max: Some(23.300392401462645),
        sum: Some(109.5),
        count: 5.0,
        extra: &extra,
        ..Point::of(b"AWS/EC2", b"CPUUtilization")
    };
    let table = |terminal| {
        let (mut table, mut out) = (Table::new(terminal), Vec::new());
        table.row(&point, &mut out);
        table.finish(&mut out);
        table.row(&point, &mut out);
        String::from_utf8(out).unwrap()
    };
    let paragraph = "AWS/EC2 CPUUtilization  None
  2025-12-01T02:33:00Z  012345678901  eu-west-1
  min 20.165451405689453  max 23.300392401462645  sum 109.5
  count 5  avg 21.9  p50=21  p99=23.300392401462645
";
    assert_eq!(table(Some(60)), [paragraph, paragraph].concat());
    let file = table(None);
    assert_eq!((file.lines().count(), table(Some(300)) == file), (3, true));
    assert!(file.starts_with("TIME "), "{file}");
}

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
