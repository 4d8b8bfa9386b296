//! The ways an object may be compressed: those of Amazon Data Firehose, zstd, and none.
//!
//! Owns: which container some bytes are, reading any of them as a stream, writing any of them, and
//! the words for what can be wrong.
//!
//! Always: told apart by content, never by name: HTTP clients take a gzip layer off or leave it on
//! as they like. Memory is bounded whatever the input says of itself, output by a limit, and the
//! same input is written as the same bytes.
//!
//! Not here: what is inside, and where objects come from.

mod fault;
mod input;
mod layer;
mod snappy;
#[cfg(test)]
mod tests;
mod write;
mod zip;

use std::fmt;

pub use fault::{Fault, Wrong};
pub use layer::{Reader, decompress};
pub use write::Compressor;

/// This much of the beginning of an object is enough to tell its container; with less (but not less
/// than 8 bytes, or all there is) only Hadoop's snappy may be missed.
pub const SNIFF_BYTES: usize = 64 * 1024;

/// How an object is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Container {
    /// Not at all (`UNCOMPRESSED`).
    #[default]
    Plain,
    /// gzip, one member or several (`GZIP`).
    Gzip,
    /// A zip archive of one entry (`ZIP`).
    Zip,
    /// The stream format of snappy-java (`Snappy`).
    Snappy,
    /// Hadoop's block format (`HADOOP_SNAPPY`).
    HadoopSnappy,
    /// zstd, which Firehose does not write but others do.
    Zstd,
}

/// All of them, in the order of their declaration.
pub const CONTAINERS: [Container; 6] = [
    Container::Plain,
    Container::Gzip,
    Container::Zip,
    Container::Snappy,
    Container::HadoopSnappy,
    Container::Zstd,
];

impl Container {
    /// Its word in the API of Firehose (`CompressionFormat`); zstd has none there and is `ZSTD`.
    pub fn name(self) -> &'static str {
        match self {
            Container::Plain => "UNCOMPRESSED",
            Container::Gzip => "GZIP",
            Container::Zip => "ZIP",
            Container::Snappy => "Snappy",
            Container::HadoopSnappy => "HADOOP_SNAPPY",
            Container::Zstd => "ZSTD",
        }
    }

    /// The container with this [`Container::name`], in any case of letters.
    pub fn named(name: &str) -> Option<Container> {
        CONTAINERS.into_iter().find(|container| container.name().eq_ignore_ascii_case(name))
    }

    /// What ends the keys of such objects; Firehose writes `.snappy` for both kinds of snappy.
    pub fn extension(self) -> &'static str {
        match self {
            Container::Plain => "",
            Container::Gzip => ".gz",
            Container::Zip => ".zip",
            Container::Snappy | Container::HadoopSnappy => ".snappy",
            Container::Zstd => ".zst",
        }
    }

    /// `Content-Encoding` of such objects, as Firehose sets it.
    pub fn content_encoding(self) -> Option<&'static str> {
        match self {
            Container::Plain => None,
            Container::Gzip => Some("gzip"),
            Container::Zip => Some("zip"),
            Container::Snappy => Some("snappy-java"),
            Container::HadoopSnappy => Some("hadoop-snappy"),
            Container::Zstd => Some("zstd"),
        }
    }
}

/// For a person: `gzip`, `hadoop snappy`.
impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Container::Plain => "uncompressed",
            Container::Gzip => "gzip",
            Container::Zip => "zip",
            Container::Snappy => "snappy",
            Container::HadoopSnappy => "hadoop snappy",
            Container::Zstd => "zstd",
        })
    }
}

/// Tells the container from the first bytes of an object; give [`SNIFF_BYTES`] of them, or all.
///
/// JSON begins with a brace or white space, a frame of OpenTelemetry with a varint followed by 0x0a
/// (or by another varint when it is empty): neither can begin as any of these do.
pub fn sniff(first_bytes: &[u8]) -> Container {
    match by_magic(first_bytes) {
        Some(container) => container,
        None if snappy::is_hadoop(first_bytes) => Container::HadoopSnappy,
        None => Container::Plain,
    }
}

/// The container by its magic number, for those that have one.
fn by_magic(bytes: &[u8]) -> Option<Container> {
    /// A gzip member; the method is left to the reader, which says what is wrong with it.
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    /// A frame of zstd (RFC 8878 3.1.1), little-endian 0xFD2FB528.
    const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    /// The rest of a skippable frame's magic, 0x184D2A50 to 5F (RFC 8878 3.1.2).
    const ZSTD_SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];

    if bytes.starts_with(&GZIP) {
        return Some(Container::Gzip);
    }
    if bytes.starts_with(&zip::ENTRY) || bytes.starts_with(&zip::END) {
        return Some(Container::Zip);
    }
    if bytes.starts_with(&snappy::MAGIC) {
        return Some(Container::Snappy);
    }
    let skippable =
        |(first, rest): (&u8, &[u8])| first >> 4 == 5 && rest.starts_with(&ZSTD_SKIPPABLE);
    if bytes.starts_with(&ZSTD) || bytes.split_first().is_some_and(skippable) {
        return Some(Container::Zstd);
    }
    None
}
