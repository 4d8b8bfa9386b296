//! Credentials, and the wallet that keeps them fresh.
//!
//! Always: one refresh at a time, and nobody waits for it who holds credentials that are still good;
//! a refresh that failed leaves the old ones in use until they expire, and is not repeated within a
//! second.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::Fault;
use super::chain::Chain;
use super::fault::Kind;
use crate::Secret;

/// Credentials are renewed this long before they expire: AWS's own SDKs do so, and a token that runs
/// out inside a long upload would lose it.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// Up to this much earlier, so that a hundred processes started together do not ask together.
const JITTER_SECONDS: i64 = 60;
/// A failed refresh is remembered this long, so that retries do not hammer the provider.
const FAILURE_KEPT: Duration = Duration::from_secs(1);

/// What signs.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) token: Option<Secret>,
    /// `None`: they do not expire.
    pub(super) expires: Option<Timestamp>,
    /// Where they are from, for a person.
    pub(super) from: String,
}

/// The credentials of an identity.
#[derive(Debug)]
pub(super) struct Wallet {
    chain: Chain,
    state: Mutex<State>,
    gate: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    failed: Option<(Instant, Fault)>,
}

#[derive(Clone, Debug)]
struct Held {
    credentials: Credentials,
    renew_at: Option<Timestamp>,
}

impl Held {
    fn fresh(&self, now: Timestamp) -> bool {
        self.renew_at.is_none_or(|at| now < at)
    }
    fn alive(&self, now: Timestamp) -> bool {
        self.credentials.expires.is_none_or(|at| now < at)
    }
}

impl Wallet {
    pub(super) fn new(chain: Chain) -> Wallet {
        Wallet { chain, state: Mutex::new(State::default()), gate: Semaphore::new(1) }
    }

    /// Credentials that are good now.
    pub(super) async fn credentials(&self) -> Result<Credentials, Fault> {
        if let Some(known) = self.known(false) {
            return known;
        }
        let Ok(_gate) = self.gate.try_acquire() else {
            // Somebody is at it; what is still good need not wait.
            if let Some(Ok(alive)) = self.known(true) {
                return Ok(alive);
            }
            let _gate = self.gate.acquire().await;
            if let Some(known) = self.known(false) {
                return known;
            }
            return self.refresh().await;
        };
        if let Some(known) = self.known(false) {
            return known;
        }
        self.refresh().await
    }

    /// These were refused as expired: others next time. False when the chain has only these.
    pub(super) fn refused(&self, id: &str) -> bool {
        if !self.chain.renews() {
            return false;
        }
        let mut state = self.state();
        if state.held.as_ref().is_some_and(|held| held.credentials.id == id) {
            state.held = None;
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What can be said without asking anyone; `late` also takes what should be renewed.
    fn known(&self, late: bool) -> Option<Result<Credentials, Fault>> {
        let state = self.state();
        let now = Timestamp::now();
        if let Some(held) = state.held.as_ref().filter(|h| h.fresh(now) || (late && h.alive(now))) {
            return Some(Ok(held.credentials.clone()));
        }
        let (when, fault) = state.failed.as_ref()?;
        if Instant::now() >= *when + FAILURE_KEPT {
            return None;
        }
        let alive = state.held.as_ref().filter(|held| held.alive(now));
        Some(alive.map(|held| held.credentials.clone()).ok_or_else(|| fault.clone()))
    }

    async fn refresh(&self) -> Result<Credentials, Fault> {
        let fetched = self.chain.fetch().await;
        let mut state = self.state();
        let now = Timestamp::now();
        match fetched {
            Ok(credentials) => {
                tracing::debug!(from = %credentials.from, "aws credentials");
                let renew_at = credentials.expires.map(|expires| renewal(now, expires));
                state.held = Some(Held { credentials: credentials.clone(), renew_at });
                state.failed = None;
                Ok(credentials)
            }
            Err(mut fault) => {
                if state.held.is_some() && fault.kind == Kind::NoCredentials {
                    // There were some: the source is away, and will be back.
                    fault.kind = Kind::Unwell;
                }
                tracing::warn!(error = %fault, "aws credentials could not be renewed");
                state.failed = Some((Instant::now(), fault.clone()));
                let alive = state.held.as_ref().filter(|held| held.alive(now));
                alive.map(|held| held.credentials.clone()).ok_or(fault)
            }
        }
    }
}

/// Five to six minutes before the end, but never in the first half of what is left.
fn renewal(now: Timestamp, expires: Timestamp) -> Timestamp {
    let jitter = SignedDuration::from_secs(jitter());
    let early = expires.checked_sub(RENEW_BEFORE + jitter).unwrap_or(now);
    let left = expires.duration_since(now).max(SignedDuration::ZERO);
    let half = now.checked_add(left / 2).unwrap_or(now);
    early.max(half)
}

fn jitter() -> i64 {
    let mut byte = [0_u8];
    // Without randomness there is no jitter, which is no harm to one process.
    aws_lc_rs::rand::fill(&mut byte).ok();
    i64::from(byte[0]) * JITTER_SECONDS / 256
}
