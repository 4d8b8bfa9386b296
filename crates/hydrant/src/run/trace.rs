//! What became of a delivery: the journal's keys say where it was stored, its cursors who has dealt
//! with it, the folders of backup and quarantine what was set aside.
//!
//! Two ways to the entry: by its header while that lies on disk, and by its key, which is known for
//! a while longer. A key is made of the source ARN too; those that the headers show are tried.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use entry::Header;
use intake::firehose::key_name;
use journal::{Coverage, Journal, KnownEntry, Standing};

use super::SharedHouse;
use super::kept::{Kept, kept_in};
use crate::control::trace::{Traced, TracedEntry, TracedStream};

/// A search takes no longer; half a million headers fit.
const SEARCH_TIME: Duration = Duration::from_secs(8);
/// More source ARNs than any source has senders.
const ARNS_MAX: usize = 10_000;

/// Where a stream keeps what it sets aside.
#[derive(Clone)]
struct Stores {
    name: String,
    backup: PathBuf,
    quarantine: PathBuf,
    uploaded_to: Option<String>,
}

/// An entry found by its header.
struct Found {
    topic: String,
    sequence: u64,
    header: Header,
}

/// Asks for a request id; the search does not hold the house.
pub async fn trace(
    house: &SharedHouse,
    request_id: String,
    source_arn: Option<String>,
) -> Result<Traced, String> {
    let (journal, stores) = {
        let house = house.lock().await;
        let stores = house.report().streams.into_iter().map(|stream| Stores {
            name: stream.name,
            backup: stream.backup.directory,
            quarantine: stream.quarantine.directory,
            uploaded_to: stream.uploads.map(|uploads| uploads.place),
        });
        (house.journal.clone(), stores.collect::<Vec<_>>())
    };
    let searched = tokio::task::spawn_blocking(move || {
        let mut search = Search::new(request_id, source_arn);
        search.journal(&journal);
        search.into_answer(&journal, &stores)
    });
    searched.await.map_err(|error| format!("the search ended by itself: {error}"))
}

struct Search {
    request_id: String,
    arns: BTreeSet<String>,
    found: Vec<Found>,
    looked_at: u64,
    cut_short: bool,
}

impl Search {
    fn new(request_id: String, source_arn: Option<String>) -> Search {
        let arns = source_arn.into_iter().collect();
        Search { request_id, arns, found: Vec::new(), looked_at: 0, cut_short: false }
    }

    /// Looks at the headers of all that lies on disk.
    fn journal(&mut self, journal: &Journal) {
        let begun = Instant::now();
        for topic in journal.topics() {
            let read = journal.heads(&topic, &mut |sequence, head| {
                self.looked_at += 1;
                self.header(&topic, sequence, head);
                begun.elapsed() < SEARCH_TIME
            });
            self.cut_short |= begun.elapsed() >= SEARCH_TIME;
            if let Err(error) = read {
                tracing::warn!(topic, %error, "searching the journal for a delivery");
                self.cut_short = true;
            }
        }
    }

    fn header(&mut self, topic: &str, sequence: u64, head: &[u8]) {
        let Ok(header) = Header::decode(head) else { return };
        if !self.arns.contains(&header.source_arn) && self.arns.len() < ARNS_MAX {
            self.arns.insert(header.source_arn.clone());
        }
        if header.request_id == self.request_id {
            self.found.push(Found { topic: topic.to_owned(), sequence, header });
        }
    }

