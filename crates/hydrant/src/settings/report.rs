//! Problems as a person reads them, and as a script does.
//!
//! The form is that of a compiler: what, where, the line with a mark under the place, what to do.

use std::path::Path;

use super::problem::{Place, Problem, Problems, Severity, line_of};
use crate::terminal::Paint;

/// All problems and a summary line.
pub fn text(problems: &Problems, paint: Paint) -> String {
    let mut out = String::new();
    for problem in &problems.list {
        out.push_str(&one(problem, problems, paint));
        out.push('\n');
    }
    out.push_str(&summary(problems, paint));
    out.push('\n');
    out
}

/// `3 errors, 1 warning in hydrant.yaml`.
fn summary(problems: &Problems, paint: Paint) -> String {
    let count = |severity| problems.list.iter().filter(|one| one.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let counted = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    let mut parts = vec![counted(errors, "error")];
    if warnings > 0 {
        parts.push(counted(warnings, "warning"));
    }
    paint.strong(&format!("{} in {}", parts.join(", "), problems.file.display()))
}

/// One problem in one line, for warnings at start.
pub fn line(problem: &Problem, file: &Path, paint: Paint) -> String {
    let colon = if problem.place.is_some() { ":" } else { ": " };
    format!("{} {}{colon}{problem}", painted(problem.severity, paint), file.display())
}

fn painted(severity: Severity, paint: Paint) -> String {
    let word = format!("{}:", severity.word());
    match severity {
        Severity::Error => paint.error(&word),
        Severity::Warning => paint.warning(&word),
    }
}

/// One problem with its line.
fn one(problem: &Problem, problems: &Problems, paint: Paint) -> String {
    let word = painted(problem.severity, paint);
    let mut out = format!("{word} {}\n", paint.strong(&problem.sentence()));
    let file = problems.file.display();
    let margin = match problem.place {
        None => {
            out.push_str(&format!("  {} {file}\n", paint.frame("-->")));
            2
        }
        Some(place) => snippet(&mut out, place, problems, paint),
    };
    if let Some(hint) = &problem.hint {
        let mark = paint.frame("=");
        out.push_str(&format!("{:margin$} {mark} {} {hint}\n", "", paint.hint("hint:")));
    }
    out
}

/// File, line and column, the line, and a mark under the place. Gives the width of the margin.
fn snippet(out: &mut String, place: Place, problems: &Problems, paint: Paint) -> usize {
    let number = place.line.to_string();
    let margin = number.len();
    let (file, bar) = (problems.file.display(), paint.frame("|"));
    let arrow = paint.frame("-->");
    out.push_str(&format!("{:margin$}{arrow} {file}:{}:{}\n", "", place.line, place.column));
    let Some(line) = line_of(&problems.text, place.line) else {
        return margin;
    };
    let masked = problems.hidden.mask(place.line, line);
    let start = masked.column(place.column);
    let end = masked.column(place.column.saturating_add(place.width));
    let shown_width = masked.text.chars().count() + 1;
    // A mark stays near its line, whatever the parser thought of the end.
    let marks = end.min(shown_width).saturating_sub(start).max(1);
    let mark = paint.error(&"^".repeat(marks));
    out.push_str(&format!("{:margin$} {bar}\n", ""));
    out.push_str(&format!("{} {bar} {}\n", paint.frame(&number), masked.text));
    out.push_str(&format!("{:margin$} {bar} {:indent$}{mark}\n", "", "", indent = start - 1));
    margin
}

/// The problems as JSON values.
pub fn json(list: &[Problem]) -> serde_json::Value {
    list.iter().map(json_one).collect()
}

fn json_one(problem: &Problem) -> serde_json::Value {
    serde_json::json!({
        "severity": problem.severity.word(),
        "path": problem.path,
        "line": problem.place.map(|place| place.line),
        "column": problem.place.map(|place| place.column),
        "value": problem.value,
        "rule": problem.rule,
        "hint": problem.hint,
    })
}
