//! IAM Identity Center: the token that `aws sso login` left, exchanged for a role's credentials.
//!
//! Deliberately not here: renewing that token. It belongs to a person's session, and the CLI keeps
//! its file.

use std::path::PathBuf;

use aws::sigv4::encode_query;
use bytes::Bytes;
use http::{HeaderName, Method};
use jiff::Timestamp;
use serde_json::Value;

use super::super::call::{Ask, at_most, whole};
use super::super::credentials::Credentials;
use super::super::fault::Kind;
use super::super::places::{Service, is_region};
use super::super::profiles;
use super::super::verdict::{self, Doing};
use super::profile::wrong;
use super::{Chain, Fault, Profiles, Secret, Variables};

/// Far above any answer of this service.
const ANSWER_BYTES: usize = 256 * 1024;

/// What a profile says of its session.
#[derive(Debug)]
pub(super) struct Session {
    profile: String,
    region: String,
    account: String,
    role: String,
    /// Where the CLI keeps the token.
    file: PathBuf,
}

impl Session {
    /// Of a profile with `sso_account_id`; the session in a section of its own, or the older form.
    pub(super) fn of(
        name: &str,
        variables: &Variables,
        profiles: &Profiles,
    ) -> Result<Option<Session>, Fault> {
        let Some(account) = profiles.value(name, "sso_account_id") else { return Ok(None) };
        let session = profiles.value(name, "sso_session");
        let of_session = |key: &str| match session {
            Some(session) => profiles.session(session, key),
            None => profiles.value(name, key),
        };
        let need = |value: Option<&str>, key: &str| {
            let what = format!("it has sso_account_id, and {key} is missing");
            value.map(str::to_owned).ok_or_else(|| wrong(name, &what, "run aws configure sso"))
        };
        let start = need(of_session("sso_start_url"), "sso_start_url")?;
        let region = need(of_session("sso_region"), "sso_region")?;
        let role = need(profiles.value(name, "sso_role_name"), "sso_role_name")?;
        if !is_region(&region) {
            return Err(wrong(name, "sso_region is not a region", "write it like eu-west-1"));
        }
        let key = aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY,
            session.unwrap_or(&start).as_bytes(),
        );
        let digits: String = key.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let file = profiles::at_home(&format!("~/.aws/sso/cache/{digits}.json"), variables);
        Ok(Some(Session {
            profile: name.to_owned(),
            region,
            account: account.to_owned(),
            role,
            file,
        }))
    }

    /// The token, when it still is one.
    fn token(&self) -> Result<Secret, Fault> {
        let login = format!("run aws sso login --profile {}", self.profile);
        let text = profiles::read(&self.file).map_err(|error| {
            wrong(&self.profile, &format!("{}: {error}", self.file.display()), &login)
        })?;
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let member = |name: &str| value.get(name).and_then(Value::as_str);
        let token = member("accessToken").ok_or_else(|| {
            wrong(&self.profile, &format!("{}: no accessToken", self.file.display()), &login)
        })?;
        let expires = member("expiresAt").and_then(|at| at.parse::<Timestamp>().ok());
        if expires.is_some_and(|at| at > Timestamp::now()) {
            return Ok(Secret::new(token));
        }
        let doing = format!("find credentials in profile '{}'", self.profile);
        let message = format!("the session of aws sso login is over ({})", self.file.display());
        Err(Fault::ours(Kind::BadCredentials, &doing, "ExpiredToken", &message, &login))
    }
}

impl Chain {
    /// GetRoleCredentials.
    pub(super) async fn sso(&self, session: &Session) -> Result<Credentials, Fault> {
        let token = session.token()?;
        let Session { account, role, region, profile, .. } = session;
        let ask = Ask {
            service: Service::Sso,
            region: region.clone(),
            base: self.places.place(Service::Sso, region).url,
            method: Method::GET,
            path: "/federation/credentials".to_owned(),
            query: format!("account_id={}&role_name={}", encode_query(account), encode_query(role)),
            headers: vec![(
                HeaderName::from_static("x-amz-sso_bearer_token"),
                token.expose().to_owned(),
            )],
            body: Bytes::new(),
            limits: at_most(self.client.request_timeout),
            doing: Doing {
                text: format!("GetRoleCredentials of profile '{profile}'"),
                action: "sso:GetRoleCredentials",
                resource: format!("role {role} in account {account}"),
                besides: format!("; then aws sso login --profile {profile}"),
            },
        };
        let incoming = self.caller.send(&ask, None).await.map_err(|failed| failed.fault)?;
        let answer = whole(&ask, incoming, ANSWER_BYTES).await.map_err(|failed| failed.fault)?;
        let value = serde_json::from_slice::<Value>(&answer.body).ok();
        let read = value.as_ref().and_then(|value| credentials(value, profile));
        read.ok_or_else(|| verdict::not_aws(&ask.doing, &answer))
    }
}

fn credentials(value: &Value, profile: &str) -> Option<Credentials> {
    let found = value.get("roleCredentials")?;
    let text = |name: &str| found.get(name).and_then(Value::as_str);
    let expires = found.get("expiration").and_then(Value::as_i64)?;
    Some(Credentials {
        id: text("accessKeyId")?.to_owned(),
        secret: Secret::new(text("secretAccessKey")?),
        token: text("sessionToken").map(Secret::new),
        expires: Some(Timestamp::from_millisecond(expires).ok()?),
        from: format!("sso of profile '{profile}'"),
    })
}
