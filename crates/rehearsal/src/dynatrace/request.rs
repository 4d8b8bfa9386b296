//! A whole request: its lines, judged one by one.

use super::line::{self, Line};

/// Most lines of a request: the official libraries send no more and warn of throttling beyond.
pub const LINES_MAX: usize = 1_000;

/// Most bytes of a request before compression.
pub const PLAIN_BYTES_MAX: usize = 1_048_576;

/// Most invalid lines that an answer lists.
const LISTED_MAX: usize = 10;

/// What became of the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Lines taken.
    pub lines_ok: u64,
    /// Of these, lines with a point.
    pub points: u64,
    /// Lines refused.
    pub lines_invalid: u64,
    /// The first refused lines: number from 1, and why.
    pub listed: Vec<(usize, String)>,
}

impl Judgement {
    /// Enters a refused line.
    pub(super) fn refuse(&mut self, number: usize, why: String) {
        self.lines_invalid += 1;
        if self.listed.len() < LISTED_MAX {
            self.listed.push((number, why));
        }
    }
}

/// Why no line of a request is looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing in it.
    #[error("empty request")]
    Empty,
    /// More than [`PLAIN_BYTES_MAX`].
    #[error("request body is larger than {PLAIN_BYTES_MAX} bytes")]
    TooLarge,
    /// More than [`LINES_MAX`].
    #[error("request has more than {LINES_MAX} lines")]
    TooManyLines,
    /// Not UTF-8.
    #[error("request body is not UTF-8")]
    NotUtf8,
}

/// Judges the lines of `body`. `take` sees every good line and may still refuse it.
pub fn judge(
    body: &[u8],
    now_ms: i64,
    mut take: impl FnMut(&Line) -> Result<(), String>,
) -> Result<Judgement, Refusal> {
    let text = check_whole(body)?;
    let mut judgement = Judgement::default();
    for (n, text) in text.split('\n').enumerate() {
        let read = line::read(text, now_ms);
        match read.and_then(|line| take(&line).map(|()| line)) {
            Ok(line) => {
                judgement.lines_ok += 1;
                judgement.points += u64::from(matches!(line, Line::Data { .. }));
            }
            Err(why) => judgement.refuse(n + 1, why),
        }
    }
    Ok(judgement)
}

/// Counts the lines of `body` and looks at nothing else, for load tests.
pub fn count(body: &[u8]) -> Result<Judgement, Refusal> {
    if body.is_empty() {
        return Err(Refusal::Empty);
    }
    if body.len() > PLAIN_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    let feeds = memchr::memchr_iter(b'\n', body).count();
    let lines = feeds + usize::from(body.last() != Some(&b'\n'));
    if lines > LINES_MAX {
        return Err(Refusal::TooManyLines);
    }
    // Looking for pairs costs ten times as much as looking for a byte that is seldom there.
    let metadata = match memchr::memchr(b'#', body).is_some() {
        true => body.split(|b| *b == b'\n').filter(|line| line.starts_with(b"#")).count(),
        false => 0,
    };
    Ok(Judgement {
        lines_ok: lines as u64,
        points: (lines - metadata.min(lines)) as u64,
        ..Judgement::default()
    })
}

fn check_whole(body: &[u8]) -> Result<&str, Refusal> {
    if body.len() > PLAIN_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    let text = std::str::from_utf8(body).map_err(|_| Refusal::NotUtf8)?;
    // One line feed at the end closes the last line.
    let text = text.strip_suffix('\n').unwrap_or(text);
    if text.is_empty() {
        return Err(Refusal::Empty);
    }
    if text.bytes().filter(|b| *b == b'\n').count() >= LINES_MAX {
        return Err(Refusal::TooManyLines);
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
