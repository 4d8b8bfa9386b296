//! As whom a receiver is asked: static headers, basic, bearer, OAuth2.
//!
//! Owns everything of a request that must never be quoted.

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use remote::{Client, OAuth2, Secret, TokenError};

use super::Config;
use crate::sink::answer::{self, Class};
use crate::{Verdict, Why};

type Header = (HeaderName, HeaderValue);

/// What stays the same from request to request, and where tokens come from.
pub(crate) struct Credentials {
    /// Static headers.
    pub(crate) headers: Vec<Header>,
    /// What must never be quoted.
    pub(crate) secrets: Vec<Secret>,
    /// Tokens that change.
    pub(crate) oauth2: Option<OAuth2>,
}

impl Credentials {
    /// Of these settings; the error names what is wrong with them.
    pub(crate) fn new(config: &Config, client: &Client) -> Result<Credentials, String> {
        let (mut headers, mut secrets) = (Vec::new(), crate::sink::answer::secrets_of(&config.url));
        for (name, value) in &config.headers {
            headers.push(header(name, value)?);
            secrets.push(value.clone());
        }
        if let Some((user, password)) = &config.basic_auth {
            let (basic, encoded) = basic(user, password)?;
            headers.push(basic);
            secrets.extend([password.clone(), encoded]);
        }
        if let Some(token) = &config.bearer_token {
            headers.push(bearer(token).ok_or("bearer_token: holds characters no token has")?);
            secrets.push(token.clone());
        }
        let ways = headers.iter().filter(|(name, _)| name == AUTHORIZATION).count()
            + usize::from(config.oauth2.is_some());
        if ways > 1 {
            return Err("authorization is given twice".to_owned());
        }
        let oauth2 = config.oauth2.clone().map(|oauth2| OAuth2::new(client.clone(), oauth2));
        Ok(Credentials { headers, secrets, oauth2 })
    }
}

fn header(name: &str, value: &Secret) -> Result<Header, String> {
    let key = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("headers: {name:?} is no header name"))?;
    let value = sensitive(value.expose())
        .ok_or_else(|| format!("headers: the value of {name} holds characters no header has"))?;
    Ok((key, value))
}

/// The header, and what stands in it.
fn basic(user: &str, password: &Secret) -> Result<(Header, Secret), String> {
    if user.contains(':') {
        return Err("basic_auth: the user name must not hold a colon".to_owned());
    }
    let mut encoded = Vec::new();
    codec::base64::encode_into(format!("{user}:{}", password.expose()).as_bytes(), &mut encoded);
    let encoded = Secret::new(String::from_utf8_lossy(&encoded));
    let value = sensitive(&format!("Basic {}", encoded.expose()));
    let value = value.ok_or("basic_auth: cannot be sent in a header")?;
    Ok(((AUTHORIZATION, value), encoded))
}

/// `Authorization: Bearer`.
pub(crate) fn bearer(token: &Secret) -> Option<Header> {
    Some((AUTHORIZATION, sensitive(&format!("Bearer {}", token.expose().trim()))?))
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Without a token there is no attempt. A provider that is merely not well is waited for quietly.
pub(crate) fn token_unavailable(error: &TokenError, secrets: &[&str]) -> Verdict {
    let (status, detail) = match error {
        TokenError::Unreachable(error) => return answer::unreachable(error, secrets),
        TokenError::Refused { status, detail } | TokenError::Unusable { status, detail } => {
            (*status, detail)
        }
    };
    let loud = Class::of(status) != Class::Busy;
    let message = format!("no OAuth2 token: {}", answer::quote(detail.as_bytes(), secrets));
    Verdict::Later { after: None, loud, why: Why { code: answer::DESTINATION, message } }
}

/// The first refusal of a fetched token asks for another try at once, quietly.
pub(crate) fn once_more(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Later { why, .. } => {
            Verdict::Later { after: Some(Duration::ZERO), loud: false, why }
        }
        other => other,
    }
}
