//! Brings the backup of one stream to a bucket.
//!
//! Owns: the files of a backup folder once they are there whole. The folder is the queue: a file is
//! removed after S3 has said that it has its object, never before, so nothing is lost by a kill at
//! any instant, and a restart goes on where the folder stands.
//!
//! Always: the stream never waits for S3. It waits for its local share as before, and what is
//! uploaded gives its part of that back. The same file has the same key. The oldest goes first, one
//! at a time, for ever; a file that S3 refuses for itself makes way for the others.
//!
//! Not here: what is written into the folder; see `backup`.

mod folder;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use aws::firehose::prefix::{Prefix, Prefixes, Zone};
use codec::container::Compressor;
use remote::aws::s3::{Put, S3};
use remote::aws::{Fault, Identity, Kind};
use tokio::sync::Notify;

use crate::backup::FAILED;
use crate::config::{S3Backup, StreamConfig};
use crate::retry::{Random, delay};
use crate::share::Share;
use crate::sink::s3::{Named, Naming, code_of, entry_name, message_of, needs_person};
use crate::stats::Stats;
use crate::stream::Parts;
use crate::time::Clock;

use folder::{Waiting, scan};

/// Without a word from the stream the folder is looked at this often: people put files back.
const LOOK: Duration = Duration::from_secs(60);
/// At a stop, what is on its way is given this long. Cut off it is uploaded again, to the same key.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// What the writer of backup and its uploader share.
pub(crate) struct Outbox {
    /// Held while a file is put in place, or taken away.
    files: Mutex<()>,
    /// There may be something new.
    rung: Mutex<bool>,
    bell: Condvar,
    stopped: AtomicBool,
    stop: Notify,
    stats: Arc<Stats>,
}

impl Outbox {
    fn new(stats: Arc<Stats>) -> Outbox {
        Outbox {
            files: Mutex::default(),
            rung: Mutex::default(),
            bell: Condvar::new(),
            stopped: AtomicBool::new(false),
            stop: Notify::new(),
            stats,
        }
    }

    /// While this is held nothing is taken away.
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file of `size` bytes is in place; it replaced one of `before`, or none when that is 0.
    pub(crate) fn written(&self, before: u64, size: u64) {
        if before == 0 {
            self.stats.pending_files.fetch_add(1, Ordering::Relaxed);
        }
        self.stats.pending_bytes.fetch_add(size, Ordering::Relaxed);
        subtract(&self.stats.pending_bytes, before);
        self.ring();
    }

    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_all();
    }

    /// Waits for the bell; `only_stop` waits on when it is not for the stop.
    fn wait(&self, time: Duration, only_stop: bool) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waits =
            |rung: &mut bool| !self.stopped.load(Ordering::Acquire) && (only_stop || !*rung);
        let waited = self.bell.wait_timeout_while(rung, time, waits);
        let (mut rung, _) = waited.unwrap_or_else(PoisonError::into_inner);
        // In a pause after a failure a ring is not lost: the folder is looked at anyway.
        *rung = false;
    }

    fn end(&self) {
        self.stopped.store(true, Ordering::Release);
        self.stop.notify_one();
        self.ring();
    }
}

/// The uploader of one stream.
pub(crate) struct Uploader {
    outbox: Arc<Outbox>,
    thread: Option<JoinHandle<()>>,
}

impl Uploader {
    /// Starts when the stream's backup has a bucket. The error says what is wrong.
    pub(crate) fn start(
        config: &StreamConfig,
        parts: &Parts,
        origin: &Arc<str>,
    ) -> Result<Option<Uploader>, String> {
        let Some(s3) = &config.backup.s3 else { return Ok(None) };
        let prefixes = Prefixes::parse(&s3.prefix, &s3.error_output_prefix)?;
        let upload = Upload {
            stream: config.name.clone(),
            folder: config.backup.directory.clone(),
            origin: Arc::clone(origin),
            failed: naming(&prefixes.error, s3),
            all: naming(&prefixes.delivery, s3),
            s3: s3.clone(),
            client: None,
            outbox: Arc::new(Outbox::new(Arc::clone(&parts.stats))),
            share: Arc::clone(&parts.backup_share),
            clock: Arc::clone(&parts.clock),
            runtime: parts.runtime.clone(),
            queue: VecDeque::new(),
            step: 0,
            random: Random::new((parts.clock)().unsigned_abs()),
        };
        upload.spawn().map(Some)
    }

