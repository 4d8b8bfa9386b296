//! `hydrant migrate dynatrace`: from the keys of Dynatrace's polled AWS metrics to those of a stream.
//!
//! Rewrites only where metric, dimensions and aggregation are known to be the same; everything else
//! is left and said. `table` is data, `selector` and `rewrite` are pure.

mod rewrite;
mod selector;
mod table;

use std::path::{Path, PathBuf};

use crate::cli::{MigrateArgs, MigrateCommand, MigrateDynatraceArgs};
use crate::exit::Exit;
use crate::inspect::account::clean;
use crate::inspect::input::{self, name_of};
use crate::terminal::{self, Paint, fail};
use rewrite::{Finding, Outcome, rewrite};
use table::Table;

/// Runs the command.
pub fn command(args: &MigrateArgs) -> Exit {
    match &args.command {
        MigrateCommand::Dynatrace(args) => dynatrace(args),
    }
}

fn dynatrace(args: &MigrateDynatraceArgs) -> Exit {
    let table = match Table::new() {
        Ok(table) => table,
        Err(why) => return fail(Exit::Bug, &why, None),
    };
    let files = input::named(&args.files);
    if files.len() > 1 && args.output.is_none() && !args.dry_run {
        let hint = "name a folder with --output, or look first with --dry-run";
        return fail(Exit::Usage, "several files do not go to stdout together", Some(hint));
    }
    let mut run = Run { args, table, rewritten: 0, left: 0, exit: Exit::Done };
    for file in &files {
        if let Err((exit, why)) = run.file(file) {
            // Beside the exports of a folder lie texts about them.
            if exit == Exit::BadData && !args.files.contains(file) && !is_named_json(file) {
                terminal::say(&clean(&format!("{}: {why}; it is left out", name_of(file))));
                continue;
            }
            run.exit = fail(exit, &format!("{}: {why}", name_of(file)), None);
        }
    }
    let keys = if run.rewritten == 1 { "key" } else { "keys" };
    let summary = format!("{} {keys} rewritten, {} left", run.rewritten, run.left);
    terminal::say(&Paint::for_stderr().strong(&summary));
    run.exit
}

fn is_named_json(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// One run over the files.
struct Run<'a> {
    args: &'a MigrateDynatraceArgs,
    table: Table,
    rewritten: usize,
    left: usize,
    /// How the last file that failed did.
    exit: Exit,
}

impl Run<'_> {
    fn file(&mut self, file: &Path) -> Result<(), (Exit, String)> {
        let bytes = input::read(file).map_err(|error| (Exit::Failed, error.to_string()))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| (Exit::BadData, "is not UTF-8, so no JSON".to_owned()))?;
        let (new, findings) = rewrite(&text, &self.table)
            .map_err(|why| (Exit::BadData, format!("is no JSON: {why}")))?;
        for finding in &findings {
            self.tell(file, finding)?;
        }
        if self.args.dry_run {
            return Ok(());
        }
        match &self.args.output {
            None => terminal::print(new.as_bytes())
                .map_err(|error| (Exit::Disk, format!("cannot write to stdout: {error}"))),
            Some(folder) => write(&target(folder, file), &new),
        }
    }

    /// The report is what a dry run is asked for, and goes beside the document otherwise.
    fn tell(&mut self, file: &Path, finding: &Finding) -> Result<(), (Exit, String)> {
        let Finding { line, key, outcome } = finding;
        let what = match outcome {
            Outcome::Rewritten { to } => {
                self.rewritten += 1;
                format!("{key} -> {to}")
            }
            Outcome::Left { to, why } => {
                self.left += 1;
                let to = to.as_ref().map_or_else(String::new, |to| format!(" (stream key: {to})"));
                format!("{key} left: {why}{to}")
            }
        };
        let said = clean(&format!("{}:{line}: {what}", name_of(file)));
        if self.args.dry_run {
            return terminal::print(format!("{said}\n").as_bytes())
                .map_err(|error| (Exit::Disk, format!("cannot write to stdout: {error}")));
        }
        terminal::say(&said);
        Ok(())
    }
}

fn target(folder: &Path, file: &Path) -> PathBuf {
    let name = file.file_name().filter(|name| *name != "-");
    folder.join(name.unwrap_or("stdin.json".as_ref()))
}

/// Never over a file that is there: it might be the export itself, or another of the same name.
fn write(target: &Path, text: &str) -> Result<(), (Exit, String)> {
    use std::io::Write;

    let failed = |error: std::io::Error| {
        let place = target.display();
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return (Exit::Failed, format!("{place} is there already; name an empty folder"));
        }
        (Exit::Disk, format!("cannot write {place}: {error}"))
    };
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = std::fs::File::create_new(target).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests;
