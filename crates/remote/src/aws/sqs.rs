//! A queue: receive, extend, delete. SQS's JSON protocol.
//!
//! Owns what of a queue's URL is a place and a region. Always: one request a call; a message that
//! cannot be read for a missing member is a fault, not a message less.

use std::time::Duration;

use reqwest::Url;
use serde_json::{Value, json};

use super::fault::Kind;
use super::json::Operation;
use super::places::{Place, Service, is_region};
use super::verdict::Doing;
use super::{Fault, Identity};

/// SQS's own limits.
const MESSAGES_MAX: u32 = 10;
const WAIT_MAX: Duration = Duration::from_secs(20);
const VISIBILITY_MAX: Duration = Duration::from_secs(12 * 3600);

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
        most: u32,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Message>, Fault> {
        let wait = wait.min(WAIT_MAX);
        let members = json!({
            "MaxNumberOfMessages": most.clamp(1, MESSAGES_MAX),
            "WaitTimeSeconds": wait.as_secs(),
            "VisibilityTimeout": seconds(visibility),
            // The older name of the member: every server that speaks SQS knows it.
            "AttributeNames": ["ApproximateReceiveCount", "SentTimestamp"],
        });
        let answer = self.call("ReceiveMessage", "sqs:ReceiveMessage", members, wait).await?;
        let messages = answer.get("Messages").and_then(Value::as_array);
        let messages = messages.map(Vec::as_slice).unwrap_or_default();
        let messages: Option<Vec<Message>> = messages.iter().map(message).collect();
        messages.ok_or_else(|| self.unreadable("ReceiveMessage", "a message lacks a member"))
    }

    /// Hides a message for this long from now; zero gives it back at once.
    pub async fn extend(&self, receipt: &str, visibility: Duration) -> Result<(), Fault> {
        let members = json!({ "ReceiptHandle": receipt, "VisibilityTimeout": seconds(visibility) });
        let action = "sqs:ChangeMessageVisibility";
        self.call("ChangeMessageVisibility", action, members, Duration::ZERO).await?;
        Ok(())
    }

    /// Deletes a message.
    pub async fn delete(&self, receipt: &str) -> Result<(), Fault> {
        let members = json!({ "ReceiptHandle": receipt });
        self.call("DeleteMessage", "sqs:DeleteMessage", members, Duration::ZERO).await?;
        Ok(())
    }

    /// What the queue says of itself.
    pub async fn about(&self) -> Result<About, Fault> {
        let names = [
            "VisibilityTimeout",
            "RedrivePolicy",
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ];
        let action = "sqs:GetQueueAttributes";
        let members = json!({ "AttributeNames": names });
        let answer = self.call("GetQueueAttributes", action, members, Duration::ZERO).await?;
        let attributes = answer.get("Attributes");
        let text = |name: &str| attributes.and_then(|all| all.get(name)?.as_str());
        let number = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok());
        let visibility = number("VisibilityTimeout")
            .ok_or_else(|| self.unreadable("GetQueueAttributes", "VisibilityTimeout is missing"))?;
        let policy =
            text("RedrivePolicy").and_then(|text| serde_json::from_str::<Value>(text).ok());
        Ok(About {
            visibility: Duration::from_secs(visibility),
            receives_max: policy.as_ref().and_then(|policy| count(policy.get("maxReceiveCount")?)),
            waiting: number("ApproximateNumberOfMessages").unwrap_or(0),
            in_flight: number("ApproximateNumberOfMessagesNotVisible").unwrap_or(0),
        })
    }

    async fn call(
        &self,
        name: &str,
        action: &'static str,
        mut members: Value,
        waits: Duration,
    ) -> Result<Value, Fault> {
        let doing = format!("{name} {}", self.queue_url);
        let queue = Queue::parse(&self.queue_url).ok_or_else(|| {
            let what = "this is not the url of a queue";
            let remedy = "copy it from the console: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME";
            Fault::ours(Kind::Refused, &doing, "BadQueueUrl", what, remedy)
        })?;
        let region = match &queue.region {
            Some(region) => region.as_str(),
            None => self.identity.region_for(Service::Sqs, &doing).or_else(|fault| {
                // A server of one's own at the address in the queue's URL.
                if queue.of_aws { Err(fault) } else { Ok("us-east-1") }
            })?,
        };
        if let Value::Object(members) = &mut members {
            members.insert("QueueUrl".to_owned(), Value::String(self.queue_url.clone()));
        }
        let configured = self.identity.places().configured(Service::Sqs);
        let operation = Operation {
            service: Service::Sqs,
            region,
            place: configured.unwrap_or_else(|| queue.place(&self.identity, region)),
            target: format!("AmazonSQS.{name}"),
            content_type: "application/x-amz-json-1.0",
            body: members,
            waits,
            doing: Doing {
                text: doing,
                action,
                resource: queue.arn(region),
                besides: String::new(),
            },
        };
        self.identity.json(operation).await
    }

    fn unreadable(&self, name: &str, what: &str) -> Fault {
        let doing = format!("{name} {}", self.queue_url);
        let remedy = "check endpoint_url and the queue's url: this is not what SQS answers";
        Fault::ours(Kind::Unwell, &doing, "NotAws", what, remedy)
    }
}

