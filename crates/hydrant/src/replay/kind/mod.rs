//! What an object is, told by its content, and the records in it.
//!
//! Always: bounded memory, whatever the object; each piece is given out as a record, as broken, or
//! as left out with a reason, and reading goes on behind it. Names are never asked what is inside.

mod failed;
mod quarantine;
mod records;

use std::io::{self, Cursor, Read};
use std::rc::Rc;

use codec::container::Reader;
use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::kept::{Found, Place};

/// Bytes of the beginning that are looked at: the members of a failed record before `rawData` have
/// at most 9 KiB (an error message of 8,192 characters), and quarantine lines less.
const LOOK_BYTES: u64 = 128 * 1024;
/// Most bytes that come out of an object. Firehose's have at most 128 MiB; what is archived further
/// may be larger; what is larger than this is a bomb.
const PLAIN_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;

/// An object as it is read.
pub(super) struct Opened<'a> {
    pub name: Rc<str>,
    /// When its records arrived, for those that don't tell themselves, ms.
    pub time_ms: i64,
    /// The stream its name tells.
    pub stream: String,
    pub bytes: Box<dyn Read + 'a>,
}

/// Why the rest of an object was not read.
pub(super) enum Stop {
    /// The object: damaged, or what lies below can't be read.
    Object(io::Error),
    /// Whoever takes what is found.
    Taker,
}

/// Takes what is found; false ends the reading.
pub(super) type Take<'a> = &'a mut dyn FnMut(Found) -> bool;

/// Where pieces are, and whom they go to.
struct Scene<'a, 'b> {
    name: Rc<str>,
    time_ms: i64,
    stream: String,
    take: &'a mut (dyn FnMut(Found) -> bool + 'b),
}

impl Scene<'_, '_> {
    fn place(&self, line: u64, offset: u64) -> Place {
        Place { object: Rc::clone(&self.name), line, offset }
    }

    fn give(&mut self, found: Found) -> Result<(), Stop> {
        if (self.take)(found) { Ok(()) } else { Err(Stop::Taker) }
    }

    fn broken(&mut self, line: u64, offset: u64, why: String) -> Result<(), Stop> {
        let place = self.place(line, offset);
        self.give(Found::Broken { place, why })
    }
}

/// Reads an object to its end.
pub(super) fn read(opened: Opened<'_>, take: Take<'_>) -> Result<(), Stop> {
    let Opened { name, time_ms, stream, bytes } = opened;
    let mut scene = Scene { name, time_ms, stream, take };
    let mut plain = Reader::new(bytes, PLAIN_BYTES_MAX);
    let mut head = Vec::new();
    let looked = plain.by_ref().take(LOOK_BYTES).read_to_end(&mut head);
    let form = Form::of(&head);
    // What came before a failure is as good as ever.
    let rest: Box<dyn Read + '_> = match looked {
        Ok(_) => Box::new(plain),
        Err(error) if form == Form::Empty => return Err(Stop::Object(error)),
        Err(error) => Box::new(Failing(Some(error))),
    };
    let whole = Cursor::new(head).chain(rest);
    match form {
        Form::Empty => Ok(()),
        Form::Failed => failed::read(whole, &mut scene),
        Form::Quarantine => quarantine::read(whole, &mut scene),
        Form::Records => records::read(whole, &mut scene),
        Form::Foreign(what) => scene.broken(0, 0, format!("holds {what}")),
    }
}

/// Fails once.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// What an object holds.
#[derive(Debug, PartialEq, Eq)]
enum Form {
    Empty,
    Failed,
    Quarantine,
    Records,
    Foreign(&'static str),
}

/// Only what tells the forms apart.
#[derive(Deserialize)]
struct Members {
    #[serde(rename = "rawData")]
    raw_data: Option<IgnoredAny>,
    records: Option<IgnoredAny>,
    reason: Option<IgnoredAny>,
    sequence: Option<IgnoredAny>,
    object: Option<IgnoredAny>,
    metric_name: Option<IgnoredAny>,
}

impl Form {
    /// The form of an object that begins with `head`.
    fn of(head: &[u8]) -> Form {
        if head.trim_ascii().is_empty() {
            return Form::Empty;
        }
        let text = first_object(head);
        // An object only: serde would take a list for the members in their order, too.
        if text.starts_with(b"{") {
            let mut objects = serde_json::Deserializer::from_slice(text).into_iter::<Members>();
            if let Some(Ok(first)) = objects.next()
                && let Some(form) = Form::of_members(&first)
            {
                return form;
            }
        }
        // The first object is longer than what is looked at, or damaged: the names of members tell.
        let holds = |name: &str| memmem::find(head, name.as_bytes()).is_some();
        match metric::sniff(head) {
            metric::Kind::Otel => Form::Records,
            _ if holds("\"rawData\"") => Form::Failed,
            _ if holds("\"reason\"") && holds("\"sequence\"") => Form::Quarantine,
            _ if holds("\"requestId\"") && holds("\"records\"") => Form::Foreign(DELIVERY),
            _ if metric::sniff(text) == metric::Kind::Json => Form::Records,
            metric::Kind::CloudWatchLogs => Form::Foreign("CloudWatch Logs data, and no metrics"),
            _ => Form::Foreign("nothing that is known as a backup or as metrics"),
        }
    }

    fn of_members(first: &Members) -> Option<Form> {
        if first.raw_data.is_some() {
            Some(Form::Failed)
        } else if first.metric_name.is_some() {
            Some(Form::Records)
        } else if first.reason.is_some() && (first.sequence.is_some() || first.object.is_some()) {
            // A stream's line tells a sequence, a source's the object.
            Some(Form::Quarantine)
        } else if first.records.is_some() {
            Some(Form::Foreign(DELIVERY))
        } else {
            None
        }
    }
}

/// Where JSON begins behind a byte order mark, white space and the bracket of a list.
fn first_object(head: &[u8]) -> &[u8] {
    let text = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head).trim_ascii_start();
    let inside = text.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
    inside.filter(|inside| inside.starts_with(b"{")).unwrap_or(text)
}

const DELIVERY: &str =
    "the body of a Firehose delivery, which a source takes and a replay does not";

#[cfg(test)]
mod tests;
