//! Units: the 27 of CloudWatch, and their OTel spelling, both ways.

/// A CloudWatch `StandardUnit`, or text that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit<'a> {
    /// One of the 27, by index into the table.
    Known(u8),
    /// Anything else, kept as it came.
    Other(&'a [u8]),
}

impl Unit<'_> {
    /// The CloudWatch name, for instance `Bytes/Second`; other text as it came.
    pub fn cloudwatch(&self) -> &[u8] {
        unimplemented!()
    }
    /// The OTel name, for instance `By/s`; other text as it came.
    pub fn otel(&self) -> &[u8] {
        unimplemented!()
    }
}
