//! AWS on the wire. Today: Firehose as a sender (envelope, headers, answers) and its failed-record lines.

pub mod api;
pub mod firehose;

#[cfg(test)]
mod testdata;
