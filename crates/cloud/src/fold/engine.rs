//! The fold itself, one step at a time: read, close what is over, deliver, settle.
//!
//! Owns the state between steps; the module above says the rules. Time is an argument of a step, so
//! that tests move it. Always: what a step leaves undone after an error, the next one does. Not
//! here: the thread that steps.

mod close;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use entry::{Header, HeaderError, Kind};
use journal::{Cursor, Disk, Entry, EntryBody, Journal, Position, Start, Topic};

use super::deliver::Pending;
use super::emit::Names;
use super::gathered::{Gathered, RawRoom, set_of};
use super::select::{self, Stream};
use super::series::Series;
use super::store::{KEEP_MS, Store};
use super::target::{Nowhere, OfSettings};
use super::windows::{minute_of, scope};
use super::{Config, Status};
use crate::put::wire::{self, WireFault};
use crate::registry::{Registry, Resources};

/// The cursor's name in the source's topic.
const CURSOR: &str = "metric-streams";

/// Sets in memory, all minutes together: about 200 MB.
const SETS_MAX: usize = 4_000_000;

/// Bytes of series keys in memory.
const KEYS_MAX: usize = 512 << 20;

/// Between two settlings when nothing was closed.
const SETTLE_MS: u64 = 1_000;

const MINUTE_MS: i64 = 60_000;

/// The bounds that tests make small.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) sets: usize,
    pub(crate) keys: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { sets: SETS_MAX, keys: KEYS_MAX }
    }
}

/// Counters since start; `Status` says what each counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) samples: u64,
    pub(crate) late: u64,
    pub(crate) too_old: u64,
    pub(crate) gone: u64,
    pub(crate) empty: u64,
    pub(crate) unreadable: u64,
    pub(crate) closed: u64,
    pub(crate) updates: BTreeMap<String, u64>,
    pub(crate) unsent: BTreeMap<String, u64>,
    pub(crate) failures: u64,
    pub(crate) last_failure: Option<String>,
}

impl Counts {
    pub(crate) fn failed(&mut self, text: String) {
        self.failures += 1;
        if self.last_failure.as_ref() != Some(&text) {
            tracing::warn!("{text}");
        }
        self.last_failure = Some(text);
    }
}

/// All that the fold knows, owned by its one thread: how far it has read, the sets of open minutes, and
/// the windows that delivery streams have not taken yet.
pub(crate) struct Engine {
    pub(crate) config: Config,
    pub(crate) names: Names,
    pub(crate) journal: Journal,
    pub(crate) topic: Topic,
    pub(crate) topics: HashMap<String, Topic>,
    pub(crate) store: Store,
    pub(crate) streams: Vec<Stream>,
    pub(crate) pending: BTreeMap<i64, Pending>,
    pub(crate) counts: Counts,
    /// No delivery is tried before this instant.
    pub(crate) again_ms: i64,
    limits: Limits,
    pub(crate) registry: Registry,
    pub(crate) of_settings: OfSettings,
    pub(crate) nowhere: Nowhere,
    /// What the streams were made of, and the streams of the settings then.
    followed: Option<(Arc<Resources>, Arc<[String]>)>,
    cursor: Cursor,
    /// The entry that is read next.
    next: u64,
    /// Arrival of the last entry read.
    arrival_ms: i64,
    series: Series,
    gathered: BTreeMap<i64, Gathered>,
    /// Sets in `gathered`.
    sets: usize,
    room: RawRoom,
    turned_ms: i64,
    settled_ms: i64,
}

/// What an engine is made of.
pub(crate) struct Given {
    pub(crate) config: Config,
    pub(crate) journal: Journal,
    pub(crate) topic: Topic,
    pub(crate) registry: Registry,
    pub(crate) of_settings: OfSettings,
    pub(crate) folder: PathBuf,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) limits: Limits,
}

