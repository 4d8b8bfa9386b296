//! Amazon Data Firehose delivering to an HTTP endpoint, seen from the endpoint, and what it writes when it can't.

pub mod answer;
pub mod attributes;
pub mod envelope;
pub mod failed;
pub mod headers;
mod json;
pub mod request;
