//! What an operator sees of a running process: top, tap, trace, doctor.

use metric::Format;
use serde_json::Value;
use testkit::Process;

use crate::load;
use crate::points::{Batch, NAMESPACE, now_ms};
use crate::receivers::{to_blackhole, to_otlp};
use crate::service::{Home, PATIENCE, Service, binary, free_port};

/// Deliveries are sent by this.
const ARN: &str = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/house";

fn deliver(home: &Home, id: &str, batch: &Batch) {
    let request = load::sender().compose(id, now_ms(), &batch.records(Format::Otel10));
    let answer = load::post(home.source, "/", &request).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn tap(home: &Home, more: &[&str]) -> Process {
    let arguments = ["tap", "to-nowhere", "--data-dir", "data"].iter().chain(more);
    Process::start(binary(), arguments, home.dir.path())
}

/// Delivers until the tap has printed something: it may open after the first.
fn deliver_until_seen(home: &Home, tap: &Process) -> Vec<Value> {
    for number in 0..100 {
        deliver(home, &format!("tapped-{number}"), &Batch::new(number, 20));
        std::thread::sleep(std::time::Duration::from_millis(100));
        if !tap.stdout().is_empty() {
            break;
        }
    }
    let lines = tap.stdout();
    assert!(!lines.is_empty(), "nothing was seen: {:?}", tap.stderr());
    lines.iter().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// *Scenario:* taps on a stream that enriches and filters: one with filters and a limit, one that names
/// no stream, one on a process that stops.
/// *Guarantees:* points in the shape of `inspect --output ndjson`, with what was added and only those
/// asked for; the limit ends it with 0; a wrong name is told with those there are; a process that goes
/// away is told with 1.
#[test]
fn a_tap_shows_points() {
    let home = Home::new("tap");
    let enriched = "  to-nowhere:\n    source: aws\n    enrich: { attributes: [ { set: { team: green } } ] }\n    \
                    exclude: [ { namespace: House/Test, metric_names: [Latency] } ]\n    \
                    destination: { type: blackhole }\n";
    home.write(enriched);
    let service = home.start();
    let filters =
        ["--metric", "Requests", "--metric", "Latency", "--dimension", "Item=3", "--limit", "2"];
    let mut limited = tap(&home, &filters);
    let mut all = tap(&home, &[]);
    for point in deliver_until_seen(&home, &all) {
        assert_eq!((&point["namespace"], &point["unit"]), (&NAMESPACE.into(), &"Count".into()));
        assert_eq!(point["attributes"]["team"], "green", "{point}");
        assert_ne!(point["metric_name"], "Latency", "filtered by the stream");
    }
    for number in 200..204 {
        deliver(&home, &format!("more-{number}"), &Batch::new(number, 20));
    }
    assert_eq!(limited.wait(PATIENCE).code(), Some(0));
    let seen: Vec<Value> =
        limited.stdout().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(seen.len(), 2);
    for point in &seen {
        assert_eq!(point["metric_name"], "Requests", "{point}");
        assert_eq!(point["dimensions"]["Item"], "3", "{point}");
    }
    let (code, _, stderr) = home.command(&["tap", "nobody", "--data-dir", "data"]);
    assert!(code == 1 && stderr.contains("there are: to-nowhere"), "{code} {stderr}");
    service.stop();
    assert_eq!(all.wait(PATIENCE).code(), Some(1));
    assert!(all.stderr().join("\n").contains("the process has stopped"), "{:?}", all.stderr());
}

/// *Scenario:* more points than fit while nobody reads the tap's output, and a delivery stream of raw
/// records.
/// *Guarantees:* the stream delivers all of them all the same.
#[test]
fn a_tap_slows_nobody() {
    let home = Home::new("tap-slow");
    home.write(&to_blackhole("to-nowhere"));
    let service = home.start();
    let mut tap = std::process::Command::new(binary())
        .args(["tap", "to-nowhere", "--data-dir", "data"])
        .current_dir(home.dir.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let count = 20_000;
    for number in 0..6 {
        deliver(&home, &format!("many-{number}"), &Batch::new(number, count));
    }
    let sent = f64::from(count) * 6.0;
    service.until("all is delivered", |s| s.points("to-nowhere", "delivered") >= sent);
    tap.kill().unwrap();
    tap.wait().unwrap();
    service.stop();
}

fn traced(home: &Home, arguments: &[&str]) -> (i32, Value) {
    let all = ["trace", "--data-dir", "data", "--output", "json"];
    let all: Vec<&str> = all.iter().chain(arguments).copied().collect();
    let (code, stdout, stderr) = home.command(&all);
    (code, serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout} {stderr}")))
}

fn state(answer: &Value, stream: &str) -> Value {
    let streams = answer["entries"][0]["streams"].as_array().expect("streams are listed");
    streams.iter().find(|s| s["name"] == stream).unwrap_or_else(|| panic!("{answer}")).clone()
}

/// *Scenario:* a delivery and its repeat, one stream that takes it, one whose destination is away,
/// one that has it in its backup; then a request id nobody has sent.
/// *Guarantees:* when it was stored and its repeat; done, waiting, and backed up with the file; after
/// the end of the process, and for the unknown id, exit 1 and honest words.
#[test]
fn a_delivery_is_traced() {
    let home = Home::new("trace");
    let closed = free_port();
    let away = |name: &str, more: &str| {
        format!(
            "  {name}:\n    source: aws\n    retry_duration: {more}\n    destination: {{ type: otlp, \
             endpoint: 'http://127.0.0.1:{closed}' }}\n"
        )
    };
    home.write(&(to_blackhole("to-nowhere") + &away("waits", "900s") + &away("gives-up", "0s")));
    let service = home.start();
    let batch = Batch::new(1, 30);
    deliver(&home, "the-one", &batch);
    deliver(&home, "the-one", &batch);
    deliver(&home, "another", &Batch::new(2, 30));
    service.until("it is backed up", |s| s.points("gives-up", "backed_up") >= 60.0);
    service.until("it is delivered", |s| s.points("to-nowhere", "delivered") >= 60.0);
    for more in [&["the-one"][..], &["the-one", "--source-arn", ARN]] {
        let (code, answer) = traced(&home, more);
        assert_eq!(code, 0, "{answer}");
        let entry = &answer["entries"][0];
        assert_eq!((&entry["topic"], &entry["sequence"]), (&"aws".into(), &0.into()), "{answer}");
        assert_eq!((&entry["repeats"], &entry["records"]), (&1.into(), &1.into()), "{answer}");
        assert!((now_ms() - entry["arrived_ms"].as_i64().unwrap()).abs() < 120_000, "{answer}");
        assert_eq!(state(&answer, "to-nowhere")["state"], "done");
        assert_eq!(state(&answer, "waits")["state"], "waiting");
        let kept = state(&answer, "gives-up");
        assert_eq!((&kept["state"], &kept["backed_up"]), (&"done".into(), &30.into()), "{kept}");
        assert!(kept["files"][0].as_str().unwrap().contains("http-endpoint-failed"), "{kept}");
    }
    let (code, stdout, _) = home.command(&["trace", "the-one", "--data-dir", "data"]);
    assert!(code == 0 && stdout.contains("30 backed up, 0 quarantined"), "{stdout}");
    let (code, stdout, _) = home.command(&["trace", "nobody", "--data-dir", "data"]);
    assert!(code == 1 && stdout.contains("not known, or not any more"), "{stdout}");
    service.stop();
    let (code, _, stderr) = home.command(&["trace", "the-one", "--data-dir", "data"]);
    assert!(code == 1 && stderr.contains("no hydrant process"), "{stderr}");
}

/// *Scenario:* `top --once` and `top` without a terminal while deliveries come, then without a process.
/// *Guarantees:* plain tables of at most 80 columns with every source and stream, no escape sequence;
/// exit 0; without a process 1 with a hint.
#[test]
fn top_without_a_terminal() {
    let home = Home::new("top");
    home.write(&to_blackhole("to-nowhere"));
    let service = home.start();
    deliver(&home, "one", &Batch::new(1, 300));
    service.until("it is delivered", |s| s.points("to-nowhere", "delivered") >= 300.0);
    let once = ["top", "--once", "--interval", "200ms", "--data-dir", "data"];
    let (code, stdout, stderr) = home.command(&once);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.contains("POINTS/S") && stdout.contains("to-nowhere"), "{stdout}");
    assert!(!stdout.contains('\u{1b}'), "{stdout}");
    assert!(stdout.lines().all(|line| line.chars().count() <= 80), "{stdout}");
    let arguments = ["top", "--interval", "200ms", "--data-dir", "data"];
    let mut top = Process::start(binary(), arguments, home.dir.path());
    let tables = |top: &Process| top.stdout().iter().filter(|l| l.contains("POINTS/S")).count();
    crate::service::eventually(
        "three tables",
        || tables(&top) >= 3,
        || format!("{:?}", top.stdout()),
    );
    top.interrupt();
    assert_eq!(top.wait(PATIENCE).code(), Some(0));
    service.stop();
    let (code, _, stderr) = home.command(&once);
    assert!(code == 1 && stderr.contains("hint: start hydrant run"), "{stderr}");
}

/// The checks of one area, as `state what`.
fn checks(home: &Home, area: &str, more: &[&str]) -> (i32, Vec<String>) {
    let all = ["doctor", "-c", "hydrant.yaml", "--output", "json"];
    let all: Vec<&str> = all.iter().chain(more).copied().collect();
    let (code, stdout, stderr) = home.command(&all);
    let answer: Value =
        serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout} {stderr}"));
    assert_eq!(answer["ok"], code == 0, "{answer}");
    let of_area = answer["checks"].as_array().unwrap().iter().filter(|c| c["area"] == area);
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or("").to_owned();
    (code, of_area.map(|c| format!("{} {}", text(c, "state"), text(c, "what"))).collect())
}

fn one_is(checks: &[String], start: &str, part: &str) {
    let found = checks.iter().any(|check| check.starts_with(start) && check.contains(part));
    assert!(found, "no '{start}' with '{part}' in {checks:#?}");
}

fn refuse(service: &Service<'_>, home: &Home) {
    let sender =
        rehearsal::sender::Sender { access_key: Some("wrong".to_owned()), ..load::sender() };
    let request = sender.compose("refused", now_ms(), &Batch::new(9, 1).records(Format::Json));
    assert_eq!(load::post(home.source, "/", &request).unwrap().status, 401);
    service
        .until("it is counted", |s| s.status()["sources"][0]["rejected"] != serde_json::json!({}));
}

/// *Scenario:* a running process with a stream that is down, a refused delivery and a backup.
/// *Guarantees:* each is a line with its state, a bad one makes the exit 1; without a process that is a
/// warning and the exit 0; broken settings are bad, by line.
#[test]
fn a_doctor_looks_at_the_process() {
    let home = Home::new("doctor");
    let closed = free_port();
    let away = format!(
        "  away:\n    source: aws\n    retry_duration: 0s\n    destination: {{ type: otlp, endpoint: \
         'http://127.0.0.1:{closed}' }}\n"
    );
    home.write(&(to_blackhole("to-nowhere") + &away));
    let (code, found) = checks(&home, "process", &[]);
    assert_eq!(code, 0, "{found:?}");
    one_is(&found, "warn", "no process works with");
    let service = home.start();
    deliver(&home, "one", &Batch::new(1, 30));
    refuse(&service, &home);
    service.until("it is backed up", |s| s.points("away", "backed_up") >= 30.0);
    let (_, found) = checks(&home, "stream", &[]);
    one_is(&found, "ok", "to-nowhere");
    one_is(&found, "warn", "away: ");
    let (_, found) = checks(&home, "source", &[]);
    one_is(&found, "warn", "aws: refused or set aside: access_key_wrong 1");
    let (_, found) = checks(&home, "data folder", &[]);
    one_is(&found, "ok", "layout known");
    one_is(&found, "ok", "of a disk_budget of");
    let (code, found) = checks(&home, "destination", &["--online"]);
    assert_eq!(code, 1);
    one_is(&found, "bad", "away");
    one_is(&found, "ok", "to-nowhere");
    home.dir.write("hydrant.yaml", "data_dir: data\nsources: {}\nstream: {}\n");
    let (code, found) = checks(&home, "settings", &[]);
    assert_eq!(code, 1);
    one_is(&found, "bad", "hydrant.yaml:3");
    let (_, found) = checks(&home, "process", &[]);
    one_is(&found, "ok", "runs as process");
    service.stop();
}

/// *Scenario:* certificates of an authority that this machine trusts: good, for another name, expired;
/// of one that it does not trust; and signed by itself.
/// *Guarantees:* each is judged as Firehose would, by name.
#[test]
fn a_doctor_looks_at_certificates() {
    let home = Home::new("doctor-tls");
    let (trusted, private) = (testkit::Authority::new(), testkit::Authority::new());
    home.dir.write("ca.pem", trusted.ca_pem());
    home.write_with("tls: { cert_file: c.pem, key_file: k.pem }", &to_blackhole("to-nowhere"));
    let look = |identity: &testkit::Identity, host: &[&str]| {
        home.dir.write("c.pem", &identity.cert_pem);
        home.dir.write("k.pem", &identity.key_pem);
        let output = std::process::Command::new(binary())
            .args(["doctor", "-c", "hydrant.yaml"])
            .args(host)
            .current_dir(home.dir.path())
            .env("SSL_CERT_FILE", home.dir.join("ca.pem"))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find(|line| line.contains("certificate")).unwrap_or("").to_owned();
        (output.status.code().unwrap(), line)
    };
    let good = trusted.sign("in.example.com");
    let (code, line) = look(&good, &["--host", "in.example.com"]);
    assert!(code == 0 && line.starts_with("ok"), "{line}");
    let (code, line) = look(&good, &["--host", "other.example.com"]);
    assert!(code == 1 && line.contains("not for other.example.com"), "{line}");
    let (code, line) = look(&trusted.sign_expired("in.example.com"), &[]);
    assert!(code == 1 && line.contains("it ended ") && !line.contains("-"), "{line}");
    let (code, line) = look(&private.sign("in.example.com"), &[]);
    assert!(code == 1 && line.contains("no path to an authority"), "{line}");
    let (code, line) = look(&testkit::Identity::self_signed("in.example.com"), &[]);
    assert!(code == 1 && line.contains("it is self-signed"), "{line}");
    let (code, line) = look(&testkit::Identity::self_signed_authority("in.example.com"), &[]);
    assert!(code == 1 && line.contains("it is self-signed"), "{line}");
}

/// *Scenario:* `hydrant demo`, whose first stream was made through the API.
/// *Guarantees:* a tap on it says that it carries records, and one on another shows points.
#[test]
fn a_stream_of_records_says_so() {
    let home = Home::new("tap-demo");
    let arguments = ["demo", "--data-dir", "data", "--for", "60s"];
    let mut demo = Process::start(binary(), arguments, home.dir.path());
    demo.wait_for_line("Ctrl-C stops it", PATIENCE);
    let of_records = || home.command(&["tap", "demo", "--data-dir", "data", "--for", "1s"]);
    let told = |(code, _, stderr): (i32, String, String)| {
        code == 1 && stderr.contains("carries records as they came")
    };
    crate::service::eventually(
        "it says so",
        || told(of_records()),
        || format!("{:?}", of_records()),
    );
    let shown = home.command(&["tap", "to-otel", "--data-dir", "data", "--limit", "1"]);
    assert!(shown.0 == 0 && shown.1.starts_with("{\"metric_stream_name\""), "{shown:?}");
    demo.kill();
}

/// *Scenario:* `doctor --online` with destinations whose clocks differ from ours by years and by nothing.
/// *Guarantees:* the difference is told with its direction, and a large one is bad.
#[test]
fn a_doctor_compares_clocks() {
    let home = Home::new("doctor-clock");
    let clock = |date: &str| {
        let reply = testkit::Reply::json(200, "{}").with("date", date);
        let peer = testkit::Peer::start(reply);
        home.write(&to_otlp("to-otel", peer.address().port(), &[]));
        checks(&home, "clock", &["--online"]).1
    };
    one_is(&clock("Thu, 01 Jan 2015 00:00:00 GMT"), "bad", "s ahead of http://127.0.0.1");
    one_is(&clock("Thu, 01 Jan 2099 00:00:00 GMT"), "bad", "s behind http://127.0.0.1");
    let now = jiff::fmt::rfc2822::to_string(&jiff::Zoned::now()).unwrap();
    one_is(&clock(&now), "ok", "http://127.0.0.1");
}
