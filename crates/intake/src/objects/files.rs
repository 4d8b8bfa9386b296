//! A folder of captured objects, and standard input.
//!
//! Owns which files are read, in which order, and which are done. A file is known by its path, size
//! and time; one that is still being written waits. Always holds: a file counts as done only when
//! every piece of it is durable; one that changed while it was read is read again.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;

use super::carry::{Carrier, Halt, Object};
use super::feed::{self, Chunk};
use super::fetch::{pause, stops};
use super::ledger::{ENTRIES_MAX, Ledger, entry_of};
use super::stats::{Stats, Trouble};
use super::{Limits, Parts};
use crate::Clock;

/// A file younger than this may still be written to, and waits.
pub const SETTLE_TIME: Duration = Duration::from_secs(2);
/// How often files that wait are looked at again, where the folder is read once.
const SETTLE_LOOK: Duration = Duration::from_millis(500);
/// The same for files that may not be read: somebody has to do something first.
const REFUSED_LOOK: Duration = Duration::from_secs(10);
/// The ledger is saved this often while a folder is read. What is read again after a crash, the
/// journal knows.
const SAVE_EVERY: Duration = Duration::from_secs(5);
/// Depth of folders; a link that leads back is not followed, so this is only for the stack.
const DEPTH_MAX: usize = 64;
/// Read from standard input at a time.
const STDIN_CHUNK: usize = 64 * 1024;

/// Settings of a source of type `file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its name in the settings.
    pub name: String,
    /// A file, a folder (read with all folders in it), or `None` for standard input.
    pub path: Option<PathBuf>,
    /// The folder is looked at again after this long; `None` reads it once.
    pub interval: Option<Duration>,
    /// Limits.
    pub limits: Limits,
}

/// One source. Cheap to clone.
#[derive(Clone)]
pub struct Source {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    carrier: Carrier,
    stats: Arc<Stats>,
    ledger: PathBuf,
    clock: Clock,
}

/// What a look at the folder found.
#[derive(Default)]
struct Round {
    /// Files that are still being written.
    waiting: u64,
    /// Files that could not be read.
    refused: u64,
    /// Something of the folder could not be seen.
    blind: bool,
    seen: Vec<u128>,
}

impl Source {
    /// A source that appends to the topic.
    pub fn new(config: Config, parts: Parts) -> Source {
        let stats = Arc::<Stats>::default();
        let limit = config.limits.object_bytes;
        let carrier = Carrier::new(&config.name, &parts, limit, Arc::clone(&stats));
        let ledger = parts.state.join("files");
        let inner = Inner { config, carrier, stats, ledger, clock: parts.clock };
        Source { inner: Arc::new(inner) }
    }

    /// Its name in the settings.
    pub fn name(&self) -> &str {
        &self.inner.config.name
    }

    /// Its counters.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.inner.stats)
    }

    /// True when it was asked to read once, and all is read and durable.
    pub fn is_done(&self) -> bool {
        self.inner.stats.is_done()
    }

    /// Reads until all is read (without an interval) or until `stop` turns true.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let inner = self.inner;
        inner.stats.started();
        match inner.config.path.clone() {
            None => inner.read_stdin(stop).await,
            Some(path) => inner.read_path(&path, stop).await,
        }
    }
}

impl Inner {
    async fn read_path(self: Arc<Self>, path: &Path, stop: watch::Receiver<bool>) {
        loop {
            let (inner, path, for_thread) = (Arc::clone(&self), path.to_owned(), stop.clone());
            let round = spawn_blocking(move || inner.round(&path, &for_thread)).await;
            let (waiting, refused) = match round {
                Ok(Ok(round)) => (round.waiting > 0, round.blind || round.refused > 0),
                Ok(Err(Halt::Stopped)) => return,
                Ok(Err(halt)) => {
                    self.refused(&halt.to_string(), None);
                    (false, true)
                }
                Err(panicked) => {
                    self.refused(&panicked.to_string(), None);
                    (false, true)
                }
            };
            let next = match self.config.interval {
                None if refused => REFUSED_LOOK,
                None if waiting => SETTLE_LOOK,
                None => return self.stats.done(),
                Some(interval) => interval,
            };
            if !pause(next, &stop).await {
                return;
            }
        }
    }

