//! The arguments of each command. The doc comments are the help.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use remote::Secret;

use super::{examples, value};

/// Arguments of `hydrant demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Stop by itself after this long; exit 0 only if every point arrived
    #[arg(long = "for", value_name = "DURATION", value_parser = value::duration)]
    pub run_for: Option<Duration>,
    /// Points a second that the simulated services make
    #[arg(long, value_name = "POINTS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    pub rate: u32,
    /// Seed of the simulated services; the same seed makes the same metrics
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Keep the journal in this folder instead of a temporary one
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Arguments of `hydrant run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Settings file [default: $HYDRANT_CONFIG, ./hydrant.yaml, /etc/hydrant/hydrant.yaml]
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Arguments of `hydrant validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Settings file [default: $HYDRANT_CONFIG, ./hydrant.yaml, /etc/hydrant/hydrant.yaml]
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Also try every destination, backup and S3 source; sends and takes no metrics
    #[arg(long)]
    pub online: bool,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = ValidateOutput::Text)]
    pub output: ValidateOutput,
}

/// `--output` of `hydrant validate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ValidateOutput {
    /// For a person
    Text,
    /// One JSON object
    Json,
}

/// Arguments of `hydrant inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Files to read, or folders of them; none, or `-`, reads stdin
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How to print the points
    #[arg(short, long, value_enum, default_value_t = InspectOutput::Table)]
    pub output: InspectOutput,
}

/// `--output` of `hydrant inspect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InspectOutput {
    /// Columns and a summary
    Table,
    /// One JSON object a line
    Ndjson,
    /// The lines Dynatrace would get
    Mint,
    /// An OTLP/JSON metrics request
    OtlpJson,
    /// Prometheus text exposition
    Prometheus,
}

/// Arguments of `hydrant simulate`.
#[derive(Debug, Args)]
#[command(group(
    ArgGroup::new("place")
        .required(true)
        .multiple(true)
        .args(["to", "put_metric_data", "directory"])
))]
pub struct SimulateArgs {
    /// Deliver to this Firehose HTTP endpoint; with --put-metric-data, the endpoint of the API
    #[arg(
        long,
        value_name = "URL",
        value_parser = value::url,
        conflicts_with = "directory"
    )]
    pub to: Option<String>,
    /// Put the metrics with PutMetricData instead, as AWS's own chain of credentials says, at --to or
    /// at AWS
    #[arg(long, conflicts_with_all = ["directory", "access_key", "gzip", "attributes"])]
    pub put_metric_data: bool,
    /// Write the records to files in this folder instead
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Access key to deliver with; `$HYDRANT_ACCESS_KEY` by default
    #[arg(long, value_name = "KEY")]
    pub access_key: Option<String>,
    /// Trust this CA certificate (PEM) besides those of the system
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Take any certificate; for rehearsal only
    #[arg(long)]
    pub insecure: bool,
    /// Output format of the simulated metric stream
    #[arg(long, value_enum, default_value_t = RecordFormat::Otel10)]
    pub format: RecordFormat,
    /// Compress the deliveries, as Firehose does when its content encoding is GZIP
    #[arg(long)]
    pub gzip: bool,
    /// Points a second; 0 goes as fast as it can
    #[arg(long, value_name = "POINTS", default_value_t = 500)]
    pub rate: u32,
    /// Stop after this many points
    #[arg(long, value_name = "POINTS")]
    pub points: Option<u64>,
    /// Stop after this long
    #[arg(long = "for", value_name = "DURATION", value_parser = value::duration)]
    pub run_for: Option<Duration>,
    /// Raw bytes of one delivery before compression
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = value::size)]
    pub delivery_size: u64,
    /// Deliveries in flight at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub connections: u32,
    /// Common attribute `name=value`, sent with every delivery; may be repeated
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = value::pair)]
    pub attributes: Vec<(String, String)>,
    /// Seed; the same seed makes the same metrics
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// `--format` of `hydrant simulate`, by the names of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecordFormat {
    /// One JSON object a line
    #[value(name = "json")]
    Json,
    /// OpenTelemetry 0.7
    #[value(name = "opentelemetry0.7")]
    Otel07,
    /// OpenTelemetry 1.0
    #[value(name = "opentelemetry1.0")]
    Otel10,
}

