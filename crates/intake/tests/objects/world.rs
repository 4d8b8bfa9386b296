//! S3 and SQS on loopback, small and honest: objects that can be denied or cut, messages that hide
//! and come back, and a record of what was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use intake::objects::s3::{Config, Source};
use intake::objects::{Limits, Stats};
use remote::aws::{Identity, IdentityConfig, Variables};
use remote::{ClientConfig, TlsConfig};
use serde_json::{Value, json};
use testkit::{Peer, Received, Reply};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::common::{House, now_ms};

pub(crate) const BUCKET: &str = "metrics";

/// An object.
#[derive(Clone)]
pub(crate) struct Thing {
    pub(crate) bytes: Vec<u8>,
    pub(crate) modified_ms: i64,
    /// Answered instead: status, code, and how often (then it is well).
    pub(crate) fault: Option<(u16, &'static str, u32)>,
    /// How long an answer takes.
    pub(crate) slow: Duration,
}

struct Message {
    id: String,
    body: String,
    received: u32,
    hidden_until: Option<Instant>,
}

#[derive(Default)]
pub(crate) struct Sky {
    pub(crate) things: BTreeMap<String, Thing>,
    messages: Vec<Message>,
    sent: u32,
    /// Ids of deleted messages.
    pub(crate) deleted: Vec<String>,
    /// Message id and seconds of every change of visibility.
    pub(crate) extended: Vec<(String, u64)>,
    /// Keys that were read.
    pub(crate) read: Vec<String>,
    /// `start-after` of every listing.
    pub(crate) listed: Vec<String>,
    /// `maxReceiveCount`, when there is a dead-letter queue.
    pub(crate) redrive: Option<u32>,
    /// Answered to every call of the queue.
    pub(crate) queue_fault: Option<(u16, &'static str)>,
    /// Answered to every listing.
    pub(crate) list_fault: Option<(u16, &'static str)>,
    /// Versions may not be read, only objects.
    pub(crate) versions_denied: bool,
    /// Keys in a page.
    pub(crate) page: usize,
}

/// The world, and a peer that speaks for it.
pub(crate) struct World {
    pub(crate) peer: Peer,
    sky: Arc<Mutex<Sky>>,
}

impl World {
    pub(crate) fn new() -> World {
        let sky = Arc::new(Mutex::new(Sky { page: 1000, ..Sky::default() }));
        let for_peer = Arc::clone(&sky);
        let peer = Peer::scripted(move |request| {
            let mut sky = for_peer.lock().unwrap_or_else(PoisonError::into_inner);
            match request.header("x-amz-target") {
                Some(target) => sky.sqs(target, request),
                None => sky.s3(request),
            }
        });
        World { peer, sky }
    }
    pub(crate) fn sky(&self) -> MutexGuard<'_, Sky> {
        self.sky.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Puts an object, as of now.
    pub(crate) fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.put_at(key, bytes, now_ms());
    }
    pub(crate) fn put_at(&self, key: &str, bytes: impl Into<Vec<u8>>, modified_ms: i64) {
        let slow = Duration::ZERO;
        let thing = Thing { bytes: bytes.into(), modified_ms, fault: None, slow };
        self.sky().things.insert(key.to_owned(), thing);
    }
    /// Puts an object and tells the queue.
    pub(crate) fn put_and_tell(&self, key: &str, bytes: impl Into<Vec<u8>>) -> String {
        self.put(key, bytes);
        self.tell(&event(&[key]))
    }
    pub(crate) fn tell(&self, body: &Value) -> String {
        self.sky().tell(&body.to_string())
    }
    pub(crate) fn change(&self, key: &str, change: impl FnOnce(&mut Thing)) {
        change(self.sky().things.get_mut(key).unwrap());
    }
    /// Messages that are neither deleted nor hidden, or hidden.
    pub(crate) fn left(&self) -> usize {
        self.sky().messages.len()
    }
    pub(crate) fn identity_config(&self) -> IdentityConfig {
        IdentityConfig {
            region: Some("eu-west-1".to_owned()),
            profile: None,
            endpoint_url: Some(self.peer.url("")),
            assume_role: None,
            client: ClientConfig {
                tls: TlsConfig::default(),
                connect_timeout: Duration::from_secs(5),
                request_timeout: Duration::from_secs(30),
                answer_bytes: 1 << 20,
            },
        }
    }
    pub(crate) fn config(&self) -> Config {
        Config {
            name: "archive".to_owned(),
            bucket: Some(BUCKET.to_owned()),
            prefix: String::new(),
            sqs_queue_url: None,
            interval: None,
            start_after: None,
            visibility: Duration::from_secs(30),
            limits: Limits::default(),
            identity: self.identity_config(),
        }
    }
    pub(crate) fn queue_config(&self) -> Config {
        let url = self.peer.url("/111122223333/objects");
        Config { sqs_queue_url: Some(url), ..self.config() }
    }
}

/// A source at work.
pub(crate) struct Running {
    pub(crate) stats: Arc<Stats>,
    stop: watch::Sender<bool>,
    runtime: Option<Runtime>,
    task: Option<tokio::task::JoinHandle<()>>,
}

pub(crate) fn start(house: &House, config: Config) -> Running {
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let runtime = Runtime::new().unwrap();
    let identity = Identity::load_with(config.identity.clone(), Variables::from_iter(keys));
    let identity = runtime.block_on(identity).unwrap();
    let source = Source::new(config, house.parts());
    let stats = source.stats();
    let (stop, stopped) = watch::channel(false);
    let task = runtime.spawn(source.run_as(identity, stopped));
    Running { stats, stop, runtime: Some(runtime), task: Some(task) }
}

/// A test that fails must not wait for threads that wait for the journal.
impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl Running {
    /// Stops it and waits until it has.
    pub(crate) fn stop(mut self) {
        self.stop.send_replace(true);
        if let (Some(runtime), Some(task)) = (self.runtime.take(), self.task.take()) {
            runtime.block_on(task).unwrap();
        }
    }
    /// Waits until it has ended by itself.
    pub(crate) fn end(mut self) -> Arc<Stats> {
        if let (Some(runtime), Some(task)) = (self.runtime.take(), self.task.take()) {
            let ended =
                runtime.block_on(async { tokio::time::timeout(crate::common::SOON, task).await });
            ended.expect("it ends").unwrap();
        }
        Arc::clone(&self.stats)
    }
}

/// An event of S3 for these keys.
pub(crate) fn event(keys: &[&str]) -> Value {
    event_of("ObjectCreated:Put", BUCKET, keys)
}

pub(crate) fn event_of(name: &str, bucket: &str, keys: &[&str]) -> Value {
    let record = |key: &&str| {
        json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name,
            "s3": { "bucket": { "name": bucket }, "object": { "key": key, "size": 1 } },
        })
    };
    json!({ "Records": keys.iter().map(record).collect::<Vec<_>>() })
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte == b'%' {
            out.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
            rest = &tail[2..];
        } else {
            out.push(*byte);
        }
    }
    String::from_utf8(out).unwrap()
}

