//! A source at work: one request from its head to its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use codec::checksum::Hasher128;
use entry::{Encoding, Header, Kind, LaneId, Room, Tail, TailKey};
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use journal::{Appended, Body, Item, Key, Topic};
use listen::{Listener, Peer, Seldom, ServerTls};
use remote::Secret;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::check::{self, Checked, Expect};
use super::head::{self, Head};
use super::keep::{self, Keep};
use super::permits::{Permit, Permits};
use super::refusal::{Reason, Refusal};
use super::spool::{self, Chunk, PIPE_CHUNKS, SPOOL_BYTES, WIRE_WHOLE_MAX};
use super::stats::Stats;
use super::{Admission, Config, answer};
use crate::Clock;

/// An idle connection is kept longer than load balancers keep theirs (60 s), so that it is never us
/// who closes it under a request.
const IDLE_TIME: Duration = Duration::from_secs(75);
/// Firehose gives up after 3 minutes; told before that, it knows that it should come again.
const ANSWER_TIME: Duration = Duration::from_secs(170);
/// A body this small is checked where it is; handing it to another thread would cost more.
const CHECK_HERE_MAX: usize = 8 * 1024;
/// What checking a large body in a window holds: inflater, and a record of AWS's size in base64.
const WINDOW_BYTES: usize = 2 * 1024 * 1024;

/// One source. Cheap to clone.
#[derive(Clone)]
pub struct Source {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    topic: Topic,
    tail: Arc<Tail>,
    permits: Arc<Permits>,
    clock: Clock,
    stats: Arc<Stats>,
    /// One line of log per reason and interval.
    seldom: Vec<Seldom>,
    attributes_seldom: Seldom,
}

/// A delivery that was taken, and what the sender is told.
struct Taken {
    request_id: String,
}

/// A body that passed, and what its memory is accounted by until the journal has answered.
struct Passed {
    checked: Checked,
    body: Body,
    wire_bytes: u64,
    kept_permit: Option<Permit>,
    room: Option<Room>,
}

impl Source {
    /// A source that appends to `topic`. `permits` and `tail` are the process's.
    pub fn new(
        config: Config,
        topic: Topic,
        tail: Arc<Tail>,
        permits: Arc<Permits>,
        clock: Clock,
    ) -> Source {
        let seldom = Reason::ALL.iter().map(|_| Seldom::default()).collect();
        let (stats, attributes_seldom) = (Arc::default(), Seldom::default());
        let inner = Inner { config, topic, tail, permits, clock, stats, seldom, attributes_seldom };
        Source { inner: Arc::new(inner) }
    }

    /// Its counters.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.inner.stats)
    }

    /// Its name in the settings.
    pub fn name(&self) -> &str {
        &self.inner.config.name
    }

    /// Takes deliveries until `stop` turns true (or its sender is gone), then finishes those in flight,
    /// for at most `drain_time`.
    pub async fn serve(
        self,
        listener: Listener,
        tls: Option<ServerTls>,
        drain_time: Duration,
        stop: watch::Receiver<bool>,
    ) {
        let limits = self.inner.config.limits;
        let limits = listen::Limits {
            header_bytes: limits.header_bytes,
            header_time: limits.header_time,
            connections: limits.connections,
            idle_time: IDLE_TIME,
            drain_time,
        };
        let inner = self.inner;
        let handler = move |request: Request<Incoming>, peer: Peer| {
            let inner = Arc::clone(&inner);
            async move { inner.respond(request, peer).await }
        };
        listen::serve(listener, tls, limits, stop, handler).await;
    }
}

impl Inner {
    async fn respond(&self, request: Request<Incoming>, peer: Peer) -> Response<Full<Bytes>> {
        let (parts, mut body) = request.into_parts();
        if head::is_health_check(&parts.method) {
            self.stats.health_checks.add(1);
            return answer::healthy();
        }
        self.stats.requests.add(1);
        let taken = self.take(&parts, &mut body).await;
        let now = (self.clock)();
        match taken {
            Ok(taken) => {
                self.stats.accepted.add(1);
                answer::accepted(&taken.request_id, now)
            }
            Err(refusal) => {
                let request_id = head::request_id(&parts.headers).unwrap_or_default();
                self.note(&refusal, peer, request_id);
                let unread = !hyper::body::Body::is_end_stream(&body);
                answer::refused(request_id, now, &refusal, unread)
            }
        }
    }

