//! What the bytes are, told by their content, and the records in them.

use std::borrow::Cow;
use std::fmt;

use aws::firehose::envelope::{EnvelopeReader, Limits};
use codec::base64;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A body may hold what no limit of a source admits: it is looked at, not accepted.
const ENVELOPE_LIMITS: Limits = Limits { records: u32::MAX, record_text: usize::MAX };

/// One record and where it stands.
pub(crate) struct Part<'a> {
    pub(crate) place: String,
    pub(crate) bytes: &'a [u8],
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

/// A record, or what stands where one should.
pub(crate) enum Found<'a> {
    Part(Part<'a>),
    Fault { place: String, why: String },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Records,
    RequestBody,
    FailedRecords,
    Quarantine,
    Base64,
}

/// The kind, for the summary.
pub(crate) fn kind_of(plain: &[u8]) -> &'static str {
    match sniff(plain) {
        Kind::Records => "records",
        Kind::RequestBody => "Firehose request body",
        Kind::FailedRecords => "failed records",
        Kind::Quarantine => "quarantine",
        Kind::Base64 => "base64 of a record",
    }
}

/// Whether each part is one record as it was put into Firehose. Objects hold records back to back,
/// and a line of quarantine is a piece of one.
pub(crate) fn has_record_borders(plain: &[u8]) -> bool {
    matches!(sniff(plain), Kind::RequestBody | Kind::FailedRecords | Kind::Base64)
}

/// Calls `take` with each record.
pub(crate) fn each(plain: &[u8], mut take: impl FnMut(Found<'_>)) {
    match sniff(plain) {
        Kind::Records => take(Found::Part(Part { place: "record 1".to_owned(), bytes: plain })),
        Kind::RequestBody => request_body(plain, &mut take),
        Kind::FailedRecords => failed_records(plain, &mut take),
        Kind::Quarantine => quarantine(plain, &mut take),
        Kind::Base64 => from_base64(&one_line(plain), "record 1".to_owned(), &mut take),
    }
}

/// Only what tells the kinds apart.
#[derive(Deserialize)]
struct FirstObject<'a> {
    records: Option<IgnoredAny>,
    #[serde(rename = "rawData", borrow)]
    raw_data: Option<Cow<'a, str>>,
    reason: Option<IgnoredAny>,
    topic: Option<IgnoredAny>,
}

/// A line of quarantine: the text of a point, or the bytes of what is none.
#[derive(Deserialize)]
struct Quarantined<'a> {
    #[serde(borrow)]
    reason: Cow<'a, str>,
    #[serde(borrow, default)]
    detail: Cow<'a, str>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
}

fn sniff(plain: &[u8]) -> Kind {
    if plain.trim_ascii_start().first() == Some(&b'{') {
        let mut objects = serde_json::Deserializer::from_slice(plain).into_iter::<FirstObject>();
        return match objects.next() {
            Some(Ok(first)) if first.raw_data.is_some() => Kind::FailedRecords,
            Some(Ok(first)) if first.reason.is_some() && first.topic.is_some() => Kind::Quarantine,
            Some(Ok(first)) if first.records.is_some() => Kind::RequestBody,
            // A body that is cut short is still one; its reader says where.
            Some(Err(error)) if error.is_eof() && opens_body(plain) => Kind::RequestBody,
            _ => Kind::Records,
        };
    }
    let long_enough = plain.trim_ascii().len() >= 16;
    if long_enough
        && matches!(metric::sniff(plain), metric::Kind::Unknown)
        && base64::check(&one_line(plain)).is_ok()
    {
        return Kind::Base64;
    }
    Kind::Records
}

/// Without the line breaks that `base64` writes, and what it leaves at the end.
fn one_line(text: &[u8]) -> Cow<'_, [u8]> {
    let text = text.trim_ascii();
    if !text.contains(&b'\n') {
        return Cow::Borrowed(text);
    }
    text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect()
}

/// The first kilobyte names `requestId` or `records` as Firehose writes them.
fn opens_body(plain: &[u8]) -> bool {
    let head = plain.get(..1024).unwrap_or(plain);
    let has = |key: &[u8]| head.windows(key.len()).any(|window| window == key);
    has(b"\"requestId\"") || has(b"\"records\"")
}

fn request_body(plain: &[u8], take: &mut impl FnMut(Found<'_>)) {
    let mut reader = EnvelopeReader::whole(plain, ENVELOPE_LIMITS);
    let mut number = 0_u32;
    loop {
        match reader.next() {
            Ok(Some(text)) => {
                number += 1;
                from_base64(text, format!("record {number}"), take);
            }
            Ok(None) => return,
            Err(fault) => {
                let place = format!("after record {number}");
                return take(Found::Fault { place, why: fault.to_string() });
            }
        }
    }
}

fn failed_records(plain: &[u8], take: &mut impl FnMut(Found<'_>)) {
    for (index, line) in plain.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = format!("line {}", index + 1);
        match serde_json::from_slice::<FirstObject>(line) {
            Ok(FirstObject { raw_data: Some(data), .. }) => {
                from_base64(data.as_bytes(), place, take);
            }
            Ok(_) => take(Found::Fault { place, why: "no rawData in this line".to_owned() }),
            Err(error) => take(Found::Fault { place, why: format!("not JSON: {error}") }),
        }
    }
}

fn quarantine(plain: &[u8], take: &mut impl FnMut(Found<'_>)) {
    for (index, line) in plain.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let at = index + 1;
        match serde_json::from_slice::<Quarantined<'_>>(line) {
            Err(error) => {
                let place = format!("line {at}");
                take(Found::Fault { place, why: format!("not a line of quarantine: {error}") });
            }
            Ok(Quarantined { reason, detail, text, data }) => {
                let place = format!("line {at} ({reason})");
                match (text, data) {
                    // What was sent, in the form of the destination: kept to be read, and no record.
                    (Some(text), _) if reason == "refused" => {
                        let why = format!("as it was sent: {text}; what was said of it: {detail}");
                        take(Found::Fault { place, why });
                    }
                    _ if reason == "refused_request" => {
                        let why = format!("a request as it was sent, and no record; {detail}");
                        take(Found::Fault { place, why });
                    }
                    (Some(text), _) => {
                        take(Found::Part(Part { place, bytes: text.as_bytes() }));
                    }
                    (None, Some(data)) => from_base64(data.as_bytes(), place, take),
                    (None, None) => {
                        take(Found::Fault { place, why: "nothing was kept of it".to_owned() });
                    }
                }
            }
        }
    }
}

fn from_base64(text: &[u8], place: String, take: &mut impl FnMut(Found<'_>)) {
    let mut bytes = Vec::new();
    match base64::decode_into(text, &mut bytes) {
        Ok(()) => take(Found::Part(Part { place, bytes: &bytes })),
        Err(error) => take(Found::Fault { place, why: error.to_string() }),
    }
}
