//! The metrics page, in Prometheus text, made from the same report as everything else.

use std::fmt::Write;

use crate::run::{ApiReport, ObjectsReport, Report, SourceReport, StreamReport};

/// Counter or gauge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// Every metric of the page: name, kind, help. A test compares it with docs/metrics.md.
pub const METRICS: &[(&str, MetricKind, &str)] = &[
    ("hydrant_build_info", MetricKind::Gauge, "Version of the binary; always 1"),
    (
        "hydrant_start_time_seconds",
        MetricKind::Gauge,
        "When the process started, seconds since the epoch",
    ),
    ("hydrant_ready", MetricKind::Gauge, "1 when deliveries are taken, as /readyz"),
    ("hydrant_reload_failed", MetricKind::Gauge, "1 when the last reload was refused"),
    ("hydrant_journal_bytes", MetricKind::Gauge, "Bytes of the journal on disk"),
    ("hydrant_journal_limit_bytes", MetricKind::Gauge, "The journal's share of disk_budget"),
    (
        "hydrant_journal_damaged_bytes",
        MetricKind::Gauge,
        "Bytes found damaged since the last start, by kind: torn (never acknowledged) or rotten",
    ),
    ("hydrant_journal_commits_total", MetricKind::Counter, "Syncs of the journal, by topic"),
    (
        "hydrant_journal_sync_failures_total",
        MetricKind::Counter,
        "Writes, syncs and new segments that failed, by topic",
    ),
    ("hydrant_journal_entries_total", MetricKind::Counter, "Entries stored, by topic"),
    (
        "hydrant_source_requests_total",
        MetricKind::Counter,
        "Deliveries answered with yes, stored or repeats",
    ),
    ("hydrant_source_records_total", MetricKind::Counter, "Records or metric data stored"),
    ("hydrant_source_bytes_total", MetricKind::Counter, "Body bytes received, as received"),
    (
        "hydrant_source_repeats_total",
        MetricKind::Counter,
        "Deliveries known already, answered without storing",
    ),
    ("hydrant_source_health_checks_total", MetricKind::Counter, "Health checks answered"),
    (
        "hydrant_source_rejected_total",
        MetricKind::Counter,
        "Requests refused, or pieces of objects set aside, by reason",
    ),
    (
        "hydrant_source_objects_total",
        MetricKind::Counter,
        "Objects of S3 or of a folder, by outcome: read, known, put_off, ignored, foreign",
    ),
    ("hydrant_source_objects_in_flight", MetricKind::Gauge, "Objects being read"),
    (
        "hydrant_source_messages_total",
        MetricKind::Counter,
        "Messages of the queue, by outcome: received, deleted, left, extended, unknown, test",
    ),
    (
        "hydrant_source_oldest_message_age_seconds",
        MetricKind::Gauge,
        "Age of the oldest message at work; 0 when there is none",
    ),
    (
        "hydrant_source_refused",
        MetricKind::Gauge,
        "1 while a bucket or queue refuses the source; hydrant status says why",
    ),
    (
        "hydrant_source_certificate_end_seconds",
        MetricKind::Gauge,
        "When the certificate of a source with TLS ends, seconds since the epoch",
    ),
    ("hydrant_fold_open_series", MetricKind::Gauge, "Series of open minutes in memory"),
    (
        "hydrant_fold_raw_values",
        MetricKind::Gauge,
        "Raw values in memory, for additional statistics",
    ),
    (
        "hydrant_fold_raw_refused_total",
        MetricKind::Counter,
        "Sets that lost their raw values to raw_values_max",
    ),
    ("hydrant_fold_samples_total", MetricKind::Counter, "Metric data folded into minutes"),
    (
        "hydrant_fold_late_samples_total",
        MetricKind::Counter,
        "Metric data that corrected a minute already closed",
    ),
    (
        "hydrant_fold_left_out_total",
        MetricKind::Counter,
        "Metric data left out, by reason: too_old, window_gone, empty, unreadable",
    ),
    ("hydrant_fold_windows", MetricKind::Gauge, "Closed minutes kept"),
    ("hydrant_fold_windows_bytes", MetricKind::Gauge, "Their bytes on disk"),
    (
        "hydrant_fold_waiting_windows",
        MetricKind::Gauge,
        "Closed minutes that a delivery stream has not taken yet",
    ),
    (
        "hydrant_fold_failures_total",
        MetricKind::Counter,
        "Failures of the fold: disk, journal, or a metric stream without its delivery stream",
    ),
    (
        "hydrant_metric_stream_updates_total",
        MetricKind::Counter,
        "Metric updates sent, by metric stream",
    ),
    (
        "hydrant_metric_stream_unsent_updates_total",
        MetricKind::Counter,
        "Metric updates not sent, as the metric stream had no delivery stream to send to",
    ),
    (
        "hydrant_metric_stream_running",
        MetricKind::Gauge,
        "1 while the metric stream runs, 0 when it is stopped",
    ),
    (
        "hydrant_stream_points_total",
        MetricKind::Counter,
        "Points by outcome: delivered, filtered, backed_up, quarantined, dropped",
    ),
    ("hydrant_stream_filtered_total", MetricKind::Counter, "Points filtered, by rule"),
    ("hydrant_stream_quarantined_total", MetricKind::Counter, "Items quarantined, by reason"),
    (
        "hydrant_stream_losses_total",
        MetricKind::Counter,
        "What the form of the destination could not carry or had to mend, by kind",
    ),
    (
        "hydrant_stream_lag_seconds",
        MetricKind::Gauge,
        "Age of the oldest undelivered entry; 0 when there is none",
    ),
    ("hydrant_stream_data_age_seconds", MetricKind::Gauge, "Age of the newest point delivered"),
    (
        "hydrant_stream_backlog_bytes",
        MetricKind::Gauge,
        "Journal bytes from the stream's cursor to the end",
    ),
    (
        "hydrant_stream_outage",
        MetricKind::Gauge,
        "1 while the destination takes nothing, or the stream cannot start",
    ),
    ("hydrant_stream_waiting", MetricKind::Gauge, "Requests held, in flight or waiting"),
    (
        "hydrant_backup_pending_bytes",
        MetricKind::Gauge,
        "Bytes of backup on the local disk that wait for S3",
    ),
    ("hydrant_backup_pending_files", MetricKind::Gauge, "Files of backup that wait for S3"),
    (
        "hydrant_backup_uploads_total",
        MetricKind::Counter,
        "Attempts to bring a file of backup to S3, by outcome: uploaded, failed",
    ),
    ("hydrant_stream_backup_bytes", MetricKind::Gauge, "Bytes in the stream's backup folder"),
    (
        "hydrant_stream_quarantine_bytes",
        MetricKind::Gauge,
        "Bytes in the stream's quarantine folder",
    ),
    ("hydrant_stream_sent_bytes_total", MetricKind::Counter, "Bytes of requests, as sent"),
    (
        "hydrant_destination_requests_total",
        MetricKind::Counter,
        "Requests to the destination, by outcome",
    ),
    (
        "hydrant_destination_request_seconds_total",
        MetricKind::Counter,
        "Time spent in answered requests",
    ),
    (
        "hydrant_tags_snapshot_age_seconds",
        MetricKind::Gauge,
        "Age of the oldest part of the tag snapshot a stream reads",
    ),
    (
        "hydrant_tags_snapshot_resources",
        MetricKind::Gauge,
        "Resources in the tag snapshot a stream reads",
    ),
    (
        "hydrant_tags_snapshot_failed",
        MetricKind::Gauge,
        "1 while the file of the tag snapshot cannot be read; the one before it is in use",
    ),
    (
        "hydrant_tags_points_total",
        MetricKind::Counter,
        "Points by what was found of their resource: matched, unmatched, no_rule",
    ),
    (
        "hydrant_forgotten_bytes",
        MetricKind::Gauge,
        "Bytes held by cursors that no stream moves any more",
    ),
];

