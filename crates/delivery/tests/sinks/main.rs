//! The two halves of each destination: what its packer makes of points, read back by code that is not
//! ours, and what its wire makes of the answers of a scripted peer.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod added;
mod grpc;
mod http_endpoint;
mod lines;
mod otlp;
mod prometheus;
#[path = "../sink_support/mod.rs"]
mod sink_support;
mod wire;
