//! A share of the disk budget: how many bytes a folder may hold (I7).

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// The share of a kind of data (backup, quarantine), over all streams.
#[derive(Debug)]
pub struct Share {
    name: &'static str,
    limit: u64,
    used: AtomicU64,
}

/// The share is spent. The text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} holds {used} of {limit} bytes: move files away or raise disk_budget")]
pub struct Spent {
    name: &'static str,
    used: u64,
    limit: u64,
}

impl Share {
    /// A share of `limit` bytes; `name` is the word of the settings and of messages.
    pub fn new(name: &'static str, limit: u64) -> Self {
        Self { name, limit, used: AtomicU64::new(0) }
    }

    /// Takes `bytes`, or says why not.
    pub fn take(&self, bytes: u64) -> Result<(), Spent> {
        let fits = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(bytes).filter(|sum| *sum <= self.limit)
        });
        fits.map(|_| ()).map_err(|used| Spent { name: self.name, used, limit: self.limit })
    }

    /// Gives `bytes` back.
    pub fn give_back(&self, bytes: u64) {
        let shrunk = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            Some(used.saturating_sub(bytes))
        });
        debug_assert!(shrunk.is_ok(), "the closure always returns a value");
    }

    /// Sets what is used, after a look at the disk: people move files away.
    pub fn set_used(&self, bytes: u64) {
        self.used.store(bytes, Ordering::Relaxed);
    }

    /// Bytes used, as far as is known.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// The limit.
    pub fn limit(&self) -> u64 {
        self.limit
    }
}

/// Bytes and files below a folder; a folder that is not there holds nothing.
pub fn folder_size(folder: &Path) -> (u64, u64) {
    let Ok(entries) = std::fs::read_dir(folder) else { return (0, 0) };
    entries.flatten().fold((0, 0), |(bytes, files), entry| match entry.metadata() {
        Ok(m) if m.is_dir() => {
            let (b, f) = folder_size(&entry.path());
            (bytes + b, files + f)
        }
        Ok(m) => (bytes + m.len(), files + 1),
        Err(_) => (bytes, files),
    })
}
