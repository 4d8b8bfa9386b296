//! The built binary, from the outside: what it promises is asked of real processes, real signals, a
//! disk that fills up and destinations that lie.
//!
//! Owns the support below `service`, `load`, `points` and `receivers`; each other module is a theme.
//! One test program for all of them: it is linked once. `HYDRANT_BINARY` names another binary to
//! test, for instance a release build. What can be seen without a running process is in `tests/cli.rs`.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]
#![expect(clippy::indexing_slicing, reason = "what is not there fails the test")]

mod load;
mod points;
mod receivers;
mod service;

mod cloud;
mod conform;
mod disk;
mod durability;
mod endtoend;
mod lanes;
mod lies;
mod manager;
mod memory;
mod objects;
mod operator;
mod replay;
mod reports;
mod rot;
mod signals;
mod starting;
