//! The arguments of `hydrant replay`. The doc comments are the help.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{StatusOutput, value};

/// Arguments of `hydrant replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Files, folders, or s3://bucket/prefix
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,
    /// Put back through this stream of the settings; no other stream gets it
    #[arg(
        long,
        value_name = "STREAM",
        required_unless_present = "to_endpoint",
        conflicts_with = "to_endpoint"
    )]
    pub to: Option<String>,
    /// Put back to this receiver of Firehose deliveries
    #[arg(long, value_name = "URL", value_parser = value::url)]
    pub to_endpoint: Option<String>,
    /// Access key of the receiver; `$HYDRANT_ACCESS_KEY` by default
    #[arg(long, value_name = "KEY", requires = "to_endpoint")]
    pub access_key: Option<String>,
    /// Settings file [default: as for `hydrant run`]
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// With --to-endpoint: the folder that remembers what was put back, instead of that of the settings
    #[arg(long, value_name = "DIR", requires = "to_endpoint", conflicts_with = "config")]
    pub data_dir: Option<PathBuf>,
    /// Only tell what would be put back
    #[arg(long)]
    pub dry_run: bool,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = StatusOutput::Table)]
    pub output: StatusOutput,

    /// Only records that arrived at or after this: an instant, a date, or how long ago (2h)
    #[arg(long, value_name = "INSTANT", value_parser = value::instant, help_heading = "Filters")]
    pub from: Option<Timestamp>,
    /// Only records that arrived before this
    #[arg(long, value_name = "INSTANT", value_parser = value::instant, help_heading = "Filters")]
    pub until: Option<Timestamp>,
    /// Only error codes (or reasons for quarantine) like this; * and ? stand for any; may be repeated
    #[arg(long = "code", value_name = "PATTERN", help_heading = "Filters")]
    pub codes: Vec<String>,
    /// Only points of this namespace; may be repeated
    #[arg(long = "namespace", value_name = "NAME", help_heading = "Filters")]
    pub namespaces: Vec<String>,
    /// Only records kept for this stream; may be repeated
    #[arg(long = "source-stream", value_name = "NAME", help_heading = "Filters")]
    pub source_streams: Vec<String>,

    /// Points a second at most
    #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// What to do with points that the destination is known to refuse for their age
    #[arg(long, value_enum)]
    pub too_old: Option<TooOldPolicy>,
    /// Put back also what was put back before
    #[arg(long)]
    pub again: bool,
    /// Trust this CA certificate (PEM) besides those of the system, for the receiver and for S3
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Take any certificate; for rehearsal only
    #[arg(long)]
    pub insecure: bool,

    /// Where S3 is, instead of AWS
    #[arg(long, value_name = "URL", value_parser = value::url, help_heading = "S3")]
    pub endpoint_url: Option<String>,
    /// Region of the bucket [default: AWS's own chain]
    #[arg(long, value_name = "REGION", help_heading = "S3")]
    pub region: Option<String>,
    /// Profile of AWS's own files
    #[arg(long, value_name = "NAME", help_heading = "S3")]
    pub profile: Option<String>,
    /// Role to assume, for a bucket of another account
    #[arg(long, value_name = "ARN", help_heading = "S3")]
    pub role_arn: Option<String>,
    /// External id that the role asks for
    #[arg(long, value_name = "ID", requires = "role_arn", help_heading = "S3")]
    pub external_id: Option<String>,
}

/// `--too-old` of `hydrant replay`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TooOldPolicy {
    /// Leave them out
    Skip,
    /// Send them all the same
    Send,
}
