//! `hydrant trace`: what became of a delivery, as far as the running process knows.

use std::fmt::Write;

use jiff::Timestamp;

use crate::cli::{Output, TraceArgs};
use crate::control::trace::{Traced, TracedEntry, TracedStream};
use crate::control::{self, Answer, Request};
use crate::exit::Exit;
use crate::run::control_socket;
use crate::status;
use crate::terminal::{self, Paint, fail};

/// Runs the command.
pub fn command(args: &TraceArgs) -> Exit {
    let data_dir =
        match status::data_dir(args.process.config.as_deref(), args.process.data_dir.as_deref()) {
            Ok(data_dir) => data_dir,
            Err(exit) => return exit,
        };
    let (request_id, source_arn) = (args.request_id.clone(), args.source_arn.clone());
    let request = Request::Trace { request_id, source_arn };
    let traced = match control::ask(&control_socket(&data_dir), &request) {
        Ok(Some(Answer::Traced { traced })) => traced,
        Ok(Some(Answer::Failed { why })) => return fail(Exit::Failed, &why, None),
        Ok(Some(other)) => return fail(Exit::Bug, &format!("unexpected answer {other:?}"), None),
        Ok(None) => return status::no_process(&data_dir),
        Err(error) => return status::not_asked(&data_dir, &error),
    };
    let text = match args.output {
        Output::Text => text(&traced, args.source_arn.is_some(), Paint::for_stdout()),
        Output::Json => serde_json::to_string_pretty(&traced).unwrap_or_default() + "\n",
    };
    match terminal::print(text.as_bytes()) {
        Err(error) => terminal::unwritten(&error),
        Ok(()) if traced.entries.is_empty() => Exit::Failed,
        Ok(()) => Exit::Done,
    }
}

fn text(traced: &Traced, arn_given: bool, paint: Paint) -> String {
    let mut page = String::new();
    let id = paint.strong(&traced.request_id);
    if traced.entries.is_empty() {
        put(&mut page, &format!("{id}  {}", paint.warning("not known, or not any more")));
        put(&mut page, "  it was never answered with 200 here, or longer than 2 h 15 min ago and");
        put(&mut page, "  everything of it is dealt with; the log and Firehose's own say more");
        let (looked, arns) = (traced.looked_at, traced.source_arns.len());
        put(&mut page, &format!("  searched: {looked} entries on disk, keys of {arns} sender(s)"));
        if !arn_given {
            put(&mut page, "  --source-arn names a sender of whom no entry is on disk");
        }
    }
    for entry in &traced.entries {
        entry_lines(&mut page, &id, entry, paint);
    }
    if traced.entries.iter().flat_map(|entry| &entry.streams).any(|s| s.state == "done") {
        put(
            &mut page,
            "done: delivered or filtered, but for what is told above; a stream that began",
        );
        put(&mut page, "later, or whose backlog was dropped by command, has done with it too");
    }
    if traced.cut_short {
        put(&mut page, "  the search was cut short: there may be more under this id");
    }
    page
}

fn entry_lines(page: &mut String, id: &str, entry: &TracedEntry, paint: Paint) {
    let at = Timestamp::from_millisecond(entry.arrived_ms);
    let at = at.map_or_else(|_| entry.arrived_ms.to_string(), |at| format!("{at:.3}"));
    put(page, &format!("{id}  {}", paint.good("stored")));
    let records = match entry.records {
        Some(1) => "1 record".to_owned(),
        Some(records) => format!("{records} records"),
        None => "its entry is not on disk any more".to_owned(),
    };
    put(page, &format!("  {at}  topic {}, sequence {}, {records}", entry.topic, entry.sequence));
    if !entry.source_arn.is_empty() {
        put(page, &format!("  from {}", entry.source_arn));
    }
    match entry.repeats {
        Some(0) => {}
        Some(1) => put(page, "  1 repeat answered 200 and not stored"),
        Some(repeats) => put(page, &format!("  {repeats} repeats answered 200 and not stored")),
        None => put(page, "  a repeat would be stored again: it is too long ago"),
    }
    if entry.streams.is_empty() {
        put(page, "  no stream reads it");
    }
    let width = entry.streams.iter().map(|stream| stream.name.len()).max().unwrap_or(0);
    for stream in &entry.streams {
        stream_lines(page, stream, width, paint);
    }
}

fn stream_lines(page: &mut String, stream: &TracedStream, width: usize, paint: Paint) {
    let state = match stream.state.as_str() {
        "waiting" => paint.warning("waiting: nothing of it is dealt with yet"),
        "partly" => paint.warning("partly dealt with"),
        _ if stream.backed_up > 0 || stream.quarantined > 0 => paint.warning("done"),
        _ => paint.good("done"),
    };
    let gone = if stream.gone { "  (no such stream runs)" } else { "" };
    put(page, &format!("  {:width$}  {state}{gone}", stream.name));
    if stream.backed_up > 0 || stream.quarantined > 0 {
        let (backed_up, quarantined) = (stream.backed_up, stream.quarantined);
        put(page, &format!("    {backed_up} backed up, {quarantined} quarantined"));
    }
    for file in stream.files.iter().take(5) {
        put(page, &format!("    {}", file.display()));
    }
    if stream.files.len() > 5 {
        put(page, &format!("    and {} more files", stream.files.len() - 5));
    }
    if let Some(place) = stream.uploaded_to.as_ref().filter(|_| stream.state != "waiting") {
        put(page, &format!("    backups that went to {place} were not looked at"));
    }
}

fn put(page: &mut String, line: &str) {
    // Writing into a String cannot fail.
    let _infallible = writeln!(page, "{line}");
}
