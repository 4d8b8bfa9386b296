//! The arguments of the commands that look at a running process: top, tap, trace, doctor.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::value;

/// Which running process is meant.
#[derive(Debug, Args)]
pub struct ProcessArgs {
    /// Settings file that names the data folder [default: as for `hydrant run`]
    #[arg(short, long, value_name = "FILE", conflicts_with = "data_dir")]
    pub config: Option<PathBuf>,
    /// The data folder itself
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Arguments of `hydrant top`.
#[derive(Debug, Args)]
pub struct TopArgs {
    /// Which process.
    #[command(flatten)]
    pub process: ProcessArgs,
    /// Print one table, with the rates of one interval, and end
    #[arg(long)]
    pub once: bool,
    /// Ask this often
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = value::interval)]
    pub interval: Duration,
}

/// Arguments of `hydrant tap`.
#[derive(Debug, Args)]
pub struct TapArgs {
    /// Name of the stream, as `hydrant status` shows it
    pub stream: String,
    /// Which process.
    #[command(flatten)]
    pub process: ProcessArgs,
    /// Points of this namespace only; may be repeated
    #[arg(long, value_name = "NAME")]
    pub namespace: Vec<String>,
    /// Points of this metric only; may be repeated
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,
    /// Points with this dimension only; may be repeated, then all are needed
    #[arg(long, value_name = "NAME=VALUE", value_parser = value::pair)]
    pub dimension: Vec<(String, String)>,
    /// Points of this account only; may be repeated
    #[arg(long, value_name = "ID")]
    pub account: Vec<String>,
    /// Stop after this many points
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Stop after this long
    #[arg(long = "for", value_name = "DURATION", value_parser = value::duration)]
    pub run_for: Option<Duration>,
}

/// Arguments of `hydrant trace`.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// Request id of the delivery: `X-Amz-Firehose-Request-Id`
    pub request_id: String,
    /// Which process.
    #[command(flatten)]
    pub process: ProcessArgs,
    /// ARN of the delivery stream that sent it; without it, those seen in the journal are tried
    #[arg(long, value_name = "ARN")]
    pub source_arn: Option<String>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// Arguments of `hydrant doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Error codes, or text that holds some, to be explained; `-` reads stdin. Without any, the
    /// installation is checked
    #[arg(value_name = "CODE")]
    pub codes: Vec<String>,
    /// Settings file [default: as for `hydrant run`]
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Also ask every destination, backup and S3 source, and compare the clock; sends no metrics
    #[arg(long)]
    pub online: bool,
    /// Host name that Firehose is given, to be looked for in the certificates
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// `--output` of `hydrant trace` and `hydrant doctor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For a person
    Text,
    /// One JSON object
    Json,
}
