//! The HTTP client, gRPC, AWS, TLS, secrets and OAuth2: everything Hydrant needs to speak to a backend.
//!
//! One attempt per call: retries belong to the delivery stream.

pub mod aws;
mod certificate;
mod client;
pub mod grpc;
mod oauth2;
mod observe;
mod retry_after;
mod secret;
mod tls;
mod unreachable;
mod url;

pub use client::{Answer, Client, ClientConfig, Request};
pub use oauth2::{OAuth2, OAuth2Config, TokenError};
pub use observe::{Observed, Pace};
pub use secret::Secret;
pub use tls::{TlsConfig, TlsError, install_provider};
pub use unreachable::{Unreachable, Why};
pub use url::check_url;
