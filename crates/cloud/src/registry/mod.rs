//! The resources: metric streams and delivery streams, kept over a restart.
//!
//! Owns the file they are kept in, written whole, synced and renamed at every change, before the
//! change is told to anybody. Access keys in it are sealed. Always holds: a reader sees a state that
//! was durable; names are unique in account and kind. Not here: who may change what (`api`), and
//! what the operations mean (`cloudwatch`, `firehose`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::firehose::DeliveryStream;

/// All resources.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resources {
    /// By [`key`].
    pub metric_streams: BTreeMap<String, MetricStream>,
    /// By [`key`].
    pub delivery_streams: BTreeMap<String, DeliveryStream>,
}

/// What a resource is kept under: `111122223333/name`.
pub fn key(account: &str, name: &str) -> String {
    format!("{account}/{name}")
}

/// A metric stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricStream {
    /// Name.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// Where its records go.
    pub firehose_arn: String,
    /// Kept and told, not used.
    pub role_arn: String,
    /// `json`, `opentelemetry0.7`, `opentelemetry1.0`.
    pub output_format: String,
    /// Namespace and metric names; no names is the whole namespace.
    pub include: Vec<(String, Vec<String>)>,
    /// The same.
    pub exclude: Vec<(String, Vec<String>)>,
    /// Metrics (namespace and name) with their additional statistics.
    pub statistics: Vec<Additional>,
    /// Metrics of linked accounts too.
    pub linked_accounts: bool,
    /// It runs.
    pub running: bool,
    /// Milliseconds since the epoch.
    pub created_ms: i64,
    /// The same.
    pub updated_ms: i64,
    /// Tags, by key.
    pub tags: BTreeMap<String, String>,
}

/// A member of `StatisticsConfigurations`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Additional {
    /// Namespaces and names of metrics.
    pub metrics: Vec<(String, String)>,
    /// Names of statistics, as given.
    pub statistics: Vec<String>,
}

/// The resources, shared. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Registry {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    now: Mutex<Arc<Resources>>,
    changed: tokio::sync::watch::Sender<u64>,
}

impl Registry {
    /// Reads the file, or begins with nothing. The text says why it cannot be read.
    pub fn open(path: &Path) -> Result<Registry, String> {
        let _ = path;
        Err("not built".to_owned())
    }

    /// The resources now.
    pub fn now(&self) -> Arc<Resources> {
        Arc::clone(&self.lock())
    }

    /// Changes them: `change` is given a copy, and what it answers is answered once the copy is
    /// durable. An error of `change` changes nothing; `Err(Err(text))` is a failed disk.
    pub fn change<T, E>(
        &self,
        change: impl FnOnce(&mut Resources) -> Result<T, E>,
    ) -> Result<T, Result<E, String>> {
        let mut copy = Resources::clone(&self.lock());
        let told = change(&mut copy).map_err(Ok)?;
        *self.lock() = Arc::new(copy);
        self.inner.changed.send_modify(|count| *count += 1);
        Ok(told)
    }

    /// Counts changes, for whoever must follow them.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// Where they are kept.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Resources>> {
        self.inner.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
