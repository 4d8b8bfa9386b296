//! The sending half: one POST with the credentials of the moment, one verdict.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use remote::{Answer, Client, Request, Secret};
use tokio::time::Instant;

use super::credentials::{Credentials, bearer, once_more, token_unavailable};
use super::divisions::Divisions;
use super::{Config, Naming, answer, name};
use crate::Verdict;
use crate::sink::{Payload, answer as common};

/// Snappy's form of no bytes at all, which is a `WriteRequest` without series.
const EMPTY: &[u8] = &[0];

/// The sending half.
pub struct Wire {
    client: Client,
    url: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    credentials: Credentials,
    /// The last answer refused a fetched token. Once is a token that was revoked early and is
    /// worth a try with a new one at once; twice is an outage.
    refused: AtomicBool,
    divisions: Mutex<Divisions>,
    started: Instant,
}

impl Wire {
    /// A wire for these settings; the error names what is wrong with them.
    pub(crate) fn new(config: &Config) -> Result<Wire, String> {
        check_url(&config.url)?;
        check_labels(config)?;
        let client = Client::new(&config.client).map_err(|error| error.to_string())?;
        let credentials = Credentials::new(config, &client)?;
        // Remote write 1.0, 3.1: the version is that of the protocol's draft, and stays so.
        let mut headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf")),
            (CONTENT_ENCODING, HeaderValue::from_static("snappy")),
            (
                HeaderName::from_static("x-prometheus-remote-write-version"),
                HeaderValue::from_static("0.1.0"),
            ),
        ];
        headers.extend(credentials.headers.iter().cloned());
        let started = Instant::now();
        Ok(Wire {
            client,
            url: config.url.trim().to_owned(),
            headers,
            credentials,
            refused: AtomicBool::new(false),
            divisions: Mutex::new(Divisions::new(started.elapsed())),
            started,
        })
    }

    /// One attempt.
    pub(crate) async fn send(&self, payload: &Payload) -> Verdict {
        let judge =
            |answer: &Answer, secrets: &[&str]| answer::verdict(answer, payload.points, secrets);
        match self.exchange(payload.body.clone(), judge).await {
            Verdict::Divide { mut why } if !self.may_divide() => {
                why.message = format!(
                    "{} (too many requests were refused just now to find which of {} points it is)",
                    why.message, payload.points
                );
                Verdict::Never { why }
            }
            verdict => verdict,
        }
    }

    fn may_divide(&self) -> bool {
        let mut divisions = self.divisions.lock().unwrap_or_else(PoisonError::into_inner);
        divisions.pay(self.started.elapsed())
    }

    /// Posts a request without series, which changes nothing and still asks for URL and credentials.
    pub(crate) async fn probe(&self) -> Verdict {
        self.exchange(Bytes::from_static(EMPTY), answer::probe_verdict).await
    }

    async fn exchange(&self, body: Bytes, judge: impl Fn(&Answer, &[&str]) -> Verdict) -> Verdict {
        let Credentials { secrets, oauth2, .. } = &self.credentials;
        let mut secrets: Vec<&str> = secrets.iter().map(Secret::expose).collect();
        let mut headers = self.headers.clone();
        let token = match oauth2 {
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
        match (oauth2, &token) {
            (Some(oauth2), Some(token)) if answer.status == 401 => {
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

    /// Type and place.
    pub(crate) fn describe(&self) -> String {
        // A query may hold a key.
        let place = common::shown(&self.url);
        format!("prometheus_remote_write {place}")
    }
}

fn check_url(url: &str) -> Result<(), String> {
    let url = url.trim();
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .ok_or_else(|| format!("url: {url:?} must begin with https:// or http://"))?;
    let (authority, _) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let unusable = |c: char| c.is_whitespace() || c.is_control() || c == '#';
    if authority.is_empty() || url.contains(unusable) {
        return Err(format!("url: {url:?} is no usable URL"));
    }
    if authority.contains('@') {
        return Err("url: must not hold a user name or password; use basic_auth".to_owned());
    }
    Ok(())
}

fn check_labels(config: &Config) -> Result<(), String> {
    for (label, _) in &config.external_labels {
        let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let digit_first = label.bytes().next().is_none_or(|b| b.is_ascii_digit());
        if !plain || digit_first || label.starts_with("__") {
            return Err(format!("external_labels: {label:?} is no name of a label"));
        }
        if config.naming == Naming::Otel && label == name::QUANTILE {
            return Err(format!("external_labels: {label:?} is needed for the series themselves"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
