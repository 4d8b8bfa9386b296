//! `hydrant lambda` from the outside: the binary, a scripted runtime API, scripted AWS services and
//! destinations, all on loopback.
//!
//! Owns the support in `emulator`; each other module is a theme. What a real emulator of Lambda
//! says is in `tests-real/check_lambda.py`.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]
#![expect(clippy::indexing_slicing, reason = "what is not there fails the test")]

mod cloud;
mod emulator;

mod backups;
mod objects;
mod recipes;
mod runtime;
mod transform;
