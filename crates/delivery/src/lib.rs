//! Delivery streams and destinations: claim, decode, select, pack, send, retry, back up, quarantine.

mod config;
pub mod sink;
mod verdict;

pub use config::{
    BackupConfig, BackupMode, Buffering, Destination, FromRequest, StartFrom, StreamConfig,
};
pub use verdict::{RefusedLine, Verdict, Why};
