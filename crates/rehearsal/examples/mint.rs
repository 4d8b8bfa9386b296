//! Judges lines of MINT from stdin as the receiver does, one verdict a line: `ok`, or what is wrong.
//! The argument is the time of the judgement, ms since the epoch. For checks in other languages.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use rehearsal::dynatrace::read_line;

fn main() -> ExitCode {
    let Some(now_ms) = std::env::args().nth(1).and_then(|text| text.parse().ok()) else {
        return ExitCode::from(2);
    };
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return ExitCode::FAILURE };
        let verdict = match read_line(&line, now_ms) {
            Ok(_) => "ok".to_owned(),
            Err(why) => why,
        };
        if writeln!(out, "{verdict}").is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
