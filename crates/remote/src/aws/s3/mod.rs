//! Objects: get as a stream, put, head, list.
//!
//! Owns how a bucket and a key become a request, and in which region a bucket was found. Always: a
//! success is believed only when S3 (or who speaks for it) signed it with what S3 sends: an entity
//! tag for an object, a `ListBucketResult` for a listing.

mod download;
mod list;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws::sigv4::{encode_path, encode_query};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, header};

use super::call::{Ask, Failed, at_most, whole};
use super::fault::Kind;
use super::places::{Service, is_region};
use super::verdict::{self, Doing};
use super::{Fault, Identity};
use crate::Answer;
use crate::client::{Incoming, Limits};
use crate::retry_after::http_date;

pub use download::Download;
pub use list::{From, Page};

/// A whole download may take this long on one connection; after it, it is resumed on the next.
const DOWNLOAD_MAX: Duration = Duration::from_secs(6 * 3600);
/// An upload is given the usual time, and that of its bytes at the slowest rate worth waiting for.
const UPLOAD_BYTES_PER_SECOND: u64 = 256 * 1024;
/// Buckets whose region is remembered: a process works with a few.
const BUCKETS_KNOWN: usize = 64;
/// S3's own limit of a key, in bytes of UTF-8.
const KEY_BYTES_MAX: usize = 1024;

/// The client of one identity; any bucket. Cheap to clone.
#[derive(Clone, Debug)]
pub struct S3 {
    identity: Identity,
    /// Buckets that were not where they were looked for.
    regions: Arc<Mutex<BTreeMap<String, String>>>,
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

/// How an object is put.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Put {
    /// `Content-Encoding`, as Firehose sets it.
    pub content_encoding: Option<&'static str>,
    /// Key of KMS to encrypt with; S3's own choice without.
    pub kms_key_id: Option<String>,
}

/// A request about a bucket or a key, before its place is known.
struct About<'a> {
    bucket: &'a str,
    key: Option<&'a str>,
    method: Method,
    query: String,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
    limits: Limits,
    operation: &'static str,
    action: &'static str,
}

impl S3 {
    /// A client.
    pub fn new(identity: Identity) -> S3 {
        S3 { identity, regions: Arc::default() }
    }

    /// Begins to read an object. `version` and `etag`, when given, must still be what they were.
    pub async fn get(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        etag: Option<&str>,
    ) -> Result<Download, Fault> {
        // A listing may tell no tag.
        let etag = etag.filter(|etag| !etag.is_empty());
        Download::begin(self.clone(), bucket, key, version, etag).await
    }

    /// Asks for an object without reading it.
    pub async fn head(&self, bucket: &str, key: &str) -> Result<Listed, Fault> {
        let limits = at_most(self.identity.patience());
        let about = About {
            method: Method::HEAD,
            ..About::object(bucket, key, "HeadObject", "s3:GetObject", limits)
        };
        let (ask, incoming) = self.open(&about).await.map_err(|failed| failed.fault)?;
        listed(key, &incoming.headers).ok_or_else(|| not_s3(&ask, &incoming))
    }

