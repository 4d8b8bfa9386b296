//! What a record could not carry, or carries changed.

/// Counters since the start, each named for what it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Points whose enrichment has no place in CloudWatch's formats.
    pub(crate) attributes_left_out: u64,
    /// Statistics that are no percentiles, in the OpenTelemetry formats.
    pub(crate) statistics_left_out: u64,
    /// Points whose fractional count was rounded, in the OpenTelemetry formats.
    pub(crate) counts_rounded: u64,
    /// Points without an end, whose period was taken to be a minute, in the OpenTelemetry formats.
    pub(crate) periods_assumed: u64,
    /// Points forwarded by copying.
    pub(crate) copied: u64,
}

impl Losses {
    /// Name and count of each.
    pub(crate) fn list(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("attributes_left_out", self.attributes_left_out),
            ("statistics_left_out", self.statistics_left_out),
            ("counts_rounded", self.counts_rounded),
            ("periods_assumed", self.periods_assumed),
            ("copied", self.copied),
        ]
    }
}
