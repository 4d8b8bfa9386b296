//! `hydrant doctor`: what is wrong with this installation and what to do about it; or, given error
//! codes, what they mean.
//!
//! Each check is a line: ok, warn or bad, with a remedy. Checks read what other commands read too;
//! none changes anything. Exit 1 when something is bad.

mod codes;
mod explain;
mod folder;
mod online;
mod process;
mod sources;

use std::path::Path;

use serde::Serialize;
use serde_json::json;

use crate::cli::{DoctorArgs, Output};
use crate::exit::Exit;
use crate::settings::quantity::counted;
use crate::settings::{self, Environment, Problem, Settings, Severity};
use crate::terminal::{self, Paint};

pub use codes::{CodeRow, all as all_codes};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warn,
    Bad,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Check {
    area: &'static str,
    state: State,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Check {
    fn ok(area: &'static str, what: impl Into<String>) -> Check {
        Check { area, state: State::Ok, what: what.into(), remedy: None }
    }

    fn warn(area: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Check {
        Check { area, state: State::Warn, what: what.into(), remedy: Some(remedy.into()) }
    }

    fn bad(area: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Check {
        Check { area, state: State::Bad, what: what.into(), remedy: Some(remedy.into()) }
    }
}

/// Runs the command.
pub fn command(args: &DoctorArgs) -> Exit {
    if !args.codes.is_empty() {
        return explain::command(args);
    }
    let checks = check_all(args);
    let bad = checks.iter().any(|check| check.state == State::Bad);
    let text = match args.output {
        Output::Text => text(&checks, args.online, Paint::for_stdout()),
        Output::Json => format!("{:#}\n", json!({ "ok": !bad, "checks": checks })),
    };
    match terminal::print(text.as_bytes()) {
        Err(error) => terminal::unwritten(&error),
        Ok(()) if bad => Exit::Failed,
        Ok(()) => Exit::Done,
    }
}

fn check_all(args: &DoctorArgs) -> Vec<Check> {
    let mut checks = Vec::new();
    let settings = load(args.config.as_deref(), &mut checks);
    let data_dir = match &settings {
        Some(settings) => Some(settings.data_dir.clone()),
        None => settings::data_dir_of(args.config.as_deref()),
    };
    if let Some(data_dir) = &data_dir {
        folder::check(data_dir, settings.as_ref().map(|s| s.budget.total_bytes), &mut checks);
    }
    if let Some(settings) = &settings {
        sources::check(settings, args.host.as_deref(), &mut checks);
        if args.online {
            online::check(settings, &mut checks);
        }
    }
    if let Some(data_dir) = &data_dir {
        process::check(data_dir, settings.as_ref().map(|s| s.budget), &mut checks);
    }
    checks
}

/// Settings as `hydrant validate` judges them.
fn load(config: Option<&Path>, checks: &mut Vec<Check>) -> Option<Settings> {
    const AREA: &str = "settings";
    let environment = Environment::of_process();
    let file = match settings::locate(config, &environment) {
        Ok(file) => file,
        Err(none) => {
            let what = none.text(Paint::PLAIN);
            let what = what.lines().next().unwrap_or_default().to_owned();
            checks.push(Check::bad(AREA, what, "write hydrant.yaml, or name the file with -c"));
            return None;
        }
    };
    match settings::load(&file, &environment) {
        Ok(settings) => {
            let counts = (
                settings.sources.len() + settings.apis.len() + settings.objects.len(),
                settings.streams.len(),
            );
            let told = (counted(counts.0, "source"), counted(counts.1, "stream"));
            let what = format!("{}: {}, {}", file.display(), told.0, told.1);
            checks.push(Check::ok(AREA, what));
            checks.extend(settings.warnings.iter().map(|problem| problem_line(&file, problem)));
            Some(settings)
        }
        Err(problems) => {
            checks.extend(problems.list.iter().map(|problem| problem_line(&file, problem)));
            None
        }
    }
}

/// The value is left out: it may be a secret.
fn problem_line(file: &Path, problem: &Problem) -> Check {
    let place = problem.place.map_or_else(String::new, |place| format!(":{}", place.line));
    let path = if problem.path.is_empty() { String::new() } else { format!(" {}", problem.path) };
    let what = format!("{}{place}{path}: {}", file.display(), problem.rule);
    let remedy =
        problem.hint.clone().unwrap_or_else(|| "docs/settings.md has the rules".to_owned());
    match problem.severity {
        Severity::Error => Check::bad("settings", what, remedy),
        Severity::Warning => Check::warn("settings", what, remedy),
    }
}

fn text(checks: &[Check], online: bool, paint: Paint) -> String {
    let mut page = String::new();
    for check in checks {
        let word = match check.state {
            State::Ok => paint.good("ok  "),
            State::Warn => paint.warning("warn"),
            State::Bad => paint.error("bad "),
        };
        page.push_str(&format!("{word}  {:11}  {}\n", check.area, check.what));
        if let Some(remedy) = &check.remedy {
            page.push_str(&format!("      {:11}  -> {remedy}\n", ""));
        }
    }
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let (bad, warn) = (count(State::Bad), count(State::Warn));
    page.push_str(&format!("\n{bad} bad, {}, {} ok", counted(warn, "warning"), count(State::Ok)));
    page.push_str(if online { "\n" } else { "; destinations and clock: --online\n" });
    page
}
