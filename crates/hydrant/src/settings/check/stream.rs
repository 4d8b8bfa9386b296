//! `streams:`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::aws::firehose::prefix::Use;
use delivery::{
    BackupConfig, BackupMode, Buffering, Destination, S3Backup, StartFrom, StreamConfig, sink,
};

use super::place::check_name;
use super::{DAY, KIB, MIB, aws, destination, enrich, filter, optional, whole};
use crate::cli::TagsFetchArgs;
use crate::settings::quantity::size_about;
use crate::settings::read::{At, Found, Report, Section, Spot};
use crate::settings::types::Budget;

/// Firehose's own default for an HTTP endpoint.
const RETRY_DURATION_DEFAULT: Duration = Duration::from_secs(300);
/// Firehose allows two hours; a week spans any weekend a destination can be down.
const RETRY_DURATION_MAX: Duration = DAY.saturating_mul(7);
/// Firehose has buffered already: waiting again only adds delay.
const BUFFERING_DEFAULT: Buffering =
    Buffering { size_bytes: 5 * MIB, interval: Duration::from_secs(0) };
/// Firehose's largest buffering hints.
const BUFFERING_SIZE_MAX: u64 = 128 * MIB;
const BUFFERING_INTERVAL_MAX: Duration = Duration::from_secs(900);
/// Enough to hide the round trip of a backend 100 ms away at 40,000 points a second.
const CONCURRENCY_DEFAULT: u64 = 4;
/// A backend that needs more has told us to slow down long before.
const CONCURRENCY_MAX: u64 = 64;
/// One stream may hold half the disk, so that one that is down leaves room for the others.
const BACKLOG_SHARE: u64 = 2;
/// Below this a stream would spill at every hiccup.
const BACKLOG_MIN: u64 = 16 * MIB;

/// What the AWS console fills in, with the day and hour as Firehose's own default prefix has them.
const ERROR_PREFIX_DEFAULT: &str = "!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH/}";
/// Firehose's defaults for S3: without waiting every delivery would be an object of its own.
const BUFFERING_S3: Buffering =
    Buffering { size_bytes: 5 * MIB, interval: Duration::from_secs(300) };

/// What a stream must fit into.
pub(super) struct Room<'a> {
    pub(super) data_dir: &'a Path,
    /// `None` when it is wrong itself.
    pub(super) budget: Option<Budget>,
    /// Streams can be made through a source: the settings may have none.
    pub(super) made_later: bool,
}

/// What was read of a stream; see [`super::source::Source`].
pub(super) struct Stream {
    pub(super) name: Found<String>,
    /// The sources it names.
    pub(super) sources: Vec<Found<String>>,
    /// Its drop-in destination.
    pub(super) from_request: Option<Spot>,
    /// Folders and files it writes to.
    pub(super) writes: Vec<Found<PathBuf>>,
    /// How its snapshot of tags is fetched, when this process does that.
    pub(super) refresh: Option<TagsFetchArgs>,
    pub(super) config: Option<StreamConfig>,
}

/// `streams`.
pub(super) fn streams(report: &Report, top: &Section<'_>, room: &Room<'_>) -> Vec<Stream> {
    let hint = "name at least one: what goes where";
    let at = if room.made_later { top.get("streams") } else { top.need("streams", hint) };
    let Some(at) = at else { return Vec::new() };
    let Some(named) = at.named() else { return Vec::new() };
    if named.is_empty() && !room.made_later {
        report.error(&at.spot(), "holds no stream", Some(hint.to_owned()));
    }
    let read = |(name, at): (Found<String>, At<'_>)| {
        check_name(report, &name);
        stream(report, name, &at, room)
    };
    named.into_iter().map(read).collect()
}

fn stream(report: &Report, name: Found<String>, at: &At<'_>, room: &Room<'_>) -> Stream {
    let mut stream = Stream {
        name,
        sources: Vec::new(),
        from_request: None,
        writes: Vec::new(),
        refresh: None,
        config: None,
    };
    let Some(section) = at.section() else { return stream };
    stream.sources = source_names(report, &section);
    let filters = filter::filters(report, &section);
    let enrichment = enrich::enrichment(report, &section, &mut stream.refresh);
    let destination = destination::destination(report, &section);
    let waits = destination.as_ref().map_or(BUFFERING_DEFAULT, buffering_default);
    let buffering = optional(section.get("buffering"), waits, |at| buffering(at, waits));
    let retry_duration = optional(section.get("retry_duration"), RETRY_DURATION_DEFAULT, |at| {
        at.duration(Duration::ZERO..=RETRY_DURATION_MAX)
    });
    let starts = [("newest", StartFrom::Newest), ("oldest", StartFrom::Oldest)];
    let start_from =
        optional(section.get("start_from"), StartFrom::Newest, |at| at.choice(&starts, &[]));
    let backup = backup(report, &section, &stream.name, room);
    let max_backlog = max_backlog(&section, room);
    let concurrency = optional(section.get("concurrency"), CONCURRENCY_DEFAULT, |at| {
        at.number(1..=CONCURRENCY_MAX)
    });
    let enrich_spot = section.spot_of("enrich");
    section.finish();
    if let Some(destination) = &destination {
        stream.from_request = destination.from_request.clone();
        stream.writes.extend(destination.file.clone());
    }
    stream.writes.extend(backup.as_ref().map(|(_, found)| found.clone()));
    let config = whole(|| {
        let filters = filters?;
        Some(StreamConfig {
            name: stream.name.value.clone(),
            sources: stream.sources.iter().map(|found| found.value.clone()).collect(),
            include: filters.include,
            exclude: filters.exclude,
            enrich: enrichment?,
            destination: destination?.config?,
            buffering: buffering?,
            retry_duration: retry_duration?,
            start_from: start_from?,
            backup: backup?.0,
            max_backlog_bytes: max_backlog?,
            concurrency: usize::try_from(concurrency?).ok()?,
        })
    });
    if let Some(config) = &config {
        enrich::warn_if_lost(report, &enrich_spot, config);
    }
    stream.config = config;
    stream
}

