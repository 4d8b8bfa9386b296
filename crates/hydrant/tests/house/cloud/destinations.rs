//! Destinations of delivery streams that fail: retried, then in the backup, then on this disk.

use serde_json::{Value, json};
use testkit::{Process, Reply};

use super::endpoint::yes;
use super::{Bucket, Caller, Endpoint, bucket, caller, home, put, to_endpoint, write};
use crate::service::{Home, binary, eventually};

/// What retries of two attempts take: the first after a second.
const RETRY_SECONDS: u64 = 2;

/// How an endpoint is ill, and the error code of its records then.
fn illnesses() -> Vec<(&'static str, Reply, &'static str)> {
    let html = Reply::body(200, "text/html", "<html>Welcome</html>");
    vec![
        ("error-500", Reply::json(500, "{}"), "HttpEndpoint.DestinationException"),
        ("page", html, "HttpEndpoint.InvalidResponseFromDestination"),
        ("other-id", yes("another-id"), "HttpEndpoint.InvalidResponseFromDestination"),
        ("resets", Reply::Reset, "HttpEndpoint.ConnectionReset"),
    ]
}

/// The lines of failed records in a bucket, for one stream.
fn lines(s3: &Bucket, stream: &str) -> Vec<Value> {
    let of_stream = format!("/{stream}-1-20");
    let objects = s3.objects();
    let ours = objects.iter().filter(|(key, _)| key.contains(&of_stream));
    let texts: Vec<String> =
        ours.map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect();
    texts.concat().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn with_bucket(name: &str) -> (Home, Bucket) {
    let (home, s3) = (home(name, ""), Bucket::start());
    write(&home, &format!("    s3_endpoint_url: {}\n", s3.peer.url("")), "");
    (home, s3)
}

/// *Scenario:* endpoints that answer 500, a page, another request id, or reset, each behind a stream
/// that retries for two seconds.
/// *Guarantees:* each is tried again with the same request id; then its records are in the backup
/// bucket as Firehose writes them there, with the error code, the attempts and the data.
#[test]
fn what_an_endpoint_does_not_take_is_in_the_bucket() {
    let (home, s3) = with_bucket("cloud-ill");
    let service = home.start_with(&Bucket::environment());
    let caller = caller(&home);
    let mut ill = Vec::new();
    for (name, reply, code) in illnesses() {
        let endpoint = Endpoint::start();
        endpoint.ill(reply);
        caller.firehose("CreateDeliveryStream", &to_endpoint(name, &endpoint.url(), RETRY_SECONDS));
        put(&caller, name, &["one", "two"]);
        ill.push((name, endpoint, code));
    }
    for (name, endpoint, code) in &ill {
        eventually(name, || lines(&s3, name).len() == 2, || service.log());
        let ids = endpoint.ids();
        assert!(ids.len() >= 2, "{name}: {ids:?}");
        assert!(ids.iter().all(|id| *id == ids[0] && id.len() == 36), "{name}: {ids:?}");
        for (line, data) in lines(&s3, name).iter().zip(["b25l", "dHdv"]) {
            assert_eq!(line["errorCode"], *code, "{line}");
            assert_eq!(line["rawData"], data, "{line}");
            assert!(line["attemptsMade"].as_u64() >= Some(2), "{line}");
            assert!(line["arrivalTimestamp"].as_i64() <= line["attemptEndingTimestamp"].as_i64());
            assert!(line["errorMessage"].is_string() && line["dataId"].is_string(), "{line}");
        }
    }
    let keys: Vec<String> = s3.objects().into_keys().collect();
    let place = |key: &String| key.starts_with("/backups/http-endpoint-failed/20");
    assert!(keys.iter().all(place), "{keys:?}");
    service.stop();
}

/// *Scenario:* an endpoint that is down behind a stream that does not retry, and a bucket that
/// refuses; a restart; then the bucket takes.
/// *Guarantees:* the records stay on this disk over the restart, `hydrant status` says where and why;
/// then they come to the bucket.
#[test]
fn what_nobody_takes_stays_and_is_told() {
    let (home, s3) = with_bucket("cloud-refused");
    s3.refuse();
    let endpoint = Endpoint::start();
    endpoint.ill(Reply::status(503));
    let caller = caller(&home);
    let service = home.start_with(&Bucket::environment());
    caller.firehose("CreateDeliveryStream", &to_endpoint("orders", &endpoint.url(), 0));
    put(&caller, "orders", &["one", "two"]);
    let refused = |s: &crate::service::Service<'_>| {
        let uploads = s.stream("orders")["uploads"].clone();
        let why = uploads["failure"].as_str().unwrap_or_default().to_owned();
        uploads["pending_files"].as_u64() >= Some(1) && why.contains("AccessDenied")
    };
    service.until("status says that the bucket refuses", refused);
    let (_, page, _) = home.command(&["status", "--data-dir", "data"]);
    assert!(page.contains("AccessDenied") && page.contains("s3://backups/"), "{page}");
    service.stop();
    let service = home.start_with(&Bucket::environment());
    service.until("it says so after a restart", refused);
    s3.heal();
    eventually("the bucket has it", || lines(&s3, "orders").len() == 2, || service.log());
    service.until("nothing waits", |s| s.stream("orders")["uploads"]["pending_files"] == 0);
    assert!(endpoint.texts().is_empty());
    service.stop();
}

