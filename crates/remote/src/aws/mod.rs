//! AWS as a client: credentials by AWS's own chain, S3, SQS, and the tagging API.
//!
//! Owns who we are and which endpoint is asked. Always holds: one attempt a call (a download that
//! breaks is resumed where it broke, a bounded number of times), and every failure is a [`Fault`]
//! that names what was asked, AWS's own code, and the remedy. Deliberately not here: when to try
//! again, and what the bytes mean.

mod fault;
mod identity;
pub mod s3;
pub mod sqs;
pub mod tagging;

pub use fault::{Fault, Kind};
pub use identity::{AssumeRole, Identity, IdentityConfig};