/// The page.
pub fn text(report: &Report) -> String {
    let mut page = Page(String::with_capacity(8192));
    for (name, kind, help) in METRICS {
        page.head(name, *kind, help);
        process(&mut page, name, report);
        for source in &report.sources {
            source_lines(&mut page, name, source);
        }
        for stream in &report.streams {
            stream_lines(&mut page, name, stream);
        }
    }
    page.0
}

fn process(page: &mut Page, name: &str, report: &Report) {
    let journal = &report.journal;
    match name {
        "hydrant_build_info" => page.line(name, &[("version", &report.version)], 1.0),
        "hydrant_start_time_seconds" => page.line(name, &[], report.started_ms as f64 / 1000.0),
        "hydrant_ready" => page.line(name, &[], flag(report.ready)),
        "hydrant_reload_failed" => page.line(name, &[], flag(report.reload_failure.is_some())),
        "hydrant_journal_bytes" => page.line(name, &[], journal.bytes as f64),
        "hydrant_journal_limit_bytes" => page.line(name, &[], journal.limit_bytes as f64),
        "hydrant_journal_damaged_bytes" => {
            page.line(name, &[("kind", "torn")], journal.torn_bytes as f64);
            page.line(name, &[("kind", "rotten")], journal.rotten_bytes as f64);
        }
        "hydrant_forgotten_bytes" => {
            for gone in &report.forgotten {
                page.line(
                    name,
                    &[("stream", &gone.name), ("topic", &gone.topic)],
                    gone.bytes as f64,
                );
            }
        }
        _ => {}
    }
    for topic in &journal.topics {
        let labels = [("topic", topic.name.as_str())];
        match name {
            "hydrant_journal_commits_total" => page.line(name, &labels, topic.commits as f64),
            "hydrant_journal_sync_failures_total" => {
                page.line(name, &labels, topic.sync_failures as f64);
            }
            "hydrant_journal_entries_total" => page.line(name, &labels, topic.appended as f64),
            _ => {}
        }
    }
}

