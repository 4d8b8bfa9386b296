//! Destination type `s3`, and what `backup.s3` shares with it.

use ::aws::firehose::prefix::Use;
use codec::container::Container;
use delivery::sink::s3::{Config, Content};

use super::super::aws::{bucket, extension, identity, prefix, zone};
use super::super::{MIB, optional};
use super::records;
use crate::settings::read::{Report, Section};

/// Firehose's own default buffer.
const OBJECT_DEFAULT: u64 = 5 * MIB;
/// A stream holds eight megabytes of requests; what is packed must fit in.
const OBJECT_MAX: u64 = 64 * MIB;

/// Words of `compression`.
const COMPRESSIONS: [(&str, Container); 6] = [
    ("gzip", Container::Gzip),
    ("none", Container::Plain),
    ("zip", Container::Zip),
    ("snappy", Container::Snappy),
    ("hadoop_snappy", Container::HadoopSnappy),
    ("zstd", Container::Zstd),
];

/// The destination.
pub(super) fn config(report: &Report, section: &Section<'_>) -> Option<Config> {
    let hint = "the name of the bucket that takes the objects";
    let bucket = section.need("bucket", hint).and_then(|at| bucket(&at));
    let prefix = optional(section.get("prefix"), String::new(), |at| prefix(at, Use::Delivery));
    let file_extension =
        optional(section.get("file_extension"), None, |at| extension(at).map(Some));
    let zone = optional(section.get("custom_time_zone"), "UTC".to_owned(), |at| zone(report, at));
    let compression = compression(section);
    // JSON lines: what Athena, jq and every other reader of a bucket takes.
    let format = records(section, metric::Format::Json);
    let kms_key_id = section.text("kms_key_id").map(|found| found.value);
    let object = optional(section.get("object_size"), OBJECT_DEFAULT, |at| {
        at.size(MIB..=OBJECT_MAX).map(|found| found.value)
    });
    let identity = identity(report, section);
    Some(Config {
        bucket: bucket?,
        prefix: prefix?,
        file_extension: file_extension?,
        custom_time_zone: zone?,
        compression: compression?,
        content: Content::Points(format?),
        version: 1,
        kms_key_id,
        bytes_max: usize::try_from(object?).ok()?,
        identity: identity?,
    })
}

/// `compression`: gzip, since metrics compress tenfold.
pub(in super::super) fn compression(section: &Section<'_>) -> Option<Container> {
    optional(section.get("compression"), Container::Gzip, |at| at.choice(&COMPRESSIONS, &[]))
}
