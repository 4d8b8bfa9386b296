//! The house: journal, sources and streams, built from the settings and wired to each other.
//!
//! Built in this order: journal, streams (so that their cursors are there), sources (so that nothing
//! arrives before someone reads). Taken down in the opposite order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwap;
use delivery::{Clock, Lanes, Share, Stats, Stream, StreamConfig};
use entry::Tail;
use intake::firehose::Permits;
use journal::{Journal, OpenError, Recovery};
use tokio::runtime::Handle;

use super::SharedHouse;
use super::UploadsReport;
use super::cloud::Api;
use super::door::Door;
use super::fingerprint;
use super::folder::Folder;
use super::reader::{Needs, Reader};
use crate::exit::Exit;
use crate::settings::{FirehoseSource, ObjectSource, Settings};

/// Inflated bodies kept for streams that read at the head.
const TAIL_BYTES: usize = 24 * 1024 * 1024;
/// A segment: large enough that creating one is rare, small enough that freeing is prompt.
const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;

/// Below the folders of state and quarantine: each source of objects has a folder of its own there.
const SOURCES: &str = "sources";

/// Everything that runs.
pub struct House {
    pub(super) folder: Folder,
    pub(super) settings: Settings,
    pub(super) journal: Journal,
    pub(super) recovery: Recovery,
    pub(super) tail: Arc<Tail>,
    pub(super) permits: Arc<Permits>,
    pub(super) clock: Clock,
    /// For what is waited for, whatever becomes of the other one.
    pub(super) steady: Clock,
    pub(super) runtime: Handle,
    pub(super) backup_share: Arc<Share>,
    pub(super) quarantine_share: Arc<Share>,
    pub(super) doors: BTreeMap<String, Door>,
    pub(super) apis: BTreeMap<String, Api>,
    pub(super) readers: BTreeMap<String, Reader>,
    pub(super) streams: BTreeMap<String, Running>,
    /// The files each stream was built from, by name.
    built_from: BTreeMap<String, u128>,
    /// The lanes that admit a source's deliveries, by source; a reload puts others in their place.
    lanes: Arc<ArcSwap<BTreeMap<String, Arc<Lanes>>>>,
    /// Counters by stream name; they outlive a reload.
    pub(super) stats: BTreeMap<String, Arc<Stats>>,
    pub(super) started_ms: i64,
    pub(super) reload_failure: Option<String>,
    pub(super) draining: bool,
}

/// A stream, or the lanes of one.
pub(super) enum Running {
    /// To a fixed destination.
    Fixed(StreamConfig, Box<Stream>),
    /// Drop-in: one for each target and token.
    Lanes(StreamConfig, Arc<Lanes>),
}

impl Running {
    pub(super) fn config(&self) -> &StreamConfig {
        match self {
            Running::Fixed(config, _) | Running::Lanes(config, _) => config,
        }
    }

    fn lives(&self) -> bool {
        match self {
            Running::Fixed(_, stream) => stream.lives(),
            Running::Lanes(_, lanes) => lanes.live(),
        }
    }

    fn stop(&self) {
        if let Running::Fixed(_, stream) = self {
            stream.stop();
        }
    }

    /// Is there nothing more to wait for, so that what is buffered goes?
    fn hurry(&self, nothing_comes: bool) {
        if let Running::Fixed(_, stream) = self {
            stream.stats().hurried.store(nothing_comes, Ordering::Relaxed);
        }
    }

    fn join(self) -> bool {
        match self {
            Running::Fixed(_, stream) => stream.join(),
            Running::Lanes(_, lanes) => lanes.join(),
        }
    }
}

/// Milliseconds since the epoch, by the system's clock.
pub fn wall_clock() -> Clock {
    Arc::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
    })
}

/// Why a house could not be built.
pub struct Unbuilt {
    /// What the process ends with.
    pub exit: Exit,
    /// What went wrong.
    pub why: String,
}

impl Unbuilt {
    fn by_journal(error: OpenError) -> Unbuilt {
        match error {
            OpenError::Newer { .. } => Unbuilt { exit: Exit::Failed, why: error.to_string() },
            OpenError::Io { .. } => Unbuilt { exit: Exit::Disk, why: error.to_string() },
        }
    }
}

