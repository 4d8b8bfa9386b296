//! SIGTERM finishes what is in flight; SIGHUP takes new settings whole, or keeps the old ones.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use metric::Format;
use rehearsal::ledger::View;
use rehearsal::sender::Sender;
use remote::{Client, ClientConfig, TlsConfig};
use testkit::Authority;

use crate::load::{self, Load};
use crate::points::{Batch, now_ms};
use crate::receivers::{Book, Dynatrace, TOKEN, to_blackhole, to_dynatrace, to_otlp};
use crate::service::{Home, PATIENCE, Service, eventually, free_port, local};

/// SIGHUP, and it must be taken.
#[track_caller]
fn reload(service: &Service<'_>) {
    let before = service.logged("settings reloaded");
    service.process.hang_up();
    service.until("the reload is logged", |s| s.logged("settings reloaded") > before);
}

/// SIGHUP, and it must be refused.
#[track_caller]
fn reload_in_vain(service: &Service<'_>) {
    let before = service.logged("reload refused");
    service.process.hang_up();
    service.until("the refusal is logged", |s| s.logged("reload refused") > before);
    assert_eq!(service.metric("hydrant_reload_failed"), 1.0);
}

/// *Scenario:* SIGTERM while four senders deliver; later a new start, and the senders go on.
/// *Guarantees:* exit 0, and no point of an answered delivery is missing after the restart.
#[test]
fn sigterm_under_load_loses_nothing() {
    let port = free_port();
    let home = Home::new("term");
    home.write(&to_dynatrace("to-dynatrace", port, &[]));
    let book = Book::new(View::Dynatrace);
    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let load = Load::start(home.source, 0x7e71, (4, 150), &[&book]);
    for round in 1..=2 {
        let service = home.start();
        eventually("deliveries are answered", || load.yes() >= 8 * round, || service.log());
        let log = service.stop();
        assert!(log.contains("\"stopped\""), "{log}");
    }
    let service = home.start();
    load.finish();
    let compared = book.settle("every promised point has arrived", || service.log());
    service.stop();
    // A stop by SIGTERM waits for the answers of destinations: nothing is sent a second time.
    assert_eq!(compared.duplicates, 0, "{compared:?}");
}

/// *Scenario:* SIGTERM while a delivery is half sent; the other half comes after the port is closed.
/// *Guarantees:* the delivery is answered with yes and kept, /readyz says "draining", exit 0.
#[test]
fn sigterm_waits_for_the_delivery_in_flight() {
    let port = free_port();
    let home = Home::new("drain");
    home.write(&to_dynatrace("to-dynatrace", port, &[]));
    let book = Book::new(View::Dynatrace);
    let batch = Batch::new(1, 50);
    batch.each(|_, point| book.lock().expect(1, point));
    let service = home.start();
    let request = load::sender().compose("half", now_ms(), &batch.records(Format::Otel10));
    let (first, second) = request.body.split_at(request.body.len() / 2);
    let mut stream = TcpStream::connect(home.source).unwrap();
    stream.write_all(load::head("/", &request).as_bytes()).unwrap();
    stream.write_all(first).unwrap();
    // The head is being looked at when its bytes are counted as in flight; a request after it, on
    // another connection, is answered later than that.
    let other = Batch::new(2, 5);
    assert_eq!(load::deliver(home.source, &load::sender(), "x", &other, &[&book]).status, 200);

    service.process.terminate();
    let refuses = || TcpStream::connect(home.source).is_err();
    eventually("the port is closed", refuses, || service.log());
    let ready = service.get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("draining"), "{}", ready.text());
    stream.write_all(second).unwrap();
    let answer = testkit::read_answer(&mut BufReader::new(&stream)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    book.lock().acknowledge(1);
    service.ends_well();

    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let service = home.start();
    book.settle("both deliveries have arrived", || service.log());
    service.stop();
}

/// *Scenario:* a second SIGTERM while a delivery is half sent and will never be whole.
/// *Guarantees:* the process leaves at once with 130, and what was answered before arrives later.
#[test]
fn a_second_signal_leaves_at_once() {
    let port = free_port();
    let home = Home::new("twice");
    home.write(&to_dynatrace("to-dynatrace", port, &[]));
    let book = Book::new(View::Dynatrace);
    let mut service = home.start();
    let (sender, batch) = (load::sender(), Batch::new(1, 40));
    let request = sender.compose("half", now_ms(), &Batch::new(2, 50).records(Format::Otel10));
    let mut stream = TcpStream::connect(home.source).unwrap();
    stream.write_all(load::head("/", &request).as_bytes()).unwrap();
    assert_eq!(load::deliver(home.source, &sender, "1", &batch, &[&book]).status, 200);
    service.process.terminate();
    let refuses = || TcpStream::connect(home.source).is_err();
    eventually("the port is closed", refuses, || service.log());
    service.process.terminate();
    assert_eq!(service.process.wait(PATIENCE).code(), Some(130), "{}", service.log());

    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let service = home.start();
    book.settle("what was answered has arrived", || service.log());
    service.stop();
}