    /// Puts an object whole.
    pub async fn put(&self, bucket: &str, key: &str, body: Bytes, how: &Put) -> Result<(), Fault> {
        let upload = body.len() as u64 / UPLOAD_BYTES_PER_SECOND;
        let limits = at_most(self.identity.patience() + Duration::from_secs(upload));
        let mut headers = vec![
            (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
            (HeaderName::from_static("x-amz-checksum-crc32c"), checksum(&body)),
        ];
        if let Some(encoding) = how.content_encoding {
            headers.push((header::CONTENT_ENCODING, encoding.to_owned()));
        }
        if let Some(key_id) = &how.kms_key_id {
            let name = HeaderName::from_static("x-amz-server-side-encryption");
            headers.push((name, "aws:kms".to_owned()));
            let name = HeaderName::from_static("x-amz-server-side-encryption-aws-kms-key-id");
            headers.push((name, key_id.clone()));
        }
        let about = About {
            method: Method::PUT,
            headers,
            body,
            ..About::object(bucket, key, "PutObject", "s3:PutObject", limits)
        };
        let (ask, incoming) = self.open(&about).await.map_err(|failed| failed.fault)?;
        let stored = incoming.headers.contains_key(header::ETAG);
        stored.then_some(()).ok_or_else(|| not_s3(&ask, &incoming))
    }

    /// One page of the keys under a prefix.
    pub async fn list(&self, bucket: &str, prefix: &str, from: From<'_>) -> Result<Page, Fault> {
        list::list(self, bucket, prefix, from).await
    }

    /// Asks where the bucket is; where it turns out to be elsewhere, asks there, once.
    async fn open(&self, about: &About<'_>) -> Result<(Ask, Incoming), Failed> {
        let ask = self.ask(about)?;
        let failed = match self.identity.open(&ask).await {
            Ok(incoming) => return Ok((ask, incoming)),
            Err(failed) => failed,
        };
        let Some(region) = self.elsewhere(about, &ask, &failed) else { return Err(failed) };
        self.remember(about.bucket, region);
        let ask = self.ask(about)?;
        let incoming = self.identity.open(&ask).await?;
        Ok((ask, incoming))
    }

    async fn call(&self, about: &About<'_>, most: usize) -> Result<(Ask, Answer), Failed> {
        let (ask, incoming) = self.open(about).await?;
        let answer = whole(&ask, incoming, most).await?;
        Ok((ask, answer))
    }

    fn elsewhere(&self, about: &About<'_>, ask: &Ask, failed: &Failed) -> Option<String> {
        let region = failed.told.region.as_deref()?;
        // A HEAD says no more than 400, with the region beside it.
        let wrong = failed.fault.kind == Kind::WrongRegion || failed.fault.code == "BadRequest";
        let (place, _) = self.identity.places().bucket(about.bucket, region);
        (wrong && place.of_aws && is_region(region) && region != ask.region)
            .then(|| region.to_owned())
    }

    fn remember(&self, bucket: &str, region: String) {
        tracing::info!(bucket, %region, "the bucket is in another region");
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        if regions.len() >= BUCKETS_KNOWN && !regions.contains_key(bucket) {
            regions.pop_first();
        }
        regions.insert(bucket.to_owned(), region);
    }

    fn ask(&self, about: &About<'_>) -> Result<Ask, Fault> {
        let mut doing = about.doing("aws");
        about.check(&doing.text)?;
        let known = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        let region = match known.get(about.bucket) {
            Some(region) => region.clone(),
            None => self.identity.region_for(Service::S3, &doing.text)?.to_owned(),
        };
        drop(known);
        doing.resource = about.doing(::aws::arn::partition(&region).name).resource;
        let (place, mut path) = self.identity.places().bucket(about.bucket, &region);
        if let Some(key) = about.key {
            path.push('/');
            path.push_str(&key_path(key));
        } else if path.is_empty() {
            path.push('/');
        }
        Ok(Ask {
            service: Service::S3,
            region,
            base: place.url,
            method: about.method.clone(),
            path,
            query: about.query.clone(),
            headers: about.headers.clone(),
            body: about.body.clone(),
            limits: about.limits,
            doing,
        })
    }
}

impl<'a> About<'a> {
    fn object(
        bucket: &'a str,
        key: &'a str,
        operation: &'static str,
        action: &'static str,
        limits: Limits,
    ) -> About<'a> {
        About {
            bucket,
            key: Some(key),
            method: Method::GET,
            query: String::new(),
            headers: Vec::new(),
            body: Bytes::new(),
            limits,
            operation,
            action,
        }
    }

    fn doing(&self, partition: &str) -> Doing {
        let Self { bucket, operation, .. } = self;
        let arn = format!("arn:{partition}:s3:::{bucket}");
        let key = self.key.unwrap_or_default();
        let reads = self.key.is_some() && self.method != Method::PUT;
        Doing {
            text: format!("{operation} s3://{bucket}/{key}"),
            action: self.action,
            besides: if reads {
                // S3 tells nobody that a key is missing who may not list.
                format!(" (without s3:ListBucket on {arn}, an object that is gone is told as this)")
            } else {
                String::new()
            },
            resource: if self.key.is_some() { format!("{arn}/{key}") } else { arn },
        }
    }

    /// What could become another request than it says.
    fn check(&self, doing: &str) -> Result<(), Fault> {
        let refuse =
            |what: &str| Err(Fault::ours(Kind::Refused, doing, "BadName", what, "check the name"));
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if self.bucket.is_empty() || !self.bucket.chars().all(letter) || self.bucket.len() > 255 {
            return refuse("this is not the name of a bucket");
        }
        if matches!(self.bucket, "." | "..") {
            return refuse("this is not the name of a bucket");
        }
        match self.key {
            Some("") => refuse("the key is empty"),
            Some(key) if key.len() > KEY_BYTES_MAX => refuse("the key is longer than 1024 bytes"),
            _ => Ok(()),
        }
    }
}

/// A key in a path. A URL has no place for the segments `.` and `..`: it would be another one without
/// them. S3 reads `%2F` as `/`, so such a key is sent as one segment.
fn key_path(key: &str) -> String {
    let dots = key.split('/').any(|segment| matches!(segment, "." | ".."));
    if dots { encode_query(key) } else { encode_path(key) }
}

/// `x-amz-checksum-crc32c`: big-endian, in base64. S3 checks it before it says yes, as other servers
/// do, and buckets with Object Lock demand a checksum.
fn checksum(body: &[u8]) -> String {
    let mut text = Vec::with_capacity(8);
    codec::base64::encode_into(&codec::checksum::crc32c(0, body).to_be_bytes(), &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// An object as the headers of an answer tell it.
fn listed(key: &str, headers: &HeaderMap) -> Option<Listed> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let modified = text(header::LAST_MODIFIED).and_then(http_date);
    Some(Listed {
        key: key.to_owned(),
        length: text(header::CONTENT_LENGTH)?.parse().ok()?,
        etag: text(header::ETAG)?.to_owned(),
        modified_ms: modified.map_or(0, |at| at.as_millisecond()),
    })
}

/// A success that S3 did not write.
fn not_s3(ask: &Ask, incoming: &Incoming) -> Fault {
    let answer = Answer {
        status: incoming.status,
        headers: incoming.headers.clone(),
        body: Bytes::new(),
        retry_after: None,
    };
    verdict::not_aws(&ask.doing, &answer)
}

#[cfg(test)]
mod tests;
