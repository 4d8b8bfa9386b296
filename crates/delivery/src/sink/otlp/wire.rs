//! The sending half: one POST with the credentials of the moment, one verdict.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use remote::{Client, OAuth2, Request, Secret, TokenError};

use super::{Compression, Config, Protocol, answer};
use crate::sink::answer::Class;
use crate::sink::{Payload, answer as common};
use crate::{Verdict, Why};

/// Path of the metrics service, where the URL gives none.
const PATH: &str = "/v1/metrics";

/// The sending half.
pub struct Wire {
    client: Client,
    url: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    protocol: Protocol,
    /// What must never be quoted.
    secrets: Vec<Secret>,
    oauth2: Option<OAuth2>,
    /// The last answer refused a fetched token. Once is a token that was revoked early and is
    /// worth a try with a new one at once; twice is an outage.
    refused: AtomicBool,
}

impl Wire {
    /// A wire for these settings; the error names what is wrong with them.
    pub(crate) fn new(config: &Config) -> Result<Wire, String> {
        let url = metrics_url(&config.endpoint)?;
        let content_type = match config.protocol {
            Protocol::HttpProtobuf => "application/x-protobuf",
            Protocol::HttpJson => "application/json",
            Protocol::Grpc => "application/grpc",
        };
        let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static(content_type))];
        match config.compression {
            Compression::None => {}
            Compression::Gzip => {
                headers.push((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
            }
            Compression::Zstd => {
                headers.push((CONTENT_ENCODING, HeaderValue::from_static("zstd")));
            }
        }
        let mut secrets = Vec::new();
        for (name, value) in &config.headers {
            headers.push(header(name, value)?);
            secrets.push(value.clone());
        }
        if let Some(token) = &config.bearer_token {
            if config.oauth2.is_some() {
                return Err("bearer_token and oauth2 exclude each other".to_owned());
            }
            headers.push(bearer(token).ok_or("bearer_token: holds characters no token has")?);
            secrets.push(token.clone());
        }
        let named_twice = headers.iter().filter(|(name, _)| name == AUTHORIZATION).count() > 1;
        if named_twice || (config.oauth2.is_some() && config.headers.iter().any(is_authorization)) {
            return Err("authorization is given twice".to_owned());
        }
        let client = Client::new(&config.client).map_err(|error| error.to_string())?;
        let oauth2 = config.oauth2.clone().map(|oauth2| OAuth2::new(client.clone(), oauth2));
        Ok(Wire {
            client,
            url,
            headers,
            protocol: config.protocol,
            secrets,
            oauth2,
            refused: AtomicBool::new(false),
        })
    }

    /// One attempt.
    pub(crate) async fn send(&self, payload: &Payload) -> Verdict {
        let judge = |answer: &_, secrets: &[&str]| answer::verdict(answer, payload, secrets);
        self.exchange(payload.body.clone(), self.headers.clone(), judge).await
    }

    /// Posts an empty request, which changes nothing and still asks for URL and credentials.
    pub(crate) async fn probe(&self) -> Verdict {
        let body = match self.protocol {
            Protocol::HttpProtobuf | Protocol::Grpc => Bytes::new(),
            Protocol::HttpJson => Bytes::from_static(b"{\"resourceMetrics\":[]}"),
        };
        let mut headers = self.headers.clone();
        headers.retain(|(name, _)| name != CONTENT_ENCODING);
        self.exchange(body, headers, answer::probe_verdict).await
    }

    async fn exchange(
        &self,
        body: Bytes,
        mut headers: Vec<(HeaderName, HeaderValue)>,
        judge: impl Fn(&remote::Answer, &[&str]) -> Verdict,
    ) -> Verdict {
        let mut secrets: Vec<&str> = self.secrets.iter().map(Secret::expose).collect();
        let token = match &self.oauth2 {
            None => None,
            Some(oauth2) => match oauth2.token().await {
                Ok(token) => Some(token),
                Err(error) => return token_unavailable(&error, &secrets),
            },
        };
        if let Some(token) = &token {
            secrets.push(token.expose());
            headers.extend(bearer(token));
        }
        let request = Request { method: Method::POST, url: self.url.clone(), headers, body };
        let answer = match self.client.send(request).await {
            Ok(answer) => answer,
            Err(error) => return common::unreachable(&error, &secrets),
        };
        let verdict = judge(&answer, &secrets);
        match (&self.oauth2, &token) {
            (Some(oauth2), Some(token)) if answer.status == 401 => {
                oauth2.refused(token);
                self.refused_once(verdict)
            }
            _ => {
                self.refused.store(false, Ordering::Relaxed);
                verdict
            }
        }
    }

    /// The first refusal of a fetched token asks for another try at once, quietly.
    fn refused_once(&self, verdict: Verdict) -> Verdict {
        let again = self.refused.swap(true, Ordering::Relaxed);
        match verdict {
            Verdict::Later { why, .. } if !again => {
                Verdict::Later { after: Some(Duration::ZERO), loud: false, why }
            }
            other => other,
        }
    }

    /// Type and place.
    pub(crate) fn describe(&self) -> String {
        format!("otlp {}", self.url)
    }
}

/// Without a token there is no attempt. A provider that is merely not well is waited for quietly.
fn token_unavailable(error: &TokenError, secrets: &[&str]) -> Verdict {
    let (status, detail) = match error {
        TokenError::Unreachable(error) => return common::unreachable(error, secrets),
        TokenError::Refused { status, detail } | TokenError::Unusable { status, detail } => {
            (*status, detail)
        }
    };
    let loud = Class::of(status) != Class::Busy;
    let message = format!("no OAuth2 token: {}", common::quote(detail.as_bytes(), secrets));
    Verdict::Later { after: None, loud, why: Why { code: common::DESTINATION, message } }
}

fn header(name: &str, value: &Secret) -> Result<(HeaderName, HeaderValue), String> {
    let key = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("headers: {name:?} is no header name"))?;
    let mut value = HeaderValue::from_str(value.expose())
        .map_err(|_| format!("headers: the value of {name} holds characters no header has"))?;
    value.set_sensitive(true);
    Ok((key, value))
}

fn is_authorization((name, _): &(String, Secret)) -> bool {
    name.eq_ignore_ascii_case("authorization")
}

fn bearer(token: &Secret) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose().trim())).ok()?;
    value.set_sensitive(true);
    Some((AUTHORIZATION, value))
}

/// `/v1/metrics` is appended unless the URL has a path.
fn metrics_url(endpoint: &str) -> Result<String, String> {
    let endpoint = endpoint.trim();
    let rest = endpoint
        .strip_prefix("https://")
        .or_else(|| endpoint.strip_prefix("http://"))
        .ok_or_else(|| format!("endpoint: {endpoint:?} must begin with https:// or http://"))?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let unusable = |c: char| c.is_whitespace() || c.is_control() || c == '#';
    if authority.is_empty() || endpoint.contains(unusable) {
        return Err(format!("endpoint: {endpoint:?} is no usable URL"));
    }
    if authority.contains('@') {
        return Err("endpoint: the URL must not hold a user name or password".to_owned());
    }
    Ok(match path {
        "" | "/" => format!("{}{PATH}", endpoint.trim_end_matches('/')),
        _ => endpoint.to_owned(),
    })
}

#[cfg(test)]
mod tests;
