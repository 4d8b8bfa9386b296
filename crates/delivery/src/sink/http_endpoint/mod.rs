//! The Firehose HTTP endpoint protocol, as its sender: anything Firehose can feed, a stream can.

mod packer;
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
    /// `X-Amz-Firehose-Source-Arn`.
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
