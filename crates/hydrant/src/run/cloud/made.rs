//! The delivery streams made through the API, kept running as the registry says.
//!
//! Owns their workers. A change of the registry is followed before the call that made it is answered,
//! but for a worker that has a request in flight: its successor starts when that is answered. Always
//! holds: the cursor of a stream is there before its first record is accepted; that of a deleted
//! stream goes with it, and what it had not delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloud::firehose::{DeliveryStream, access_key, made_topic};
use cloud::registry::Registry;
use delivery::{BackupMode, Commands, Destination, Stats, Stream, StreamConfig};
use entry::seal::SealKey;
use journal::CursorStatus;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::super::basis::PartsBasis;
use super::super::replay::{of_replay, topic_of as replay_topic};
use super::configure::Plan;
use super::failed::{Failed, Failure};

/// One that could not be started is tried again after this: the disk may have been full.
const AGAIN: Duration = Duration::from_secs(10);

/// The place of one that does not run.
pub(crate) const NOT_STARTED: &str = "not started";

/// All of them.
pub(in crate::run) struct Made {
    plan: Plan,
    registry: Registry,
    seal: Arc<SealKey>,
    basis: PartsBasis,
    slots: Mutex<BTreeMap<String, Slot>>,
    /// By topic; they outlive a change of their stream.
    stats: Mutex<BTreeMap<String, Arc<Stats>>>,
    followed: watch::Sender<u64>,
}

/// One of them, by its topic.
struct Slot {
    name: String,
    account: String,
    /// One that was deleted and made again is another.
    created_ms: i64,
    /// `None` when it cannot even be configured.
    config: Option<StreamConfig>,
    state: State,
}

impl Slot {
    /// This is the cursor of a copier that its configuration does not have.
    fn copies_no_more(&self, cursor: &CursorStatus) -> bool {
        let copies = |config: &StreamConfig| config.backup.mode == BackupMode::AllData;
        cursor.name != self.name && self.config.as_ref().is_some_and(|config| !copies(config))
    }
}

enum State {
    Runs(Box<Stream>),
    /// It was told to stop and has a request in flight.
    Leaves,
    /// It does not run. Its records wait in the journal.
    Failed(Box<Failed>),
}

/// A stream that was told to stop.
pub(super) type Leaving = (String, Box<Stream>);

/// What others see of a stream.
pub(in crate::run) struct Seen {
    pub name: String,
    pub account: String,
    pub topic: String,
    /// What is put back for it has a topic with this in its name.
    pub replay: String,
    pub config: Option<StreamConfig>,
    pub place: String,
    pub stats: Arc<Stats>,
    pub failure: Option<Failure>,
}

impl Made {
    pub(super) fn new(
        plan: Plan,
        registry: Registry,
        seal: Arc<SealKey>,
        basis: PartsBasis,
    ) -> Arc<Made> {
        let (followed, _) = watch::channel(0);
        let (slots, stats) = (Mutex::default(), Mutex::default());
        Arc::new(Made { plan, registry, seal, basis, slots, stats, followed })
    }

    /// Makes what runs what the registry says; answers those that were told to stop, to be joined.
    pub(super) fn settle(&self) -> Vec<Leaving> {
        let now = self.registry.now();
        let wanted: BTreeMap<String, &DeliveryStream> = now
            .delivery_streams
            .values()
            .map(|one| (made_topic(&self.plan.source, &one.account, &one.name), one))
            .collect();
        let mut slots = locked(&self.slots);
        let mut leaving = Vec::new();
        for (topic, slot) in slots.iter_mut() {
            let same = wanted.get(topic).is_some_and(|one| {
                let config = (self.config(one), &slot.config);
                one.created_ms == slot.created_ms
                    && matches!(config, (Ok(new), Some(old)) if new == *old)
            });
            if same || !matches!(slot.state, State::Runs(_)) {
                continue;
            }
            if let State::Runs(stream) = std::mem::replace(&mut slot.state, State::Leaves) {
                stream.stop();
                leaving.push((topic.clone(), stream));
            }
        }
        let mut before = BTreeMap::new();
        slots.retain(|topic, slot| {
            let State::Failed(failed) = &slot.state else { return true };
            before.insert(topic.clone(), (failed.why.clone(), failed.since_ms));
            false
        });
        for (topic, stream) in &wanted {
            if !slots.contains_key(topic) {
                let slot = self.start(topic, stream, before.remove(topic));
                slots.insert(topic.clone(), slot);
            }
        }
        self.sweep(&slots);
        leaving
    }