impl Engine {
    pub(crate) fn open(given: Given) -> Result<Engine, String> {
        let Given { config, journal, topic, registry, of_settings, folder, disk, limits } = given;
        let at = folder.display().to_string();
        let opened = Store::open(disk, folder).map_err(|error| format!("{at}: {error}"))?;
        let cursor = topic.cursor(CURSOR, Start::Oldest).map_err(|error| error.to_string())?;
        let names = Names { source: config.source.clone(), region: config.region.clone() };
        let waits = opened.pending.into_iter();
        let pending = waits.map(|whole| (whole.meta.minute_ms, Pending::new(whole))).collect();
        let mut counts = Counts::default();
        opened.findings.into_iter().for_each(|finding| counts.failed(finding));
        let room = RawRoom { most: config.raw_values_max, ..RawRoom::default() };
        Ok(Engine {
            config,
            names,
            journal,
            topic,
            topics: HashMap::new(),
            store: opened.store,
            streams: Vec::new(),
            pending,
            counts,
            again_ms: i64::MIN,
            limits,
            registry,
            of_settings,
            nowhere: Nowhere::new(),
            followed: None,
            next: cursor.low().sequence,
            cursor,
            arrival_ms: i64::MIN,
            series: Series::default(),
            gathered: BTreeMap::new(),
            sets: 0,
            room,
            turned_ms: i64::MIN,
            settled_ms: i64::MIN,
        })
    }

    /// One step at `now_ms`.
    pub(crate) fn step(&mut self, now_ms: i64) -> io::Result<()> {
        self.follow();
        self.deliver(now_ms)?;
        let before = self.counts.closed;
        // The end is looked at after the clock: what was there when a minute was over is read
        // before it closes.
        if self.read(now_ms)? {
            self.keep_long_open(now_ms)?;
            self.close_due(now_ms)?;
        }
        if self.counts.closed > before || now_ms.abs_diff(self.settled_ms) >= SETTLE_MS {
            self.retire(now_ms)?;
            self.settle()?;
            self.settled_ms = now_ms;
        }
        if now_ms.abs_diff(self.turned_ms) >= MINUTE_MS.unsigned_abs() {
            self.turned_ms = now_ms;
            let used = self.gathered.values().flat_map(Gathered::numbers).copied();
            if let Some(moved) = self.series.turn(used) {
                self.gathered.values_mut().for_each(|gathered| gathered.renumber(&moved));
            }
        }
        Ok(())
    }

    /// Takes over changes of resources.
    fn follow(&mut self) {
        let (now, of_settings) = (self.registry.now(), self.of_settings.now());
        let known = self.followed.as_ref();
        let same_streams = known.is_some_and(|(known, _)| Arc::ptr_eq(known, &now));
        let same_settings = known.is_some_and(|(_, known)| Arc::ptr_eq(known, &of_settings));
        if !same_streams {
            self.streams = Stream::running(&now);
            self.series.want_raw(select::raw_wanted(&now));
            // Who was stopped gets nothing of what waits, though he be started again.
            for pending in self.pending.values_mut() {
                let runs = |arn: &String| self.streams.iter().any(|stream| stream.arn == *arn);
                pending.whole.meta.streams.retain(runs);
            }
        }
        if !(same_streams && same_settings) {
            self.look_for_targets();
            self.followed = Some((now, of_settings));
        }
    }

    /// Reads to the end as it is now; false when memory was full before.
    fn read(&mut self, now_ms: i64) -> io::Result<bool> {
        let end = self.cursor.end();
        while self.next < end {
            if self.is_full() {
                self.relieve(now_ms)?;
                if self.is_full() {
                    return Ok(false);
                }
            }
            let Some(entry) = self.cursor.read(self.next).map_err(io::Error::other)? else {
                self.next = end;
                break;
            };
            if entry.sequence >= end {
                self.next = end;
                break;
            }
            self.fold(&entry, now_ms)?;
            self.next = entry.sequence + 1;
        }
        Ok(true)
    }

    fn is_full(&self) -> bool {
        self.sets >= self.limits.sets || self.series.bytes() > self.limits.keys
    }

