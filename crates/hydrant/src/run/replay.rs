//! Records put back: appended to the topic that only their stream reads.
//!
//! Always: what is told as stored is durable, and the stream's cursor was in the topic before it, so
//! that nothing is freed unread. What a stream has not delivered yet is bounded: whoever puts back
//! is told to hold, so that a replay never drives its stream over its own backlog limit.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use delivery::{Clock, Commands, Stats};
use entry::{Encoding, Header, Kind};
use journal::{Appended, Body, Item, Journal, Refused, Topic};
use tokio::runtime::Handle;

use super::SharedHouse;
use super::folder::Folder;
use super::house::{House, Running, Unbuilt};
use crate::control::replay::{Outcome, PutBack, Refusal, Returned, Taken};
use crate::settings::{Settings, quantity};

/// What waits in the journal of one replay, at most: some seconds of a quick destination, and little
/// beside what the journal holds anyway. The rest waits in the files it is read from.
const HELD_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The topic of what is put back for a stream. No source can be called that: `~` is in no name.
/// No slash either, since names of backup files hold the name of the topic.
pub(super) fn topic_name(stream: &str) -> String {
    format!("replay~{stream}")
}

/// The stream, or the topic of one made through the API, that this topic of replay is for.
pub(super) fn of_replay(topic: &str) -> Option<&str> {
    topic.strip_prefix("replay~")
}

/// The topic of a stream that has something put back.
pub(super) fn topic_of(journal: &Journal, stream: &str) -> Result<Option<Topic>, String> {
    let name = topic_name(stream);
    if !journal.topics().contains(&name) {
        return Ok(None);
    }
    journal.topic(&name).map(Some).map_err(|e| e.to_string())
}

impl House {
    /// A house of one stream that reads nothing but what is put back for it.
    pub fn build_for_replay(
        settings: Settings,
        folder: Folder,
        runtime: Handle,
        stream: &str,
    ) -> Result<House, Unbuilt> {
        let mut streams = settings.streams;
        streams.retain(|config| config.name == stream);
        for config in &mut streams {
            config.sources.clear();
        }
        House::build(Settings { streams, ..settings }, folder, runtime)
    }

    /// What it takes to put records back for a stream.
    fn replay_basis(&self, name: &str) -> Result<Basis, String> {
        let Some(running) = self.streams.get(name) else {
            return self.replay_basis_made(name);
        };
        let Running::Fixed(config, stream) = running else {
            return Err(format!(
                "stream {name} takes its destination from each request: put the records back \
                 through a stream with url and api_token, or with --to-endpoint through the source \
                 of {name}, with the token as --access-key"
            ));
        };
        let topic = self.journal.topic(&topic_name(name)).map_err(|e| e.to_string())?;
        Ok(Basis {
            topic,
            journal: self.journal.clone(),
            commands: stream.commands(),
            stats: Arc::clone(stream.stats()),
            clock: Arc::clone(&self.clock),
            held_max: HELD_BYTES_MAX.min(config.max_backlog_bytes / 2),
        })
    }

    /// The same for a delivery stream made through the API.
    fn replay_basis_made(&self, name: &str) -> Result<Basis, String> {
        let made = self.made(name).and_then(|(api, topic)| {
            let seen = api.made().seen().into_iter().find(|seen| seen.topic == topic)?;
            Some((api.made().commands(&topic)?, seen))
        });
        let Some((commands, seen)) = made else {
            let known: Vec<String> = self.report().streams.into_iter().map(|s| s.name).collect();
            return Err(format!("no stream is called {name}; there are {}", known.join(", ")));
        };
        let backlog = seen.config.map_or(HELD_BYTES_MAX, |config| config.max_backlog_bytes / 2);
        Ok(Basis {
            topic: self.journal.topic(&topic_name(&seen.replay)).map_err(|e| e.to_string())?,
            journal: self.journal.clone(),
            commands,
            stats: seen.stats,
            clock: Arc::clone(&self.clock),
            held_max: HELD_BYTES_MAX.min(backlog),
        })
    }

