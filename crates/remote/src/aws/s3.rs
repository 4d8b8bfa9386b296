//! Objects: get as a stream, put, head, list.

use bytes::Bytes;

use super::{Fault, Identity, Kind};

/// The client of one identity; any bucket. Cheap to clone.
#[derive(Clone, Debug)]
pub struct S3 {
    identity: Identity,
}

/// What is known of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key, decoded.
    pub key: String,
    /// Its length.
    pub length: u64,
    /// Its entity tag, as it came (with its quotes).
    pub etag: String,
    /// Milliseconds since the epoch; 0 when it was not told.
    pub modified_ms: i64,
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order of their keys' bytes.
    pub objects: Vec<Listed>,
    /// For the next page; `None` after the last.
    pub next: Option<String>,
}

/// Where a listing begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct From<'a> {
    /// Only keys after this one.
    pub start_after: Option<&'a str>,
    /// [`Page::next`] of the page before.
    pub token: Option<&'a str>,
}

/// How an object is put.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Put {
    /// `Content-Encoding`, as Firehose sets it.
    pub content_encoding: Option<&'static str>,
    /// Key of KMS to encrypt with; S3's own choice without.
    pub kms_key_id: Option<String>,
}

/// An object being read.
#[derive(Debug)]
pub struct Download {
    /// Length, etag and time as S3 told them.
    pub about: Listed,
}

impl S3 {
    /// A client.
    pub fn new(identity: Identity) -> S3 {
        S3 { identity }
    }

    /// Begins to read an object. `version` and `etag`, when given, must still be what they were.
    pub async fn get(
        &self,
        bucket: &str,
        key: &str,
        _version: Option<&str>,
        _etag: Option<&str>,
    ) -> Result<Download, Fault> {
        Err(not_yet(&self.identity, &format!("GetObject s3://{bucket}/{key}")))
    }

    /// Asks for an object without reading it.
    pub async fn head(&self, bucket: &str, key: &str) -> Result<Listed, Fault> {
        Err(not_yet(&self.identity, &format!("HeadObject s3://{bucket}/{key}")))
    }

    /// Puts an object whole.
    pub async fn put(
        &self,
        bucket: &str,
        key: &str,
        _body: Bytes,
        _how: &Put,
    ) -> Result<(), Fault> {
        Err(not_yet(&self.identity, &format!("PutObject s3://{bucket}/{key}")))
    }

    /// One page of the keys under a prefix.
    pub async fn list(&self, bucket: &str, prefix: &str, _from: From<'_>) -> Result<Page, Fault> {
        Err(not_yet(&self.identity, &format!("ListObjectsV2 s3://{bucket}/{prefix}")))
    }
}

impl Download {
    /// The next bytes; `None` at the end, which is reached only when all of it came.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        Ok(None)
    }
}

pub(super) fn not_yet(_: &Identity, doing: &str) -> Fault {
    Fault {
        kind: Kind::Refused,
        doing: doing.to_owned(),
        code: "NotYet".to_owned(),
        message: "this client is not built yet".to_owned(),
        remedy: None,
        status: 0,
        retry_after: None,
    }
}
