//! The report as a person reads it: five questions answered at a glance.

use std::fmt::Write;

use crate::run::{ApiReport, ObjectsReport, Report, SourceReport, StoreReport, StreamReport};
use crate::settings::quantity::{self, counted};
use crate::terminal::Paint;

/// The whole page.
pub(super) fn text(report: &Report, paint: Paint) -> String {
    let mut page = String::new();
    head(&mut page, report, paint);
    sources(&mut page, report, paint);
    for stream in &report.streams {
        stream_lines(&mut page, report, stream, paint);
    }
    if !report.forgotten.is_empty() {
        let title =
            if report.pid == 0 { "cursors" } else { "cursors that no stream moves any more" };
        put(&mut page, &paint.strong(title));
        for gone in &report.forgotten {
            let entries = if gone.entries == 1 { "entry" } else { "entries" };
            let held =
                format!("{} in {} {entries}", quantity::size_about(gone.bytes), gone.entries);
            put(&mut page, &format!("  {}  {held} of {}", gone.name, gone.topic));
            if gone.left {
                let what = format!(
                    "not delivered: stream {0} reads {1} no more; name {1} among its sources again",
                    gone.name, gone.topic
                );
                put(&mut page, &format!("  {} {what}", paint.warning("!")));
            }
        }
        if report.pid != 0 {
            put(&mut page, "  hydrant stream forget NAME frees what only it holds");
        }
    }
    page
}

fn head(page: &mut String, report: &Report, paint: Paint) {
    let ready = if report.ready { paint.good("ready") } else { paint.error("not ready") };
    let process = match report.pid {
        0 => "no process".to_owned(),
        pid => format!("process {pid}, up {}", age(report.now_ms - report.started_ms)),
    };
    put(
        page,
        &format!("hydrant {}  {ready}  {process}  {}", report.version, report.data_dir.display()),
    );
    for reason in &report.reasons {
        put(page, &format!("  {} {reason}", paint.warning("!")));
    }
    if let Some(failure) = &report.reload_failure {
        put(
            page,
            &format!("  {} last reload refused: {}", paint.warning("!"), first_line(failure)),
        );
    }
    let journal = &report.journal;
    let limit = match journal.limit_bytes {
        0 => String::new(),
        limit => format!(" of {}", quantity::size_about(limit)),
    };
    put(page, &format!("journal  {}{limit}", quantity::size_about(journal.bytes)));
    if journal.rotten_bytes > 0 {
        let rotten = quantity::size_about(journal.rotten_bytes);
        let topics = journal.topics.iter().filter(|topic| topic.rotten_bytes > 0);
        let names: Vec<&str> = topics.map(|topic| topic.name.as_str()).collect();
        let names = names.join(", ");
        let what = format!("{rotten} of {names} found damaged since the last start");
        put(page, &format!("  {} {what}: hydrant doctor", paint.error("!")));
    }
    for copies in &journal.copies {
        let (bytes, place) = (quantity::size_about(copies.bytes), copies.directory.display());
        put(
            page,
            &format!("  {} {bytes} of damaged data set aside in {place}", paint.warning("!")),
        );
    }
}

fn sources(page: &mut String, report: &Report, paint: Paint) {
    for source in &report.sources {
        if let Some(read) = &source.objects {
            reader(page, source, read, paint);
            continue;
        }
        let scheme = if source.tls { "https" } else { "http" };
        let name = paint.strong(&source.name);
        put(page, &format!("source {name}  {scheme}://{}", source.listen));
        if let Some(api) = &source.api {
            api_lines(page, source, api, paint);
            continue;
        }
        put(
            page,
            &format!(
                "  {} {}, {}, {}, {}",
                source.requests,
                if source.requests == 1 { "delivery" } else { "deliveries" },
                counted(source.records, "record"),
                quantity::size_about(source.bytes),
                counted(source.repeats, "repeat")
            ),
        );
        if !source.rejected.is_empty() {
            let told = source.rejected.iter().map(|(reason, n)| format!("{reason} {n}"));
            let told = told.collect::<Vec<_>>().join(", ");
            put(page, &format!("  {} refused: {told}", paint.warning("!")));
        }
    }
}

fn api_lines(page: &mut String, source: &SourceReport, api: &ApiReport, paint: Paint) {
    let (bytes, fold) = (quantity::size_about(source.bytes), &api.fold);
    put(
        page,
        &format!(
            "  {}, {} metric data, {}, {bytes}; {}",
            counted(source.requests, "call"),
            api.samples,
            counted(api.records, "record"),
            counted(api.delivery_streams, "delivery stream")
        ),
    );
    let (open, windows) = (fold.open_series, counted(fold.windows, "minute"));
    let kept = quantity::size_about(fold.windows_bytes);
    put(page, &format!("  {open} series of open minutes, {windows} kept ({kept})"));
    for (name, running) in &api.metric_streams {
        let state = if *running { paint.good("running") } else { paint.warning("stopped") };
        let sent = counted(api.updates.get(name).copied().unwrap_or(0), "update");
        let unsent = api.unsent.get(name).filter(|unsent| **unsent > 0);
        let unsent = unsent.map_or(String::new(), |unsent| format!(", {unsent} not sent"));
        put(page, &format!("  metric stream {name}  {state}  {sent} sent{unsent}"));
    }
    for nowhere in &api.nowhere {
        put(page, &format!("  {} {nowhere}", paint.warning("!")));
    }
    let told = |counts: &mut dyn Iterator<Item = (&String, &u64)>| {
        let counts = counts.filter(|(_, n)| **n > 0).map(|(what, n)| format!("{what} {n}"));
        counts.collect::<Vec<_>>().join(", ")
    };
    let refused = told(&mut source.rejected.iter());
    let left_out = told(&mut fold.left_out.iter());
    for (what, told) in [("refused", refused), ("samples left out", left_out)] {
        if !told.is_empty() {
            put(page, &format!("  {} {what}: {told}", paint.warning("!")));
        }
    }
    if fold.waiting_windows > 0 {
        let waiting = counted(fold.waiting_windows, "minute");
        put(page, &format!("  {} {waiting} to be taken by a stream", paint.warning("!")));
    }
    if let Some(failure) = &fold.last_failure {
        put(page, &format!("  {} {failure}", paint.warning("!")));
    }
}

