//! The accept loop every HTTP door of Hydrant shares: TLS, header limits, connection limits, drain.
//!
//! Owns sockets and nothing else. What a request means is the handler's business.

mod serve;
mod tls;

pub use serve::{Limits, Listener, Peer, serve};
pub use tls::{ServerTls, TlsError};