    pub(crate) fn outbox(&self) -> Arc<Outbox> {
        Arc::clone(&self.outbox)
    }

    pub(crate) fn lives(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    pub(crate) fn join(mut self) -> bool {
        self.outbox.end();
        self.thread.take().is_none_or(|thread| thread.join().is_ok())
    }
}

impl Drop for Uploader {
    /// Of a stream that could not be started after all.
    fn drop(&mut self) {
        self.outbox.end();
    }
}

fn naming(prefix: &Prefix, s3: &S3Backup) -> Naming {
    let extension = s3.compression.extension().to_owned();
    Naming { prefix: prefix.clone(), zone: Zone::utc(), version: s3.version, extension }
}

/// The work of the thread.
struct Upload {
    stream: String,
    folder: PathBuf,
    origin: Arc<str>,
    failed: Naming,
    all: Naming,
    s3: S3Backup,
    client: Option<S3>,
    outbox: Arc<Outbox>,
    share: Arc<Share>,
    clock: Clock,
    runtime: tokio::runtime::Handle,
    queue: VecDeque<Waiting>,
    /// Failures in a row.
    step: u32,
    random: Random,
}

/// Why a file was not uploaded.
enum Stays {
    /// It is not there any more.
    Gone,
    /// S3 did not take it.
    Fault(Fault),
    /// It could not be read, compressed or removed.
    Local(String),
    /// Told to stop meanwhile.
    Stopped,
}

impl Upload {
    fn spawn(mut self) -> Result<Uploader, String> {
        let (stream, outbox) = (self.stream.clone(), Arc::clone(&self.outbox));
        let thread = std::thread::Builder::new()
            .name(format!("backup {stream}"))
            .spawn(move || self.run())
            .map_err(|e| format!("starting the uploader of stream {stream}: {e}"))?;
        Ok(Uploader { outbox, thread: Some(thread) })
    }

    fn run(&mut self) {
        while !self.outbox.stopped.load(Ordering::Acquire) {
            if self.queue.is_empty() {
                self.look();
            }
            let Some(waiting) = self.queue.pop_front() else {
                self.outbox.wait(LOOK, false);
                continue;
            };
            match self.upload(&waiting) {
                Ok(()) => self.went_well(),
                // Somebody moved it away: that is what it is for.
                Err(Stays::Gone | Stays::Stopped) => {}
                Err(Stays::Fault(fault)) => {
                    let text = format!("{}: {}", code_of(&fault), message_of(&fault));
                    // Of this file alone: the others need not wait for it. It stays in the folder
                    // and is found at the next look, which an ever-filled queue would put off.
                    let alone = matches!(fault.kind, Kind::Refused);
                    if !alone {
                        self.queue.push_front(waiting);
                    }
                    self.went_wrong(text, needs_person(&fault), fault.retry_after);
                }
                Err(Stays::Local(text)) => {
                    self.went_wrong(text, true, None);
                }
            }
        }
    }

    /// Fills the queue from the folder, and counts what waits in it.
    fn look(&mut self) {
        let held = self.outbox.hold();
        let found = scan(&self.folder, &self.stream);
        self.outbox.stats.pending_files.store(found.files, Ordering::Relaxed);
        self.outbox.stats.pending_bytes.store(found.bytes, Ordering::Relaxed);
        drop(held);
        self.queue = found.oldest.into();
    }

    fn upload(&mut self, waiting: &Waiting) -> Result<(), Stays> {
        let local = |e: io::Error| Stays::Local(format!("{}: {e}", waiting.path.display()));
        let mut file = match File::open(&waiting.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(Stays::Gone),
            opened => opened.map_err(local)?,
        };
        let mut plain = Vec::new();
        file.read_to_end(&mut plain).map_err(local)?;
        let mut object = Vec::new();
        let entry = entry_name(&plain);
        Compressor::new(self.s3.compression)
            .compress(&entry, &plain, &mut object)
            .map_err(local)?;
        drop(plain);
        self.put(&self.key(waiting), object)?;
        self.take_away(waiting, &file).map_err(local)
    }

