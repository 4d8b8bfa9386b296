//! A delivery stream as others see it: started, asked, stopped.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use entry::{LaneId, Tail};
use journal::{Cursor, Position, Start, Topic};
use metric::Decoder;
use rules::{Enricher, Selection};

use crate::alldata::{self, ALL_DATA_SUFFIX, AllData, Copier};
use crate::backup::Backup;
use crate::config::{BackupMode, StartFrom, StreamConfig};
use crate::dispatch::Dispatch;
use crate::feed::Feed;
use crate::marker::Marker;
use crate::pack::{Enriching, Packing};
use crate::quarantine::Quarantine;
use crate::share::Share;
use crate::sink;
use crate::stats::Stats;
use crate::tags::TagFile;
use crate::time::{Clock, Clocks};
use crate::upload::{Outbox, Uploader};
use crate::worker::{Event, Worker};

/// Events that may wait: every request in flight has its answer, commands are few, and commits are
/// told once until they are seen.
const INBOX: usize = 1024;
/// A command that changes much is given this long.
const COMMAND_TIME: Duration = Duration::from_secs(600);

/// What a stream is built from, besides its settings.
pub struct Parts {
    /// One for each source.
    pub topics: Vec<Topic>,
    /// What is put back for this stream alone; read from its oldest entry, and never copied by
    /// AllData, which has it already.
    pub replay: Option<Topic>,
    /// Shared inflated bodies.
    pub tail: Arc<Tail>,
    /// Where requests run.
    pub runtime: tokio::runtime::Handle,
    /// Time as people have it.
    pub clock: Clock,
    /// Time as it passes: see [`crate::steady_clock`].
    pub steady: Clock,
    /// Folder of small state files.
    pub state: PathBuf,
    /// Folder of all quarantines; the stream has a folder in it.
    pub quarantine: PathBuf,
    /// Share of all backups.
    pub backup_share: Arc<Share>,
    /// Share of all quarantines.
    pub quarantine_share: Arc<Share>,
    /// Counters, kept over a reload.
    pub stats: Arc<Stats>,
    /// Entries of this lane only; `None` takes all.
    pub lane: Option<LaneId>,
}

/// A running stream.
pub struct Stream {
    name: String,
    inbox: Arc<SyncSender<Event>>,
    opener: FeedOpener,
    thread: Option<JoinHandle<()>>,
    all_data: Option<AllData>,
    uploader: Option<Uploader>,
    stats: Arc<Stats>,
    place: String,
}

impl Stream {
    /// Builds the destination, opens the cursors and starts. The text says what is wrong.
    pub fn start(
        config: StreamConfig,
        destination: &sink::Config,
        parts: Parts,
    ) -> Result<Stream, String> {
        let tags = config.enrich.tags.as_ref();
        let tags = tags.map(|tags| TagFile::open(tags, (parts.steady)()));
        Self::start_with(config, destination, parts, tags)
    }

