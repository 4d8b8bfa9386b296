//! Quarantine to the backup's bucket: points and pieces that are refused for good lie beside the
//! records that the stream itself brings there.
//!
//! One object of NDJSON lines for each file, under the error prefix with the type `quarantine`. Always
//! holds: a file is removed after S3 has said that it has its object; without that the message fails.

use aws::firehose::prefix::{Evaluation, Prefixes, Suffix, Zone};
use codec::container::Compressor;
use delivery::S3Backup;
use remote::aws::Identity;
use remote::aws::s3::{Put, S3};

use super::fault::{BUG, Fault, NOT_DELIVERED};
use super::refused::{Store, files};
use super::variables::NAME;

/// What Firehose's word for the kind of failed data is here.
const ERROR_TYPE: &str = "quarantine";

/// The bucket, asked for at the first file.
pub(super) struct Bucket {
    backup: S3Backup,
    s3: Option<S3>,
}

impl Bucket {
    pub(super) fn new(backup: S3Backup) -> Bucket {
        Bucket { backup, s3: None }
    }

    /// Brings the lines in these stores to the bucket; `seed` names them the same way whenever they
    /// are brought again.
    pub(super) async fn keep(
        &mut self,
        stores: &[Store],
        now_ms: i64,
        seed: &str,
    ) -> Result<u64, Fault> {
        let mut kept = 0;
        for file in stores.iter().flat_map(|store| files(&store.folder)) {
            // Beside the lines lie bytes of objects, which are in the bucket they came from.
            if file.extension().is_none_or(|end| end != "ndjson") {
                continue;
            }
            let lines = std::fs::read(&file)
                .map_err(|error| Fault::new(BUG, format!("reading {}: {error}", file.display())))?;
            if lines.is_empty() {
                continue;
            }
            let key = self.key(now_ms, &format!("{seed}\n{kept}"))?;
            self.put(&key, &lines).await?;
            kept += 1;
        }
        Ok(kept)
    }

    fn key(&self, instant_ms: i64, seed: &str) -> Result<String, Fault> {
        let backup = &self.backup;
        let prefixes = Prefixes::parse(&backup.prefix, &backup.error_output_prefix);
        let prefixes = prefixes.map_err(|error| Fault::new(BUG, error))?;
        let (zone, seed) = (Zone::utc(), seed.as_bytes());
        let mut key = prefixes.error.evaluate(&Evaluation {
            instant_ms,
            zone: &zone,
            error_output_type: ERROR_TYPE,
            seed,
        });
        let extension = self.backup.compression.extension();
        let suffix = Suffix { stream: NAME, version: 1, instant_ms, zone: &zone, seed, extension };
        key.push_str(&suffix.name());
        Ok(key)
    }

    async fn put(&mut self, key: &str, lines: &[u8]) -> Result<(), Fault> {
        let backup = &self.backup;
        let mut object = Vec::new();
        let packed = Compressor::new(backup.compression).compress("quarantine", lines, &mut object);
        packed.map_err(|error| Fault::new(BUG, format!("compressing {key}: {error}")))?;
        let how = Put {
            content_encoding: backup.compression.content_encoding(),
            kms_key_id: backup.kms_key_id.clone(),
        };
        let refused =
            |fault: remote::aws::Fault| Fault::new(NOT_DELIVERED, format!("backup: {fault}"));
        let s3 = match &self.s3 {
            Some(s3) => s3,
            None => {
                let identity = Identity::load(backup.identity.clone()).await.map_err(refused)?;
                self.s3.insert(S3::new(identity))
            }
        };
        s3.put(&backup.bucket, key, object.into(), &how).await.map_err(refused)
    }
}