impl House {
    /// Opens the journal and starts the streams; sources listen after [`House::open_doors`].
    pub fn build(settings: Settings, folder: Folder, runtime: Handle) -> Result<House, Unbuilt> {
        let budget = settings.budget;
        let options = journal::Options {
            segment_bytes: SEGMENT_BYTES.min(budget.journal_bytes / 8),
            budget_bytes: budget.journal_bytes,
            topic_bytes: budget.journal_bytes,
            ..journal::Options::default()
        };
        let (journal, recovery) =
            Journal::open(&folder.journal(), options).map_err(Unbuilt::by_journal)?;
        for finding in &recovery.findings {
            tracing::warn!(finding, "journal recovery");
        }
        super::damage::watch(&journal, &recovery);
        let doors = settings.sources.iter().map(|s| s.limits.in_flight_bytes);
        let in_flight = doors.chain(settings.apis.iter().map(|s| s.limits.in_flight_bytes)).max();
        let clock = wall_clock();
        let mut house = House {
            journal,
            recovery,
            tail: Arc::new(Tail::new(TAIL_BYTES)),
            permits: Arc::new(Permits::new(in_flight.unwrap_or_default())),
            started_ms: clock(),
            steady: delivery::steady_clock(&clock),
            clock,
            runtime,
            backup_share: Arc::new(Share::new("backup", budget.backup_bytes)),
            quarantine_share: Arc::new(Share::new("quarantine", budget.quarantine_bytes)),
            doors: BTreeMap::new(),
            apis: BTreeMap::new(),
            readers: BTreeMap::new(),
            streams: BTreeMap::new(),
            built_from: BTreeMap::new(),
            lanes: Arc::default(),
            stats: BTreeMap::new(),
            reload_failure: None,
            draining: false,
            settings,
            folder,
        };
        house.quarantine_share.watch(&house.folder.quarantine());
        let configs = house.settings.streams.clone();
        for config in configs {
            house.start_stream(config).map_err(|why| Unbuilt { exit: Exit::Failed, why })?;
        }
        Ok(house)
    }

    /// Binds and serves every source. Nothing is taken before all are bound.
    pub async fn open_doors(&mut self) -> Result<(), String> {
        let mut bound = Vec::new();
        for source in self.settings.sources.clone() {
            bound.push((Door::bind(&source, None).await?, source));
        }
        let mut apis = Vec::new();
        for source in self.settings.apis.clone() {
            apis.push((Api::bind(&source, None).await?, source));
        }
        for (listener, source) in apis {
            self.open_api(source, listener)?;
        }
        for (listener, source) in bound {
            let door = self.open_door(source, listener)?;
            self.doors.insert(door.name().to_owned(), door);
        }
        for source in self.settings.objects.clone() {
            self.open_reader(source)?;
        }
        Ok(())
    }

    pub(super) fn open_reader(&mut self, source: ObjectSource) -> Result<(), String> {
        let name = source.name().to_owned();
        let needs = Needs {
            topic: self.journal.topic(&name).map_err(|e| e.to_string())?,
            clock: Arc::clone(&self.clock),
            state: self.folder.state().join(SOURCES).join(&name),
            quarantine: self.folder.quarantine().join(SOURCES).join(&name),
            runtime: self.runtime.clone(),
        };
        self.readers.insert(name, Reader::open(source, needs));
        Ok(())
    }

