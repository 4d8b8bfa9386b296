//! A prefix listed, once or again and again, with a durable position.
//!
//! Owns the rule by which an object is known to be done although keys are not in the order of time:
//! Firehose names objects by the oldest record in them, and several streams may share a prefix, so
//! an object may appear later and sort earlier than one that is done. Done is what the ledger holds
//! (key and entity tag), and what was modified more than [`LOOKBACK`] before the newest object that
//! a whole round has seen. A round begins behind the *floor*, up to which all was that old, and
//! every [`FULL_EVERY`] at the very beginning, so that a key below the floor is found well within
//! the lookback. Always holds: an object that fails is remembered and asked for in every round,
//! whatever its age; the position moves only over objects that are durable or set aside.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use remote::aws::s3::{From, Listed, S3};
use remote::aws::{Fault, Kind};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::Instant;

use super::{Inner, PATIENCE_MAX, Patience};
use crate::objects::carry::{Carried, Halt};
use crate::objects::fetch::{Failed, Wanted, pause, stops};
use crate::objects::ledger::{Ledger, entry_of};
use crate::objects::reason::Reason;

/// How much later than a newer one an object may appear: Firehose buffers for 15 minutes at most,
/// and an upload in parts bears the time of its beginning; a day is far beyond both.
const LOOKBACK: Duration = Duration::from_secs(24 * 3600);
/// How often the whole prefix is listed: four times within the lookback, so that one round may fail.
const FULL_EVERY: Duration = Duration::from_secs(6 * 3600);
/// Objects that failed and are remembered; with more, the round waits: then it is not about objects.
const FAILED_MAX: usize = 1000;
/// The position is saved this often. What is read again after a crash, the journal knows.
const SAVE_EVERY: Duration = Duration::from_secs(5);

/// The words of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    bucket: String,
    prefix: String,
    /// Where the first listing began.
    base: Option<String>,
    /// Up to this key all is older than `settled_ms`.
    floor: Option<String>,
    /// What was modified before is done, unless it failed.
    settled_ms: i64,
    /// When the last whole listing was begun.
    full_ms: i64,
    /// Entries that failed, in hexadecimal.
    failed: BTreeSet<String>,
    round: Option<Round>,
}

/// A round under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Round {
    began_ms: i64,
    full: bool,
    /// All keys up to this one were looked at.
    after: Option<String>,
    /// The newest object seen.
    newest_ms: i64,
    /// Objects up to here were forgotten, for want of room.
    forgotten_ms: i64,
    /// The end of the old objects that the round began with.
    floor: Option<String>,
    /// That end was reached.
    floor_found: bool,
}

/// Why a round ended before its end.
enum Broken {
    Stopped,
    /// Somebody refuses; it was said.
    Refused,
}

struct Listing {
    inner: Arc<Inner>,
    s3: S3,
    bucket: String,
    path: PathBuf,
    ledger: Ledger,
    head: Head,
    saved: Instant,
    /// Failed objects that the round has seen; those that a whole round did not see are gone.
    seen: BTreeSet<String>,
    /// The round under way saw all there is.
    whole: bool,
}

/// What became of an object.
type Read = (u128, i64, Result<Carried, Failed>);

/// Lists until all is read, or until `stop`.
pub(super) async fn run(inner: Arc<Inner>, s3: S3, stop: watch::Receiver<bool>) {
    let Some(bucket) = inner.config.bucket.clone() else {
        return inner
            .trouble("neither a queue nor a bucket", Some("set `bucket` or `sqs_queue_url`"));
    };
    let mut patience = Patience::default();
    let mut listing = loop {
        match Listing::open(&inner, &s3, &bucket).await {
            Ok(listing) => break listing,
            Err(text) => inner.trouble(&text, Some("see that the data folder can be written")),
        }
        if !pause(patience.next(), &stop).await {
            return;
        }
    };
    patience.reset();
    loop {
        let round = listing.round(&stop).await;
        listing.save().await;
        let wait = match round {
            Err(Broken::Stopped) => return,
            Err(Broken::Refused) => patience.next(),
            Ok(()) => {
                patience.reset();
                let failed = !listing.head.failed.is_empty();
                if !failed {
                    inner.stats.clear();
                }
                match inner.config.interval {
                    Some(interval) => interval,
                    None if failed => PATIENCE_MAX,
                    None => return inner.stats.done(),
                }
            }
        };
        if !pause(wait, &stop).await {
            return;
        }
    }
}

