//! `hydrant deploy`: the AWS side of a settings file, written for Terraform or CloudFormation.
//!
//! A plan is made first (pure data: what, and which parameters), then one of two writers turns it into
//! text. The same settings and flags give the same text. Nothing is asked of AWS, and no secret of
//! the settings is ever written: secrets are parameters.

mod build;
pub mod cloudformation;
mod endpoint;
pub mod filters;
pub mod hcl;
pub mod parameter;
mod pick;
pub mod plan;
pub mod policy;
mod refusal;
pub mod terraform;
mod yaml;

use std::path::{Path, PathBuf};

pub use build::plan;
pub use refusal::Refusal;

use crate::cli::{DeployArgs, DeployCommand, DeployOptions};
use crate::exit::Exit;
use crate::settings::{self, Problem};
use crate::terminal::{self, Paint, fail};

/// Runs the command.
pub fn command(args: &DeployArgs) -> Exit {
    let (DeployCommand::Terraform(options) | DeployCommand::CloudFormation(options)) =
        &args.command;
    let elsewhere = match settings::open_elsewhere(options.config.as_deref()) {
        Ok(elsewhere) => elsewhere,
        Err(exit) => return exit,
    };
    let plan = match plan(&elsewhere, options) {
        Ok(plan) => plan,
        Err(refusal) => return fail(refusal.exit, &refusal.what, Some(&refusal.remedy)),
    };
    for note in &plan.notes {
        terminal::say(&format!("{} {note}", Paint::for_stderr().hint("note:")));
    }
    if matches!(args.command, DeployCommand::CloudFormation(_)) && plan.regions.len() > 1 {
        let regions = plan.regions.join(", ");
        let what = format!("the template is the same for {regions}: deploy it once in each");
        terminal::say(&format!("{} {what}", Paint::for_stderr().hint("note:")));
    }
    let files = match &args.command {
        DeployCommand::Terraform(_) => terraform::files(&plan),
        DeployCommand::CloudFormation(_) => cloudformation::files(&plan),
    };
    if let Some(refusal) = unknown_here(&files, &elsewhere.missing) {
        return fail(refusal.exit, &refusal.what, Some(&refusal.remedy));
    }
    match &options.output {
        Some(folder) => write_files(folder, &files),
        None => print(&files, options),
    }
}

/// A secret becomes a parameter and need not be here; a prefix, a bucket and a filter are written out.
fn unknown_here(files: &[(String, String)], missing: &[Problem]) -> Option<Refusal> {
    if !files.iter().any(|(_, text)| settings::holds_stand_in(text)) {
        return None;
    }
    let is_written = |problem: &&Problem| {
        let path = &problem.path;
        let of_source = [".prefix", ".bucket", ".region", ".sqs_queue_url", ".listen"];
        path.contains(".include")
            || path.contains(".exclude")
            || path.starts_with("sources.") && of_source.iter().any(|key| path.ends_with(key))
    };
    let told: Vec<String> = missing.iter().filter(is_written).map(Problem::sentence).collect();
    Some(Refusal::settings(
        format!("what the template needs is not here: {}", told.join("; ")),
        "set it as where Hydrant runs: only secrets are left to whoever deploys",
    ))
}

fn print(files: &[(String, String)], options: &DeployOptions) -> Exit {
    if files.iter().any(|(name, _)| name.contains('/')) {
        let what = format!("{} regions need a folder of files", options.regions.len());
        return fail(Exit::Usage, &what, Some("say where to write them: --output DIR"));
    }
    let text = match files {
        [(_, only)] => only.clone(),
        several => {
            let named = |(name, text): &(String, String)| format!("# {name}\n\n{text}");
            several.iter().map(named).collect::<Vec<_>>().join("\n")
        }
    };
    match terminal::print(text.as_bytes()) {
        Ok(()) => Exit::Done,
        Err(error) => terminal::unwritten(&error),
    }
}

fn write_files(folder: &Path, files: &[(String, String)]) -> Exit {
    for (name, text) in files {
        let file = folder.join(name);
        let made = file.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) = made.and_then(|()| std::fs::write(&file, text)) {
            let what = format!("cannot write {}: {error}", file.display());
            return fail(
                Exit::Disk,
                &what,
                Some("name a folder that can be written: --output DIR"),
            );
        }
        terminal::say(&format!("wrote {}", file.display()));
    }
    for left in left_behind(folder, files) {
        let what = format!("{} is of an earlier plan: remove it", left.display());
        terminal::say(&format!("{} {what}", Paint::for_stderr().hint("note:")));
    }
    Exit::Done
}

/// What an earlier plan of another form wrote here, and nobody reads any more.
fn left_behind(folder: &Path, files: &[(String, String)]) -> Vec<PathBuf> {
    let names = terraform::NAMES.iter();
    let all = names.flat_map(|name| [(*name).to_owned(), format!("client/{name}")]);
    let others = all.filter(|name| !files.iter().any(|(written, _)| written == name));
    let terraform = files.iter().any(|(name, _)| name.ends_with(".tf"));
    others.map(|name| folder.join(name)).filter(|file| terraform && file.exists()).collect()
}
