//! The journal: a directory of topics under one budget.
//!
//! Owns the list of topics, opens them all at the start, and answers what they hold, also for cursors whose
//! stream is gone. Not here: how a topic is written or read.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::budget::Budget;
use crate::damage::Damage;
use crate::disk::{Disk, RealDisk};
use crate::item::{Position, Refused};
use crate::locked;
use crate::memory::MemoryDisk;
use crate::names::{escape, unescape};
use crate::recover::Recoverer;
use crate::shared::Roster;
use crate::slot;
use crate::topic::{Topic, TopicInner};

/// Limits, each from a setting.
#[derive(Clone, Debug)]
pub struct Options {
    /// Size of a segment; space is reserved when it is created.
    pub segment_bytes: u64,
    /// The journal's share of the disk budget, all topics.
    pub budget_bytes: u64,
    /// Most bytes one topic may hold.
    pub topic_bytes: u64,
    /// Most bytes written before one sync.
    pub commit_bytes: usize,
    /// How long a key is remembered.
    pub key_keep: Duration,
    /// How many keys are remembered, per topic.
    pub keys_max: usize,
    /// How long after a failed sync a new segment is tried.
    pub retry_after: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            // Large enough that making one is rare, small enough that space comes back in small steps.
            segment_bytes: 64 << 20,
            budget_bytes: 10 << 30,
            topic_bytes: 10 << 30,
            // At 600 MB/s a commit takes 27 ms: who waits for the next one waits for no more.
            commit_bytes: 16 << 20,
            // Firehose tries again for at most two hours.
            key_keep: Duration::from_secs(2 * 3600 + 15 * 60),
            keys_max: 500_000,
            retry_after: Duration::from_secs(10),
        }
    }
}

/// What was found when the journal was opened.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    /// Bytes cut from torn tails (never acknowledged).
    pub torn_bytes: u64,
    /// Damaged stretches that had been durable (bit rot), bytes.
    pub rotten_bytes: u64,
    /// The damaged stretches; with very many only the first, all are in `rotten_bytes`.
    pub damage: Vec<Damage>,
    /// One line for each other finding, for the log.
    pub findings: Vec<String>,
}

/// What a topic holds.
#[derive(Clone, Debug, Default)]
pub struct TopicStatus {
    /// Topic name.
    pub topic: String,
    /// Bytes in use on disk.
    pub bytes: u64,
    /// Bytes taken from the budget: those in use and those reserved.
    pub held: u64,
    /// Sequence after the last durable entry.
    pub end: u64,
    /// Why nothing is taken, when nothing is.
    pub refusing: Option<Refused>,
    /// Each cursor and what it holds: name, low mark, bytes from there to the end, in use by this process.
    pub cursors: Vec<CursorStatus>,
    /// Counters since start.
    pub appended: u64,
    /// Repeats suppressed.
    pub repeats: u64,
    /// Same key, other data.
    pub other_data: u64,
    /// Keys evicted before their time.
    pub keys_evicted: u64,
    /// Commits (syncs) since start.
    pub commits: u64,
    /// Writes, syncs and new segments that failed.
    pub sync_failures: u64,
    /// Bytes found damaged since start, at the start and while reading, each once.
    pub rotten_bytes: u64,
    /// Failures that cost nothing but space: files that could not be removed, shortened or copied.
    pub failures: u64,
    /// The last of them.
    pub last_failure: Option<String>,
}

/// What a cursor holds.
#[derive(Clone, Debug)]
pub struct CursorStatus {
    /// Cursor name (a delivery stream).
    pub name: String,
    /// Everything below is settled.
    pub low: Position,
    /// Bytes from the low mark's entry to the end.
    pub bytes: u64,
    /// Entries from the low mark's entry to the end.
    pub entries: u64,
    /// Opened by this process.
    pub open: bool,
}

/// Why the journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Written by a newer release.
    #[error("{path} has journal format {found}; this release reads up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u16,
        /// The newest known.
        known: u16,
    },
    /// The disk.
    #[error("{doing} {path}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
}

/// Says what was tried and where, for an error of the disk.
pub(crate) fn failed(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { doing, path: path.clone(), source }
}

/// The log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    disk: Arc<dyn Disk>,
    options: Options,
    budget: Arc<Budget>,
    roster: Arc<Roster>,
    topics: Mutex<BTreeMap<String, Arc<TopicInner>>>,
}

impl Journal {
    /// Opens `directory` on the real disk. Torn tails and bit rot never stop it.
    pub fn open(directory: &Path, options: Options) -> Result<(Journal, Recovery), OpenError> {
        Journal::open_on(Arc::new(RealDisk), directory, options)
    }

    /// Opens `directory` on the real disk to look at it, while no process works with it: nothing is made
    /// or changed there. What recovery would write stays in memory.
    pub fn look(directory: &Path) -> Result<(Journal, Recovery), OpenError> {
        Journal::open_on(Arc::new(MemoryDisk::over_real()), directory, Options::default())
    }

