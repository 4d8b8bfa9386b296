//! Delivery streams that come, change and go while the process runs, is restarted, or is busy.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::Reply;

use super::{Caller, Endpoint, Request, arrives, caller, home, named, put, to_endpoint};
use crate::service::{Home, eventually};

fn update(name: &str, version: u32, url: &str) -> Value {
    json!({
        "DeliveryStreamName": name, "CurrentDeliveryStreamVersionId": version.to_string(),
        "DestinationId": "destinationId-000000000001",
        "HttpEndpointDestinationUpdate": {"EndpointConfiguration": {"Url": url}}})
}

fn remake(caller: &Caller, stream: &Value) {
    caller.firehose("DeleteDeliveryStream", &named("orders"));
    caller.firehose("CreateDeliveryStream", stream);
}

/// A home, an endpoint that is down, and a stream to it.
fn down(name: &str) -> (Home, Endpoint, Value) {
    let (home, endpoint) = (home(name, ""), Endpoint::start());
    endpoint.ill(Reply::status(503));
    let stream = to_endpoint("orders", &endpoint.url(), 7200);
    (home, endpoint, stream)
}

/// *Scenario:* a stream whose endpoint is down holds records; it is deleted and made again, while the
/// process runs, with a restart between the two, and with SIGKILL after both; then the endpoint is well.
/// *Guarantees:* what the deleted streams held never comes; what the last one was given does.
#[test]
fn a_stream_of_the_same_name_begins_anew() {
    let (home, endpoint, stream) = down("cloud-anew");
    let caller = caller(&home);
    let service = home.start();
    caller.firehose("CreateDeliveryStream", &stream);
    put(&caller, "orders", &["old-1", "old-2"]);
    service.until("it was tried", |_| endpoint.peer.count() > 0);
    remake(&caller, &stream);
    put(&caller, "orders", &["old-3"]);
    caller.firehose("DeleteDeliveryStream", &named("orders"));
    let gone = Request::firehose(
        "PutRecord",
        &json!({"DeliveryStreamName": "orders", "Record": {"Data": ""}}),
    );
    assert_eq!(caller.refused(&gone).1, "ResourceNotFoundException");
    service.stop();

    let service = home.start();
    caller.firehose("CreateDeliveryStream", &stream);
    put(&caller, "orders", &["old-4"]);
    remake(&caller, &stream);
    service.kill();

    let service = home.start();
    put(&caller, "orders", &["new-1"]);
    endpoint.heal();
    arrives(&service, &endpoint, &["new-1"]);
    put(&caller, "orders", &["new-2"]);
    arrives(&service, &endpoint, &["new-2"]);
    assert_eq!(endpoint.texts(), ["new-1", "new-2"]);
    service.stop();
}

/// *Scenario:* a worker has a request in flight that takes three seconds; its stream is deleted and
/// made again, and given a record at once; one record was behind the request.
/// *Guarantees:* the calls are answered without waiting for the peer; the new record arrives, that
/// behind the request does not.
#[test]
fn a_stream_of_the_same_name_behind_a_slow_request() {
    let (home, endpoint, stream) = down("cloud-slow-anew");
    endpoint.ill(Reply::status(503).after(Duration::from_secs(3)));
    let caller = caller(&home);
    let service = home.start();
    caller.firehose("CreateDeliveryStream", &stream);
    put(&caller, "orders", &["old-1"]);
    endpoint.peer.wait_for(1, Duration::from_secs(20));
    endpoint.heal();
    let begun = Instant::now();
    remake(&caller, &stream);
    put(&caller, "orders", &["new"]);
    let took = begun.elapsed();
    assert!(took < Duration::from_millis(2500), "{took:?}");
    arrives(&service, &endpoint, &["new"]);
    assert_eq!(endpoint.texts(), ["new"]);
    service.stop();
}

