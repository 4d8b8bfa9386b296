//! Where credentials come from.

use super::credentials::Credentials;
use super::fault::Kind;
use super::{Fault, Variables};
use crate::Secret;

/// A way to credentials.
#[derive(Debug)]
pub(super) enum Chain {
    /// Given: environment.
    Given(Credentials),
    /// None found.
    Nothing,
}

impl Chain {
    pub(super) fn resolve(variables: &Variables) -> Chain {
        let (id, secret) =
            (variables.get("AWS_ACCESS_KEY_ID"), variables.get("AWS_SECRET_ACCESS_KEY"));
        let (Some(id), Some(secret)) = (id, secret) else { return Chain::Nothing };
        Chain::Given(Credentials {
            id: id.to_owned(),
            secret: Secret::new(secret),
            token: variables.get("AWS_SESSION_TOKEN").map(Secret::new),
            expires: None,
            from: "environment".to_owned(),
        })
    }

    pub(super) fn renews(&self) -> bool {
        false
    }

    pub(super) async fn fetch(&self) -> Result<Credentials, Fault> {
        match self {
            Chain::Given(credentials) => Ok(credentials.clone()),
            Chain::Nothing => Err(Fault::ours(
                Kind::NoCredentials,
                "find credentials",
                "NoCredentials",
                "no credentials were found",
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )),
        }
    }
}
