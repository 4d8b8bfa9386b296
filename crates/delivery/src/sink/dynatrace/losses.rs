//! What a line could not carry, or carries changed. Nothing is left out without being counted.

/// Counters since the start, each named for what it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Points whose key was too long and has been cut.
    pub(crate) keys_cut: u64,
    /// Dimensions of which no character may stand in a name.
    pub(crate) dimensions_unnamed: u64,
    /// Dimensions with the name of another after normalisation.
    pub(crate) dimensions_repeated: u64,
    /// Dimensions past the fifty of a line.
    pub(crate) dimensions_over: u64,
    /// Dimensions without a value.
    pub(crate) dimensions_empty: u64,
    /// Percentiles, where they are not wanted or do not fit.
    pub(crate) percentiles_left_out: u64,
    /// Statistics that are no percentiles.
    pub(crate) statistics_left_out: u64,
    /// Points whose minimum or maximum was moved to the mean, within rounding.
    pub(crate) extremes_repaired: u64,
    /// Points that came without minimum or maximum and carry the mean instead.
    pub(crate) extremes_supplied: u64,
    /// Points sent with the time of now.
    pub(crate) restamped: u64,
}

impl Losses {
    /// Adds what a shape costs one of its points.
    pub(crate) fn add_shape(&mut self, shape: &Losses) {
        self.keys_cut += shape.keys_cut;
        self.add_dimensions(shape);
    }

    /// Adds dimensions that could not be written.
    pub(crate) fn add_dimensions(&mut self, more: &Losses) {
        self.dimensions_unnamed += more.dimensions_unnamed;
        self.dimensions_repeated += more.dimensions_repeated;
        self.dimensions_over += more.dimensions_over;
        self.dimensions_empty += more.dimensions_empty;
    }

    /// Name and count of each, for metrics and `status`.
    pub(crate) fn list(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("keys_cut", self.keys_cut),
            ("dimensions_unnamed", self.dimensions_unnamed),
            ("dimensions_repeated", self.dimensions_repeated),
            ("dimensions_over", self.dimensions_over),
            ("dimensions_empty", self.dimensions_empty),
            ("percentiles_left_out", self.percentiles_left_out),
            ("statistics_left_out", self.statistics_left_out),
            ("extremes_repaired", self.extremes_repaired),
            ("extremes_supplied", self.extremes_supplied),
            ("restamped", self.restamped),
        ]
    }
}
