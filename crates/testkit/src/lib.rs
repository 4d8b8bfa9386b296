//! Scripted peers on loopback, temporary directories, a process harness, an allocation counter,
//! captures of real clients.
//!
//! For tests only, and a leaf: it knows no other room of the house. Everything it starts (threads,
//! processes, folders) is gone when its value is dropped. What a peer is asked stays readable.

pub mod alloc;
mod captures;
mod dir;
mod grpc;
mod peer;
mod process;
mod tls;
mod wire;

pub use captures::{captured_request, captured_requests, testdata};
pub use dir::TempDir;
pub use grpc::{GrpcPeer, GrpcReply};
pub use peer::{Peer, Reply, closed_port};
pub use process::{Process, binary};
pub use tls::{Authority, Identity};
pub use wire::{RawAnswer, Received, exchange, read_answer};
