use super::{TABLE, Unit};

/// *Scenario:* each of the 27 names of `metric-streams` table 2.5 is read, in both spellings.
/// *Guarantees:* the mapping is a bijection: each text gives its own unit, and prints back as it was.
#[test]
fn every_unit_maps_both_ways() {
    let mut seen = std::collections::HashSet::new();
    for (index, unit) in Unit::all().enumerate() {
        let (cloudwatch, otel) = TABLE[index];
        assert_eq!(Unit::parse(cloudwatch), unit);
        assert_eq!(Unit::parse(otel), unit);
        assert_eq!(unit.cloudwatch(), cloudwatch);
        assert_eq!(unit.otel(), otel);
        assert!(seen.insert(cloudwatch) && seen.insert(otel), "two units share a word");
    }
    assert_eq!(seen.len(), 54);
}

/// *Scenario:* the bit family arrives in UCUM's capitals, and other words in wrong capitals.
/// *Guarantees:* only the bit family ignores case, since AWS's table and UCUM differ there.
#[test]
fn bit_units_ignore_case() {
    for (text, name) in [
        (&b"Mbit"[..], &b"Megabits"[..]),
        (b"Gbit/s", b"Gigabits/Second"),
        (b"TBIT", b"Terabits"),
        (b"kbit/s", b"Kilobits/Second"),
        (b"bit", b"Bits"),
        (b"Megabits", b"Megabits"),
    ] {
        assert_eq!(Unit::parse(text).cloudwatch(), name);
    }
    assert_eq!(Unit::parse(b"by"), Unit::Other(b"by"));
    assert_eq!(Unit::parse(b"megabits"), Unit::Other(b"megabits"));
}

/// *Scenario:* a unit that CloudWatch does not have, the placeholder of AWS's docs, and no unit.
/// *Guarantees:* unknown text is kept in both spellings, empty text means `None`.
#[test]
fn unknown_text_is_kept() {
    for text in [&b"furlong"[..], b"NoneTranslated", b"a unit name that is longer than any other"] {
        let unit = Unit::parse(text);
        assert_eq!(unit, Unit::Other(text));
        assert_eq!((unit.cloudwatch(), unit.otel()), (text, text));
    }
    assert_eq!(Unit::parse(b""), Unit::NONE);
    assert_eq!(Unit::NONE.cloudwatch(), b"None");
}
