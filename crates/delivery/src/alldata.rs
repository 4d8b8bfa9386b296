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
use crate::worker::{Clock, STORE_RETRY_MS};

/// Firehose's own defaults for S3: a file at 5 MiB or 300 s, whichever first.
const FILE_BYTES: usize = 5 * 1024 * 1024;
const FILE_TIME: Duration = Duration::from_secs(300);
/// How often the journal is looked at: a copy for the archive is in no hurry.
const LOOK: Duration = Duration::from_millis(500);

/// The copier of one stream.
pub(crate) struct AllData {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// What it works with.
pub(crate) struct Copier {
    pub feeds: Vec<Feed>,
    pub backup: Backup,
    pub stats: Arc<Stats>,
    pub clock: Clock,
}

/// Name of the cursor of a stream's copier.
pub(crate) fn cursor_name(config: &StreamConfig) -> String {
    format!("{}.all-data", config.name)
}

impl AllData {
    pub(crate) fn start(stream: &str, mut copier: Copier) -> std::io::Result<AllData> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread =
            std::thread::Builder::new().name(format!("all-data {stream}")).spawn(move || {
                while !stopped.load(Ordering::Acquire) {
                    copier.round();
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
    fn round(&mut self) {
        for index in 0..self.feeds.len() {
            if let Err(error) = self.copy(index) {
                tracing::error!(error, "all-data backup failed, it waits");
                self.stats.set_state(|s| s.backup_failure = Some(error));
                std::thread::park_timeout(Duration::from_millis(STORE_RETRY_MS.unsigned_abs()));
                return;
            }
        }
        self.sync();
    }

    fn sync(&mut self) {
        for feed in &mut self.feeds {
            if let Err(error) = feed.cursor.sync() {
                tracing::error!(%error, "cursor not synced");
            }
        }
    }

    /// Copies what is due into files.
    fn copy(&mut self, index: usize) -> Result<(), String> {
        let now = (self.clock)();
        let Some(feed) = self.feeds.get_mut(index) else { return Ok(()) };
        let buffering = Buffering { size_bytes: FILE_BYTES as u64, interval: FILE_TIME };
        let (mut bytes, mut record, mut arrival) = (Vec::new(), Vec::new(), 0);
        while feed.release(buffering, now)? {
            let Some(mut loaded) = feed.load(feed.next)? else { break };
            feed.claimed(loaded.sequence);
            if arrival == 0 {
                arrival = loaded.header.arrival_ms;
            }
            loaded.body.each_record(&mut record, &mut |_, piece| {
                bytes.extend_from_slice(piece.unwrap_or_default());
                Ok(())
            })?;
            if bytes.len() >= FILE_BYTES {
                put(&self.backup, feed, &mut bytes, arrival)?;
                arrival = 0;
            }
        }
        put(&self.backup, feed, &mut bytes, arrival)
    }
}

fn put(backup: &Backup, feed: &mut Feed, bytes: &mut Vec<u8>, arrival: i64) -> Result<(), String> {
    let to = Position { sequence: feed.next, ordinal: 0 };
    if feed.begin >= to {
        return Ok(());
    }
    if !bytes.is_empty() {
        let written = backup.write_source(feed.cursor.topic(), feed.begin, arrival, bytes);
        if let Err(error) = written {
            // Read again from where the last file ended.
            let begin = feed.begin;
            feed.restart(begin, Vec::new());
            return Err(error);
        }
    }
    feed.cursor.settle(feed.begin, to).map_err(|e| e.to_string())?;
    feed.begin = to;
    bytes.clear();
    Ok(())
}