    fn into_answer(self, journal: &Journal, stores: &[Stores]) -> Traced {
        let mut known: Vec<(KnownEntry, &str)> = Vec::new();
        for arn in &self.arns {
            let of_arn = journal.known(key_name(arn, &self.request_id));
            known.extend(of_arn.into_iter().map(|entry| (entry, arn.as_str())));
        }
        let mut entries: Vec<TracedEntry> = Vec::new();
        for Found { topic, sequence, header } in &self.found {
            let key = known.iter().find(|(k, _)| k.topic == *topic && k.sequence == *sequence);
            entries.push(TracedEntry {
                topic: topic.clone(),
                sequence: *sequence,
                arrived_ms: header.arrival_ms,
                source_arn: header.source_arn.clone(),
                records: Some(header.records),
                repeats: key.map(|(known, _)| known.repeats),
                streams: Vec::new(),
            });
        }
        for (key, arn) in known {
            if entries.iter().any(|e| e.topic == key.topic && e.sequence == key.sequence) {
                continue;
            }
            entries.push(TracedEntry {
                topic: key.topic,
                sequence: key.sequence,
                arrived_ms: i64::try_from(key.arrived_ms).unwrap_or(i64::MAX),
                source_arn: arn.to_owned(),
                records: None,
                repeats: Some(key.repeats),
                streams: Vec::new(),
            });
        }
        for entry in &mut entries {
            entry.streams = streams(journal, stores, entry);
        }
        let mut source_arns: Vec<String> = self.arns.into_iter().collect();
        source_arns.retain(|arn| !arn.is_empty());
        let (looked_at, cut_short) = (self.looked_at, self.cut_short);
        Traced { request_id: self.request_id, entries, source_arns, looked_at, cut_short }
    }
}

fn streams(journal: &Journal, stores: &[Stores], entry: &TracedEntry) -> Vec<TracedStream> {
    let standing = journal.standing(&entry.topic, entry.sequence);
    // The copier of all data is a cursor of its own, and no stream.
    let streams =
        standing.into_iter().filter(|one| !one.cursor.ends_with(delivery::ALL_DATA_SUFFIX));
    streams.map(|one| stream(stores, entry, one)).collect()
}

fn stream(stores: &[Stores], entry: &TracedEntry, standing: Standing) -> TracedStream {
    // One made through the API is told with its account where another stream has its name.
    let below = format!("/{}", standing.cursor);
    let is_it = |store: &&Stores| store.name == standing.cursor || store.name.ends_with(&below);
    let store = stores.iter().find(is_it);
    let state = match standing.settled {
        Coverage::None => "waiting",
        Coverage::Part => "partly",
        Coverage::Whole => "done",
    };
    let mut traced = TracedStream {
        name: standing.cursor,
        state: state.to_owned(),
        gone: !standing.open,
        ..TracedStream::default()
    };
    let Some(store) = store.filter(|_| standing.settled != Coverage::None) else { return traced };
    let of = Kept { topic: &entry.topic, sequence: entry.sequence, since_ms: entry.arrived_ms };
    let (backed_up, files) = kept_in(&store.backup, &of);
    let (quarantined, more) = kept_in(&store.quarantine, &of);
    traced.backed_up = backed_up;
    traced.quarantined = quarantined;
    traced.files = files.into_iter().chain(more).collect();
    traced.uploaded_to.clone_from(&store.uploaded_to);
    traced
}

/// The time of a file is that of the kernel's last tick, which is before the clock that an entry is
/// stamped by; some file systems keep it in steps of two seconds.
const FILE_TIME_LAG_MS: i64 = 2_000;

/// Files below a folder that were written since, or a little before.
pub(super) fn files_since(folder: &Path, since_ms: i64, found: &mut Vec<PathBuf>) {
    let Ok(listed) = fs::read_dir(folder) else { return };
    for entry in listed.flatten() {
        let Ok(about) = entry.metadata() else { continue };
        if about.is_dir() {
            files_since(&entry.path(), since_ms, found);
            continue;
        }
        let written = about.modified().ok();
        let written = written.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let written_ms =
            written.map_or(i64::MAX, |at| i64::try_from(at.as_millis()).unwrap_or(i64::MAX));
        if about.is_file() && written_ms.saturating_add(FILE_TIME_LAG_MS) >= since_ms {
            found.push(entry.path());
        }
    }
}