    fn note(&self, refusal: &Refusal, peer: Peer, request_id: &str) {
        self.stats.reject(refusal.reason);
        let Some(seldom) = self.seldom.get(refusal.reason.index()) else { return };
        if let Some(held_back) = seldom.pass() {
            let (source, reason) = (self.config.name.as_str(), refusal.reason.code());
            let (status, detail) = (refusal.status, refusal.message.as_str());
            let peer = peer.address;
            tracing::warn!(
                source, reason, status, detail, %peer, request_id, held_back,
                "delivery refused"
            );
        }
    }

    async fn take(&self, parts: &Parts, body: &mut Incoming) -> Result<Taken, Refusal> {
        let access = Arc::clone(&self.config.access.borrow());
        let limits = &self.config.limits;
        let mut head = head::parse(parts, &access, limits)?;
        if let Some(refused) = self.topic.refusing() {
            return Err(Refusal::from_journal(&refused));
        }
        let lane = self.admit(parts, &mut head).await?;
        let expect = Expect {
            encoding: head.encoding,
            request_id: head.request_id.clone(),
            limits: *limits,
            lenient: access.lenient,
        };
        let passed = self.receive(body, &head, expect).await?;
        self.store(head, lane, passed).await
    }

    /// Drop-in mode decides by attributes and key; otherwise bad attributes cost no data.
    async fn admit(&self, parts: &Parts, head: &mut Head) -> Result<Option<LaneId>, Refusal> {
        let fault = head.attributes_fault.take();
        let Some(admit) = &self.config.admit else {
            if let Some(fault) = fault {
                self.stats.attributes_malformed.add(1);
                if let Some(held_back) = self.attributes_seldom.pass() {
                    let source = self.config.name.as_str();
                    tracing::warn!(source, fault, held_back, "common attributes not understood");
                }
            }
            return Ok(None);
        };
        if let Some(fault) = fault {
            return Err(Refusal::new(Reason::Attributes, fault));
        }
        let key = parts.headers.get(aws::firehose::headers::ACCESS_KEY);
        let key = key.and_then(|key| std::str::from_utf8(key.as_bytes()).ok());
        let access_key = Secret::new(key.unwrap_or_default());
        match admit(Admission { attributes: head.attributes.clone(), access_key }).await {
            Ok(lane) => Ok(Some(lane)),
            Err(denied) => {
                let status = if matches!(denied.status, 400 | 401) { denied.status } else { 503 };
                Err(Refusal { status, ..Refusal::new(Reason::NotAdmitted, denied.message) })
            }
        }
    }

    async fn receive(
        &self,
        body: &mut Incoming,
        head: &Head,
        expect: Expect,
    ) -> Result<Passed, Refusal> {
        let whole = head.length.and_then(|length| usize::try_from(length).ok());
        match whole.filter(|length| *length <= WIRE_WHOLE_MAX) {
            Some(length) => self.receive_whole(body, length, expect).await,
            None => self.receive_spooled(body, head.length, expect).await,
        }
    }

    async fn receive_whole(
        &self,
        body: &mut Incoming,
        length: usize,
        expect: Expect,
    ) -> Result<Passed, Refusal> {
        let limits = &self.config.limits;
        let permit = self.permits.wire(length, limits.wait).await.ok_or_else(|| self.busy())?;
        let mut buffer = self.permits.buffer(length);
        self.collect(body, length, &mut buffer).await?;
        let body = self.permits.hold(buffer, permit);
        let needed = Needed::by(&body, &expect, &self.tail);
        let in_tail = self.room_in_tail(length, needed.kept).await;
        let asked = needed.checking + needed.kept;
        let share = self.permits.plain(asked, limits.wait).await.ok_or_else(|| self.busy())?;
        let (tail, permits) = (Arc::clone(&self.tail), Arc::clone(&self.permits));
        let copy = body.clone();
        // The share moves along: a client that leaves now does not free what is still in use.
        let checking = move || {
            let mut share = share;
            let keep = match needed.kept {
                0 => Keep::nothing(),
                most => Keep::up_to(most, &tail),
            };
            let checked = check::whole(&copy, &expect, keep, &permits)?;
            share.shrink(needed.kept);
            Ok::<_, Refusal>((checked, share))
        };
        let (checked, share) = if length <= CHECK_HERE_MAX {
            checking()?
        } else {
            let turn = self.permits.worker().await;
            let checked = tokio::task::spawn_blocking(move || {
                let checked = checking();
                drop(turn);
                checked
            });
            checked.await.map_err(|_| internal())??
        };
        let wire_bytes = body.len() as u64;
        let kept_permit = checked.kept.is_some().then_some(share);
        let room = checked.kept.is_some().then_some(in_tail).flatten();
        Ok(Passed { checked, body: Body::Bytes(body), wire_bytes, kept_permit, room })
    }

