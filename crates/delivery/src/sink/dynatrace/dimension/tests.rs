use proptest::prelude::*;

use super::*;

fn value(raw: &str) -> String {
    let mut out = Text::default();
    push_value(&mut out, raw.as_bytes());
    String::from_utf8(out.as_slice().to_vec()).unwrap()
}

/// *Scenario:* the vectors of Dynatrace's published client libraries, names with blanks, and real dimensions.
/// *Guarantees:* the same normalised names; nothing is left of a name without a usable character.
#[test]
fn names_are_normalised_as_published() {
    let table = [
        ("Dim", Some("dim")),
        ("\u{e4}ABC", Some("_abc")),
        ("---dim", Some("_--dim")),
        ("0Tag", Some("_tag")),
        ("a b", Some("a_b")),
        ("dim.0dim", Some("dim._dim")),
        ("000", Some("_00")),
        (".a.", Some("a")),
        (".", None),
        ("", None),
        ("\u{e4}_\u{e4}tag", Some("___tag")),
        ("ClusterName", Some("clustername")),
        ("Cluster Name", Some("cluster_name")),
        ("GraphQLAPIId", Some("graphqlapiid")),
        ("kubernetes:pod", Some("kubernetes:pod")),
        ("0%a", Some("_a")),
        ("\u{212a}elvin \u{130}", Some("kelvin_i")),
    ];
    for (raw, expected) in table {
        assert_eq!(normalise_name(raw).as_deref(), expected, "{raw:?}");
    }
    assert_eq!(normalise_name(&"a".repeat(300)).unwrap().len(), NAME_MAX);
    assert_eq!(normalise_name(&format!("{}.b", "a".repeat(99))).unwrap(), "a".repeat(99));
}

/// *Scenario:* quotes, backslashes, control and format characters, private, unassigned and line
/// separating code points, other scripts, emoji.
/// *Guarantees:* escapes for two, one underscore for a run of what does not print, the rest as it is.
#[test]
fn values_are_escaped_and_printable() {
    let table = [
        ("plain value/with=signs,", "plain value/with=signs,"),
        ("a\"b\\c", "a\\\"b\\\\c"),
        ("a\r\n\tb\u{7f}c", "a_b_c"),
        ("a\u{200b}\u{feff}b", "a_b"),
        ("a\u{2028}b\u{2029}c", "a_b_c"),
        ("a\u{e000}b\u{378}c", "a_b_c"),
        ("_\u{1}_", "___"),
        (
            "Gr\u{f6}\u{df}e \u{65e5}\u{672c} \u{1f680}",
            "Gr\u{f6}\u{df}e \u{65e5}\u{672c} \u{1f680}",
        ),
    ];
    for (raw, expected) in table {
        assert_eq!(value(raw), expected, "{raw:?}");
    }
}

/// *Scenario:* every byte at every place of values of many lengths.
/// *Guarantees:* the quick look at eight bytes agrees with a look at each.
#[test]
fn the_quick_look_agrees_with_the_slow_one() {
    for length in 1..40 {
        for place in 0..length {
            for byte in 0..=255 {
                let mut value = vec![b'a'; length];
                value[place] = byte;
                let clean = matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
                assert_eq!(is_clean(&value), clean, "{byte} at {place} of {length}");
            }
        }
    }
}

/// *Scenario:* values longer than the limit, also where the limit falls into an escape or a
/// character of several units.
/// *Guarantees:* cut at the limit or one before it, never in the middle of anything.
#[test]
fn long_values_are_cut_at_a_border() {
    assert_eq!(value(&"a".repeat(300)), "a".repeat(VALUE_MAX));
    assert_eq!(value(&"a".repeat(VALUE_MAX)), "a".repeat(VALUE_MAX));
    assert_eq!(value(&format!("{}\"", "a".repeat(254))), "a".repeat(254));
    assert_eq!(value(&format!("{}\"b", "a".repeat(253))), format!("{}\\\"", "a".repeat(253)));
    assert_eq!(value(&"\u{f6}".repeat(300)), "\u{f6}".repeat(VALUE_MAX));
    assert_eq!(value(&"\u{1f680}".repeat(300)), "\u{1f680}".repeat(VALUE_MAX / 2));
    assert_eq!(value(&"\u{1}".repeat(300)), "_");
}

proptest! {
    /// *Scenario:* any names and values.
    /// *Guarantees:* a name of the grammar or none; a value that is not empty, within its limit, and
    /// whose quotes and backslashes are all escaped.
    #[test]
    fn anything_becomes_a_dimension(name in any::<String>(), raw in "\\PC{1,400}|.{1,300}") {
        if let Some(name) = normalise_name(&name) {
            prop_assert!(name.len() <= NAME_MAX);
            for section in name.split('.') {
                let first = section.as_bytes()[0];
                prop_assert!(first.is_ascii_lowercase() || first == b'_', "{}", name);
            }
        }
        let value = value(&raw);
        prop_assert!(!value.is_empty() && value.encode_utf16().count() <= VALUE_MAX);
        let mut rest = value.chars();
        while let Some(c) = rest.next() {
            prop_assert!(c != '"' && !c.is_control());
            if c == '\\' {
                prop_assert!(matches!(rest.next(), Some('"' | '\\')));
            }
        }
    }
}
