//! The sending half: one POST with the credentials of the moment, one verdict.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use remote::{Answer, Client, Request};
use tokio::time::Instant;

use super::divisions::Divisions;
use super::{Config, Naming, answer, name};
use crate::Verdict;
use crate::sink::credentials::{Credentials, Given, Header};
use crate::sink::{Payload, answer as common, url};

/// Snappy's form of no bytes at all, which is a `WriteRequest` without series.
const EMPTY: &[u8] = &[0];

/// The sending half.
pub struct Wire {
    client: Client,
    url: String,
    /// Of the protocol.
    headers: Vec<Header>,
    credentials: Credentials,
    divisions: Mutex<Divisions>,
    started: Instant,
}

impl Wire {
    /// A wire for these settings; the error names what is wrong with them.
    pub(crate) fn new(config: &Config) -> Result<Wire, String> {
        url::parts("url", &config.url)?;
        check_labels(config)?;
        let client = Client::new(&config.client).map_err(|error| error.to_string())?;
        let given = Given {
            url: &config.url,
            headers: &config.headers,
            basic_auth: config.basic_auth.as_ref(),
            bearer_token: config.bearer_token.as_ref(),
            oauth2: config.oauth2.as_ref(),
        };
        let credentials = Credentials::new(&given, &client)?;
        // Remote write 1.0, 3.1: the version is that of the protocol's draft, and stays so.
        let headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf")),
            (CONTENT_ENCODING, HeaderValue::from_static("snappy")),
            (
                HeaderName::from_static("x-prometheus-remote-write-version"),
                HeaderValue::from_static("0.1.0"),
            ),
        ];
        let started = Instant::now();
        Ok(Wire {
            client,
            url: config.url.trim().to_owned(),
            headers,
            credentials,
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
        let ask = |credentials: Vec<Header>| {
            let headers = [self.headers.as_slice(), &credentials].concat();
            let request = Request { method: Method::POST, url: self.url.clone(), headers, body };
            async { self.client.send(request).await.map(common::plain) }
        };
        self.credentials.attempt(ask, |answer| answer.status == 401, judge).await
    }

    /// Type and place.
    pub(crate) fn describe(&self) -> String {
        // A query may hold a key.
        format!("prometheus_remote_write {}", url::shown(&self.url))
    }
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
