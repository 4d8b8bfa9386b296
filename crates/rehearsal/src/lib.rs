//! Generators and strict receivers that demo and simulate ship with.
//!
//! Everything that is generated follows from a seed; nothing here reads a clock, the environment
//! or the configuration. The receivers judge what Hydrant sends by code of their own.

pub mod catalog;
mod fleet;
mod interim;
pub mod payload;
pub mod random;
mod sender;