    /// A stream that was told to stop has stopped.
    fn left(&self, topic: &str) {
        locked(&self.slots).remove(topic);
    }

    /// Frees what deleted streams held: their records, and what was put back for them. So too what
    /// waits for a copy of all data that is not wanted any more.
    fn sweep(&self, slots: &BTreeMap<String, Slot>) {
        let prefix = format!("{}.", self.plan.source);
        let made = |name: &str| name.strip_prefix(&prefix).is_some_and(|n| n.contains('~'));
        let replays: BTreeSet<String> =
            slots.iter().map(|(topic, slot)| replay_of(topic, slot.created_ms)).collect();
        for status in self.basis.journal.status() {
            let name = &status.topic;
            let unneeded = |cursor: &&CursorStatus| match (of_replay(name), slots.get(name)) {
                (Some(of), _) => made(of) && !replays.contains(of),
                (None, None) => made(name),
                (None, Some(slot)) => slot.copies_no_more(cursor),
            };
            self.forget(name, status.cursors.iter().filter(unneeded).map(|c| c.name.as_str()));
        }
    }

    fn forget<'a>(&self, name: &str, cursors: impl Iterator<Item = &'a str>) {
        for cursor in cursors {
            let forgotten = self.basis.journal.topic(name).and_then(|t| t.forget_cursor(cursor));
            match forgotten {
                Ok(bytes) => {
                    tracing::info!(topic = name, cursor, bytes, "what nobody reads is freed");
                }
                Err(error) => tracing::error!(topic = name, cursor, %error, "its records stay"),
            }
        }
    }

    fn config(&self, stream: &DeliveryStream) -> Result<StreamConfig, String> {
        let key = access_key(stream, &self.seal).map_err(|error| {
            format!(
                "its access key cannot be opened ({error}): restore seal_key, or give the key anew \
                 with UpdateDestination"
            )
        })?;
        Ok(self.plan.stream(stream, key))
    }

    /// Starts it. `before` is why it could not be started the last time, and since when not.
    fn start(&self, topic: &str, stream: &DeliveryStream, before: Option<(String, i64)>) -> Slot {
        let config = self.config(stream);
        let started = config.clone().and_then(|config| self.started(topic, stream, config));
        let state = match started {
            Ok(running) => {
                let (name, account) = (&stream.name, &stream.account);
                tracing::info!(name, account, place = running.place(), "delivery stream runs");
                State::Runs(Box::new(running))
            }
            Err(why) => {
                let since_ms = before.as_ref().map(|(_, since_ms)| *since_ms);
                let since_ms = since_ms.unwrap_or_else(|| (self.basis.clock)());
                let journal = self.basis.journal.topic(topic).map_err(|e| e.to_string());
                let failed = Failed::hold(journal, (&stream.name, stream.first), why, since_ms);
                let (name, account, why) = (&stream.name, &stream.account, &failed.why);
                // It is tried again and again: the same is said once.
                if before.is_none_or(|(before, _)| before != *why) {
                    tracing::error!(name, account, why, "delivery stream does not run");
                }
                State::Failed(Box::new(failed))
            }
        };
        let (name, account) = (stream.name.clone(), stream.account.clone());
        Slot { name, account, created_ms: stream.created_ms, config: config.ok(), state }
    }

    fn started(
        &self,
        topic: &str,
        stream: &DeliveryStream,
        config: StreamConfig,
    ) -> Result<Stream, String> {
        let Destination::Fixed(destination) = config.destination.clone() else {
            return Err("takes its destination from requests".to_owned());
        };
        let mut basis = self.basis.clone();
        basis.topics = vec![basis.journal.topic(topic).map_err(|e| e.to_string())?];
        basis.replay = replay_topic(&basis.journal, &replay_of(topic, stream.created_ms))?;
        basis.state = basis.state.join(&stream.account);
        basis.quarantine = basis.quarantine.join(&stream.account);
        Stream::start(config, &destination, basis.parts(None, self.stats_of(topic)))
    }

    fn stats_of(&self, topic: &str) -> Arc<Stats> {
        Arc::clone(locked(&self.stats).entry(topic.to_owned()).or_default())
    }

    /// Waits until the registry's change of this number is followed.
    pub(super) async fn followed(&self, change: u64) {
        // The sender lives as long as this does.
        drop(self.followed.subscribe().wait_for(|followed| *followed >= change).await);
    }

    /// False when one has ended by itself: a bug.
    pub(super) fn lives(&self) -> bool {
        locked(&self.slots).values().all(|slot| match &slot.state {
            State::Runs(stream) => stream.lives(),
            State::Leaves | State::Failed(_) => true,
        })
    }

    fn any_failed(&self) -> bool {
        locked(&self.slots).values().any(|slot| matches!(slot.state, State::Failed(_)))
    }

    /// All of them, by topic.
    pub(in crate::run) fn seen(&self) -> Vec<Seen> {
        let slots = locked(&self.slots);
        let seen = |(topic, slot): (&String, &Slot)| Seen {
            name: slot.name.clone(),
            account: slot.account.clone(),
            topic: topic.clone(),
            replay: replay_of(topic, slot.created_ms),
            config: slot.config.clone(),
            place: match &slot.state {
                State::Runs(stream) => stream.place().to_owned(),
                State::Leaves => "stopping".to_owned(),
                State::Failed(_) => NOT_STARTED.to_owned(),
            },
            stats: self.stats_of(topic),
            failure: match &slot.state {
                State::Failed(failed) => Some(failed.seen()),
                State::Runs(_) | State::Leaves => None,
            },
        };
        slots.iter().map(seen).collect()
    }

    /// The commands of the stream with this topic.
    pub(in crate::run) fn commands(&self, topic: &str) -> Option<Commands> {
        match &locked(&self.slots).get(topic)?.state {
            State::Runs(stream) => Some(stream.commands()),
            State::Leaves | State::Failed(_) => None,
        }
    }

    /// Stops all. False when one had ended by a panic.
    pub(super) fn close(&self) -> bool {
        let slots = std::mem::take(&mut *locked(&self.slots));
        let streams: Vec<Box<Stream>> = slots
            .into_values()
            .filter_map(|slot| match slot.state {
                State::Runs(stream) => Some(stream),
                State::Leaves | State::Failed(_) => None,
            })
            .collect();
        streams.iter().for_each(|stream| stream.stop());
        let joined: Vec<bool> = streams.into_iter().map(|stream| stream.join()).collect();
        joined.into_iter().all(|well| well)
    }
}

