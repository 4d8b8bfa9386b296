//! What an event is, told by its shape; nobody says it in words.
//!
//! Deliberately not here: what a notification says of objects (`intake::objects`), and what is done.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::fault::{Fault, UNKNOWN_EVENT};

/// What is understood, for whoever sent something else.
const UNDERSTOOD: &str = "an S3 notification (Records[].eventSource aws:s3), an SQS batch of \
    notifications (aws:sqs), an SNS message with one (aws:sns), an EventBridge \"Object Created\" \
    event, a Firehose data transformation (records[].recordId and deliveryStreamArn), or a manual \
    invocation to backfill a prefix ({\"bucket_name\": ..., \"prefix\": ...})";

/// An event.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// Records that Firehose wants back, transformed.
    Transform,
    /// A batch of a queue.
    Queue(Vec<Message>),
    /// Texts that tell of objects: S3's own, or what SNS carried.
    Notifications(Vec<Cow<'a, str>>),
    /// All objects under a prefix, by hand.
    Backfill(Backfill),
}

/// A message of a queue.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    /// What a partial failure is named by.
    #[serde(rename = "messageId")]
    pub id: String,
    /// Its text.
    pub body: String,
}

/// A manual invocation.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
pub(super) struct Backfill {
    /// Bucket; the environment says it otherwise.
    pub bucket_name: Option<String>,
    /// Prefix; the environment says it otherwise.
    pub prefix: Option<String>,
    /// Only keys after this one: where the last invocation ended.
    pub start_after: Option<String>,
}

/// The members that tell events apart.
#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "Records")]
    carried: Option<Vec<Value>>,
    records: Option<IgnoredAny>,
    #[serde(rename = "deliveryStreamArn")]
    delivery_stream_arn: Option<IgnoredAny>,
    #[serde(rename = "Event")]
    event: Option<IgnoredAny>,
    #[serde(rename = "detail-type")]
    detail_type: Option<IgnoredAny>,
    bucket_name: Option<IgnoredAny>,
    prefix: Option<IgnoredAny>,
}

/// What SNS wraps a message in.
#[derive(Deserialize)]
struct Wrapped {
    #[serde(rename = "Sns")]
    sns: Carried,
}

#[derive(Deserialize)]
struct Carried {
    #[serde(rename = "Message")]
    message: String,
}

/// Tells what an event is.
pub(super) fn tell(event: &[u8]) -> Result<Event<'_>, Fault> {
    let text = std::str::from_utf8(event).map_err(|_| unknown("it is not UTF-8 text"))?;
    let shape: Shape = serde_json::from_str(text).map_err(|e| unknown(&e.to_string()))?;
    if shape.records.is_some() && shape.delivery_stream_arn.is_some() {
        return Ok(Event::Transform);
    }
    if let Some(carried) = shape.carried {
        return tell_carried(text, carried);
    }
    // Sent by S3 when a notification is set up, and by EventBridge for each object.
    if shape.event.is_some() || shape.detail_type.is_some() {
        return Ok(Event::Notifications(vec![Cow::Borrowed(text)]));
    }
    if shape.bucket_name.is_some() || shape.prefix.is_some() || is_empty(text) {
        let backfill = serde_json::from_str(text);
        return backfill.map(Event::Backfill).map_err(|e| unknown(&e.to_string()));
    }
    Err(unknown(&members(text)))
}

fn tell_carried(text: &str, carried: Vec<Value>) -> Result<Event<'_>, Fault> {
    let Some(first) = carried.first() else { return Err(unknown("Records is empty")) };
    // SNS writes the member in its own way.
    let service = first.get("eventSource").or_else(|| first.get("EventSource"));
    match service.and_then(Value::as_str) {
        Some("aws:s3") => Ok(Event::Notifications(vec![Cow::Borrowed(text)])),
        Some("aws:sqs") => each(carried).map(Event::Queue),
        Some("aws:sns") => {
            let wrapped: Vec<Wrapped> = each(carried)?;
            let messages = wrapped.into_iter().map(|one| Cow::Owned(one.sns.message));
            Ok(Event::Notifications(messages.collect()))
        }
        Some(other) => Err(unknown(&format!("Records come from {other}"))),
        // Written by hand.
        None if first.get("s3").is_some() => Ok(Event::Notifications(vec![Cow::Borrowed(text)])),
        None => Err(unknown("Records name no eventSource")),
    }
}

fn each<T: serde::de::DeserializeOwned>(carried: Vec<Value>) -> Result<Vec<T>, Fault> {
    let read: Result<_, _> = carried.into_iter().map(serde_json::from_value).collect();
    read.map_err(|error| unknown(&error.to_string()))
}

fn is_empty(text: &str) -> bool {
    let bare = |c: char| !c.is_whitespace();
    text.chars().filter(|c| bare(*c)).eq("{}".chars())
}

/// The members it has instead.
fn members(text: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let names = value.as_object().map(|map| map.keys().take(10).cloned().collect::<Vec<_>>());
    match names {
        Some(names) => format!("its members are {}", names.join(", ")),
        None => "it is no JSON object".to_owned(),
    }
}

/// For an event that is none of these.
pub(super) fn unknown(why: &str) -> Fault {
    Fault::new(
        UNKNOWN_EVENT,
        format!("this event is not understood: {why}. Understood are {UNDERSTOOD}"),
    )
}

#[cfg(test)]
mod tests;
