//! What two settings say together: who reads whom, who listens where, who writes where.

use std::path::{Component, Path, PathBuf};

use super::place::split_address;
use super::source::{Read, Source};
use super::stream::Stream;
use crate::settings::nearest::nearest;
use crate::settings::read::{Found, Report, listed};
use crate::settings::types::ObjectSource;

/// Checks all of them.
pub(super) fn check(
    report: &Report,
    admin: Option<&Found<String>>,
    sources: &[Source],
    streams: &[Stream],
) {
    listeners(report, admin, sources);
    who_reads_whom(report, sources, streams);
    doors(report, sources, streams);
    drop_ins(report, streams);
    apis(report, sources, streams);
    writers(report, streams);
    objects(report, sources, streams);
}

fn listeners(report: &Report, admin: Option<&Found<String>>, sources: &[Source]) {
    let mut taken: Vec<&Found<String>> = admin.into_iter().collect();
    for found in sources.iter().filter_map(|source| source.listen.as_ref()) {
        let collides = |other: &&&Found<String>| {
            let (one, two) = (split_address(&found.value), split_address(&other.value));
            one.zip(two).is_some_and(|(one, two)| one.collides(&two))
        };
        if let Some(other) = taken.iter().find(collides) {
            let rule = format!("listens where {} does, on {}", owner(other), other.value);
            report.error(&found.spot, rule, Some("take another port".to_owned()));
        }
        taken.push(found);
    }
}

/// The path of an address without its last key; that of the default has none.
fn owner(found: &Found<String>) -> &str {
    found.spot.path.strip_suffix(".listen").unwrap_or(&found.spot.path)
}

fn who_reads_whom(report: &Report, sources: &[Source], streams: &[Stream]) {
    let names: Vec<&str> = sources.iter().map(|source| source.name.value.as_str()).collect();
    for found in streams.iter().flat_map(|stream| &stream.sources) {
        if names.is_empty() || names.contains(&found.value.as_str()) {
            continue;
        }
        let hint = match nearest(&found.value, names.iter().copied()) {
            Some(name) => format!("did you mean \"{name}\"?"),
            None => format!("the sources are {}", listed(&names)),
        };
        report.error(&found.spot, "names a source that does not exist", Some(hint));
    }
    for source in sources {
        if source.is_api {
            // Its delivery streams are made through it.
            continue;
        }
        let name = &source.name;
        let mut readers = streams.iter().flat_map(|stream| &stream.sources);
        // Where a stream's list could not be read, it may well have named this source.
        let unsure = streams.is_empty() || streams.iter().any(|stream| stream.sources.is_empty());
        if unsure || readers.any(|reader| reader.value == name.value) {
            continue;
        }
        let meant = |reader: &Found<String>| {
            !names.contains(&reader.value.as_str())
                && nearest(&reader.value, [name.value.as_str()]).is_some()
        };
        if streams.iter().flat_map(|stream| &stream.sources).any(meant) {
            // The misspelt name has been reported; this would be the same mistake once more.
            continue;
        }
        let hint = format!("add a stream with source: {}, or remove it", name.value);
        let rule = "no stream reads this source: what it takes would go nowhere";
        report.error(&name.spot, rule, Some(hint));
    }
}

/// The streams that read a source, and take target and token from its requests.
fn drop_in_of<'a>(source: &Source, streams: &'a [Stream]) -> Option<&'a Stream> {
    let reads =
        |stream: &Stream| stream.sources.iter().any(|found| found.value == source.name.value);
    streams.iter().find(|stream| stream.from_request.is_some() && reads(stream))
}

fn doors(report: &Report, sources: &[Source], streams: &[Stream]) {
    for source in sources {
        let Some(keys) = &source.keys else { continue };
        if let Some(stream) = drop_in_of(source, streams) {
            if keys.value > 0 {
                let rule = format!(
                    "stream {} takes the access key as the Dynatrace token (from_request)",
                    stream.name.value
                );
                let hint = "remove access_keys, or read another source".to_owned();
                report.error(&keys.spot, rule, Some(hint));
            }
            continue;
        }
        let Some(listen) = &source.listen else { continue };
        let public = split_address(&listen.value).is_some_and(|address| !address.is_loopback());
        if keys.value == 0 && public {
            let rule = "takes deliveries from anyone who can reach it: there are no access_keys";
            let hint = "give access_keys, the access key set on the Firehose stream".to_owned();
            report.warning(&listen.spot, rule, Some(hint));
        }
    }
}

/// A request can be admitted by one stream only.
fn drop_ins(report: &Report, streams: &[Stream]) {
    let mut taken: Vec<(&str, &str)> = Vec::new();
    for stream in streams {
        let Some(spot) = &stream.from_request else { continue };
        for source in &stream.sources {
            match taken.iter().find(|(name, _)| *name == source.value) {
                Some((name, other)) => {
                    let rule = format!("stream {other} takes source {name} from_request already");
                    report.error(spot, rule, Some("give each its own source".to_owned()));
                }
                None => taken.push((&source.value, &stream.name.value)),
            }
        }
    }
}

