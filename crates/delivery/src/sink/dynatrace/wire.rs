//! The sending half: one POST, one verdict. The token is in one header and nowhere else.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use remote::{Client, Request, Secret};

use super::url::{ingest_url, normalise_url};
use super::{Config, answer};
use crate::Verdict;
use crate::sink::url::shown;
use crate::sink::{Payload, answer as common};

/// The sending half.
pub struct Wire {
    client: Client,
    base: String,
    url: String,
    token: Secret,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Wire {
    /// A wire for these settings; the error names what is wrong with them.
    pub(crate) fn new(config: &Config) -> Result<Wire, String> {
        let base = normalise_url(&config.url).map_err(|why| format!("url: {why}"))?;
        let mut headers =
            vec![(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
        if config.compression {
            headers.push((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
        }
        let token = config.api_token.expose().trim();
        // A OneAgent's local endpoint wants none.
        if !token.is_empty() {
            let mut value = HeaderValue::from_str(&format!("Api-Token {token}"))
                .map_err(|_| "api_token: holds characters that no token has".to_owned())?;
            value.set_sensitive(true);
            headers.push((AUTHORIZATION, value));
        }
        Ok(Wire {
            client: Client::new(&config.client).map_err(|error| error.to_string())?,
            url: ingest_url(&base),
            base,
            token: Secret::new(token),
            headers,
        })
    }

    /// One attempt.
    pub(crate) async fn send(&self, payload: &Payload) -> Verdict {
        match self.client.send(self.request(payload.body.clone())).await {
            Ok(answer) => {
                answer::verdict(&common::plain(answer), payload, self.token.expose(), now_us())
            }
            Err(error) => common::unreachable(&error, &[self.token.expose()]),
        }
    }

    /// Posts nothing at all, which changes nothing and still asks for URL, token and scope.
    pub(crate) async fn probe(&self) -> Verdict {
        let mut request = self.request(Bytes::new());
        request.headers.retain(|(name, _)| name != CONTENT_ENCODING);
        match self.client.send(request).await {
            Ok(answer) => {
                answer::probe_verdict(&common::plain(answer), self.token.expose(), now_us())
            }
            Err(error) => common::unreachable(&error, &[self.token.expose()]),
        }
    }

    fn request(&self, body: Bytes) -> Request {
        Request { method: Method::POST, url: self.url.clone(), headers: self.headers.clone(), body }
    }

    /// Type and place.
    pub(crate) fn describe(&self) -> String {
        format!("dynatrace {}", shown(&self.base))
    }
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
