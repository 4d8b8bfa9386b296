//! A record that was kept somewhere, and what is known of it.

use std::fmt;
use std::rc::Rc;

use codec::checksum::Hasher128;

/// What the place is in which it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// A failed-record line with our member: `hydrant backup`.
    Hydrant,
    /// A failed-record line of Amazon Data Firehose.
    Firehose,
    /// A line of our quarantine.
    Quarantine,
    /// Records as they came, one after the other: an AllData backup, or what Firehose delivers to S3.
    Records,
}

impl Kind {
    /// For tables and JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Hydrant => "hydrant_backup",
            Kind::Firehose => "firehose_failed",
            Kind::Quarantine => "quarantine",
            Kind::Records => "records",
        }
    }
}

/// Where something stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Name of the file or object.
    pub object: Rc<str>,
    /// Line, from 1; 0 where there are no lines.
    pub line: u64,
    /// Byte, once decompressed.
    pub offset: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{} at byte {}", self.object, self.offset),
            line => write!(f, "{}:{line}", self.object),
        }
    }
}

/// A record.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub kind: Kind,
    /// As it came.
    pub data: Vec<u8>,
    /// Error code, or reason for quarantine; empty when it was kept without one.
    pub code: String,
    /// When it arrived the first time, ms; what the object's name or time tells where it doesn't.
    pub arrival_ms: i64,
    /// The stream it was kept for; empty when unknown.
    pub stream: String,
    /// Its identity, as far as it has one.
    pub data_id: String,
    /// The items that were not delivered; empty is all.
    pub undelivered: Vec<(u32, u32)>,
    pub source: String,
    pub source_arn: String,
    pub request_id: String,
    pub attributes: Vec<(String, String)>,
}

impl Kept {
    /// The same for the same record, whatever file it lies in.
    pub(super) fn id(&self) -> u128 {
        let mut hasher = Hasher128::new();
        for part in [self.data_id.as_bytes(), &self.data] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        for (from, to) in &self.undelivered {
            hasher.update(&from.to_le_bytes());
            hasher.update(&to.to_le_bytes());
        }
        hasher.digest()
    }
}

/// The identity of one item of a record, for a record of which only some are put back.
pub(super) fn item_id(id: u128, item: u32) -> u128 {
    let mut hasher = Hasher128::new();
    hasher.update(&id.to_le_bytes());
    hasher.update(&item.to_le_bytes());
    hasher.digest()
}

/// What was found in an object.
#[derive(Debug)]
pub(super) enum Found {
    /// A record.
    Kept(Box<Kept>),
    /// A piece that should be one and is none.
    Broken { place: Place, why: String },
    /// A piece that is well-formed and can't be put back, by its reason.
    LeftOut(&'static str),
}

/// Half-open ranges in order, without empty or touching ones.
pub(super) fn normalised(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.retain(|(from, to)| from < to);
    ranges.sort_unstable();
    let mut out: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match out.last_mut() {
            Some((_, end)) if *end >= from => *end = to.max(*end),
            _ => out.push((from, to)),
        }
    }
    out
}
