//! The rooms of `hydrant run` on a journal in memory: one topic, one stream.
//!
//! Owns journal, stream and the folder of what they set aside. Always holds: [`Rooms::drained`]
//! returns well only when the cursor has reached the end of the journal, so that every point has its
//! outcome. What is abandoned is forgotten: whoever sent it sends it again. Deliberately not here:
//! objects.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use delivery::{Clock, Destination, Share, Stats, Stream};
use entry::Tail;
use intake::objects::Parts;
use journal::{Journal, MemoryDisk, Position, Topic};
use tokio::time::timeout;

use super::refused::Store;
use super::variables::{NAME, Variables};
use crate::run::wall_clock;

/// Of the function's memory, the journal takes this part: requests, their compressed copies, and the
/// object on its way need the rest.
const MEMORY_SHARE: u64 = 4;
/// Inflated bodies are those of deliveries; here every entry is one record.
const TAIL_BYTES: usize = 0;
/// By these a download that broke in the middle goes on without repeats; a function that lives long
/// must not keep all it ever saw.
const KEYS_MAX: usize = 20_000;
/// What waits for the bucket, or to be logged, in Lambda's 512 MB of /tmp.
const FOLDER_BYTES: u64 = 128 << 20;
/// Folder of parts of objects that are no metrics.
const OBJECTS: &str = "objects";
/// Folder of records that the destination refuses.
const BACKUP: &str = "backup";
/// Without news, how things stand is looked at this often.
const LOOK: Duration = Duration::from_millis(250);
/// Longer than a function lives.
const NEVER: Duration = Duration::from_secs(30 * 86_400);
/// A token that was revoked early is replaced within this; credentials that are wrong stay wrong, and
/// a function that waits costs money.
const LOUD_PATIENCE_MS: i64 = 10_000;

/// Journal, stream, and what they share.
pub(super) struct Rooms {
    journal: Journal,
    topic: Topic,
    stream: Stream,
    stats: Arc<Stats>,
    clock: Clock,
    folder: PathBuf,
    /// With a bucket behind the backup the stream itself gives up after its retry duration.
    gives_up: bool,
    retry_ms: i64,
}

/// Counters of a stream at an instant, or what they grew by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub delivered: u64,
    pub filtered: u64,
    pub backed_up: u64,
    pub quarantined: BTreeMap<&'static str, u64>,
}

impl Rooms {
    /// Opens them. The folder is of these rooms alone: their positions begin at nought, and objects of
    /// a backup are named by folder and position.
    pub(super) fn open(variables: &Variables, folder: &Path) -> Result<Rooms, String> {
        let bytes = variables.memory_bytes / MEMORY_SHARE;
        let options = journal::Options {
            segment_bytes: bytes / 8,
            budget_bytes: bytes,
            topic_bytes: bytes,
            commit_bytes: usize::try_from(bytes / 8).unwrap_or(usize::MAX),
            keys_max: KEYS_MAX,
            ..journal::Options::default()
        };
        let opened = Journal::open_on(Arc::new(MemoryDisk::new()), Path::new("/journal"), options);
        let (journal, _) = opened.map_err(|error| error.to_string())?;
        let topic = journal.topic(NAME).map_err(|error| error.to_string())?;
        let (clock, stats) = (wall_clock(), Arc::<Stats>::default());
        let parts = delivery::Parts {
            topics: vec![topic.clone()],
            tail: Arc::new(Tail::new(TAIL_BYTES)),
            runtime: tokio::runtime::Handle::current(),
            clock: Arc::clone(&clock),
            steady: delivery::steady_clock(&clock),
            state: folder.join("state"),
            quarantine: folder.join("quarantine"),
            backup_share: Arc::new(Share::new("backup", FOLDER_BYTES)),
            quarantine_share: Arc::new(Share::new("quarantine", FOLDER_BYTES)),
            stats: Arc::clone(&stats),
            lane: None,
            replay: None,
        };
        let retry_ms = i64::try_from(variables.stream.retry_duration.as_millis());
        let mut config = variables.stream.clone();
        config.backup.directory = folder.join(BACKUP);
        if !variables.has_bucket {
            // Nothing is given up into a folder that nobody sees: the invocation fails instead.
            config.retry_duration = NEVER;
        }
        let Destination::Fixed(destination) = config.destination.clone() else {
            return Err("the destination is not a fixed one".to_owned());
        };
        let stream = Stream::start(config, &destination, parts)?;
        Ok(Rooms {
            journal,
            topic,
            stream,
            stats,
            clock,
            folder: folder.to_owned(),
            gives_up: variables.has_bucket,
            retry_ms: retry_ms.unwrap_or(i64::MAX),
        })
    }

    /// Where it delivers to, for a person.
    pub(super) fn place(&self) -> &str {
        self.stream.place()
    }

