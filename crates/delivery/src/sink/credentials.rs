//! As whom a destination is asked: static headers, basic, bearer, OAuth2.
//!
//! Owns everything of a request that must never be quoted. Always: a token that was fetched and is
//! refused is forgotten, so that the next attempt fetches another. Not here: Dynatrace's and
//! Firehose's own headers for a key, which belong to their protocols.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use remote::{Client, OAuth2, OAuth2Config, Secret, TokenError, Unreachable};

use super::answer::{self, Class};
use super::url;
use crate::{Verdict, Why};

/// Name and value.
pub(crate) type Header = (HeaderName, HeaderValue);

/// What the settings of a destination say of them.
pub(crate) struct Given<'a> {
    /// Where requests go: parts of it may be a key.
    pub(crate) url: &'a str,
    /// `headers`.
    pub(crate) headers: &'a [(String, Secret)],
    /// `basic_auth`: user and password.
    pub(crate) basic_auth: Option<&'a (String, Secret)>,
    /// `bearer_token`.
    pub(crate) bearer_token: Option<&'a Secret>,
    /// `oauth2`.
    pub(crate) oauth2: Option<&'a OAuth2Config>,
}

/// What stays the same from request to request, and where tokens come from.
pub(crate) struct Credentials {
    headers: Vec<Header>,
    secrets: Vec<Secret>,
    oauth2: Option<OAuth2>,
    /// The last answer refused a fetched token. Once is a token that was revoked early and is
    /// worth a try with a new one at once; twice is an outage.
    refused: AtomicBool,
}

impl Credentials {
    /// Of these settings; the error names what is wrong with them.
    pub(crate) fn new(given: &Given<'_>, client: &Client) -> Result<Credentials, String> {
        let (mut headers, mut secrets) = (Vec::new(), url::secrets_of(given.url));
        for (name, value) in given.headers {
            headers.push(header(name, value)?);
            secrets.push(value.clone());
        }
        if let Some((user, password)) = given.basic_auth {
            let (basic, encoded) = basic(user, password)?;
            headers.push(basic);
            secrets.extend([password.clone(), encoded]);
        }
        if let Some(token) = given.bearer_token {
            headers.push(bearer(token).ok_or("bearer_token: holds characters no token has")?);
            secrets.push(token.clone());
        }
        let ways = headers.iter().filter(|(name, _)| name == AUTHORIZATION).count()
            + usize::from(given.oauth2.is_some());
        if ways > 1 {
            return Err("authorization is given twice".to_owned());
        }
        let oauth2 = given.oauth2.map(|oauth2| OAuth2::new(client.clone(), oauth2.clone()));
        Ok(Credentials { headers, secrets, oauth2, refused: AtomicBool::new(false) })
    }

    /// Headers that are on every request.
    pub(crate) fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// One attempt: `ask` is given all headers of the moment, `refuses` tells whether an answer
    /// refuses the credentials, and `judge` is also given what must not be quoted.
    pub(crate) async fn attempt<A, Asked: Future<Output = Result<A, Unreachable>>>(
        &self,
        ask: impl FnOnce(Vec<Header>) -> Asked,
        refuses: impl Fn(&A) -> bool,
        judge: impl Fn(&A, &[&str]) -> Verdict,
    ) -> Verdict {
        let mut secrets: Vec<&str> = self.secrets.iter().map(Secret::expose).collect();
        let token = match &self.oauth2 {
            None => None,
            Some(oauth2) => match oauth2.token().await {
                Ok(token) => Some(token),
                Err(error) => return token_unavailable(&error, &secrets),
            },
        };
        let mut headers = self.headers.clone();
        if let Some(token) = &token {
            secrets.push(token.expose());
            headers.extend(bearer(token));
        }
        let answer = match ask(headers).await {
            Ok(answer) => answer,
            Err(error) => return answer::unreachable(&error, &secrets),
        };
        let verdict = judge(&answer, &secrets);
        match (&self.oauth2, &token) {
            (Some(oauth2), Some(token)) if refuses(&answer) => {
                oauth2.refused(token);
                let again = self.refused.swap(true, Ordering::Relaxed);
                if again { verdict } else { once_more(verdict) }
            }
            _ => {
                self.refused.store(false, Ordering::Relaxed);
                verdict
            }
        }
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
fn bearer(token: &Secret) -> Option<Header> {
    Some((AUTHORIZATION, sensitive(&format!("Bearer {}", token.expose().trim()))?))
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Without a token there is no attempt. A provider that is merely not well is waited for quietly.
fn token_unavailable(error: &TokenError, secrets: &[&str]) -> Verdict {
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
fn once_more(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Later { why, .. } => {
            Verdict::Later { after: Some(Duration::ZERO), loud: false, why }
        }
        other => other,
    }
}
