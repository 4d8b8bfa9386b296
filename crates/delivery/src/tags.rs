//! The snapshot of resource tags that a stream reads: loaded at its start, looked at again every
//! half minute (every second until there is one), and put in the place of the old one when it is good.
//!
//! Always holds: a file that is broken, gone or half written never takes away what is known; the
//! stream goes on with the old tags and says so. One look at a time, on a thread that may wait.
//! Deliberately not here: what the tags are matched with (`rules`), and who writes the file.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rules::{TagSnapshot, Tags};

/// How often the file is looked at: soon enough for tags, which change by the hour, and one `stat`.
const LOOK_MS: i64 = 30_000;

/// The same while there is no snapshot yet: whoever writes the first one wants to see it.
const FIRST_LOOK_MS: i64 = 1_000;

/// Largest file that is read: a million resources with a few tags each.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// A snapshot file, shared by the streams that read it.
#[derive(Debug)]
pub(crate) struct TagFile {
    tags: Tags,
    /// Grows with each good file.
    generation: AtomicU64,
    /// When it is looked at next, ms.
    next_look_ms: AtomicI64,
    looking: AtomicBool,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    snapshot: Arc<TagSnapshot>,
    /// What the file was when it was last read, well or badly.
    seen: Option<Seen>,
    failure: Option<String>,
}

/// Tells one file from another of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// What is known of the tags, for status and metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagState {
    /// When the oldest part of the snapshot was fetched, ms; `None` before there is one.
    pub fetched_ms: Option<i64>,
    /// Resources in it.
    pub resources: u64,
    /// Why the file could not be read, when it could not; the snapshot before it is in use.
    pub failure: Option<String>,
    /// Points whose resource is in the snapshot.
    pub matched: u64,
    /// Points whose resource is not in it.
    pub unmatched: u64,
    /// Points for whose namespace and dimensions there is no ARN rule.
    pub no_rule: u64,
}

impl TagFile {
    /// Reads the file. When it cannot be read the stream begins without tags, and looks again.
    pub(crate) fn open(tags: &Tags, now_ms: i64) -> Arc<TagFile> {
        let file = TagFile {
            tags: tags.clone(),
            generation: AtomicU64::new(0),
            next_look_ms: AtomicI64::new(now_ms + FIRST_LOOK_MS),
            looking: AtomicBool::new(false),
            held: Mutex::default(),
        };
        file.look();
        Arc::new(file)
    }

    /// Looks at the file when it is time, on a thread of the runtime.
    pub(crate) fn look_if_due(self: &Arc<Self>, now_ms: i64, runtime: &tokio::runtime::Handle) {
        if now_ms < self.next_look_ms.load(Ordering::Relaxed)
            || self.looking.swap(true, Ordering::AcqRel)
        {
            return;
        }
        let pause = if self.generation() == 0 { FIRST_LOOK_MS } else { LOOK_MS };
        self.next_look_ms.store(now_ms + pause, Ordering::Relaxed);
        let file = Arc::clone(self);
        // Never joined: it ends by itself, touches nothing but this, and may be cut off anywhere.
        drop(runtime.spawn_blocking(move || {
            file.look();
            file.looking.store(false, Ordering::Release);
        }));
    }

    /// Reads the file if it is another one than before.
    fn look(&self) {
        let seen = seen(&self.tags.file);
        let (known, failed) = {
            let held = self.held();
            (held.seen, held.failure.is_some())
        };
        let result = match &seen {
            // A file that was broken stays broken; a missing one is asked for anew.
            Ok(seen) if known == Some(*seen) && (failed || self.generation() > 0) => return,
            Ok(_) => read(&self.tags),
            Err(error) => Err(error.clone()),
        };
        let mut held = self.held();
        held.seen = seen.ok();
        match result {
            Ok(snapshot) => {
                let (resources, file) = (snapshot.resources(), self.tags.file.display());
                tracing::info!(%file, resources, "tag snapshot read");
                held.snapshot = Arc::new(snapshot);
                held.failure = None;
                self.generation.fetch_add(1, Ordering::Release);
            }
            Err(error) => {
                let error = format!("tag snapshot {}: {error}", self.tags.file.display());
                // Once for each cause, not at every look.
                if held.failure.as_ref() != Some(&error) {
                    tracing::error!(error, "tags stay as they were");
                }
                held.failure = Some(error);
            }
        }
    }

    /// Grows when there is another snapshot; 0 before the first.
    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The snapshot now.
    pub(crate) fn snapshot(&self) -> Arc<TagSnapshot> {
        Arc::clone(&self.held().snapshot)
    }

    /// What is known, without the counters.
    pub(crate) fn state(&self) -> TagState {
        let held = self.held();
        TagState {
            fetched_ms: held.snapshot.fetched_ms(),
            resources: held.snapshot.resources(),
            failure: held.failure.clone(),
            ..TagState::default()
        }
    }

    /// A poisoned lock still holds a whole snapshot: it is put in its place in one piece.
    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn seen(path: &Path) -> Result<Seen, String> {
    let metadata = fs::metadata(path)
        .map_err(|error| format!("{error}; hydrant tags fetch --output writes it"))?;
    Ok(Seen {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
    })
}

fn read(tags: &Tags) -> Result<TagSnapshot, String> {
    let file = File::open(&tags.file).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err("larger than 512 MiB: fetch fewer types or keys".to_owned());
    }
    TagSnapshot::parse(&bytes, tags)
}

#[cfg(test)]
mod tests;