/// What is put back for a stream goes with it: one of the same name that is made later has another
/// topic for that.
fn replay_of(topic: &str, created_ms: i64) -> String {
    format!("{topic}~{created_ms}")
}

/// Follows the registry until told to stop. False when a stream ended by a panic.
pub(super) async fn follow(
    made: Arc<Made>,
    mut leaving: Vec<Leaving>,
    mut stop: watch::Receiver<bool>,
) -> bool {
    let mut changes = made.registry.changes();
    let mut stopping: JoinSet<(String, bool)> = JoinSet::new();
    let mut well = true;
    loop {
        for (topic, stream) in leaving.drain(..) {
            stopping.spawn_blocking(move || (topic, stream.join()));
        }
        let change = *changes.borrow_and_update();
        let settling = Arc::clone(&made);
        // Starting a stream reads and syncs files.
        match tokio::task::spawn_blocking(move || settling.settle()).await {
            Ok(more) => leaving = more,
            Err(_) => return false,
        }
        made.followed.send_replace(change);
        if !leaving.is_empty() {
            continue;
        }
        let failed = made.any_failed();
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { break },
            () = tokio::time::sleep(AGAIN), if failed => {}
            Some(left) = stopping.join_next() => match left {
                Ok((topic, ended_well)) => {
                    well &= ended_well;
                    made.left(&topic);
                }
                Err(_) => return false,
            },
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    while let Some(left) = stopping.join_next().await {
        well &= left.is_ok_and(|(_, ended_well)| ended_well);
    }
    well
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