    /// The counters of a stream.
    pub fn stats_of(&self, name: &str) -> Arc<Stats> {
        self.stats.get(name).map(Arc::clone).unwrap_or_default()
    }

    /// Entries and bytes put back for a stream that it has not dealt with.
    pub fn replay_held(&self, name: &str) -> (u64, u64) {
        held(&self.journal, name)
    }
}

/// Puts a batch back; answers when it is durable. An empty one asks whether to go on.
pub async fn put_back(house: &SharedHouse, batch: PutBack) -> Result<Taken, String> {
    let basis = house.lock().await.replay_basis(&batch.stream)?;
    // Waits for the stream's thread and for a sync, as the other commands do.
    tokio::task::block_in_place(|| basis.take(batch))
}

struct Basis {
    topic: Topic,
    journal: Journal,
    commands: Commands,
    stats: Arc<Stats>,
    clock: Clock,
    held_max: u64,
}

impl Basis {
    fn take(&self, batch: PutBack) -> Result<Taken, String> {
        // The cursor first: a topic without one keeps nothing.
        self.commands.read_replay(self.topic.clone())?;
        let now_ms = (self.clock)();
        let answers: Vec<Receiver<Result<Appended, Refused>>> =
            batch.records.into_iter().map(|record| self.append(record, now_ms)).collect();
        let mut taken = Taken::default();
        for answer in answers {
            let outcome = match answer.recv() {
                Ok(Ok(Appended::Stored { .. })) => Outcome::Stored,
                Ok(Ok(Appended::Repeat)) => Outcome::Repeat,
                Ok(Err(refused)) => {
                    taken.refusal = Some(refusal(&refused));
                    Outcome::Refused
                }
                Err(_) => return Err("the journal has ended".to_owned()),
            };
            taken.outcomes.push(outcome);
        }
        taken.hold = self.hold(&batch.stream);
        Ok(taken)
    }

    fn append(&self, record: Returned, now_ms: i64) -> Receiver<Result<Appended, Refused>> {
        let header = Header {
            kind: Kind::Record,
            encoding: Encoding::Identity,
            arrival_ms: now_ms,
            plain_bytes: record.data.len() as u64,
            records: 1,
            source: record.source,
            source_arn: record.source_arn,
            request_id: record.request_id,
            attributes: record.attributes,
            lane: None,
            only: record.only,
        };
        let key = record.key.map(|key| journal::Key { name: key, data: key });
        let item = Item { key, head: header.encode(), body: Body::Bytes(record.data) };
        let (told, answer) = sync_channel(1);
        let tell = move |outcome| {
            if told.send(outcome).is_err() {
                tracing::debug!("nobody waits for the answer");
            }
        };
        self.topic.append(item, Box::new(tell));
        answer
    }

    /// Why no more should come now.
    fn hold(&self, stream: &str) -> Option<String> {
        let (_, bytes) = held_of(&self.journal, self.topic.name());
        if bytes < self.held_max {
            return None;
        }
        let state = self.stats.state();
        let refusal = state.last_refusal.filter(|_| state.outage_since_ms.is_some());
        let why = refusal.map_or_else(String::new, |refusal| format!(": {refusal}"));
        let bytes = quantity::size_about(bytes);
        Some(format!("stream {stream} has {bytes} of it to deliver first{why}"))
    }
}

/// Entries and bytes put back for a stream that it has not settled.
fn held(journal: &Journal, stream: &str) -> (u64, u64) {
    held_of(journal, &topic_name(stream))
}

/// The same by the topic, which one stream alone reads.
fn held_of(journal: &Journal, topic: &str) -> (u64, u64) {
    let status = journal.status();
    let topic = status.iter().find(|status| status.topic == topic);
    let cursor = topic.and_then(|topic| topic.cursors.first());
    cursor.map_or((0, 0), |cursor| (cursor.entries, cursor.bytes))
}

fn refusal(refused: &Refused) -> Refusal {
    match refused {
        Refused::Full { .. } => Refusal::Full { why: refused.to_string() },
        Refused::Disk(_) => Refusal::Disk { why: refused.to_string() },
        Refused::Closing => Refusal::Closing,
    }
}
