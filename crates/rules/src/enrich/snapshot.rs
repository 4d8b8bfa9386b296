//! A snapshot of resource tags: which resource has which value of the chosen tags.
//!
//! Owns the reading of the file that `hydrant tags fetch` writes (docs/enrichment.md) into a table
//! by ARN. Only the chosen keys are kept, equal values once. Always holds: whatever the bytes, there
//! is an answer; a table found by one ARN is that of this ARN, byte for byte. No I/O, no clock.

mod reading;
mod table;

use table::Table;

/// Version of the file that this release reads and writes.
pub const SNAPSHOT_VERSION: u32 = 1;

/// Tags of resources, as they were when they were fetched. The default knows none.
#[derive(Debug, Default)]
pub struct TagSnapshot {
    keys: Vec<String>,
    resources: u64,
    /// The oldest fetch of a region in it, milliseconds since the epoch.
    fetched_ms: Option<i64>,
    table: Table,
    /// Key (of `keys`) and value (of `values`) of each tag; a resource has a range of them.
    tags: Vec<(u16, u32)>,
    values: Vec<Box<[u8]>>,
}

impl TagSnapshot {
    /// Reads a snapshot, keeping the tags that `tags` asks for. The error says where and what.
    pub fn parse(bytes: &[u8], tags: &super::Tags) -> Result<TagSnapshot, String> {
        reading::read(bytes, tags)
    }

    /// The keys it was read for.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// How many resources it holds.
    pub fn resources(&self) -> u64 {
        self.resources
    }

    /// When its oldest part was fetched, milliseconds since the epoch; `None` when nothing ever was.
    pub fn fetched_ms(&self) -> Option<i64> {
        self.fetched_ms
    }

    /// Key and value numbers of a resource; `None` when it is not known.
    #[inline]
    pub(super) fn tags_of(&self, arn: &[u8]) -> Option<&[(u16, u32)]> {
        let (from, to) = self.table.find(arn)?;
        self.tags.get(from as usize..to as usize)
    }

    /// A value by its number.
    #[inline]
    pub(super) fn value(&self, number: u32) -> Option<&[u8]> {
        self.values.get(number as usize).map(|value| &**value)
    }
}
