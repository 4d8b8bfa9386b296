//! What a point could not carry into its series, or carries changed.

/// Counters since the start, each named for what it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Points replaced by a later one of the same series and instant in the same request.
    pub(crate) superseded: u64,
    /// Labels whose names became one: their values stand in one label.
    pub(crate) labels_joined: u64,
    /// Labels left out since one that counts more has their name.
    pub(crate) labels_overridden: u64,
    /// Statistics that have no place, or are there already.
    pub(crate) statistics_left_out: u64,
}

impl Losses {
    /// Name and count of each.
    pub(crate) fn list(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("superseded", self.superseded),
            ("labels_joined", self.labels_joined),
            ("labels_overridden", self.labels_overridden),
            ("statistics_left_out", self.statistics_left_out),
        ]
    }
}
