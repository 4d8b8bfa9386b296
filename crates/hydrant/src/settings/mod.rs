//! The settings file: read, checked as a whole, and turned into the types the rooms take.
//!
//! Either [`Settings`] come out, or every problem at once. What comes out needs no second check.
//! All paths in the file are relative to the current directory.
//! Not here: what the settings mean while running; that is the matter of the rooms.

mod check;
mod environment;
mod locate;
mod nearest;
mod portable;
mod problem;
pub mod quantity;
mod read;
pub mod report;
mod substitute;
mod tree;
mod types;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use environment::{Environment, Lookup};
pub use locate::{EXAMPLE, NotFound, locate};
pub use portable::{Portable, PortableVariable};
pub use problem::{Hidden, Place, Problem, Problems, Severity};
pub use substitute::holds_stand_in;
pub use types::{
    Admin, ApiLimits, ApiSource, Budget, FirehoseSource, Log, LogFormat, LogLevel, ObjectSource,
    Settings, TlsFiles,
};

use crate::exit::Exit;
use crate::terminal::{self, Paint};

/// A larger file is none of settings, and would cost memory before anything is known of it.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// For commands: finds the settings file, reads and checks it. Problems, and how to repair them,
/// are printed to stderr; then what is left to do is to return the [`Exit`].
/// Warnings are in the settings; who runs them says them.
pub fn open(flag: Option<&Path>) -> Result<(PathBuf, Settings), Exit> {
    let environment = Environment::of_process();
    let file = located(flag, &environment)?;
    let settings = load(&file, &environment).map_err(|problems| told(&problems))?;
    Ok((file, settings))
}

fn located(flag: Option<&Path>, environment: &Environment) -> Result<PathBuf, Exit> {
    locate(flag, environment).map_err(|none| {
        terminal::say(&none.text(Paint::for_stderr()));
        Exit::BadSettings
    })
}

fn told(problems: &Problems) -> Exit {
    terminal::say(report::text(problems, Paint::for_stderr()).trim_end());
    Exit::BadSettings
}

/// Settings that are not run on this machine, and the text they were read from.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    /// The text of the file.
    pub text: String,
    /// The settings; something stands in for what is not here.
    pub settings: Settings,
    /// What is wrong with them on this machine, and need not be on the other.
    pub missing: Vec<Problem>,
}

/// For commands that describe what runs on another machine: variables and files that the settings
/// refer to need not be here. Other problems are printed as [`open`] does.
pub fn open_elsewhere(flag: Option<&Path>) -> Result<Elsewhere, Exit> {
    let environment = Environment::of_process();
    let file = located(flag, &environment)?;
    let (settings, missing) = match load(&file, &environment) {
        Ok(settings) => (settings, Vec::new()),
        Err(here) => match load(&file, &environment.elsewhere()) {
            Ok(settings) => (settings, here.list),
            Err(there) => return Err(told(&wrong_anywhere(&here.list, there))),
        },
    };
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    Ok(Elsewhere { text, settings, missing })
}

/// What stays wrong when something stands in for what is not here. That fits a URL or a secret, but no
/// number: then the complaint of this machine is the true one.
fn wrong_anywhere(here: &[Problem], there: Problems) -> Problems {
    let true_one = |found: &Problem| {
        let same = here.iter().find(|one| one.path == found.path && one.place == found.place);
        same.unwrap_or(found).clone()
    };
    Problems { list: there.list.iter().map(true_one).collect(), ..there }
}

/// Whether there is a settings file: named, or in a usual place.
pub fn is_there(flag: Option<&Path>) -> bool {
    locate(flag, &Environment::of_process()).is_ok()
}

/// For commands that need the data folder and nothing else: other settings may be wrong, and their
/// secrets missing. When not even that can be read, it is as [`open`].
pub fn open_data_dir(flag: Option<&Path>) -> Result<PathBuf, Exit> {
    data_dir_of(flag).map_or_else(|| open(flag).map(|(_, settings)| settings.data_dir), Ok)
}

/// The data folder, when it can be told, whatever else is wrong. Says nothing.
pub fn data_dir_of(flag: Option<&Path>) -> Option<PathBuf> {
    let environment = Environment::of_process();
    let text = locate(flag, &environment).ok().and_then(|file| std::fs::read_to_string(file).ok());
    let tree = text.filter(|text| text.len() as u64 <= FILE_BYTES_MAX);
    let tree = tree.and_then(|text| tree::parse(&text, &environment).root);
    tree.and_then(|root| check::data_dir_of(&read::Report::default(), &root))
}

/// Reads and checks a file.
pub fn load(file: &Path, environment: &Environment) -> Result<Settings, Problems> {
    let fault = |why: String| {
        let hint = "name another file with -c, or check its permissions".to_owned();
        let list = vec![Problem::of_file(format!("cannot be read: {why}"), Some(hint))];
        Problems { file: file.to_owned(), text: String::new(), list, hidden: Hidden::default() }
    };
    let bytes = read_bounded(file).map_err(|error| fault(error.to_string()))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(fault(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| fault("it is not UTF-8 text".to_owned()))?;
    check(&text, file, environment)
}

fn read_bounded(file: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Checks `text` as if it were the content of `file`.
pub fn check(text: &str, file: &Path, environment: &Environment) -> Result<Settings, Problems> {
    examine(text, file, environment).0
}

/// Why `text` is no YAML, when it is none.
pub(crate) fn syntax_fault(text: &str, environment: &Environment) -> Option<String> {
    let problems = tree::parse(text, environment).problems;
    let fault = problems.into_iter().find(|problem| problem.rule.starts_with("not YAML"))?;
    let hint = fault.hint.map_or_else(String::new, |hint| format!(" ({hint})"));
    Some(fault.rule + &hint)
}

/// Every key that was asked for while `text` was checked, with `<name>` for names people give and
/// `[]` for items of lists: what a test compares with docs/settings.md.
pub fn keys_asked(text: &str, environment: &Environment) -> BTreeSet<String> {
    examine(text, Path::new(""), environment).1
}

fn examine(
    text: &str,
    file: &Path,
    environment: &Environment,
) -> (Result<Settings, Problems>, BTreeSet<String>) {
    // A byte order mark is what some editors leave at the start of UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = tree::parse(text, environment);
    let notes = read::Report::new(environment.is_elsewhere());
    let settings = parsed.root.as_ref().and_then(|root| check::settings(&notes, root, file));
    let collected = notes.into_collected();
    let mut list = parsed.problems;
    if parsed.root.is_none() && list.is_empty() {
        list.push(Problem::of_file("holds no settings".to_owned(), Some(locate::begin_hint())));
    }
    list.extend(collected.problems);
    list.sort_by_key(|problem| problem.place);
    list.dedup();
    if settings.is_none() && list.iter().all(|problem| problem.severity != Severity::Error) {
        list.push(Problem::of_file("was refused without a reason: a bug".to_owned(), None));
    }
    let failed = list.iter().any(|problem| problem.severity == Severity::Error);
    let result = match settings {
        Some(settings) if !failed => Ok(Settings { warnings: list, ..settings }),
        _ => {
            let hidden = Hidden::new(&parsed.scalars, &collected.shown, parsed.cut);
            Err(Problems { file: file.to_owned(), text: text.to_owned(), list, hidden })
        }
    };
    (result, collected.asked)
}
