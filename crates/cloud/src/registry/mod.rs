//! The resources: metric streams and delivery streams, kept over a restart.
//!
//! Owns the file they are kept in, written whole, synced and renamed at every change, before the
//! change is told to anybody. Access keys in it are sealed. Always holds: a reader sees a state that
//! was durable; names are unique in account and kind. Not here: who may change what (`api`), and
//! what the operations mean (`cloudwatch`, `firehose`).

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
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
    /// Held while a change is written.
    writing: Mutex<()>,
    changed: tokio::sync::watch::Sender<u64>,
}

/// The file: its version, and the resources.
#[derive(Serialize, Deserialize)]
struct Kept<R> {
    version: u32,
    resources: R,
}

/// The version this release writes, and the newest it reads.
const VERSION: u32 = 1;

impl Registry {
    /// Reads the file, or begins with nothing. The text says why it cannot be read.
    pub fn open(path: &Path) -> Result<Registry, String> {
        let resources = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Resources::default(),
            Err(error) => return Err(format!("{}: {error}", path.display())),
            Ok(bytes) => read(&bytes).map_err(|why| format!("{}: {why}", path.display()))?,
        };
        let (changed, _) = tokio::sync::watch::channel(0);
        let now = Mutex::new(Arc::new(resources));
        let inner = Inner { path: path.to_owned(), now, writing: Mutex::new(()), changed };
        Ok(Registry { inner: Arc::new(inner) })
    }

    /// The resources now.
    pub fn now(&self) -> Arc<Resources> {
        Arc::clone(&locked(&self.inner.now))
    }

    /// Changes them: `change` is given a copy, and what it answers is answered once the copy is
    /// durable. An error of `change` changes nothing; `Err(Err(text))` is a failed disk. Changes come
    /// one after the other; reading goes on meanwhile.
    pub fn change<T, E>(
        &self,
        change: impl FnOnce(&mut Resources) -> Result<T, E>,
    ) -> Result<T, Result<E, String>> {
        let turn = locked(&self.inner.writing);
        let mut copy = Resources::clone(&self.now());
        let told = change(&mut copy).map_err(Ok)?;
        let path = &self.inner.path;
        write(path, &copy).map_err(|e| Err(format!("{}: {e}", path.display())))?;
        *locked(&self.inner.now) = Arc::new(copy);
        drop(turn);
        self.inner.changed.send_modify(|count| *count += 1);
        Ok(told)
    }

    /// Counts changes, for whoever must follow them.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }
}

fn read(bytes: &[u8]) -> Result<Resources, String> {
    // The version first: what a newer release wrote may have another shape.
    let Kept { version, resources } =
        serde_json::from_slice::<Kept<serde_json::Value>>(bytes).map_err(|e| e.to_string())?;
    if version > VERSION {
        return Err(format!("written by a newer release (version {version})"));
    }
    serde_json::from_value(resources).map_err(|e| e.to_string())
}

/// Whole or not at all, durable when it returns.
fn write(path: &Path, resources: &Resources) -> std::io::Result<()> {
    let text = serde_json::to_vec_pretty(&Kept { version: VERSION, resources })?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let part = path.with_extension("part");
    let mut file = fs::File::create(&part)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    fs::File::open(folder)?.sync_all()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
