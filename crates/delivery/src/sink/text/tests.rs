use super::{Text, same};

/// *Scenario:* pieces of every length up to 100, with and without room made before.
/// *Guarantees:* the text is the pieces in a row.
#[test]
fn pieces_follow_each_other() {
    for reserved in [0, 20_000] {
        let mut text = Text::default();
        text.reserve(reserved);
        let mut expected = Vec::new();
        for length in 0..100u8 {
            let piece: Vec<u8> = (0..length).map(|n| n ^ length).collect();
            text.put(&piece);
            text.push(length);
            expected.extend_from_slice(&piece);
            expected.push(length);
        }
        assert_eq!((text.as_slice(), text.len()), (&expected[..], expected.len()));
        text.reserve(100);
        text.repeat(10..90);
        expected.extend_from_within(10..90);
        assert_eq!(text.as_slice(), expected);
        let given = text.replace(b"other content".to_vec());
        assert_eq!((given, text.len()), (expected, 0));
        text.put(b"something");
        text.clear();
        text.put(b"again");
        assert_eq!(text.as_slice(), b"again");
    }
}

/// *Scenario:* slices of up to 70 bytes, equal and with one byte changed, and of other lengths.
/// *Guarantees:* equal is equal, nothing else is.
#[test]
fn short_slices_are_compared_whole() {
    for length in 0..70 {
        let a = vec![7u8; length];
        assert!(same(&a, &a.clone()));
        assert!(!same(&a, &vec![7; length + 1]));
        for place in 0..length {
            let mut b = a.clone();
            b[place] ^= 1;
            assert!(!same(&a, &b), "{place} of {length}");
        }
    }
}
