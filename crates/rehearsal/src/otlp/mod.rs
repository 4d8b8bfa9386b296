//! An OTLP/HTTP metrics backend: a strict reading of the protobuf and JSON encodings and a server
//! that answers as the specification says.
//!
//! Shares no code with crate `metric` or the destination it judges. Only what Hydrant may send is
//! known: gauges, sums, histograms and summaries of metrics v1. A field that is none of these is
//! refused, although the specification would have it ignored: here it is a mistake.

mod answer;
mod json;
mod message;
mod receiver;
mod rules;
mod sight;
mod wire;

pub use json::read as read_json;
pub use message::{
    AnyValue, Array, Attribute, Gauge, Histogram, HistogramPoint, Map, Metric, NumberPoint,
    Quantile, Request, Resource, ResourceMetrics, Scope, ScopeMetrics, Sum, Summary, SummaryPoint,
};
pub use receiver::{Options, Receiver, Summaries};
pub use rules::check;
pub use wire::{count_points, read as read_protobuf};
