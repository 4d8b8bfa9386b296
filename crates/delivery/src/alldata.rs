//! AllData: every source record is copied to the backup, besides being delivered, from a cursor of
//! its own. Records stand one after the other with nothing in between, as Firehose writes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use journal::Position;

use crate::backup::Backup;
use crate::config::{Buffering, StreamConfig};
use crate::feed::Feed;
use crate::stats::Stats;
use crate::time::{Clocks, Now};
use crate::worker::STORE_RETRY_MS;

/// How often the journal is looked at: a copy for the archive is in no hurry.
const LOOK: Duration = Duration::from_millis(500);

/// What follows the name of a stream in that of its copier's cursor. No stream's name ends with it.
pub const ALL_DATA_SUFFIX: &str = ".all-data";

/// The copier of one stream.
pub(crate) struct AllData {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// What it works with.
pub(crate) struct Copier {
    /// Name of the stream.
    pub stream: String,
    pub feeds: Vec<Feed>,
    pub backup: Backup,
    /// When a file is written.
    pub buffering: Buffering,
    pub stats: Arc<Stats>,
    pub clocks: Clocks,
    /// It has told of a failure.
    pub failed: bool,
}

/// When the copy of a stream is written.
pub(crate) fn buffering(config: &StreamConfig) -> Buffering {
    let asked = config.backup.s3.as_ref().map_or(Buffering::ALL_DATA, |s3| s3.all_data);
    let size_bytes = asked.size_bytes.min(Buffering::ALL_DATA.size_bytes);
    Buffering { size_bytes, ..asked }
}

impl AllData {
    pub(crate) fn start(mut copier: Copier) -> std::io::Result<AllData> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let named = std::thread::Builder::new().name(format!("all-data {}", copier.stream));
        let thread = named.spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                copier.round(&stopped);
                std::thread::park_timeout(LOOK);
            }
            copier.sync();
        })?;
        Ok(AllData { stop, thread })
    }

    pub(crate) fn lives(&self) -> bool {
        !self.thread.is_finished()
    }

    pub(crate) fn join(self) -> bool {
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        self.thread.join().is_ok()
    }
}

impl Copier {
    fn round(&mut self, stopped: &AtomicBool) {
        for index in 0..self.feeds.len() {
            if let Err(error) = self.copy(index, stopped) {
                // Once, not at every try: status tells how it stands.
                if !std::mem::replace(&mut self.failed, true) {
                    tracing::error!(
                        stream = self.stream,
                        error,
                        "all-data backup failed, it waits"
                    );
                }
                self.stats.set_state(|s| s.backup_failure = Some(error));
                std::thread::park_timeout(Duration::from_millis(STORE_RETRY_MS.unsigned_abs()));
                return;
            }
        }
        if std::mem::take(&mut self.failed) {
            self.stats.set_state(|s| s.backup_failure = None);
        }
        self.sync();
    }

    fn sync(&mut self) {
        for feed in &mut self.feeds {
            if let Err(error) = feed.cursor.sync() {
                tracing::error!(stream = self.stream, %error, "all-data cursor not synced");
            }
        }
    }

    /// Copies what is due into files. After a failure it is read again from where the last file ended.
    fn copy(&mut self, index: usize, stopped: &AtomicBool) -> Result<(), String> {
        let now = self.clocks.now();
        let Some(feed) = self.feeds.get_mut(index) else { return Ok(()) };
        let buffering = self.stats.buffering(self.buffering);
        let copied = copy_due(&self.backup, buffering, feed, now, stopped);
        feed.pause();
        if copied.is_err() {
            feed.restart(feed.begin, Vec::new());
        }
        copied
    }
}

/// A file that is being gathered.
struct Gathered {
    bytes: Vec<u8>,
    /// Arrival of the first record in it.
    arrival_ms: i64,
}

fn copy_due(
    backup: &Backup,
    buffering: Buffering,
    feed: &mut Feed,
    now: Now,
    stopped: &AtomicBool,
) -> Result<(), String> {
    let mut file = Gathered { bytes: Vec::new(), arrival_ms: 0 };
    let mut record = Vec::new();
    // A backlog may be long: a stop is heard between entries, and what was gathered is read again.
    while !stopped.load(Ordering::Acquire) && feed.release(buffering, now)? {
        let Some(mut loaded) = feed.load(feed.next)? else { break };
        let (sequence, arrival_ms) = (loaded.sequence, loaded.header.arrival_ms);
        feed.claimed(sequence);
        loaded.body.each_record(loaded.header.kind, &mut record, &mut |index, piece| {
            // The ordinal of this cursor is the record: those before `begin` are in a file already.
            if feed.begin > (Position { sequence, ordinal: index }) {
                return Ok(());
            }
            if file.bytes.is_empty() {
                file.arrival_ms = arrival_ms;
            }
            file.bytes.extend_from_slice(piece.unwrap_or_default());
            if file.bytes.len() as u64 >= buffering.size_bytes {
                // Also in the middle of an entry: a large one must not be held whole.
                put(backup, feed, &mut file, Position { sequence, ordinal: index + 1 })?;
            }
            Ok(())
        })?;
    }
    if stopped.load(Ordering::Acquire) {
        return Ok(());
    }
    let to = Position { sequence: feed.next, ordinal: 0 };
    put(backup, feed, &mut file, to)
}

fn put(backup: &Backup, feed: &mut Feed, file: &mut Gathered, to: Position) -> Result<(), String> {
    if feed.begin >= to {
        return Ok(());
    }
    if !file.bytes.is_empty() {
        backup.write_source(feed.cursor.topic(), feed.begin, file.arrival_ms, &file.bytes)?;
    }
    feed.cursor.settle(feed.begin, to).map_err(|e| e.to_string())?;
    feed.begin = to;
    file.bytes.clear();
    Ok(())
}
