//! `hydrant inspect`: what is in these bytes, and what could not be read of them.
//!
//! Points go to stdout in the form asked for; every piece that could not be decoded goes to stderr
//! with file, part, offset and reason. Memory is bounded by `input::FILE_BYTES_MAX` and
//! `input::PLAIN_BYTES_MAX`. Nothing here decodes metrics or writes formats of its own: the rooms
//! that run in production do, so what is shown is what would be delivered.

pub(crate) mod account;
pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod parts;
mod prometheus;
mod table;

use metric::{Decoder, Point, Reject, Visit};

use crate::cli::{InspectArgs, InspectOutput};
use crate::exit::Exit;
use crate::terminal::{self, Paint, fail};
use account::Account;
use input::name_of;
use output::Output;
use parts::{Found, Part};

/// Undecodable pieces said one by one; of the others only the number is said.
const REJECTS_SAID_MAX: u64 = 100;

/// Runs the command.
pub fn command(args: &InspectArgs) -> Exit {
    let mut output = match Output::new(args.output) {
        Ok(output) => output,
        Err(why) => return fail(Exit::Bug, &why, None),
    };
    let mut account = Account::default();
    let mut unreadable = 0_u32;
    for file in &input::named(&args.files) {
        match input::read(file) {
            Ok(bytes) => inspect(&name_of(file), &bytes, &mut output, &mut account),
            Err(error) => {
                unreadable += 1;
                fail(Exit::Failed, &format!("{}: {error}", name_of(file)), None);
            }
        }
        if output.closed() {
            break;
        }
    }
    if let Err(error) = output.finish() {
        return terminal::unwritten(&error);
    }
    conclude(args.output, &account, unreadable)
}

fn conclude(form: InspectOutput, account: &Account, unreadable: u32) -> Exit {
    let paint = Paint::for_stderr();
    if form == InspectOutput::Table {
        terminal::say(&account.summary(paint));
    }
    let undecodable = account.undecodable();
    if undecodable > 0 {
        let pieces = if undecodable == 1 { "piece" } else { "pieces" };
        let what = format!("{undecodable} {pieces} could not be decoded");
        return fail(Exit::BadData, &what, None);
    }
    if unreadable > 0 { Exit::Failed } else { Exit::Done }
}

fn inspect(name: &str, bytes: &[u8], output: &mut Output, account: &mut Account) {
    let mut decoder = Decoder::new();
    let (plain, damage) = input::inflate(bytes);
    if plain.is_empty()
        && let Some(why) = damage
    {
        return account.refuse(name, &why);
    }
    account.file(parts::kind_of(&plain));
    parts::each(&plain, |part| match part {
        Found::Part(part) => {
            account.record();
            let mut walk = Walk { name, part: &part, output, account };
            decoder.decode(part.bytes, &mut walk);
        }
        Found::Fault { place, why } => account.refuse(&format!("{name}, {place}"), &why),
    });
    if let Some(why) = damage {
        account.refuse(name, &why);
    }
}

/// Takes the items of one record.
struct Walk<'a> {
    name: &'a str,
    part: &'a Part<'a>,
    output: &'a mut Output,
    account: &'a mut Account,
}

impl Visit for Walk<'_> {
    fn point(&mut self, point: &Point<'_>) {
        self.account.point(point);
        if let Err(reason) = self.output.point(point) {
            let metric = format!("{} {}", metric::text(point.namespace), metric::text(point.name));
            self.account.left_out(&format!("{}, {}: {metric}", self.name, self.part), reason);
        }
    }

    fn reject(&mut self, reject: &Reject<'_>) {
        self.account.reject(&format!("{}, {}", self.name, self.part), reject);
    }
}

#[cfg(test)]
mod tests;
