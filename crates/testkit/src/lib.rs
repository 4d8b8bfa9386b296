//! Scripted peers on loopback, temporary directories, a process harness, an allocation counter.
//!
//! For tests only, and a leaf: it knows no other room of the house. Everything it starts (threads,
//! processes, folders) is gone when its value is dropped. What a peer is asked stays readable.

pub mod alloc;
mod dir;
mod grpc;
mod peer;
mod process;
mod tls;
mod wire;

pub use dir::{TempDir, testdata};
pub use grpc::{GrpcPeer, GrpcReply};
pub use peer::{Peer, Reply, closed_port};
pub use process::Process;
pub use tls::{Authority, Identity};
pub use wire::{RawAnswer, Received, exchange, read_answer};