fn reader(page: &mut String, source: &SourceReport, read: &ObjectsReport, paint: Paint) {
    put(page, &format!("source {}  {}", paint.strong(&source.name), read.place));
    let state = match read.state.as_str() {
        "refused" => paint.error(&read.state),
        state => paint.good(state),
    };
    let of = |counts: &std::collections::BTreeMap<String, u64>, name: &str| {
        counts.get(name).copied().unwrap_or(0)
    };
    let (objects, records, bytes) =
        (of(&read.objects, "read"), source.records, quantity::size_about(source.bytes));
    let (objects, records) = (counted(objects, "object"), counted(records, "record"));
    let (flight, repeats) = (read.in_flight, counted(source.repeats, "repeat"));
    put(
        page,
        &format!("  {state}  {objects} read, {flight} being read, {records}, {bytes}, {repeats}"),
    );
    if of(&read.messages, "received") > 0 {
        let (deleted, left) = (of(&read.messages, "deleted"), of(&read.messages, "left"));
        let oldest = read.oldest_message_seconds.map_or(String::new(), |seconds| {
            format!(", oldest at work {}", age((seconds * 1000.0) as i64))
        });
        put(page, &format!("  messages: {deleted} done, {left} given back{oldest}"));
    }
    if let Some(failure) = &read.failure {
        put(page, &format!("  {} {failure}", paint.warning("!")));
        if let Some(remedy) = &read.remedy {
            put(page, &format!("    {remedy}"));
        }
    }
    if !source.rejected.is_empty() {
        let told = source.rejected.iter().map(|(reason, n)| format!("{reason} {n}"));
        let told = told.collect::<Vec<_>>().join(", ");
        put(page, &format!("  {} set aside: {told}", paint.warning("!")));
    }
}

fn stream_lines(page: &mut String, report: &Report, stream: &StreamReport, paint: Paint) {
    put(page, &format!("stream {}  {}", paint.strong(&stream.name), stream.destination));
    let state = match stream.outage_since_ms {
        Some(since) => paint.error(&format!("down for {}", age(report.now_ms - since))),
        None => paint.good("up"),
    };
    let lag = age((stream.lag_seconds * 1000.0) as i64);
    let backlog = quantity::size_about(stream.backlog_bytes);
    let held = counted(stream.parcels, "request");
    put(page, &format!("  {state}  lag {lag}  backlog {backlog}  {held} held"));
    let filtered: u64 = stream.filtered.values().sum();
    let quarantined: u64 = stream.quarantined.values().sum();
    put(
        page,
        &format!(
            "  points: {} delivered, {filtered} filtered, {} backed up, {quarantined} quarantined, {} dropped",
            stream.delivered, stream.backed_up, stream.dropped
        ),
    );
    if let Some(tags) = &stream.tags {
        let old = tags.age_seconds.map(|seconds| age((seconds * 1000.0) as i64));
        let told = tags.points.iter().map(|(result, n)| format!("{n} {result}"));
        put(
            page,
            &format!(
                "  tags: {}{}; points: {}",
                counted(tags.resources, "resource"),
                old.map(|old| format!(", {old} old")).unwrap_or_default(),
                told.collect::<Vec<_>>().join(", ")
            ),
        );
    }
    for wait in &stream.waits {
        put(page, &format!("  {} {wait}", paint.warning("!")));
    }
    store(page, "backup", &stream.backup, "");
    if let Some(uploads) = &stream.uploads {
        let done = uploads.outcomes.get("uploaded").copied().unwrap_or(0);
        let (files, bytes) = (uploads.pending_files, quantity::size_about(uploads.pending_bytes));
        let done = counted(done, "file");
        put(page, &format!("  {}: {done} uploaded, {files} to come ({bytes})", uploads.place));
        if let Some(failure) = &uploads.failure {
            put(page, &format!("  {} {failure}", paint.warning("!")));
        }
    }
    let reasons = stream.quarantined.iter().map(|(reason, n)| format!("{reason} {n}"));
    store(page, "quarantine", &stream.quarantine, &reasons.collect::<Vec<_>>().join(", "));
}

fn store(page: &mut String, what: &str, store: &StoreReport, why: &str) {
    if store.files == 0 {
        return;
    }
    let why = if why.is_empty() { String::new() } else { format!("  ({why})") };
    let (bytes, files) = (quantity::size_about(store.bytes), counted(store.files, "file"));
    put(page, &format!("  {what}: {bytes} in {files}  {}{why}", store.directory.display()));
}

/// `3d4h`, `5m12s`, `0s`: two units are enough for a glance.
pub(crate) fn age(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let first = units.iter().position(|(_, size)| seconds >= *size).unwrap_or(units.len() - 1);
    let mut rest = seconds;
    let mut text = String::new();
    for (unit, size) in units.iter().skip(first).take(2) {
        let count = rest / size;
        rest %= size;
        if count > 0 || text.is_empty() {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    text
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn put(page: &mut String, line: &str) {
    // Writing into a String cannot fail.
    let _infallible = writeln!(page, "{line}");
}
