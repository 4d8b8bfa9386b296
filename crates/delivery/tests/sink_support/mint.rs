//! A strict reader of the lines of metric ingestion, written from the grammar alone. It panics with
//! the line on anything a server might refuse.

use super::ARRIVAL_MS;

/// A data line.
pub(crate) struct Line<'a> {
    pub(crate) key: &'a str,
    pub(crate) dimensions: Vec<(&'a str, String)>,
    pub(crate) sum: f64,
    pub(crate) count: f64,
}

/// Reads a data line whose time must be inside the window.
pub(crate) fn read(line: &str) -> Line<'_> {
    let (line, time) = split(line);
    assert!((ARRIVAL_MS - 3_600_000..=ARRIVAL_MS + 600_000).contains(&time), "{time}");
    line
}

/// Reads a data line of any time.
pub(crate) fn read_unwindowed(line: &str) -> Line<'_> {
    split(line).0
}

fn split(line: &str) -> (Line<'_>, i64) {
    assert!(line.chars().count() <= 50_000 && !line.contains(['\n', '\r']));
    let at = line.find([',', ' ']).expect("a key ends");
    let (key, mut rest) = line.split_at(at);
    check_key(key, 255, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let mut dimensions = Vec::new();
    while let Some(after) = rest.strip_prefix(',') {
        let (name, after) = after.split_once("=\"").expect("a name and a quoted value");
        check_key(name, 100, |c| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | ':')
        });
        let (value, after) = quoted(after);
        assert!(dimensions.iter().all(|(other, _)| *other != name), "{name} twice: {line}");
        dimensions.push((name, value));
        rest = after;
    }
    assert!((1..=50).contains(&dimensions.len()));
    let parts: Vec<&str> = rest.strip_prefix(' ').expect("a blank").split(' ').collect();
    let [payload, time] = parts[..] else { panic!("{line}") };
    let numbers = payload.strip_prefix("gauge,").expect("a gauge");
    let (sum, count) = if numbers.contains('=') { gauge(numbers) } else { (number(numbers), 1.0) };
    (Line { key, dimensions, sum, count }, time.parse().expect("a time in milliseconds"))
}

fn check_key(key: &str, max: usize, body: impl Fn(char) -> bool) {
    assert!((1..=max).contains(&key.len()), "{key}");
    for (index, section) in key.split('.').enumerate() {
        let first = section.chars().next().unwrap_or_else(|| panic!("empty section: {key}"));
        assert!(first != '-' && (index > 0 || !first.is_ascii_digit()), "{key}");
        assert!(section.chars().all(&body), "{key}");
    }
}

fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut written = 0;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                assert!((1..=255).contains(&written), "{value:?}");
                return (value, &text[at + 1..]);
            }
            '\\' => {
                let (_, escaped) = chars.next().expect("an escaped character");
                assert!(matches!(escaped, '"' | '\\'), "{escaped}");
                value.push(escaped);
                written += 2;
            }
            _ => {
                assert!(!c.is_control(), "{c:?}");
                value.push(c);
                written += 1;
            }
        }
    }
    panic!("no closing quote: {text}");
}

fn gauge(numbers: &str) -> (f64, f64) {
    let fields: Vec<(&str, f64)> = numbers
        .split(',')
        .map(|field| field.split_once('=').map(|(n, v)| (n, number(v))).expect("name and number"))
        .collect();
    let [("min", min), ("max", max), ("sum", sum), ("count", count)] = fields[..] else {
        panic!("{numbers}")
    };
    if count == 0.0 {
        assert!(min == 0.0 && max == 0.0 && sum == 0.0, "{numbers}");
    } else {
        let mean = sum / count;
        assert!(count > 0.0 && max >= min, "{numbers}");
        assert!(min - mean <= 0.000_001 && mean - max <= 0.000_001, "inconsistent: {numbers}");
    }
    (sum, count)
}

fn number(text: &str) -> f64 {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    for part in [whole, fraction] {
        assert!(!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()), "{text}");
    }
    text.parse().expect("a number")
}
