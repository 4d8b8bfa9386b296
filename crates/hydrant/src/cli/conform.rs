//! The arguments of `hydrant conform`. The doc comments are the help.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{StatusOutput, value};

/// Arguments of `hydrant conform`.
#[derive(Debug, Args)]
pub struct ConformArgs {
    /// The Firehose HTTP endpoint to grade; posted to as it is, path and query included
    #[arg(value_parser = value::url)]
    pub url: String,
    /// Access key of the receiver; `$HYDRANT_ACCESS_KEY` by default. Without one the cases about keys
    /// are not tried
    #[arg(long, value_name = "KEY")]
    pub access_key: Option<String>,
    /// Common attribute `name=value` that the receiver needs; may be repeated
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = value::pair)]
    pub attributes: Vec<(String, String)>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = StatusOutput::Table)]
    pub output: StatusOutput,
    /// How long to wait for an answer; Firehose waits three minutes
    #[arg(long, value_name = "DURATION", default_value = "3m", value_parser = value::duration)]
    pub timeout: Duration,
    /// Try only this case; may be repeated
    #[arg(long = "case", value_name = "NAME")]
    pub cases: Vec<String>,
    /// Leave out the slow sender, which takes eight seconds
    #[arg(long)]
    pub skip_slow: bool,
    /// Leave out the largest delivery, 86 MiB of JSON
    #[arg(long)]
    pub skip_large: bool,
    /// Trust this CA certificate (PEM) besides those of the system
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Take any certificate; for rehearsal only
    #[arg(long)]
    pub insecure: bool,
}
