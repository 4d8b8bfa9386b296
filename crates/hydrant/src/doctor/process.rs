//! What the running process says of itself, with what to do about it.

use std::io::ErrorKind;
use std::path::Path;

use super::Check;
use crate::control::{self, Answer, Request};
use crate::run::{DAMAGE_REMEDY, NOT_STARTED, Report, SourceReport, StreamReport, control_socket};
use crate::settings::Budget;
use crate::settings::quantity::{counted, size_about};
use crate::status::age;

const PROCESS: &str = "process";
const JOURNAL: &str = "journal";
const SOURCE: &str = "source";
const STREAM: &str = "stream";
/// A share that is fuller than this leaves little time.
const FULL_PERCENT: u64 = 80;
/// As the check of the file has it.
const CERTIFICATE_WARN_S: i64 = 21 * 86_400;
/// Firehose delivers within minutes; what lies longer waits for something.
const LAG_WARN_S: f64 = 900.0;
/// Terraform and scripts ask for what is not there yet: nothing is wrong with that.
const NOT_FOUND: &str = "ResourceNotFoundException";

pub(super) fn check(data_dir: &Path, budget: Option<Budget>, checks: &mut Vec<Check>) {
    match control::ask(&control_socket(data_dir), &Request::Report) {
        Ok(Some(Answer::Report { report })) => report_checks(&report, budget, checks),
        Ok(None) => {
            let what = format!("no process works with {}", data_dir.display());
            checks.push(Check::warn(PROCESS, what, "hydrant run starts one"));
        }
        Ok(Some(_)) => checks.push(Check::warn(
            PROCESS,
            "the running process gave an answer of another release",
            "restart it with this binary",
        )),
        Err(error) => {
            let remedy = match error.kind() {
                ErrorKind::PermissionDenied => "run this as the user that runs hydrant",
                _ => "look at its log, and restart it if it stays so",
            };
            checks.push(Check::bad(PROCESS, format!("asking the process: {error}"), remedy));
        }
    }
}

fn report_checks(report: &Report, budget: Option<Budget>, checks: &mut Vec<Check>) {
    let up = age(report.now_ms - report.started_ms);
    let what = format!("{} runs as process {}, up {up}", report.version, report.pid);
    checks.push(Check::ok(PROCESS, what));
    for reason in &report.reasons {
        let remedy = "nothing is taken until then; Firehose tries again, and then backs up";
        checks.push(Check::bad(PROCESS, reason, remedy));
    }
    if let Some(failure) = &report.reload_failure {
        let first = failure.lines().next().unwrap_or_default();
        let remedy = "the old settings run: hydrant validate, then kill -HUP";
        checks.push(Check::bad(PROCESS, format!("the last reload was refused: {first}"), remedy));
    }
    journal(report, checks);
    if let Some(budget) = budget {
        shares(report, budget, checks);
    }
    report.sources.iter().for_each(|source| source_checks(source, report.now_ms, checks));
    report.streams.iter().for_each(|stream| stream_checks(report, stream, checks));
    for gone in &report.forgotten {
        let (name, topic, bytes) = (&gone.name, &gone.topic, size_about(gone.bytes));
        let (what, remedy) = match gone.left {
            true => (
                format!("{name} reads {topic} no more and holds {bytes} of it, not delivered"),
                format!("name {topic} among its sources again, or hydrant stream forget {name}"),
            ),
            false => (
                format!("{name} is in no settings and holds {bytes}"),
                format!("hydrant stream forget {name}, if it does not come back"),
            ),
        };
        checks.push(Check::warn(STREAM, what, remedy));
    }
}