/// *Scenario:* the same, and SIGKILL while the old worker still has its request.
/// *Guarantees:* the record of the new stream arrives after the start, that of the old one does not.
#[test]
fn a_kill_between_an_old_worker_and_a_new_one() {
    let (home, endpoint, stream) = down("cloud-kill-anew");
    endpoint.ill(Reply::Hang);
    let caller = caller(&home);
    let service = home.start();
    caller.firehose("CreateDeliveryStream", &stream);
    put(&caller, "orders", &["old-1"]);
    endpoint.peer.wait_for(1, Duration::from_secs(20));
    remake(&caller, &stream);
    put(&caller, "orders", &["new"]);
    service.kill();
    endpoint.heal();
    let service = home.start();
    arrives(&service, &endpoint, &["new"]);
    assert_eq!(endpoint.texts(), ["new"]);
    service.stop();
}

/// *Scenario:* a stream is updated to another URL while it holds records, by its version and by an old
/// one; then its tags are changed.
/// *Guarantees:* what it held and what is new arrive at the other URL; the version counts updates
/// alone; an update by an old version changes nothing.
#[test]
fn an_update_takes_effect() {
    let (home, first, stream) = down("cloud-update");
    let other = Endpoint::start();
    let caller = caller(&home);
    let service = home.start();
    caller.firehose("CreateDeliveryStream", &stream);
    put(&caller, "orders", &["held"]);
    service.until("it was tried", |_| first.peer.count() > 0);
    caller.firehose("UpdateDestination", &update("orders", 1, &other.url()));
    put(&caller, "orders", &["new"]);
    arrives(&service, &other, &["held", "new"]);
    let tag = json!({"DeliveryStreamName": "orders", "Tags": [{"Key": "team", "Value": "shop"}]});
    caller.firehose("TagDeliveryStream", &tag);
    let stale = Request::firehose("UpdateDestination", &update("orders", 1, &first.url()));
    assert_eq!(caller.refused(&stale).1, "ConcurrentModificationException");
    let told = caller.firehose("DescribeDeliveryStream", &named("orders"));
    let told = &told["DeliveryStreamDescription"];
    assert_eq!(told["VersionId"], "2", "{told}");
    let place = &told["Destinations"][0]["HttpEndpointDestinationDescription"];
    assert_eq!(place["EndpointConfiguration"]["Url"], other.url().as_str(), "{told}");
    put(&caller, "orders", &["newer"]);
    arrives(&service, &other, &["newer"]);
    assert!(first.texts().is_empty());
    service.stop();
}

/// *Scenario:* `hydrant stream forget` and `drop-backlog` for a stream of the API that holds records.
/// *Guarantees:* forgetting is refused with what to do; dropping drops what it holds, and it goes on.
#[test]
fn commands_for_a_stream_of_the_api() {
    let (home, endpoint, stream) = down("cloud-commands");
    let caller = caller(&home);
    let service = home.start();
    caller.firehose("CreateDeliveryStream", &stream);
    put(&caller, "orders", &["old"]);
    service.until("it was tried", |_| endpoint.peer.count() > 0);
    let command =
        |what: &str| home.command(&["stream", what, "orders", "--data-dir", "data", "--yes"]);
    let (code, _, stderr) = command("forget");
    assert!(code == 1 && stderr.contains("DeleteDeliveryStream"), "{code} {stderr}");
    let (code, _, stderr) = command("drop-backlog");
    assert_eq!(code, 0, "{stderr}");
    endpoint.heal();
    put(&caller, "orders", &["new"]);
    arrives(&service, &endpoint, &["new"]);
    assert_eq!(endpoint.texts(), ["new"]);
    service.stop();
}

/// *Scenario:* forty streams of other names one after the other, each given a record and deleted; the
/// disk budget has room for the reserved space of far fewer.
/// *Guarantees:* each takes its record: a deleted stream gives its space back.
#[test]
fn deleted_streams_give_their_space_back() {
    let (home, endpoint, mut stream) = down("cloud-space");
    let caller = caller(&home);
    let service = home.start();
    for n in 0..40 {
        let name = format!("orders-{n}");
        stream["DeliveryStreamName"] = json!(name);
        caller.firehose("CreateDeliveryStream", &stream);
        let put = Request::firehose("PutRecordBatch", &super::batch(&name, &["x".to_owned()]));
        eventually(
            "a record is taken",
            || caller.send(&put).unwrap().status == 200,
            || service.log(),
        );
        caller.firehose("DeleteDeliveryStream", &named(&name));
    }
    drop(endpoint);
    service.stop();
}
