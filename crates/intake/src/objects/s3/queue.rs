//! A queue of notifications: each message is read, and deleted when all it tells of is durable.
//!
//! Owns the life of a message: hidden while it is at work (extended at a third of its time), deleted,
//! or given back for longer and longer. Always holds: a message is deleted only when every object in
//! it is durable, set aside, or gone; whatever is refused (credentials, region, a full journal) costs
//! no message. What fails for ever is the queue's own redrive policy's; where it has none, a message
//! that tells of no object is set aside here after a few receives. Several instances on one queue
//! need no agreement: SQS hides a message from the others.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use remote::aws::s3::S3;
use remote::aws::sqs::{About, Message, Sqs};
use remote::aws::{Fault, Identity, Kind};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::recent::Recent;
use super::{Inner, Patience};
use crate::objects::carry::Halt;
use crate::objects::event::{Created, Notice, order_of, parse};
use crate::objects::fetch::{Failed, Wanted, pause, stops};
use crate::objects::pieces::{KEPT_BYTES, Rejected};
use crate::objects::reason::Reason;

/// The longest that SQS lets a receiver wait.
const LONG_POLL: Duration = Duration::from_secs(20);
/// The most that SQS hands out at once.
const RECEIVE_MAX: usize = 10;
/// An empty answer that came sooner than this was no long poll (an emulator): wait the rest.
const EMPTY_MIN: Duration = Duration::from_millis(250);
/// A message is extended when this part of its hidden time is over.
const HEARTBEATS: u32 = 3;
/// However short messages are hidden.
const HEARTBEAT_MIN: Duration = Duration::from_millis(300);
/// How long a message that failed stays hidden: this long after the first receive, twice as long
/// after each further one.
const LEFT: Duration = Duration::from_secs(30);
/// At most this long: a person who has mended something should not wait longer.
const LEFT_MAX: Duration = Duration::from_secs(15 * 60);
/// Where a queue has no redrive policy, a message that tells of no object is set aside after this
/// many receives: enough for a newer release to be put in place of an older one.
const UNKNOWN_RECEIVES: u32 = 5;
/// The same where the queue does not say whether it has one.
const UNKNOWN_RECEIVES_MAX: u32 = 20;
/// How often a delete is tried before the message is left to come again.
const DELETE_TRIES: u32 = 3;
/// Giving a message back at a stop takes no longer.
const FAREWELL: Duration = Duration::from_secs(5);

struct Queue {
    inner: Arc<Inner>,
    s3: S3,
    sqs: Sqs,
    /// What the queue says of itself; `None` when it does not.
    about: Option<About>,
    recent: Mutex<Recent>,
    /// A refusal that the next message would meet as well: receiving pauses.
    refused: Mutex<bool>,
}

/// What becomes of a message.
enum End {
    Delete,
    /// Given back.
    Leave,
    /// Given back at once, since we stop.
    Return,
}

/// Receives until `stop`.
pub(super) async fn run(
    inner: Arc<Inner>,
    s3: S3,
    identity: Identity,
    url: &str,
    stop: watch::Receiver<bool>,
) {
    let sqs = Sqs::new(identity, url);
    let mut stopped = stop.clone();
    let about = tokio::select! {
        about = look(&inner, &sqs) => about,
        () = stops(&mut stopped) => return,
    };
    let (recent, refused) = (Mutex::default(), Mutex::default());
    let queue = Arc::new(Queue { inner, s3, sqs, about, recent, refused });
    let slots = Arc::new(Semaphore::new(queue.inner.config.limits.concurrency.max(1)));
    let mut work = JoinSet::new();
    let mut pace = Pace::default();
    while queue.calm(&mut pace, &stop).await {
        while work.try_join_next().is_some() {}
        let slot = tokio::select! {
            slot = Arc::clone(&slots).acquire_owned() => slot,
            () = stops(&mut stopped) => break,
        };
        let free = (slots.available_permits() + 1).min(RECEIVE_MAX);
        let messages = queue.receive(free as u32, &mut pace, &stop).await;
        let mut slot = slot.ok();
        for message in messages {
            // As many were asked for as there were slots.
            let slot = match slot.take() {
                Some(slot) => Some(slot),
                None => Arc::clone(&slots).acquire_owned().await.ok(),
            };
            let (queue, stop) = (Arc::clone(&queue), stop.clone());
            work.spawn(async move {
                queue.message(message, &stop).await;
                drop(slot);
            });
        }
    }
    while work.join_next().await.is_some() {}
}

/// How fast messages are asked for.
#[derive(Default)]
struct Pace {
    patience: Patience,
    /// Objects read when it was last looked.
    read: u64,
    /// The queue itself refused the last time.
    failed: bool,
}

