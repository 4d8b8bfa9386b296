//! In place of AWS: the CloudWatch and Firehose APIs, their resources, the fold of metric streams.

pub mod put;
pub mod statistic;