    /// The same, with tags that others read too.
    pub(crate) fn start_with(
        config: StreamConfig,
        destination: &sink::Config,
        parts: Parts,
        tags: Option<Arc<TagFile>>,
    ) -> Result<Stream, String> {
        let (packer, wire) = sink::build(destination)?;
        let place = wire.describe();
        let selection = Selection::compile(config.include.clone(), config.exclude.clone())?;
        let enricher = Enricher::compile(&config.enrich).map_err(|e| format!("enrich: {e}"))?;
        let name = config.name.clone();
        let stats = Arc::clone(&parts.stats);
        let (inbox, events) = sync_channel(INBOX);
        let inbox = Arc::new(inbox);
        let woken = Arc::new(AtomicBool::new(false));
        let opener = FeedOpener {
            name: name.clone(),
            inbox: Arc::downgrade(&inbox),
            woken: Arc::clone(&woken),
            lane: parts.lane,
            tail: Arc::clone(&parts.tail),
        };
        let feeds = open_feeds(&config, &parts, &opener)?;
        std::fs::create_dir_all(&parts.state)
            .map_err(|e| format!("creating {}: {e}", parts.state.display()))?;
        let origin = sink::s3::origin(&parts.state)?;
        let uploader = Uploader::start(&config, &parts, &origin)?;
        let outbox = uploader.as_ref().map(Uploader::outbox);
        // Last of all that can fail: a copier would go on with its cursor.
        let all_data = start_all_data(&config, &parts, outbox.clone())?;
        let backlog = feeds.iter().map(|feed| feed.cursor.backlog_bytes()).sum();
        stats.set_state(|state| state.backlog_bytes = backlog);
        let clocks = Clocks { wall: Arc::clone(&parts.clock), steady: parts.steady };
        let now = clocks.now();
        let folder = parts.quarantine.join(&name);
        let dispatch = if wire.ordered() {
            Dispatch::ordered(config.retry_duration, now.steady_ms)
        } else {
            Dispatch::new(config.concurrency, config.retry_duration, now.steady_ms)
        };
        let enriching = Enriching::new(enricher, tags);
        let mut packing = Packing::new(origin, &name, packer, selection, enriching);
        stats.taps.carries_records(packing.takes_records());
        if let Some(feed) = feeds.first() {
            packing.start(0, feed.begin);
        }
        let worker = Worker {
            feeds,
            open: None,
            packing,
            decoder: Decoder::new(),
            record: Vec::new(),
            dispatch,
            wire,
            backup: Backup::new(config.backup.directory.clone(), &name, parts.backup_share, outbox),
            quarantine: Quarantine::new(folder, parts.quarantine_share, now.wall_ms),
            marker: Marker::open(&parts.state.join(format!("{name}.decoding"))),
            stats: Arc::clone(&stats),
            clocks,
            runtime: parts.runtime,
            inbox: SyncSender::clone(&inbox),
            woken,
            stuck: Vec::new(),
            failed: Vec::new(),
            store_retry_ms: 0,
            first_feed: 0,
            read_retry_ms: 0,
            backup_failed: false,
            stopping: false,
            config,
        };
        let thread = std::thread::Builder::new()
            .name(format!("stream {name}"))
            .spawn(move || worker.run(&events))
            .map_err(|e| format!("starting the thread of stream {name}: {e}"))?;
        Ok(Stream { name, inbox, opener, thread: Some(thread), all_data, uploader, stats, place })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it delivers to, for a person.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Its counters and state.
    pub fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// False when its thread has ended without being told to: a bug, the process must stop.
    pub fn lives(&self) -> bool {
        self.thread.as_ref().is_some_and(|t| !t.is_finished())
            && self.all_data.as_ref().is_none_or(AllData::lives)
            && self.uploader.as_ref().is_none_or(Uploader::lives)
    }

    /// Its commands, to be given without holding whatever holds the stream.
    pub fn commands(&self) -> Commands {
        let (inbox, opener) = (Arc::downgrade(&self.inbox), self.opener.clone());
        Commands { name: self.name.clone(), inbox, opener }
    }

    /// Drops everything it has not delivered yet; answers the number of points.
    pub fn drop_backlog(&self) -> Result<u64, String> {
        self.commands().drop_backlog()
    }

    /// Asks it to finish what is in flight; `join` waits for that.
    pub fn stop(&self) {
        if self.inbox.try_send(Event::Stop).is_err() {
            tracing::debug!(stream = self.name, "stream has ended already");
        }
    }

    /// Waits until it has stopped. False when it ended by a panic.
    pub fn join(mut self) -> bool {
        self.stop();
        let copied = self.all_data.take().is_none_or(AllData::join);
        let worked = self.thread.take().is_none_or(|t| t.join().is_ok());
        // After those that write what it takes.
        self.uploader.take().is_none_or(Uploader::join) && worked && copied
    }
}

/// What can be asked of a running stream; answers may take minutes.
pub struct Commands {
    name: String,
    inbox: Weak<SyncSender<Event>>,
    opener: FeedOpener,
}

impl Commands {
    /// Reads `topic` besides its sources from now on, from the oldest entry. Done already is done.
    pub fn read_replay(&self, topic: Topic) -> Result<(), String> {
        let opener = self.opener.clone();
        self.ask(|reply| Event::ReadReplay { topic, opener, reply })
    }

    /// Drops everything the stream has not delivered yet; answers the number of points.
    pub fn drop_backlog(&self) -> Result<u64, String> {
        self.ask(Event::DropBacklog)
    }

