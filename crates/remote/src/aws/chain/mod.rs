//! Where credentials come from: AWS's own chain.
//!
//! Written by hand and not taken from AWS's crate: that one brings some fifty packages, two fifths
//! more of the whole release build, and a second implementation of SHA-2, HMAC and HTTP plumbing.
//!
//! Owns the order of the sources. Always: which source it is is decided once, from variables and
//! files, without asking anybody; a source that is there and broken is a fault and is not passed
//! over, since somebody meant it; with keys in the environment nothing else is looked at.

mod metadata;
mod process;
mod profile;
mod sso;
mod sts;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::call::Caller;
use super::credentials::Credentials;
use super::fault::Kind;
use super::places::Places;
use super::profiles::Profiles;
use super::{Fault, IdentityConfig, Variables};
use crate::{Client, ClientConfig, Secret};

/// The name of our sessions, where nobody names them.
const SESSION_NAME: &str = "hydrant";

/// A role to assume.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Role {
    arn: String,
    external_id: Option<Secret>,
    session: String,
    seconds: Option<u32>,
}

/// One way to credentials.
#[derive(Debug)]
enum Source {
    /// Keys, from the environment or a file.
    Given(Credentials),
    /// A role, assumed with the credentials of another source.
    Assume { base: Box<Source>, role: Role },
    /// A role, assumed with a token that somebody keeps fresh in a file (EKS).
    WebIdentity { file: PathBuf, role: Role },
    /// A program that prints credentials.
    Process { command: String },
    /// What `aws sso login` left.
    Sso(sso::Session),
    /// ECS, and EKS Pod Identity.
    Container(metadata::Container),
    /// The metadata of an EC2 instance. With what was tried before it.
    Instance { endpoint: String, tried: Vec<String> },
    /// No source at all. With what was tried.
    Nothing { tried: Vec<String> },
}

/// The source of an identity, and what fetching needs.
#[derive(Debug)]
pub(super) struct Chain {
    source: Source,
    caller: Arc<Caller>,
    places: Places,
    region: Option<String>,
    client: ClientConfig,
    /// The client that passes every proxy by, for addresses on this very machine or network.
    direct: OnceLock<Client>,
}

impl Chain {
    /// Decides which source it is.
    pub(super) fn resolve(
        config: &IdentityConfig,
        variables: &Variables,
        profiles: &Profiles,
        caller: Arc<Caller>,
        places: Places,
        region: Option<String>,
    ) -> Result<Chain, Fault> {
        let mut source = resolve(config, variables, profiles)?;
        if let Some(role) = &config.assume_role {
            let session = role.session_name.clone();
            let role = Role {
                arn: role.role_arn.clone(),
                external_id: role.external_id.clone(),
                session: session.unwrap_or_else(|| SESSION_NAME.to_owned()),
                seconds: None,
            };
            source = Source::Assume { base: Box::new(source), role };
        }
        let client = config.client.clone();
        Ok(Chain { source, caller, places, region, client, direct: OnceLock::new() })
    }

    /// Can it give other credentials than the ones it gave?
    pub(super) fn renews(&self) -> bool {
        !matches!(self.source, Source::Given(_) | Source::Nothing { .. })
    }

    /// Asks the source.
    pub(super) async fn fetch(&self) -> Result<Credentials, Fault> {
        self.fetch_from(&self.source).await
    }

    async fn fetch_from(&self, source: &Source) -> Result<Credentials, Fault> {
        match source {
            Source::Given(credentials) => Ok(credentials.clone()),
            Source::Assume { base, role } => {
                let base = Box::pin(self.fetch_from(base)).await?;
                self.assume(&base, role).await
            }
            Source::WebIdentity { file, role } => self.web_identity(file, role).await,
            Source::Process { command } => process::run(command).await,
            Source::Sso(session) => self.sso(session).await,
            Source::Container(container) => self.container(container).await,
            Source::Instance { endpoint, tried } => self.instance(endpoint, tried).await,
            Source::Nothing { tried } => Err(nothing(tried)),
        }
    }

    fn direct(&self) -> Result<&Client, Fault> {
        if let Some(client) = self.direct.get() {
            return Ok(client);
        }
        let client = metadata::client(&self.client)?;
        Ok(self.direct.get_or_init(|| client))
    }
}

