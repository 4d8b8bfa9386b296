//! Enrich: fixed attributes by account, region or namespace, and resource tags. Pure.

use std::path::PathBuf;

use crate::Filter;

/// What a stream adds to its points. The default adds nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enrichment {
    /// Fixed attributes, in order; a later one wins over an earlier one of the same name.
    pub fixed: Vec<Fixed>,
    /// Resource tags.
    pub tags: Option<Tags>,
}

/// Attributes for the points that a filter matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// Which points; the default matches all.
    pub when: Filter,
    /// Names and values.
    pub attributes: Vec<(String, String)>,
}

/// Where tags come from, and which are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// The snapshot that `hydrant tags fetch` writes.
    pub file: PathBuf,
    /// Keys of the tags to add; empty adds none.
    pub keys: Vec<String>,
    /// Before each name: `tag.`.
    pub prefix: String,
}
