//! The account as a person reads it, and as a program does.

use std::fmt::Write;

use serde::Serialize;

use super::ages::AgeRule;
use super::count::{Account, Group, Numbers};
use crate::settings::quantity;
use crate::terminal::Paint;

/// Rows of the table at most; JSON has them all.
const ROWS_MAX: usize = 200;

/// What a stream made of it, when this process ran it.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Delivered {
    pub delivered: u64,
    pub filtered: u64,
    pub quarantined: u64,
    pub backed_up: u64,
    /// Bytes that stay in the journal for the next run.
    pub held_bytes: u64,
}

/// The whole, for `--output json`.
#[derive(Serialize)]
struct Page<'a> {
    dry_run: bool,
    complete: bool,
    target: &'a str,
    seconds: f64,
    #[serde(flatten)]
    account: Numbers,
    objects: u64,
    unreadable_objects: u64,
    newer_objects: u64,
    filtered_records: u64,
    filtered_points: u64,
    skipped_points: u64,
    undecodable_pieces: u64,
    weeks_old_points: u64,
    broken: u64,
    left_out: &'a std::collections::BTreeMap<&'static str, u64>,
    too_old: &'a str,
    stream: Option<Delivered>,
    groups: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    group: &'a Group,
    #[serde(flatten)]
    numbers: &'a Numbers,
}

/// What is told besides the account.
pub(super) struct Facts<'a> {
    pub dry_run: bool,
    /// It came to its end.
    pub complete: bool,
    pub target: &'a str,
    pub seconds: f64,
    pub rule: &'a AgeRule,
    pub stream: Option<Delivered>,
}

pub(super) fn json(account: &Account, facts: &Facts<'_>) -> String {
    let page = Page {
        dry_run: facts.dry_run,
        complete: facts.complete,
        target: facts.target,
        seconds: facts.seconds,
        account: account.all,
        objects: account.objects,
        unreadable_objects: account.unreadable_objects,
        newer_objects: account.newer_objects,
        filtered_records: account.filtered_records,
        filtered_points: account.filtered_points,
        skipped_points: account.skipped_points,
        undecodable_pieces: account.undecodable_pieces,
        weeks_old_points: account.weeks_old_points,
        broken: account.broken,
        left_out: &account.left_out,
        too_old: if account.all.too_old_points > 0 { facts.rule.text } else { "" },
        stream: facts.stream,
        groups: account.groups.iter().map(|(group, numbers)| Row { group, numbers }).collect(),
    };
    serde_json::to_string_pretty(&page).unwrap_or_default() + "\n"
}

/// The table of a dry run.
pub(super) fn table(account: &Account, facts: &Facts<'_>, paint: Paint) -> String {
    const HEAD: [&str; 9] =
        ["HOUR", "STREAM", "CODE", "KIND", "FORMAT", "RECORDS", "POINTS", "SIZE", "ALREADY"];
    let mut rows: Vec<[String; 9]> = vec![HEAD.map(str::to_owned)];
    for (group, numbers) in account.groups.iter().take(ROWS_MAX) {
        let word = |text: &str| if text.is_empty() { "-".to_owned() } else { printable(text) };
        let already = match (numbers.already_records, numbers.already_points) {
            (0, 0) => "-".to_owned(),
            (records, 0) => format!("{records} records"),
            (records, points) => format!("{records} records, {points} points"),
        };
        rows.push([
            word(&group.hour),
            word(&group.stream),
            word(&group.code),
            word(group.kind),
            word(group.format),
            numbers.records.to_string(),
            numbers.points.to_string(),
            quantity::size_about(numbers.bytes),
            already,
        ]);
    }
    let mut page = String::new();
    if rows.len() > 1 {
        put_rows(&mut page, &rows, paint);
    }
    if account.groups.len() > ROWS_MAX {
        put(
            &mut page,
            &format!("... and {} rows more: --output json", account.groups.len() - ROWS_MAX),
        );
    }
    for line in lines(account, facts, paint) {
        put(&mut page, &line);
    }
    page
}

/// Columns as wide as they must be; numbers to the right.
fn put_rows(page: &mut String, rows: &[[String; 9]], paint: Paint) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..9).map(width).collect();
    for (n, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let is_number = (5..8).contains(&column);
            let padded =
                if is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
            line.push_str(&padded);
            line.push_str("  ");
        }
        let line = line.trim_end();
        put(page, &if n == 0 { paint.strong(line) } else { line.to_owned() });
    }
}

/// The account in words, one line a fact.
pub(super) fn lines(account: &Account, facts: &Facts<'_>, paint: Paint) -> Vec<String> {
    let all = &account.all;
    let size = quantity::size_about(all.bytes);
    let deed = match (facts.dry_run, facts.complete) {
        (true, _) => "to put back",
        (false, _) => "put back",
    };
    let mut lines = vec![format!(
        "{deed}: {} records with {} points ({size}) from {} files, to {}, in {:.1} s",
        all.records, all.points, account.objects, facts.target, facts.seconds
    )];
    let mut more = |count: u64, what: String| {
        if count > 0 {
            lines.push(format!("  {what}"));
        }
    };
    let already = match all.already_points {
        0 => format!("{} records were put back already", all.already_records),
        points => {
            let records = all.already_records;
            format!("{records} records, and {points} points of others, were put back already")
        }
    };
    more(all.already_records + all.already_points, already);
    let (records, points) = (account.filtered_records, account.filtered_points);
    more(records + points, format!("{records} records and {points} points are not asked for"));
    let skipped = account.skipped_points;
    more(skipped, format!("{skipped} points are left out because they are too old"));
    let old = all.too_old_points;
    more(old, format!("{} {old} points are {}", paint.warning("!"), facts.rule.text));
    for (reason, count) in &account.left_out {
        more(*count, format!("{count} lines cannot be put back: {}", words(reason)));
    }
    let pieces = account.undecodable_pieces;
    more(pieces, format!("{pieces} pieces in them are no metrics, and go to quarantine"));
    let broken = account.broken;
    more(broken, format!("{} {broken} pieces are broken", paint.error("!")));
    let unread = account.unreadable_objects;
    more(unread, format!("{} {unread} files could not be read", paint.error("!")));
    let newer = account.newer_objects;
    more(newer, format!("{newer} files were written since this began: they are for the next run"));
    lines
}

/// Reasons for leaving a line out, for a person.
fn words(reason: &str) -> &str {
    match reason {
        "nothing_undelivered" => "all their points had been delivered",
        "text_of_a_request" => "they keep the text of a request, which no stream reads",
        "not_decodable" => "what they keep is no metrics",
        "no_data_kept" => "they keep no data",
        "empty" => "they hold nothing",
        other => other,
    }
}

/// Codes and names come from files: nothing in them may steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn put(page: &mut String, line: &str) {
    // Writing into a String cannot fail.
    let _infallible = writeln!(page, "{line}");
}
