//! One object to the journal: pieces appended, what is none set aside, and only then is it done.
//!
//! Owns the keys by which a piece read twice is known, the bound on appends in flight, and the wait
//! for a journal that refuses. Always holds: `Ok` is said only when every piece is durable and all
//! else is in quarantine (I1); nothing is skipped because the journal is full; stopping in the
//! middle loses nothing, since the object is read again and what is stored is known. Not here:
//! where objects come from.

use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use codec::checksum::Hasher128;
use entry::{Encoding, Header, Kind};
use journal::{Appended, Body, Item, Key, Refused, Topic};
use tokio::sync::watch;

use super::Parts;
use super::pieces::{Piece, Pieces, Rejected, Step};
use super::quarantine::Quarantine;
use super::reason::Reason;
use super::stats::{Stats, Trouble};
use crate::Clock;

/// Appends of one object that wait for the disk: one is written while the next are cut, and more
/// would only hold memory.
const IN_FLIGHT: usize = 4;
/// How long after a refusal the journal is asked again: a segment is freed, or a failed disk tried
/// again, every few seconds.
const REFUSED_WAIT: Duration = Duration::from_secs(1);
/// How often a wait looks whether it should end.
const LOOK: Duration = Duration::from_millis(100);

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// For a person: `s3://bucket/key`, a path, `stdin`.
    pub place: String,
    /// What changes when its content does (entity tag, version, size and time). Without one nothing
    /// of it can be told from a repeat.
    pub identity: Option<String>,
}

/// What became of an object that was read to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Pieces stored.
    pub records: u64,
    /// Pieces the journal knew.
    pub repeats: u64,
    /// Bytes once inflated.
    pub bytes: u64,
    /// Parts set aside.
    pub rejected: u64,
}

/// Why an object was not read to its end. Reading it again goes on where this left off.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    /// It was told to stop.
    #[error("stopped")]
    Stopped,
    /// What the object is read from failed.
    #[error("{0}")]
    Below(io::Error),
    /// Something had to be set aside, and could not be.
    #[error("{0}")]
    Quarantine(String),
}

/// Carries objects to the topic of one source. Cheap to clone.
#[derive(Clone)]
pub struct Carrier {
    inner: Arc<Inner>,
}

struct Inner {
    source: String,
    topic: Topic,
    clock: Clock,
    quarantine: Quarantine,
    limit: u64,
    stats: Arc<Stats>,
}

impl Carrier {
    /// For the source of this name; objects have at most `limit` bytes once inflated.
    pub fn new(source: &str, parts: &Parts, limit: u64, stats: Arc<Stats>) -> Carrier {
        let inner = Inner {
            source: source.to_owned(),
            topic: parts.topic.clone(),
            clock: Arc::clone(&parts.clock),
            quarantine: Quarantine::new(parts.quarantine.clone(), source),
            limit,
            stats,
        };
        Carrier { inner: Arc::new(inner) }
    }

    /// Reads an object to its end, on this thread, which waits for disk and journal.
    pub fn carry(
        &self,
        object: &Object,
        from: impl Read,
        stop: &watch::Receiver<bool>,
    ) -> Result<Carried, Halt> {
        let inner = &*self.inner;
        let _reading = inner.stats.reading();
        let mut pieces = Pieces::new(from, inner.limit);
        let appends = Arc::<Appends>::default();
        let mut carried = Carried::default();
        let mut at = 0;
        loop {
            if *stop.borrow() {
                return Err(Halt::Stopped);
            }
            let step = pieces.next().map_err(Halt::Below)?;
            inner.stats.bytes.add(pieces.offset() - at);
            at = pieces.offset();
            match step {
                None => break,
                Some(Step::Piece(piece)) => {
                    inner.stats.pieces.add(1);
                    inner.append(object, piece, &appends, stop)?;
                }
                Some(Step::Rejected(part)) => {
                    carried.rejected += 1;
                    inner.set_aside(&object.place, &part)?;
                }
            }
        }
        inner.settle(&appends, 0, stop)?;
        let all = appends.all();
        (carried.records, carried.repeats, carried.bytes) = (all.stored, all.repeats, at);
        drop(all);
        inner.stats.objects.add(1);
        Ok(carried)
    }

    /// Notes what has no bytes: an object that is gone, a message that means nothing.
    pub(crate) fn note(&self, object: &str, reason: Reason, detail: &str) -> Result<(), Halt> {
        let inner = &*self.inner;
        let noted = inner.quarantine.note(object, reason, detail, (inner.clock)());
        inner.noted(object, reason, detail, noted)
    }

    /// Sets aside what was read whole already.
    pub(crate) fn set_aside(&self, object: &str, part: &Rejected) -> Result<(), Halt> {
        self.inner.set_aside(object, part)
    }
}

impl Inner {
    fn set_aside(&self, object: &str, part: &Rejected) -> Result<(), Halt> {
        let kept = self.quarantine.keep(object, part, (self.clock)());
        self.noted(object, part.reason, &part.detail, kept)
    }

