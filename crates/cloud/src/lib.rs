//! In place of AWS: the CloudWatch and Firehose APIs, their resources, the fold of metric streams.
//!
//! Owns the resources (metric streams, delivery streams), the samples until their windows close, and
//! what callers are told. Always holds: no yes before what was accepted is durable (I1); a caller is
//! told what AWS would tell. Deliberately not here: sockets, and the delivery of records (the
//! journal's topics are where this room ends and delivery begins).

pub mod api;
pub mod cloudwatch;
pub mod firehose;
pub mod fold;
pub mod put;
pub mod registry;
pub mod statistic;

use std::sync::Arc;

/// Milliseconds since the epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The topic of a delivery stream's records. Streams of the settings that read this source are
/// delivery streams too, under their own names, in whatever account they are asked for.
pub fn delivery_topic(source: &str, delivery_stream: &str) -> String {
    format!("{source}.{delivery_stream}")
}
