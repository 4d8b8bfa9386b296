//! The HTTP client, TLS, secrets and OAuth2: everything Hydrant needs to speak to a backend.
//!
//! One attempt per call: retries belong to the delivery stream.

mod client;
mod oauth2;
mod secret;
mod tls;

pub use client::{Answer, Client, ClientConfig, Request, Unreachable, Why};
pub use oauth2::{OAuth2, OAuth2Config};
pub use secret::Secret;
pub use tls::{TlsConfig, TlsError, install_provider};
