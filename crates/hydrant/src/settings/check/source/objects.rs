//! Sources of objects: `type: s3`, `file` and `stdin`.

use std::path::PathBuf;
use std::time::Duration;

use intake::objects::{Limits, files, s3};

use super::super::aws::{bucket, identity};
use super::super::place::url_like;
use super::super::{DAY, GIB, MIB, TIB, optional, whole};
use crate::settings::read::{At, Found, Report, Section};
use crate::settings::types::ObjectSource;

/// SQS hides a message for at most twelve hours.
const VISIBILITY_MAX: Duration = Duration::from_secs(12 * 3600);
/// Long enough to read an object of Firehose many times over, short enough that a crashed reader
/// holds nothing up for long; it is extended while work lasts.
const VISIBILITY_DEFAULT: Duration = Duration::from_secs(120);
/// Below this the heartbeat would be most of the traffic.
const VISIBILITY_MIN: Duration = Duration::from_secs(30);
/// A listing costs a request for every thousand keys.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
/// A queue hands out ten messages at a time.
const CONCURRENCY_MAX: u64 = 10;

/// What a queue is named by.
const QUEUE_HINT: &str = "for instance https://sqs.eu-west-1.amazonaws.com/111122223333/objects";

/// `type: s3`.
pub(super) fn s3(
    report: &Report,
    name: &Found<String>,
    section: Section<'_>,
) -> Option<ObjectSource> {
    let queue = match section.get("sqs_queue_url") {
        None => Some(None),
        Some(at) => url_like(report, &at, QUEUE_HINT).map(|found| Some(found.value)),
    };
    let listed = section.get("sqs_queue_url").is_none();
    let bucket = match section.get("bucket") {
        None if listed => {
            let hint = "name the bucket to list, or give sqs_queue_url";
            section.need("bucket", hint).and_then(|at| bucket(&at)).map(Some)
        }
        None => Some(None),
        Some(at) => bucket(&at).map(Some),
    };
    let prefix = section.text("prefix").map(|found| found.value).unwrap_or_default();
    let interval = interval(&section);
    let start_after = section.text("start_after").map(|found| found.value);
    let visibility = optional(section.get("visibility"), VISIBILITY_DEFAULT, |at| {
        at.duration(VISIBILITY_MIN..=VISIBILITY_MAX)
    });
    for (key, wrong, instead) in [
        ("interval", !listed, "with a queue nothing is listed; remove one of the two"),
        ("start_after", !listed, "with a queue nothing is listed; remove one of the two"),
        ("visibility", listed, "it belongs to messages of a queue; give sqs_queue_url"),
    ] {
        if wrong && section.get(key).is_some() {
            let rule = if listed { "has no queue" } else { "cannot be given with sqs_queue_url" };
            report.error(&section.spot_of(key), rule, Some(instead.to_owned()));
        }
    }
    let limits = limits(&section);
    let identity = identity(report, &section);
    section.finish();
    whole(|| {
        Some(ObjectSource::S3(Box::new(s3::Config {
            name: name.value.clone(),
            bucket: bucket?,
            prefix,
            sqs_queue_url: queue?,
            interval: interval?,
            start_after,
            visibility: visibility?,
            limits: limits?,
            identity: identity?,
        })))
    })
}

/// `type: file`.
pub(super) fn file(
    report: &Report,
    name: &Found<String>,
    section: Section<'_>,
) -> Option<ObjectSource> {
    let hint = "a file, or a folder that is read with all folders in it";
    let path = section.need_text("path", hint);
    let missing = |found: &&Found<String>| !std::path::Path::new(&found.value).exists();
    if let Some(found) = path.as_ref().filter(missing) {
        let hint = "the path is relative to the folder Hydrant is started in".to_owned();
        report.warning(
            &found.spot,
            "does not exist yet: nothing is read until it does",
            Some(hint),
        );
    }
    let interval = interval(&section);
    let limits = limits(&section);
    section.finish();
    Some(ObjectSource::Files(files::Config {
        name: name.value.clone(),
        path: Some(PathBuf::from(path?.value)),
        interval: interval?,
        limits: limits?,
    }))
}

/// `type: stdin`.
pub(super) fn stdin(name: &Found<String>, section: Section<'_>) -> Option<ObjectSource> {
    let limits = limits(&section);
    section.finish();
    Some(ObjectSource::Files(files::Config {
        name: name.value.clone(),
        path: None,
        interval: None,
        limits: limits?,
    }))
}

/// Looked at again after this; once, when it is not given.
fn interval(section: &Section<'_>) -> Option<Option<Duration>> {
    match section.get("interval") {
        None => Some(None),
        Some(at) => at.duration(INTERVAL_MIN..=DAY).map(Some),
    }
}

fn limits(section: &Section<'_>) -> Option<Limits> {
    let default = Limits::default();
    let Some(at) = section.get("limits") else { return Some(default) };
    let section = at.section()?;
    let object = optional(section.get("object"), default.object_bytes, |at: &At<'_>| {
        at.size(MIB..=TIB).map(|found| found.value)
    });
    let concurrency = optional(section.get("concurrency"), default.concurrency as u64, |at| {
        at.number(1..=CONCURRENCY_MAX)
    });
    section.finish();
    debug_assert!(default.object_bytes >= GIB, "objects of gigabytes are read");
    Some(Limits { object_bytes: object?, concurrency: usize::try_from(concurrency?).ok()? })
}
