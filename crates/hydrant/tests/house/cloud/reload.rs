//! SIGHUP: who may call, streams of the settings that read the source, and the source itself.

use std::time::Duration;

use serde_json::json;
use testkit::Reply;

use super::{ACCOUNT, Caller, Endpoint, KEY_ID, REGION, Request, SECRET, arrives, batch, caller};
use super::{credential, home, named, put, to_endpoint, write, write_whole};
use crate::service::{Home, Service, eventually};

fn reload(service: &Service<'_>) {
    let before = service.logged("settings reloaded");
    service.process.hang_up();
    service.until("the settings are reloaded", |s| s.logged("settings reloaded") > before);
}

fn list(caller: &Caller) -> serde_json::Value {
    caller.firehose("ListDeliveryStreams", &json!({}))["DeliveryStreamNames"].clone()
}

/// A record of one point with this name, as CloudWatch writes it.
fn point(name: &str) -> String {
    format!(
        "{{\"metric_stream_name\":\"s\",\"account_id\":\"{ACCOUNT}\",\"region\":\"{REGION}\",\
         \"namespace\":\"Shop\",\"metric_name\":\"{name}\",\"dimensions\":{{}},\
         \"timestamp\":1795176000000,\"value\":{{\"max\":1.0,\"min\":1.0,\"sum\":1.0,\"count\":1.0}},\
         \"unit\":\"Count\"}}\n"
    )
}

/// A stream of the settings.
fn of_settings(name: &str, destination: &str) -> String {
    format!("  {name}:\n    source: cloud\n    destination: {{ {destination} }}\n")
}

/// *Scenario:* the secret of a key is changed and the key of another account comes; then the region
/// is changed, and then `window_grace`.
/// *Guarantees:* the new credentials are in force and the old refused; what needs a restart is refused
/// by name, and all stays as it was.
#[test]
fn credentials_change_and_the_region_does_not() {
    let home = home("cloud-reload", "");
    let service = home.start();
    let old = caller(&home);
    list(&old);
    let keys = [
        credential(KEY_ID, "a-new-secret", ACCOUNT),
        credential("AKIDNEW", SECRET, "444455556666"),
    ];
    write_whole(&home, &format!("    credentials: [ {} ]\n", keys.join(", ")), "", "");
    reload(&service);
    let asked = Request::firehose("ListDeliveryStreams", &json!({}));
    assert_eq!(old.refused(&asked).1, "InvalidSignatureException");
    let new = Caller { secret: "a-new-secret".to_owned(), ..old.clone() };
    list(&new);
    list(&Caller { id: "AKIDNEW".to_owned(), ..old });

    let file = home.dir.join("hydrant.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    for (from, to) in [(REGION, "us-east-1"), ("window_grace: 0s", "window_grace: 1s")] {
        std::fs::write(&file, text.replace(from, to)).unwrap();
        let before = service.logged("reload refused");
        service.process.hang_up();
        service.until("it is refused", |s| s.logged("reload refused") > before);
        let why = service.status()["reload_failure"].as_str().unwrap().to_owned();
        let expected = "source cloud: of a source of type aws_api only credentials, unsigned_account, \
                        allow_http_endpoints and the files of tls can change: restart instead";
        assert_eq!(why, expected);
    }
    list(&new);
    service.stop();
}

/// *Scenario:* a reload adds a stream of the settings that reads the source, while somebody puts
/// records into it from before the reload on, and while another stream, which the reload takes away,
/// has a request in flight for three seconds.
/// *Guarantees:* from the first record that is acknowledged, all arrive; the stream is listed and
/// cannot be changed by the API; taken out of the settings, it is no delivery stream any more.
#[test]
fn a_stream_of_the_settings_comes_and_goes() {
    let home = Home::new("cloud-added");
    let slow = Endpoint::start();
    slow.ill(Reply::status(503).after(Duration::from_secs(3)));
    write(&home, "", &of_settings("goes", &format!("type: http_endpoint, url: '{}'", slow.url())));
    let service = home.start();
    let caller = caller(&home);
    put(&caller, "goes", &[&point("x")]);
    slow.peer.wait_for(1, Duration::from_secs(20));
    write(&home, "", &of_settings("comes", "type: file, path: comes.ndjson"));
    service.process.hang_up();
    let mut acknowledged = Vec::new();
    let mut number = 0;
    eventually(
        "records are taken",
        || {
            number += 1;
            let text = format!("n-{number}");
            let call = Request::firehose("PutRecordBatch", &batch("comes", &[point(&text)]));
            if caller.send(&call).unwrap().status == 200 {
                acknowledged.push(text);
            }
            acknowledged.len() > 20 && service.logged("settings reloaded") == 1
        },
        || service.log(),
    );
    let file = home.dir.join("comes.ndjson");
    let missing = || {
        let there = std::fs::read_to_string(&file).unwrap_or_default();
        let missing = |name: &&String| !there.contains(&format!("\"{name}\""));
        acknowledged.iter().filter(missing).count()
    };
    let all = acknowledged.len();
    let seen = || format!("{} of {all} are missing\n{}", missing(), service.log());
    eventually("all that was taken arrives", || missing() == 0, seen);
    assert_eq!(list(&caller), json!(["comes"]));
    let delete = Request::firehose("DeleteDeliveryStream", &named("comes"));
    assert_eq!(caller.refused(&delete).1, "ResourceInUseException");
    write(&home, "", "");
    reload(&service);
    assert_eq!(list(&caller), json!([]));
    service.stop();
}

/// *Scenario:* a process without the source is told to add it, then to remove it and to add it again.
/// *Guarantees:* it listens when it is there and does not when it is not; what was made through it,
/// and what that holds, is there again.
#[test]
fn the_source_comes_and_goes() {
    let home = Home::new("cloud-source");
    let endpoint = Endpoint::start();
    endpoint.ill(Reply::status(503));
    let stream = "streams:\n  s:\n    source: aws\n    destination: { type: blackhole }\n";
    let without = format!(
        "data_dir: data\ndisk_budget: 256MiB\nadmin: {{ listen: '{}' }}\nsources:\n  aws:\n    \
         type: firehose\n    listen: 127.0.0.1:0\n{stream}",
        home.admin
    );
    home.dir.write("hydrant.yaml", &without);
    let service = home.start();
    let caller = caller(&home);
    let with = without.replace(
        "streams:\n",
        &format!(
            "  cloud:\n    type: aws_api\n    listen: '{}'\n    region: {REGION}\n    \
             allow_http_endpoints: true\n    credentials: [ {} ]\nstreams:\n",
            home.source,
            credential(KEY_ID, SECRET, ACCOUNT)
        ),
    );
    home.dir.write("hydrant.yaml", &with);
    reload(&service);
    caller.firehose("CreateDeliveryStream", &to_endpoint("orders", &endpoint.url(), 7200));
    put(&caller, "orders", &["held"]);
    service.until("it was tried", |_| endpoint.peer.count() > 0);
    home.dir.write("hydrant.yaml", &without);
    reload(&service);
    assert!(caller.send(&Request::firehose("ListDeliveryStreams", &json!({}))).is_err());
    assert_eq!(service.get("/readyz").status, 200, "{}", service.get("/readyz").text());
    home.dir.write("hydrant.yaml", &with);
    reload(&service);
    endpoint.heal();
    put(&caller, "orders", &["new"]);
    arrives(&service, &endpoint, &["held", "new"]);
    service.stop();
}
