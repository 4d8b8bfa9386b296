//! AWS on the wire: Firehose as a sender (envelope, headers, answers), its failed-record lines, and
//! signatures (SigV4).

pub mod api;
pub mod arn;
pub mod firehose;
pub mod iam;
pub mod sigv4;

#[cfg(test)]
mod testdata;