/// What streams of a source in place of AWS must not be.
fn apis(report: &Report, sources: &[Source], streams: &[Stream]) {
    for source in sources.iter().filter(|source| source.is_api) {
        if let Some(stream) = drop_in_of(source, streams) {
            let rule = "has no request that names a target and a token (from_request)";
            let hint = format!("give stream {} another source", stream.name.value);
            report.error(&source.name.spot, rule, Some(hint));
        }
        // The topics of its delivery streams have such names: one would read what the other takes.
        let within = format!("{}.", source.name.value);
        for other in sources {
            let Some(rest) = other.name.value.strip_prefix(&within) else { continue };
            let api = &source.name.value;
            let rule = format!(
                "begins with \"{within}\", as what delivery streams of source {api} keep in the journal"
            );
            let hint = format!("write it as {api}-{rest}");
            report.error(&other.name.spot, rule, Some(hint));
        }
    }
}

/// What sources of objects must not be told together.
fn objects(report: &Report, sources: &[Source], streams: &[Stream]) {
    let mut queues: Vec<(&str, &str)> = Vec::new();
    let mut stdin: Option<&str> = None;
    for source in sources {
        let Some(Read::Objects(config)) = &source.config else { continue };
        let name = &source.name;
        if let Some(stream) = drop_in_of(source, streams) {
            let rule = "has no request that names a target and a token (from_request)";
            let hint = format!("give stream {} another source", stream.name.value);
            report.error(&name.spot, rule, Some(hint));
        }
        match config {
            ObjectSource::S3(s3) => {
                let Some(queue) = s3.sqs_queue_url.as_deref() else { continue };
                if let Some((_, other)) = queues.iter().find(|(known, _)| *known == queue) {
                    let rule = format!("reads the queue of source {other}");
                    let hint = "each message reaches one of them only: make it one source, with \
                                several streams";
                    report.error(&name.spot, rule, Some(hint.to_owned()));
                }
                queues.push((queue, &name.value));
            }
            ObjectSource::Files(files) => match &files.path {
                Some(path) => reads_what_is_written(report, name, path, streams),
                None => {
                    if let Some(other) = stdin.replace(&name.value) {
                        let rule = format!("reads standard input, as source {other} does");
                        report.error(&name.spot, rule, Some("keep one of the two".to_owned()));
                    }
                }
            },
        }
    }
}

/// What it writes would come in again, without end.
fn reads_what_is_written(report: &Report, name: &Found<String>, path: &Path, streams: &[Stream]) {
    let path = plain(path);
    let mut writes = streams.iter().flat_map(|stream| &stream.writes);
    let overlaps = |found: &&Found<PathBuf>| {
        let written = plain(&found.value);
        written.starts_with(&path) || path.starts_with(&written)
    };
    if let Some(found) = writes.find(overlaps) {
        let rule = format!("reads what Hydrant writes: {}", found.value.display());
        let hint = "read a folder in which nothing of Hydrant lies".to_owned();
        report.error(&name.spot, rule, Some(hint));
    }
}

/// Two streams that write to one place would overwrite each other.
fn writers(report: &Report, streams: &[Stream]) {
    let mut taken: Vec<(PathBuf, &str)> = Vec::new();
    for stream in streams {
        for found in &stream.writes {
            let path = plain(&found.value);
            let hint = || Some("give each a place of its own".to_owned());
            let within =
                |(other, _): &&(PathBuf, &str)| path.starts_with(other) || other.starts_with(&path);
            match taken.iter().find(within) {
                None => {}
                Some((other, name)) if *other == path => {
                    let rule = format!("stream {name} writes to {} already", found.value.display());
                    report.error(&found.spot, rule, hint());
                }
                // What a stream finds below its backup folder it takes for its own.
                Some((_, name)) if *name != stream.name.value => {
                    let rule = format!("lies within what stream {name} writes to, or around it");
                    report.error(&found.spot, rule, hint());
                }
                Some(_) => {}
            }
            taken.push((path, &stream.name.value));
        }
    }
}

/// What Hydrant itself keeps in `data_dir`; backups may lie below the folder of backups.
const OWN: [&str; 9] = [
    "lock",
    "version",
    "control.sock",
    "journal",
    "quarantine",
    "replay",
    "state",
    "cloud",
    "lanes",
];

/// What streams write must spare the settings and what Hydrant keeps.
pub(super) fn keep_off(report: &Report, streams: &[Stream], file: &Path, data_dir: &Path) {
    let (file, data_dir) = (plain(file), plain(data_dir));
    for found in streams.iter().flat_map(|stream| &stream.writes) {
        let path = plain(&found.value);
        let rule = if path == file {
            "is this settings file: it would be written over"
        } else if data_dir.starts_with(&path) {
            "holds data_dir, where Hydrant keeps what it has taken"
        } else if OWN.iter().any(|own| path.starts_with(data_dir.join(own))) {
            "lies within data_dir where Hydrant keeps things of its own"
        } else {
            continue;
        };
        report.error(&found.spot, rule, Some("take another place".to_owned()));
    }
}

/// Absolute and without `.` and `..`, so that `./backup` and `x/../backup` are one.
fn plain(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}
