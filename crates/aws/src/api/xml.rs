//! The query protocol's answers in XML.

use super::Value;

/// Appends a member: `<name>...</name>`.
pub(super) fn element(name: &str, value: &Value<'_>, out: &mut Vec<u8>) {
    if *value == Value::Null {
        return;
    }
    tag(name, out, |out| content(value, out));
}

/// Appends a tag around what `inside` appends; an empty one is closed at once.
pub(super) fn tag(name: &str, out: &mut Vec<u8>, inside: impl FnOnce(&mut Vec<u8>)) {
    let begin = out.len();
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
    let filled = out.len();
    inside(out);
    if out.len() == filled {
        out.truncate(begin);
        out.push(b'<');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"/>");
        return;
    }
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

fn content(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => text(if *flag { "true" } else { "false" }, out),
        Value::Int(number) => text(itoa::Buffer::new().format(*number), out),
        Value::Float(number) => text(&format!("{number:?}"), out),
        Value::Text(words) => text(words, out),
        Value::Blob(bytes) => codec::base64::encode_into(bytes, out),
        Value::Time(seconds) => text(&instant(*seconds), out),
        Value::List(items) => items.iter().for_each(|item| element("member", item, out)),
        Value::Map(members) => {
            members.iter().for_each(|(name, member)| element(name, member, out));
        }
        Value::Table(entries) => {
            for (key, value) in entries {
                tag("entry", out, |out| {
                    tag("key", out, |out| text(key, out));
                    element("value", value, out);
                });
            }
        }
    }
}

/// Whole seconds, as AWS writes them; a fraction only where there is one.
fn instant(seconds: f64) -> String {
    let nanoseconds = (seconds * 1e3).round() as i128 * 1_000_000;
    jiff::Timestamp::from_nanosecond(nanoseconds)
        .map_or_else(|_| seconds.to_string(), |t| t.to_string())
}

/// Appends text with what XML reserves escaped; what XML cannot carry becomes U+FFFD.
pub(super) fn text(words: &str, out: &mut Vec<u8>) {
    for c in words.chars() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\r' => out.extend_from_slice(b"&#13;"),
            '\n' | '\t' => out.push(c as u8),
            control if (control as u32) < 0x20 => out.extend_from_slice("\u{fffd}".as_bytes()),
            other => {
                let mut buffer = [0; 4];
                out.extend_from_slice(other.encode_utf8(&mut buffer).as_bytes());
            }
        }
    }
}
