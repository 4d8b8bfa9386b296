//! The arguments of `hydrant deploy`. The doc comments are the help.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{RecordFormat, examples, value};

/// Arguments of `hydrant deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// The tool that it is written for.
    #[command(subcommand)]
    pub command: DeployCommand,
}

/// The commands under `hydrant deploy`.
#[derive(Debug, Subcommand)]
pub enum DeployCommand {
    /// Write it for Terraform
    #[command(after_help = examples::DEPLOY_TERRAFORM)]
    Terraform(DeployOptions),
    /// Write it for CloudFormation
    #[command(name = "cloudformation", after_help = examples::DEPLOY_CLOUDFORMATION)]
    CloudFormation(DeployOptions),
}

/// What both tools take.
#[derive(Clone, Debug, Args)]
pub struct DeployOptions {
    /// Settings file [default: as for `hydrant run`]; its secrets need not be here
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Write files into this folder instead of to stdout
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// The way of the metrics [default: by the source: http, or sqs, or s3 without a queue]
    #[arg(long, value_enum)]
    pub topology: Option<DeployTopology>,
    /// The source that it feeds [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Only for this stream: its filters; with lambda also its destination; may be repeated
    #[arg(long = "stream", value_name = "NAME")]
    pub streams: Vec<String>,
    /// Region; may be repeated [default: that of the source; else given when it is deployed]
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',')]
    pub regions: Vec<String>,
    /// Name of what is made, and prefix of the bucket's name [default: hydrant]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Output format of the metric stream
    #[arg(long, value_enum, default_value_t = RecordFormat::Otel10, help_heading = "Metric stream")]
    pub format: RecordFormat,
    /// Also metrics of linked accounts, in a monitoring account of cross-account observability
    #[arg(long, help_heading = "Metric stream")]
    pub linked_accounts: bool,

    /// Where Firehose finds Hydrant: https, port 443, a certificate that the public trusts
    #[arg(long, value_name = "URL", help_heading = "Firehose to HTTP")]
    pub endpoint_url: Option<String>,
    /// Where the access key comes from [default: secret; with dynatrace variable]
    #[arg(long, value_enum, help_heading = "Firehose to HTTP")]
    pub access_key: Option<AccessKeyFrom>,
    /// Common attribute `name=value` of each delivery; may be repeated
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = value::pair, help_heading = "Firehose to HTTP")]
    pub attributes: Vec<(String, String)>,

    /// Also a role to read bucket and queue, for this principal and an external id
    #[arg(long, value_name = "ARN", help_heading = "Firehose to S3")]
    pub reader: Option<String>,
}

/// `--topology` of `hydrant deploy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeployTopology {
    /// Firehose delivers to Hydrant's HTTP endpoint
    Http,
    /// Firehose writes to a bucket, Hydrant lists it
    S3,
    /// Firehose writes to a bucket, a queue tells Hydrant
    Sqs,
    /// Firehose writes to a bucket, a queue invokes Hydrant as a Lambda function
    Lambda,
    /// Firehose delivers to Dynatrace's own endpoint, without Hydrant
    Dynatrace,
}

/// `--access-key` of `hydrant deploy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AccessKeyFrom {
    /// A secret of Secrets Manager that is there already; can be rotated without deploying
    Secret,
    /// A variable of the template
    Variable,
}
