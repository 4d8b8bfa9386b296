//! A bucket, driven by a queue of notifications or by listing a prefix.
//!
//! Owns what both ways share: the settings, who we are, and what is said of a refusal. Not here: the
//! ways themselves.

mod listing;
mod queue;
mod recent;

use std::sync::Arc;
use std::time::Duration;

use remote::aws::s3::S3;
use remote::aws::{Fault, Identity, IdentityConfig};
use tokio::sync::watch;

use super::carry::Carrier;
use super::fetch::{pause, stops};
use super::stats::{Stats, Trouble};
use super::{Limits, Parts, State};
use crate::Clock;

/// The first wait after a refusal; each is twice the one before.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest: a person who has mended something should not wait longer.
const PATIENCE_MAX: Duration = Duration::from_secs(60);

/// Settings of a source of type `s3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its name in the settings.
    pub name: String,
    /// Bucket; with a queue, the only one whose objects are read when it is given.
    pub bucket: Option<String>,
    /// Only keys that begin with it.
    pub prefix: String,
    /// The queue; without it the prefix is listed.
    pub sqs_queue_url: Option<String>,
    /// The prefix is listed again after this long; `None` lists once.
    pub interval: Option<Duration>,
    /// Listing begins after this key, the first time.
    pub start_after: Option<String>,
    /// How long a message is hidden before it is extended.
    pub visibility: Duration,
    /// Limits.
    pub limits: Limits,
    /// Who we are, and where AWS is.
    pub identity: IdentityConfig,
}

/// One source. Cheap to clone.
#[derive(Clone)]
pub struct Source {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    carrier: Carrier,
    stats: Arc<Stats>,
    state: std::path::PathBuf,
    clock: Clock,
}

impl Source {
    /// A source that appends to the topic.
    pub fn new(config: Config, parts: Parts) -> Source {
        let stats = Arc::<Stats>::default();
        let limit = config.limits.object_bytes;
        let carrier = Carrier::new(&config.name, &parts, limit, Arc::clone(&stats));
        let inner = Inner { config, carrier, stats, state: parts.state, clock: parts.clock };
        Source { inner: Arc::new(inner) }
    }

    /// Its name in the settings.
    pub fn name(&self) -> &str {
        &self.inner.config.name
    }

    /// Its counters.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.inner.stats)
    }

    /// True when it was asked to list once, and all is read and durable.
    pub fn is_done(&self) -> bool {
        self.inner.stats.is_done()
    }

    /// Reads until all is read (listing once) or until `stop` turns true. Messages at work are given
    /// back then.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        self.inner.stats.started();
        let mut patience = Patience::default();
        let identity = loop {
            let mut stopped = stop.clone();
            let loaded = tokio::select! {
                loaded = Identity::load(self.inner.config.identity.clone()) => loaded,
                () = stops(&mut stopped) => return,
            };
            match loaded {
                Ok(identity) => break identity,
                Err(fault) => self.inner.refused(&fault),
            }
            if !pause(patience.next(), &stop).await {
                return;
            }
        };
        self.inner.stats.clear();
        self.run_as(identity, stop).await;
    }

    /// The same, as somebody who is known already.
    pub async fn run_as(self, identity: Identity, stop: watch::Receiver<bool>) {
        let inner = self.inner;
        inner.stats.started();
        let s3 = S3::new(identity.clone());
        match inner.config.sqs_queue_url.clone() {
            Some(url) => queue::run(inner, s3, identity, &url, stop).await,
            None => listing::run(inner, s3, stop).await,
        }
    }
}

impl Inner {
    /// Somebody refuses: says so, once a text in the log and always in `status`.
    fn refused(&self, fault: &Fault) {
        self.trouble(&fault.to_string(), fault.remedy.as_deref());
    }

    fn trouble(&self, text: &str, remedy: Option<&str>) {
        let known = matches!(self.stats.state(), State::Refused(known) if known.text == text);
        if !known {
            tracing::warn!(source = self.config.name, fault = text, remedy, "source is refused");
        }
        let (text, remedy) = (text.to_owned(), remedy.map(str::to_owned));
        self.stats.refuse(Trouble { at_ms: (self.clock)(), text, remedy });
    }
}

/// Waits that grow while nothing succeeds.
#[derive(Default)]
struct Patience {
    waited: Option<Duration>,
}

impl Patience {
    fn next(&mut self) -> Duration {
        let next = self.waited.map_or(PATIENCE, |waited| (waited * 2).min(PATIENCE_MAX));
        self.waited = Some(next);
        next
    }
    fn reset(&mut self) {
        self.waited = None;
    }
}
