//! The accept loop every HTTP door of Hydrant shares: TLS, header limits, connection limits, drain.
//!
//! Owns sockets and nothing else. What a request means is the handler's business.
//! However many strangers call and however slowly they talk, what they hold is bounded by [`Limits`].

pub mod certificate;
mod connection;
mod seldom;
mod serve;
mod tls;
mod validity;
mod watched;

pub use seldom::Seldom;
pub use serve::{Heir, Limits, Listener, Peer, serve};
pub use tls::{ServerTls, TlsError};
