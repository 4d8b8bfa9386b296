//! Select: include and exclude filters with CloudWatch's meaning, and dimensions, accounts and regions. Pure.

use metric::{Point, ShapeId};

/// One filter of `include:` or `exclude:`. Empty lists select all. A point matches when all parts match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Exact namespace; `None` matches any.
    pub namespace: Option<String>,
    /// Exact metric names; empty matches any.
    pub metric_names: Vec<String>,
    /// Dimension name to allowed values; an empty value list means the dimension must be there. All must hold.
    pub dimensions: Vec<(String, Vec<String>)>,
    /// Owning accounts; empty matches any.
    pub accounts: Vec<String>,
    /// Regions; empty matches any.
    pub regions: Vec<String>,
}

/// The verdict on one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It passes.
    Keep,
    /// It does not, because of this rule (index into [`Selection::rules`]).
    Filtered(usize),
}

/// Compiled filters of one stream.
pub struct Selection {}

impl Selection {
    /// Compiles. The error is a fragment for the settings check (both include and exclude, over 1,000 names, …).
    pub fn compile(_include: Vec<Filter>, _exclude: Vec<Filter>) -> Result<Self, String> {
        unimplemented!()
    }
    /// Names of the rules, as they stand in counters: `not_included`, `exclude[0]`, …
    pub fn rules(&self) -> &[String] {
        unimplemented!()
    }
    /// Decides. What depends on the shape alone is remembered per `shape`.
    pub fn decide(&mut self, _point: &Point<'_>, _shape: Option<ShapeId>) -> Decision {
        unimplemented!()
    }
}
