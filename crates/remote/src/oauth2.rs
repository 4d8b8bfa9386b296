//! OAuth2 client credentials (RFC 6749, 4.4): one token, cached, fetched anew before it expires.
//!
//! Owns the token. Concurrent callers share one fetch; a fetch that failed is not repeated within a
//! second. No error text shows the client secret or a token.
//!
//! RFC 6749 has client id and secret form-encoded before they are joined for HTTP Basic. Many
//! providers, and most clients of people's own making, join them as they are. For most credentials
//! that is the same; where it is not, a provider that refuses the one is asked once more with the
//! other, and what it took is what it is asked with from then on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::client::place_of;
use crate::{Answer, Client, Request, Secret, Unreachable, Why};

/// Life of a token whose answer does not say: the shortest that common providers give.
const LIFE_UNSAID: Duration = Duration::from_secs(300);
/// Longest life believed; keeps arithmetic on instants within bounds.
const LIFE_MAX: Duration = Duration::from_secs(7 * 86_400);
/// A failed fetch is remembered this long, so that a stream's retries do not hammer the provider.
const FAILURE_KEPT: Duration = Duration::from_secs(1);
/// Characters of a provider's own explanation that are passed on.
const DESCRIPTION_MAX: usize = 200;

/// What is said of a success that is none.
const NO_TOKEN: &str = ": the body is not the JSON of a token (check the token URL: a sign-in page or \
                        a proxy may answer in its place)";

/// How to get a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth2Config {
    /// Token endpoint.
    pub token_url: String,
    /// Client id.
    pub client_id: String,
    /// Client secret, sent by HTTP Basic.
    pub client_secret: Secret,
    /// `audience`, when the provider wants one.
    pub audience: Option<String>,
    /// `scope`, when the provider wants one.
    pub scope: Option<String>,
    /// A token is renewed this long before it expires, but never in the first half of its life.
    pub renew_before: Duration,
}

/// There is no token.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TokenError {
    /// The provider says no (400, 401, 403): client id, secret, audience or scope are wrong.
    #[error("{detail}")]
    Refused {
        /// Its status.
        status: u16,
        /// For a person: who said what.
        detail: String,
    },
    /// It answered, but not with a token: another status, HTML, a token of another kind.
    #[error("{detail}")]
    Unusable {
        /// Its status.
        status: u16,
        /// For a person: who said what.
        detail: String,
    },
    /// No answer.
    #[error("token endpoint: {0}")]
    Unreachable(#[from] Unreachable),
}

impl From<TokenError> for Unreachable {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Refused { detail, .. } => Unreachable { why: Why::Request, detail },
            TokenError::Unusable { detail, .. } => Unreachable { why: Why::Protocol, detail },
            TokenError::Unreachable(Unreachable { why, detail }) => {
                Unreachable { why, detail: format!("token endpoint {detail}") }
            }
        }
    }
}

/// A token source. Cheap to clone; concurrent callers share one fetch.
#[derive(Clone)]
pub struct OAuth2 {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    config: OAuth2Config,
    state: Mutex<State>,
    /// One fetch at a time; who waited looks at the state again.
    gate: Semaphore,
}

#[derive(Default)]
struct State {
    token: Option<Held>,
    failed: Option<(Instant, TokenError)>,
    /// How the provider reads client id and secret.
    spelling: Spelling,
}

/// How client id and secret are written for HTTP Basic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Spelling {
    /// As RFC 6749, 2.3.1 says.
    #[default]
    Encoded,
    AsTheyAre,
}

impl Spelling {
    fn other(self) -> Self {
        match self {
            Self::Encoded => Self::AsTheyAre,
            Self::AsTheyAre => Self::Encoded,
        }
    }

    fn of(self, text: &str) -> String {
        match self {
            Self::Encoded => encode(&[("", text)]).trim_start_matches('=').to_owned(),
            Self::AsTheyAre => text.to_owned(),
        }
    }
}

struct Held {
    secret: Secret,
    renew_at: Instant,
    expires_at: Instant,
}

/// The members of the answer that matter (RFC 6749, 5.1 and 5.2).
#[derive(Default, Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<serde_json::Value>,
    error: Option<String>,
    error_description: Option<String>,
}

impl OAuth2 {
    /// With this client.
    pub fn new(client: Client, config: OAuth2Config) -> Self {
        let state = Mutex::new(State::default());
        Self { inner: Arc::new(Inner { client, config, state, gate: Semaphore::new(1) }) }
    }

    /// A valid token.
    pub async fn token(&self) -> Result<Secret, TokenError> {
        let inner = &self.inner;
        if let Some(known) = inner.known() {
            return known;
        }
        // The semaphore is never closed, and a fetch without the gate is still a correct fetch.
        let _gate = inner.gate.acquire().await;
        if let Some(known) = inner.known() {
            return known;
        }
        let fetched = inner.fetch().await;
        inner.settle(fetched)
    }

