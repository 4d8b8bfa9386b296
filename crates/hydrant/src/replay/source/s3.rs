//! Prefixes of buckets. Called from the thread of the command, which waits for each answer.
//!
//! What passes (throttling, 5xx) does not end a replay of thousands of objects: it is asked again.
//! But for the first answer: a place that cannot be reached at all is told at once.

use std::cell::Cell;
use std::io::{self, Read};

use bytes::Bytes;
use remote::aws::s3::{Download, From, S3};
use remote::aws::{Fault, Identity, IdentityConfig, Kind};
use tokio::runtime::Handle;

use super::{Listed, NotOpened, Visit, Where};
use crate::exit::Exit;
use crate::patience::{PAUSE, patiently};
use crate::replay::stop::Stop;

/// The client of all buckets.
pub(super) struct Bucket {
    s3: S3,
    runtime: Handle,
    /// It has been reached.
    answered: Cell<bool>,
}

impl Bucket {
    pub(super) fn open(identity: IdentityConfig, runtime: &Handle) -> Result<Bucket, Stop> {
        let identity = runtime.block_on(Identity::load(identity)).map_err(|fault| stop(&fault))?;
        Ok(Bucket { s3: S3::new(identity), runtime: runtime.clone(), answered: Cell::new(false) })
    }

    fn ask<T>(&self, ask: impl AsyncFn() -> Result<T, Fault>) -> Result<T, Fault> {
        let answer = match self.runtime.block_on(ask()) {
            Err(fault) if fault.passes() && (self.answered.get() || fault.status != 0) => {
                self.runtime.block_on(patiently(PAUSE, ask))
            }
            answer => answer,
        };
        self.answered.set(self.answered.get() || answer.is_ok());
        answer
    }

    pub(super) fn each(&self, bucket: &str, prefix: &str, visit: Visit<'_>) -> Result<(), Stop> {
        let mut token: Option<String> = None;
        loop {
            let page = self.ask(async || {
                let from = From { start_after: None, token: token.as_deref() };
                self.s3.list(bucket, prefix, from).await
            });
            let page = page.map_err(|fault| stop(&fault))?;
            for object in page.objects.into_iter().filter(|object| !object.key.ends_with('/')) {
                visit(Listed {
                    name: format!("s3://{bucket}/{}", object.key),
                    bytes: object.length,
                    modified_ms: object.modified_ms,
                    place: Where::Object { bucket: bucket.to_owned(), key: object.key },
                })?;
            }
            token = page.next;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    pub(super) fn get(&self, bucket: &str, key: &str) -> Result<Body, NotOpened> {
        let download = self.ask(async || self.s3.get(bucket, key, None, None).await);
        match download {
            Ok(download) => {
                Ok(Body { download, runtime: self.runtime.clone(), piece: Bytes::new() })
            }
            Err(fault) => match fault.kind {
                // It was listed a moment ago; and one object may have a key of its own.
                Kind::NoSuchObject | Kind::Denied | Kind::Changed | Kind::Refused => {
                    Err(NotOpened::Object(words(&fault)))
                }
                _ => Err(NotOpened::All(stop(&fault))),
            },
        }
    }
}

/// An object as it comes.
pub(super) struct Body {
    download: Download,
    runtime: Handle,
    piece: Bytes,
}

impl Read for Body {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.runtime.block_on(self.download.chunk()) {
                Ok(Some(piece)) => self.piece = piece,
                Ok(None) => return Ok(0),
                Err(fault) => return Err(io::Error::other(fault)),
            }
        }
        let n = out.len().min(self.piece.len());
        let now = self.piece.split_to(n);
        if let Some(space) = out.get_mut(..n) {
            space.copy_from_slice(&now);
        }
        Ok(n)
    }
}

fn words(fault: &Fault) -> String {
    match &fault.remedy {
        Some(remedy) => format!("{fault}; {remedy}"),
        None => fault.to_string(),
    }
}

/// The fault as the end of the command.
pub(in crate::replay) fn stop(fault: &Fault) -> Stop {
    let exit = match fault.kind {
        Kind::NoCredentials | Kind::BadCredentials | Kind::Denied => Exit::Denied,
        Kind::Throttled | Kind::Unwell => Exit::Unreachable,
        Kind::NoSuchObject
        | Kind::NoSuchPlace
        | Kind::WrongRegion
        | Kind::Changed
        | Kind::Refused => Exit::Failed,
    };
    Stop::failed(exit, &fault.to_string(), fault.remedy.as_deref())
}
