//! Objects named by an event: read from S3 into the rooms, one after the other.
//!
//! One at a time, so that what became of its points can be told of each; within an object reading,
//! packing and sending overlap. Deliberately not here: what a piece is, and how a download is tried
//! again (`intake::objects`).

use std::sync::Arc;
use std::time::Duration;

use intake::objects::event::{Created, Notice, parse};
use intake::objects::{Carried, Carrier, Failed, Halt, Limits, Wanted};
use remote::aws::s3::{From, Listed, Page, S3};
use remote::aws::{Identity, IdentityConfig, Kind};
use tokio::sync::watch;
use tokio::time::timeout;

use super::event::unknown;
use super::fault::{Fault, NOT_DELIVERED, UNREADABLE};
use super::rooms::Rooms;
use super::variables::{NAME, Variables};
use crate::patience::{PAUSE, patiently};
use crate::run::wall_clock;

/// S3, asked for credentials at the first object: a function that only transforms has none to ask for.
pub(super) struct Objects {
    identity: IdentityConfig,
    limits: Limits,
    s3: Option<S3>,
}

/// What came of reading.
pub(super) enum Outcome {
    /// All of it is in the journal, or was set aside.
    Read(Carried),
    /// It is not there any more.
    Gone,
}

/// An object, for a person.
pub(super) fn place(object: &Created) -> String {
    format!("s3://{}/{}", object.bucket, object.key)
}

impl Objects {
    pub(super) fn new(variables: &Variables) -> Objects {
        let source = &variables.source;
        Objects { identity: source.identity.clone(), limits: source.limits, s3: None }
    }

    async fn s3(&mut self) -> Result<S3, Fault> {
        if let Some(s3) = &self.s3 {
            return Ok(s3.clone());
        }
        let loaded = Identity::load(self.identity.clone()).await;
        let identity = loaded.map_err(|error| unreadable(&error))?;
        Ok(self.s3.insert(S3::new(identity)).clone())
    }

    /// A page of the keys under a prefix, patiently.
    pub(super) async fn list(
        &mut self,
        bucket: &str,
        prefix: &str,
        start_after: Option<&str>,
        token: Option<&str>,
    ) -> Result<Page, Fault> {
        let s3 = self.s3().await?;
        let page =
            patiently(PAUSE, async || s3.list(bucket, prefix, From { start_after, token }).await);
        page.await.map_err(|fault| unreadable(&fault))
    }

    /// Reads an object into the journal, at the latest until `until_ms`.
    pub(super) async fn read(
        &mut self,
        object: &Created,
        rooms: &Rooms,
        until_ms: i64,
    ) -> Result<Outcome, Fault> {
        let s3 = self.s3().await?;
        let carrier = Carrier::new(NAME, &rooms.parts(), self.limits.object_bytes, Arc::default());
        let wanted = Wanted::told(object);
        let left = until_ms.saturating_sub(wall_clock()());
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        let (stop, stopped) = watch::channel(false);
        let fetching = carrier.fetch(&s3, wanted, &stopped);
        tokio::pin!(fetching);
        let fetched = match timeout(left, &mut fetching).await {
            Ok(fetched) => fetched,
            Err(_) => {
                // The thread that cuts is told, and waited for: it holds the object.
                stop.send_replace(true);
                fetching.await
            }
        };
        match fetched {
            Ok(carried) => Ok(Outcome::Read(carried)),
            Err(Failed::Fault(fault)) if fault.kind == Kind::NoSuchObject => Ok(Outcome::Gone),
            Err(Failed::Fault(fault)) => Err(unreadable(&fault)),
            Err(Failed::Halt(Halt::Stopped)) => {
                let why = format!("{}: time was up while it was read", place(object));
                Err(Fault::new(NOT_DELIVERED, format!("{why}: {}", rooms.waits())))
            }
            Err(Failed::Halt(halt)) => {
                Err(Fault::new(UNREADABLE, format!("{}: {halt}", place(object))))
            }
        }
    }
}

fn unreadable(fault: &remote::aws::Fault) -> Fault {
    let remedy = fault.remedy.as_ref().map_or_else(String::new, |remedy| format!(" ({remedy})"));
    Fault::new(UNREADABLE, format!("{fault}{remedy}"))
}

/// The objects that a text tells of.
pub(super) fn created(text: &str) -> Result<Vec<Created>, Fault> {
    match parse(text) {
        Notice::Objects { mut created, mut ignored } => {
            let told = created.len();
            created.retain(|object| !object.is_folder());
            ignored += (told - created.len()) as u64;
            if ignored > 0 {
                tracing::info!(ignored, "not of objects that were written");
            }
            Ok(created)
        }
        Notice::Test => Ok(Vec::new()),
        Notice::Unknown(why) => Err(unknown(&why)),
    }
}

/// An object of a listing.
pub(super) fn listed(bucket: &str, listed: &Listed) -> Created {
    Created {
        bucket: bucket.to_owned(),
        key: listed.key.clone(),
        version: None,
        etag: None,
        size: Some(listed.length),
        sequencer: None,
    }
}
