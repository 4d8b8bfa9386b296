//! What may be seen of the text in a snippet.
//!
//! A value is shown only when some reader took it as one that is no secret. All others are masked:
//! a misspelt `api_tokn` must not print the token beside it.

use super::Place;
use crate::settings::tree::Extent;

const MASK: &str = "***";

/// What must not be shown of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    extents: Vec<Extent>,
    /// The text was not read to its end: hide every word that stands where a value can.
    cut: bool,
}

/// A line as it may be shown.
pub(in crate::settings) struct Masked {
    pub(in crate::settings) text: String,
    /// Column of each character of the original, both from 1; one more for the end.
    columns: Vec<usize>,
}

impl Masked {
    /// Where a column of the original is now.
    pub(in crate::settings) fn column(&self, original: usize) -> usize {
        let index = original.saturating_sub(1);
        self.columns.get(index).or(self.columns.last()).copied().unwrap_or(1)
    }
}

impl Hidden {
    pub(in crate::settings) fn new(scalars: &[Extent], shown: &[Place], cut: bool) -> Self {
        let is_shown =
            |extent: &Extent| shown.iter().any(|place| (place.line, place.column) == extent.start);
        Self { extents: scalars.iter().filter(|extent| !is_shown(extent)).copied().collect(), cut }
    }

    /// The line with what is hidden replaced.
    pub(in crate::settings) fn mask(&self, number: usize, line: &str) -> Masked {
        let mut out = Masked { text: String::new(), columns: Vec::new() };
        let value_start = if self.cut { value_start(line) } else { usize::MAX };
        let comment_start = self.comment_start(number, line);
        let mut width = 0;
        let mut hiding = false;
        for (index, character) in line.chars().enumerate() {
            let column = index + 1;
            out.columns.push(width + 1);
            if column >= comment_start {
                continue;
            }
            let word = column >= value_start && character.is_alphanumeric();
            if word || self.hides(number, column) {
                if !hiding {
                    out.text.push_str(MASK);
                    width += MASK.len();
                }
                hiding = true;
                continue;
            }
            hiding = false;
            out.text.push(if character.is_control() { ' ' } else { character });
            width += 1;
        }
        out.columns.push(width + 1);
        out.text.truncate(out.text.trim_end().len());
        out
    }

    fn hides(&self, line: usize, column: usize) -> bool {
        let at = (line, column);
        self.extents.iter().any(|extent| extent.start <= at && at < extent.end)
    }

    /// Where a comment begins behind the last value: it may hold anything, so it is left out.
    fn comment_start(&self, number: usize, line: &str) -> usize {
        let last = self.extents.iter().filter(|extent| extent.end.0 == number);
        let behind = last.map(|extent| extent.end.1).max().unwrap_or(1);
        let mut before = ' ';
        for (index, character) in line.chars().enumerate() {
            let column = index + 1;
            if column >= behind && character == '#' && before.is_whitespace() {
                return column;
            }
            before = character;
        }
        usize::MAX
    }
}

/// The column where a value can begin: behind the first `:`, or behind the dashes of a list.
fn value_start(line: &str) -> usize {
    match line.find(':') {
        Some(at) => line.chars().count().min(at + 2),
        None => 1,
    }
}
