//! The Firehose HTTP endpoint protocol, as its sender: anything Firehose can feed, a stream can.
//!
//! Owns how points become records and records a delivery, the name of a delivery, and the judgement
//! of answers, which is Firehose's own; `docs/http-endpoint.md` tells where each rule comes from.
//! Always holds: a delivery that is sent again has the same request id, also after a restart, so
//! that a receiver can tell a repeat. Deliberately not here: when to send again (the stream).

mod answer;
mod losses;
mod name;
mod packer;
mod record;
mod wire;

use remote::{ClientConfig, Secret};

pub use packer::Packer;
pub use wire::Wire;

/// Settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where deliveries are posted, as it is.
    pub url: String,
    /// `X-Amz-Firehose-Access-Key`.
    pub access_key: Option<Secret>,
    /// `X-Amz-Firehose-Common-Attributes`.
    pub common_attributes: Vec<(String, String)>,
    /// `X-Amz-Firehose-Source-Arn`; empty for that of a delivery stream with the stream's name.
    pub source_arn: String,
    /// Whether the body is gzip.
    pub gzip: bool,
    /// The form of the records.
    pub format: metric::Format,
    /// Most bytes of one record, before base64.
    pub record_bytes: usize,
    /// Most bytes of all records of a request, before base64.
    pub bytes_max: usize,
    /// TLS and time limits.
    pub client: ClientConfig,
}

/// Most bytes of a record that the protocol allows, before base64: 1,000 KiB.
pub const RECORD_BYTES_MAX: usize = 1_024_000;
/// Most records of a delivery that the protocol allows.
pub const RECORDS_MAX: u32 = 10_000;
/// Firehose's largest buffer: most bytes of all records of a delivery.
pub const BYTES_MAX: usize = 64 << 20;
/// Longest access key.
pub const ACCESS_KEY_MAX: usize = 4_096;
/// Most common attributes.
pub const ATTRIBUTES_MAX: usize = 50;
/// Longest name of a common attribute, in characters.
pub const ATTRIBUTE_NAME_MAX: usize = 256;
/// Longest value of a common attribute, in characters.
pub const ATTRIBUTE_VALUE_MAX: usize = 1_024;
