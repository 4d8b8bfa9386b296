//! AWS as a client: credentials by AWS's own chain, S3, SQS, the tagging API, CloudWatch and Firehose.
//!
//! Owns who we are and which endpoint is asked. Always holds: one attempt a call, but for what only
//! this room can mend (credentials that expired a moment ago, a clock that is wrong, a bucket that
//! is in another region: each once), and a download that breaks is resumed where it broke, a bounded
//! number of times. Every failure is a [`Fault`] that names what was asked, AWS's own code, and the
//! remedy; an answer that AWS did not write settles nothing. Deliberately not here: when to try
//! again, and what the bytes mean.

mod call;
mod chain;
mod clock;
pub mod cloud;
mod credentials;
mod fault;
mod identity;
mod json;
mod places;
mod profiles;
pub mod s3;
pub mod sqs;
pub mod tagging;
mod told;
mod variables;
mod verdict;
mod xml;

pub use fault::{Fault, Kind};
pub use identity::{AssumeRole, Identity, IdentityConfig};
pub use variables::Variables;