/// *Scenario:* six reloads under load, each of which changes the stream that delivers.
/// *Guarantees:* the stream goes on where it was: nothing is missing and nothing is sent twice.
#[test]
fn sighup_under_load_neither_loses_nor_repeats() {
    let port = free_port();
    let home = Home::new("reload-load");
    let settings = |concurrency: u32| {
        let more = format!("concurrency: {concurrency}");
        home.write(&to_dynatrace("to-dynatrace", port, &[&more]));
    };
    settings(1);
    let book = Book::new(View::Dynatrace);
    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let service = home.start();
    let load = Load::start(home.source, 0x4e10, (4, 150), &[&book]);
    for round in 2..8 {
        let wanted = load.yes() + 4;
        eventually("deliveries are answered", || load.yes() >= wanted, || service.log());
        settings(round);
        reload(&service);
    }
    load.finish();
    let compared = book.settle("every promised point has arrived", || service.log());
    assert_eq!((compared.duplicates, service.logged("stream stopped")), (0, 6), "{compared:?}");
    service.stop();
}

fn status_with_key(home: &Home, key: &str) -> u16 {
    let sender = Sender { access_key: Some(key.to_owned()), ..load::sender() };
    load::deliver(home.source, &sender, "key", &Batch::new(1, 1), &[]).status
}

/// *Scenario:* a key is rotated in two reloads; between them comes a settings file with a mistake.
/// *Guarantees:* first the old key, then both, then the new one; the mistake changes nothing, is
/// told in metrics, status and log with its line, and is forgotten after a good reload.
#[test]
fn sighup_rotates_keys_and_survives_a_mistake() {
    let home = Home::new("keys");
    let stream = to_blackhole("all");
    let keys = |home: &Home| ["key-old", "key-new"].map(|key| status_with_key(home, key));
    home.write_with("access_keys: [key-old]", &stream);
    let service = home.start();
    assert_eq!(keys(&home), [200, 401]);
    home.write_with("access_keys: [key-old, key-new]", &stream);
    reload(&service);
    assert_eq!(keys(&home), [200, 200]);

    home.write_with("access_keys: [key-new]\n    limitz: 7", &stream);
    reload_in_vain(&service);
    assert_eq!(keys(&home), [200, 200], "the old settings stay");
    let log = service.log();
    let refusal = log.lines().find(|line| line.contains("reload refused")).unwrap();
    assert!(refusal.contains("limitz") && refusal.contains("hydrant.yaml:9"), "{refusal}");
    let status = service.status();
    let why = status["reload_failure"].as_str().unwrap_or_default();
    assert!(why.contains("limitz"), "{status}");

    home.write_with("access_keys: [key-new]", &stream);
    reload(&service);
    assert_eq!(keys(&home), [401, 200]);
    assert_eq!(service.metric("hydrant_reload_failed"), 0.0);
    assert_eq!(service.status()["reload_failure"], serde_json::Value::Null);
    service.stop();
}

/// *Scenario:* the API token of a destination is wrong, then put right in the settings; SIGHUP.
/// *Guarantees:* the refusal is told loudly; after the reload what was held arrives: a change of
/// nothing but a secret is a change.
#[test]
fn sighup_takes_a_new_api_token() {
    let port = free_port();
    let home = Home::new("token");
    let right = to_dynatrace("to-dynatrace", port, &[]);
    home.write(&right.replace(TOKEN, "dt0c01.HOUSE.revoked"));
    let book = Book::new(View::Dynatrace);
    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let service = home.start();
    let batch = Batch::new(1, 50);
    assert_eq!(load::deliver(home.source, &load::sender(), "1", &batch, &[&book]).status, 200);
    service.until("the stream is loud", |s| s.stream("to-dynatrace")["loud"] == true);
    let told = service.stream("to-dynatrace").to_string();
    assert!(told.contains("401"), "{told}");
    home.write(&right);
    reload(&service);
    book.settle("what was held has arrived", || service.log());
    service.stop();
}

fn forgotten(service: &Service<'_>, stream: &str) -> Option<u64> {
    let status = service.status();
    let list = status["forgotten"].as_array().unwrap();
    list.iter().find(|c| c["name"] == stream).map(|c| c["entries"].as_u64().unwrap())
}