/// *Scenario:* what an endpoint did not take lies in the bucket; the endpoint is well again, and the
/// objects are put back by `hydrant replay --to` with the name that the API gave. Then the stream is
/// deleted while something that was put back waits, and made again.
/// *Guarantees:* the records arrive; what was put back for the deleted stream does not come to the new
/// one.
#[test]
fn a_backup_is_put_back_into_a_stream_of_the_api() {
    let (home, s3) = with_bucket("cloud-replay");
    let endpoint = Endpoint::start();
    let caller = caller(&home);
    let service = home.start_with(&Bucket::environment());
    let replay = |texts: &[&str]| {
        endpoint.ill(Reply::status(503));
        put(&caller, "orders", texts);
        let there = || lines(&s3, "orders").len();
        let before = there();
        eventually("it is in the bucket", || there() >= before + texts.len(), || service.log());
        let objects: Vec<Vec<u8>> = s3.objects().into_values().collect();
        home.dir.write("backup", objects.concat());
    };
    caller.firehose("CreateDeliveryStream", &to_endpoint("orders", &endpoint.url(), 0));
    replay(&["one", "two"]);
    endpoint.heal();
    let (code, stdout, stderr) =
        home.command(&["replay", "-c", "hydrant.yaml", "backup", "--to", "orders"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    super::arrives(&service, &endpoint, &["one", "two"]);
    let (code, _, stderr) =
        home.command(&["replay", "-c", "hydrant.yaml", "backup", "--to", "ordres"]);
    assert!(code != 0 && stderr.contains("orders"), "{code} {stderr}");

    remade_without_what_was_put_back(&caller, &home, &endpoint);
    put(&caller, "orders", &["new"]);
    super::arrives(&service, &endpoint, &["new"]);
    let late = endpoint.texts().into_iter().filter(|text| text == "late").count();
    assert_eq!(late, 0, "{:?}", endpoint.texts());
    service.stop();
}

/// A record is put back into a stream whose endpoint is down, and the stream is made anew.
fn remade_without_what_was_put_back(caller: &Caller, home: &Home, endpoint: &Endpoint) {
    endpoint.ill(Reply::status(503));
    let long = to_endpoint("orders", &endpoint.url(), 7200);
    caller.firehose("DeleteDeliveryStream", &super::named("orders"));
    caller.firehose("CreateDeliveryStream", &long);
    let line = json!({
        "attemptsMade": 1, "arrivalTimestamp": 1, "errorCode": "x", "errorMessage": "x",
        "attemptEndingTimestamp": 2, "rawData": "bGF0ZQ==", "subsequenceNumber": 0, "dataId": "1.0",
    });
    home.dir.write("late", format!("{line}\n"));
    let arguments = ["replay", "-c", "hydrant.yaml", "late", "--to", "orders"];
    let before = endpoint.peer.count();
    // It waits for the delivery, which does not come.
    let mut replay = Process::start(binary(), arguments, home.dir.path());
    let tried = || endpoint.peer.count() > before;
    eventually("what was put back is tried", tried, || replay.stderr().join("\n"));
    replay.kill();
    caller.firehose("DeleteDeliveryStream", &super::named("orders"));
    caller.firehose("CreateDeliveryStream", &long);
    endpoint.heal();
}

/// *Scenario:* a stream that copies all data to its bucket is told to keep failed data only; and back.
/// *Guarantees:* both modes do what they say, and the copier's place does not hold the journal when
/// nobody copies.
#[test]
fn the_backup_mode_can_be_changed() {
    let (home, s3) = with_bucket("cloud-all-data");
    let endpoint = Endpoint::start();
    let caller = caller(&home);
    let service = home.start_with(&Bucket::environment());
    let mut stream = to_endpoint("orders", &endpoint.url(), 300);
    stream["HttpEndpointDestinationConfiguration"]["S3BackupMode"] = json!("AllData");
    caller.firehose("CreateDeliveryStream", &stream);
    // A copy is written every 5 MiB, or after five minutes.
    let put_large = |name: &str| {
        let large = [name.to_owned(), ".".repeat(1_000_000)].concat();
        (0..6).for_each(|_| put(&caller, "orders", &[large.as_str()]));
    };
    put_large("one");
    let copied = |text: &str| {
        let has = |body: &Vec<u8>| body.starts_with(text.as_bytes());
        s3.objects().values().any(has)
    };
    let copier = || {
        let files = crate::service::files_below(&home.data().join("journal"));
        files.iter().any(|file| file.file_name().unwrap().to_string_lossy().contains("all-data"))
    };
    eventually("it is copied", || copied("one"), || service.log());
    assert!(copier());
    let mode = |version: u32, mode: &str| {
        let update = json!({
            "DeliveryStreamName": "orders", "CurrentDeliveryStreamVersionId": version.to_string(),
            "DestinationId": "destinationId-000000000001",
            "HttpEndpointDestinationUpdate": {"S3BackupMode": mode, "S3Update": bucket("backups")}});
        caller.firehose("UpdateDestination", &update);
    };
    mode(1, "FailedDataOnly");
    put(&caller, "orders", &["two"]);
    super::arrives(&service, &endpoint, &["two"]);
    service.until("the copier's place is gone", |_| !copier());
    assert!(!copied("two"));
    mode(2, "AllData");
    put_large("three");
    let again = || s3.objects().values().any(|b| String::from_utf8_lossy(b).contains("three"));
    eventually("it is copied again", again, || service.log());
    service.stop();
}
