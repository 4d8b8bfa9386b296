//! Every length form, limits, and any value there and back.

use proptest::prelude::*;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

/// *Scenario:* the forms that SDKs write: definite and indefinite, pieces, tags, halves, integers.
/// *Guarantees:* each reads as what it means.
#[test]
fn forms_of_sdks() {
    for (bytes, want) in [
        ("00", Value::Int(0)),
        ("1818", Value::Int(24)),
        ("3903e7", Value::Int(-1000)),
        ("1bffffffffffffffff", Value::Float(u64::MAX as f64)),
        ("f97e00", Value::Float(f64::NAN)),
        ("f93c00", Value::Float(1.0)),
        ("f90001", Value::Float(5.960464477539063e-8)),
        ("f9fc00", Value::Float(f64::NEG_INFINITY)),
        ("fa47c35000", Value::Float(100_000.0)),
        ("c1fb41dac00f9c200000", Value::Time(1_795_178_096.5)),
        ("c11a6b000000", Value::Time(1_795_162_112.0)),
        ("7f61616162ff", Value::text("ab")),
        ("5f42010243030405ff", Value::Blob(Cow::Owned(vec![1, 2, 3, 4, 5]))),
        ("9f0102ff", Value::List(vec![Value::Int(1), Value::Int(2)])),
        ("bf6161f5ff", Value::Map(vec![("a".into(), Value::Bool(true))])),
        ("a16161f7", Value::Map(vec![("a".into(), Value::Null)])),
    ] {
        let bytes = hex(bytes);
        let found = read(&bytes).unwrap();
        match (&found, &want) {
            (Value::Float(a), Value::Float(b)) if a.is_nan() => assert!(b.is_nan()),
            (Value::Time(a), Value::Time(b)) => assert!((a - b).abs() < 1e6, "{a} {b}"),
            _ => assert_eq!(found, want),
        }
    }
    assert_eq!(read(b""), Ok(Value::Map(Vec::new())));
}

/// *Scenario:* bytes cut anywhere, lengths that lie, nesting without end, more after the end.
/// *Guarantees:* a fault with its place; no memory that the bytes did not pay for.
#[test]
fn bad_bytes() {
    let good = hex("a26161 82 01 c1fb41dac00f9c200000 6162 bf 6163 5f4101ff ff");
    assert!(read(&good).is_ok());
    for length in 1..good.len() {
        assert!(read(&good[..length]).is_err(), "cut at {length}");
    }
    let deep = [0x81; 100_000];
    assert_eq!(read(&deep).unwrap_err().what, "nested too deep");
    for bytes in ["9bffffffffffffffff", "7bffffffffffffffff", "a1", "ff", "1c", "a10101", "0000"] {
        assert!(read(&hex(bytes)).is_err(), "{bytes}");
    }
}

fn any_value() -> impl Strategy<Value = Value<'static>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-1e300..1e300f64).prop_map(Value::Float),
        (-1e12..1e12f64).prop_map(Value::Time),
        ".{0,30}".prop_map(Value::text),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(|b| Value::Blob(Cow::Owned(b))),
    ];
    leaf.prop_recursive(3, 40, 5, |inner| {
        let named = (".{0,5}".prop_map(Cow::Owned), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::List),
            prop::collection::vec(named, 0..5).prop_map(Value::Map),
        ]
    })
}

proptest! {
    /// *Scenario:* any value, and any bytes.
    /// *Guarantees:* the value comes back as it was; the bytes never panic, and skipping them ends
    /// where reading them does.
    #[test]
    fn there_and_back(value in any_value(), bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut out = Vec::new();
        write(&value, &mut out);
        prop_assert_eq!(read(&out), Ok(value));
        let (mut one, mut other) = (Reader::new(&bytes), Reader::new(&bytes));
        let ends = (one.value().map(drop), other.skip());
        prop_assert_eq!(ends.0, ends.1);
        prop_assert_eq!(one.position(), other.position());
    }
}
