//! What a data point could not carry, or carries changed.

/// Counters since the start, each named for what it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Points whose fractional count was rounded.
    pub(crate) counts_rounded: u64,
    /// Percentiles a delta histogram has no place for.
    pub(crate) percentiles_left_out: u64,
    /// Statistics that are no percentiles.
    pub(crate) statistics_left_out: u64,
    /// Points without an end, whose period was taken to be a minute.
    pub(crate) periods_assumed: u64,
    /// Points forwarded by copying.
    pub(crate) copied: u64,
}

impl Losses {
    /// Name and count of each.
    pub(crate) fn list(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("counts_rounded", self.counts_rounded),
            ("percentiles_left_out", self.percentiles_left_out),
            ("statistics_left_out", self.statistics_left_out),
            ("periods_assumed", self.periods_assumed),
            ("copied", self.copied),
        ]
    }
}