/// Asks the queue what it is, and warns of what it lacks.
async fn look(inner: &Inner, sqs: &Sqs) -> Option<About> {
    let source = inner.config.name.as_str();
    match sqs.about().await {
        Ok(about) => {
            if about.receives_max.is_none() {
                tracing::warn!(
                    source,
                    "the queue has no redrive policy: give it a dead-letter queue, or messages that \
                     cannot be read come again until they expire"
                );
            }
            Some(about)
        }
        Err(fault) => {
            tracing::info!(source, fault = %fault, "the queue does not say whether it has a redrive policy");
            None
        }
    }
}

impl Queue {
    /// Waits while messages would only meet a refusal; false when it should stop.
    async fn calm(&self, pace: &mut Pace, stop: &watch::Receiver<bool>) -> bool {
        let read = self.inner.stats.objects.get();
        if read > pace.read {
            pace.patience.reset();
            pace.read = read;
        }
        let refused = self.take_refused();
        !*stop.borrow() && (!refused || pause(pace.patience.next(), stop).await)
    }

    /// Up to `most` messages; waits where there are none, or where the queue refuses.
    async fn receive(
        &self,
        most: u32,
        pace: &mut Pace,
        stop: &watch::Receiver<bool>,
    ) -> Vec<Message> {
        let asked = Instant::now();
        let mut stopped = stop.clone();
        let received = tokio::select! {
            received = self.sqs.receive(most, LONG_POLL, self.inner.config.visibility) => received,
            () = stops(&mut stopped) => return Vec::new(),
        };
        let (messages, wait) = match received {
            Ok(messages) => {
                if std::mem::take(&mut pace.failed) {
                    self.inner.stats.clear();
                    pace.patience.reset();
                }
                (messages, EMPTY_MIN.saturating_sub(asked.elapsed()))
            }
            Err(fault) => {
                pace.failed = true;
                self.inner.refused(&fault);
                (Vec::new(), pace.patience.next().max(fault.retry_after.unwrap_or_default()))
            }
        };
        if messages.is_empty() {
            pause(wait, stop).await;
        }
        messages
    }

    /// One message from its receipt to its end.
    async fn message(self: Arc<Self>, message: Message, stop: &watch::Receiver<bool>) {
        let stats = &self.inner.stats;
        stats.messages_received.add(1);
        stats.message_begins(&message.id, message.sent_ms);
        let beat = tokio::spawn(Arc::clone(&self).hide(message.receipt.clone()));
        let end = self.handle(&message, stop).await;
        let end = match end {
            End::Delete => self.delete(&message, stop).await,
            end => end,
        };
        beat.abort();
        // A heartbeat under way must not hide the message after it was given back.
        beat.await.ok();
        let visibility = match end {
            End::Delete => None,
            End::Leave => Some(left(message.received)),
            End::Return => Some(Duration::ZERO),
        };
        if let Some(visibility) = visibility {
            stats.messages_left.add(1);
            let given = timeout(FAREWELL, self.sqs.extend(&message.receipt, visibility)).await;
            if let Ok(Err(fault)) = given {
                tracing::debug!(fault = %fault, "the message comes back by itself");
            }
        }
        stats.message_ends(&message.id);
    }

    /// Keeps a message hidden, until it is aborted.
    async fn hide(self: Arc<Self>, receipt: String) {
        let visibility = self.inner.config.visibility;
        loop {
            tokio::time::sleep((visibility / HEARTBEATS).max(HEARTBEAT_MIN)).await;
            match self.sqs.extend(&receipt, visibility).await {
                Ok(()) => self.inner.stats.messages_extended.add(1),
                // Tried again a third later. When it was taken from us, another reads it as well,
                // and each knows what it has stored.
                Err(fault) => tracing::debug!(fault = %fault, "message could not be extended"),
            }
        }
    }

    async fn handle(&self, message: &Message, stop: &watch::Receiver<bool>) -> End {
        let stats = &self.inner.stats;
        match parse(&message.body) {
            Notice::Test => {
                stats.messages_test.add(1);
                End::Delete
            }
            Notice::Unknown(why) => self.unknown(message, &why),
            Notice::Objects { created, ignored } => {
                stats.ignored.add(ignored);
                self.objects(created, message, stop).await
            }
        }
    }

    /// A message that tells of no object is the redrive policy's.
    fn unknown(&self, message: &Message, why: &str) -> End {
        let source = self.inner.config.name.as_str();
        self.inner.stats.messages_unknown.add(1);
        let most = match &self.about {
            Some(About { receives_max: Some(_), .. }) => u32::MAX,
            Some(_) => UNKNOWN_RECEIVES,
            None => UNKNOWN_RECEIVES_MAX,
        };
        tracing::warn!(
            source,
            id = message.id,
            received = message.received,
            why,
            remedy = Reason::Message.remedy(),
            "message not understood"
        );
        if message.received < most {
            return End::Leave;
        }
        let body = message.body.as_bytes();
        let part = Rejected {
            reason: Reason::Message,
            detail: format!("received {} times: {why}", message.received),
            offset: 0,
            length: body.len() as u64,
            bytes: body.get(..KEPT_BYTES).unwrap_or(body).to_vec(),
        };
        let place = format!("message {}", message.id);
        match self.inner.carrier.set_aside(&place, &part) {
            Ok(()) => End::Delete,
            Err(_) => End::Leave,
        }
    }