impl Listing {
    async fn open(inner: &Arc<Inner>, s3: &S3, bucket: &str) -> Result<Listing, String> {
        let path = inner.state.join("listing");
        let name = path.display().to_string();
        let for_thread = path.clone();
        let loaded = spawn_blocking(move || Ledger::load(&for_thread)).await;
        let loaded = loaded.map_err(|error| error.to_string())?;
        let (ledger, damaged) = loaded.map_err(|error| format!("{name}: {error}"))?;
        let source = inner.config.name.as_str();
        if let Some(found) = damaged {
            tracing::warn!(source, found, "the position is lost; all objects are read again");
        }
        let config = &inner.config;
        let known = serde_json::from_str::<Head>(&ledger.head).ok();
        let known = known.filter(|head| head.bucket == bucket && head.prefix == config.prefix);
        let (head, ledger) = match known {
            Some(head) => (head, ledger),
            None => {
                if !ledger.head.is_empty() {
                    tracing::warn!(
                        source,
                        "the position is of another bucket or prefix; beginning anew"
                    );
                }
                let head = Head {
                    bucket: bucket.to_owned(),
                    prefix: config.prefix.clone(),
                    base: config.start_after.clone(),
                    settled_ms: i64::MIN,
                    ..Head::default()
                };
                (head, Ledger::default())
            }
        };
        let (inner, s3, bucket) = (Arc::clone(inner), s3.clone(), bucket.to_owned());
        let (saved, seen) = (Instant::now(), BTreeSet::new());
        Ok(Listing { inner, s3, bucket, path, ledger, head, saved, seen, whole: false })
    }

    /// One listing from its beginning, or from where the last one broke, to its end.
    async fn round(&mut self, stop: &watch::Receiver<bool>) -> Result<(), Broken> {
        let now = (self.inner.clock)();
        let head = &mut self.head;
        let resumed = head.round.take();
        // One that lies ahead was noted before the clock was set back: nobody knows how long ago it was.
        let due = !(0..millis(FULL_EVERY)).contains(&now.saturating_sub(head.full_ms));
        let full = head.floor.is_none() || due || !head.failed.is_empty();
        self.whole = resumed.is_none() && full;
        self.seen.clear();
        let mut round = resumed.unwrap_or_else(|| {
            let after = if full { head.base.clone() } else { head.floor.clone() };
            Round { began_ms: now, full, after, newest_ms: i64::MIN, ..Round::default() }
        });
        let ended = self.pages(&mut round, stop).await;
        if ended.is_ok() {
            self.end(round);
        } else {
            self.head.round = Some(round);
        }
        ended
    }