    fn noted(
        &self,
        object: &str,
        reason: Reason,
        detail: &str,
        kept: Result<(), String>,
    ) -> Result<(), Halt> {
        let (source, code) = (self.source.as_str(), reason.code());
        if let Err(error) = kept {
            self.stats.refuse(Trouble {
                at_ms: (self.clock)(),
                text: error.clone(),
                remedy: Some("remove what is old from the source's quarantine".to_owned()),
            });
            return Err(Halt::Quarantine(error));
        }
        self.stats.reject(reason);
        let remedy = reason.remedy();
        tracing::warn!(source, object, reason = code, detail, remedy, "set aside");
        Ok(())
    }

    /// Appends a piece, when there is room.
    fn append(
        &self,
        object: &Object,
        piece: Piece,
        appends: &Arc<Appends>,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), Halt> {
        self.settle(appends, IN_FLIGHT - 1, stop)?;
        let header = Header {
            kind: Kind::Record,
            encoding: Encoding::Identity,
            arrival_ms: (self.clock)(),
            plain_bytes: piece.bytes.len() as u64,
            records: 1,
            source: self.source.clone(),
            source_arn: String::new(),
            request_id: format!("{}#{}", object.place, piece.number),
            attributes: Vec::new(),
            lane: None,
            only: Vec::new(),
        };
        let key = object.identity.as_deref().map(|identity| Key {
            name: name_of(&object.place, identity, piece.number),
            data: data_of(&piece.bytes),
        });
        self.send(Sent { key, head: header.encode(), bytes: piece.bytes }, appends);
        Ok(())
    }

    fn send(&self, sent: Sent, appends: &Arc<Appends>) {
        appends.all().waiting += 1;
        let item =
            Item { key: sent.key, head: sent.head.clone(), body: Body::Bytes(sent.bytes.clone()) };
        let (appends, stats) = (Arc::clone(appends), Arc::clone(&self.stats));
        let done = move |outcome| {
            let mut all = appends.all();
            all.waiting -= 1;
            match outcome {
                Ok(Appended::Stored { other_data, .. }) => {
                    all.stored += 1;
                    stats.records.add(1);
                    stats.other_data.add(u64::from(other_data));
                }
                Ok(Appended::Repeat) => {
                    all.repeats += 1;
                    stats.repeats.add(1);
                }
                Err(refused) => {
                    all.refused = Some(refused);
                    all.back.push(sent);
                }
            }
            drop(all);
            appends.told.notify_all();
        };
        self.topic.append(item, Box::new(done));
    }

    /// Waits until at most `left` appends are in flight and none has to be tried again.
    fn settle(
        &self,
        appends: &Arc<Appends>,
        left: usize,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), Halt> {
        let mut refused_before = false;
        loop {
            let mut all = appends.all();
            while all.waiting > left && all.back.is_empty() {
                if *stop.borrow() {
                    return Err(Halt::Stopped);
                }
                all = appends.wait(all);
            }
            if all.back.is_empty() {
                if refused_before {
                    self.stats.clear();
                }
                return Ok(());
            }
            let back = std::mem::take(&mut all.back);
            let refused = all.refused.take();
            drop(all);
            if let Some(refused) = refused {
                self.refused(refused, refused_before)?;
                refused_before = true;
            }
            pause(REFUSED_WAIT, stop)?;
            for sent in back {
                self.send(sent, appends);
            }
        }
    }

    /// Tells once that the journal takes nothing.
    fn refused(&self, refused: Refused, known: bool) -> Result<(), Halt> {
        if refused == Refused::Closing {
            return Err(Halt::Stopped);
        }
        let text = refused.to_string();
        if !known {
            tracing::warn!(source = self.source, refused = text, "waiting for the journal");
        }
        let remedy = Some("see `hydrant status` for who holds the disk budget".to_owned());
        self.stats.refuse(Trouble { at_ms: (self.clock)(), text, remedy });
        Ok(())
    }
}

/// Waits on this thread; an error when it should stop.
fn pause(time: Duration, stop: &watch::Receiver<bool>) -> Result<(), Halt> {
    let until = Instant::now() + time;
    loop {
        if *stop.borrow() {
            return Err(Halt::Stopped);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(LOOK));
    }
}

/// What is appended, kept until it is durable.
struct Sent {
    key: Option<Key>,
    head: Vec<u8>,
    bytes: Bytes,
}

/// The appends of one object.
#[derive(Default)]
struct Appends {
    all: Mutex<All>,
    told: Condvar,
}

#[derive(Default)]
struct All {
    waiting: usize,
    stored: u64,
    repeats: u64,
    back: Vec<Sent>,
    refused: Option<Refused>,
}

impl Appends {
    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, all: MutexGuard<'a, All>) -> MutexGuard<'a, All> {
        let waited = self.told.wait_timeout(all, LOOK);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

fn name_of(place: &str, identity: &str, number: u64) -> u128 {
    let mut name = Hasher128::new();
    // The lengths keep (a, bc) and (ab, c) apart.
    for text in [place, identity] {
        name.update(&(text.len() as u64).to_le_bytes());
        name.update(text.as_bytes());
    }
    name.update(&number.to_le_bytes());
    name.digest()
}

fn data_of(bytes: &[u8]) -> u128 {
    let mut data = Hasher128::new();
    data.update(bytes);
    data.digest()
}