    /// Reads all there is now.
    fn round(&self, path: &Path, stop: &watch::Receiver<bool>) -> Result<Round, Halt> {
        let (mut ledger, damaged) =
            Ledger::load(&self.ledger).map_err(|error| self.disk(&error))?;
        if let Some(found) = damaged {
            tracing::warn!(source = self.config.name, found, "files are read again");
        }
        let mut round = Round::default();
        let mut saved = Instant::now();
        let mut changed = false;
        let mut read = |file: &Path, round: &mut Round| {
            changed |= self.file(file, round, &mut ledger, stop)?;
            if changed && saved.elapsed() >= SAVE_EVERY {
                ledger.save(&self.ledger).map_err(|error| self.disk(&error))?;
                (saved, changed) = (Instant::now(), false);
            }
            Ok(())
        };
        let walked = self.walk(path, 0, &mut round, &mut read);
        if walked.is_ok() && !round.blind {
            // What is gone from the folder need not be remembered.
            let before = ledger.done.len();
            let seen: std::collections::HashSet<u128> = round.seen.drain(..).collect();
            ledger.done.retain(|entry, _| seen.contains(entry));
            changed |= ledger.done.len() < before;
            if round.refused == 0 {
                self.stats.clear();
            }
        }
        if changed {
            ledger.save(&self.ledger).map_err(|error| self.disk(&error))?;
        }
        walked.map(|()| round)
    }

