//! Who we are for AWS, and where AWS is.
//!
//! Owns what the settings, the variables and the shared files say together. Always: what the
//! settings say wins. Deliberately not here: credentials themselves, which are fetched at the first
//! call and kept by the wallet.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws::sigv4::KeyCache;

use super::call::{Ask, Caller, Failed};
use super::chain::Chain;
use super::clock::Clock;
use super::credentials::Wallet;
use super::fault::Kind;
use super::places::{Place, Places, Service, is_region};
use super::profiles::Profiles;
use super::{Fault, Variables, verdict};
use crate::client::Incoming;
use crate::{Answer, Client, ClientConfig, Secret};

/// Signs requests to an endpoint of one's own when no region is known anywhere: what all servers
/// that speak S3's protocol take by default.
const REGION_OF_ENDPOINTS: &str = "us-east-1";

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
    /// TLS and time limits. `answer_bytes` does not count here: this client knows what it asks for.
    pub client: ClientConfig,
}

/// Credentials that renew themselves, a region, and endpoints. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    inner: Arc<Inner>,
}

struct Inner {
    region: Option<String>,
    places: Places,
    caller: Arc<Caller>,
    wallet: Wallet,
    patience: Duration,
}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.inner;
        out.debug_struct("Identity")
            .field("region", &inner.region)
            .field("places", &inner.places)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads the chain's variables and files. Credentials themselves are fetched at the first call.
    pub async fn load(config: IdentityConfig) -> Result<Identity, Fault> {
        Self::load_with(config, Variables::of_process()).await
    }

    /// As [`Identity::load`], with these variables in the place of the process's.
    pub async fn load_with(
        config: IdentityConfig,
        variables: Variables,
    ) -> Result<Identity, Fault> {
        let mut config = config;
        if config.client.tls.ca_file.is_none() {
            config.client.tls.ca_file = variables.get("AWS_CA_BUNDLE").map(PathBuf::from);
        }
        let client = Client::new(&config.client);
        let client = client.map_err(|error| verdict::of_tls(&error, &config))?;
        Self::with_client(&config, &variables, client)
    }

    pub(super) fn with_client(
        config: &IdentityConfig,
        variables: &Variables,
        client: Client,
    ) -> Result<Identity, Fault> {
        let profiles = Profiles::read(variables)?;
        let profile = config.profile.as_deref().or(variables.get("AWS_PROFILE"));
        let profile = profile.unwrap_or("default").to_owned();
        let region = region(config, variables, &profiles, &profile)?;
        let given = config.endpoint_url.as_deref();
        let places = Places::read(given, variables, &profiles, &profile)?;
        let caller = Caller { client, keys: KeyCache::default(), clock: Clock::default() };
        let caller = Arc::new(caller);
        let chain = Chain::resolve(
            config,
            variables,
            &profiles,
            Arc::clone(&caller),
            places.clone(),
            region.clone(),
        )?;
        let wallet = Wallet::new(chain);
        let patience = config.client.request_timeout;
        Ok(Identity { inner: Arc::new(Inner { region, places, caller, wallet, patience }) })
    }

    /// The region, when one is known.
    pub fn region(&self) -> Option<&str> {
        self.inner.region.as_deref()
    }

    pub(super) fn places(&self) -> &Places {
        &self.inner.places
    }

    /// The region to sign for.
    pub(super) fn region_for(&self, service: Service, doing: &str) -> Result<&str, Fault> {
        if let Some(region) = self.region() {
            return Ok(region);
        }
        if self.places().configured(service).is_some() {
            return Ok(REGION_OF_ENDPOINTS);
        }
        Err(Fault::ours(
            Kind::Refused,
            doing,
            "NoRegion",
            "no region is known",
            "set region in the settings, AWS_REGION, or region in the profile",
        ))
    }

    /// The endpoint of a service.
    pub(super) fn place(&self, service: Service, region: &str) -> Place {
        self.places().place(service, region)
    }

    /// Time for a call whose answer is small.
    pub(super) fn patience(&self) -> Duration {
        self.inner.patience
    }

    pub(super) async fn open(&self, ask: &Ask) -> Result<Incoming, Failed> {
        self.inner.caller.open(ask, &self.inner.wallet).await
    }

    pub(super) async fn call(&self, ask: &Ask, most: usize) -> Result<Answer, Failed> {
        self.inner.caller.call(ask, &self.inner.wallet, most).await
    }
}

fn region(
    config: &IdentityConfig,
    variables: &Variables,
    profiles: &Profiles,
    profile: &str,
) -> Result<Option<String>, Fault> {
    let found = config
        .region
        .as_deref()
        .or_else(|| variables.get("AWS_REGION"))
        .or_else(|| variables.get("AWS_DEFAULT_REGION"))
        .or_else(|| profiles.value(profile, "region"));
    match found {
        Some(region) if !is_region(region) => Err(Fault::ours(
            Kind::Refused,
            "find the region",
            "BadRegion",
            &format!("'{}' is not the name of a region", super::told::short(region)),
            "write it like eu-west-1",
        )),
        found => Ok(found.map(str::to_owned)),
    }
}
