//! What the folders of backup and quarantine hold of one entry.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::trace::files_since;

/// Longest line that is looked at: a record of 1,000 KiB in base64, and what stands around it.
const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Which entry, and when it came.
pub(super) struct Kept<'a> {
    pub topic: &'a str,
    pub sequence: u64,
    pub since_ms: i64,
}

/// Of a line of backup.
#[derive(Deserialize)]
struct BackupLine<'a> {
    #[serde(borrow)]
    hydrant: Option<Origin<'a>>,
    #[serde(borrow)]
    topic: Option<Cow<'a, str>>,
    sequence: Option<u64>,
}

/// Its member `hydrant`.
#[derive(Deserialize)]
struct Origin<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    sequence: u64,
    #[serde(default)]
    points: u64,
    #[serde(default)]
    undelivered: Vec<(u64, u64)>,
}

/// Items of the entry in the files below a folder, and which files. Only what was written since the
/// entry came is read.
pub(super) fn kept_in(folder: &Path, of: &Kept<'_>) -> (u64, Vec<PathBuf>) {
    let mut files = Vec::new();
    files_since(folder, of.since_ms, &mut files);
    files.sort();
    let mut items = 0;
    files.retain(|file| {
        let found = items_in(file, of);
        items += found;
        found > 0
    });
    (items, files)
}

fn items_in(file: &Path, of: &Kept<'_>) -> u64 {
    if !file.extension().is_some_and(|end| end == "json" || end == "ndjson") {
        return 0;
    }
    let Ok(opened) = File::open(file) else { return 0 };
    // Most lines are of other entries: a search for the number spares the parsing.
    let mark = format!("\"sequence\":{}", of.sequence);
    let mut items = 0;
    for line in BufReader::new(opened).split(b'\n').map_while(Result::ok) {
        if line.len() <= LINE_BYTES_MAX && memchr::memmem::find(&line, mark.as_bytes()).is_some() {
            items += items_of(&line, of);
        }
    }
    items
}

fn items_of(line: &[u8], of: &Kept<'_>) -> u64 {
    let Ok(line) = serde_json::from_slice::<BackupLine<'_>>(line) else { return 0 };
    if let Some(origin) = line.hydrant {
        let is_it = origin.topic == of.topic && origin.sequence == of.sequence;
        let undelivered = || origin.undelivered.iter().map(|(from, to)| to.saturating_sub(*from));
        return match (is_it, origin.undelivered.is_empty()) {
            (false, _) => 0,
            (true, true) => origin.points.max(1),
            (true, false) => undelivered().sum(),
        };
    }
    let is_it = line.topic.as_deref() == Some(of.topic) && line.sequence == Some(of.sequence);
    u64::from(is_it)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    /// *Scenario:* a folder with lines of backup and of quarantine, of this and of other entries.
    /// *Guarantees:* only the items of this entry are counted, and only its files are named.
    #[test]
    fn items_of_one_entry() {
        let dir = testkit::TempDir::new("kept");
        dir.write(
            "a.json",
            concat!(
                r#"{"rawData":"x","hydrant":{"topic":"aws","sequence":7,"points":9,"undelivered":[[0,3],[5,6]]}}"#,
                "\n",
                r#"{"rawData":"x","hydrant":{"topic":"aws","sequence":77,"points":9,"undelivered":[[0,3]]}}"#,
                "\n",
                r#"{"rawData":"x","hydrant":{"topic":"aws","sequence":7,"points":2,"undelivered":[]}}"#,
                "\n",
            ),
        );
        dir.write("b.ndjson", "{\"topic\":\"other\",\"sequence\":7,\"reason\":\"r\"}\n{broken");
        dir.write("c.ndjson", "{\"topic\":\"aws\",\"sequence\":7,\"reason\":\"r\"}\n");
        let of = Kept { topic: "aws", sequence: 7, since_ms: 0 };
        let (items, files) = kept_in(dir.path(), &of);
        let names: Vec<_> = files.iter().filter_map(|f| f.file_name()?.to_str()).collect();
        assert_eq!((items, names), (7, vec!["a.json", "c.ndjson"]));
        let later = Kept { since_ms: i64::MAX, ..of };
        assert_eq!(kept_in(dir.path(), &later).0, 0);
    }

    /// *Scenario:* a piece set aside in the tick of the kernel's clock in which its entry came: the
    /// time of its file is some milliseconds before that of the entry.
    /// *Guarantees:* it is found; a file of long before is not read.
    #[test]
    fn file_times_lag_behind() {
        let dir = testkit::TempDir::new("kept-lag");
        dir.write("q.ndjson", "{\"topic\":\"aws\",\"sequence\":7,\"reason\":\"r\"}\n");
        let file = File::options().write(true).open(dir.path().join("q.ndjson")).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_millis(1_000_000)).unwrap();
        let of = |since_ms| Kept { topic: "aws", sequence: 7, since_ms };
        assert_eq!(kept_in(dir.path(), &of(1_000_008)).0, 1);
        assert_eq!(kept_in(dir.path(), &of(1_005_000)).0, 0);
    }
}