fn xml_fault(status: u16, code: &str) -> Reply {
    let body = format!("<Error><Code>{code}</Code><Message>as scripted</Message></Error>");
    let reply = Reply::body(status, "application/xml", body);
    if code == "PermanentRedirect" { reply.with("x-amz-bucket-region", "us-west-2") } else { reply }
}

pub(crate) fn etag(bytes: &[u8]) -> String {
    let mut hash = codec::checksum::Hasher128::new();
    hash.update(bytes);
    format!("\"{:032x}\"", hash.digest())
}

impl Sky {
    /// The time of every hidden message that was given back is over.
    pub(crate) fn unhide(&mut self) {
        for (id, _) in self.extended.drain(..) {
            if let Some(message) = self.messages.iter_mut().find(|message| message.id == id) {
                message.hidden_until = None;
            }
        }
    }

    fn tell(&mut self, body: &str) -> String {
        self.sent += 1;
        let id = format!("message-{}", self.sent);
        let body = body.to_owned();
        self.messages.push(Message { id: id.clone(), body, received: 0, hidden_until: None });
        id
    }

    fn s3(&mut self, request: &Received) -> Reply {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let path = decoded(path);
        let key = path.trim_start_matches('/').strip_prefix(BUCKET).unwrap_or_default();
        let key = key.trim_start_matches('/');
        if key.is_empty() {
            return self.list(query);
        }
        if self.versions_denied && query.contains("versionId=") {
            return xml_fault(403, "AccessDenied");
        }
        self.read.push(key.to_owned());
        let Some(thing) = self.things.get_mut(key) else { return xml_fault(404, "NoSuchKey") };
        if let Some((status, code, times @ 1..)) = &mut thing.fault {
            *times -= 1;
            return xml_fault(*status, code);
        }
        if request.header("if-match").is_some_and(|wanted| wanted != etag(&thing.bytes)) {
            return xml_fault(412, "PreconditionFailed");
        }
        let reply = Reply::body(200, "application/octet-stream", thing.bytes.clone())
            .with("ETag", &etag(&thing.bytes))
            .with("Last-Modified", "Fri, 20 Nov 2026 12:00:00 GMT");
        if thing.slow.is_zero() { reply } else { reply.after(thing.slow) }
    }

