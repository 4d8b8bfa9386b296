//! What the function does with an invocation, and what it answers.
//!
//! Owns the rooms from invocation to invocation, as long as everything in them was delivered. Always
//! holds: an object counts as done only when every one of its points has its outcome; what refused
//! points mean is decided in one place ([`Function::judge`]).

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use intake::objects::event::Created;
use rules::Selection;
use serde_json::json;
use tokio::time::timeout;

use super::api::Invocation;
use super::event::{Backfill, Event, Message, tell};
use super::fault::{BAD_SETTINGS, BUG, Fault, NOT_DELIVERED, REFUSED, UNREADABLE};
use super::kept::Bucket;
use super::objects::{Objects, Outcome, created, listed, place};
use super::refused;
use super::rooms::{Rooms, Tally};
use super::transform::Transformer;
use super::variables::{OnRefused, Variables};
use crate::run::wall_clock;

/// Lambda's longest time-out; what an emulator without deadlines gets.
const TIME_MAX: Duration = Duration::from_secs(15 * 60);
/// A deadline this long ago is none: emulators send a number that is no time.
const NO_DEADLINE_MS: i64 = 86_400_000;

/// The function.
pub(super) struct Function {
    variables: Variables,
    folder: PathBuf,
    rooms: Option<Rooms>,
    /// How many were opened.
    opened: u32,
    objects: Objects,
    bucket: Option<Bucket>,
    transformer: Transformer,
    /// Of the invocation at work.
    request_id: String,
}

impl Function {
    /// Builds the destination, so that what is wrong with it is told at start.
    pub(super) fn new(variables: Variables, folder: PathBuf) -> Result<Function, String> {
        let (include, exclude) =
            (variables.stream.include.clone(), variables.stream.exclude.clone());
        let selection = Selection::compile(include, exclude)?;
        let transformer = Transformer::new(selection, &variables.stream.enrich)?;
        let objects = Objects::new(&variables);
        let bucket = variables.stream.backup.s3.clone().map(Bucket::new);
        let (rooms, opened, request_id) = (None, 0, String::new());
        let mut function =
            Function { variables, folder, rooms, opened, objects, bucket, transformer, request_id };
        if function.variables.delivers {
            function.rooms = Some(function.open()?);
        }
        Ok(function)
    }

    fn open(&mut self) -> Result<Rooms, String> {
        self.opened += 1;
        Rooms::open(&self.variables, &self.folder.join(self.opened.to_string()))
    }

    /// Where it delivers to, for a person.
    pub(super) fn describe(&self) -> String {
        let place = self.rooms.as_ref().map(|rooms| rooms.place().to_owned());
        place.unwrap_or_else(|| "none: transformation only".to_owned())
    }

    /// Works on one invocation.
    pub(super) async fn invoke(&mut self, invocation: &Invocation) -> Result<Bytes, Fault> {
        let until_ms = self.until_ms(invocation.deadline_ms);
        self.request_id.clone_from(&invocation.request_id);
        let event = invocation.event.as_ref().map_err(Fault::clone)?;
        match tell(event)? {
            Event::Transform => self.transform(event),
            Event::Queue(messages) => self.queue(&messages, until_ms).await,
            Event::Notifications(texts) => {
                let mut done = Done::default();
                for text in &texts {
                    self.notification(text, until_ms, &mut done).await?;
                }
                Ok(done.answer(None))
            }
            Event::Backfill(asked) => self.backfill(asked, until_ms).await,
        }
    }

    /// When work must end, so that there is time for the answer.
    fn until_ms(&self, deadline_ms: i64) -> i64 {
        let now = wall_clock()();
        let margin = i64::try_from(self.variables.margin.as_millis()).unwrap_or(0);
        if deadline_ms < now - NO_DEADLINE_MS {
            return now + i64::try_from(TIME_MAX.as_millis()).unwrap_or(0);
        }
        deadline_ms - margin
    }