    /// Shows every file under `path` to `read`, in the order of their names.
    fn walk(
        &self,
        path: &Path,
        depth: usize,
        round: &mut Round,
        read: &mut impl FnMut(&Path, &mut Round) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let found = match fs::metadata(path) {
            Ok(found) => found,
            // Gone since it was listed; the folder itself must be there.
            Err(error) if depth > 0 && error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => {
                self.unseen(path, &error, round);
                return Ok(());
            }
        };
        if found.is_file() {
            return read(path, round);
        }
        if !found.is_dir() || depth == DEPTH_MAX {
            return Ok(());
        }
        let listed = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) => {
                self.unseen(path, &error, round);
                return Ok(());
            }
        };
        let mut names: Vec<PathBuf> = Vec::new();
        for entry in listed {
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let leads_back =
                entry.file_type().is_ok_and(|kind| kind.is_symlink()) && entry.path().is_dir();
            if !hidden && !leads_back {
                names.push(entry.path());
            }
        }
        names.sort();
        names.iter().try_for_each(|name| self.walk(name, depth + 1, round, read))
    }

    /// Reads a file unless it is done or still being written; true when it is done now.
    fn file(
        &self,
        path: &Path,
        round: &mut Round,
        ledger: &mut Ledger,
        stop: &watch::Receiver<bool>,
    ) -> Result<bool, Halt> {
        if *stop.borrow() {
            return Err(Halt::Stopped);
        }
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        let (found, file) = match opened {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Ok(self.put_off(path, &error, round)),
        };
        let identity = identity_of(&found);
        let entry = entry_of(&path.to_string_lossy(), &identity);
        round.seen.push(entry);
        if ledger.done.contains_key(&entry) {
            return Ok(false);
        }
        if is_unfinished(path, &found) {
            round.waiting += u64::from(!is_partial(path));
            return Ok(false);
        }
        if ledger.done.len() >= ENTRIES_MAX {
            // Forgetting one would read it again, round after round.
            round.refused += 1;
            let text = format!("more than {ENTRIES_MAX} files are done and still in the folder");
            self.refused(&text, Some("move files that are done away; the others are read then"));
            return Ok(false);
        }
        let object =
            Object { place: path.to_string_lossy().into_owned(), identity: Some(identity.clone()) };
        match self.carrier.carry(&object, &file, stop) {
            Ok(carried) => {
                let (source, file_name) = (self.config.name.as_str(), path.display());
                tracing::debug!(source, file = %file_name, records = carried.records, "file read");
            }
            Err(Halt::Below(error)) => return Ok(self.put_off(path, &error, round)),
            Err(halt) => return Err(halt),
        }
        let same = file.metadata().is_ok_and(|now| identity_of(&now) == identity);
        if same {
            ledger.done.insert(entry, (self.clock)());
        }
        round.waiting += u64::from(!same);
        Ok(same)
    }

    /// Standard input to its end; what is read has no identity and is never a repeat.
    async fn read_stdin(&self, stop: watch::Receiver<bool>) {
        // A thread of its own: one that waits for standard input cannot be told to stop, and a
        // runtime waits for its own threads.
        let (pipe, mut input) = mpsc::channel(1);
        let reader = std::thread::Builder::new().name("stdin".to_owned());
        if let Err(error) = reader.spawn(move || pour(io::stdin().lock(), &pipe)) {
            return self.refused(&format!("starting a thread for standard input: {error}"), None);
        }
        let (pipe, feed) = feed::pipe();
        let (carrier, for_thread) = (self.carrier.clone(), stop.clone());
        let object = Object { place: "stdin".to_owned(), identity: None };
        let carrying = spawn_blocking(move || carrier.carry(&object, feed, &for_thread));
        let mut stopped = stop.clone();
        let mut failed = None;
        let forward = async {
            while let Some(chunk) = input.recv().await {
                match chunk {
                    Err(error) => failed = Some(error),
                    Ok(chunk) => {
                        if pipe.send(chunk).await.is_err() {
                            return;
                        }
                    }
                }
            }
        };
        tokio::select! {
            () = forward => {}
            () = stops(&mut stopped) => {}
        }
        // Without an end in it, the pipe says that the input was cut.
        drop(pipe);
        let halt = match carrying.await {
            Ok(Ok(_)) => return self.stats.done(),
            Ok(Err(_)) if *stop.borrow() => return,
            Ok(Err(halt)) => halt.to_string(),
            Err(panicked) => panicked.to_string(),
        };
        let text = failed.map_or(halt, |error: io::Error| error.to_string());
        self.refused(&format!("standard input: {text}"), None);
    }

    /// A part of the folder cannot be seen.
    fn unseen(&self, path: &Path, error: &io::Error, round: &mut Round) {
        round.blind = true;
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "make it, or correct `path` of the source",
            _ => "let the user that runs Hydrant read it",
        };
        self.refused(&format!("{}: {error}", path.display()), Some(remedy));
    }

    /// A file cannot be read now; always false.
    fn put_off(&self, path: &Path, error: &io::Error, round: &mut Round) -> bool {
        round.refused += 1;
        self.stats.put_off.add(1);
        let remedy = Some("let the user that runs Hydrant read it, or move it away");
        self.refused(&format!("{}: {error}", path.display()), remedy);
        false
    }

    fn disk(&self, error: &io::Error) -> Halt {
        Halt::Quarantine(format!("{}: {error}", self.ledger.display()))
    }

    fn refused(&self, text: &str, remedy: Option<&str>) {
        let (text, remedy) = (text.to_owned(), remedy.map(str::to_owned));
        let trouble = Trouble { at_ms: (self.clock)(), text, remedy };
        let known = matches!(self.stats.state(), super::State::Refused(known)
            if known.text == trouble.text);
        if !known {
            let Trouble { text, remedy, .. } = &trouble;
            tracing::warn!(source = self.config.name, fault = text, remedy, "source cannot read");
        }
        self.stats.refuse(trouble);
    }
}

/// Pours standard input into the pipe until its end, or until nobody listens.
fn pour(mut input: impl Read, pipe: &mpsc::Sender<io::Result<Chunk>>) {
    loop {
        let mut chunk = vec![0; STDIN_CHUNK];
        let next = match input.read(&mut chunk) {
            Ok(0) => Ok(Chunk::End),
            Ok(read) => {
                chunk.truncate(read);
                Ok(Chunk::Data(Bytes::from(chunk)))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let last = !matches!(next, Ok(Chunk::Data(_)));
        if pipe.blocking_send(next).is_err() || last {
            return;
        }
    }
}

/// What changes when the content of a file does.
fn identity_of(found: &Metadata) -> String {
    let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("{} {}", found.len(), modified.unwrap_or_default().as_nanos())
}

/// Files that are being written under a name that says so, as copying tools do.
fn is_partial(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    ["part", "partial", "tmp"].iter().any(|partial| extension == *partial)
}

fn is_unfinished(path: &Path, found: &Metadata) -> bool {
    // A time that lies ahead says nothing; waiting for it could take years.
    let age = found.modified().ok().and_then(|time| SystemTime::now().duration_since(time).ok());
    is_partial(path) || age.is_some_and(|age| age < SETTLE_TIME)
}