/// *Scenario:* by SIGHUP a stream is added and one that holds data is removed; one is renamed; a
/// restart; the removed one comes back, is removed again and forgotten by command.
/// *Guarantees:* a new stream starts at the tail, a renamed one is a new one, a removed one keeps its
/// data, shown in status, metrics and log, until it is forgotten; what is in use cannot be forgotten.
#[test]
fn sighup_adds_removes_and_renames_streams() {
    let port = free_port();
    let home = Home::new("streams");
    let gone = to_dynatrace("gone", port, &[]);
    let book = Book::new(View::Dynatrace);
    let deliver = |number: u64, points: u32| {
        let (id, batch) = (number.to_string(), Batch::new(number, points));
        let sender = load::sender();
        assert_eq!(load::deliver(home.source, &sender, &id, &batch, &[&book]).status, 200);
    };
    let delivered = |s: &Service<'_>, stream: &str, points: f64| {
        s.until(stream, |s| s.points(stream, "delivered") >= points);
        assert_eq!(s.points(stream, "delivered"), points, "{stream}");
    };
    home.write(&(to_blackhole("kept") + &gone));
    let service = home.start();
    deliver(1, 10);
    delivered(&service, "kept", 10.0);

    home.write(&(to_blackhole("kept") + &to_blackhole("new")));
    reload(&service);
    deliver(2, 20);
    delivered(&service, "kept", 30.0);
    delivered(&service, "new", 20.0);
    assert_eq!(forgotten(&service, "gone"), Some(2));
    assert!(service.metric("hydrant_forgotten_bytes{stream=\"gone\",topic=\"aws\"}") > 0.0);

    home.write(&(to_blackhole("renamed") + &to_blackhole("new")));
    reload(&service);
    deliver(3, 30);
    delivered(&service, "renamed", 30.0);
    assert_eq!(forgotten(&service, "kept"), Some(1), "what came after it was removed");
    service.stop();

    let service = home.start();
    let told = "stream is not in the settings but holds data";
    assert_eq!(service.logged(told), 2, "{}", service.log());
    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    home.write(&(to_blackhole("renamed") + &gone));
    reload(&service);
    let compared = book.settle("what was kept for the removed stream", || service.log());
    assert_eq!((compared.arrived, forgotten(&service, "gone")), (60, None));

    home.write(&to_blackhole("renamed"));
    reload(&service);
    let forget =
        |name: &str| home.command(&["stream", "forget", name, "-c", "hydrant.yaml", "--yes"]);
    assert!(forgotten(&service, "gone").is_some());
    assert_eq!(forget("gone").0, 0);
    assert_eq!(forgotten(&service, "gone"), None);
    let (code, _, stderr) = forget("renamed");
    assert!(code == 1 && stderr.contains("is in the settings"), "{code}: {stderr}");
    service.stop();
}

/// *Scenario:* a source is renamed while a stream that reads it holds what its destination does not take, named
/// back, and renamed once more.
/// *Guarantees:* what was not delivered is told, by log, status and doctor; named back it is there again; the
/// command gives up that part and no other.
#[test]
fn what_a_stream_leaves_behind_is_told() {
    let home = Home::new("left");
    home.write(&to_otlp("down", free_port(), &[]));
    let here = std::fs::read_to_string(home.dir.join("hydrant.yaml")).unwrap();
    let renamed = here.replace("  aws:", "  aws2:").replace("source: aws", "source: aws2");
    let service = home.start();
    let records = Batch::new(1, 10).records(Format::Json);
    let request = load::sender().compose("left", now_ms(), &records);
    assert_eq!(load::post(home.source, "/", &request).unwrap().status, 200);
    service
        .until("it is held", |s| s.metric("hydrant_stream_backlog_bytes{stream=\"down\"}") > 0.0);

    home.dir.write("hydrant.yaml", &renamed);
    reload(&service);
    let left = service.status()["forgotten"].clone();
    let told = (&left[0]["name"], &left[0]["topic"], &left[0]["left"]);
    assert_eq!(told, (&"down".into(), &"aws".into(), &true.into()), "{left}");
    service.until("it is logged", |s| s.logged("stream reads this source no more") == 1);
    let (_, status, _) = home.command(&["status", "--data-dir", "data"]);
    assert!(status.contains("name aws among its sources again"), "{status}");

    home.dir.write("hydrant.yaml", &here);
    reload(&service);
    assert_eq!(service.status()["forgotten"], serde_json::json!([]));
    service
        .until("it is back", |s| s.metric("hydrant_stream_backlog_bytes{stream=\"down\"}") > 0.0);

    home.dir.write("hydrant.yaml", &renamed);
    reload(&service);
    let forget = ["stream", "forget", "down", "--data-dir", "data", "--yes"];
    let (code, _, stderr) = home.command(&forget);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(service.status()["forgotten"], serde_json::json!([]));
    let (code, _, stderr) = home.command(&forget);
    assert!(code == 1 && stderr.contains("is in the settings"), "{code}: {stderr}");
    service.stop();
}