    fn transform(&mut self, event: &[u8]) -> Result<Bytes, Fault> {
        let (answer, told) = self.transformer.answer(event)?;
        for (reason, (records, sample)) in &told.reasons {
            tracing::warn!(reason, records, sample, "records failed: Firehose keeps them");
        }
        tracing::info!(
            records = told.records,
            untouched = told.untouched,
            changed = told.changed,
            dropped = told.dropped,
            failed = told.failed,
            points = told.points,
            filtered = told.filtered,
            enriched = told.enriched,
            attributes_left_out = told.attributes_left_out,
            bytes = answer.len(),
            "records transformed"
        );
        Ok(answer)
    }

    /// Each message for itself: those that failed are named, and the queue brings them again.
    async fn queue(&mut self, messages: &[Message], until_ms: i64) -> Result<Bytes, Fault> {
        let mut done = Done::default();
        let mut failures = Vec::new();
        let mut last = None;
        for message in messages {
            if let Err(fault) = self.notification(&message.body, until_ms, &mut done).await {
                let (kind, reason, id) = (fault.kind, &fault.message, &message.id);
                tracing::error!(message_id = id, kind, reason, "message failed");
                failures.push(json!({ "itemIdentifier": message.id }));
                last = Some(fault);
            }
        }
        // Nothing to be told apart: this is understood without partial responses, too.
        if let Some(fault) = last.filter(|_| failures.len() == messages.len()) {
            return Err(fault);
        }
        Ok(Bytes::from(json!({ "batchItemFailures": failures }).to_string()))
    }

