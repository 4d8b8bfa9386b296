//! The ways an object may be compressed: those of Amazon Data Firehose, and none.
//!
//! Told apart by content, never by name. Not here: what is inside.

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
