//! The fold: accepted samples become one-minute statistic sets, and these the records of metric
//! streams.
//!
//! In: journal entries of kind [`entry::Kind::Metrics`] in the source's own topic. Out: one file a
//! closed minute (the *window*), and entries of kind [`entry::Kind::Records`] in the topics of
//! delivery streams. The rules, from which everything else follows:
//!
//! 1. A minute is open until its window's file is there. The file's head says up to which entry of
//!    the journal its samples were taken (`through`).
//! 2. A sample of an open minute is folded into it. A sample of a closed minute, in an entry after
//!    `through`, is late: the window is corrected as a whole, and its file replaced, with a revision
//!    one higher and `through` moved on. A sample in an entry at or before `through` is in already.
//! 3. A file is first written as `<minute>.pending` (whole, synced, renamed), then its sets are
//!    appended to every running metric stream that selects them, under keys made of (stream, minute,
//!    revision, chunk), and when all of them are durable it becomes `<minute>.window`. A pending file
//!    found at start is appended again; the keys make that harmless.
//! 4. The cursor settles up to the first entry that has a sample in an open minute. So a crash at any
//!    point repeats work and never changes a sum.
//!
//! A minute closes when it has been over for the grace period and everything that was in the journal
//! then has been read. Late samples are gathered for at most five seconds. Windows are kept for 48
//! hours, within a budget of bytes; a sample for a minute whose window is gone (or that was older than
//! two days when it arrived) is counted and not emitted.
//!
//! A minute that stays open for long (it is in the future, or memory is short) is put into a file
//! `<minute>.kept` meanwhile, which says `through` like a window, so that the journal can go on; it is
//! the base that the window is made of. What goes into a file names the streams that ran then: a
//! stream that was stopped gets nothing of it, not later either. The streams' own metrics are
//! journalled like a call, under a key, so that they too are folded once.

#[doc(hidden)]
pub mod bench;
mod bytes;
mod deliver;
mod emit;
mod engine;
mod file;
mod gathered;
mod select;
mod series;
mod store;
mod target;
mod windows;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use journal::{Disk, Journal, RealDisk, Topic};

use crate::Clock;
use crate::registry::Registry;
use engine::{Engine, Given as Whole, Limits};
use target::OfSettings;
use windows::locked;

pub use target::NOWHERE_REMEDY;
pub use windows::{Found, Given, Metric, Windows};

/// How long the thread rests when nothing comes: minutes close by the clock.
const REST: Duration = Duration::from_millis(250);

/// How long it rests after an error of the disk.
const AGAIN: Duration = Duration::from_secs(1);

/// What the fold is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name of the source.
    pub source: String,
    /// `region`.
    pub region: String,
    /// `window_grace`.
    pub grace: Duration,
    /// Bytes of window files that are kept.
    pub windows_bytes: u64,
    /// Raw values kept in memory for additional statistics, all open minutes together.
    pub raw_values_max: usize,
}

/// What it is built from, besides.
pub struct Parts {
    /// For the topics of delivery streams.
    pub journal: Journal,
    /// Where calls come from.
    pub topic: Topic,
    /// The metric streams.
    pub registry: Registry,
    /// Streams of the settings that are delivery streams here.
    pub delivery_streams: Vec<String>,
    /// Folder of the windows.
    pub folder: PathBuf,
    /// Time.
    pub clock: Clock,
}

/// What it does, for metrics. Counters are since start; after a crash what is read again is counted
/// again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Sets of open minutes in memory.
    pub open_series: u64,
    /// Series whose names are in memory.
    pub known_series: u64,
    /// Minutes with samples in memory.
    pub open_minutes: u64,
    /// Open minutes with sets in a file.
    pub kept_minutes: u64,
    /// Windows that delivery streams have not taken yet.
    pub waiting_windows: u64,
    /// Raw values in memory.
    pub raw_values: u64,
    /// Sets that lost their raw values because `raw_values_max` was reached.
    pub raw_refused: u64,
    /// Samples (data of calls) read.
    pub samples: u64,
    /// Samples of minutes that were closed, which are corrected.
    pub late_samples: u64,
    /// Samples older than two days when they arrived: left out.
    pub too_old_samples: u64,
    /// Samples of minutes whose window is gone or damaged: left out.
    pub gone_samples: u64,
    /// Samples that count nothing: left out.
    pub empty_samples: u64,
    /// Entries or samples that could not be read: left out.
    pub unreadable: u64,
    /// Windows kept.
    pub windows: u64,
    /// Their bytes.
    pub windows_bytes: u64,
    /// Updates appended, by ARN of the metric stream.
    pub updates: Vec<(String, u64)>,
    /// Updates that were not sent since there was no delivery stream, by ARN of the metric stream.
    pub unsent: Vec<(String, u64)>,
    /// What is to be said of each metric stream that has no delivery stream now.
    pub nowhere: Vec<String>,
    /// Failures of the disk, the journal, or a stream's configuration.
    pub failures: u64,
    /// The last of them.
    pub last_failure: Option<String>,
}

/// The running fold: one thread.
pub struct Fold {
    store: Arc<Windows>,
    of_settings: OfSettings,
    status: Arc<Mutex<Status>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Fold {
    /// Starts. The text says what is wrong.
    pub fn start(config: Config, parts: Parts) -> Result<Fold, String> {
        let Parts { journal, topic, registry, delivery_streams, folder, clock } = parts;
        let of_settings = OfSettings::new(delivery_streams);
        let follows = of_settings.clone();
        let (disk, limits): (Arc<dyn Disk>, _) = (Arc::new(RealDisk), Limits::default());
        let wakes = topic.clone();
        let whole =
            Whole { config, journal, topic, registry, of_settings: follows, folder, disk, limits };
        let engine = Engine::open(whole)?;
        let store = Arc::clone(&engine.store.windows);
        let status = Arc::new(Mutex::new(engine.status()));
        let stop = Arc::new(AtomicBool::new(false));
        let (told, stopped) = (Arc::clone(&status), Arc::clone(&stop));
        let thread = thread::Builder::new()
            .name("fold".to_owned())
            .spawn(move || run(engine, &clock, &told, &stopped))
            .map_err(|error| format!("starting the fold: {error}"))?;
        let sleeper = thread.thread().clone();
        wakes.on_commit(Box::new(move |_| sleeper.unpark()));
        Ok(Fold { store, of_settings, status, stop, thread })
    }

    /// The kept windows.
    pub fn windows(&self) -> Arc<Windows> {
        Arc::clone(&self.store)
    }

    /// Takes another list of streams of the settings.
    pub fn set_delivery_streams(&self, names: Vec<String>) {
        self.of_settings.set(names);
    }

    /// What it does.
    pub fn status(&self) -> Status {
        locked(&self.status).clone()
    }

    /// False when its thread has ended by itself: a bug.
    pub fn lives(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Ends it; what is open stays in the journal. False when it had ended by a panic.
    pub fn join(self) -> bool {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        self.thread.join().is_ok()
    }
}

fn run(mut engine: Engine, clock: &Clock, status: &Mutex<Status>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let stepped = engine.step(clock());
        if let Err(error) = &stepped {
            engine.counts.failed(format!("folding metrics: {error}"));
        }
        *locked(status) = engine.status();
        let rest = if stepped.is_ok() { REST } else { AGAIN };
        if !stop.load(Ordering::Relaxed) {
            thread::park_timeout(rest);
        }
    }
}

#[cfg(test)]
mod tests;
