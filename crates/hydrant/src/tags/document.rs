//! The snapshot as a file: JSON, written whole. `rules::TagSnapshot` reads the same form;
//! docs/enrichment.md describes it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rules::SNAPSHOT_VERSION;
use serde::{Deserialize, Serialize};

/// Resources by ARN, each with its tags.
pub type Resources = BTreeMap<String, BTreeMap<String, String>>;

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// [`SNAPSHOT_VERSION`].
    pub version: u32,
    /// When it was written.
    pub fetched_at: String,
    /// What it holds, by region and account.
    pub regions: Vec<Region>,
}

/// What was fetched of one region, as one identity sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// The account, when an ARN told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// The role it was fetched with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// When.
    pub fetched_at: String,
    /// Its resources.
    pub resources: Resources,
}

impl Document {
    /// A document of this moment.
    pub fn new(now: Timestamp, regions: Vec<Region>) -> Document {
        Document { version: SNAPSHOT_VERSION, fetched_at: now.to_string(), regions }
    }

    /// How many resources it holds.
    pub fn resources(&self) -> usize {
        self.regions.iter().map(|region| region.resources.len()).sum()
    }

    /// Reads the file; `None` when there is none. A file that is no snapshot is not to be overwritten.
    pub fn read(path: &Path) -> Result<Option<Document>, String> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let document: Document = serde_json::from_slice(&bytes)
            .map_err(|error| format!("is there and no snapshot of tags: {error}"))?;
        if document.version == SNAPSHOT_VERSION {
            return Ok(Some(document));
        }
        Err(format!("has version {}, which is not one of this release", document.version))
    }

    /// Puts it in the place of the file in one step, durably; answers its bytes.
    pub fn write(&self, path: &Path) -> io::Result<u64> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        fs::create_dir_all(&folder)?;
        // Named for the process: two that write at once each replace the file whole.
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        let written = self.write_part(&part).and_then(|bytes| {
            fs::rename(&part, path)?;
            File::open(&folder)?.sync_all()?;
            Ok(bytes)
        });
        if written.is_err() {
            // What is left over would only confuse; that it cannot be removed changes nothing.
            drop(fs::remove_file(&part));
        }
        written
    }

    fn write_part(&self, part: &Path) -> io::Result<u64> {
        let mut out = BufWriter::new(File::create(part)?);
        serde_json::to_writer(&mut out, self)?;
        out.write_all(b"\n")?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(file.metadata()?.len())
    }
}

impl Region {
    /// The account that its ARNs name first; some, as those of buckets, name none.
    pub fn account_of_resources(&self) -> Option<String> {
        let account = |arn: &String| arn.split(':').nth(4).map(str::to_owned);
        self.resources.keys().filter_map(account).find(|account| !account.is_empty())
    }
}
