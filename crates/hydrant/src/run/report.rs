//! What a running process says of itself: one snapshot, for `hydrant status`, /readyz and /metrics.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::settings::quantity::{counted, size_about};

/// All that a running process says of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Version of the binary.
    pub version: String,
    /// Process id; 0 when no process runs and the folder was read instead.
    pub pid: u32,
    /// The data folder.
    pub data_dir: PathBuf,
    /// Since when, ms since the epoch.
    pub started_ms: i64,
    /// Now, ms since the epoch.
    pub now_ms: i64,
    /// Takes deliveries.
    pub ready: bool,
    /// Why not, one line each.
    pub reasons: Vec<String>,
    /// The last reload failed, with this.
    pub reload_failure: Option<String>,
    /// The journal.
    pub journal: JournalReport,
    /// Sources.
    pub sources: Vec<SourceReport>,
    /// Streams.
    pub streams: Vec<StreamReport>,
    /// Cursors that no stream moves any more, and what they hold: the stream is no longer in the settings, or
    /// has left the source.
    pub forgotten: Vec<CursorReport>,
}

impl Report {
    /// All of it in a line: takes deliveries or not and why, what went wrong, what is held.
    pub fn sentence(&self) -> String {
        let (sources, streams) =
            (counted(self.sources.len(), "source"), counted(self.streams.len(), "stream"));
        let state = match self.reasons.first() {
            None => format!("takes deliveries: {sources}, {streams}"),
            Some(reason) => format!("takes nothing: {reason}"),
        };
        let out = self.streams.iter().filter(|s| s.outage_since_ms.is_some()).count();
        let outages = if out == 0 { String::new() } else { format!(", {out} of them wait") };
        let reload = self.reload_failure.as_deref().and_then(|text| text.lines().next());
        let reload = reload.map_or(String::new(), |why| format!("; reload refused: {why}"));
        let held = size_about(self.journal.bytes);
        format!("{state}{outages}; {held} in the journal{reload}")
    }
}

/// The journal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct JournalReport {
    /// Bytes on disk.
    pub bytes: u64,
    /// Its share of the budget.
    pub limit_bytes: u64,
    /// Bytes cut from torn tails at the last start.
    pub torn_bytes: u64,
    /// Bytes found damaged that had been durable, since the last start.
    pub rotten_bytes: u64,
    /// Folders with copies of damaged stretches, of any time.
    #[serde(default)]
    pub copies: Vec<StoreReport>,
    /// Topics.
    pub topics: Vec<TopicReport>,
}

/// A topic.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TopicReport {
    /// Name (of its source).
    pub name: String,
    /// Bytes on disk.
    pub bytes: u64,
    /// Sequence after the last durable entry.
    pub end: u64,
    /// Why nothing is taken.
    pub refusing: Option<String>,
    /// Entries stored since start.
    pub appended: u64,
    /// Repeats suppressed.
    pub repeats: u64,
    /// Same request id, other data.
    pub other_data: u64,
    /// Keys evicted before their time.
    pub keys_evicted: u64,
    /// Syncs.
    pub commits: u64,
    /// Writes, syncs and new segments that failed.
    pub sync_failures: u64,
    /// Bytes found damaged that had been durable, since the last start.
    #[serde(default)]
    pub rotten_bytes: u64,
}

/// A source.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SourceReport {
    /// Name.
    pub name: String,
    /// Where it listens; empty when it does not.
    pub listen: String,
    /// TLS.
    pub tls: bool,
    /// When its certificate ends, seconds since the epoch; `None` without TLS.
    #[serde(default)]
    pub certificate_ends_s: Option<i64>,
    /// Deliveries answered 200.
    pub requests: u64,
    /// Records stored.
    pub records: u64,
    /// Body bytes received.
    pub bytes: u64,
    /// Repeats answered without storing.
    pub repeats: u64,
    /// Health checks.
    pub health_checks: u64,
    /// Refusals by reason.
    pub rejected: BTreeMap<String, u64>,
    /// What only a source of objects has.
    pub objects: Option<ObjectsReport>,
    /// What only a source in place of AWS has.
    #[serde(default)]
    pub api: Option<ApiReport>,
}

/// A source in place of AWS, and the fold of its metric streams.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ApiReport {
    /// Its region.
    pub region: String,
    /// Metric data kept.
    pub samples: u64,
    /// Records put into delivery streams.
    pub records: u64,
    /// Delivery streams made through it.
    pub delivery_streams: u64,
    /// Metric streams: true when it runs.
    pub metric_streams: BTreeMap<String, bool>,
    /// Updates that metric streams sent, by metric stream.
    pub updates: BTreeMap<String, u64>,
    /// Updates that were not sent since there was no delivery stream, by metric stream.
    #[serde(default)]
    pub unsent: BTreeMap<String, u64>,
    /// What is to be said of each metric stream that has no delivery stream now.
    #[serde(default)]
    pub nowhere: Vec<String>,
    /// The fold.
    pub fold: FoldReport,
}

