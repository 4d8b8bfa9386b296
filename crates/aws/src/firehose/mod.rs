//! Amazon Data Firehose delivering to an HTTP endpoint, seen from the endpoint, and what it writes when it can't.
//!
//! `docs/firehose-wire.md` says what is taken beyond AWS's schema and what is refused.
//!
//! Not here: sockets, keys, retries.

pub mod answer;
pub mod attributes;
pub mod envelope;
pub mod failed;
pub mod headers;
mod json;
pub mod prefix;
pub mod request;