    /// Every source has read all there is and every stream has dealt with it: there is nothing left
    /// to wait for. Never with a source that listens, or looks again.
    pub fn finished(&self) -> Option<Exit> {
        let listens = !self.doors.is_empty() || !self.apis.is_empty();
        let read = !listens && self.readers.values().all(Reader::is_done);
        let read = read && !self.readers.is_empty();
        self.streams.values().for_each(|running| running.hurry(read));
        if !read {
            return None;
        }
        let statuses = self.journal.status();
        let mut cursors = statuses.iter().flat_map(|topic| &topic.cursors).filter(|c| c.open);
        if cursors.any(|cursor| cursor.entries > 0) {
            return None;
        }
        let report = self.report();
        // A backup that its bucket takes is brought there first; one that it refuses stays here.
        let uploading =
            |uploads: &UploadsReport| uploads.pending_files > 0 && uploads.failure.is_none();
        if report.streams.iter().filter_map(|s| s.uploads.as_ref()).any(uploading) {
            return None;
        }
        let kept = |s: &super::StreamReport| s.backed_up + s.quarantined.values().sum::<u64>();
        let delivered: u64 = report.streams.iter().map(|s| s.delivered).sum();
        let kept: u64 = report.streams.iter().map(kept).sum();
        let set_aside: u64 = report.sources.iter().flat_map(|s| s.rejected.values()).sum();
        let damaged = report.journal.rotten_bytes;
        tracing::info!(delivered, kept, set_aside, damaged, "all is read and dealt with");
        Some(match (kept + damaged, set_aside) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::BadData,
            _ => Exit::Failed,
        })
    }

    pub(super) fn open_door(
        &self,
        source: FirehoseSource,
        bound: super::door::Bound,
    ) -> Result<Door, String> {
        let topic = self.journal.topic(&source.name).map_err(|e| e.to_string())?;
        let admit = self.admit_for(&source.name);
        let parts = super::door::Parts {
            topic,
            tail: Arc::clone(&self.tail),
            permits: Arc::clone(&self.permits),
            clock: Arc::clone(&self.clock),
            admit,
            runtime: self.runtime.clone(),
        };
        Ok(Door::open(source, bound, parts))
    }

    fn admit_for(&self, source: &str) -> Option<intake::firehose::Admit> {
        if !self.has_lanes(source) {
            return None;
        }
        let (now, source) = (Arc::clone(&self.lanes), source.to_owned());
        Some(Arc::new(move |admission: intake::firehose::Admission| {
            // Looked up for each delivery: after a reload there are others.
            let lanes = now.load().get(&source).map(Arc::clone);
            Box::pin(async move {
                let Some(lanes) = lanes else { return Err(no_lanes()) };
                let admitted = lanes.admit(&admission.attributes, &admission.access_key).await;
                admitted.map_err(|refusal| intake::firehose::Denied {
                    status: refusal.status,
                    message: refusal.message,
                })
            })
        }))
    }

    /// Whether a drop-in stream reads this source.
    pub(super) fn has_lanes(&self, source: &str) -> bool {
        self.lanes.load().contains_key(source)
    }

    /// Whether the running stream of this name was built from the same settings.
    pub(super) fn runs_as(&self, config: &StreamConfig) -> bool {
        self.streams.get(&config.name).is_some_and(|running| running.config() == config)
            && self.built_from.get(&config.name) == Some(&fingerprint::of_files(config))
    }

    pub(super) fn start_stream(&mut self, config: StreamConfig) -> Result<(), String> {
        let name = config.name.clone();
        let built_from = fingerprint::of_files(&config);
        let running = self.run_stream(config).map_err(|e| format!("stream {name}: {e}"))?;
        if let Running::Lanes(config, lanes) = &running {
            let mut admitting = BTreeMap::clone(&self.lanes.load());
            admitting.extend(config.sources.iter().map(|s| (s.clone(), Arc::clone(lanes))));
            self.lanes.store(Arc::new(admitting));
        }
        self.built_from.insert(name.clone(), built_from);
        self.streams.insert(name, running);
        Ok(())
    }

    fn run_stream(&mut self, config: StreamConfig) -> Result<Running, String> {
        let mut topics = Vec::with_capacity(config.sources.len());
        for source in &config.sources {
            // A source in place of AWS has a topic for each of its delivery streams.
            let is_api = self.settings.apis.iter().any(|api| api.name == *source);
            let of_stream = is_api.then(|| ::cloud::delivery_topic(source, &config.name));
            let topic = self.journal.topic(of_stream.as_ref().unwrap_or(source));
            topics.push(topic.map_err(|e| e.to_string())?);
        }
        let stats = Arc::clone(self.stats.entry(config.name.clone()).or_default());
        let replay = super::replay::topic_of(&self.journal, &config.name)?;
        let parts = self.basis(topics, replay);
        match config.destination.clone() {
            delivery::Destination::Fixed(destination) => {
                let stream = Stream::start(config.clone(), &destination, parts.parts(None, stats))?;
                Ok(Running::Fixed(config, Box::new(stream)))
            }
            delivery::Destination::FromRequest(from) => {
                let folder = self.folder.lanes(&config.name);
                let clock = Arc::clone(&self.steady);
                let parts_for: delivery::PartsFor =
                    Box::new(move |lane, stats| parts.parts(Some(lane), stats));
                let lanes = Lanes::open(config.clone(), from, folder, clock, parts_for)?;
                Ok(Running::Lanes(config, Arc::new(lanes)))
            }
        }
    }

    /// The first stream, or reading source, that has ended without being told to: a bug.
    pub fn dead_stream(&self) -> Option<&str> {
        let stream = self.streams.iter().find(|(_, s)| !s.lives()).map(|(name, _)| name);
        let reader = || self.readers.iter().find(|(_, r)| !r.lives()).map(|(name, _)| name);
        let api = || self.apis.iter().find(|(_, a)| !a.lives()).map(|(name, _)| name);
        stream.or_else(reader).or_else(api).map(String::as_str)
    }

    /// A topic of the journal where nobody has heard yes for longer than `limit`.
    pub fn stuck(&self, limit: std::time::Duration) -> Option<String> {
        self.journal.stuck(limit)
    }

    /// The commands of a stream or lane; to be given when the house is not locked any more.
    pub fn commands(&self, name: &str) -> Result<delivery::Commands, String> {
        let found = self.streams.values().find_map(|running| match running {
            Running::Fixed(config, stream) => (config.name == name).then(|| stream.commands()),
            Running::Lanes(_, lanes) => lanes.commands(name),
        });
        let made = || {
            let (api, topic) = self.made(name)?;
            api.made().commands(&topic)
        };
        found.or_else(made).ok_or_else(|| self.no_stream(name))
    }

    /// Forgets the cursor of a stream that is not in the settings; answers the bytes freed.
    pub fn forget(&self, name: &str) -> Result<u64, String> {
        if self.settings.streams.iter().any(|s| s.name == name) {
            return self.forget_left(name);
        }
        if self.made(name).is_some() {
            return Err(format!(
                "stream {name} was made through the API: delete it there, by DeleteDeliveryStream"
            ));
        }
        forget(&self.journal, name)
    }

    /// Of a stream of the settings: what it holds of sources that it reads no more.
    fn forget_left(&self, name: &str) -> Result<u64, String> {
        let statuses = self.journal.status();
        let holds = |topic: &&journal::TopicStatus| {
            let mut cursors = topic.cursors.iter().filter(|c| c.name == name && !c.open);
            cursors.any(|c| self.has_left(&c.name, &topic.topic))
        };
        let left: Vec<&str> = statuses.iter().filter(holds).map(|t| t.topic.as_str()).collect();
        if left.is_empty() {
            let first = "remove it there first, then reload";
            return Err(format!("stream {name} is in the settings: {first}"));
        }
        let mut freed = 0;
        for topic in left {
            let topic = self.journal.topic(topic).map_err(|e| e.to_string())?;
            freed += topic.forget_cursor(name).map_err(|e| e.to_string())?;
        }
        tracing::warn!(
            stream = name,
            bytes = freed,
            "what it held of other sources forgotten by command"
        );
        Ok(freed)
    }

    pub(super) async fn stop_streams(streams: Vec<Running>) -> bool {
        streams.iter().for_each(Running::stop);
        // Joining waits for requests in flight, which need the runtime: never block it.
        let joined = tokio::task::spawn_blocking(move || {
            let joined: Vec<bool> = streams.into_iter().map(Running::join).collect();
            joined.into_iter().all(|well| well)
        });
        joined.await.unwrap_or(false)
    }

    /// Finishes what is in flight: first the doors, then the streams, then the journal. The house is
    /// not locked while it waits, so that the admin port goes on telling how things stand.
    pub async fn close(house: &SharedHouse) -> bool {
        let (doors, apis, readers) = {
            let mut house = house.lock().await;
            house.draining = true;
            house.doors.values().for_each(Door::stop);
            house.apis.values().for_each(Api::stop);
            house.readers.values().for_each(Reader::stop);
            let house = &mut *house;
            let doors = std::mem::take(&mut house.doors);
            (doors, std::mem::take(&mut house.apis), std::mem::take(&mut house.readers))
        };
        for (_, door) in doors {
            door.join().await;
        }
        for (_, reader) in readers {
            reader.join().await;
        }
        let mut well = true;
        for (_, api) in apis {
            well &= api.close().await;
        }
        let streams = std::mem::take(&mut house.lock().await.streams);
        well &= Self::stop_streams(streams.into_values().collect()).await;
        let journal = house.lock().await.journal.clone();
        let closed = tokio::task::spawn_blocking(move || journal.close()).await.is_ok();
        well && closed
    }

    /// Snapshots of tags that this process fetches.
    pub fn tag_refreshes(&self) -> &[crate::cli::TagsFetchArgs] {
        &self.settings.tag_refreshes
    }

    /// Streams of the settings; the lanes of a drop-in stream count as one.
    pub fn stream_count(&self) -> usize {
        self.streams.len()
    }

    /// Addresses of the sources, by name.
    pub fn addresses(&self) -> BTreeMap<String, std::net::SocketAddr> {
        let doors = self.doors.iter().map(|(name, door)| (name.clone(), door.address()));
        let apis = self.apis.iter().map(|(name, api)| (name.clone(), api.address()));
        doors.chain(apis).collect()
    }
}

/// Removes the cursors of a stream: its own, and that of its copier of all data.
pub fn forget(journal: &Journal, name: &str) -> Result<u64, String> {
    let names = [name.to_owned(), format!("{name}{}", delivery::ALL_DATA_SUFFIX)];
    let statuses = journal.status();
    let cursors = statuses.iter().flat_map(|topic| &topic.cursors);
    let found: Vec<&String> =
        names.iter().filter(|n| cursors.clone().any(|c| c.name == **n)).collect();
    if found.is_empty() {
        return Err(format!("no cursor is called {name}"));
    }
    let mut freed = 0;
    for name in found {
        freed += journal.forget(name).map_err(|e| e.to_string())?;
    }
    tracing::warn!(stream = name, bytes = freed, "stream forgotten by command");
    Ok(freed)
}

/// For a delivery that meets a source between two sets of lanes.
fn no_lanes() -> intake::firehose::Denied {
    let message = "the settings are being changed: send it again".to_owned();
    intake::firehose::Denied { status: 503, message }
}
