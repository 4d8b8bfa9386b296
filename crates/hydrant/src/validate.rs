//! `hydrant validate`: every problem of the settings at once, and what they would run.
//!
//! Problems go to stderr in the form of a compiler; the answer goes to stdout. `--online` asks each
//! destination, backup and source of AWS whether it can be reached and knows us, without sending a metric.

mod describe;
mod online;

use std::path::Path;

use serde_json::{Value, json};

pub use describe::destination_text;
pub use online::probe;

use crate::cli::{ValidateArgs, ValidateOutput};
use crate::exit::Exit;
use crate::settings::{self, Environment, Problems, Settings, report};
use crate::terminal::{self, Paint};

/// Runs the command.
pub fn command(args: &ValidateArgs) -> Exit {
    let environment = Environment::of_process();
    let file = match settings::locate(args.config.as_deref(), &environment) {
        Ok(file) => file,
        Err(none) => return refuse_nothing(args.output, none),
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
                "destinations": asked(&probes, Asked::Destination, "stream", "destination"),
                "backups": asked(&probes, Asked::Backup, "stream", "backup"),
                "asked_sources": asked(&probes, Asked::Source, "source", "place"),
            });
            print_json(&answer)
        }
    };
    match printed {
        Ok(()) => exit,
        Err(error) => terminal::unwritten(&error),
    }
}

/// What of the settings was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A source that reads a bucket or a queue.
    Source,
    /// The destination of a stream.
    Destination,
    /// The bucket of a stream's backup.
    Backup,
}

/// What one of them answered.
pub struct Probe {
    /// What was asked.
    pub asked: Asked,
    /// The source or the stream.
    pub name: String,
    /// Type and place.
    pub place: String,
    /// [`Exit::Done`], [`Exit::Unreachable`] or [`Exit::Denied`].
    pub exit: Exit,
    /// What it said, for a person; empty when all is well.
    pub message: String,
}

impl Probe {
    /// Whose it is, for a person.
    pub fn owner(&self) -> String {
        let name = &self.name;
        match self.asked {
            Asked::Source => format!("source {name}"),
            Asked::Destination => format!("stream {name}"),
            Asked::Backup => format!("backup of {name}"),
        }
    }
}

/// The answers of one kind, for a script.
fn asked(probes: &[Probe], kind: Asked, owner: &str, place: &str) -> Value {
    let of_kind = probes.iter().filter(|probe| probe.asked == kind);
    let one = |probe: &Probe| {
        json!({
            owner: probe.name,
            place: probe.place,
            "ok": probe.exit == Exit::Done,
            "message": probe.message,
        })
    };
    of_kind.map(one).collect()
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

/// There is no file.
fn refuse_nothing(output: ValidateOutput, none: settings::NotFound) -> Exit {
    terminal::say(&none.text(Paint::for_stderr()));
    if output == ValidateOutput::Text {
        return Exit::BadSettings;
    }
    let problem = json!({
        "severity": "error",
        "path": "",
        "rule": "there is no settings file",
        "hint": "write hydrant.yaml, or name another with -c",
    });
    match print_json(&json!({ "ok": false, "file": null, "problems": [problem] })) {
        Ok(()) => Exit::BadSettings,
        Err(error) => terminal::unwritten(&error),
    }
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
                Err(error) => terminal::unwritten(&error),
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