    /// Lets streams that read along read what they would else inflate once more. Small bodies cost
    /// less than the wait, and when many senders come at once they are taken first.
    async fn room_in_tail(&self, wire_bytes: usize, kept_bytes: usize) -> Option<Room> {
        let wait = kept_bytes > 0 && wire_bytes > CHECK_HERE_MAX && self.permits.wire_is_easy();
        if wait { Some(self.tail.room(kept_bytes).await) } else { None }
    }

    /// Reads the body into `buffer`, which has room for it.
    async fn collect(
        &self,
        body: &mut Incoming,
        length: usize,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let deadline = Instant::now() + self.config.limits.body_time;
        while let Some(data) = self.next_data(body, deadline).await? {
            buffer.extend_from_slice(&data);
        }
        // hyper ends a body early only with an error.
        if buffer.len() == length { Ok(()) } else { Err(disconnected("length differs")) }
    }

    async fn next_data(
        &self,
        body: &mut Incoming,
        deadline: Instant,
    ) -> Result<Option<Bytes>, Refusal> {
        loop {
            let frame = timeout_at(deadline, body.frame()).await.map_err(|_| {
                let within = self.config.limits.body_time;
                let message = format!("the body did not arrive within {within:?}");
                Refusal::new(Reason::SlowBody, message)
            })?;
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(disconnected(&error.to_string())),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    async fn receive_spooled(
        &self,
        body: &mut Incoming,
        length: Option<u64>,
        expect: Expect,
    ) -> Result<Passed, Refusal> {
        let limits = &self.config.limits;
        let permit = self.permits.spool(SPOOL_BYTES, limits.wait).await;
        let permit = permit.ok_or_else(|| self.busy())?;
        let (pipe, end) = mpsc::channel(PIPE_CHUNKS);
        let topic = self.topic.clone();
        let at_most = length.unwrap_or(limits.body_bytes);
        let spooling = tokio::task::spawn_blocking(move || {
            let spooled = spool::take(&topic, end, at_most, &expect);
            drop(permit);
            spooled
        });
        let fed = self.feed(body, pipe).await;
        let spooled = spooling.await.map_err(|_| internal())?;
        // A body that could not be fed is the reason of whatever the other end made of it.
        fed?;
        let spooled = spooled?;
        let wire_bytes = spooled.side.len();
        let body = Body::Side(spooled.side);
        Ok(Passed { checked: spooled.checked, body, wire_bytes, kept_permit: None, room: None })
    }

    /// Feeds the pipe. `Ok` also when its other end has seen enough.
    async fn feed(&self, body: &mut Incoming, pipe: mpsc::Sender<Chunk>) -> Result<(), Refusal> {
        let limits = &self.config.limits;
        let deadline = Instant::now() + limits.body_time;
        let mut bytes = 0;
        while let Some(data) = self.next_data(body, deadline).await? {
            bytes += data.len() as u64;
            if bytes > limits.body_bytes {
                return Err(Refusal::too_large("the body", limits.body_bytes));
            }
            if pipe.send(Chunk::Data(data)).await.is_err() {
                return Ok(());
            }
        }
        // The other end is gone only when it has found a fault, which it tells itself.
        pipe.send(Chunk::End).await.ok();
        Ok(())
    }

    async fn store(
        &self,
        head: Head,
        lane: Option<LaneId>,
        passed: Passed,
    ) -> Result<Taken, Refusal> {
        let Passed { checked, body, wire_bytes, kept_permit, room } = passed;
        let arrival_ms = (self.clock)();
        let request_id = checked.request_id;
        let key = request_id
            .as_deref()
            .map(|id| Key { name: key_name(&head.source_arn, id), data: checked.data });
        let header = Header {
            kind: Kind::FirehoseDelivery,
            encoding: head.encoding,
            arrival_ms,
            plain_bytes: checked.plain_bytes,
            records: checked.records,
            source: self.config.name.clone(),
            source_arn: head.source_arn,
            request_id: request_id.clone().unwrap_or_default(),
            attributes: head.attributes,
            lane,
            only: Vec::new(),
        };
        let item = Item { key, head: header.encode(), body };
        let appended = self.append(item, checked.kept, (kept_permit, room)).await?;
        self.count(appended, checked.records, wire_bytes, request_id.as_deref());
        let request_id = request_id.unwrap_or_else(|| self.made_up_id(arrival_ms));
        Ok(Taken { request_id })
    }

    /// The one await between us and yes.
    async fn append(
        &self,
        item: Item,
        kept: Option<Vec<u8>>,
        held: (Option<Permit>, Option<Room>),
    ) -> Result<Appended, Refusal> {
        let (told, answer) = oneshot::channel();
        let (tail, topic) = (Arc::clone(&self.tail), Arc::clone(self.topic.name()));
        let done = move |outcome: Result<Appended, journal::Refused>| {
            // In the tail before any stream is told that there is something to read.
            match (&outcome, kept) {
                (Ok(Appended::Stored { sequence, .. }), Some(kept)) => {
                    tail.put(TailKey { topic, sequence: *sequence }, kept);
                }
                (_, Some(kept)) => tail.give_back(kept),
                (_, None) => {}
            }
            drop(held);
            // A client that is gone will come again, and be told it is a repeat.
            told.send(outcome).ok();
        };
        self.topic.append(item, Box::new(done));
        match timeout(ANSWER_TIME, answer).await {
            Ok(Ok(outcome)) => outcome.map_err(|refused| Refusal::from_journal(&refused)),
            Ok(Err(_)) => Err(internal()),
            Err(_) => {
                let message = format!("the disk did not answer within {ANSWER_TIME:?}");
                Err(Refusal::new(Reason::Disk, message))
            }
        }
    }

    fn count(&self, appended: Appended, records: u32, bytes: u64, request_id: Option<&str>) {
        let (stats, source) = (&self.stats, self.config.name.as_str());
        let request_id = request_id.unwrap_or_default();
        match appended {
            Appended::Repeat => {
                stats.repeats.add(1);
                tracing::debug!(source, request_id, "delivery repeated");
            }
            Appended::Stored { sequence, other_data } => {
                stats.records.add(u64::from(records));
                stats.bytes.add(bytes);
                if other_data {
                    stats.other_data.add(1);
                }
                tracing::debug!(source, request_id, sequence, records, bytes, "delivery stored");
            }
        }
    }

    fn busy(&self) -> Refusal {
        let wait = self.config.limits.wait;
        let message = format!("no memory for another body within {wait:?}; come again");
        Refusal::new(Reason::Busy, message)
    }

    /// For a sender (an emulator) that gave none: an answer must hold one.
    fn made_up_id(&self, arrival_ms: i64) -> String {
        format!("hydrant-{arrival_ms}-{}", self.stats.accepted.get())
    }
}

/// Memory that a body in memory needs besides itself.
#[derive(Clone, Copy)]
struct Needed {
    /// Until it is checked.
    checking: usize,
    /// Until the journal has answered, and then in the tail; 0 when nothing is kept.
    kept: usize,
}

impl Needed {
    /// The trailer's word is taken only to be held to it.
    fn by(body: &Bytes, expect: &Expect, tail: &Tail) -> Needed {
        let (plain, checking) = match expect.encoding {
            Encoding::Identity => (body.len(), 0),
            Encoding::Gzip => {
                let plain = expect.claimed_length(body);
                (plain, plain.min(WINDOW_BYTES))
            }
        };
        let kept = keep::room(plain);
        Needed { checking, kept: if tail.keeps(kept) { kept } else { 0 } }
    }
}

/// Name of the journal key under which a delivery is stored: the same for each of its repeats.
pub fn key_name(source_arn: &str, request_id: &str) -> u128 {
    let mut name = Hasher128::new();
    name.update(&(source_arn.len() as u64).to_le_bytes());
    name.update(source_arn.as_bytes());
    name.update(request_id.as_bytes());
    name.digest()
}

fn disconnected(what: &str) -> Refusal {
    Refusal::new(Reason::Disconnected, format!("the body ended early: {what}"))
}

/// A task that panicked, or a writer that is gone.
fn internal() -> Refusal {
    Refusal::new(Reason::Internal, "internal error; the log of the process says more")
}