    fn fold(&mut self, entry: &Entry, now_ms: i64) -> io::Result<()> {
        let header = match Header::decode(&entry.head) {
            Err(newer @ HeaderError::Newer(_)) => return Err(io::Error::other(newer)),
            header => header.ok().filter(|header| header.kind == Kind::Metrics),
        };
        let (Some(header), EntryBody::Bytes(body)) = (header, &entry.body) else {
            self.counts.unreadable += 1;
            return Ok(());
        };
        self.arrival_ms = header.arrival_ms;
        let call = match wire::decode(body) {
            Ok(call) => call,
            // It stays in the journal until a release comes that can read it.
            Err(newer @ WireFault::Newer(_)) => return Err(io::Error::other(newer)),
            Err(_) => {
                self.counts.unreadable += 1;
                return Ok(());
            }
        };
        let scope = self.series.scope(&scope(call.account, call.namespace));
        let mut open = Minutes { sequence: entry.sequence, known: None };
        for kept in call {
            let Ok(kept) = kept else {
                self.counts.unreadable += 1;
                break;
            };
            self.counts.samples += 1;
            let minute_ms = minute_of(kept.timestamp_ms);
            if kept.timestamp_ms < header.arrival_ms.saturating_sub(KEEP_MS) {
                self.counts.too_old += 1;
            } else if open.takes(self, minute_ms) {
                self.add(scope, &kept, minute_ms, entry.sequence, now_ms);
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        scope: u32,
        kept: &wire::Kept<'_>,
        minute_ms: i64,
        sequence: u64,
        now_ms: i64,
    ) {
        let Some(set) = set_of(&kept.samples) else {
            self.counts.empty += 1;
            return;
        };
        let Some(number) = self.series.number(scope, kept.key) else {
            self.counts.unreadable += 1;
            return;
        };
        let wants_raw = self.series.wants_raw(number);
        let gathered = self.gathered.entry(minute_ms);
        let gathered = gathered.or_insert_with(|| Gathered::new(sequence, now_ms));
        let before = gathered.len();
        gathered.add(number, set, &kept.samples, wants_raw, &mut self.room);
        self.sets += gathered.len() - before;
    }

    /// First entry whose samples are not in the minute's files.
    fn through(&self, minute_ms: i64) -> (u64, bool) {
        if let Some(pending) = self.pending.get(&minute_ms) {
            return (pending.whole.meta.through, true);
        }
        if let Some(window) = self.store.windows.get(minute_ms) {
            return (window.through, true);
        }
        (self.store.kept.get(&minute_ms).copied().unwrap_or(0), false)
    }

    fn settle(&mut self) -> io::Result<()> {
        let first = self.gathered.values().map(|gathered| gathered.first).min();
        let sequence = first.unwrap_or(self.next);
        let to = Position { sequence, ordinal: 0 };
        if to > self.cursor.low() {
            self.cursor.settle(self.cursor.low(), to)?;
            self.cursor.sync()?;
        }
        Ok(())
    }

    pub(crate) fn status(&self) -> Status {
        let (windows, windows_bytes) = self.store.windows.size();
        let counts = &self.counts;
        Status {
            open_series: self.sets as u64,
            known_series: self.series.len() as u64,
            open_minutes: self.gathered.len() as u64,
            kept_minutes: self.store.kept.len() as u64,
            waiting_windows: self.pending.len() as u64,
            raw_values: self.room.held as u64,
            raw_refused: self.room.refused,
            samples: counts.samples,
            late_samples: counts.late,
            too_old_samples: counts.too_old,
            gone_samples: counts.gone,
            empty_samples: counts.empty,
            unreadable: counts.unreadable,
            windows,
            windows_bytes,
            updates: counts.updates.clone().into_iter().collect(),
            unsent: counts.unsent.clone().into_iter().collect(),
            nowhere: self.nowhere.values().cloned().collect(),
            failures: counts.failures,
            last_failure: counts.last_failure.clone(),
        }
    }
}

/// Whether samples of an entry belong into a minute: asked once for those that follow each other.
struct Minutes {
    sequence: u64,
    known: Option<(i64, Belongs)>,
}

#[derive(Clone, Copy)]
enum Belongs {
    Open,
    Late,
    /// Is in the minute's file already.
    In,
    Gone,
}

impl Minutes {
    fn takes(&mut self, engine: &mut Engine, minute_ms: i64) -> bool {
        let belongs = match self.known {
            Some((known, belongs)) if known == minute_ms => belongs,
            _ => self.ask(engine, minute_ms),
        };
        self.known = Some((minute_ms, belongs));
        match belongs {
            Belongs::Open => return true,
            Belongs::In => return false,
            Belongs::Late => {
                engine.counts.late += 1;
                return true;
            }
            Belongs::Gone => engine.counts.gone += 1,
        }
        false
    }

    fn ask(&self, engine: &Engine, minute_ms: i64) -> Belongs {
        let store = &engine.store;
        if minute_ms <= store.horizon || store.damaged.contains(&minute_ms) {
            return Belongs::Gone;
        }
        match engine.through(minute_ms) {
            (through, _) if self.sequence < through => Belongs::In,
            (_, true) => Belongs::Late,
            (_, false) => Belongs::Open,
        }
    }
}