    /// Opens `directory` on any disk.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        directory: &Path,
        options: Options,
    ) -> Result<(Journal, Recovery), OpenError> {
        make_durable(&*disk, directory)?;
        let budget = Budget::new(options.budget_bytes);
        let (directory, roster, topics) = (directory.to_owned(), Arc::default(), Mutex::default());
        let inner = Inner { directory, disk, options, budget, roster, topics };
        let mut recovery = Recovery::default();
        let listed = inner.disk.list(&inner.directory);
        let listed = listed.map_err(failed("listing", &inner.directory))?;
        let folders = listed.into_iter().filter(|one| one.directory);
        let names: Vec<String> = folders.filter_map(|one| unescape(&one.name)).collect();
        for name in &names {
            Recoverer::refuse_newer(&*inner.disk, &inner.topic_path(name)?)?;
        }
        for name in names {
            let topic = inner.recover(&name, &mut recovery)?;
            locked(&inner.topics).insert(name, topic);
        }
        Ok((Journal { inner: Arc::new(inner) }, recovery))
    }

    /// Opens or creates a topic; one writer thread each.
    pub fn topic(&self, name: &str) -> Result<Topic, OpenError> {
        let mut topics = locked(&self.inner.topics);
        let topic = match topics.get(name) {
            Some(topic) => topic.clone(),
            None => {
                let topic = self.inner.recover(name, &mut Recovery::default())?;
                let directory = &self.inner.directory;
                self.inner.disk.sync_dir(directory).map_err(failed("syncing", directory))?;
                topics.insert(name.to_owned(), topic.clone());
                topic
            }
        };
        topic.start().map_err(failed("starting the writer of", &self.inner.directory))?;
        Ok(Topic::new(topic))
    }

    /// Names of the topics on disk.
    pub fn topics(&self) -> Vec<String> {
        locked(&self.inner.topics).keys().cloned().collect()
    }

    /// Bytes in use by all topics.
    pub fn bytes(&self) -> u64 {
        self.all().iter().map(|topic| topic.bytes()).sum()
    }

    /// All topics and cursors, also those nobody opened (removed streams).
    pub fn status(&self) -> Vec<TopicStatus> {
        self.all().iter().map(|topic| topic.status()).collect()
    }

    /// A topic whose writer has ended, or has been at one commit for longer than `limit`: nobody hears
    /// yes there. After [`Journal::close`] that is every topic.
    pub fn stuck(&self, limit: Duration) -> Option<String> {
        let all = self.all();
        let stuck = all
            .iter()
            .map(|topic| topic.shared())
            .find(|shared| shared.inbox.closing() || shared.inbox.busy_for() > limit);
        stuck.map(|shared| shared.name.to_string())
    }

    /// Removes the cursor of a stream that is gone, in every topic; frees what only it held. Returns the bytes
    /// given back; an error of kind `ResourceBusy` when the cursor is open.
    pub fn forget(&self, cursor: &str) -> Result<u64, OpenError> {
        let all = self.all();
        if all.iter().any(|topic| topic.has_open(cursor)) {
            let source = io::Error::new(ErrorKind::ResourceBusy, "the cursor is open");
            return Err(failed("forgetting", Path::new(cursor))(source));
        }
        let mut freed = 0;
        for topic in all {
            freed += topic.forget(cursor).map_err(failed("forgetting", Path::new(cursor)))?;
        }
        Ok(freed)
    }

    /// Commits what is queued, syncs cursors and joins the writers.
    pub fn close(&self) {
        let all = self.all();
        for topic in &all {
            topic.shared().inbox.close();
        }
        for topic in all {
            topic.join();
            topic.sync_cursors();
        }
    }

    pub(crate) fn roster(&self) -> &Roster {
        &self.inner.roster
    }

    pub(crate) fn all(&self) -> Vec<Arc<TopicInner>> {
        locked(&self.inner.topics).values().cloned().collect()
    }
}

impl Inner {
    fn topic_path(&self, name: &str) -> Result<PathBuf, OpenError> {
        let escaped = escape(name).map_err(failed("naming the topic", Path::new(name)))?;
        Ok(self.directory.join(escaped))
    }

    fn recover(&self, name: &str, recovery: &mut Recovery) -> Result<Arc<TopicInner>, OpenError> {
        let directory = self.topic_path(name)?;
        self.disk.create_dir(&directory).map_err(failed("creating", &directory))?;
        let (disk, options) = (self.disk.clone(), self.options.clone());
        let (budget, roster) = (self.budget.clone(), self.roster.clone());
        TopicInner::open(disk, directory, name, options, budget, roster, recovery)
    }
}

/// Makes the directory and sees that a power cut leaves it there.
fn make_durable(disk: &dyn Disk, directory: &Path) -> Result<(), OpenError> {
    disk.create_dir(directory).map_err(failed("creating", directory))?;
    let above = directory.ancestors().skip(1).filter(|one| !one.as_os_str().is_empty());
    for (level, one) in above.enumerate() {
        let synced = disk.sync_dir(one);
        // The directories further up are rarely new and need not be ours to sync.
        if level == 0 {
            synced.map_err(failed("syncing", one))?;
        }
    }
    Ok(())
}

/// The file of a cursor.
pub(crate) fn cursor_path(topic: &Path, name: &str) -> io::Result<PathBuf> {
    let file = format!("{}{}", escape(name)?, slot::SUFFIX);
    Ok(topic.join(crate::recover::CURSORS).join(file))
}
