//! Whole calls, unsigned, against a registry and a journal in a folder.

mod captures;
mod faults;
mod records;
mod resources;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use journal::{Journal, Options};
use serde_json::{Value as Json, json};

use crate::api::{Config, Context, Credential, Incoming};
use crate::registry::Registry;

/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000_000;
const ACCOUNT: &str = "111122223333";
const ROLE: &str = "arn:aws:iam::111122223333:role/fh";
const BUCKET: &str = "arn:aws:s3:::b";

/// A service in a folder.
struct Desk {
    context: Context,
    now: Arc<AtomicI64>,
}

impl Desk {
    fn open(folder: &Path) -> Desk {
        Desk::with(folder, |_| {}, Options { segment_bytes: 1 << 20, ..Options::default() })
    }

    fn with(folder: &Path, set: impl FnOnce(&mut Config), options: Options) -> Desk {
        let (journal, _) = Journal::open(&folder.join("journal"), options).unwrap();
        let topic = journal.topic("cloud").unwrap();
        let credential = Credential {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
            account_id: "123456789012".to_owned(),
            policy: None,
        };
        let mut config = Config {
            source: "cloud".to_owned(),
            region: "us-east-1".to_owned(),
            credentials: vec![credential],
            unsigned: Some(ACCOUNT.to_owned()),
            allow_http_endpoints: false,
            delivery_streams: vec!["of-settings".to_owned()],
        };
        set(&mut config);
        let now = Arc::new(AtomicI64::new(NOW));
        let clock = Arc::clone(&now);
        let seal = "a key of more than thirty-two characters";
        let context = Context {
            config: Arc::new(config),
            registry: Registry::open(&folder.join("resources.json")).unwrap(),
            journal,
            topic,
            windows: Arc::default(),
            keys: Arc::default(),
            counts: Arc::default(),
            seal: Arc::new(entry::seal::SealKey::from_text(seal).unwrap()),
            clock: Arc::new(move || clock.load(Ordering::Relaxed)),
        };
        Desk { context, now }
    }

    fn respond(&self, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        let incoming =
            Incoming { method: "POST", path: "/", query: "", headers, body, plain: body };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(self.context.respond(&incoming));
        (answer.status, String::from_utf8(answer.body).unwrap())
    }

    fn ask_text(&self, operation: &str, body: &str) -> (u16, Json) {
        let target = format!("Firehose_20150804.{operation}");
        let headers =
            [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let (status, told) = self.respond(&headers, body.as_bytes());
        (status, serde_json::from_str(&told).unwrap())
    }

    fn ask(&self, operation: &str, input: &Json) -> (u16, Json) {
        self.ask_text(operation, &input.to_string())
    }

    /// The answer of a call that must be done.
    #[track_caller]
    fn done(&self, operation: &str, input: &Json) -> Json {
        let (status, told) = self.ask(operation, input);
        assert_eq!(status, 200, "{operation}: {told}");
        told
    }

    /// Name and text of the error of a call that must not.
    #[track_caller]
    fn refused(&self, operation: &str, input: &Json) -> (String, String) {
        let (status, told) = self.ask(operation, input);
        assert_eq!(status, 400, "{operation}: {told}");
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        (text("__type"), text("message"))
    }

    fn describe(&self, name: &str) -> Json {
        let told = self.done("DescribeDeliveryStream", &json!({"DeliveryStreamName": name}));
        told["DeliveryStreamDescription"].clone()
    }

    fn destination(&self, name: &str) -> Json {
        self.describe(name)["Destinations"][0].clone()
    }
}

/// A stream to an endpoint, with the least that it needs.
fn to_endpoint(name: &str) -> Json {
    json!({
        "DeliveryStreamName": name,
        "HttpEndpointDestinationConfiguration": {
            "EndpointConfiguration": {"Url": "https://example.com/x", "AccessKey": "top-secret"},
            "S3Configuration": bucket(),
        },
    })
}

/// A stream to a bucket, with the least that it needs.
fn to_bucket(name: &str) -> Json {
    json!({"DeliveryStreamName": name, "ExtendedS3DestinationConfiguration": bucket()})
}

fn bucket() -> Json {
    json!({"RoleARN": ROLE, "BucketARN": BUCKET})
}

/// The same with one member set, named by a JSON pointer; null takes it away.
fn with(mut input: Json, pointer: &str, value: Json) -> Json {
    let (above, name) = pointer.rsplit_once('/').unwrap();
    let above = input.pointer_mut(above).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        above.remove(name);
    } else {
        above.insert(name.to_owned(), value);
    }
    input
}
