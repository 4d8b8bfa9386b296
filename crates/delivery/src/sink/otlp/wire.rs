//! The sending half: one POST or call with the credentials of the moment, one verdict.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, TE};
use http::{HeaderName, HeaderValue, Method};
use remote::grpc::{Call, Channel, ChannelError, Outcome};
use remote::{Client, OAuth2, Request, Secret, TokenError, Unreachable};

use super::{Compression, Config, Protocol, answer, grpc};
use crate::sink::answer::Class;
use crate::sink::{Payload, answer as common};
use crate::{Verdict, Why};

/// Path of the metrics service, where the URL gives none.
const PATH: &str = "/v1/metrics";

/// The sending half.
pub struct Wire {
    transport: Transport,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What must never be quoted.
    secrets: Vec<Secret>,
    oauth2: Option<OAuth2>,
    /// The last answer refused a fetched token. Once is a token that was revoked early and is
    /// worth a try with a new one at once; twice is an outage.
    refused: AtomicBool,
}

enum Transport {
    Http { client: Client, url: String, empty: &'static [u8] },
    Grpc { channel: Channel, encoding: Option<&'static str> },
}

/// What an attempt came to.
enum Attempt {
    Http(remote::Answer),
    Grpc(Outcome),
}

impl Attempt {
    fn refused_credentials(&self) -> bool {
        match self {
            Attempt::Http(answer) => answer.status == 401,
            Attempt::Grpc(outcome) => grpc::is_unauthenticated(outcome),
        }
    }
}

impl Wire {
    /// A wire for these settings; the error names what is wrong with them.
    pub(crate) fn new(config: &Config) -> Result<Wire, String> {
        let mut headers = Vec::new();
        let mut secrets = common::secrets_of(&config.endpoint);
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
        let transport = match config.protocol {
            Protocol::Grpc => grpc_transport(config, &headers)?,
            Protocol::HttpProtobuf | Protocol::HttpJson => {
                let (transport, own) = http_transport(config, client)?;
                headers.splice(0..0, own);
                transport
            }
        };
        Ok(Wire { transport, headers, secrets, oauth2, refused: AtomicBool::new(false) })
    }

    /// One attempt.
    pub(crate) async fn send(&self, payload: &Payload) -> Verdict {
        let judge = |attempt: &Attempt, secrets: &[&str]| match attempt {
            Attempt::Http(answer) => answer::verdict(answer, payload, secrets),
            Attempt::Grpc(outcome) => grpc::verdict(outcome, payload, secrets),
        };
        self.exchange(Some(payload.body.clone()), judge).await
    }

    /// Sends an empty request, which changes nothing and still asks for URL and credentials.
    pub(crate) async fn probe(&self) -> Verdict {
        let judge = |attempt: &Attempt, secrets: &[&str]| match attempt {
            Attempt::Http(answer) => answer::probe_verdict(answer, secrets),
            Attempt::Grpc(outcome) => grpc::probe_verdict(outcome, secrets),
        };
        self.exchange(None, judge).await
    }

    async fn exchange(
        &self,
        body: Option<Bytes>,
        judge: impl Fn(&Attempt, &[&str]) -> Verdict,
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
        let attempt = match self.attempt(body, headers).await {
            Ok(attempt) => attempt,
            Err(error) => return common::unreachable(&error, &secrets),
        };
        let verdict = judge(&attempt, &secrets);
        match (&self.oauth2, &token) {
            (Some(oauth2), Some(token)) if attempt.refused_credentials() => {
                oauth2.refused(token);
                self.refused_once(verdict)
            }
            _ => {
                self.refused.store(false, Ordering::Relaxed);
                verdict
            }
        }
    }

    /// Sends a body, or an empty request that is not compressed.
    async fn attempt(
        &self,
        body: Option<Bytes>,
        mut headers: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<Attempt, Unreachable> {
        match &self.transport {
            Transport::Http { client, url, empty } => {
                let body = body.unwrap_or_else(|| {
                    headers.retain(|(name, _)| name != CONTENT_ENCODING);
                    Bytes::from_static(empty)
                });
                let request = Request { method: Method::POST, url: url.clone(), headers, body };
                client.send(request).await.map(Attempt::Http)
            }
            Transport::Grpc { channel, encoding } => {
                let encoding = encoding.filter(|_| body.is_some());
                let message = body.unwrap_or_default();
                let call = Call { path: grpc::PATH, metadata: headers, encoding, message };
                channel.call(call).await.map(Attempt::Grpc)
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
        match &self.transport {
            Transport::Http { url, .. } => format!("otlp {}", common::shown(url)),
            Transport::Grpc { channel, .. } => format!("otlp grpc {}", channel.place()),
        }
    }
}

/// The transport, and the headers that belong to its bodies.
fn http_transport(
    config: &Config,
    client: Client,
) -> Result<(Transport, Vec<(HeaderName, HeaderValue)>), String> {
    let url = metrics_url(&config.endpoint)?;
    let (content_type, empty): (_, &[u8]) = match config.protocol {
        Protocol::HttpJson => ("application/json", b"{\"resourceMetrics\":[]}"),
        Protocol::HttpProtobuf | Protocol::Grpc => ("application/x-protobuf", b""),
    };
    let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static(content_type))];
    match config.compression {
        Compression::None => {}
        Compression::Gzip => headers.push((CONTENT_ENCODING, HeaderValue::from_static("gzip"))),
        Compression::Zstd => headers.push((CONTENT_ENCODING, HeaderValue::from_static("zstd"))),
    }
    Ok((Transport::Http { client, url, empty }, headers))
}

fn grpc_transport(
    config: &Config,
    headers: &[(HeaderName, HeaderValue)],
) -> Result<Transport, String> {
    let encoding = match config.compression {
        Compression::None => None,
        Compression::Gzip => Some("gzip"),
        Compression::Zstd => return Err("compression: grpc takes gzip or none".to_owned()),
    };
    let own = |name: &HeaderName| {
        name.as_str().starts_with("grpc-") || [CONTENT_TYPE, TE, CONNECTION, HOST].contains(name)
    };
    if let Some((name, _)) = headers.iter().find(|(name, _)| own(name)) {
        return Err(format!("headers: {name} belongs to gRPC itself"));
    }
    let channel = Channel::new(&config.endpoint, &config.client).map_err(|error| match error {
        ChannelError::Endpoint(why) => format!("endpoint: {why}"),
        ChannelError::Tls(error) => error.to_string(),
    })?;
    if channel.place().ends_with(":4318") {
        tracing::warn!(
            endpoint = channel.place(),
            "port 4318 is that of OTLP over HTTP by custom; OTLP over gRPC has 4317"
        );
    }
    Ok(Transport::Grpc { channel, encoding })
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
