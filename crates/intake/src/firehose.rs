//! `type: firehose`: deliveries by Amazon Data Firehose to an HTTP endpoint, to the letter of its contract.
//!
//! Owns the way of a delivery from its head to the journal's answer. Always holds: 200 is said only
//! after the journal has said the delivery is durable, or that it was already (I1); what is not a whole
//! and well-formed delivery is not stored at all; memory is bounded by `Permits` whatever arrives; no
//! answer is ever 413; the access key is stored and logged nowhere. Not here: what the records mean.

mod answer;
mod check;
mod head;
mod keep;
mod permits;
mod refusal;
mod source;
mod spool;
mod stats;

pub use permits::{Permit, Permits};
pub use refusal::Reason;
pub use source::{Source, key_name};
pub use stats::{Counter, Snapshot, Stats};

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use remote::Secret;
use tokio::sync::watch;

/// Limits of a source, each a documented setting under `limits:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `body`: bytes of a request body once inflated, and on the wire.
    pub body_bytes: u64,
    /// `ratio`: most plain bytes per wire byte.
    pub ratio: u32,
    /// `records`: records of one delivery.
    pub records: u32,
    /// `record`: bytes of one record, decoded.
    pub record_bytes: usize,
    /// `headers`: bytes of a request head.
    pub header_bytes: usize,
    /// `header_time`: time to send the head.
    pub header_time: Duration,
    /// `body_time`: time to send the body.
    pub body_time: Duration,
    /// `connections`: connections at a time.
    pub connections: usize,
    /// `in_flight`: body bytes held in memory by all requests of the process.
    pub in_flight_bytes: usize,
    /// `wait`: how long a request waits for its share of `in_flight`; then 503.
    pub wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            body_bytes: 96 * MIB,
            ratio: 1032,
            records: 10_000,
            record_bytes: 6 * MIB as usize,
            header_bytes: 128 * 1024,
            header_time: Duration::from_secs(10),
            body_time: Duration::from_secs(120),
            connections: 1024,
            in_flight_bytes: 32 * MIB as usize,
            wait: Duration::from_secs(60),
        }
    }
}

/// What may change while running.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Any of these is accepted; empty takes anyone.
    pub keys: Vec<Secret>,
    /// Takes posts without Firehose headers.
    pub lenient: bool,
}

/// Drop-in mode: asked once a request, after the head and before the body is stored.
pub type Admit = Arc<
    dyn Fn(Admission) -> Pin<Box<dyn Future<Output = Result<entry::LaneId, Denied>> + Send>>
        + Send
        + Sync,
>;

/// What a drop-in lane is chosen by.
pub struct Admission {
    /// Common attributes.
    pub attributes: Vec<(String, String)>,
    /// `X-Amz-Firehose-Access-Key`.
    pub access_key: Secret,
}

/// Why a delivery is not admitted.
#[derive(Clone, Debug)]
pub struct Denied {
    /// 400, 401 or 503.
    pub status: u16,
    /// What the operator at AWS reads.
    pub message: String,
}

/// One source.
pub struct Config {
    /// Name in the settings.
    pub name: String,
    /// Limits.
    pub limits: Limits,
    /// Access keys and leniency, replaced on reload.
    pub access: watch::Receiver<Arc<Access>>,
    /// Drop-in mode.
    pub admit: Option<Admit>,
}
