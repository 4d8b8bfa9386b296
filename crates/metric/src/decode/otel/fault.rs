//! Why a piece of a message is rejected.
//!
//! Owns the words. A fault is one byte, so that the hot path returns it in a register; it is put
//! into words only when a reject is made.

use crate::Reason;

/// What is wrong with a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// `ResourceMetrics` with unknown fields alone.
    NoMetrics,
    ResourceMetrics,
    ScopeMetrics,
    Metric,
    Summary,
    DataPoint,
    Resource,
    /// Text of the resource.
    ResourceText,
    Unit,
    /// Text of a label or attribute.
    AttributeText,
    /// A dimension that has no text form.
    NotText,
    ManyDimensions,
    ManyStatistics,
    QuantileRange,
    NotFinite,
    NoInstant,
    NoName,
    NoValue,
}

impl Fault {
    /// The reason it is counted under.
    pub(super) fn reason(self) -> Reason {
        match self {
            Fault::ResourceText | Fault::Unit | Fault::AttributeText => Reason::InvalidUtf8,
            Fault::NotFinite => Reason::NotFinite,
            Fault::NoName => Reason::MissingName,
            Fault::NoValue => Reason::UnsupportedMetric,
            _ => Reason::MalformedMessage,
        }
    }

    /// What a person is told.
    pub(super) fn detail(self) -> &'static str {
        match self {
            Fault::NoMetrics => "holds neither a resource nor metrics",
            Fault::ResourceMetrics => "a field beside resource and metrics is malformed",
            Fault::ScopeMetrics => "a field beside the metrics of a scope is malformed",
            Fault::Metric => "a field of the metric is malformed",
            Fault::Summary => "a field of the summary is malformed",
            Fault::DataPoint => "a field of the data point is malformed",
            Fault::Resource => "a field of the resource is malformed",
            Fault::ResourceText => "an attribute of the resource is not UTF-8",
            Fault::Unit => "the unit is not UTF-8",
            Fault::AttributeText => "a label or attribute is not UTF-8",
            Fault::NotText => "a dimension is bytes, an array or a list, not text",
            Fault::ManyDimensions => "the data point has more than 1000 dimensions",
            Fault::ManyStatistics => "the data point has more than 1000 statistics",
            Fault::QuantileRange => "a quantile is not between 0 and 1",
            Fault::NotFinite => "sum, quantile, value or attribute is not finite",
            Fault::NoInstant => "the data point has no time, or one that is not from 1970 to 2262",
            Fault::NoName => "the data point has no Namespace or no MetricName",
            Fault::NoValue => "the data point is flagged as holding no recorded value",
        }
    }
}