impl From<RecordFormat> for metric::Format {
    fn from(format: RecordFormat) -> metric::Format {
        match format {
            RecordFormat::Json => metric::Format::Json,
            RecordFormat::Otel07 => metric::Format::Otel07,
            RecordFormat::Otel10 => metric::Format::Otel10,
        }
    }
}

/// Where the running process, or its folder, is found.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Settings file that names the data folder [default: as for `hydrant run`]
    #[arg(short, long, value_name = "FILE", conflicts_with = "data_dir")]
    pub config: Option<PathBuf>,
    /// The data folder itself
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = StatusOutput::Table)]
    pub output: StatusOutput,
    /// Print nothing; exit 0 only when a process runs and takes deliveries, else say why not
    #[arg(long, conflicts_with = "output")]
    pub ready: bool,
}

/// `--output` of `hydrant status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusOutput {
    /// For a person
    Table,
    /// One JSON object
    Json,
}

/// Arguments of `hydrant stream`.
#[derive(Debug, Args)]
pub struct StreamArgs {
    /// What to do with the stream.
    #[command(subcommand)]
    pub command: StreamCommand,
}

/// The commands under `hydrant stream`.
#[derive(Debug, Subcommand)]
pub enum StreamCommand {
    /// Forget the cursor of a stream that is no longer in the settings; its backlog is given up
    #[command(after_help = examples::STREAM_FORGET)]
    Forget(StreamTarget),
    /// Give up what a stream has not delivered yet; counted as dropped
    #[command(after_help = examples::STREAM_DROP_BACKLOG)]
    DropBacklog(StreamTarget),
}

/// Which stream, of which process.
#[derive(Debug, Args)]
pub struct StreamTarget {
    /// Name of the stream
    pub name: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Settings file that names the data folder [default: as for `hydrant run`]
    #[arg(short, long, value_name = "FILE", conflicts_with = "data_dir")]
    pub config: Option<PathBuf>,
    /// The data folder itself
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Arguments of `hydrant tags`.
#[derive(Debug, Args)]
pub struct TagsArgs {
    /// What to do with tags.
    #[command(subcommand)]
    pub command: TagsCommand,
}

/// The commands under `hydrant tags`.
#[derive(Debug, Subcommand)]
pub enum TagsCommand {
    /// Write the snapshot that `enrich.tags` of a stream reads
    #[command(after_help = examples::TAGS_FETCH)]
    Fetch(TagsFetchArgs),
}

/// Arguments of `hydrant tags fetch`; a stream that refreshes its own snapshot has the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct TagsFetchArgs {
    /// The file to write; replaced whole
    #[arg(short, long, value_name = "FILE", default_value = "tags.json")]
    pub output: PathBuf,
    /// Region to ask; may be repeated [default: that of AWS's own chain]
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    pub region: Vec<String>,
    /// Profile of AWS's own configuration
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Role to assume, for another account; may be repeated
    #[arg(long, value_name = "ARN")]
    pub role_arn: Vec<String>,
    /// What the roles' trust policies demand
    #[arg(long, value_name = "ID", requires = "role_arn", value_parser = value::secret)]
    pub external_id: Option<Secret>,
    /// Types of resources, as `ec2:instance`; all by default
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    pub types: Vec<String>,
    /// Keys of the tags to keep; all by default
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    pub keys: Vec<String>,
    /// Fetch again this often, until told to stop
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub every: Option<Duration>,
    /// Ask this endpoint instead of AWS
    #[arg(long, value_name = "URL", value_parser = value::url)]
    pub endpoint_url: Option<String>,
    /// Trust this CA certificate (PEM) besides those of the system
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// Arguments of `hydrant completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell that reads it
    #[arg(value_enum)]
    pub shell: Shell,
}

/// The shells that complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Bash, 4.4 or newer
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
}

/// Arguments of `hydrant man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write the pages of all commands into this folder instead
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
}
