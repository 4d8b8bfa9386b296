//! A queue: receive, extend, delete. SQS's JSON protocol.

use std::time::Duration;

use super::s3::not_yet;
use super::{Fault, Identity};

/// The client of one queue. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sqs {
    identity: Identity,
    queue_url: String,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id, for a person.
    pub id: String,
    /// What extends and deletes it.
    pub receipt: String,
    /// Its body.
    pub body: String,
    /// How often it was received, this time included (`ApproximateReceiveCount`).
    pub received: u32,
    /// When it was sent, milliseconds since the epoch.
    pub sent_ms: i64,
}

/// What a queue says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Its visibility timeout.
    pub visibility: Duration,
    /// `maxReceiveCount` of its redrive policy; `None` without a dead-letter queue.
    pub receives_max: Option<u32>,
    /// Messages waiting, about.
    pub waiting: u64,
    /// Messages received and not deleted, about.
    pub in_flight: u64,
}

impl Sqs {
    /// A client; the region in a queue's URL wins over the identity's.
    pub fn new(identity: Identity, queue_url: &str) -> Sqs {
        Sqs { identity, queue_url: queue_url.to_owned() }
    }

    /// Up to `most` (10 at most) messages, waiting up to `wait` (20 s at most) for the first.
    pub async fn receive(
        &self,
        _most: u32,
        _wait: Duration,
        _visibility: Duration,
    ) -> Result<Vec<Message>, Fault> {
        Err(not_yet(&self.identity, &format!("ReceiveMessage {}", self.queue_url)))
    }

    /// Hides a message for this long from now; zero gives it back at once.
    pub async fn extend(&self, _receipt: &str, _visibility: Duration) -> Result<(), Fault> {
        Err(not_yet(&self.identity, &format!("ChangeMessageVisibility {}", self.queue_url)))
    }

    /// Deletes a message.
    pub async fn delete(&self, _receipt: &str) -> Result<(), Fault> {
        Err(not_yet(&self.identity, &format!("DeleteMessage {}", self.queue_url)))
    }

    /// What the queue says of itself.
    pub async fn about(&self) -> Result<About, Fault> {
        Err(not_yet(&self.identity, &format!("GetQueueAttributes {}", self.queue_url)))
    }
}
