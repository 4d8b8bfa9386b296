//! The report of a house: who holds what, who waits for whom, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use delivery::{
    Destination, REQUEST_OUTCOMES, S3Backup, Stats, StreamConfig, TagState, UPLOAD_OUTCOMES,
    folder_size,
};

use super::cloud::{Api, Seen};
use super::damage::damage_copies;
use super::house::{House, Running};
use super::report::{
    CursorReport, JournalReport, Report, StoreReport, StreamReport, TagsReport, TopicReport,
    UploadsReport,
};

impl House {
    /// Everything, now.
    pub fn report(&self) -> Report {
        let now_ms = (self.clock)();
        let statuses = self.journal.status();
        let streams = self.stream_reports(now_ms);
        let known: BTreeSet<&str> = streams.iter().map(|s| s.name.as_str()).collect();
        let forgotten = statuses.iter().flat_map(|topic| {
            let told = topic.cursors.iter().filter(|c| !c.open).map(|c| CursorReport {
                name: c.name.clone(),
                topic: topic.topic.clone(),
                bytes: c.bytes,
                entries: c.entries,
                left: c.entries > 0 && self.has_left(&c.name, &topic.topic),
            });
            told.filter(|c| c.left || !known.contains(c.name.as_str()))
        });
        let forgotten: Vec<CursorReport> = forgotten.collect();
        let streams = self.with_targetless(streams);
        let doors = self.doors.values().map(super::sources::source_report);
        let readers = self.readers.values();
        let readers = readers.map(|reader| super::sources::reader_report(reader, now_ms));
        let apis = self.apis.values().map(Api::report);
        let sources = doors.chain(apis).chain(readers).collect();
        let reasons = self.reasons(&statuses);
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            data_dir: self.folder.root().to_owned(),
            started_ms: self.started_ms,
            now_ms,
            ready: reasons.is_empty(),
            reasons,
            reload_failure: self.reload_failure.clone(),
            journal: self.journal_report(statuses),
            sources,
            streams,
            forgotten,
        }
    }

    /// Why nothing is taken; empty when all is well.
    fn reasons(&self, topics: &[journal::TopicStatus]) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.draining {
            reasons.push("draining: the process is stopping".to_owned());
        }
        for source in &self.settings.sources {
            if !self.doors.get(&source.name).is_some_and(super::door::Door::serves) {
                reasons.push(format!("source {} does not listen", source.name));
            }
        }
        for source in &self.settings.apis {
            if !self.apis.get(&source.name).is_some_and(Api::serves) {
                reasons.push(format!("source {} does not listen", source.name));
            }
        }
        for topic in topics {
            if let Some(refused) = &topic.refusing {
                reasons.push(format!("source {}: {refused}", topic.topic));
            }
        }
        reasons
    }

    fn journal_report(&self, statuses: Vec<journal::TopicStatus>) -> JournalReport {
        let topics = statuses.into_iter().map(|t| TopicReport {
            name: t.topic,
            bytes: t.bytes,
            end: t.end,
            refusing: t.refusing.map(|r| r.to_string()),
            appended: t.appended,
            repeats: t.repeats,
            other_data: t.other_data,
            keys_evicted: t.keys_evicted,
            commits: t.commits,
            sync_failures: t.sync_failures,
            rotten_bytes: t.rotten_bytes,
        });
        let topics: Vec<TopicReport> = topics.collect();
        JournalReport {
            bytes: self.journal.bytes(),
            limit_bytes: self.settings.budget.journal_bytes,
            torn_bytes: self.recovery.torn_bytes,
            rotten_bytes: topics.iter().map(|topic| topic.rotten_bytes).sum(),
            copies: damage_copies(&self.folder.journal()),
            topics,
        }
    }

    fn stream_reports(&self, now_ms: i64) -> Vec<StreamReport> {
        let mut reports = Vec::new();
        for running in self.streams.values() {
            match running {
                Running::Fixed(config, stream) => {
                    let told = (stream.name(), stream.place(), &**stream.stats());
                    let kept = self.folder.quarantine().join(told.0);
                    reports.push(self.stream_report(config, told, now_ms, kept));
                }
                Running::Lanes(config, lanes) => {
                    for (name, place, stats) in lanes.streams() {
                        let told = (name.as_str(), place.as_str(), &*stats);
                        let kept = self.folder.quarantine().join(&name);
                        reports.push(self.stream_report(config, told, now_ms, kept));
                    }
                }
            }
        }
        reports.extend(self.made_reports(now_ms));
        reports
    }

    /// Does this cursor belong to a stream of the settings that reads the topic no more?
    pub(super) fn has_left(&self, cursor: &str, topic: &str) -> bool {
        let within =
            |name: &str, of: &str| name.strip_prefix(of).is_some_and(|r| r.starts_with('.'));
        let is_of = |stream: &StreamConfig| {
            let has_lanes = matches!(stream.destination, Destination::FromRequest(_));
            cursor == stream.name || has_lanes && within(cursor, &stream.name)
        };
        let reads = |stream: &StreamConfig| {
            let replayed = super::replay::topic_name(&stream.name);
            let sources = stream.sources.iter();
            topic == replayed || sources.into_iter().any(|one| topic == one || within(topic, one))
        };
        let mut streams = self.settings.streams.iter().filter(|stream| is_of(stream));
        streams.next().is_some_and(|stream| !reads(stream))
    }

    /// What to say of a name that no stream at work has.
    pub(super) fn no_stream(&self, name: &str) -> String {
        let known: Vec<String> = self.report().streams.into_iter().map(|s| s.name).collect();
        if known.iter().any(|one| one == name) {
            return format!("stream {name} is drop-in, and no delivery has named a target yet");
        }
        format!("no stream is called {name}; there are: {}", known.join(", "))
    }

    /// A drop-in stream has lanes, one a target, and before the first delivery none.
    fn with_targetless(&self, mut reports: Vec<StreamReport>) -> Vec<StreamReport> {
        for running in self.streams.values() {
            let Running::Lanes(config, lanes) = running else { continue };
            if !lanes.streams().is_empty() {
                continue;
            }
            let to = crate::validate::destination_text(&config.destination);
            reports.push(StreamReport {
                name: config.name.clone(),
                destination: format!("{to}; no delivery has named a target yet"),
                ..StreamReport::default()
            });
        }
        reports
    }

    /// Delivery streams made through the API: under their own names, with the account before it where
    /// another stream has that name too.
    fn made_reports(&self, now_ms: i64) -> Vec<StreamReport> {
        let mut reports = Vec::new();
        for (name, source, seen) in self.all_made() {
            let mut report = match &seen.config {
                Some(config) => {
                    let told = (seen.name.as_str(), seen.place.as_str(), &*seen.stats);
                    let kept = self.basis_below(source).quarantine;
                    let kept = kept.join(&seen.account).join(&seen.name);
                    self.stream_report(config, told, now_ms, kept)
                }
                None => StreamReport { destination: seen.place, ..StreamReport::default() },
            };
            report.name = name;
            if let Some(failure) = seen.failure {
                let age = |ms: i64| (now_ms - ms).max(0) as f64 / 1000.0;
                report.lag_seconds = failure.oldest_ms.map_or(0.0, age);
                report.backlog_bytes = failure.backlog_bytes;
                report.outage_since_ms = Some(failure.since_ms);
                (report.parcels, report.side_lane, report.next_attempt_ms) = (0, 0, None);
                report.loud = true;
                report.waits.push(failure.why.clone());
                report.last_refusal = Some(failure.why);
            }
            reports.push(report);
        }
        reports
    }

    /// Name, source and state of all delivery streams made through the API.
    fn all_made<'a>(&'a self) -> Vec<(String, &'a str, Seen)> {
        let mut all = Vec::new();
        for api in self.apis.values() {
            all.extend(api.made().seen().into_iter().map(|seen| (api, seen)));
        }
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for name in self.streams.keys() {
            *counts.entry(name.clone()).or_default() += 1;
        }
        for (_, seen) in &all {
            *counts.entry(seen.name.clone()).or_default() += 1;
        }
        let told = |(api, seen): (&'a Api, Seen)| {
            let name = match counts.get(&seen.name) {
                Some(1) => seen.name.clone(),
                _ => format!("{}/{}", seen.account, seen.name),
            };
            (name, api.name(), seen)
        };
        all.into_iter().map(told).collect()
    }

    /// The counters of the delivery stream that is told under this name.
    pub(super) fn made_stats(&self, name: &str) -> Option<std::sync::Arc<Stats>> {
        self.all_made().into_iter().find(|(told, ..)| told == name).map(|(_, _, seen)| seen.stats)
    }

    /// The source and the topic of the delivery stream that is told under this name.
    pub(super) fn made(&self, name: &str) -> Option<(&Api, String)> {
        let found = self.all_made().into_iter().find(|(told, ..)| told == name);
        let (_, source, seen) = found?;
        Some((self.apis.get(source)?, seen.topic))
    }

    fn stream_report(
        &self,
        config: &StreamConfig,
        (name, place, stats): (&str, &str, &Stats),
        now_ms: i64,
        quarantine: PathBuf,
    ) -> StreamReport {
        let state = stats.state();
        let age = |ms: i64| (now_ms - ms).max(0) as f64 / 1000.0;
        let oldest = stats.oldest_ms.load(Ordering::Relaxed);
        let newest = stats.newest_instant_ms.load(Ordering::Relaxed);
        let requests = REQUEST_OUTCOMES.iter().zip(&stats.requests);
        // A lane keeps its backup in a folder below that of its stream.
        let lane = name.strip_prefix(&config.name).map(|n| n.trim_start_matches('.'));
        let lane = lane.filter(|l| !l.is_empty());
        let backup =
            lane.map_or(config.backup.directory.clone(), |l| config.backup.directory.join(l));
        StreamReport {
            name: name.to_owned(),
            destination: place.to_owned(),
            delivered: stats.delivered.load(Ordering::Relaxed),
            filtered: stats.filtered(),
            backed_up: stats.backed_up.load(Ordering::Relaxed),
            quarantined: stats.quarantined().into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
            losses: stats.losses().into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
            dropped: stats.dropped.load(Ordering::Relaxed),
            uploads: config.backup.s3.as_ref().map(|s3| uploads(s3, stats, &state)),
            tags: stats.tags().map(|tags| tags_report(tags, now_ms)),
            requests: requests
                .map(|(o, n)| ((*o).to_owned(), n.load(Ordering::Relaxed)))
                .collect::<BTreeMap<_, _>>(),
            sent_bytes: stats.sent_bytes.load(Ordering::Relaxed),
            request_seconds: stats.request_ms.load(Ordering::Relaxed) as f64 / 1000.0,
            lag_seconds: if oldest == 0 { 0.0 } else { age(oldest) },
            data_age_seconds: (newest != 0).then(|| age(newest)),
            backlog_bytes: state.backlog_bytes,
            parcels: state.parcels,
            side_lane: state.side_lane,
            outage_since_ms: state.outage_since_ms,
            next_attempt_ms: state.next_attempt_ms,
            loud: state.loud,
            waits: waits(&state, stats),
            last_refusal: state.last_refusal,
            backup: store(backup),
            quarantine: store(quarantine),
        }
    }
}

