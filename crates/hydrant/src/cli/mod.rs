//! The command line: every command, its arguments and its help, in one place.
//!
//! Parsing only; what a command does is in the module of its name. Every help ends with examples,
//! held in `examples`, and a test keeps docs/cli.md in step.

mod args;
mod conform;
mod cost;
mod deploy;
mod examples;
mod migrate;
mod operator;
mod replay;
mod value;

pub use args::{
    CompletionsArgs, DemoArgs, InspectArgs, InspectOutput, ManArgs, RecordFormat, RunArgs, Shell,
    SimulateArgs, StatusArgs, StatusOutput, StreamArgs, StreamCommand, StreamTarget, TagsArgs,
    TagsCommand, TagsFetchArgs, ValidateArgs, ValidateOutput,
};
pub use conform::ConformArgs;
pub use cost::{CostArgs, MetricFilter};
pub use deploy::{AccessKeyFrom, DeployArgs, DeployCommand, DeployOptions, DeployTopology};
pub use migrate::{MigrateArgs, MigrateCommand, MigrateDynatraceArgs};
pub use operator::{DoctorArgs, Output, ProcessArgs, TapArgs, TopArgs, TraceArgs};
pub use replay::{ReplayArgs, TooOldPolicy};

use clap::{Parser, Subcommand};

/// Carries CloudWatch metrics to where people look at them, and loses none.
#[derive(Debug, Parser)]
#[command(
    name = "hydrant",
    version,
    about,
    after_help = examples::ROOT,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole path on this machine: no account, no settings file
    #[command(after_help = examples::DEMO)]
    Demo(DemoArgs),
    /// Run the configured sources and streams
    #[command(after_help = examples::RUN)]
    Run(RunArgs),
    /// Check the settings and print every problem at once
    #[command(after_help = examples::VALIDATE)]
    Validate(ValidateArgs),
    /// Decode records, objects, request bodies or backups
    #[command(after_help = examples::INSPECT)]
    Inspect(InspectArgs),
    /// Tell what a metric stream costs, from captures of it, and what a filter would save
    #[command(after_help = examples::COST)]
    Cost(CostArgs),
    /// Put back what was kept: backups, Firehose's error objects, archives, quarantine
    #[command(after_help = examples::REPLAY)]
    Replay(Box<ReplayArgs>),
    /// Make deterministic, realistic traffic
    #[command(after_help = examples::SIMULATE)]
    Simulate(SimulateArgs),
    /// Grade a receiver of Firehose deliveries
    #[command(after_help = examples::CONFORM)]
    Conform(ConformArgs),
    /// Tell what each source, stream, backup and quarantine holds, and why
    #[command(after_help = examples::STATUS)]
    Status(StatusArgs),
    /// Show a live table of sources and streams
    #[command(after_help = examples::TOP)]
    Top(TopArgs),
    /// Show the points of a stream as they pass
    #[command(after_help = examples::TAP)]
    Tap(TapArgs),
    /// Tell what became of a delivery, by its request id
    #[command(after_help = examples::TRACE)]
    Trace(TraceArgs),
    /// Find what is wrong, or explain error codes
    #[command(after_help = examples::DOCTOR)]
    Doctor(DoctorArgs),
    /// Give up on a stream, or on its backlog
    #[command(after_help = examples::STREAM)]
    Stream(StreamArgs),
    /// Serve AWS Lambda: S3 and SQS notifications, Firehose data transformation
    #[command(after_help = examples::LAMBDA)]
    Lambda,
    /// Move in from another integration: rewrite its metric keys
    #[command(after_help = examples::MIGRATE)]
    Migrate(MigrateArgs),
    /// Resource tags, for the enrichment of points
    #[command(after_help = examples::TAGS)]
    Tags(TagsArgs),
    /// Write the AWS side of the settings: metric stream, Firehose, bucket, roles
    #[command(after_help = examples::DEPLOY)]
    Deploy(Box<DeployArgs>),
    /// Print what makes a shell complete the words of this command line
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the manual page
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
}
