//! The report for a person, a row as soon as its case is done. On a narrow terminal what was sent is
//! left out; notes stand below their row.

use rehearsal::conform::{CASES, Verdict};

use super::report::{Report, Row, UNSEEN};
use crate::terminal::{self, Paint};

/// Of the column that tells what the receiver did: `200, not valid, 2 times`.
const DID_WIDTH: usize = 22;
/// `would lose data`
const VERDICT_WIDTH: usize = 15;
const GAP: &str = "  ";
/// Lines of words are never longer than this, however wide the terminal.
const PROSE_MAX: usize = 100;

/// Knows how wide its columns are.
pub(super) struct Page {
    paint: Paint,
    width: usize,
    name: usize,
    sends: usize,
    demand: usize,
}

impl Page {
    pub(super) fn new(paint: Paint) -> Page {
        Page::sized(paint, terminal::width())
    }

    fn sized(paint: Paint, width: usize) -> Page {
        let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
        let name = longest(&mut CASES.iter().map(|case| case.name.len()));
        let sends = longest(&mut CASES.iter().map(|case| case.sends.len()));
        let demand = longest(&mut CASES.iter().map(|case| case.demand.text().len()));
        let needed = name + sends + demand + DID_WIDTH + VERDICT_WIDTH + 4 * GAP.len();
        let sends = if needed <= width { sends } else { 0 };
        Page { paint, width, name, sends, demand }
    }

    pub(super) fn head(&self) -> String {
        self.columns("CASE", "SENT", "DEMANDED", "ANSWERED", "VERDICT")
    }

    pub(super) fn row(&self, row: &Row) -> String {
        let did = row.finding.as_ref().map_or("-", |finding| finding.did.as_str());
        let verdict = row.verdict();
        let verdict = match row.finding.as_ref().map(|finding| finding.verdict) {
            Some(Verdict::Ok) => self.paint.good(verdict),
            Some(Verdict::Cosmetic) => self.paint.hint(verdict),
            Some(Verdict::Stall) => self.paint.warning(verdict),
            Some(Verdict::Open | Verdict::Loss) => self.paint.error(verdict),
            None => verdict.to_owned(),
        };
        let case = row.case;
        let mut text = self.columns(case.name, case.sends, &case.demand.text(), did, &verdict);
        let notes = row.finding.iter().flat_map(|finding| &finding.notes).map(String::as_str);
        for note in notes.chain(row.skipped) {
            text.push_str(&wrapped(note, self.width.min(PROSE_MAX), "    "));
        }
        text
    }

    pub(super) fn summary(&self, report: &Report) -> String {
        let counts = report.counts().into_iter().filter(|(_, count)| *count > 0);
        let counts: Vec<String> = counts.map(|(word, count)| format!("{count} {word}")).collect();
        let result = if report.is_conformant() {
            self.paint.good("conformant")
        } else {
            self.paint.error("not conformant")
        };
        let width = self.width.min(PROSE_MAX);
        let told = wrapped(&format!("{}: {}", report.url, counts.join(", ")), width, "");
        format!("\n{told}{result}\n\n{}", wrapped(UNSEEN, width, ""))
    }

    fn columns(&self, name: &str, sends: &str, demand: &str, did: &str, verdict: &str) -> String {
        let mut line = format!("{name:<0$}{GAP}", self.name);
        if self.sends > 0 {
            line.push_str(&format!("{sends:<0$}{GAP}", self.sends));
        }
        line.push_str(&format!("{demand:<0$}{GAP}{did:<DID_WIDTH$}{GAP}{verdict}\n", self.demand));
        line
    }
}

/// Lines of at most `width` characters; a word that is longer stands alone.
fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length <= width {
            out.push(' ');
            used += 1 + length;
        } else {
            out.push_str(if used > 0 { "\n" } else { "" });
            out.push_str(indent);
            used = indent.len() + length;
        }
        out.push_str(word);
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests;
