//! Where kept records lie: files, folders and prefixes of buckets, walked in the order of their names.
//!
//! Always: what was written after the replay began is left for the next one, since it may be what
//! this very replay could not deliver. One folder, or one page of a listing, is held at a time.

mod folder;
mod s3;

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use remote::aws::IdentityConfig;
use tokio::runtime::Handle;

use super::stop::Stop;

pub(super) use s3::stop as s3_stop;

/// One SOURCE of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Path(PathBuf),
    S3 { bucket: String, prefix: String },
}

impl Source {
    /// `s3://bucket/prefix`, or a path.
    pub(super) fn parse(text: &str) -> Result<Source, String> {
        let Some(place) = text.strip_prefix("s3://") else {
            return Ok(Source::Path(PathBuf::from(text)));
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(format!("{text} names no bucket: it is s3://bucket or s3://bucket/prefix"));
        }
        Ok(Source::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

/// An object, before it is opened.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    /// For a person: the path, or `s3://bucket/key`.
    pub name: String,
    pub bytes: u64,
    pub modified_ms: i64,
    place: Where,
}

#[derive(Clone, Debug)]
enum Where {
    File(PathBuf),
    Object { bucket: String, key: String },
}

/// What is known before anything is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    pub objects: u64,
    pub bytes: u64,
    /// Written after the replay began.
    pub newer: u64,
}

/// What a visitor of objects says.
pub(super) type Visit<'a> = &'a mut dyn FnMut(Listed) -> Result<(), Stop>;

/// All sources of a replay.
pub(super) struct Sources {
    list: Vec<Source>,
    s3: Option<s3::Bucket>,
    began_ms: i64,
}

/// Why an object could not be opened.
pub(super) enum NotOpened {
    /// This one alone: it is gone, or not ours to read.
    Object(String),
    /// None can be read.
    All(Stop),
}

impl Sources {
    pub(super) fn new(
        texts: &[String],
        identity: IdentityConfig,
        runtime: &Handle,
        began_ms: i64,
    ) -> Result<Sources, Stop> {
        let list: Result<Vec<Source>, String> = texts.iter().map(|t| Source::parse(t)).collect();
        let list = list.map_err(|why| Stop::usage(&why))?;
        let in_buckets = list.iter().any(|source| matches!(source, Source::S3 { .. }));
        let s3 = in_buckets.then(|| s3::Bucket::open(identity, runtime)).transpose()?;
        Ok(Sources { list, s3, began_ms })
    }

    /// Calls `visit` for each object.
    pub(super) fn each(&self, visit: Visit<'_>) -> Result<(), Stop> {
        let began_ms = self.began_ms;
        let mut older = |listed: Listed| match listed.modified_ms > began_ms {
            true => Ok(()),
            false => visit(listed),
        };
        self.each_of_any_time(&mut older)
    }

    fn each_of_any_time(&self, visit: Visit<'_>) -> Result<(), Stop> {
        for source in &self.list {
            match (source, &self.s3) {
                (Source::Path(path), _) => folder::each(path, visit)?,
                (Source::S3 { bucket, prefix }, Some(s3)) => s3.each(bucket, prefix, visit)?,
                (Source::S3 { .. }, None) => {}
            }
        }
        Ok(())
    }

    /// How much there is.
    pub(super) fn extent(&self, stopped: &dyn Fn() -> bool) -> Result<Extent, Stop> {
        let mut extent = Extent::default();
        self.each_of_any_time(&mut |listed| {
            if stopped() {
                return Err(Stop::Interrupted);
            }
            if listed.modified_ms > self.began_ms {
                extent.newer += 1;
            } else {
                extent.objects += 1;
                extent.bytes += listed.bytes;
            }
            Ok(())
        })?;
        Ok(extent)
    }

    /// Begins to read an object; `read` counts its bytes as they come.
    pub(super) fn open(
        &self,
        listed: &Listed,
        read: &Arc<AtomicU64>,
    ) -> Result<Box<dyn Read>, NotOpened> {
        let bytes: Box<dyn Read> = match (&listed.place, &self.s3) {
            (Where::File(path), _) => {
                let file = std::fs::File::open(path);
                Box::new(file.map_err(|e| NotOpened::Object(e.to_string()))?)
            }
            (Where::Object { bucket, key }, Some(s3)) => Box::new(s3.get(bucket, key)?),
            (Where::Object { .. }, None) => {
                return Err(NotOpened::Object("there is no client".to_owned()));
            }
        };
        Ok(Box::new(Counted { bytes, read: Arc::clone(read) }))
    }
}

impl Listed {
    /// The stream and the time that Firehose's naming tells: `<stream>-<version>-yyyy-MM-dd-HH-mm-ss-`.
    pub(super) fn stream_and_time(&self) -> (String, i64) {
        let base = self.name.rsplit('/').next().unwrap_or(&self.name);
        named(base).unwrap_or_else(|| (String::new(), self.modified_ms))
    }
}

/// Reads the name from the left: the first place where a version and a time follow a stream.
fn named(base: &str) -> Option<(String, i64)> {
    const STAMP: usize = "yyyy-MM-dd-HH-mm-ss".len();
    for (dash, _) in base.match_indices('-') {
        let (stream, rest) = base.split_at_checked(dash)?;
        let rest = rest.strip_prefix('-')?;
        let Some((version, rest)) = rest.split_once('-') else { continue };
        if stream.is_empty() || version.is_empty() || !version.bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        let stamp = rest.get(..STAMP);
        let time = stamp.and_then(|stamp| {
            let time = jiff::civil::DateTime::strptime("%Y-%m-%d-%H-%M-%S", stamp).ok()?;
            jiff::tz::TimeZone::UTC.to_timestamp(time).ok()
        });
        if let Some(time) = time {
            return Some((stream.to_owned(), time.as_millisecond()));
        }
    }
    None
}

/// Counts what is read.
struct Counted {
    bytes: Box<dyn Read>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.bytes.read(out)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* sources as people type them.
    /// *Guarantees:* buckets and paths are told apart; a bucket without a name is refused.
    #[test]
    fn sources_are_told_apart() {
        assert_eq!(Source::parse("a/b"), Ok(Source::Path("a/b".into())));
        let s3 = |bucket: &str, prefix: &str| {
            Ok(Source::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
        };
        assert_eq!(Source::parse("s3://b"), s3("b", ""));
        assert_eq!(Source::parse("s3://b/p/q"), s3("b", "p/q"));
        assert!(Source::parse("s3:///p").unwrap_err().contains("names no bucket"));
    }

    /// *Scenario:* names by Firehose, by us, and others.
    /// *Guarantees:* stream and time are read where they are, also of streams with dashes and digits.
    #[test]
    fn names_tell_stream_and_time() {
        let time = 1_795_176_000_000;
        let by_firehose =
            "my-1-stream-3-2026-11-20-12-00-00-0b5e2c1e-7d0a-4b54-9b3e-5f2d3a1c9e10.gz";
        assert_eq!(named(by_firehose), Some(("my-1-stream".to_owned(), time)));
        let ours = "s-1-2026-11-20-12-00-00-aws-0000000000000001-00000000-old.json";
        assert_eq!(named(ours), Some(("s".to_owned(), time)));
        for other in ["a.json", "1795176000000-0000.ndjson", "-1-2026-11-20-12-00-00-", "s-1-2026"]
        {
            assert_eq!(named(other), None, "{other}");
        }
    }
}
