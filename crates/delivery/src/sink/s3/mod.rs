//! Objects in S3, named and compressed as Firehose does it.

mod packer;
mod wire;

use codec::container::Container;
use remote::aws::IdentityConfig;

pub use packer::Packer;
pub use wire::Wire;

/// Settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bucket.
    pub bucket: String,
    /// Prefix, perhaps with expressions: `cloudwatch/!{timestamp:yyyy/MM/dd/HH/}`.
    pub prefix: String,
    /// Replaces the extension of the compression.
    pub file_extension: Option<String>,
    /// IANA name of the zone of the times in keys.
    pub custom_time_zone: String,
    /// How objects are compressed.
    pub compression: Container,
    /// The form of the records in them.
    pub format: metric::Format,
    /// Key of KMS to encrypt with.
    pub kms_key_id: Option<String>,
    /// Most plain bytes of an object.
    pub bytes_max: usize,
    /// Who we are, and where S3 is.
    pub identity: IdentityConfig,
}
