//! Quantities, good and bad.

use super::*;

/// *Scenario:* the durations of the documentation, and what people write by mistake.
/// *Guarantees:* each is read exactly, or refused with the reason that a hint is made of.
#[test]
fn durations() {
    for (text, ms) in [
        ("0s", 0),
        ("500ms", 500),
        ("5s", 5000),
        ("1m30s", 90_000),
        ("2h", 7_200_000),
        ("7d", 604_800_000),
        (" 5 s ", 5000),
    ] {
        assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
    }
    for (text, fault) in [
        ("", QuantityFault::Empty),
        ("60", QuantityFault::NoUnit),
        ("5x", QuantityFault::UnknownUnit("x".into())),
        ("1.5h", QuantityFault::Malformed),
        ("-1s", QuantityFault::Malformed),
        ("fast", QuantityFault::Malformed),
        ("99999999999999999999s", QuantityFault::TooLarge),
        ("18446744073709551615d", QuantityFault::TooLarge),
        ("1m30", QuantityFault::NoUnit),
    ] {
        assert_eq!(duration(text), Err(fault), "{text}");
    }
}

/// *Scenario:* sizes in decimal and binary units, and what people write by mistake.
/// *Guarantees:* each is read exactly, or refused with a reason.
#[test]
fn sizes() {
    for (text, bytes) in [
        ("0B", 0),
        ("512KiB", 512 << 10),
        ("3MiB", 3 << 20),
        ("20GiB", 20 << 30),
        ("1MB", 1_000_000),
        ("1 TiB", 1 << 40),
    ] {
        assert_eq!(size(text), Ok(bytes), "{text}");
    }
    for (text, fault) in [
        ("", QuantityFault::Empty),
        ("1048576", QuantityFault::NoUnit),
        ("3mib", QuantityFault::UnknownUnit("mib".into())),
        ("1.5GiB", QuantityFault::Malformed),
        ("1MiB2KiB", QuantityFault::Malformed),
        ("20000000000TiB", QuantityFault::TooLarge),
    ] {
        assert_eq!(size(text), Err(fault), "{text}");
    }
}

/// *Scenario:* quantities printed in messages.
/// *Guarantees:* what is printed reads back as the same quantity.
#[test]
fn text_reads_back() {
    for ms in [0, 1, 999, 1000, 61_000, 86_400_000, 90_061_001] {
        let value = Duration::from_millis(ms);
        assert_eq!(duration(&duration_text(value)), Ok(value));
    }
    for bytes in [0, 1, 1000, 1024, 3 << 20, (3 << 20) + 1, 5 << 40] {
        assert_eq!(size(&size_text(bytes)), Ok(bytes));
    }
}