fn tags_report(tags: TagState, now_ms: i64) -> TagsReport {
    let points =
        [("matched", tags.matched), ("unmatched", tags.unmatched), ("no_rule", tags.no_rule)];
    TagsReport {
        age_seconds: tags.fetched_ms.map(|ms| (now_ms - ms).max(0) as f64 / 1000.0),
        resources: tags.resources,
        points: points.map(|(result, n)| (result.to_owned(), n)).into(),
        failure: tags.failure,
    }
}

/// Who waits for what, in words.
fn waits(state: &delivery::State, stats: &Stats) -> Vec<String> {
    let mut waits = Vec::new();
    if let Some(refusal) = state.last_refusal.as_ref().filter(|_| state.outage_since_ms.is_some()) {
        let what = if state.loud { "an operator must act" } else { "destination is down" };
        waits.push(format!("{what}: {refusal}"));
    }
    let stores = [&state.backup_failure, &state.quarantine_failure, &state.journal_failure];
    waits.extend(stores.into_iter().flatten().cloned());
    // What cannot be read can neither be sent nor backed up: once is enough.
    waits.dedup();
    // Nothing waits for these, but somebody should look.
    waits.extend(state.cursor_failure.clone());
    waits.extend(stats.tags().and_then(|tags| tags.failure));
    if state.side_lane > 0 {
        waits.push(format!("{} requests fail while others pass", state.side_lane));
    }
    waits
}

fn uploads(s3: &S3Backup, stats: &Stats, state: &delivery::State) -> UploadsReport {
    let outcomes = UPLOAD_OUTCOMES.iter().zip(&stats.uploads);
    UploadsReport {
        place: format!("s3://{}/{}", s3.bucket, s3.error_output_prefix),
        outcomes: outcomes.map(|(o, n)| ((*o).to_owned(), n.load(Ordering::Relaxed))).collect(),
        pending_files: stats.pending_files.load(Ordering::Relaxed),
        pending_bytes: stats.pending_bytes.load(Ordering::Relaxed),
        failure: state.upload_failure.clone(),
        next_attempt_ms: state.upload_retry_ms,
    }
}

fn store(directory: std::path::PathBuf) -> StoreReport {
    let (bytes, files) = folder_size(&directory);
    StoreReport { directory, bytes, files }
}
