//! OAuth2 client credentials: one token, cached, fetched anew before it expires.

use std::time::Duration;

use crate::{Client, Secret, Unreachable};

/// How to get a token.
#[derive(Clone, Debug)]
pub struct OAuth2Config {
    /// Token endpoint.
    pub token_url: String,
    /// Client id.
    pub client_id: String,
    /// Client secret, sent by HTTP Basic.
    pub client_secret: Secret,
    /// `audience`, when the provider wants one.
    pub audience: Option<String>,
    /// `scope`, when the provider wants one.
    pub scope: Option<String>,
    /// A token is renewed this long before it expires.
    pub renew_before: Duration,
}

/// A token source. Cheap to clone; concurrent callers share one fetch.
#[derive(Clone)]
pub struct OAuth2 {}

impl OAuth2 {
    /// With this client.
    pub fn new(_client: Client, _config: OAuth2Config) -> Self {
        Self {}
    }
    /// A valid token.
    pub async fn token(&self) -> Result<Secret, Unreachable> {
        unimplemented!()
    }
    /// The backend refused `token`: fetch a new one next time (no effect if it was replaced meanwhile).
    pub fn refused(&self, _token: &Secret) {
        unimplemented!()
    }
}
