//! Settings as the wiring takes them: checked, with defaults filled in.

use std::path::PathBuf;

use delivery::StreamConfig;

use super::Problem;
use crate::cli::TagsFetchArgs;

/// Everything in the settings file.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Journal, quarantine, local backups, state.
    pub data_dir: PathBuf,
    /// The disk, shared out.
    pub budget: Budget,
    /// The admin port.
    pub admin: Admin,
    /// Logging.
    pub log: Log,
    /// Sources, by the order of the file; at least one.
    pub sources: Vec<FirehoseSource>,
    /// Streams, by the order of the file; at least one.
    pub streams: Vec<StreamConfig>,
    /// Snapshots of tags that this process fetches itself, one for each file.
    pub tag_refreshes: Vec<TagsFetchArgs>,
    /// What is allowed, but worth a word at start.
    pub warnings: Vec<Problem>,
}

/// `disk_budget` and its shares, in bytes. The shares sum up to at most the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// All of it.
    pub total_bytes: u64,
    /// Journal: segments and side files.
    pub journal_bytes: u64,
    /// Backups in the data folder.
    pub backup_bytes: u64,
    /// Quarantine.
    pub quarantine_bytes: u64,
    /// Keys of repeats, cursors, state.
    pub state_bytes: u64,
}

/// `admin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// `host:port`.
    pub listen: String,
}

/// `log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// `format`.
    pub format: LogFormat,
    /// `level`.
    pub level: LogLevel,
}

/// `log.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// Text.
    Text,
    /// One JSON object a line.
    Json,
}

/// `log.level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Only what a human must act on.
    Error,
    /// And what may become that.
    Warn,
    /// And one line per fact.
    Info,
    /// And each request.
    Debug,
    /// And everything else.
    Trace,
}

/// A source of type `firehose`.
#[derive(Clone, Debug)]
pub struct FirehoseSource {
    /// Its name in the settings.
    pub name: String,
    /// `host:port`.
    pub listen: String,
    /// Keys and leniency; replaced by a reload.
    pub access: intake::firehose::Access,
    /// Certificate and key; `None` is plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Limits.
    pub limits: intake::firehose::Limits,
}

/// `tls` of a source; both files could be read when the settings were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM certificate chain.
    pub cert_file: PathBuf,
    /// PEM private key.
    pub key_file: PathBuf,
}
