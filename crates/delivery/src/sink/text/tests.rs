use super::Text;

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
        text.clear();
        text.put(b"again");
        assert_eq!(text.as_slice(), b"again");
    }
}
