//! What is known of a delivery besides its bytes.
//!
//! Owns: the bytes of an entry's head, described byte by byte in `docs/entry-format.md`: a version,
//! then members, each a tag, a length and a value, so that an older release skips what a newer one
//! added. A tag with its high bit set may not be skipped.
//!
//! Always: what [`Header::encode`] wrote, [`Header::decode`] gives back, in this release and in
//! every later one. Any bytes decode to a header or an error; no memory is taken that the bytes did
//! not pay for.
//!
//! Not here: a checksum. The journal checks the bytes it keeps.

mod wire;

#[cfg(test)]
mod tests;

use wire::{Fields, member, text_member};

/// What the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The JSON envelope of a Firehose HTTP delivery.
    FirehoseDelivery,
    /// One record as it is: a piece of an object, a record put back.
    Record,
    /// Several records, each with its length before it: see [`crate::records`].
    Records,
    /// A `PutMetricData` call, checked; `cloud` owns its form.
    Metrics,
}

/// How the body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// gzip, perhaps several members.
    Gzip,
}

/// Names a drop-in lane: an HMAC of target and token, never the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneId(pub [u8; 16]);

/// The header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the body is.
    pub kind: Kind,
    /// How the body is encoded.
    pub encoding: Encoding,
    /// When it arrived, milliseconds since the epoch.
    pub arrival_ms: i64,
    /// Length of the body once inflated.
    pub plain_bytes: u64,
    /// How many records it holds.
    pub records: u32,
    /// Name of the source in the settings.
    pub source: String,
    /// `X-Amz-Firehose-Source-Arn`, empty when absent.
    pub source_arn: String,
    /// `X-Amz-Firehose-Request-Id`, empty when absent.
    pub request_id: String,
    /// Common attributes in the order they came.
    pub attributes: Vec<(String, String)>,
    /// The lane it belongs to, in drop-in mode.
    pub lane: Option<LaneId>,
    /// The items that are wanted, as half-open ranges in order; empty means all. Of a record put
    /// back, what had been delivered is not wanted a second time.
    pub only: Vec<(u32, u32)>,
}

/// A header that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Written by a newer release.
    #[error("entry header (version {0}) was written by a newer release")]
    Newer(u8),
    /// Cut short or malformed.
    #[error("entry header is malformed")]
    Malformed,
}

/// The version this release writes, and the newest it reads. It grows when an older release must
/// not read on; a member that may be skipped needs no new version.
const VERSION: u8 = 1;

/// Set in the tag of a member that a reader may not skip.
const CRITICAL: u8 = 0x80;

const KIND: u8 = CRITICAL | 1;
const ENCODING: u8 = CRITICAL | 2;
const ARRIVAL: u8 = 3;
const PLAIN_BYTES: u8 = 4;
const RECORDS: u8 = 5;
const SOURCE: u8 = 6;
const SOURCE_ARN: u8 = 7;
const REQUEST_ID: u8 = 8;
const ATTRIBUTE: u8 = 9;
const LANE: u8 = CRITICAL | 10;
const ONLY: u8 = CRITICAL | 11;

impl Header {
    /// The bytes of the header.
    pub fn encode(&self) -> Vec<u8> {
        let texts = self.source.len() + self.source_arn.len() + self.request_id.len();
        let mut out = Vec::with_capacity(128 + texts + 64 * self.attributes.len());
        out.push(VERSION);
        member(KIND, &[kind_byte(self.kind)], &mut out);
        member(ENCODING, &[encoding_byte(self.encoding)], &mut out);
        member(ARRIVAL, &self.arrival_ms.to_le_bytes(), &mut out);
        member(PLAIN_BYTES, &self.plain_bytes.to_le_bytes(), &mut out);
        member(RECORDS, &self.records.to_le_bytes(), &mut out);
        text_member(SOURCE, &self.source, &mut out);
        text_member(SOURCE_ARN, &self.source_arn, &mut out);
        text_member(REQUEST_ID, &self.request_id, &mut out);
        for (name, value) in &self.attributes {
            let name_length = (name.len() as u32).to_le_bytes();
            let attribute = [&name_length, name.as_bytes(), value.as_bytes()].concat();
            member(ATTRIBUTE, &attribute, &mut out);
        }
        if let Some(LaneId(lane)) = &self.lane {
            member(LANE, lane, &mut out);
        }
        for (from, to) in &self.only {
            member(ONLY, &[from.to_le_bytes(), to.to_le_bytes()].concat(), &mut out);
        }
        out
    }

    /// Reads a header; members a newer minor version added are skipped.
    pub fn decode(bytes: &[u8]) -> Result<Header, HeaderError> {
        let (&version, members) = bytes.split_first().ok_or(HeaderError::Malformed)?;
        match version {
            VERSION => {}
            0 => return Err(HeaderError::Malformed),
            newer => return Err(HeaderError::Newer(newer)),
        }
        let mut fields = Fields::default();
        let mut rest = members;
        while !rest.is_empty() {
            let (tag, value, after) = wire::split_member(rest).ok_or(HeaderError::Malformed)?;
            fields.take(tag, value)?;
            rest = after;
        }
        fields.header()
    }
}

fn kind_byte(kind: Kind) -> u8 {
    match kind {
        Kind::FirehoseDelivery => 1,
        Kind::Record => 2,
        Kind::Records => 3,
        Kind::Metrics => 4,
    }
}

fn encoding_byte(encoding: Encoding) -> u8 {
    match encoding {
        Encoding::Identity => 0,
        Encoding::Gzip => 1,
    }
}
