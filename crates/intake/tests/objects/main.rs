//! Objects as sources, from the outside: what is asked of S3 and SQS, and what the journal holds.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]
#![expect(clippy::indexing_slicing, reason = "what is not there fails the test")]

mod carry;
mod common;
mod files;
mod listing;
mod pieces;
mod queue;
mod world;