fn journal(report: &Report, checks: &mut Vec<Check>) {
    let journal = &report.journal;
    let before = checks.len();
    if journal.rotten_bytes > 0 {
        let topics = journal.topics.iter().filter(|topic| topic.rotten_bytes > 0);
        let told = topics.map(|topic| format!("{}: {} bytes", topic.name, topic.rotten_bytes));
        let told: Vec<String> = told.collect();
        let what =
            format!("acknowledged data was found damaged since the start: {}", told.join(", "));
        checks.push(Check::bad(JOURNAL, what, DAMAGE_REMEDY));
    }
    for topic in &journal.topics {
        if topic.sync_failures > 0 {
            let what = format!("{}: {} writes or syncs failed", topic.name, topic.sync_failures);
            let remedy = "check the disk: its kernel log, its room, smartctl";
            checks.push(Check::bad(JOURNAL, what, remedy));
        }
        if topic.keys_evicted > 0 {
            let what = format!("{}: {} keys were forgotten early", topic.name, topic.keys_evicted);
            let remedy = "a repeat of these would be delivered twice: let Firehose buffer more";
            checks.push(Check::warn(JOURNAL, what, remedy));
        }
    }
    if checks.len() == before {
        let used = size_about(journal.bytes);
        checks.push(Check::ok(JOURNAL, format!("{used} of {}", size_about(journal.limit_bytes))));
    }
}

fn shares(report: &Report, budget: Budget, checks: &mut Vec<Check>) {
    let backup: u64 = report.streams.iter().map(|s| s.backup.bytes).sum();
    let quarantine: u64 = report.streams.iter().map(|s| s.quarantine.bytes).sum();
    let shares = [
        (
            "journal",
            report.journal.bytes,
            budget.journal_bytes,
            "a destination is down or too slow, see below; or raise disk_budget",
        ),
        (
            "backup",
            backup,
            budget.backup_bytes,
            "hydrant replay puts it back; delete what was, or raise disk_budget",
        ),
        (
            "quarantine",
            quarantine,
            budget.quarantine_bytes,
            "look at the reasons, delete what was looked at, or raise disk_budget",
        ),
    ];
    for (name, used, limit, remedy) in shares {
        if limit == 0 || used < limit / 100 * FULL_PERCENT {
            continue;
        }
        let what =
            format!("the {name} holds {} of its share of {}", size_about(used), size_about(limit));
        checks.push(match used >= limit {
            true => Check::bad("disk share", what, remedy),
            false => Check::warn("disk share", what, remedy),
        });
    }
}

fn source_checks(source: &SourceReport, now_ms: i64, checks: &mut Vec<Check>) {
    let name = &source.name;
    let before = checks.len();
    let left_s = source.certificate_ends_s.map(|ends| ends - now_ms / 1000);
    if let Some(left) = left_s.filter(|left| *left < CERTIFICATE_WARN_S) {
        let remedy = "renew it; kill -HUP lets the process load the new one";
        let days = counted(usize::try_from(left.abs() / 86_400).unwrap_or(0), "day");
        checks.push(if left <= 0 {
            let what = format!("{name}: the certificate in use ended {days} ago");
            Check::bad(SOURCE, what, remedy)
        } else {
            let what = format!("{name}: the certificate in use has {days} left");
            Check::warn(SOURCE, what, remedy)
        });
    }
    let rejected = source.rejected.iter().filter(|(reason, _)| *reason != NOT_FOUND);
    let told: Vec<String> = rejected.map(|(reason, n)| format!("{reason} {n}")).collect();
    if !told.is_empty() {
        let what = format!("{name}: refused or set aside: {}", told.join(", "));
        let pages = match (&source.api, &source.objects) {
            (Some(_), _) => "docs/cloudwatch-api.md and docs/firehose-api.md tell",
            (None, Some(_)) => "docs/s3-source.md tells",
            (None, None) => "docs/firehose-source.md tells",
        };
        checks.push(Check::warn(SOURCE, what, format!("{pages} what each reason asks for")));
    }
    if let Some(objects) = &source.objects
        && let Some(failure) = &objects.failure
    {
        let remedy = objects.remedy.clone().unwrap_or_else(|| "see docs/s3-source.md".to_owned());
        checks.push(Check::bad(SOURCE, format!("{name}: {failure}"), remedy));
    }
    if let Some(api) = &source.api {
        for (stream, _) in api.metric_streams.iter().filter(|(_, runs)| !**runs) {
            let what = format!("{name}: metric stream {stream} is stopped");
            checks.push(Check::warn(SOURCE, what, "aws cloudwatch start-metric-streams starts it"));
        }
        for nowhere in &api.nowhere {
            let what = format!("{name}: {nowhere}");
            checks.push(Check::bad(SOURCE, what, cloud::fold::NOWHERE_REMEDY));
        }
        if api.fold.waiting_windows > 0 {
            let what = format!("{name}: {} closed minutes wait", api.fold.waiting_windows);
            let remedy = "their delivery stream is full: see the streams";
            checks.push(Check::warn(SOURCE, what, remedy));
        }
    }
    if checks.len() == before {
        checks.push(Check::ok(SOURCE, format!("{name}: {} records taken", source.records)));
    }
}