/// The fold of a source in place of AWS.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FoldReport {
    /// Sets of open minutes in memory.
    pub open_series: u64,
    /// Raw values in memory.
    pub raw_values: u64,
    /// Sets that lost their raw values to `raw_values_max`.
    pub raw_refused: u64,
    /// Samples folded.
    pub samples: u64,
    /// Samples that corrected a closed minute.
    pub late_samples: u64,
    /// Samples left out, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Windows kept.
    pub windows: u64,
    /// Their bytes.
    pub windows_bytes: u64,
    /// Windows that a delivery stream has not taken yet.
    pub waiting_windows: u64,
    /// Failures.
    pub failures: u64,
    /// The last of them.
    pub last_failure: Option<String>,
}

/// A source that reads objects.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ObjectsReport {
    /// Where from.
    pub place: String,
    /// `starting`, `reading`, `waiting`, `refused` or `done`.
    pub state: String,
    /// Why it is refused.
    pub failure: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// What went wrong last, also when it has passed.
    pub last_failure: Option<String>,
    /// Objects being read.
    pub in_flight: u64,
    /// Objects by what became of them.
    pub objects: BTreeMap<String, u64>,
    /// Messages of the queue by what became of them.
    pub messages: BTreeMap<String, u64>,
    /// Age of the oldest message at work.
    pub oldest_message_seconds: Option<f64>,
}

/// A stream.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StreamReport {
    /// Name.
    pub name: String,
    /// Where to.
    pub destination: String,
    /// Points delivered.
    pub delivered: u64,
    /// Points filtered, by rule.
    pub filtered: BTreeMap<String, u64>,
    /// Points in the backup.
    pub backed_up: u64,
    /// Items quarantined, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// What the destination's form could not carry, by kind.
    pub losses: BTreeMap<String, u64>,
    /// Points dropped by command.
    pub dropped: u64,
    /// Resource tags; `None` when it adds none.
    #[serde(default)]
    pub tags: Option<TagsReport>,
    /// Requests by outcome.
    pub requests: BTreeMap<String, u64>,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Seconds spent in answered requests.
    pub request_seconds: f64,
    /// Age of the oldest undelivered entry; 0 when there is none.
    pub lag_seconds: f64,
    /// Age of the newest point packed; `None` before the first.
    pub data_age_seconds: Option<f64>,
    /// Journal bytes from its cursor to the end.
    pub backlog_bytes: u64,
    /// Requests held, in flight or waiting.
    pub parcels: usize,
    /// Of those, in the side lane.
    pub side_lane: usize,
    /// The destination takes nothing since, ms.
    pub outage_since_ms: Option<i64>,
    /// It is tried next, ms.
    pub next_attempt_ms: Option<i64>,
    /// An operator must act.
    pub loud: bool,
    /// What the destination said when it last refused.
    pub last_refusal: Option<String>,
    /// Who waits for what, one line each.
    pub waits: Vec<String>,
    /// How its backup comes to S3; `None` when it stays on this disk.
    pub uploads: Option<UploadsReport>,
    /// Its backup.
    pub backup: StoreReport,
    /// Its quarantine.
    pub quarantine: StoreReport,
}

/// The snapshot of resource tags that a stream reads, and what was found in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TagsReport {
    /// Age of its oldest part; `None` before there is one.
    pub age_seconds: Option<f64>,
    /// Resources in it.
    pub resources: u64,
    /// Points by `matched`, `unmatched`, `no_rule`.
    pub points: BTreeMap<String, u64>,
    /// Why the file could not be read, when it could not.
    pub failure: Option<String>,
}

/// A backup on its way to S3.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct UploadsReport {
    /// `s3://bucket/prefix`.
    pub place: String,
    /// Attempts, by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Files that wait.
    pub pending_files: u64,
    /// Their bytes.
    pub pending_bytes: u64,
    /// Why S3 does not take it.
    pub failure: Option<String>,
    /// Tried again then, ms.
    pub next_attempt_ms: Option<i64>,
}

/// A folder of kept data.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StoreReport {
    /// Where.
    pub directory: PathBuf,
    /// Bytes.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

/// A cursor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CursorReport {
    /// Name (of its stream).
    pub name: String,
    /// Topic.
    pub topic: String,
    /// Bytes it holds.
    pub bytes: u64,
    /// Entries it holds.
    pub entries: u64,
    /// Its stream is there, and reads this topic no more: the source was renamed, or taken from its list.
    #[serde(default)]
    pub left: bool,
}