    async fn objects(
        &self,
        created: Vec<Created>,
        message: &Message,
        stop: &watch::Receiver<bool>,
    ) -> End {
        let config = &self.inner.config;
        let is_ours = |one: &Created| config.bucket.as_ref().is_none_or(|ours| *ours == one.bucket);
        let (mut ours, foreign): (Vec<_>, Vec<_>) = created.into_iter().partition(is_ours);
        if let Some(first) = foreign.first() {
            self.inner.stats.foreign.add(foreign.len() as u64);
            tracing::warn!(
                source = config.name,
                bucket = first.bucket,
                remedy = Reason::Foreign.remedy(),
                "the queue tells of another bucket"
            );
            if ours.is_empty() {
                // Somebody else may be waiting for it.
                return End::Leave;
            }
        }
        for one in &foreign {
            let place = format!("s3://{}/{}", one.bucket, one.key);
            let detail = "in a message with an object of our bucket";
            if self.inner.carrier.note(&place, Reason::Foreign, detail).is_err() {
                return End::Leave;
            }
        }
        // The latest first: it tells all of an object without versions.
        let order = |one: &Created| order_of(one.sequencer.as_deref().unwrap_or_default());
        ours.sort_by_cached_key(|one| std::cmp::Reverse(order(one)));
        let mut end = End::Delete;
        for one in &ours {
            match self.object(one, message, stop).await {
                End::Delete => {}
                End::Return => return End::Return,
                End::Leave => end = End::Leave,
            }
        }
        end
    }

    /// One object: `Delete` when it needs the message no more.
    async fn object(&self, one: &Created, message: &Message, stop: &watch::Receiver<bool>) -> End {
        let stats = &self.inner.stats;
        if one.is_folder() || !one.key.starts_with(&self.inner.config.prefix) {
            stats.ignored.add(1);
            return End::Delete;
        }
        if self.recent().knows(one) {
            stats.known.add(1);
            return End::Delete;
        }
        let wanted = Wanted::told(one);
        let source = self.inner.config.name.as_str();
        match self.inner.carrier.fetch(&self.s3, wanted, stop).await {
            Ok(carried) => {
                let object = wanted.place();
                tracing::debug!(source, object, records = carried.records, "object read");
                self.recent().insert(one);
                stats.clear();
                End::Delete
            }
            Err(Failed::Halt(Halt::Stopped)) => End::Return,
            Err(Failed::Halt(halt)) => {
                stats.put_off.add(1);
                self.inner.trouble(&format!("{}: {halt}", wanted.place()), None);
                self.refuse();
                End::Leave
            }
            Err(Failed::Fault(fault)) if fault.kind == Kind::NoSuchObject => {
                let detail = fault.to_string();
                match self.inner.carrier.note(&wanted.place(), Reason::Missing, &detail) {
                    Ok(()) => End::Delete,
                    Err(_) => End::Leave,
                }
            }
            Err(Failed::Fault(fault)) => {
                stats.put_off.add(1);
                self.fault(&fault, message);
                End::Leave
            }
        }
    }

    /// An object is refused. The message is given back; nothing is deleted.
    fn fault(&self, fault: &Fault, message: &Message) {
        self.inner.refused(fault);
        let (source, received) = (self.inner.config.name.as_str(), message.received);
        tracing::debug!(source, fault = %fault, received, "object put off");
        self.refuse();
    }

    async fn delete(&self, message: &Message, stop: &watch::Receiver<bool>) -> End {
        let mut patience = Patience::default();
        for tried in 1..=DELETE_TRIES {
            match self.sqs.delete(&message.receipt).await {
                Ok(()) => {
                    self.inner.stats.messages_deleted.add(1);
                    return End::Delete;
                }
                Err(fault) => self.inner.refused(&fault),
            }
            if tried == DELETE_TRIES || !pause(patience.next(), stop).await {
                break;
            }
        }
        // It comes again, and is known.
        End::Leave
    }

    fn refuse(&self) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    fn take_refused(&self) -> bool {
        std::mem::take(&mut *self.refused.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a message that was received so often stays hidden.
fn left(received: u32) -> Duration {
    let times = 1_u32.checked_shl(received.saturating_sub(1)).unwrap_or(u32::MAX);
    LEFT.saturating_mul(times).min(LEFT_MAX)
}