    /// What objects are carried into.
    pub(super) fn parts(&self) -> Parts {
        Parts {
            topic: self.topic.clone(),
            clock: Arc::clone(&self.clock),
            state: self.folder.join("state"),
            quarantine: self.folder.join(OBJECTS),
        }
    }

    /// Counters now.
    pub(super) fn tally(&self) -> Tally {
        Tally {
            delivered: self.stats.delivered.load(Ordering::Relaxed),
            filtered: self.stats.filtered().values().sum(),
            backed_up: self.stats.backed_up.load(Ordering::Relaxed),
            quarantined: self.stats.quarantined(),
        }
    }

    /// Waits until every point has its outcome. The error says what holds it up, at the latest at
    /// `until_ms`.
    pub(super) async fn drained(&self, until_ms: i64) -> Result<(), String> {
        loop {
            // Asked for before the look, so that what settles in between is not missed.
            let settled = self.stats.settled.notified();
            if self.is_drained() {
                return Ok(());
            }
            let now = (self.clock)();
            if let Some(why) = self.hopeless(now) {
                return Err(why);
            }
            if now >= until_ms {
                return Err(format!("time is up: {}", self.waits()));
            }
            let left = u64::try_from(until_ms - now).unwrap_or(0);
            let pause = Duration::from_millis(left).min(LOOK);
            // Neither news nor their absence matters: both lead to the next look.
            drop(timeout(pause, settled).await);
        }
    }

    /// Has every open cursor reached the end?
    fn is_drained(&self) -> bool {
        if self.stats.pending_files.load(Ordering::Relaxed) > 0 {
            // Backup that is not in its bucket yet would go with this machine.
            return false;
        }
        let end = Position { sequence: self.topic.end(), ordinal: 0 };
        let statuses = self.journal.status();
        statuses.iter().flat_map(|topic| &topic.cursors).all(|cursor| cursor.low >= end)
    }

    /// Waiting longer will not help.
    fn hopeless(&self, now: i64) -> Option<String> {
        if !self.stream.lives() {
            return Some("the stream has ended: this is a bug".to_owned());
        }
        let state = self.stats.state();
        if let Some(failure) = state.upload_failure.as_ref().filter(|_| state.upload_loud) {
            return Some(format!("backup: {failure}"));
        }
        let since = state.outage_since_ms?;
        let patience = match state.loud {
            true => LOUD_PATIENCE_MS,
            false if self.gives_up => return None,
            false => self.retry_ms,
        };
        let over = now.saturating_sub(since) > patience;
        over.then(|| format!("given up after {} s: {}", (now - since) / 1000, self.waits()))
    }

    /// What holds it up, in words.
    pub(super) fn waits(&self) -> String {
        let state = self.stats.state();
        let upload = state.upload_failure.map(|failure| format!("backup: {failure}"));
        let stores =
            [state.backup_failure, state.quarantine_failure, state.journal_failure, upload];
        let mut words: Vec<String> = stores.into_iter().flatten().collect();
        let place = self.stream.place();
        words.insert(
            0,
            match state.last_refusal {
                Some(refusal) => format!("{place} said last: {refusal}"),
                None => format!("{place} has not answered"),
            },
        );
        words.join("; ")
    }

    /// The folders that hold what is told of: parts of objects, points; and without a bucket, records.
    pub(super) fn stores(&self) -> Vec<Store> {
        let closed = |name: &str| Store { folder: self.folder.join(name), is_open: false };
        let quarantine = self.folder.join("quarantine").join(NAME);
        let backup = (!self.gives_up).then(|| closed(BACKUP));
        let mut stores = vec![closed(OBJECTS), Store { folder: quarantine, is_open: true }];
        stores.extend(backup);
        stores
    }

    /// Leaves what is not delivered; a request in flight may still arrive.
    pub(super) fn abandon(self) {
        // Not joined: that would wait for a destination that does not answer.
        self.stream.stop();
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::debug!(folder = %self.folder.display(), %error, "left behind");
        }
    }
}

impl Tally {
    /// What it grew by since `before`.
    pub(super) fn since(&self, before: &Tally) -> Tally {
        let earlier = |reason| before.quarantined.get(reason).copied().unwrap_or(0);
        let grown = self.quarantined.iter().map(|(reason, n)| (*reason, n - earlier(reason)));
        Tally {
            delivered: self.delivered - before.delivered,
            filtered: self.filtered - before.filtered,
            backed_up: self.backed_up - before.backed_up,
            quarantined: grown.filter(|(_, n)| *n > 0).collect(),
        }
    }

    /// Points and pieces that were not delivered and not filtered.
    pub(super) fn refused(&self) -> u64 {
        self.backed_up + self.quarantined.values().sum::<u64>()
    }
}
