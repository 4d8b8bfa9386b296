//! Generators and strict receivers that demo, simulate and conform ship with.
//!
//! Everything that is generated follows from a seed; nothing here reads the environment or the
//! configuration, and the time is an argument. The receivers judge what Hydrant sends by code of
//! their own and share none with the destinations.

pub mod catalog;
pub mod conform;
mod door;
pub mod dynatrace;
mod fault;
mod fleet;
pub mod ledger;
pub mod otlp;
pub mod payload;
pub mod random;
pub mod sender;
pub mod services;
mod stats;

pub use door::Checking;
pub use fault::{Fault, Faults};
pub use stats::{Snapshot, Stats};
