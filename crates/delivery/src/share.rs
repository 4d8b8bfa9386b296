//! A share of the disk budget: how many bytes some folders may hold together (I7).
//!
//! What is used is counted as it is written, and counted anew when the share seems spent: people move
//! files away, that is what they are for.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The share of a kind of data (backup, quarantine), over all streams.
#[derive(Debug)]
pub struct Share {
    name: &'static str,
    limit: u64,
    used: AtomicU64,
    folders: Mutex<Vec<PathBuf>>,
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
        Self { name, limit, used: AtomicU64::new(0), folders: Mutex::default() }
    }

    /// Counts what lies below `folder`, now and whenever it is counted anew.
    pub fn watch(&self, folder: &Path) {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        // A folder inside another is counted with it, and one that is known is in already: counting
        // again beside a file that is just being removed would count that file for ever.
        if folders.iter().any(|known| folder.starts_with(known)) {
            return;
        }
        folders.retain(|known| !known.starts_with(folder));
        folders.push(folder.to_owned());
        drop(folders);
        self.count();
    }

    /// Looks at the disk.
    pub fn count(&self) {
        let folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        let used = folders.iter().map(|folder| folder_size(folder).0).sum();
        self.used.store(used, Ordering::Relaxed);
    }

    /// Takes `bytes`, or says why not.
    pub fn take(&self, bytes: u64) -> Result<(), Spent> {
        self.try_take(bytes).or_else(|_| {
            self.count();
            self.try_take(bytes)
        })
    }

    fn try_take(&self, bytes: u64) -> Result<(), Spent> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a share of 100 bytes over two folders, one inside the other, fills up; then a file goes.
    /// Guarantees: nothing is counted twice, the limit holds, and freed space is found by itself.
    #[test]
    fn a_share_is_counted_anew_when_it_seems_spent() {
        let dir = testkit::TempDir::new("share");
        let share = Share::new("backup", 100);
        share.watch(dir.path());
        share.watch(&dir.join("inner"));
        std::fs::create_dir(dir.join("inner")).unwrap();
        std::fs::write(dir.join("inner").join("file"), [0; 60]).unwrap();
        share.count();
        assert_eq!(share.used(), 60);
        let spent = share.take(50).unwrap_err().to_string();
        assert!(spent.contains("backup holds 60 of 100 bytes: move files away"), "{spent}");
        std::fs::remove_file(dir.join("inner").join("file")).unwrap();
        share.take(50).unwrap();
        assert_eq!(share.used(), 50);
    }
}