/// A queue's URL, taken apart.
struct Queue {
    base: String,
    region: Option<String>,
    of_aws: bool,
    /// The host is one of the old ones, which do not speak JSON.
    old: bool,
    account: String,
    name: String,
}

impl Queue {
    fn parse(url: &str) -> Option<Queue> {
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let host = url.host_str()?;
        let mut segments = url.path_segments()?.rev();
        let name = segments.next().filter(|name| !name.is_empty())?.to_owned();
        let account = segments.next().unwrap_or_default().to_owned();
        let labels: Vec<&str> = host.split('.').collect();
        let region = |at: usize| labels.get(at).filter(|label| is_region(label)).copied();
        // sqs.eu-west-1.amazonaws.com, sqs-fips.us-east-1.api.aws, vpce-1.sqs.us-east-1.vpce...
        let of_sqs = |label: &&str| matches!(*label, "sqs" | "sqs-fips");
        let behind = labels.iter().position(of_sqs).and_then(|at| region(at + 1));
        // eu-west-1.queue.amazonaws.com, queue.amazonaws.com: the hosts of long ago.
        let old = labels.iter().position(|label| *label == "queue").filter(|at| *at <= 1);
        let before =
            old.map(|at| if at == 0 { "us-east-1" } else { region(0).unwrap_or_default() });
        let looks_like = |label: &&str| label.contains('-') && label.ends_with(char::is_numeric);
        let of_aws = ["amazonaws.com", "amazonaws.com.cn", "api.aws", "amazonaws.eu"]
            .iter()
            .any(|suffix| host.ends_with(suffix));
        let found = behind.filter(looks_like).or(before.filter(|_| of_aws));
        Some(Queue {
            base: url.origin().ascii_serialization(),
            region: found.filter(|region| !region.is_empty()).map(str::to_owned),
            of_aws,
            old: of_aws && old.is_some(),
            account,
            name,
        })
    }

    fn place(&self, identity: &Identity, region: &str) -> Place {
        if self.old {
            return identity.place(Service::Sqs, region);
        }
        Place { url: self.base.clone(), of_aws: self.of_aws }
    }

    fn arn(&self, region: &str) -> String {
        ::aws::arn::of("sqs", region, &self.account, &self.name)
    }
}

fn message(value: &Value) -> Option<Message> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let attribute = |name: &str| value.get("Attributes")?.get(name)?.as_str();
    Some(Message {
        id: text("MessageId").unwrap_or_default().to_owned(),
        receipt: text("ReceiptHandle")?.to_owned(),
        body: text("Body")?.to_owned(),
        received: attribute("ApproximateReceiveCount").and_then(|n| n.parse().ok()).unwrap_or(1),
        sent_ms: attribute("SentTimestamp").and_then(|n| n.parse().ok()).unwrap_or(0),
    })
}

/// A number, or a text that is one: both are seen in redrive policies.
fn count(value: &Value) -> Option<u32> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|number| u32::try_from(number).ok()),
    }
}

fn seconds(visibility: Duration) -> u64 {
    visibility.min(VISIBILITY_MAX).as_secs()
}
