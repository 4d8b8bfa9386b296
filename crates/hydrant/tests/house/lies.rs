//! Destinations that are not what they say: each is an outage one can see, and nothing is lost by it.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::{Authority, Peer, Received, Reply};

use crate::load;
use crate::points::Batch;
use crate::receivers::TOKEN;
use crate::service::{Home, Service, files_below};

/// Points of the one delivery.
const POINTS: u32 = 30;

/// A lie, by the name of its stream.
fn lies() -> Vec<(&'static str, Reply)> {
    vec![
        ("hangs", Reply::Hang),
        ("resets", Reply::Reset),
        ("closes", Reply::Close),
        ("half", Reply::Half),
        ("nonsense", Reply::garbage()),
        ("html-200", Reply::body(200, "text/html", "<html><h1>Welcome</h1></html>")),
        ("garbage-200", Reply::body(200, "application/json", "{\"linesOk\":")),
        ("redirect", Reply::redirect("http://127.0.0.1:9/elsewhere")),
        ("maintenance", Reply::body(503, "text/html", "<html>back soon</html>")),
    ]
}

/// A peer that has come to its senses: it says yes to all lines, and keeps those with a point.
fn well(lines: &Arc<Mutex<BTreeSet<String>>>) -> impl FnMut(&Received) -> Reply + Send + 'static {
    let lines = Arc::clone(lines);
    move |request| {
        let mut text = String::new();
        let mut plain = request.body.as_slice();
        plain.read_to_string(&mut text).expect("lines are text");
        let all = text.lines().filter(|line| !line.is_empty());
        let ok = all.clone().count();
        lines.lock().unwrap().extend(all.filter(|l| !l.starts_with('#')).map(str::to_owned));
        Reply::json(202, &format!("{{\"linesOk\":{ok},\"linesInvalid\":0,\"error\":null}}"))
    }
}

fn stream(name: &str, url: &str, more: &str) -> String {
    format!(
        "  {name}:\n    source: aws\n    destination:\n      type: dynatrace\n      url: {url}\n      \
         api_token: {TOKEN}\n      compression: none\n      request_timeout: 1s\n{more}"
    )
}

/// An outage that metrics and status show, with nothing given up.
fn in_outage(service: &Service<'_>, name: &str) -> bool {
    if service.metric(&format!("hydrant_stream_outage{{stream=\"{name}\"}}")) != 1.0 {
        return false;
    }
    let told = service.stream(name);
    let waits = told["waits"].as_array().is_some_and(|waits| !waits.is_empty());
    let gone = ["delivered", "backed_up", "dropped"].iter().any(|o| told[*o] != 0);
    assert!(!gone, "{told}");
    waits && told["outage_since_ms"].is_i64() && told["last_refusal"].is_string()
}

/// *Scenario:* nine destinations of one source hang, reset, close, break off, talk nonsense, answer a
/// page with 200, broken JSON with 200, a redirect, or 503; then all are well.
/// *Guarantees:* each is an outage in `hydrant status` with what was said, none is taken for success,
/// no redirect is followed, and afterwards every point arrives at each once it is well.
#[test]
fn a_destination_that_lies_is_an_outage() {
    let home = Home::new("lies");
    let peers: Vec<(&str, Peer)> =
        lies().into_iter().map(|(name, reply)| (name, Peer::start(reply))).collect();
    home.write(
        &peers.iter().map(|(name, peer)| stream(name, &peer.url(""), "")).collect::<String>(),
    );
    let service = home.start();
    let batch = Batch::new(1, POINTS);
    assert_eq!(load::deliver(home.source, &load::sender(), "1", &batch, &[]).status, 200);
    for (name, peer) in &peers {
        service.until(name, |s| in_outage(s, name));
        assert!(peer.count() > 0, "{name} was asked");
    }
    let told = |name: &str| service.stream(name)["last_refusal"].as_str().unwrap().to_owned();
    assert!(told("hangs").contains("1s") || told("hangs").contains("time"), "{}", told("hangs"));
    assert!(told("redirect").contains("302"), "{}", told("redirect"));
    assert!(told("maintenance").contains("503"), "{}", told("maintenance"));
    assert!(service.stream("redirect")["loud"] == true, "a redirect wants an operator");

    let kept: Vec<Arc<Mutex<BTreeSet<String>>>> = peers.iter().map(|_| Arc::default()).collect();
    for ((_, peer), lines) in peers.iter().zip(&kept) {
        peer.set_script(well(lines));
    }
    for ((name, _), lines) in peers.iter().zip(&kept) {
        service.until(name, |s| s.points(name, "delivered") == f64::from(POINTS));
        assert_eq!(lines.lock().unwrap().len(), POINTS as usize, "{name}");
    }
    service.until("no outage is left", |s| {
        let streams = s.status()["streams"].as_array().unwrap().clone();
        streams.iter().all(|s| s["outage_since_ms"].is_null() && s["lag_seconds"] == 0.0)
    });
    service.stop();
}

