//! An object being read: what breaks in the middle is resumed where it broke.
//!
//! Always: the end is reported only when every byte came; all bytes are of one version of the object
//! (`If-Match`); attempts are bounded.

use std::time::Duration;

use aws::sigv4::encode_query;
use bytes::Bytes;
use http::header;

use super::super::fault::Kind;
use super::{About, DOWNLOAD_MAX, Fault, Incoming, Limits, Listed, S3, listed, not_s3};

/// Resumptions in a row: with the backoff below it is half a minute, which is longer than a
/// connection is lost for, and shorter than a queue's visibility timeout.
const RESUMES_MAX: u32 = 6;
/// Bytes after which a download has earned its resumptions anew.
const RESUMES_EARNED: u64 = 8 * 1024 * 1024;
/// First wait before a resumption; doubled each time. Tests are less patient.
const BACKOFF: Duration = Duration::from_millis(if cfg!(test) { 2 } else { 200 });
/// Longest wait before a resumption.
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// An object being read.
#[derive(Debug)]
pub struct Download {
    /// Length, etag and time as S3 told them.
    pub about: Listed,
    s3: S3,
    bucket: String,
    version: Option<String>,
    incoming: Option<Incoming>,
    /// Bytes handed out.
    at: u64,
    /// Bytes to drop from a server that takes no notice of `Range`.
    skip: u64,
    resumes: u32,
    /// Where the last resumption began.
    resumed_at: u64,
}

impl Download {
    pub(super) async fn begin(
        s3: S3,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        etag: Option<&str>,
    ) -> Result<Download, Fault> {
        let (fault, incoming) = open(&s3, bucket, key, version, etag, 0).await?;
        let about = listed(key, &incoming.headers).ok_or(fault)?;
        Ok(Download {
            about,
            s3,
            bucket: bucket.to_owned(),
            version: version.map(str::to_owned),
            incoming: Some(incoming),
            at: 0,
            skip: 0,
            resumes: 0,
            resumed_at: 0,
        })
    }

    /// The next bytes; `None` at the end, which is reached only when all of it came.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            if self.at >= self.about.length {
                self.incoming = None;
                return Ok(None);
            }
            let Some(incoming) = self.incoming.as_mut() else {
                self.resume().await?;
                continue;
            };
            let broke = match incoming.chunk().await {
                Ok(Some(bytes)) => {
                    let Some(bytes) = self.take(bytes) else { continue };
                    return Ok(Some(bytes));
                }
                Ok(None) => "the connection was closed".to_owned(),
                Err(error) => error.to_string(),
            };
            self.incoming = None;
            self.count(&broke)?;
        }
    }

    /// The bytes that are new and belong to the object.
    fn take(&mut self, mut bytes: Bytes) -> Option<Bytes> {
        let skipped = self.skip.min(bytes.len() as u64);
        self.skip -= skipped;
        let mut bytes = bytes.split_off(usize::try_from(skipped).unwrap_or(bytes.len()));
        let left = self.about.length - self.at;
        bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        self.at += bytes.len() as u64;
        if self.at - self.resumed_at >= RESUMES_EARNED {
            self.resumes = 0;
        }
        (!bytes.is_empty()).then_some(bytes)
    }

    /// One more break; a fault when there were too many.
    fn count(&mut self, broke: &str) -> Result<(), Fault> {
        self.resumes += 1;
        let resumable = !self.about.etag.is_empty();
        if self.resumes <= RESUMES_MAX && resumable {
            tracing::debug!(key = %self.about.key, at = self.at, broke, "download is resumed");
            return Ok(());
        }
        let Self { at, resumes, about, .. } = self;
        Err(Fault::ours(
            Kind::Unwell,
            &format!("GetObject s3://{}/{}", self.bucket, about.key),
            "Broken",
            &format!("broke at byte {at} of {}, {resumes} times: {broke}", about.length),
            "",
        ))
    }

    async fn resume(&mut self) -> Result<(), Fault> {
        let wait = BACKOFF * 2_u32.saturating_pow(self.resumes.saturating_sub(1).min(16));
        tokio::time::sleep(wait.min(BACKOFF_MAX)).await;
        self.resumed_at = self.at;
        let (key, etag) = (self.about.key.clone(), self.about.etag.clone());
        let version = self.version.clone();
        let opened =
            open(&self.s3, &self.bucket, &key, version.as_deref(), Some(&etag), self.at).await;
        let (not_s3, incoming) = match opened {
            Ok(opened) => opened,
            Err(fault) if fault.passes() => {
                let wait = fault.retry_after.unwrap_or_default().min(BACKOFF_MAX);
                tokio::time::sleep(wait).await;
                return self.count(&fault.to_string());
            }
            Err(fault) => return Err(fault),
        };
        let text = |name| incoming.headers.get(name).and_then(|value| value.to_str().ok());
        let expect = format!("bytes {}-", self.at);
        let range = text(header::CONTENT_RANGE);
        let total = format!("/{}", self.about.length);
        let continues = incoming.status == 206
            && range.is_some_and(|range| range.starts_with(&expect) && range.ends_with(&total));
        if text(header::ETAG).is_some_and(|now| now != etag) {
            return Err(changed(not_s3, "its entity tag is another"));
        }
        if !continues && incoming.status != 200 {
            return Err(not_s3);
        }
        self.skip = if continues { 0 } else { self.at };
        self.incoming = Some(incoming);
        Ok(())
    }
}

fn changed(fault: Fault, how: &str) -> Fault {
    let message = format!("the object changed while it was read: {how}");
    Fault { kind: Kind::Changed, code: "Changed".to_owned(), message, remedy: None, ..fault }
}

/// Opens from a byte on. Besides the answer: the fault to report if it turns out not to be S3's.
async fn open(
    s3: &S3,
    bucket: &str,
    key: &str,
    version: Option<&str>,
    etag: Option<&str>,
    at: u64,
) -> Result<(Fault, Incoming), Fault> {
    let limits = Limits { silence: s3.identity.patience(), whole: DOWNLOAD_MAX };
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    let mut about = About::object(bucket, key, "GetObject", action, limits);
    if let Some(version) = version {
        about.query = format!("versionId={}", encode_query(version));
    }
    if let Some(etag) = etag {
        about.headers.push((header::IF_MATCH, etag.to_owned()));
    }
    if at > 0 {
        about.headers.push((header::RANGE, format!("bytes={at}-")));
    }
    let (ask, incoming) = s3.open(&about).await.map_err(|failed| failed.fault)?;
    Ok((not_s3(&ask, &incoming), incoming))
}
