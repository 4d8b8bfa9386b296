//! `hydrant cost`: what a metric stream costs, from captures of it, before the bill comes.
//!
//! Reads what `hydrant inspect` reads, by the same code. `tally` counts as AWS bills, `prices` are
//! data, `estimate` is the arithmetic between them; none of the three reads or prints.

mod estimate;
mod output;
mod prices;
mod tally;

use std::path::Path;

use metric::{Decoder, Point, Reject, Visit};

use crate::cli::{CostArgs, StatusOutput};
use crate::exit::Exit;
use crate::inspect::account::clean;
use crate::inspect::input::{self, name_of};
use crate::inspect::parts::{self, Found};
use crate::terminal::{self, Paint, fail};
use estimate::Estimate;
use prices::Prices;
use tally::Tally;

/// Undecodable pieces said one by one; of the others only the number is said.
const REJECTS_SAID_MAX: u64 = 100;

/// Runs the command.
pub fn command(args: &CostArgs) -> Exit {
    let prices = match Prices::read(args.prices.as_deref(), &args.region) {
        Ok(prices) => prices,
        Err(why) => {
            return fail(Exit::BadSettings, &why, Some("docs/cost.md shows the form of prices"));
        }
    };
    let mut reading = Reading::default();
    for file in &input::named(&args.files) {
        let name = name_of(file);
        match input::read(file) {
            Ok(bytes) => reading.file(&name, &bytes),
            Err(error) => {
                reading.unreadable += 1;
                let hint = looks_like_a_filter(args, file).then_some(ONE_FILTER_EACH);
                fail(Exit::Failed, &format!("{name}: {error}"), hint);
            }
        }
    }
    if reading.tally.metrics.is_empty() {
        return reading.nothing();
    }
    let estimate = Estimate::new(&reading.tally, args, &prices, reading.undecodable);
    let text = match args.output {
        StatusOutput::Table => output::table(&estimate, args.top, Paint::for_stdout()),
        StatusOutput::Json => output::json(&estimate),
    };
    if let Err(error) = terminal::print(text.as_bytes()) {
        return terminal::unwritten(&error);
    }
    if args.output == StatusOutput::Table {
        let paint = Paint::for_stderr();
        for note in &estimate.notes {
            terminal::say(&format!("{} {}", paint.hint("note:"), clean(note)));
        }
    }
    reading.conclude()
}

/// Said when a filter was taken for a file.
const ONE_FILTER_EACH: &str = "each namespace needs its own: --exclude AWS/EC2 --exclude AWS/ECS";

/// `--exclude AWS/EC2 AWS/ECS`: the second word is no filter, but meant as one.
fn looks_like_a_filter(args: &CostArgs, file: &Path) -> bool {
    let filtered = !args.include.is_empty() || !args.exclude.is_empty();
    filtered && file.starts_with("AWS")
}

/// What is read, and what of it could not be.
#[derive(Default)]
struct Reading {
    tally: Tally,
    undecodable: u64,
    unreadable: u32,
}

impl Reading {
    fn file(&mut self, name: &str, bytes: &[u8]) {
        let (plain, damage) = input::inflate(bytes);
        if let Some(why) = damage {
            self.refuse(name, &why);
            if plain.is_empty() {
                return;
            }
        }
        let mut decoder = Decoder::new();
        let is_bordered = parts::has_record_borders(&plain);
        let mut back_to_back = 0_u64;
        parts::each(&plain, |part| match part {
            Found::Part(part) => {
                decoder.decode(part.bytes, &mut Walk { name, place: &part.place, reading: self });
                let bytes = part.bytes.len() as u64;
                if is_bordered { self.tally.record(bytes) } else { back_to_back += bytes }
            }
            Found::Fault { place, why } => self.refuse(&format!("{name}, {place}"), &why),
        });
        if back_to_back > 0 {
            self.tally.without_borders(back_to_back);
        }
    }

    fn refuse(&mut self, place: &str, why: &str) {
        self.undecodable += 1;
        if self.undecodable <= REJECTS_SAID_MAX {
            terminal::say(&clean(&format!("{place}: {why}")));
        } else if self.undecodable == REJECTS_SAID_MAX + 1 {
            terminal::say("more could not be decoded; only their number is said from here on");
        }
    }

    /// Nothing was found that costs anything.
    fn nothing(&self) -> Exit {
        if self.undecodable > 0 || self.unreadable > 0 {
            return self.conclude();
        }
        let hint = "hydrant inspect FILE shows what is in a file";
        fail(Exit::BadData, "there are no metrics in what was read", Some(hint))
    }

    fn conclude(&self) -> Exit {
        if self.undecodable > 0 {
            let pieces = if self.undecodable == 1 { "piece" } else { "pieces" };
            let what = format!("{} {pieces} could not be decoded", self.undecodable);
            return fail(Exit::BadData, &what, None);
        }
        if self.unreadable > 0 { Exit::Failed } else { Exit::Done }
    }
}

/// Takes the items of one record.
struct Walk<'a> {
    name: &'a str,
    place: &'a str,
    reading: &'a mut Reading,
}

impl Visit for Walk<'_> {
    fn point(&mut self, point: &Point<'_>) {
        self.reading.tally.point(point);
    }

    fn reject(&mut self, reject: &Reject<'_>) {
        let place = format!("{}, {}, byte {}", self.name, self.place, reject.offset);
        self.reading.refuse(&place, &format!("{}: {}", reject.reason.code(), reject.detail));
    }
}

#[cfg(test)]
mod tests;
