//! Dimensions as a JSON object in a text: the form that some functions in use today write, and that
//! series in their backends are named by. Every blank counts, so it is written exactly as the JSON
//! library of Python writes it by default: `{"a": "b", "c": "d"}`, in ASCII.

use metric::Dimension;

/// Appends the text.
pub(crate) fn push_text(out: &mut Vec<u8>, dimensions: &[Dimension<'_>]) {
    out.push(b'{');
    for (index, (name, value)) in dimensions.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        push_quoted(out, name);
        out.extend_from_slice(b": ");
        push_quoted(out, value);
    }
    out.push(b'}');
}

fn push_quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for character in metric::text(text).chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            ' '..='~' => out.push(character as u8),
            _ => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::push_text;

    fn text(dimensions: &[(&[u8], &[u8])]) -> String {
        let mut out = Vec::new();
        push_text(&mut out, dimensions);
        String::from_utf8(out).unwrap()
    }

    /// *Scenario:* none, two, and every kind of character that has an escape.
    /// *Guarantees:* the text is the one that `json.dumps` of Python 3.11 gives, blank for blank.
    #[test]
    fn as_python_writes_it() {
        assert_eq!(text(&[]), "{}");
        assert_eq!(text(&[(b"A", b"b c"), (b"D", b"")]), r#"{"A": "b c", "D": ""}"#);
        let hard = "q\"b\\s/n\nr\rt\tb\u{8}f\u{c}e\u{1b}d\u{7f}u\u{fc}e\u{20ac}m\u{1f600}";
        let expected =
            r#"{"k": "q\"b\\s/n\nr\rt\tb\bf\fe\u001bd\u007fu\u00fce\u20acm\ud83d\ude00"}"#;
        assert_eq!(text(&[(b"k", hard.as_bytes())]), expected);
    }
}