    fn list(&mut self, query: &str) -> Reply {
        if let Some((status, code)) = self.list_fault {
            return xml_fault(status, code);
        }
        let of = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(found, _)| *found == name).map(|(_, value)| decoded(value))
        };
        let prefix = of("prefix").unwrap_or_default();
        let token = of("continuation-token");
        if token.is_none() {
            self.listed.push(of("start-after").unwrap_or_default());
        }
        let after = token.or_else(|| of("start-after")).unwrap_or_default();
        let all = self.things.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after);
        let mut page: Vec<_> = all.take(self.page + 1).collect();
        let more = page.len() > self.page;
        page.truncate(self.page);
        let mut body = format!("<ListBucketResult><IsTruncated>{more}</IsTruncated>");
        for (key, thing) in &page {
            let (length, etag) = (thing.bytes.len(), etag(&thing.bytes));
            let at = jiff::Timestamp::from_millisecond(thing.modified_ms).unwrap();
            body += &format!(
                "<Contents><Key>{key}</Key><LastModified>{at}</LastModified>\
                 <ETag>{etag}</ETag><Size>{length}</Size></Contents>"
            );
        }
        if more && let Some((key, _)) = page.last() {
            body += &format!("<NextContinuationToken>{key}</NextContinuationToken>");
        }
        Reply::body(200, "application/xml", body + "</ListBucketResult>")
    }

    fn sqs(&mut self, target: &str, request: &Received) -> Reply {
        if let Some((status, code)) = self.queue_fault {
            let body =
                json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": "scripted"});
            return Reply::body(status, "application/x-amz-json-1.0", body.to_string());
        }
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let receipt = asked["ReceiptHandle"].as_str().unwrap_or_default().to_owned();
        let id = receipt.split('/').next().unwrap_or_default().to_owned();
        let answer = match target.rsplit('.').next().unwrap() {
            "ReceiveMessage" => {
                let found = self.receive(&asked);
                if found.as_array().is_none_or(Vec::is_empty) {
                    // A short long poll, so that tests are quick and the peer is not asked madly.
                    let reply = Reply::body(200, "application/x-amz-json-1.0", "{}");
                    return reply.after(Duration::from_millis(50));
                }
                json!({ "Messages": found })
            }
            "DeleteMessage" => {
                self.messages.retain(|message| message.id != id);
                self.deleted.push(id);
                json!({})
            }
            "ChangeMessageVisibility" => {
                let seconds = asked["VisibilityTimeout"].as_u64().unwrap();
                if let Some(message) = self.messages.iter_mut().find(|message| message.id == id) {
                    message.hidden_until = Some(Instant::now() + Duration::from_secs(seconds));
                }
                self.extended.push((id, seconds));
                json!({})
            }
            "GetQueueAttributes" => {
                let policy = self.redrive.map(|count| {
                    json!({"deadLetterTargetArn": "arn:x", "maxReceiveCount": count}).to_string()
                });
                json!({ "Attributes": { "VisibilityTimeout": "30", "RedrivePolicy": policy } })
            }
            other => panic!("{other} was asked"),
        };
        Reply::body(200, "application/x-amz-json-1.0", answer.to_string())
    }

    fn receive(&mut self, asked: &Value) -> Value {
        let most = asked["MaxNumberOfMessages"].as_u64().unwrap() as usize;
        let hidden = Duration::from_secs(asked["VisibilityTimeout"].as_u64().unwrap());
        let now = Instant::now();
        let waiting = self.messages.iter_mut();
        let waiting =
            waiting.filter(|message| message.hidden_until.is_none_or(|until| until <= now));
        let found: Vec<Value> = waiting
            .take(most)
            .map(|message| {
                message.received += 1;
                message.hidden_until = Some(now + hidden);
                json!({
                    "MessageId": message.id,
                    "ReceiptHandle": format!("{}/{}", message.id, message.received),
                    "Body": message.body,
                    "Attributes": {
                        "ApproximateReceiveCount": message.received.to_string(),
                        "SentTimestamp": now_ms().to_string(),
                    },
                })
            })
            .collect();
        Value::Array(found)
    }
}