    /// Delivers the objects a text tells of. The first that fails is told after the others were tried.
    async fn notification(
        &mut self,
        text: &str,
        until_ms: i64,
        done: &mut Done,
    ) -> Result<(), Fault> {
        let mut failed = None;
        for object in created(text)? {
            if let Err(fault) = self.deliver(&object, until_ms, done).await {
                failed.get_or_insert(fault);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Delivers one object.
    async fn deliver(
        &mut self,
        object: &Created,
        until_ms: i64,
        done: &mut Done,
    ) -> Result<(), Fault> {
        let name = place(object);
        if wall_clock()() >= until_ms {
            let why = format!("{name} was not begun: no time is left before the deadline");
            return Err(Fault::new(NOT_DELIVERED, why));
        }
        let rooms = self.take_rooms()?;
        let before = rooms.tally();
        let read = self.objects.read(object, &rooms, until_ms).await;
        let outcome = match read {
            Ok(outcome) => rooms.drained(until_ms).await.map(|()| outcome).map_err(|why| {
                let grown = rooms.tally().since(&before);
                let told = format!(
                    "{name}: not all was delivered ({} points were): {why}",
                    grown.delivered
                );
                Fault::new(NOT_DELIVERED, told)
            }),
            Err(fault) => Err(fault),
        };
        let judged = match outcome {
            Ok(outcome) => {
                let grown = rooms.tally().since(&before);
                self.judge(&name, &outcome, &grown, &rooms, until_ms)
                    .await
                    .map(|n| done.add(&grown, n))
            }
            Err(fault) => Err(fault),
        };
        match &judged {
            Ok(()) => self.rooms = Some(rooms),
            // The object comes again: nothing of it may stay here, nor be taken for a repeat.
            Err(_) => rooms.abandon(),
        }
        judged
    }

    fn take_rooms(&mut self) -> Result<Rooms, Fault> {
        if !self.variables.delivers {
            let message = "no destination is set: set HYDRANT_STREAM__DESTINATION__TYPE and its \
                           keys, HYDRANT_STREAM, OTEL_COLLECTOR_URL or ENDPOINT_URL";
            return Err(Fault::new(BAD_SETTINGS, message));
        }
        match self.rooms.take() {
            Some(rooms) => Ok(rooms),
            None => self.open().map_err(|error| Fault::new(BUG, error)),
        }
    }
}

impl Function {
    /// What an object's refused points mean: kept in the bucket, told in a line of log, or the object
    /// fails. Gives how many there were.
    async fn judge(
        &mut self,
        object: &str,
        outcome: &Outcome,
        grown: &Tally,
        rooms: &Rooms,
        until_ms: i64,
    ) -> Result<u64, Fault> {
        let on_refused = self.variables.on_refused;
        let Outcome::Read(carried) = outcome else {
            tracing::warn!(object, "object is gone");
            return match on_refused {
                OnRefused::Fail => Err(Fault::new(REFUSED, format!("{object} is gone"))),
                OnRefused::FailObject | OnRefused::Log => Ok(0),
            };
        };
        let (delivered, filtered) = (grown.delivered, grown.filtered);
        let refused = grown.refused() + carried.rejected;
        if refused == 0 {
            let (bytes, repeats) = (carried.bytes, carried.repeats);
            tracing::info!(object, delivered, filtered, bytes, repeats, "object delivered");
            return Ok(0);
        }
        if let Some(bucket) = &mut self.bucket {
            let now = wall_clock()();
            let stores = rooms.stores();
            // Another function may refuse the same of the same object, at the same time.
            let seed = format!("{}\n{object}", self.request_id);
            let kept = timeout(left(until_ms), bucket.keep(&stores, now, &seed)).await;
            kept.map_err(|_| late(object, "the backup's bucket does not answer"))??;
        }
        let told = refused::take(&rooms.stores());
        let Tally { backed_up, quarantined, .. } = grown;
        let rejected = carried.rejected;
        let reasons = json!({
            "quarantined": quarantined, "backed_up": backed_up, "not_metrics": rejected,
        });
        let reasons = reasons.to_string();
        let samples = told.iter().map(|(reason, one)| one.line(reason));
        let samples = samples.collect::<Vec<_>>().join(" | ");
        tracing::warn!(
            object,
            delivered,
            filtered,
            refused,
            reasons,
            samples,
            "points were refused"
        );
        let no_point = delivered + filtered + backed_up == 0
            && quarantined.keys().all(|reason| is_undecodable(reason));
        let fails = match on_refused {
            OnRefused::Fail => !self.variables.has_bucket || no_point,
            OnRefused::FailObject => no_point,
            OnRefused::Log => false,
        };
        if fails {
            let why = format!("{object}: {refused} refused, {delivered} delivered: {samples}");
            return Err(Fault::new(REFUSED, why));
        }
        Ok(refused)
    }

    /// Delivers every object under a prefix, as far as the time goes.
    async fn backfill(&mut self, asked: Backfill, until_ms: i64) -> Result<Bytes, Fault> {
        // As in the recipes: what the environment says comes before what the event says.
        let (env, event) = (&self.variables, &asked);
        if let (Some(one), Some(other)) = (&env.bucket, &event.bucket_name)
            && one != other
        {
            tracing::warn!(bucket = one, asked = other, "S3_BUCKET_NAME comes before the event");
        }
        let bucket = env.bucket.clone().or(asked.bucket_name).ok_or_else(|| {
            let message = "a backfill needs a bucket: set S3_BUCKET_NAME, or send bucket_name";
            Fault::new(BAD_SETTINGS, message)
        })?;
        let prefix = env.prefix.clone().or(asked.prefix).unwrap_or_default();
        // Who asks by hand wants it again, also what this process has delivered before.
        if let Some(rooms) = self.rooms.take() {
            rooms.abandon();
        }
        let mut done = Done::default();
        let mut last = asked.start_after;
        let mut token = None;
        loop {
            let page = self.objects.list(&bucket, &prefix, last.as_deref(), token.as_deref());
            let page = timeout(left(until_ms), page).await;
            let page =
                page.unwrap_or_else(|_| Err(late(&bucket, "S3 does not answer the listing")));
            let page = match page {
                Ok(page) => page,
                Err(fault) if done.objects > 0 => {
                    return done.unfinished(&fault, &bucket, &prefix, last.as_deref());
                }
                Err(fault) => return Err(fault),
            };
            for one in page.objects {
                // What the console makes for a folder, and objects with nothing in them.
                if one.key.ends_with('/') || one.length == 0 {
                    last = Some(one.key);
                    continue;
                }
                let object = listed(&bucket, &one);
                match self.deliver(&object, until_ms, &mut done).await {
                    Ok(()) => last = Some(one.key),
                    Err(fault) if fault.kind == NOT_DELIVERED && done.objects > 0 => {
                        return done.unfinished(&fault, &bucket, &prefix, last.as_deref());
                    }
                    // One bad object must not stand before all that sort behind it.
                    Err(fault) if matches!(fault.kind, REFUSED | UNREADABLE) => {
                        tracing::error!(reason = fault.message, "object failed");
                        done.fail(fault);
                        if done.is_hopeless() {
                            return done.end(None);
                        }
                        last = Some(one.key);
                    }
                    Err(fault) => return Err(fault),
                }
            }
            token = page.next;
            if token.is_none() {
                return done.end(None);
            }
        }
    }
}

/// Time that is left for work.
fn left(until_ms: i64) -> Duration {
    let left = until_ms.saturating_sub(wall_clock()());
    Duration::from_millis(u64::try_from(left).unwrap_or(0))
}

fn late(what: &str, why: &str) -> Fault {
    Fault::new(NOT_DELIVERED, format!("{what}: time is up: {why}"))
}

/// Reasons of pieces that are no points at all.
fn is_undecodable(reason: &str) -> bool {
    let decoding = metric::Reason::ALL.iter().any(|known| known.code() == reason);
    decoding || reason.starts_with("broken_")
}

/// What an invocation has done.
#[derive(Debug, Default)]
struct Done {
    objects: u64,
    delivered: u64,
    filtered: u64,
    refused: u64,
    /// Objects of a backfill that failed, and what the first ones said.
    failed: u64,
    failures: Vec<Fault>,
}

/// Failures that an answer names; all of them are in the log.
const FAILURES_NAMED_MAX: usize = 20;
/// After so many failures without one success it is not the objects: a right is missing.
const FAILURES_HOPELESS: u64 = 20;

impl Done {
    fn fail(&mut self, fault: Fault) {
        self.failed += 1;
        if self.failures.len() < FAILURES_NAMED_MAX {
            self.failures.push(fault);
        }
    }

    fn is_hopeless(&self) -> bool {
        self.objects == 0 && self.failed >= FAILURES_HOPELESS
    }

    /// The answer to a backfill; an error when no object at all came through.
    fn end(mut self, next: Option<serde_json::Value>) -> Result<Bytes, Fault> {
        if self.objects == 0 && !self.failures.is_empty() {
            return Err(self.failures.swap_remove(0));
        }
        Ok(self.answer(next))
    }

    /// The answer to a backfill that could not go on: the event that does.
    fn unfinished(
        self,
        fault: &Fault,
        bucket: &str,
        prefix: &str,
        last: Option<&str>,
    ) -> Result<Bytes, Fault> {
        tracing::warn!(reason = fault.message, "backfill ends before its end");
        let next = json!({ "bucket_name": bucket, "prefix": prefix, "start_after": last });
        self.end(Some(next))
    }

    fn add(&mut self, grown: &Tally, refused: u64) {
        self.objects += 1;
        self.delivered += grown.delivered;
        self.filtered += grown.filtered;
        self.refused += refused;
    }

    /// In the form of the recipes; `next` is the event that goes on where time ended.
    fn answer(&self, next: Option<serde_json::Value>) -> Bytes {
        let Done { objects, delivered, filtered, refused, failed, failures } = self;
        let text = format!(
            "{objects} objects: {delivered} points delivered, {filtered} filtered, {refused} refused"
        );
        let mut answer = json!({
            "statusCode": if next.is_some() || *failed > 0 { 206 } else { 200 },
            "body": text,
            "objects": objects,
            "points": { "delivered": delivered, "filtered": filtered, "refused": refused },
        });
        if let Some(answer) = answer.as_object_mut() {
            if *failed > 0 {
                let said: Vec<&str> = failures.iter().map(|fault| fault.message.as_str()).collect();
                answer.insert("failed".to_owned(), json!({ "objects": failed, "reasons": said }));
            }
            answer.extend(next.map(|next| ("next".to_owned(), next)));
        }
        Bytes::from(answer.to_string())
    }
}