    /// The backend refused `token`: fetch a new one next time (no effect if it was replaced meanwhile).
    pub fn refused(&self, token: &Secret) {
        let mut state = self.inner.state();
        if state.token.as_ref().is_some_and(|held| held.secret.matches(token.expose().as_bytes())) {
            state.token = None;
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What can be said without asking anyone.
    fn known(&self) -> Option<Result<Secret, TokenError>> {
        let state = self.state();
        let now = Instant::now();
        let fresh = state.token.as_ref().filter(|held| now < held.renew_at);
        if let Some(held) = fresh {
            return Some(Ok(held.secret.clone()));
        }
        let (when, error) = state.failed.as_ref()?;
        if now >= *when + FAILURE_KEPT {
            return None;
        }
        // Renewal fails for now, and the old token still has some life.
        let alive = state.token.as_ref().filter(|held| now < held.expires_at);
        Some(alive.map(|held| held.secret.clone()).ok_or_else(|| error.clone()))
    }

    fn settle(
        &self,
        fetched: Result<(Secret, Duration), TokenError>,
    ) -> Result<Secret, TokenError> {
        let mut state = self.state();
        let now = Instant::now();
        match fetched {
            Ok((secret, life)) => {
                let early = self.config.renew_before.min(life / 2);
                let held = Held {
                    secret: secret.clone(),
                    renew_at: now + (life - early),
                    expires_at: now + life,
                };
                (state.token, state.failed) = (Some(held), None);
                Ok(secret)
            }
            Err(error) => {
                tracing::warn!(%error, "no oauth2 token");
                state.failed = Some((now, error.clone()));
                let alive = state.token.as_ref().filter(|held| now < held.expires_at);
                alive.map(|held| held.secret.clone()).ok_or(error)
            }
        }
    }

    async fn fetch(&self) -> Result<(Secret, Duration), TokenError> {
        let usual = self.state().spelling;
        let first = self.fetch_spelled(usual).await;
        let other = usual.other();
        if !matches!(first, Err(TokenError::Refused { .. })) || !self.spelling_matters() {
            return first;
        }
        // When both are refused, it is not for the spelling: the first answer tells why.
        let Ok(second) = self.fetch_spelled(other).await else { return first };
        self.state().spelling = other;
        Ok(second)
    }

    fn spelling_matters(&self) -> bool {
        let texts = [&*self.config.client_id, self.config.client_secret.expose()];
        texts.iter().any(|text| Spelling::Encoded.of(text) != **text)
    }

    async fn fetch_spelled(&self, spelling: Spelling) -> Result<(Secret, Duration), TokenError> {
        let answer = self.client.send(self.request(spelling)?).await?;
        let url = Url::parse(&self.config.token_url);
        let place = url.map(|url| place_of(&url)).unwrap_or_default();
        self.read(&answer, &format!("token endpoint {place} answered {}", answer.status))
    }

    fn request(&self, spelling: Spelling) -> Result<Request, Unreachable> {
        let config = &self.config;
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(config.audience.as_deref().map(|audience| ("audience", audience)));
        form.extend(config.scope.as_deref().map(|scope| ("scope", scope)));
        let user = spelling.of(&config.client_id);
        let basic = self.client.basic(&user, &spelling.of(config.client_secret.expose()));
        let basic = basic.ok_or_else(|| Unreachable {
            why: Why::Request,
            detail: "client id and secret do not fit into a header".to_owned(),
        })?;
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        Ok(Request {
            method: Method::POST,
            url: config.token_url.clone(),
            headers: vec![
                (AUTHORIZATION, basic),
                (CONTENT_TYPE, form_type),
                (ACCEPT, HeaderValue::from_static("application/json")),
            ],
            body: Bytes::from(encode(&form)),
        })
    }

    fn read(&self, answer: &Answer, said: &str) -> Result<(Secret, Duration), TokenError> {
        let status = answer.status;
        let parsed = serde_json::from_slice::<TokenAnswer>(&answer.body);
        if matches!(status, 400 | 401 | 403) {
            let words = self.explanation(&parsed.unwrap_or_default());
            let detail = format!("{said}{words} (check client id, secret, audience and scope)");
            return Err(TokenError::Refused { status, detail });
        }
        let unusable =
            |what: &str| TokenError::Unusable { status, detail: format!("{said}{what}") };
        if status != 200 {
            let helps = match status {
                429 | 500.. => "the provider is unwell and is asked again: see its own status",
                _ => "check the token URL",
            };
            let words = self.explanation(&parsed.unwrap_or_default());
            return Err(unusable(&format!("{words} ({helps})")));
        }
        let parsed = parsed.map_err(|_| unusable(NO_TOKEN))?;
        let kind = parsed.token_type.as_deref().unwrap_or("Bearer");
        if !kind.eq_ignore_ascii_case("bearer") {
            return Err(unusable(": the token is not of type Bearer"));
        }
        let token = parsed.access_token.filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| unusable(": access_token is missing"))?;
        Ok((Secret::new(token), life(parsed.expires_in.as_ref())))
    }

    /// The provider's own words, without the secret should it have echoed it.
    fn explanation(&self, answer: &TokenAnswer) -> String {
        let words = [answer.error.as_deref(), answer.error_description.as_deref()];
        let mut text = String::new();
        for word in words.into_iter().flatten() {
            text.push_str(": ");
            text.push_str(word);
        }
        let secret = self.config.client_secret.expose();
        if !secret.is_empty() {
            text = text.replace(secret, "***");
        }
        text.chars().filter(|c| !c.is_control()).take(DESCRIPTION_MAX).collect()
    }
}

/// Some providers write the number as a string.
fn life(expires_in: Option<&serde_json::Value>) -> Duration {
    let seconds = expires_in.and_then(|value| match value {
        serde_json::Value::String(text) => text.parse().ok(),
        other => other.as_f64().map(|seconds| seconds as u64),
    });
    seconds.map_or(LIFE_UNSAID, |seconds| Duration::from_secs(seconds).min(LIFE_MAX))
}

/// `application/x-www-form-urlencoded`.
fn encode(pairs: &[(&str, &str)]) -> String {
    let url = Url::parse_with_params("http://localhost", pairs);
    url.ok().and_then(|url| url.query().map(str::to_owned)).unwrap_or_default()
}