fn source_lines(page: &mut Page, name: &str, source: &SourceReport) {
    let labels = [("source", source.name.as_str())];
    match name {
        "hydrant_source_requests_total" if source.objects.is_none() => {
            page.line(name, &labels, source.requests as f64);
        }
        "hydrant_source_records_total" => page.line(name, &labels, source.records as f64),
        "hydrant_source_bytes_total" => page.line(name, &labels, source.bytes as f64),
        "hydrant_source_repeats_total" => page.line(name, &labels, source.repeats as f64),
        "hydrant_source_health_checks_total" if source.objects.is_none() => {
            page.line(name, &labels, source.health_checks as f64);
        }
        "hydrant_source_certificate_end_seconds" => {
            if let Some(ends) = source.certificate_ends_s {
                page.line(name, &labels, ends as f64);
            }
        }
        "hydrant_source_rejected_total" => {
            for (reason, n) in &source.rejected {
                page.line(name, &[("source", &source.name), ("reason", reason)], *n as f64);
            }
        }
        _ => {
            if let Some(objects) = &source.objects {
                objects_lines(page, name, &source.name, objects);
            }
            if let Some(api) = &source.api {
                api_lines(page, name, &source.name, api);
            }
        }
    }
}

fn objects_lines(page: &mut Page, name: &str, source: &str, objects: &ObjectsReport) {
    let labels = [("source", source)];
    let mut each = |outcomes: &std::collections::BTreeMap<String, u64>| {
        for (outcome, n) in outcomes {
            page.line(name, &[("source", source), ("outcome", outcome)], *n as f64);
        }
    };
    match name {
        "hydrant_source_objects_total" => each(&objects.objects),
        "hydrant_source_messages_total" => each(&objects.messages),
        "hydrant_source_objects_in_flight" => {
            page.line(name, &labels, objects.in_flight as f64);
        }
        "hydrant_source_oldest_message_age_seconds" => {
            page.line(name, &labels, objects.oldest_message_seconds.unwrap_or(0.0));
        }
        "hydrant_source_refused" => {
            page.line(name, &labels, flag(objects.state == "refused"));
        }
        _ => {}
    }
}

fn api_lines(page: &mut Page, name: &str, source: &str, api: &ApiReport) {
    let fold = &api.fold;
    let value = match name {
        "hydrant_fold_open_series" => fold.open_series,
        "hydrant_fold_raw_values" => fold.raw_values,
        "hydrant_fold_raw_refused_total" => fold.raw_refused,
        "hydrant_fold_samples_total" => fold.samples,
        "hydrant_fold_late_samples_total" => fold.late_samples,
        "hydrant_fold_windows" => fold.windows,
        "hydrant_fold_windows_bytes" => fold.windows_bytes,
        "hydrant_fold_waiting_windows" => fold.waiting_windows,
        "hydrant_fold_failures_total" => fold.failures,
        "hydrant_fold_left_out_total" => {
            for (reason, n) in &fold.left_out {
                page.line(name, &[("source", source), ("reason", reason)], *n as f64);
            }
            return;
        }
        "hydrant_metric_stream_updates_total" | "hydrant_metric_stream_unsent_updates_total" => {
            let sent = name == "hydrant_metric_stream_updates_total";
            for (stream, n) in if sent { &api.updates } else { &api.unsent } {
                page.line(name, &[("source", source), ("metric_stream", stream)], *n as f64);
            }
            return;
        }
        "hydrant_metric_stream_running" => {
            for (stream, running) in &api.metric_streams {
                let labels = [("source", source), ("metric_stream", stream)];
                page.line(name, &labels, flag(*running));
            }
            return;
        }
        _ => return,
    };
    page.line(name, &[("source", source)], value as f64);
}

