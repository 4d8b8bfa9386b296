use proptest::prelude::*;

use super::{Decimal, read, read_integer, write_java};

fn java(value: f64) -> String {
    let mut out = Vec::new();
    write_java(value, &mut out);
    String::from_utf8(out).expect("ASCII")
}

/// *Scenario:* numbers at the borders of Java's rule, and values of a real capture.
/// *Guarantees:* they are written as Java writes them.
#[test]
fn doubles_are_written_as_java_does() {
    for (value, text) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (3.5, "3.5"),
        (100.0, "100.0"),
        (0.001, "0.001"),
        (0.000_999, "9.99E-4"),
        (9.999_999e-9, "9.999999E-9"),
        (9_999_999.0, "9999999.0"),
        (10_000_000.0, "1.0E7"),
        (1.25e7, "1.25E7"),
        (877_130_197.0, "8.77130197E8"),
        (0.001_333_333_333_333_33, "0.00133333333333333"),
        (-12.5, "-12.5"),
        (1e108, "1.0E108"),
        (5e-324, "4.9E-324"),
        (f64::MAX, "1.7976931348623157E308"),
        (1_234_567.5, "1234567.5"),
        (f64::NAN, "0.0"),
        (f64::INFINITY, "0.0"),
    ] {
        // Java prints one digit more of the smallest number; ours is the shortest that reads back.
        let expect = if value == 5e-324 { "5.0E-324" } else { text };
        assert_eq!(java(value), expect);
    }
}

/// *Scenario:* texts that are JSON numbers, are almost, or are followed by other bytes.
/// *Guarantees:* the grammar is JSON's, and what follows a number is handed back.
#[test]
fn the_grammar_is_that_of_json() {
    for (text, value, rest) in [
        ("0,", 0.0_f64, ","),
        ("-0.0}", -0.0, "}"),
        ("8.77130197E8,", 877_130_197.0, ","),
        ("1e5", 1e5, ""),
        ("1E+5 ", 1e5, " "),
        ("1e-7x", 1e-7, "x"),
        ("123456789012345678901234567890", 123_456_789_012_345_678_901_234_567_890.0, ""),
        ("0.30000000000000004", 0.300_000_000_000_000_04, ""),
        ("9007199254740993", 9_007_199_254_740_992.0, ""),
        ("12345678.12345678,", 12_345_678.123_456_78, ","),
        ("1.0e3,", 1000.0, ","),
        ("1.00,", 1.0, ","),
        ("5.0", 5.0, ""),
        ("5.01", 5.01, ""),
    ] {
        let (read_value, after) = read(text.as_bytes()).expect(text);
        assert_eq!((read_value.to_bits(), after), (value.to_bits(), rest.as_bytes()), "{text}");
    }
    for text in ["", "-", "+1", ".5", "1.", "1.e5", "01", "-01", "1e", "1e+", "NaN", "x", "1e400"] {
        assert_eq!(read(text.as_bytes()), None, "{text}");
    }
}

/// *Scenario:* timestamps and what could stand in their place.
/// *Guarantees:* only an integer without sign, leading zeros or more than 18 digits is taken.
#[test]
fn integers_are_plain() {
    assert_eq!(read_integer(b"1795178040000,"), Some((1_795_178_040_000, &b","[..])));
    assert_eq!(read_integer(b"0}"), Some((0, &b"}"[..])));
    assert_eq!(read_integer(b"123456789012345678"), Some((123_456_789_012_345_678, &b""[..])));
    for text in ["", "-1", "01", "x", "1234567890123456789", "99999999999999999999999"] {
        assert_eq!(read_integer(text.as_bytes()), None, "{text}");
    }
}

/// *Scenario:* small and large numbers are taken apart into digits.
/// *Guarantees:* digits have no zeros at their ends, and the exponent is that of the first digit.
#[test]
fn decimals_are_shortest() {
    for (value, digits, exponent) in [
        (0.0, "0", 0),
        (1.0, "1", 0),
        (1234.5, "12345", 3),
        (0.000_25, "25", -4),
        (1e22, "1", 22),
        (1e-300, "1", -300),
        (120.0, "12", 2),
    ] {
        let decimal = Decimal::new(value);
        assert_eq!((decimal.digits(), decimal.exponent()), (digits.as_bytes(), exponent));
    }
}

proptest! {
    /// *Scenario:* any finite double is written and read.
    /// *Guarantees:* it comes back with the same bits.
    #[test]
    fn what_is_written_reads_back(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        let text = java(value);
        let (again, rest) = read(text.as_bytes()).expect("a number");
        prop_assert_eq!((again.to_bits(), rest.len()), (bits, 0));
        prop_assert_eq!(text.parse::<f64>().expect("a number").to_bits(), bits);
    }

    /// *Scenario:* any text in the grammar of JSON numbers.
    /// *Guarantees:* it reads as the standard library reads it, to the last bit.
    #[test]
    fn reading_is_correctly_rounded(text in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?") {
        let expect: f64 = text.parse().expect("a number");
        let read_value = read(text.as_bytes()).map(|(value, rest)| (value.to_bits(), rest.len()));
        let expect = expect.is_finite().then_some((expect.to_bits(), 0));
        prop_assert_eq!(read_value, expect);
    }

    /// *Scenario:* any few bytes.
    /// *Guarantees:* what reads as a number is one for `serde_json` too.
    #[test]
    fn no_other_text_is_a_number(text in "[-+0-9.eE ]{0,12}") {
        if let Some((value, rest)) = read(text.as_bytes()) {
            let number = text.strip_suffix(std::str::from_utf8(rest).expect("ASCII"));
            prop_assert_eq!(serde_json::from_str::<f64>(number.expect("the start")).expect("a number"), value);
        }
    }
}