    fn ask<T>(
        &self,
        event: impl FnOnce(SyncSender<Result<T, String>>) -> Event,
    ) -> Result<T, String> {
        let ended = || format!("stream {} has ended", self.name);
        let (reply, answer) = sync_channel(1);
        let inbox = self.inbox.upgrade().ok_or_else(ended)?;
        inbox.send(event(reply)).map_err(|_| ended())?;
        let silent = |_| format!("stream {} does not answer", self.name);
        answer.recv_timeout(COMMAND_TIME).map_err(silent)?
    }
}

fn start_all_data(
    config: &StreamConfig,
    parts: &Parts,
    outbox: Option<Arc<Outbox>>,
) -> Result<Option<AllData>, String> {
    if config.backup.mode != BackupMode::AllData {
        return Ok(None);
    }
    let stream = config.name.clone();
    let name = format!("{stream}{ALL_DATA_SUFFIX}");
    let mut feeds = Vec::with_capacity(parts.topics.len());
    for topic in &parts.topics {
        let cursor = open_cursor(topic, &name, start_of(config))?;
        feeds.push(Feed::new(cursor, parts.lane, Arc::clone(&parts.tail)));
    }
    let share = Arc::clone(&parts.backup_share);
    let backup = Backup::new(config.backup.directory.clone(), &config.name, share, outbox);
    let stats = Arc::clone(&parts.stats);
    let (wall, steady) = (Arc::clone(&parts.clock), Arc::clone(&parts.steady));
    let clocks = Clocks { wall, steady };
    let buffering = alldata::buffering(config);
    let copier = Copier { stream, feeds, backup, buffering, stats, clocks, failed: false };
    AllData::start(copier).map(Some).map_err(|e| e.to_string())
}

fn start_of(config: &StreamConfig) -> Start {
    match config.start_from {
        StartFrom::Newest => Start::Newest,
        StartFrom::Oldest => Start::Oldest,
        StartFrom::At(sequence) => Start::At(sequence),
    }
}

/// The cursor of a stream. One that was left before the stream's first entry, by a stream of the same
/// name that is gone, goes on there.
fn open_cursor(topic: &Topic, name: &str, start: Start) -> Result<Cursor, String> {
    let mut cursor = topic.cursor(name, start).map_err(|e| e.to_string())?;
    if let Start::At(first) = start {
        let (low, first) = (cursor.low(), Position { sequence: first, ordinal: 0 });
        if low < first && first.sequence <= cursor.end() {
            cursor.settle(low, first).map_err(|e| format!("cursor {name}: {e}"))?;
        }
    }
    Ok(cursor)
}

fn open_feeds(
    config: &StreamConfig,
    parts: &Parts,
    opener: &FeedOpener,
) -> Result<Vec<Feed>, String> {
    let start = start_of(config);
    let sources = parts.topics.iter().map(|topic| opener.open(topic, start));
    let mut feeds = sources.collect::<Result<Vec<Feed>, String>>()?;
    if let Some(topic) = &parts.replay {
        feeds.push(opener.open_replay(topic)?);
    }
    Ok(feeds)
}

/// What it takes to read one more topic into a stream.
#[derive(Clone)]
pub(crate) struct FeedOpener {
    name: String,
    /// Weak: the topic keeps this for ever, and a stream that is gone must not be kept with it.
    inbox: Weak<SyncSender<Event>>,
    woken: Arc<AtomicBool>,
    lane: Option<LaneId>,
    tail: Arc<Tail>,
}

impl FeedOpener {
    fn open(&self, topic: &Topic, start: Start) -> Result<Feed, String> {
        let cursor = open_cursor(topic, &self.name, start)?;
        let (inbox, woken) = (Weak::clone(&self.inbox), Arc::clone(&self.woken));
        topic.on_commit(Box::new(move |_end| {
            // Told once until it is seen; a full inbox is busy and will look anyway.
            if !woken.swap(true, Ordering::AcqRel)
                && let Some(inbox) = inbox.upgrade()
                && let Err(TrySendError::Full(_)) = inbox.try_send(Event::Committed)
            {
                woken.store(false, Ordering::Release);
            }
        }));
        Ok(Feed::new(cursor, self.lane, Arc::clone(&self.tail)))
    }

    /// Whatever `start_from` says: everything in it was put there for this stream.
    pub(crate) fn open_replay(&self, topic: &Topic) -> Result<Feed, String> {
        Ok(self.open(topic, Start::Oldest)?.unbuffered())
    }
}
