//! Objects in S3, named and compressed as Firehose does it.
//!
//! Owns: the form of an object, its key, and what S3's answers mean.
//!
//! Always: the key comes from what the object holds (stream, journal, first item) and never from
//! chance or the clock, so that data packed again after a crash replaces its object. One object is
//! one request, put whole or not at all.
//!
//! Not here: when an object is large or old enough (`buffering` of the stream), and multipart
//! uploads: an object of 64 MiB is one request.

mod key;
mod packer;
mod verdict;
mod wire;

use aws::firehose::prefix::{self, Prefix, Use, Zone};
use codec::container::Container;
use remote::aws::IdentityConfig;

pub(crate) use key::{Named, Naming, entry_name, origin};
pub use packer::Packer;
pub(crate) use verdict::{code_of, message_of, needs_person};
pub use wire::Wire;

/// Fewest and most plain bytes of an object. A stream holds its open object in memory besides eight
/// MiB of compressed ones.
pub const BYTES_MAX: std::ops::RangeInclusive<usize> = 1..=64 * 1024 * 1024;

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

impl Config {
    /// How its objects are named; the error begins with the key of the settings that is wrong.
    pub(crate) fn naming(&self) -> Result<Naming, String> {
        let prefix =
            Prefix::parse(&self.prefix, Use::Delivery).map_err(|e| in_key("prefix", &e))?;
        let zone =
            Zone::named(&self.custom_time_zone).map_err(|e| in_key("custom_time_zone", &e))?;
        let own = self.file_extension.as_deref().unwrap_or_default();
        prefix::check_extension(own).map_err(|e| in_key("file_extension", &e))?;
        // An empty one counts as none.
        let extension = if own.is_empty() { self.compression.extension() } else { own };
        Ok(Naming { prefix, zone, extension: extension.to_owned() })
    }

    /// Checks what the settings' own types do not; the error begins with the key that is wrong.
    pub fn check(&self) -> Result<(), String> {
        if !BYTES_MAX.contains(&self.bytes_max) {
            return Err(format!("object_size: is not within 1 and {} bytes", BYTES_MAX.end()));
        }
        self.naming().map(|_| ())
    }
}

pub(crate) fn in_key(key: &str, error: &str) -> String {
    format!("{key}: {error}")
}

#[cfg(test)]
mod tests;