    async fn pages(
        &mut self,
        round: &mut Round,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), Broken> {
        let mut token: Option<String> = None;
        let start = round.after.clone();
        loop {
            let start_after = start.as_deref().filter(|_| token.is_none());
            let from = From { start_after, token: token.as_deref() };
            let mut stopped = stop.clone();
            let page = tokio::select! {
                page = self.s3.list(&self.bucket, &self.inner.config.prefix, from) => page,
                () = stops(&mut stopped) => return Err(Broken::Stopped),
            };
            let page = page.map_err(|fault| {
                self.inner.refused(&fault);
                Broken::Refused
            })?;
            self.objects(&page.objects, round, stop).await?;
            if let Some(last) = page.objects.last() {
                round.after = Some(last.key.clone());
            }
            self.forget(round);
            if self.saved.elapsed() >= SAVE_EVERY {
                self.head.round = Some(round.clone());
                self.save().await;
            }
            token = page.next;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    /// Reads what is new of a page, a few at a time.
    async fn objects(
        &mut self,
        page: &[Listed],
        round: &mut Round,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), Broken> {
        let mut work: JoinSet<Read> = JoinSet::new();
        let mut broken = Ok(());
        for listed in page {
            let Some((entry, modified)) = self.look(listed, round) else { continue };
            while work.len() >= self.inner.config.limits.concurrency.max(1) && broken.is_ok() {
                broken = self.joined(work.join_next().await);
            }
            if broken.is_err() || *stop.borrow() {
                break;
            }
            let (inner, s3, bucket) =
                (Arc::clone(&self.inner), self.s3.clone(), self.bucket.clone());
            let (key, stop) = (listed.key.clone(), stop.clone());
            work.spawn(async move {
                let wanted = Wanted { bucket: &bucket, key: &key, version: None, etag: None };
                let mut read = inner.carrier.fetch(&s3, wanted, &stop).await;
                if let Err(Failed::Fault(fault)) = &read
                    && fault.kind == Kind::NoSuchObject
                {
                    let gone = "deleted since it was listed";
                    let noted = inner.carrier.note(&wanted.place(), Reason::Missing, gone);
                    read = noted.map(|()| Carried::default()).map_err(Failed::Halt);
                }
                (entry, modified, read)
            });
        }
        while let Some(joined) = work.join_next().await {
            broken = self.joined(Some(joined)).and(broken);
        }
        if *stop.borrow() {
            return Err(Broken::Stopped);
        }
        broken
    }

    /// What is known of an object; its entry and time when it should be read.
    fn look(&mut self, listed: &Listed, round: &mut Round) -> Option<(u128, i64)> {
        if listed.key.ends_with('/') && listed.length == 0 {
            return None;
        }
        let now = (self.inner.clock)();
        // A time that was not told, or lies ahead of ours, must not move the position too far.
        let modified = if listed.modified_ms == 0 { now } else { listed.modified_ms.min(now) };
        round.newest_ms = round.newest_ms.max(modified);
        let entry = entry_of(&listed.key, &listed.etag);
        let name = format!("{entry:032x}");
        let failed = self.head.failed.contains(&name);
        if failed {
            self.seen.insert(name);
        }
        let old = modified < self.head.settled_ms && !failed;
        round.floor_found |= !old;
        if !round.floor_found {
            round.floor = Some(listed.key.clone());
        }
        (!old && !self.ledger.done.contains_key(&entry)).then_some((entry, modified))
    }

    /// Takes the outcome of an object; an error when the round cannot go on.
    fn joined(
        &mut self,
        joined: Option<Result<Read, tokio::task::JoinError>>,
    ) -> Result<(), Broken> {
        let (entry, modified, read) = match joined {
            None => return Ok(()),
            Some(Ok(read)) => read,
            Some(Err(panicked)) => {
                self.inner.trouble(&panicked.to_string(), None);
                return Err(Broken::Refused);
            }
        };
        let name = format!("{entry:032x}");
        let failed = match read {
            Ok(_) => {
                self.ledger.done.insert(entry, modified);
                self.head.failed.remove(&name);
                return Ok(());
            }
            Err(Failed::Halt(Halt::Stopped)) => return Err(Broken::Stopped),
            Err(failed) => failed,
        };
        self.inner.stats.put_off.add(1);
        let concerns_all = match &failed {
            Failed::Fault(fault) => {
                self.inner.refused(fault);
                concerns_all(fault)
            }
            Failed::Halt(halt) => {
                self.inner.trouble(&halt.to_string(), None);
                matches!(halt, Halt::Quarantine(_))
            }
        };
        if concerns_all
            || (self.head.failed.len() >= FAILED_MAX && !self.head.failed.contains(&name))
        {
            return Err(Broken::Refused);
        }
        self.seen.insert(name.clone());
        self.head.failed.insert(name);
        Ok(())
    }

    /// Forgets what the position of the round, and its end, will cover.
    fn forget(&mut self, round: &mut Round) {
        let horizon = round.horizon_ms().max(self.head.settled_ms);
        self.ledger.done.retain(|_, modified| *modified >= horizon);
        if let Some(mark) = self.ledger.shrink() {
            round.forgotten_ms = round.forgotten_ms.max(mark + 1);
            tracing::warn!(
                source = self.inner.config.name,
                "more objects within the lookback than are remembered: it is shorter now"
            );
        }
    }

    /// The round has come to its end.
    fn end(&mut self, round: Round) {
        let head = &mut self.head;
        let settled = round.horizon_ms().max(round.forgotten_ms);
        if round.newest_ms > i64::MIN {
            head.settled_ms = head.settled_ms.max(settled);
        }
        if self.whole {
            let seen = &self.seen;
            head.failed.retain(|name| seen.contains(name));
        }
        if round.full {
            head.full_ms = round.began_ms;
        }
        if round.full || round.floor.is_some() {
            head.floor = round.floor;
        }
        let settled_ms = head.settled_ms;
        self.ledger.done.retain(|_, modified| *modified >= settled_ms);
    }

    /// Makes the position durable; a failure is told, and costs only reading again.
    async fn save(&mut self) {
        self.saved = Instant::now();
        self.ledger.head = serde_json::to_string(&self.head).unwrap_or_default();
        let (ledger, path) = (self.ledger.clone(), self.path.clone());
        let saved = spawn_blocking(move || ledger.save(&path)).await;
        if let Ok(Err(error)) = saved {
            let text = format!("{}: {error}", self.path.display());
            self.inner.trouble(&text, Some("see that the data folder can be written"));
        }
    }
}

impl Round {
    /// What is older is settled when the round ends. Never later than a lookback before it began: a
    /// round that took days has not seen what came meanwhile to keys it had passed.
    fn horizon_ms(&self) -> i64 {
        self.newest_ms.min(self.began_ms).saturating_sub(millis(LOOKBACK))
    }
}

/// A fault that the next object would meet as well.
fn concerns_all(fault: &Fault) -> bool {
    match fault.kind {
        Kind::NoCredentials | Kind::BadCredentials | Kind::NoSuchPlace | Kind::WrongRegion => true,
        Kind::Throttled | Kind::Unwell => true,
        Kind::Denied | Kind::NoSuchObject | Kind::Changed | Kind::Refused => false,
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
