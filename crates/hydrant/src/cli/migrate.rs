//! The arguments of `hydrant migrate`. The doc comments are the help.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::examples;

/// Arguments of `hydrant migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// From where.
    #[command(subcommand)]
    pub command: MigrateCommand,
}

/// The commands under `hydrant migrate`.
#[derive(Debug, Subcommand)]
pub enum MigrateCommand {
    /// Rewrite the keys of polled AWS metrics in exported dashboards and alerts
    #[command(after_help = examples::MIGRATE_DYNATRACE)]
    Dynatrace(MigrateDynatraceArgs),
}

/// Arguments of `hydrant migrate dynatrace`.
#[derive(Debug, Args)]
pub struct MigrateDynatraceArgs {
    /// Exported JSON, or folders of it; none, or `-`, reads stdin
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write the documents into this folder, by their names; nothing there is replaced
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Write nothing, only tell what would be done
    #[arg(long)]
    pub dry_run: bool,
}
