//! Sources: what arrives becomes journal entries, and only then is a sender told yes (I1).

pub mod firehose;
pub mod objects;

/// Milliseconds since the epoch.
pub type Clock = std::sync::Arc<dyn Fn() -> i64 + Send + Sync>;
