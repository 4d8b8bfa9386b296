//! The fold on a simulated disk, step by step: what is sent, what is kept, what a crash changes.

mod crash;
mod house;
mod rules;
mod target;
mod thread;
