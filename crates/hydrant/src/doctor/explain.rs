//! From pasted codes, log events and failed records to cause and remedy.
//!
//! A line of JSON is asked for its code and message; of anything else, every word that has the form
//! of a code is taken. The data of records is never looked into.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use serde::Deserialize;
use serde_json::json;

use super::codes::{self, CodeRow};
use crate::cli::{DoctorArgs, Output};
use crate::exit::Exit;
use crate::terminal::{self, Paint, fail};

/// Whose codes are known; the first word of each.
const FAMILIES: [&str; 8] = [
    "HttpEndpoint",
    "S3",
    "Lambda",
    "Firehose",
    "DataFormatConversion",
    "Hydrant",
    "Dynatrace",
    "File",
];
/// The code whose message has a status.
const DESTINATION_EXCEPTION: &str = "HttpEndpoint.DestinationException";
/// Longest line that is read: a failed record of 1,000 KiB is 1.4 MB.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Of a message this much is shown.
const MESSAGE_CHARS: usize = 200;

/// A failed record, or an event of Firehose's log.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "errorCode")]
    code: String,
    #[serde(rename = "errorMessage", alias = "message", default)]
    message: Option<String>,
}

/// What was found under a code.
#[derive(Default)]
struct Found {
    count: u64,
    message: Option<String>,
}

/// Explains what the arguments hold.
pub(super) fn command(args: &DoctorArgs) -> Exit {
    let mut found = BTreeMap::new();
    for text in &args.codes {
        if text != "-" {
            argument(text, &mut found);
        } else if let Err(error) = stdin(&mut found) {
            return fail(Exit::Failed, &format!("stdin: {error}"), None);
        }
    }
    if found.is_empty() {
        let hint =
            "a code looks like HttpEndpoint.ConnectionFailed; docs/error-codes.md lists them";
        return fail(Exit::BadData, "no error code found", Some(hint));
    }
    let known = found.keys().all(|code| codes::find(code).is_some());
    let text = match args.output {
        Output::Text => text(&found, Paint::for_stdout()),
        Output::Json => json_text(&found, known),
    };
    match terminal::print(text.as_bytes()) {
        Err(error) => terminal::unwritten(&error),
        Ok(()) if known => Exit::Done,
        Ok(()) => Exit::Failed,
    }
}

/// An argument is a code as people say it, or text that holds some.
fn argument(text: &str, found: &mut BTreeMap<String, Found>) {
    let before = found.len();
    text.lines().for_each(|line| scan(line, found));
    if found.len() > before || text.contains(char::is_whitespace) {
        return;
    }
    if codes::status(text).is_some() {
        return note(found, DESTINATION_EXCEPTION, Some(text.to_owned()));
    }
    let is_meant = |row: &CodeRow| {
        let last = row.code.rsplit('.').next().unwrap_or_default();
        [row.code, last].iter().any(|word| word.eq_ignore_ascii_case(text))
    };
    let meant: Vec<CodeRow> = codes::all().filter(is_meant).collect();
    match meant.as_slice() {
        [] => note(found, text, None),
        meant => meant.iter().for_each(|row| note(found, row.code, None)),
    }
}

fn stdin(found: &mut BTreeMap<String, Found>) -> std::io::Result<()> {
    let mut input = std::io::stdin().lock();
    loop {
        let mut line = Vec::new();
        if (&mut input).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        scan(&String::from_utf8_lossy(&line), found);
    }
}

fn scan(line: &str, found: &mut BTreeMap<String, Found>) {
    let object = line.find('{').and_then(|at| line.get(at..));
    if let Some(Ok(event)) = object.map(|text| serde_json::from_str::<Event>(text.trim_end())) {
        return note(found, &event.code, event.message);
    }
    let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    for word in words.map(|word| word.trim_matches('.')) {
        let Some((family, rest)) = word.split_once('.') else { continue };
        if FAMILIES.contains(&family) && rest.starts_with(|c: char| c.is_ascii_uppercase()) {
            note(found, word, None);
        }
    }
}

