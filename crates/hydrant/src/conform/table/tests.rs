use rehearsal::conform::Finding;

use super::*;

fn rows() -> Vec<Row> {
    let row = |case: &'static rehearsal::conform::Case| Row {
        case,
        finding: Some(Finding {
            verdict: Verdict::Loss,
            did: "200, not valid, 2 times".to_owned(),
            notes: vec!["a yes to a part: Firehose forgets the rest, too, ".repeat(3)],
        }),
        skipped: None,
        answers: Vec::new(),
        is_silent: false,
    };
    CASES.iter().map(row).collect()
}

/// *Scenario:* every case with the longest words there are, at 80 and 120 columns.
/// *Guarantees:* no line is wider, nothing is cut, and what was sent is shown where there is room.
#[test]
fn tables_fit_the_terminal() {
    for (width, shows_sent) in [(80, false), (120, true)] {
        let page = Page::sized(Paint::PLAIN, width);
        let mut report = Report::new("http://127.0.0.1:4433/firehose?key=secret");
        report.rows = rows();
        let table: String = report.rows.iter().map(|row| page.row(row)).collect();
        let text = format!("{}{table}{}", page.head(), page.summary(&report));
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        assert_eq!(text.contains("a record of JSON lines"), shows_sent, "{text}");
        assert!(text.contains("34 would lose data") && text.contains("not conformant"), "{text}");
        assert!(!text.contains("secret") && !text.contains('\u{1b}'), "{text}");
    }
}