fn stream_checks(report: &Report, stream: &StreamReport, checks: &mut Vec<Check>) {
    let name = &stream.name;
    let before = checks.len();
    let said = stream.last_refusal.clone().unwrap_or_default();
    if let Some(since) = stream.outage_since_ms.filter(|_| stream.destination == NOT_STARTED) {
        let what = format!("{name}: does not run for {}: {said}", age(report.now_ms - since));
        let remedy = "its records are kept, and it is tried again every 10 s; \
                      aws firehose update-destination changes what is wrong with it";
        checks.push(Check::bad(STREAM, what, remedy));
    } else if let Some(since) = stream.outage_since_ms {
        let down = age(report.now_ms - since);
        let what = format!("{name}: {} takes nothing for {down}: {said}", stream.destination);
        let remedy = match stream.loud {
            true => {
                "a person must act: token, address or certificate; hydrant doctor explains the code"
            }
            false => "it is tried again by itself; what runs out of retries goes to the backup",
        };
        checks.push(Check::bad(STREAM, what, remedy));
    } else if stream.lag_seconds > LAG_WARN_S {
        let lag = age((stream.lag_seconds * 1000.0) as i64);
        let remedy = "it works off a backlog, or its destination is slow: hydrant top shows whether \
                      it shrinks";
        checks.push(Check::warn(STREAM, format!("{name}: {lag} behind"), remedy));
    }
    let refusal = stream.outage_since_ms.and(stream.last_refusal.as_deref());
    for wait in stream.waits.iter().filter(|wait| refusal.is_none_or(|said| !wait.contains(said))) {
        checks.push(Check::bad(
            STREAM,
            format!("{name}: {wait}"),
            "docs/operation.md has the case",
        ));
    }
    if let Some(failure) = stream.uploads.as_ref().and_then(|u| u.failure.as_ref()) {
        let remedy = "it is safe in the local folder meanwhile; hydrant doctor explains the code";
        checks.push(Check::bad(STREAM, format!("{name}: its backup waits: {failure}"), remedy));
    }
    if stream.backup.files > 0 && stream.uploads.is_none() {
        let held = size_about(stream.backup.bytes);
        let what = format!("{name}: {held} in the backup");
        let remedy =
            format!("hydrant replay {} --to {name} --dry-run", stream.backup.directory.display());
        checks.push(Check::warn(STREAM, what, remedy));
    }
    if stream.quarantine.files > 0 {
        let reasons: Vec<&str> = stream.quarantined.keys().map(String::as_str).collect();
        let held = size_about(stream.quarantine.bytes);
        let what = format!("{name}: {held} in quarantine ({})", reasons.join(", "));
        let remedy = format!("hydrant inspect {}/*", stream.quarantine.directory.display());
        checks.push(Check::warn(STREAM, what, remedy));
    }
    if checks.len() == before {
        checks.push(Check::ok(STREAM, format!("{name}: {} points delivered", stream.delivered)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::ApiReport;

    /// *Scenario:* sources of both kinds that have refused something.
    /// *Guarantees:* each is told with the page that explains it, and what an API was asked for and
    /// does not have is no fault.
    #[test]
    fn refusals_name_the_page_that_explains_them() {
        let told = |api: Option<ApiReport>, reason: &str| {
            let rejected = [(reason.to_owned(), 2)].into();
            let source =
                SourceReport { name: "s".to_owned(), api, rejected, ..SourceReport::default() };
            let mut checks = Vec::new();
            source_checks(&source, 0, &mut checks);
            let told = checks.iter().map(|check| check.remedy.clone().unwrap_or_default());
            told.collect::<Vec<_>>().join("; ")
        };
        let api = || Some(ApiReport::default());
        assert!(told(None, "malformed_gzip").starts_with("docs/firehose-source.md"));
        assert!(told(api(), "AccessDenied").starts_with("docs/cloudwatch-api.md"));
        assert_eq!(told(api(), NOT_FOUND), "");
    }
}
