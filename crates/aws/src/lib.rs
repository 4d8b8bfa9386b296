//! AWS on the wire: Firehose as a sender (envelope, headers, answers), its failed-record lines and
//! object prefixes; the protocols of the APIs (query, JSON, CBOR); signatures (SigV4); policies (IAM).

pub mod api;
pub mod arn;
pub mod firehose;
pub mod iam;
pub mod sigv4;
