//! The grammar, rule by rule: what keeps all rules passes, what breaks one is refused for it.

use proptest::prelude::*;

use super::super::name::{check_dimension_key, check_metric_key, check_metric_sections};
use super::*;

const NOW: i64 = 1_795_176_000_000;

#[track_caller]
fn good(line: &str) -> Line {
    read(line, NOW).unwrap_or_else(|why| panic!("{line}: {why}"))
}

#[track_caller]
fn bad(line: &str, why: &str) {
    match read(line, NOW) {
        Ok(_) => panic!("taken: {line}"),
        Err(said) => assert!(said.contains(why), "{line}: said '{said}', wanted '{why}'"),
    }
}

/// *Scenario:* one line of each form that the protocol knows.
/// *Guarantees:* all are read, with their parts as they were meant.
#[test]
fn every_form_of_a_line_is_read() {
    let line = good(
        r#"cloud.aws.ec2.x,a="b \"c\" \\ d, e=f",b=bare\ \,\=x gauge,min=1,max=2.5,sum=3,count=2 1795176000000"#,
    );
    let Line::Data { key, dimensions, payload, timestamp_ms } = line else { panic!() };
    assert_eq!(key, "cloud.aws.ec2.x");
    assert_eq!(dimensions[0], ("a".to_owned(), r#"b "c" \ d, e=f"#.to_owned()));
    assert_eq!(dimensions[1], ("b".to_owned(), "bare ,=x".to_owned()));
    assert_eq!(payload, Payload::Gauge(Gauge { min: 1.0, max: 2.5, sum: 3.0, count: 2.0 }));
    assert_eq!(timestamp_ms, Some(NOW));
    for line in [
        "abc 1",
        "abc -1.5",
        "abc gauge,1.0e10",
        "abc count,delta=3",
        "abc gauge,count=0,sum=0,max=0,min=0",
        "abc gauge,count=3,sum=0.30000000000000004,max=0.1,min=0.1 1795176000000",
        "a.4xxErrorBy 1",
        r#"#abc gauge dt.meta.unit=Count,dt.meta.displayName="A b",dt.meta.description="c""#,
        "#abc count dt.meta.unit=By/s",
    ] {
        good(line);
    }
}

/// *Scenario:* lines that each break exactly one rule.
/// *Guarantees:* each is refused, and for that rule.
#[test]
fn each_broken_rule_is_named() {
    let long = "x".repeat(256);
    for (line, why) in [
        ("", "line is empty"),
        ("1abc 1", "invalid metric key"),
        ("ab 1", "length must be between"),
        (&format!("{} 1", "a".repeat(256)), "length must be between"),
        ("dt.abc 1", "reserved"),
        ("a.-b 1", "error at '-'"),
        ("m\u{e4}tric 1", "error at '\u{e4}'"),
        ("abc,Dim=\"x\" 1", "invalid dimension key 'Dim': error at 'D'"),
        ("abc,=\"x\" 1", "empty section"),
        ("abc,0a=\"x\" 1", "error at '0'"),
        ("abc,a b=\"x\" 1", "without value"),
        (&format!("abc,{}=x 1", "a".repeat(101)), "longer than 100"),
        ("abc,a=\"\" 1", "empty value"),
        ("abc,a= 1", "empty value"),
        (&format!("abc,a=\"{long}\" 1"), "longer than 255"),
        ("abc,a=\"x 1", "unterminated"),
        (r#"abc,a="x\n" 1"#, "invalid escape"),
        (r"abc,a=x\n 1", "invalid escape"),
        ("abc,a=x=y 1", "unescaped '='"),
        ("abc,a=\"x\ty\" 1", "control character"),
        ("abc,a=\"x\",a=\"y\" 1", "duplicate dimension key"),
        ("abc,a=\"x\"1", "missing payload"),
        ("abc", "missing payload"),
        ("abc ", "invalid number ''"),
        ("abc NaN", "invalid number"),
        ("abc inf", "invalid number"),
        ("abc +1", "invalid number"),
        ("abc 1e5", "invalid number"),
        ("abc .5", "invalid number"),
        ("abc 5.", "invalid number"),
        ("abc 1.0e400", "invalid number"),
        ("abc 0x10", "invalid number"),
        ("abc meter,1", "invalid payload type"),
        ("abc count,1", "invalid count payload"),
        ("abc gauge,min=1,max=1,sum=1", "all required"),
        ("abc gauge,min=1,min=1,max=1,sum=1,count=1", "given twice"),
        ("abc gauge,min=1,max=1,sum=1,count=1,p99=1", "unknown gauge field"),
        ("abc gauge,min=2,max=1,sum=2,count=1", "max is less than min"),
        ("abc gauge,min=1,max=2,sum=9,count=2", "inconsistent gauge fields: the mean"),
        ("abc gauge,min=1,max=2,sum=0,count=2", "the mean"),
        ("abc gauge,min=0,max=0,sum=1,count=0", "count is 0"),
        ("abc gauge,min=1,max=1,sum=1,count=-1", "negative"),
        ("abc 1 1795172399999", "1 hour in the past"),
        ("abc 1 1795176600001", "10 minutes in the future"),
        ("abc 1 17951760000x0", "invalid timestamp"),
        ("abc 1 -5", "invalid timestamp"),
        ("abc 1  1795176000000", "invalid timestamp"),
        ("abc 1 1795176000000 ", "invalid timestamp"),
        ("abc 1\r", "invalid number"),
        ("#abc", "without payload type"),
        ("#abc meter dt.meta.unit=x", "invalid payload type"),
        ("#abc gauge", "without properties"),
        ("#abc gauge dt.meta.color=red", "unknown metadata property"),
        ("#abc gauge dt.meta.unit=\"a b\"", "invalid unit"),
        ("#abc gauge dt.meta.unit=x y", "unexpected text"),
        ("# abc gauge dt.meta.unit=x", "invalid metric key"),
    ] {
        bad(line, why);
    }
}

/// *Scenario:* limits met exactly, then passed by one.
/// *Guarantees:* 50 dimensions, 255 characters, the hour and the ten minutes are all still good.
#[test]
fn limits_are_inclusive() {
    let dimensions = |n: usize| (0..n).map(|i| format!(",d{i}=x")).collect::<String>();
    good(&format!("abc{} 1", dimensions(50)));
    bad(&format!("abc{} 1", dimensions(51)), "more than 50 dimensions");
    good(&format!("abc,a=\"{}\" 1", "\u{e4}".repeat(255)));
    good(&format!("{} 1", "a".repeat(255)));
    good("abc 1 1795172400000");
    good("abc 1 1795176600000");
    let many = format!(
        "abc{} 1",
        (0..49).map(|i| format!(",d{i}={}", "x".repeat(255))).collect::<String>()
    );
    good(&many);
    bad(&format!("abc {}", "1".repeat(50_000)), "longer than 50000");
}

/// *Scenario:* the published normalisation vectors of metric keys, before and after.
/// *Guarantees:* what a normaliser makes is good, what it had to change is not.
#[test]
fn normalised_metric_keys_are_good_and_others_are_not() {
    for (before, after) in [
        ("1case", "_case"),
        ("000", "_00"),
        ("~0#key", "_0_key"),
        ("a..b", "a.b"),
        ("a.", "a"),
        ("m\u{c4}tric", "m_tric"),
        ("@@@@", "_"),
        ("a,,,b  c=d\\e\\ =,f", "a_b_c_d_e_f"),
    ] {
        assert!(check_metric_sections(before).is_err(), "{before}");
        check_metric_sections(after).unwrap();
        assert_eq!(check_metric_key(after).is_ok(), after.len() >= 3, "{after}");
    }
    for unchanged in ["metric.key-number-1.001", "a.0b"] {
        check_metric_key(unchanged).unwrap();
    }
    assert!(check_metric_key(".a").is_err());
}

/// *Scenario:* the published normalisation vectors of dimension keys, before and after.
/// *Guarantees:* what a normaliser makes is good, what it had to change is not.
#[test]
fn normalised_dimension_keys_are_good_and_others_are_not() {
    for (before, after) in [
        ("Dim", "dim"),
        ("\u{e4}ABC", "_abc"),
        ("---dim", "_--dim"),
        ("0Tag", "_tag"),
        ("a b", "a_b"),
        ("dim.0dim", "dim._dim"),
        ("000", "_00"),
        (".a.", "a"),
        ("\u{e4}_\u{e4}tag", "___tag"),
    ] {
        assert!(check_dimension_key(before).is_err(), "{before}");
        check_dimension_key(after).unwrap();
        assert_eq!(super::super::key::dimension_key(before), after, "{before}");
    }
    assert!(check_dimension_key(".").is_err());
}

fn dimension_value() -> impl Strategy<Value = String> {
    "[^\\p{Cc}\u{2028}\u{2029}]{1,40}"
}

proptest! {
    /// *Scenario:* lines made by hand from valid parts, every value quoted and escaped.
    /// *Guarantees:* all pass, and the dimensions come back as they went in.
    #[test]
    fn valid_lines_pass(
        key in "[a-zA-Z_][a-zA-Z0-9_-]{2,20}(\\.[a-zA-Z0-9_][a-zA-Z0-9_-]{0,10}){0,3}",
        values in proptest::collection::vec(dimension_value(), 0..8),
        low in -1e12f64..1e12,
        width in 0f64..1e9,
        count in 1u32..10_000,
        age_ms in 0i64..3_600_000,
    ) {
        let mut line = key;
        for (n, value) in values.iter().enumerate() {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            line.push_str(&format!(",d{n}.x-y:z=\"{escaped}\""));
        }
        // Whole numbers, so that the sum of equal samples is exact.
        let (low, high) = (low.trunc(), (low + width).trunc());
        let sum = (low + high) / 2.0 * f64::from(count);
        line.push_str(&format!(" gauge,min={low},max={high},sum={sum},count={count} {}", NOW - age_ms));
        let read = read(&line, NOW).map_err(TestCaseError::fail)?;
        let Line::Data { dimensions, .. } = read else { panic!() };
        let back: Vec<_> = dimensions.into_iter().map(|(_, value)| value).collect();
        prop_assert_eq!(back, values);
    }

    /// *Scenario:* any text at all as a line.
    /// *Guarantees:* the reader answers; it never panics.
    #[test]
    fn any_text_is_answered(line in "\\PC{0,80}", tail in "[ ,=\"\\\\#a-z0-9.]{0,40}") {
        let line = line + &tail;
        if let Ok(Line::Data { key, .. }) = read(&line, NOW) {
            check_metric_key(&key).map_err(TestCaseError::fail)?;
        }
    }
}