/// The status of a delivery over TLS by a client that trusts `authority`; `None` when it does not
/// trust the server.
fn status_by_tls(home: &Home, dir: &Path, authority: &Authority) -> Option<u16> {
    let ca_file = dir.join("trusted.pem");
    std::fs::write(&ca_file, authority.ca_pem()).unwrap();
    let time = Duration::from_secs(10);
    let config = ClientConfig {
        tls: TlsConfig { ca_file: Some(ca_file), accept_invalid: false },
        connect_timeout: time,
        request_timeout: time,
        answer_bytes: 4096,
    };
    let records = Batch::new(1, 1).records(Format::Otel10);
    let composed = load::sender().compose("tls", now_ms(), &records);
    let header = |(name, value): &(&'static str, String)| {
        (http::HeaderName::from_static(name), http::HeaderValue::from_str(value).unwrap())
    };
    let request = remote::Request {
        method: http::Method::POST,
        url: format!("https://localhost:{}/", home.source.port()),
        headers: composed.headers.iter().map(header).collect(),
        body: composed.body.into(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::new(&config).unwrap();
        client.send(request).await.ok().map(|answer| answer.status)
    })
}

/// *Scenario:* the certificate files are replaced by those of another authority, and later by text
/// that is no certificate; SIGHUP each time.
/// *Guarantees:* the new certificate is served from then on without a restart; files that cannot be
/// used are refused, told, and the one before stays.
#[test]
fn sighup_rotates_the_certificate() {
    let (first, second) = (Authority::new(), Authority::new());
    let home = Home::new("certificate");
    let lay = |authority: &Authority| {
        let identity = authority.sign("localhost");
        home.dir.write("server.crt", &identity.cert_pem);
        home.dir.write("server.key", &identity.key_pem);
    };
    lay(&first);
    let keys = format!(
        "access_keys: [{}]\n    tls: {{ cert_file: server.crt, key_file: server.key }}",
        crate::service::ACCESS_KEY
    );
    home.write_with(&keys, &to_blackhole("all"));
    let service = home.start();
    let seen = || [&first, &second].map(|a| status_by_tls(&home, home.dir.path(), a));
    assert_eq!(seen(), [Some(200), None]);
    lay(&second);
    reload(&service);
    assert_eq!(seen(), [None, Some(200)]);
    home.dir.write("server.crt", "not a certificate");
    reload_in_vain(&service);
    assert!(service.log().contains("server.crt"), "{}", service.log());
    assert_eq!(seen(), [None, Some(200)], "the old certificate stays");
    service.stop();
}

/// *Scenario:* a source is renamed where it listens; then two sources change places; then one asks for
/// its port on all addresses, which the socket of the other stands in the way of.
/// *Guarantees:* the first two are taken, and each port is answered by who has it now, by its key; the
/// third is refused, and told who has the port and what to do.
#[test]
fn sighup_hands_a_port_over() {
    let home = Home::new("handover");
    let other = free_port();
    let settings = |sources: [(&str, &str, &str); 2]| {
        let [first, second] = sources.map(|(name, _, _)| name);
        let [one, two] = sources.map(|(name, listen, key)| {
            format!("  {name}: {{ type: firehose, listen: '{listen}', access_keys: [{key}] }}\n")
        });
        let text = format!(
            "data_dir: data\nadmin: {{ listen: '{}' }}\nsources:\n{one}{two}streams:\n  \
             s: {{ source: [{first}, {second}], destination: {{ type: blackhole }} }}\n",
            home.admin
        );
        home.dir.write("hydrant.yaml", text);
    };
    let status = |port: u16, key: &str| {
        let sender = Sender { access_key: Some(key.to_owned()), ..load::sender() };
        load::deliver(local(port), &sender, key, &Batch::new(1, 1), &[]).status
    };
    let (here, there) = (home.source.to_string(), local(other).to_string());
    settings([("a", &here, "key-a"), ("b", &there, "key-b")]);
    let service = home.start();
    assert_eq!(status(home.source.port(), "key-a"), 200);

    settings([("renamed", &here, "key-r"), ("b", &there, "key-b")]);
    reload(&service);
    assert_eq!((status(home.source.port(), "key-r"), status(other, "key-b")), (200, 200));

    settings([("renamed", &there, "key-r"), ("b", &here, "key-b")]);
    reload(&service);
    assert_eq!((status(home.source.port(), "key-b"), status(other, "key-r")), (200, 200));

    let all = format!("0.0.0.0:{}", home.source.port());
    settings([("renamed", &all, "key-r"), ("b", &there, "key-b")]);
    reload_in_vain(&service);
    let held = format!("Source b has {here} until it is closed: restart instead");
    assert!(service.log().contains(&held), "{}", service.log());
    assert_eq!(status(home.source.port(), "key-b"), 200, "the old settings stay");
    service.stop();
}