/// *Scenario:* a destination by https whose certificate nobody vouches for; then the operator puts
/// its authority into the CA file and sends SIGHUP.
/// *Guarantees:* not one request reaches it before; status says loudly that it is the certificate;
/// afterwards everything arrives, though only the content of a file has changed.
#[test]
fn a_bad_certificate_is_an_outage_until_its_authority_is_trusted() {
    let (authority, other) = (Authority::new(), Authority::new());
    let home = Home::new("bad-certificate");
    let lines = Arc::default();
    let peer = Peer::start_tls(authority.sign("localhost").server_config(), Reply::status(500));
    peer.set_script(well(&lines));
    home.dir.write("ca.pem", other.ca_pem());
    let url = format!("https://localhost:{}", peer.address().port());
    home.write(&stream("to-dynatrace", &url, "      ca_file: ca.pem\n"));
    let service = home.start();
    let batch = Batch::new(1, POINTS);
    assert_eq!(load::deliver(home.source, &load::sender(), "1", &batch, &[]).status, 200);
    service.until("the outage is told", |s| in_outage(s, "to-dynatrace"));
    let told = service.stream("to-dynatrace");
    assert!(told["last_refusal"].to_string().contains("certificate"), "{told}");
    assert_eq!((told["loud"].clone(), peer.count()), (serde_json::Value::Bool(true), 0), "{told}");
    home.dir.write("ca.pem", authority.ca_pem());
    service.process.hang_up();
    let all = f64::from(POINTS);
    service.until("all is delivered", |s| s.points("to-dynatrace", "delivered") == all);
    assert_eq!(lines.lock().unwrap().len(), POINTS as usize);
    service.stop();
}

/// *Scenario:* a destination refuses every request with 400 and no count of lines.
/// *Guarantees:* it is not tried forever: the points are in the backup, counted, and `hydrant inspect`
/// reads them back.
#[test]
fn what_is_refused_for_good_lies_in_the_backup() {
    let home = Home::new("refused");
    let peer = Peer::start(Reply::json(400, "{\"error\":{\"code\":400,\"message\":\"no\"}}"));
    home.write(&stream("to-dynatrace", &peer.url(""), ""));
    let service = home.start();
    let batch = Batch::new(1, POINTS);
    assert_eq!(load::deliver(home.source, &load::sender(), "1", &batch, &[]).status, 200);
    let all = f64::from(POINTS);
    service.until("all is backed up", |s| s.points("to-dynatrace", "backed_up") == all);
    assert_eq!(peer.wait_for(1, Duration::from_secs(5)).len(), 1, "400 is not repeated");
    let files = files_below(&home.data().join("backup/to-dynatrace"));
    let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let mut arguments = vec!["inspect", "--output", "ndjson"];
    arguments.extend(files.iter().map(String::as_str));
    let (code, stdout, stderr) = home.command(&arguments);
    assert_eq!((code, stdout.lines().count()), (0, POINTS as usize), "{stderr}\n{stdout}");
    service.stop();
}
