//! The arithmetic of the benchmark gate, and the file it reads.

#[path = "../benches/paths/recorded.rs"]
mod recorded;

use recorded::{Row, find, limit, median, parse, replaced};

/// *Scenario:* the committed file.
/// *Guarantees:* it parses, every class has the same paths, and each row names a commit.
#[test]
fn the_committed_file_is_whole() {
    let rows = parse(include_str!("../benches/paths/recorded.tsv")).unwrap();
    let paths_of = |class: &str| -> Vec<String> {
        rows.iter().filter(|row| row.class == class).map(|row| row.path.clone()).collect()
    };
    let first = rows.first().expect("figures are recorded");
    for row in &rows {
        assert_eq!(paths_of(&row.class), paths_of(&first.class), "{}", row.class);
        let is_commit = row.commit.len() >= 7 && row.commit.chars().all(|c| c.is_ascii_hexdigit());
        assert!(is_commit, "{}: {}", row.path, row.commit);
    }
    assert!(!recorded::class().is_empty());
}

/// *Scenario:* files with a cell too few, a word for a number, a path twice.
/// *Guarantees:* each is refused by its line.
#[test]
fn wrong_files_are_refused() {
    for (text, line) in [
        ("# head\nx86_64\tp\t1.00\n", "line 2"),
        ("x86_64\tp\tfast\tabc\n", "line 1"),
        ("x86_64\tp\t0\tabc\n", "line 1"),
        ("x86_64\tp\t1\tabc\n\nx86_64\tp\t1\tabc\n", "line 3"),
    ] {
        assert!(parse(text).unwrap_err().starts_with(line), "{text}");
    }
}

/// *Scenario:* figures of one class are recorded anew.
/// *Guarantees:* the rows of the other class stay as they were, and the file reads back.
#[test]
fn recording_replaces_one_class() {
    let rows = parse("a\tp\t1.00\taaa\na\tgone\t2.00\taaa\nb\tp\t3.00\tbbb\n").unwrap();
    let text = replaced(&rows, "a", "ccc", &[("p", 1.5), ("new", 2.5)]);
    assert!(text.starts_with("# "));
    let rows = parse(&text).unwrap();
    let row =
        |class: &str, path: &str| find(&rows, class, path).map(|r| (r.ratio, r.commit.as_str()));
    assert_eq!(row("a", "p"), Some((1.5, "ccc")));
    assert_eq!(row("a", "new"), Some((2.5, "ccc")));
    assert_eq!(row("a", "gone"), None);
    assert_eq!(row("b", "p"), Some((3.0, "bbb")));
    let kept = Row { class: "b".into(), path: "p".into(), ratio: 3.0, commit: "bbb".into() };
    assert!(rows.contains(&kept));
}

/// *Scenario:* limits from a recorded figure, a ceiling, both and neither.
/// *Guarantees:* 15 % above the record, a tenth above the ceiling, whichever is less; the middle of
/// measurements is not moved by one burst.
#[test]
fn limits_and_medians() {
    assert!(2.29 < limit(Some(2.0), f64::NAN) && 2.31 > limit(Some(2.0), f64::NAN));
    assert!(limit(Some(4.0), 3.6) < 3.97);
    assert!(limit(Some(2.0), 3.6) < 2.31);
    assert!(limit(None, 3.6) > 3.95);
    assert_eq!(limit(None, f64::NAN), f64::INFINITY);
    assert_eq!(median(&mut [1.0, 90.0, 1.1, 0.9, 1.2]), 1.1);
}
