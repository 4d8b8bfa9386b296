//! What a stream set aside, where no bucket takes it: told in one line of log, then removed.
//!
//! The data itself is not lost with the line: it is still in the object that it was read from, which
//! the line names.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Of each file this much is looked at: reasons repeat.
const LOOKED_AT: u64 = 1 << 20;
/// Reasons that are shown with a sample.
const REASONS_MAX: usize = 10;
/// Characters of a sample.
const SAMPLE_MAX: usize = 300;

/// What is known of a reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// What the destination or the decoder said, of the first.
    pub detail: String,
    /// The beginning of the first.
    pub sample: String,
    /// What helps, where that is known.
    pub remedy: String,
}

impl Told {
    /// In one line, after its reason.
    pub(super) fn line(&self, reason: &str) -> String {
        let words = [reason, &self.detail, &self.sample];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let remedy = &self.remedy;
        if remedy.is_empty() {
            words.join(": ")
        } else {
            format!("{} ({remedy})", words.join(": "))
        }
    }
}

/// The members of a quarantine line and of a failed-record line that are told.
#[derive(Deserialize)]
struct Line {
    reason: Option<String>,
    detail: Option<String>,
    remedy: Option<String>,
    text: Option<String>,
    data: Option<String>,
    #[serde(rename = "errorCode")]
    code: Option<String>,
    #[serde(rename = "errorMessage")]
    message: Option<String>,
    #[serde(rename = "rawData")]
    raw: Option<String>,
}

/// A folder of what is set aside.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub folder: PathBuf,
    /// Its files are appended to by a stream that has them open: they are emptied, not removed.
    pub is_open: bool,
}

/// Reads what lies in these folders, by reason, and takes it away.
pub(super) fn take(stores: &[Store]) -> BTreeMap<String, Told> {
    let mut told = BTreeMap::new();
    for store in stores {
        for file in files(&store.folder) {
            read(&file, &mut told);
            let gone = match store.is_open {
                true => File::options().write(true).open(&file).and_then(|file| file.set_len(0)),
                false => fs::remove_file(&file),
            };
            if let Err(error) = gone {
                tracing::warn!(file = %file.display(), %error, "a file stays behind");
            }
        }
    }
    told
}

/// Every file below a folder, in order.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(file: &Path, told: &mut BTreeMap<String, Told>) {
    let Ok(file) = File::open(file) else { return };
    for line in BufReader::new(file.take(LOOKED_AT)).lines().map_while(Result::ok) {
        let Ok(line) = serde_json::from_str::<Line>(&line) else { continue };
        let reason = line.reason.or(line.code).unwrap_or_default();
        if told.len() >= REASONS_MAX || told.contains_key(&reason) {
            continue;
        }
        let short = |text: String| text.chars().take(SAMPLE_MAX).collect::<String>();
        let sample = line.text.or_else(|| line.data.or(line.raw).map(|text| plain(&text)));
        let detail = line.detail.or(line.message).unwrap_or_default();
        let (detail, sample) = (short(detail), short(sample.unwrap_or_default()));
        told.insert(reason, Told { detail, sample, remedy: line.remedy.unwrap_or_default() });
    }
}

/// Base64 as text, where it is text.
fn plain(data: &str) -> String {
    let mut bytes = Vec::new();
    match codec::base64::decode_into(data.as_bytes(), &mut bytes) {
        Ok(()) if std::str::from_utf8(&bytes).is_ok() => {
            String::from_utf8(bytes).unwrap_or_default()
        }
        _ => data.to_owned(),
    }
}
