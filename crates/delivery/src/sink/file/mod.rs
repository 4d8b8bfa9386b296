//! NDJSON files, rotated by size.
//!
//! One CloudWatch JSON object a line, with what was added to the point as `attributes`, appended and synced before a parcel counts as delivered.
//! Always holds: a file ends with a whole line, and what could not be written whole is taken back.
//! Deliberately not here: compression and rotation by time; other tools do both to closed files.

mod log;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metric::Point;
use metric::encode::ndjson_line;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::log::Log;
use super::{Offer, Payload};
use crate::{Verdict, Why};

/// Settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where.
    pub path: PathBuf,
    /// What is written.
    pub content: Content,
    /// A file above this size is closed and the next begun.
    pub rotate_bytes: u64,
    /// Closed files kept; 0 keeps all.
    pub keep: u32,
}

/// `format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// One CloudWatch JSON object a line.
    Ndjson,
}

/// Bytes after which a parcel is closed: one sync costs as much as writing about this much.
const PARCEL_BYTES: usize = 1024 * 1024;

/// A disk that takes longer than this hangs: what requests over the network may take, too.
const PATIENCE: Duration = Duration::from_secs(30);

/// Code of a failed write.
const NOT_WRITTEN: &str = "File.NotWritten";

/// The packing half.
pub struct Packer {
    text: Vec<u8>,
    points: u32,
}

impl Packer {
    /// A packer for these settings.
    pub(crate) fn new(config: &Config) -> Packer {
        let Content::Ndjson = config.content;
        Packer { text: Vec::new(), points: 0 }
    }

    /// Takes a point as a line.
    pub(crate) fn offer(&mut self, point: &Point<'_>) -> Offer {
        ndjson_line(point, &mut self.text);
        self.points += 1;
        Offer::Taken
    }

    /// The parcel is large enough.
    pub(crate) fn full(&self) -> bool {
        self.text.len() >= PARCEL_BYTES
    }

    /// Points in the open parcel.
    pub(crate) fn points(&self) -> u32 {
        self.points
    }

    /// Closes the open parcel.
    pub(crate) fn close(&mut self) -> Payload {
        let body = bytes::Bytes::copy_from_slice(&self.text);
        let payload = Payload {
            body,
            points: self.points,
            plain_bytes: self.text.len(),
            ..Payload::default()
        };
        self.discard();
        payload
    }

    /// Forgets the open parcel.
    pub(crate) fn discard(&mut self) {
        self.text.clear();
        self.points = 0;
    }
}

/// The writing half. One parcel at a time is written, whoever sends it.
pub struct Wire {
    path: PathBuf,
    log: Arc<Mutex<Log>>,
    /// Held by the thread that writes: behind one that hangs no others pile up.
    turn: Arc<Semaphore>,
    patience: Duration,
}

impl Wire {
    /// A wire for these settings.
    pub(crate) fn new(config: &Config) -> Result<Wire, String> {
        if config.path.file_name().is_none() {
            return Err(format!("path: {} names no file", config.path.display()));
        }
        if config.rotate_bytes == 0 {
            return Err("rotate_bytes: 0 would begin a file for every request".to_owned());
        }
        let log = Log::new(config.path.clone(), config.rotate_bytes, config.keep);
        Ok(Wire {
            path: config.path.clone(),
            log: Arc::new(Mutex::new(log)),
            turn: Arc::new(Semaphore::new(1)),
            patience: PATIENCE,
        })
    }

    /// Appends and syncs.
    pub(crate) async fn send(&self, payload: &Payload) -> Verdict {
        let log = Arc::clone(&self.log);
        let body = payload.body.clone();
        let work = move || log.lock().unwrap_or_else(PoisonError::into_inner).append(&body);
        self.blocking(work).await
    }

    /// Looks whether the folder is there, or could be made.
    pub(crate) async fn probe(&self) -> Verdict {
        let path = self.path.clone();
        self.blocking(move || log::check_folder(&path)).await
    }

    async fn blocking(
        &self,
        work: impl FnOnce() -> std::io::Result<()> + Send + 'static,
    ) -> Verdict {
        let turn = Arc::clone(&self.turn);
        let done = async move {
            let turn = turn.acquire_owned().await.map_err(std::io::Error::other)?;
            let work = move || {
                let outcome = work();
                drop(turn);
                outcome
            };
            tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
        };
        let error = match timeout(self.patience, done).await {
            Ok(Ok(())) => return Verdict::Delivered,
            Ok(Err(error)) => error,
            Err(_) => std::io::Error::other(format!("not written within {:?}", self.patience)),
        };
        // Space may come back; a missing right or folder is for a person.
        let loud = error.kind() != std::io::ErrorKind::StorageFull;
        let message = format!("{}: {error}", self.path.display());
        Verdict::Later { after: None, loud, why: Why { code: NOT_WRITTEN, message } }
    }

    /// Type and place.
    pub(crate) fn describe(&self) -> String {
        format!("file {}", self.path.display())
    }
}

#[cfg(test)]
mod tests;