fn stream_lines(page: &mut Page, name: &str, stream: &StreamReport) {
    let labels = [("stream", stream.name.as_str())];
    let mut each = |label: &str, values: &std::collections::BTreeMap<String, u64>| {
        for (value, n) in values {
            page.line(name, &[("stream", &stream.name), (label, value)], *n as f64);
        }
    };
    match name {
        "hydrant_stream_filtered_total" => each("rule", &stream.filtered),
        "hydrant_stream_quarantined_total" => each("reason", &stream.quarantined),
        "hydrant_stream_losses_total" => each("kind", &stream.losses),
        "hydrant_destination_requests_total" => each("outcome", &stream.requests),
        "hydrant_backup_uploads_total" => {
            if let Some(uploads) = &stream.uploads {
                each("outcome", &uploads.outcomes);
            }
        }
        "hydrant_backup_pending_bytes" | "hydrant_backup_pending_files" => {
            if let Some(uploads) = &stream.uploads {
                let bytes = name.ends_with("bytes");
                let value = if bytes { uploads.pending_bytes } else { uploads.pending_files };
                page.line(name, &labels, value as f64);
            }
        }
        "hydrant_stream_points_total" => {
            let outcomes = [
                ("delivered", stream.delivered),
                ("filtered", stream.filtered.values().sum()),
                ("backed_up", stream.backed_up),
                ("quarantined", stream.quarantined.values().sum()),
                ("dropped", stream.dropped),
            ];
            for (outcome, n) in outcomes {
                page.line(name, &[("stream", &stream.name), ("outcome", outcome)], n as f64);
            }
        }
        "hydrant_stream_data_age_seconds" => {
            if let Some(age) = stream.data_age_seconds {
                page.line(name, &labels, age);
            }
        }
        "hydrant_tags_points_total" => {
            if let Some(tags) = &stream.tags {
                each("result", &tags.points);
            }
        }
        _ => {
            if let Some(value) = stream_value(name, stream) {
                page.line(name, &labels, value);
            }
        }
    }
}

fn stream_value(name: &str, stream: &StreamReport) -> Option<f64> {
    Some(match name {
        "hydrant_stream_lag_seconds" => stream.lag_seconds,
        "hydrant_stream_backlog_bytes" => stream.backlog_bytes as f64,
        "hydrant_stream_outage" => flag(stream.outage_since_ms.is_some()),
        "hydrant_stream_waiting" => stream.parcels as f64,
        "hydrant_stream_backup_bytes" => stream.backup.bytes as f64,
        "hydrant_stream_quarantine_bytes" => stream.quarantine.bytes as f64,
        "hydrant_stream_sent_bytes_total" => stream.sent_bytes as f64,
        "hydrant_destination_request_seconds_total" => stream.request_seconds,
        "hydrant_tags_snapshot_age_seconds" => stream.tags.as_ref()?.age_seconds?,
        "hydrant_tags_snapshot_resources" => stream.tags.as_ref()?.resources as f64,
        "hydrant_tags_snapshot_failed" => flag(stream.tags.as_ref()?.failure.is_some()),
        _ => return None,
    })
}

fn flag(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: MetricKind, help: &str) {
        let kind = match kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
        };
        self.put(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.put(format_args!("{name}"));
        for (n, (label, text)) in labels.iter().enumerate() {
            let open = if n == 0 { '{' } else { ',' };
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            self.put(format_args!("{open}{label}=\"{text}\""));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        self.put(format_args!("{close} {value}\n"));
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing into a String cannot fail.
        let _infallible = self.0.write_fmt(text);
    }
}
