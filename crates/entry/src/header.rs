//! What is known of a delivery besides its bytes.

/// What the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The JSON envelope of a Firehose HTTP delivery.
    FirehoseDelivery,
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
}

/// A header that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Written by a newer release.
    #[error("entry header version {0} is newer than this release reads")]
    Newer(u8),
    /// Cut short or malformed.
    #[error("entry header is malformed")]
    Malformed,
}

impl Header {
    /// The bytes of the header.
    pub fn encode(&self) -> Vec<u8> {
        unimplemented!()
    }
    /// Reads a header; members a newer minor version added are skipped.
    pub fn decode(_bytes: &[u8]) -> Result<Header, HeaderError> {
        unimplemented!()
    }
}