fn note(found: &mut BTreeMap<String, Found>, code: &str, message: Option<String>) {
    let one = found.entry(code.to_owned()).or_default();
    one.count += 1;
    one.message = message.or_else(|| one.message.take());
}

/// The status in `... response was received from the endpoint destination. 413: {...}`.
fn status_in(message: &str) -> Option<&str> {
    let words = message.split(|c: char| !c.is_ascii_digit()).filter(|word| word.len() == 3);
    words.into_iter().find(|word| codes::status(word).is_some())
}

fn shown(message: &str) -> String {
    let clean = message.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut text: String = clean.take(MESSAGE_CHARS).collect();
    if message.chars().count() > MESSAGE_CHARS {
        text.push_str("...");
    }
    text
}

fn text(found: &BTreeMap<String, Found>, paint: Paint) -> String {
    let mut page = String::new();
    for (code, Found { count, message }) in found {
        if !page.is_empty() {
            page.push('\n');
        }
        let times = if *count > 1 { format!("  {count} times") } else { String::new() };
        let row = codes::find(code);
        let from = row.map_or_else(|| "not known".to_owned(), |row| format!("from {}", row.from));
        page.push_str(&format!("{}  ({from}){times}\n", paint.strong(&shown(code))));
        if let Some(message) = message {
            page.push_str(&format!("  said    {}\n", shown(message)));
        }
        match row {
            Some(row) => {
                page.push_str(&format!("  cause   {}\n", row.cause));
                page.push_str(&format!("  remedy  {}\n", row.remedy));
            }
            None => page.push_str(
                "  docs/error-codes.md does not have it; is it spelt right? Reasons of \
                 quarantine: docs/runbook.md\n",
            ),
        }
        let status = message.as_deref().and_then(status_in);
        if let Some((status, advice)) = status.and_then(|s| Some((s, codes::status(s)?))) {
            page.push_str(&format!("  {status}     {advice}\n"));
        }
    }
    page
}

fn json_text(found: &BTreeMap<String, Found>, known: bool) -> String {
    let codes: Vec<_> = found
        .iter()
        .map(|(code, Found { count, message })| {
            let row = codes::find(code);
            json!({
                "code": code,
                "count": count,
                "message": message,
                "known": row.is_some(),
                "from": row.map(|row| row.from),
                "cause": row.map(|row| row.cause),
                "remedy": row.map(|row| row.remedy),
                "status": message.as_deref().and_then(status_in),
            })
        })
        .collect();
    format!("{:#}\n", json!({ "ok": known, "codes": codes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found_in(text: &str) -> Vec<String> {
        let mut found = BTreeMap::new();
        argument(text, &mut found);
        found.into_keys().collect()
    }

    /// *Scenario:* codes as people paste them: alone, short, in a sentence, in JSON behind a time.
    /// *Guarantees:* each is found, nothing else is, and data that looks like a code is not.
    #[test]
    fn codes_are_found() {
        let one = "HttpEndpoint.RequestTimeout";
        assert_eq!(found_in(one), [one]);
        assert_eq!(found_in("RequestTimeout"), [one]);
        assert_eq!(found_in("httpendpoint.requesttimeout"), [one]);
        assert_eq!(found_in("413"), [DESTINATION_EXCEPTION]);
        assert_eq!(found_in("999"), ["999"]);
        assert_eq!(
            found_in("Error: HttpEndpoint.RequestTimeout. (S3.SlowDown)"),
            [one, "S3.SlowDown"]
        );
        let event = r#"2026-11-20 {"errorCode":"S3.AccessDenied","rawData":"S3.SlowDown"}"#;
        assert_eq!(found_in(event), ["S3.AccessDenied"]);
        assert!(found_in("see hydrant.yaml and S3.amazonaws").is_empty());
        assert_eq!(found_in("Nonsense"), ["Nonsense"]);
    }

    /// *Scenario:* the message of a refused delivery, and one without a status.
    /// *Guarantees:* the status is found in the one, and none in the other.
    #[test]
    fn a_status_is_found() {
        let message = "The following response was received from the endpoint destination. 413: {}";
        assert_eq!(status_in(message), Some("413"));
        assert_eq!(status_in("timestamp 1578090903599"), None);
    }
}