fn source_names(report: &Report, section: &Section<'_>) -> Vec<Found<String>> {
    let Some(at) = section.need("source", "name a source, or a list of them") else {
        return Vec::new();
    };
    let items = at.one_or_list();
    if items.as_ref().is_some_and(Vec::is_empty) {
        report.error(&at.spot(), "names no source", Some("name at least one".to_owned()));
    }
    let mut names: Vec<Found<String>> = Vec::new();
    for found in items.unwrap_or_default().iter().filter_map(At::text) {
        if names.iter().any(|name| name.value == found.value) {
            report.error(&found.spot, "names this source twice", None);
        } else {
            names.push(found);
        }
    }
    names
}

fn buffering_default(destination: &destination::ReadDestination) -> Buffering {
    match destination.config {
        Some(Destination::Fixed(sink::Config::S3(_))) => BUFFERING_S3,
        _ => BUFFERING_DEFAULT,
    }
}

fn buffering(at: &At<'_>, default: Buffering) -> Option<Buffering> {
    let section = at.section()?;
    let size = optional(section.get("size"), default.size_bytes, |at| {
        at.size(KIB..=BUFFERING_SIZE_MAX).map(|found| found.value)
    });
    let interval = optional(section.get("interval"), default.interval, |at| {
        at.duration(Duration::ZERO..=BUFFERING_INTERVAL_MAX)
    });
    section.finish();
    Some(Buffering { size_bytes: size?, interval: interval? })
}

/// The backup, and its folder with the place that named it.
fn backup(
    report: &Report,
    stream: &Section<'_>,
    name: &Found<String>,
    room: &Room<'_>,
) -> Option<(BackupConfig, Found<PathBuf>)> {
    let directory = room.data_dir.join("backup").join(&name.value);
    let default = Found { value: directory, spot: name.spot.clone() };
    let Some(at) = stream.get("backup") else {
        let mode = BackupMode::FailedDataOnly;
        return Some((BackupConfig { mode, directory: default.value.clone(), s3: None }, default));
    };
    let section = at.section()?;
    let modes =
        [("failed_data_only", BackupMode::FailedDataOnly), ("all_data", BackupMode::AllData)];
    let mode =
        optional(section.get("mode"), BackupMode::FailedDataOnly, |at| at.choice(&modes, &[]));
    let directory = optional(section.get("directory"), default, |at| {
        let found = at.text()?;
        Some(Found { value: PathBuf::from(found.value), spot: found.spot })
    });
    let s3 = match section.get("s3") {
        None => Some(None),
        Some(at) => at.section().and_then(|section| s3_backup(report, section)).map(Some),
    };
    section.finish();
    let (mode, directory) = (mode?, directory?);
    Some((BackupConfig { mode, directory: directory.value.clone(), s3: s3? }, directory))
}

fn s3_backup(report: &Report, section: Section<'_>) -> Option<S3Backup> {
    let hint = "the name of the bucket that takes the backup";
    let bucket = section.need("bucket", hint).and_then(|at| aws::bucket(&at));
    let prefix =
        optional(section.get("prefix"), String::new(), |at| aws::prefix(at, Use::Delivery));
    let error_prefix =
        optional(section.get("error_output_prefix"), ERROR_PREFIX_DEFAULT.to_owned(), |at| {
            aws::prefix(at, Use::Error)
        });
    let compression = destination::s3::compression(&section);
    let kms_key_id = section.text("kms_key_id").map(|found| found.value);
    let identity = aws::identity(report, &section);
    section.finish();
    Some(S3Backup {
        bucket: bucket?,
        prefix: prefix?,
        error_output_prefix: error_prefix?,
        compression: compression?,
        kms_key_id,
        version: 1,
        all_data: Buffering::ALL_DATA,
        identity: identity?,
    })
}

fn max_backlog(stream: &Section<'_>, room: &Room<'_>) -> Option<u64> {
    let at = stream.get("max_backlog");
    let found = at.as_ref().map(|at| (at, at.size(BACKLOG_MIN..=u64::MAX)));
    let budget = room.budget?;
    let Some((at, found)) = found else { return Some(budget.total_bytes / BACKLOG_SHARE) };
    let found = found?;
    if found.value > budget.journal_bytes {
        let most = size_about(budget.journal_bytes);
        let rule = format!("is more than the journal's share of disk_budget, {most}");
        at.note(&rule, &found, "raise disk_budget, or lower max_backlog");
        return None;
    }
    Some(found.value)
}
