//! A topic: one log with one writer thread, and the doors to it.
//!
//! Owns the thread's life: it starts with the first handle and ends at `close` or when the last handle goes.
//! Appending never blocks; what can be decided without the disk is decided on the caller's thread.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::budget::{Budget, Share};
use crate::cursor::{Cursor, CursorState};
use crate::disk::Disk;
use crate::inbox::{Done, Inbox, Waiting};
use crate::item::{Body, Item, Refused};
use crate::journal::{
    CursorStatus, OpenError, Options, Recovery, TopicStatus, cursor_path, failed,
};
use crate::keys::Keys;
use crate::locked;
use crate::read::Reader;
use crate::recover::Recoverer;
use crate::settled::Settled;
use crate::shared::{Keeper, Roster, Shared, start_of};
use crate::side::SideWriter;
use crate::slot::{self, SlotFile};
use crate::writer::Writer;

/// Where a new cursor starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// After all that is there.
    Newest,
    /// At the oldest entry kept.
    Oldest,
    /// At this sequence, or at the oldest entry kept after it.
    At(u64),
}

/// Largest head or body of one frame; far above what the door lets in as one piece.
const PIECE_MAX: usize = 1 << 30;

/// One log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Topic {
    inner: Arc<TopicInner>,
}

/// What the journal and the topic's handles share.
#[derive(Debug)]
pub(crate) struct TopicInner {
    shared: Arc<Shared>,
    idle: Mutex<Option<Writer>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl TopicInner {
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        directory: PathBuf,
        name: &str,
        options: Options,
        budget: Arc<Budget>,
        roster: Arc<Roster>,
        recovery: &mut Recovery,
    ) -> Result<Arc<TopicInner>, OpenError> {
        let rotten_before = recovery.rotten_bytes;
        let found = Recoverer::new(&disk, &directory, name, recovery).run()?;
        let keep_ms = u64::try_from(options.key_keep.as_millis()).unwrap_or(u64::MAX);
        let mut keys = Keys::new(keep_ms, options.keys_max);
        let now_ms = disk.now_ms();
        for known in found.keys {
            keys.insert(known, now_ms);
        }
        keys.evicted = 0;
        let share = Share::new(budget, options.topic_bytes);
        share.force(found.held);
        let mut log = found.log;
        log.counters.rotten_bytes = recovery.rotten_bytes - rotten_before;
        let shared = Arc::new(Shared {
            name: Arc::from(name),
            directory,
            disk,
            options,
            share,
            roster,
            inbox: Inbox::default(),
            log: Mutex::new(log),
            keys: Mutex::new(keys),
            keeper: Mutex::new(Keeper { keys: found.key_file, saved: 0 }),
            wakes: Mutex::default(),
            next_side: AtomicU64::new(found.next_side),
        });
        shared.roster.enter(&shared);
        shared.free();
        let idle = Some(Writer::new(shared.clone(), found.before, found.next));
        Ok(Arc::new(TopicInner { shared, idle: Mutex::new(idle), thread: Mutex::new(None) }))
    }

    /// Starts the writer's thread, once.
    pub(crate) fn start(&self) -> io::Result<()> {
        let Some(writer) = locked(&self.idle).take() else { return Ok(()) };
        let name = format!("journal {}", self.shared.name);
        let started = thread::Builder::new().name(name).spawn(move || writer.run())?;
        *locked(&self.thread) = Some(started);
        Ok(())
    }

