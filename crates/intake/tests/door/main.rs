//! The Firehose door, from the outside: what is answered, and what the journal holds afterwards.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]
#![expect(clippy::indexing_slicing, reason = "what is not there fails the test")]

mod bad;
mod common;
mod good;
mod large;
mod mutations;
mod operation;
mod repeats;
