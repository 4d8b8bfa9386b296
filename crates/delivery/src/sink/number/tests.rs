use proptest::prelude::*;

use super::push_decimal;

fn text(value: f64) -> String {
    let mut out = Vec::new();
    push_decimal(&mut out, value);
    String::from_utf8(out).unwrap()
}

/// *Scenario:* whole, fractional, tiny and huge numbers, both signs.
/// *Guarantees:* the usual decimal text, no exponent, no negative zero.
#[test]
fn numbers_are_plain_decimals() {
    let table = [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-17.0, "-17"),
        (45.5, "45.5"),
        (2.5, "2.5"),
        (0.1, "0.1"),
        (9.999_999e-9, "0.000000009999999"),
        (-1.5e-7, "-0.00000015"),
        (1e18, "1000000000000000000"),
        (1e22, "10000000000000000000000"),
        (1.2345e25, "12345000000000000000000000"),
        (9_223_372_036_854_775_808.0, "9223372036854776000"),
        (8.771_301_97E8, "877130197"),
    ];
    for (value, expected) in table {
        assert_eq!(text(value), expected, "{value:?}");
    }
    assert_eq!(text(f64::MAX), format!("{}", f64::MAX));
    assert_eq!(text(5e-324), format!("{}", 5e-324));
}

/// *Scenario:* numbers around the powers of ten at which exponents could begin.
/// *Guarantees:* no exponent on either side.
#[test]
fn no_exponent_at_any_magnitude() {
    for power in -320..=308 {
        let ten = format!("1e{power}").parse::<f64>().unwrap();
        for value in [ten, ten.next_down(), ten.next_up(), -ten, ten * 1.5] {
            assert!(!text(value).contains('e'), "{value:?}");
            assert_eq!(text(value).parse::<f64>().unwrap(), value);
        }
    }
}

proptest! {
    /// *Scenario:* any finite double.
    /// *Guarantees:* digits, one sign and one point only; the text reads back to the same number.
    #[test]
    fn any_finite_number_reads_back(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        let text = text(value);
        prop_assert!(text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-'));
        prop_assert_eq!(text.parse::<f64>().unwrap(), value);
    }
}