    fn key(&self, waiting: &Waiting) -> String {
        let naming = if waiting.is_failed { &self.failed } else { &self.all };
        naming.key(&Named {
            stream: &self.stream,
            instant_ms: waiting.instant_ms,
            error_output_type: FAILED,
            place: &[&self.origin, "backup", &waiting.name],
        })
    }

    fn put(&mut self, key: &str, object: Vec<u8>) -> Result<(), Stays> {
        let put = Put {
            content_encoding: self.s3.compression.content_encoding(),
            kms_key_id: self.s3.kms_key_id.clone(),
        };
        let Upload { client, s3, outbox, runtime, .. } = self;
        let asked = async {
            let client = match client {
                Some(client) => client,
                None => client.insert(S3::new(Identity::load(s3.identity.clone()).await?)),
            };
            client.put(&s3.bucket, key, object.into(), &put).await
        };
        let stop = async {
            outbox.stop.notified().await;
            tokio::time::sleep(STOP_GRACE).await;
        };
        runtime.block_on(async {
            tokio::select! {
                answered = asked => answered.map_err(Stays::Fault),
                () = stop => Err(Stays::Stopped),
            }
        })
    }

    /// Removes the file that was read, unless another took its place meanwhile: that one is looked
    /// for again, and its object replaces this one.
    fn take_away(&self, waiting: &Waiting, read: &File) -> io::Result<()> {
        let held = self.outbox.hold();
        let now = match fs::metadata(&waiting.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            found => found?,
        };
        let was = read.metadata()?;
        let same = |m: &fs::Metadata| (m.dev(), m.ino(), m.len(), m.mtime(), m.mtime_nsec());
        if same(&now) != same(&was) {
            return Ok(());
        }
        fs::remove_file(&waiting.path)?;
        self.share.give_back(was.len());
        subtract(&self.outbox.stats.pending_files, 1);
        subtract(&self.outbox.stats.pending_bytes, was.len());
        self.remove_empty_folders(&waiting.path);
        drop(held);
        Ok(())
    }

    /// Folders of hours that are over would pile up. One that is not empty stays by itself.
    fn remove_empty_folders(&self, path: &Path) {
        let above = path.ancestors().skip(1).take_while(|folder| *folder != self.folder);
        for folder in above {
            if fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }

    fn went_well(&mut self) {
        self.outbox.stats.uploads[0].fetch_add(1, Ordering::Relaxed);
        if std::mem::take(&mut self.step) > 0 {
            tracing::info!(
                stream = self.stream,
                bucket = self.s3.bucket,
                "backup is uploaded again"
            );
            self.outbox.stats.set_state(|s| {
                (s.upload_failure, s.upload_retry_ms, s.upload_loud) = (None, None, false);
            });
        }
    }

    /// Tells, and waits.
    fn went_wrong(&mut self, reason: String, loud: bool, hint: Option<Duration>) {
        self.outbox.stats.uploads[1].fetch_add(1, Ordering::Relaxed);
        let pause = delay(self.step, self.random.next_unit(), hint);
        if self.step == 0 {
            // Once an outage: status tells how it stands.
            let (stream, bucket) = (&self.stream, &self.s3.bucket);
            tracing::error!(
                stream,
                bucket,
                reason,
                "backup is not uploaded, it stays on this disk"
            );
        }
        self.step = self.step.saturating_add(1);
        let retry_ms = (self.clock)() + i64::try_from(pause.as_millis()).unwrap_or(i64::MAX / 4);
        self.outbox.stats.set_state(|s| {
            s.upload_failure = Some(reason);
            s.upload_retry_ms = Some(retry_ms);
            s.upload_loud = loud;
        });
        self.outbox.wait(pause, true);
    }
}

fn subtract(counter: &std::sync::atomic::AtomicU64, bytes: u64) {
    let less = |value: u64| Some(value.saturating_sub(bytes));
    let changed = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    debug_assert!(changed.is_ok(), "the closure always returns a value");
}
