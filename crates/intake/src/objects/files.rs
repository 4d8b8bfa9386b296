//! A folder of captured objects, and standard input.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;

use super::{Limits, Parts};

/// Settings of a source of type `file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its name in the settings.
    pub name: String,
    /// A file, a folder (read with all folders in it), or `None` for standard input.
    pub path: Option<PathBuf>,
    /// The folder is looked at again after this long; `None` reads it once.
    pub interval: Option<Duration>,
    /// Limits.
    pub limits: Limits,
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

    /// Reads until all is read (without an interval) or until `stop` turns true.
    pub async fn run(self, _stop: watch::Receiver<bool>) {}
}
