//! A bucket, driven by a queue of notifications or by listing a prefix.

use std::time::Duration;

use remote::aws::IdentityConfig;
use tokio::sync::watch;

use super::{Limits, Parts};

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
    name: String,
}

impl Source {
    /// A source that appends to the topic.
    pub fn new(config: Config, _parts: Parts) -> Source {
        Source { name: config.name }
    }

    /// Its name in the settings.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads until all is read (listing once) or until `stop` turns true.
    pub async fn run(self, _stop: watch::Receiver<bool>) {}
}
