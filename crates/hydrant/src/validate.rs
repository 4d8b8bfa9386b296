//! `hydrant validate`: every problem of the settings at once, and what they would run.
//!
//! Problems go to stderr in the form of a compiler; the answer goes to stdout. `--online` asks each
//! destination whether it can be reached and knows us, without sending a metric.

mod describe;
mod online;

use std::path::Path;

use serde_json::{Value, json};

pub use describe::destination_text;
pub use online::probe;

use crate::cli::{ValidateArgs, ValidateOutput};
use crate::exit::Exit;
use crate::settings::{self, Environment, Problems, Settings, report};
use crate::terminal::{self, Paint, fail};

/// Runs the command.
pub fn command(args: &ValidateArgs) -> Exit {
    let environment = Environment::of_process();
    let file = match settings::locate(args.config.as_deref(), &environment) {
        Ok(file) => file,
        Err(none) => {
            terminal::say(&none.text(Paint::for_stderr()));
            return Exit::BadSettings;
        }
    };
    let (settings, exit) = match settings::load(&file, &environment) {
        Ok(settings) => (settings, Exit::Done),
        Err(problems) => return refuse(args.output, &problems),
    };
    let probes = if args.online { online::probe(&settings) } else { Vec::new() };
    let exit = probes.iter().fold(exit, |worst, probe| worse(worst, probe.exit));
    let printed = match args.output {
        ValidateOutput::Text => {
            say_warnings(&file, &settings);
            let text = describe::text(&file, &settings, &probes, Paint::for_stdout());
            terminal::print(text.as_bytes())
        }
        ValidateOutput::Json => {
            let answer = json!({
                "ok": exit == Exit::Done,
                "file": file,
                "problems": report::json(&settings.warnings),
                "sources": describe::sources_json(&settings),
                "streams": describe::streams_json(&settings),
                "destinations": probes.iter().map(Probe::json).collect::<Value>(),
            });
            print_json(&answer)
        }
    };
    match printed {
        Ok(()) => exit,
        Err(error) => fail(Exit::Failed, &format!("cannot write to stdout: {error}"), None),
    }
}

/// What a destination answered.
pub struct Probe {
    /// The stream.
    pub stream: String,
    /// Type and place of the destination.
    pub destination: String,
    /// [`Exit::Done`], [`Exit::Unreachable`] or [`Exit::Denied`].
    pub exit: Exit,
    /// What it said, for a person; empty when all is well.
    pub message: String,
}

impl Probe {
    fn json(&self) -> Value {
        json!({
            "stream": self.stream,
            "destination": self.destination,
            "ok": self.exit == Exit::Done,
            "message": self.message,
        })
    }
}

/// Refused credentials outrank a remote that cannot be reached: waiting does not cure them.
fn worse(one: Exit, two: Exit) -> Exit {
    let rank = |exit| match exit {
        Exit::Done => 0,
        Exit::Unreachable => 1,
        _ => 2,
    };
    if rank(two) > rank(one) { two } else { one }
}

fn refuse(output: ValidateOutput, problems: &Problems) -> Exit {
    match output {
        ValidateOutput::Text => {
            terminal::say(report::text(problems, Paint::for_stderr()).trim_end());
            Exit::BadSettings
        }
        ValidateOutput::Json => {
            let answer = json!({
                "ok": false,
                "file": problems.file,
                "problems": report::json(&problems.list),
            });
            match print_json(&answer) {
                Ok(()) => Exit::BadSettings,
                Err(error) => fail(Exit::Failed, &format!("cannot write to stdout: {error}"), None),
            }
        }
    }
}

fn say_warnings(file: &Path, settings: &Settings) {
    let paint = Paint::for_stderr();
    for warning in &settings.warnings {
        terminal::say(&report::line(warning, file, paint));
    }
}

fn print_json(value: &Value) -> std::io::Result<()> {
    terminal::print(format!("{value:#}\n").as_bytes())
}