fn resolve(
    config: &IdentityConfig,
    variables: &Variables,
    profiles: &Profiles,
) -> Result<Source, Fault> {
    // A profile that the settings name is meant for this very stream or source: it alone counts.
    if let Some(name) = &config.profile {
        let found = profile::resolve(name, variables, profiles)?;
        return found.ok_or_else(|| {
            broken(
                &format!("profile '{name}'"),
                "it holds no credentials and no way to any",
                "give it keys, role_arn, credential_process or an sso-session",
            )
        });
    }
    if let Some(given) = environment(variables)? {
        return Ok(Source::Given(given));
    }
    let mut tried = vec!["environment (AWS_ACCESS_KEY_ID is not set)".to_owned()];
    let name = variables.get("AWS_PROFILE");
    if name.is_some() || profiles.has("default") {
        let name = name.unwrap_or("default");
        if let Some(found) = profile::resolve(name, variables, profiles)? {
            return Ok(found);
        }
        tried.push(format!("profile '{name}' (it holds no credentials)"));
    } else {
        tried.push(format!("profile 'default' (not in {})", profiles.places()));
    }
    if let Some(file) = variables.get("AWS_WEB_IDENTITY_TOKEN_FILE") {
        let arn = variables.get("AWS_ROLE_ARN").ok_or_else(|| {
            let what = "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not";
            broken("web identity", what, "set both")
        })?;
        let session = variables.get("AWS_ROLE_SESSION_NAME").unwrap_or(SESSION_NAME).to_owned();
        let role = Role { arn: arn.to_owned(), external_id: None, session, seconds: None };
        return Ok(Source::WebIdentity { file: PathBuf::from(file), role });
    }
    tried.push("web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set)".to_owned());
    if let Some(container) = metadata::Container::of(variables)? {
        return Ok(Source::Container(container));
    }
    tried.push("container (AWS_CONTAINER_CREDENTIALS_*_URI is not set)".to_owned());
    Ok(instance(variables, tried))
}

fn instance(variables: &Variables, mut tried: Vec<String>) -> Source {
    if variables.is_true("AWS_EC2_METADATA_DISABLED") {
        tried.push("instance metadata (AWS_EC2_METADATA_DISABLED is true)".to_owned());
        return Source::Nothing { tried };
    }
    Source::Instance { endpoint: metadata::instance_endpoint(variables), tried }
}

/// Keys in the environment; half of a pair is a fault.
fn environment(variables: &Variables) -> Result<Option<Credentials>, Fault> {
    let id = variables.get("AWS_ACCESS_KEY_ID");
    let secret = variables.get("AWS_SECRET_ACCESS_KEY");
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Some(Credentials {
            id: id.to_owned(),
            secret: Secret::new(secret),
            token: variables.get("AWS_SESSION_TOKEN").map(Secret::new),
            expires: None,
            from: "environment".to_owned(),
        })),
        (None, None) => Ok(None),
        _ => Err(broken(
            "environment",
            "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set",
            "set both, or neither",
        )),
    }
}

fn nothing(tried: &[String]) -> Fault {
    Fault::ours(
        Kind::NoCredentials,
        "find credentials",
        "NoCredentials",
        &format!("none were found; tried: {}", tried.join("; ")),
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, name a profile in the \
         settings, or give the task, pod, function or instance a role",
    )
}

/// A source that is meant, and cannot be used.
fn broken(source: &str, what: &str, remedy: &str) -> Fault {
    let doing = format!("find credentials in {source}");
    Fault::ours(Kind::NoCredentials, &doing, "NoCredentials", what, remedy)
}

/// Credentials as containers, instances and programs write them.
fn from_json(text: &[u8], token: &str, from: &str) -> Option<Credentials> {
    let value: serde_json::Value = serde_json::from_slice(text).ok()?;
    let member = |name: &str| value.get(name).and_then(serde_json::Value::as_str);
    let full = |name: &str| member(name).filter(|text| !text.is_empty());
    let expires = match full("Expiration") {
        Some(text) => Some(text.parse::<Timestamp>().ok()?),
        None => None,
    };
    Some(Credentials {
        id: full("AccessKeyId")?.to_owned(),
        secret: Secret::new(full("SecretAccessKey")?),
        token: full(token).map(Secret::new),
        expires,
        from: from.to_owned(),
    })
}
