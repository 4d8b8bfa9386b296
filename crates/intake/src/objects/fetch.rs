//! An object of S3 to the journal: the download feeds the thread that cuts.
//!
//! Owns the patience with a service that is unwell or throttles: it is asked again here, while the
//! message stays hidden, since giving a message back counts against it. Always holds: an object is
//! done only when its download came to its end. Not here: what becomes of an object that failed.

use std::time::Duration;

use remote::aws::Fault;
use remote::aws::Kind;
use remote::aws::s3::{Download, S3};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::carry::{Carried, Carrier, Halt, Object};
use super::event::Created;
use super::feed::{self, Chunk};

/// How often an object is asked for before it is put off: with the waits between, half a minute.
const TRIES: u32 = 6;
/// The first wait; each is twice the one before.
const WAIT: Duration = Duration::from_secs(1);
/// No wait is longer, whatever the service asks.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Which object of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// Bucket.
    pub bucket: &'a str,
    /// Key, decoded.
    pub key: &'a str,
    /// Version, when one is wanted.
    pub version: Option<&'a str>,
    /// Entity tag of that version, without quotes, when it is known.
    pub etag: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// What an event tells of. An object from before its bucket had versions has one called `null`:
    /// it needs not be asked for by name.
    pub fn told(created: &'a Created) -> Wanted<'a> {
        let Created { bucket, key, version, etag, .. } = created;
        let version = version.as_deref().filter(|version| *version != "null");
        Wanted { bucket, key, version, etag: etag.as_deref() }
    }

    /// `s3://bucket/key`.
    pub fn place(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}

/// Why an object was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// AWS.
    #[error(transparent)]
    Fault(Box<Fault>),
    /// Us.
    #[error(transparent)]
    Halt(Halt),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Failed {
        Failed::Fault(Box::new(fault))
    }
}

impl Carrier {
    /// Reads an object to its end, patiently.
    pub async fn fetch(
        &self,
        s3: &S3,
        wanted: Wanted<'_>,
        stop: &watch::Receiver<bool>,
    ) -> Result<Carried, Failed> {
        let mut wait = WAIT;
        for tried in 1.. {
            let failed = match self.fetch_once(s3, wanted, stop).await {
                Err(Failed::Fault(fault)) => fault,
                other => return other,
            };
            // What was read of an object that has changed is known; the new one is another.
            let again = failed.passes() || failed.kind == Kind::Changed;
            if !again || tried == TRIES {
                return Err(Failed::Fault(failed));
            }
            let asked = failed.retry_after.unwrap_or_default();
            tracing::debug!(object = wanted.place(), fault = %failed, tried, "asking again");
            if !pause(wait.max(asked).min(WAIT_MAX), stop).await {
                break;
            }
            wait *= 2;
        }
        Err(Failed::Halt(Halt::Stopped))
    }

    async fn fetch_once(
        &self,
        s3: &S3,
        wanted: Wanted<'_>,
        stop: &watch::Receiver<bool>,
    ) -> Result<Carried, Failed> {
        let mut stopped = stop.clone();
        let mut download = tokio::select! {
            download = open(s3, wanted) => download?,
            () = stops(&mut stopped) => return Err(Failed::Halt(Halt::Stopped)),
        };
        let version = wanted.version.unwrap_or_default();
        let identity = format!("{} {version}", download.about.etag);
        let object = Object { place: wanted.place(), identity: Some(identity) };
        let (pipe, feed) = feed::pipe();
        let (carrier, for_thread) = (self.clone(), stop.clone());
        let carrying = spawn_blocking(move || carrier.carry(&object, feed, &for_thread));
        let fed = tokio::select! {
            fed = pour(&mut download, pipe) => fed,
            // The pipe is dropped, which ends the thread.
            () = stops(&mut stopped) => Ok(()),
        };
        let carried = match carrying.await {
            Ok(carried) => carried,
            Err(panicked) => Err(Halt::Below(std::io::Error::other(panicked))),
        };
        if *stop.borrow() && carried.is_err() {
            return Err(Failed::Halt(Halt::Stopped));
        }
        // A download that broke is the reason of whatever the other end made of it.
        fed?;
        carried.map_err(Failed::Halt)
    }
}

/// Opens an object. Versions are a right of their own (`s3:GetObjectVersion`): who may only read objects
/// gets the newest version, as long as it is the wanted one.
async fn open(s3: &S3, wanted: Wanted<'_>) -> Result<Download, Fault> {
    let Wanted { bucket, key, version, etag } = wanted;
    let denied = match s3.get(bucket, key, version, None).await {
        Err(fault) if version.is_some() && fault.kind == Kind::Denied => fault,
        opened => return opened,
    };
    let Some(etag) = etag.map(|etag| format!("\"{etag}\"")) else { return Err(denied) };
    match s3.get(bucket, key, None, Some(&etag)).await {
        Ok(download) if download.about.etag == etag => Ok(download),
        Err(fault) if fault.passes() => Err(fault),
        Ok(_) | Err(_) => Err(denied),
    }
}

/// Pours the download into the pipe; `Ok` also when its other end has seen enough.
async fn pour(
    download: &mut Download,
    pipe: tokio::sync::mpsc::Sender<Chunk>,
) -> Result<(), Fault> {
    while let Some(data) = download.chunk().await? {
        if pipe.send(Chunk::Data(data)).await.is_err() {
            return Ok(());
        }
    }
    // The other end is gone only when it has seen enough, or failed and says so.
    pipe.send(Chunk::End).await.ok();
    Ok(())
}

/// Waits; false when it should stop instead.
pub(crate) async fn pause(time: Duration, stop: &watch::Receiver<bool>) -> bool {
    let mut stop = stop.clone();
    tokio::select! {
        () = sleep(time) => true,
        () = stops(&mut stop) => false,
    }
}

/// Returns when it should stop.
pub(crate) async fn stops(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    stop.wait_for(|stopped| *stopped).await.ok();
}