    /// Waits until the writer has written what is queued. Close the inbox first.
    pub(crate) fn join(&self) {
        let Some(thread) = locked(&self.thread).take() else { return };
        let own = thread.thread().id() == thread::current().id();
        if !own && thread.join().is_err() {
            let panicked = Err(io::Error::other("the writer thread panicked"));
            self.shared.count_failure("writing", &self.shared.directory, panicked);
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn sync_cursors(&self) {
        let cursors: Vec<_> = locked(&self.shared.log).cursors.values().cloned().collect();
        for cursor in cursors {
            self.shared.count_failure("syncing a cursor of", &self.shared.directory, cursor.sync());
        }
        self.shared.free();
    }

    /// Bytes in use.
    pub(crate) fn bytes(&self) -> u64 {
        let reserved: u64 = {
            let log = locked(&self.shared.log);
            log.segments.iter().map(|segment| segment.held.saturating_sub(segment.durable)).sum()
        };
        self.shared.share.held().saturating_sub(reserved)
    }

    pub(crate) fn status(&self) -> TopicStatus {
        let shared = &self.shared;
        let (end, counters, cursors) = {
            let log = locked(&shared.log);
            let cursors: Vec<_> =
                log.cursors.iter().map(|(name, cursor)| (name.clone(), cursor.clone())).collect();
            (log.end, log.counters.clone(), cursors)
        };
        let cursors = cursors.into_iter().map(|(name, cursor)| {
            let low = cursor.low();
            let (bytes, entries) = shared.backlog(&mut Reader::default(), low.sequence);
            CursorStatus { name, low, bytes, entries, open: cursor.is_open() }
        });
        TopicStatus {
            topic: shared.name.to_string(),
            bytes: self.bytes(),
            held: shared.share.held(),
            end,
            refusing: shared.refusing(),
            cursors: cursors.collect(),
            appended: counters.appended,
            repeats: counters.repeats,
            other_data: counters.other_data,
            keys_evicted: locked(&shared.keys).evicted,
            commits: counters.commits,
            sync_failures: counters.sync_failures,
            rotten_bytes: counters.rotten_bytes,
            failures: counters.failures,
            last_failure: counters.last_failure,
        }
    }

    pub(crate) fn has_open(&self, cursor: &str) -> bool {
        let log = locked(&self.shared.log);
        log.cursors.get(cursor).is_some_and(|cursor| cursor.is_open())
    }

    /// Removes a cursor and frees what only it held.
    pub(crate) fn forget(&self, cursor: &str) -> io::Result<u64> {
        let state = locked(&self.shared.log).cursors.get(cursor).cloned();
        let Some(state) = state else { return Ok(0) };
        if !state.claim() {
            return Err(io::Error::new(ErrorKind::ResourceBusy, "the cursor is open"));
        }
        state.remove()?;
        let mut log = locked(&self.shared.log);
        log.cursors.remove(cursor);
        let rests = log.cursors.is_empty().then_some(log.end);
        drop(log);
        if let Some(end) = rests {
            self.shared.inbox.rest(end);
        }
        self.shared.share.give(slot::FILE_BYTES);
        Ok(slot::FILE_BYTES + self.shared.free())
    }
}

impl Drop for TopicInner {
    fn drop(&mut self) {
        self.shared.inbox.close();
        self.join();
    }
}

impl Topic {
    pub(crate) fn new(inner: Arc<TopicInner>) -> Topic {
        Topic { inner }
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.inner.shared.name
    }

    /// Queues an item. `done` runs once, after the sync on the writer thread, or at refusal on either thread;
    /// it must be quick. Never blocks.
    pub fn append(&self, item: Item, done: Done) {
        let shared = &self.inner.shared;
        let body_length = match &item.body {
            Body::Bytes(bytes) => bytes.len(),
            Body::Side(side) if side.belongs_to(shared) => 0,
            Body::Side(_) => {
                return done(Err(Refused::Disk("a side file of another topic".to_owned())));
            }
        };
        if item.head.len() > PIECE_MAX || body_length > PIECE_MAX {
            let used = item.head.len().max(body_length) as u64;
            let holder = "one entry".to_owned();
            return done(Err(Refused::Full { used, limit: PIECE_MAX as u64, holder }));
        }
        shared.inbox.put(Waiting { item, done });
    }

    /// Would an append be refused now? A cheap look, so that a body need not be read to be refused.
    pub fn refusing(&self) -> Option<Refused> {
        self.inner.shared.refusing()
    }

    /// A file for a body too large to hold; dropped without `finish` it is removed.
    pub fn side_file(&self) -> io::Result<SideWriter> {
        SideWriter::create(&self.inner.shared)
    }

    /// Opens the cursor of a stream, or creates it. An error of kind `ResourceBusy` when it is open already.
    pub fn cursor(&self, name: &str, start: Start) -> Result<Cursor, OpenError> {
        let shared = &self.inner.shared;
        // Creating and freeing exclude each other: what a new cursor starts at must still be there.
        let keeper = locked(&shared.keeper);
        let known = locked(&shared.log).cursors.get(name).cloned();
        let state = match known {
            Some(state) => state,
            None => self.create_cursor(name, start)?,
        };
        drop(keeper);
        if !state.claim() {
            let source = io::Error::new(ErrorKind::ResourceBusy, "the cursor is open already");
            return Err(failed("opening the cursor", &shared.directory.join(name))(source));
        }
        Ok(Cursor::new(shared.clone(), state))
    }

    fn create_cursor(&self, name: &str, start: Start) -> Result<Arc<CursorState>, OpenError> {
        let shared = &self.inner.shared;
        let path =
            cursor_path(&shared.directory, name).map_err(failed("naming", &shared.directory))?;
        let low = {
            let log = locked(&shared.log);
            match start {
                Start::Newest => start_of(log.end),
                Start::Oldest => start_of(log.oldest()),
                Start::At(sequence) => start_of(sequence.clamp(log.oldest(), log.end)),
            }
        };
        let mut settled = Settled::new(low);
        let file = SlotFile::create(shared.disk.clone(), path.clone(), &settled)
            .map_err(failed("creating", &path))?;
        shared.share.force(slot::FILE_BYTES);
        let mut log = locked(&shared.log);
        for (from, to) in &log.holes {
            settled.add(start_of(*from), start_of(*to));
        }
        let state = Arc::new(CursorState::new(file, settled, low));
        log.cursors.insert(name.to_owned(), state.clone());
        Ok(state)
    }

    /// Removes a cursor of this topic, and frees what only it held. Returns the bytes given back; an
    /// error of kind `ResourceBusy` when the cursor is open.
    pub fn forget_cursor(&self, name: &str) -> Result<u64, OpenError> {
        self.inner.forget(name).map_err(failed("forgetting", Path::new(name)))
    }

    /// Sequence after the last durable entry.
    pub fn end(&self) -> u64 {
        locked(&self.inner.shared.log).end
    }

    /// `wake` runs on the writer thread after each commit, with the new end; it must be quick.
    pub fn on_commit(&self, wake: Box<dyn Fn(u64) + Send + Sync>) {
        locked(&self.inner.shared.wakes).push(wake);
    }
}
