//! The source in place of AWS, from the outside: what SDKs send to it, and what comes out at the
//! other end of metric streams and delivery streams.
//!
//! Owns the settings, and what streams are made of; `caller` signs, `endpoint` receives; each other
//! module is a theme. What a call is answered is tested in `cloud`; here it is a whole process.

mod caller;
mod endpoint;

mod astray;
mod bad_input;
mod bounds;
mod destinations;
mod full;
mod kill;
mod path;
mod reload;
mod restart;
mod streams;
mod who;

use serde_json::{Value, json};

use crate::service::{Home, Service, eventually};

pub(crate) use caller::{Caller, Request};
pub(crate) use endpoint::{Bucket, Endpoint, Sums};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const KEY_ID: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "house-secret-key-of-a-test";
const ROLE: &str = "arn:aws:iam::111122223333:role/house";
/// What a buffer of nothing waits for.
const AT_ONCE: (u64, u64) = (1, 0);

/// A home whose source `cloud` listens on `home.source`, with these streams of the settings.
pub(crate) fn home(name: &str, streams: &str) -> Home {
    let home = Home::new(name);
    write(&home, "", streams);
    home
}

/// Its settings; `keys` are further lines of the source, `streams` the streams, if any.
pub(crate) fn write(home: &Home, keys: &str, streams: &str) {
    let key = credential(KEY_ID, SECRET, ACCOUNT);
    write_whole(home, &format!("    credentials: [ {key} ]\n{keys}"), "", streams);
}

/// One of the source's credentials.
pub(crate) fn credential(id: &str, secret: &str, account: &str) -> String {
    format!("{{ access_key_id: {id}, secret_access_key: {secret}, account_id: \"{account}\" }}")
}

/// The whole: keys of the source, further sources, and streams.
pub(crate) fn write_whole(home: &Home, keys: &str, sources: &str, streams: &str) {
    let streams = if streams.is_empty() { String::new() } else { format!("streams:\n{streams}") };
    let text = format!(
        "data_dir: data\ndisk_budget: 256MiB\nadmin: {{ listen: '{}' }}\nsources:\n  cloud:\n    \
         type: aws_api\n    listen: '{}'\n    region: {REGION}\n    allow_http_endpoints: true\n    \
         window_grace: 0s\n{keys}{sources}{streams}",
        home.admin, home.source
    );
    home.dir.write("hydrant.yaml", text);
}

/// The key of the settings.
pub(crate) fn caller(home: &Home) -> Caller {
    Caller::new(home.source, KEY_ID, SECRET)
}

/// ARN of a delivery stream of the account.
pub(crate) fn delivery_arn(name: &str) -> String {
    format!("arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{name}")
}

/// A delivery stream to an endpoint, that waits for nothing and retries for so many seconds.
pub(crate) fn to_endpoint(name: &str, url: &str, retry_seconds: u64) -> Value {
    json!({
        "DeliveryStreamName": name,
        "HttpEndpointDestinationConfiguration": {
            "EndpointConfiguration": {"Url": url, "AccessKey": "key-of-the-endpoint"},
            "BufferingHints": hints(),
            "RetryOptions": {"DurationInSeconds": retry_seconds},
            "S3Configuration": bucket("backups"),
        },
    })
}

/// A bucket that waits for nothing.
pub(crate) fn bucket(name: &str) -> Value {
    json!({
        "RoleARN": ROLE,
        "BucketARN": format!("arn:aws:s3:::{name}"),
        "BufferingHints": hints(),
    })
}

fn hints() -> Value {
    json!({"SizeInMBs": AT_ONCE.0, "IntervalInSeconds": AT_ONCE.1})
}

/// A metric stream of everything in one namespace.
pub(crate) fn metric_stream(name: &str, delivery_stream: &str, format: &str) -> Value {
    json!({
        "Name": name,
        "FirehoseArn": delivery_arn(delivery_stream),
        "RoleArn": ROLE,
        "OutputFormat": format,
        "IncludeFilters": [{"Namespace": "Shop"}],
    })
}

/// Names a stream in an operation of Firehose.
pub(crate) fn named(name: &str) -> Value {
    json!({"DeliveryStreamName": name})
}

/// `PutRecordBatch` of these texts.
pub(crate) fn batch(name: &str, texts: &[String]) -> Value {
    let records: Vec<Value> = texts.iter().map(|text| record(text.as_bytes())).collect();
    json!({"DeliveryStreamName": name, "Records": records})
}

fn record(data: &[u8]) -> Value {
    let mut text = Vec::new();
    codec::base64::encode_into(data, &mut text);
    json!({"Data": String::from_utf8(text).unwrap()})
}

/// Puts these texts as a batch, all of which must be kept.
#[track_caller]
pub(crate) fn put(caller: &Caller, name: &str, texts: &[&str]) {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let told = caller.firehose("PutRecordBatch", &batch(name, &texts));
    assert_eq!(told["FailedPutCount"], 0, "{told}");
}

/// Waits until `endpoint` has all of these, whatever else it has.
#[track_caller]
pub(crate) fn arrives(service: &Service<'_>, endpoint: &Endpoint, texts: &[&str]) {
    let there = || {
        let texts_there = endpoint.texts();
        texts.iter().all(|text| texts_there.iter().any(|there| there == text))
    };
    let seen = || format!("there are {:?}\n{}", endpoint.texts(), service.log());
    eventually("the records arrive", there, seen);
}
