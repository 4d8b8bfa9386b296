//! `hydrant conform`: against our own source, where everything must be right, and against receivers
//! that lie, each in its own way.

use std::time::Duration;

use serde_json::Value;
use testkit::{Peer, Received, Reply, TempDir};

use crate::service::{ACCESS_KEY, Home, binary, eventually};

/// Runs it and reads its report: exit code, report, words.
fn conform(url: &str, arguments: &[&str]) -> (i32, Value, String) {
    let folder = TempDir::new("conform");
    let run = std::process::Command::new(binary())
        .args(["conform", url, "--output", "json", "--skip-slow", "--skip-large"])
        .args(arguments)
        .env_remove("HYDRANT_ACCESS_KEY")
        .current_dir(folder.path())
        .output();
    let output = run.expect("the binary starts");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().unwrap_or(-1), report, words)
}

/// The verdict, and what was said of it.
fn of<'a>(report: &'a Value, case: &str) -> (&'a str, String) {
    let cases = report["cases"].as_array().expect("a report lists cases");
    let found = cases.iter().find(|c| c["name"] == case).expect("the case is there");
    (found["verdict"].as_str().unwrap(), format!("{} {}", found["did"], found["notes"]))
}

/// A yes as the protocol has it, to whatever comes.
fn yes(request: &Received) -> Reply {
    let id = request.header("x-amz-firehose-request-id").unwrap_or_default();
    let body = format!(r#"{{"requestId":"{id}","timestamp":1795176000123}}"#);
    Reply::json(200, &body)
}

const KEY: [&str; 2] = ["--access-key", "k1"];

/// *Scenario:* every case, the slow and the large one too, against our own source of deliveries.
/// *Guarantees:* all of them end ok, exit 0, as a table as well; the points that were sent arrive at the
/// stream, recognisable.
#[test]
fn hydrant_conforms() {
    let home = Home::new("conform");
    home.write("  kept:\n    source: aws\n    destination: { type: file, path: out.ndjson }\n");
    let service = home.start();
    let url = format!("http://{}/firehose?to=metrics", home.source);
    let arguments = ["conform", &url, "--access-key", ACCESS_KEY];
    let (code, table, words) = home.command(&arguments);
    assert_eq!(code, 0, "{table}\n{words}\n{}", service.log());
    let bad = ["cosmetic", "would", "takes anyone", "not tried"];
    assert!(bad.iter().all(|word| !table.contains(word)), "{table}");
    assert!(table.contains("34 ok\nconformant\n"), "{table}");
    assert!(!table.contains('\u{1b}') && !table.contains("to=metrics"), "{table}");
    assert!(words.contains("namespace Hydrant/Conform"), "{words}");

    let sent = 11_000.0;
    service.until("the points arrive", |s| s.points("kept", "delivered") > sent);
    eventually(
        "the file is written",
        || std::fs::read_to_string(home.dir.join("out.ndjson")).is_ok_and(|t| t.contains("Probe")),
        || service.log(),
    );
    let file = std::fs::read_to_string(home.dir.join("out.ndjson")).unwrap();
    assert!(file.lines().all(|line| line.contains("\"namespace\":\"Hydrant/Conform\"")));
    service.stop();
}

/// *Scenario:* a receiver that says a perfect yes to everything.
/// *Guarantees:* good deliveries are ok, the malformed ones would lose data, the keys are not looked at;
/// exit 1.
#[test]
fn yes_to_everything_loses_data() {
    let peer = Peer::scripted(yes);
    let (code, report, words) = conform(&peer.url("/in?a=1"), &KEY);
    assert_eq!((code, report["conformant"].as_bool()), (1, Some(false)), "{words}");
    for case in ["json", "otel10-gzip", "ten-thousand", "largest-headers", "repeat-at-once"] {
        assert_eq!(of(&report, case).0, "ok", "{report}");
    }
    let malformed = ["cut-gzip", "gzip-checksum", "hidden-gzip", "wrong-base64", "other-id"];
    for case in malformed.into_iter().chain(["not-json", "cut-json", "no-records"]) {
        assert_eq!(of(&report, case).0, "would lose data", "{case}: {report}");
    }
    for case in ["wrong-key", "missing-key"] {
        assert_eq!(of(&report, case).0, "takes anyone", "{report}");
    }
    for case in ["slow", "largest-delivery"] {
        assert_eq!(of(&report, case).0, "not tried", "{report}");
    }
    assert_eq!(report["counts"]["would lose data"], 8, "{report}");
    let unseen = of(&report, "no-metrics").1;
    assert!(unseen.contains("cannot be seen"), "{unseen}");
    let requests = peer.requests();
    assert!(requests.iter().all(|request| request.target == "/in?a=1"));
    let agent = requests[0].header("user-agent").unwrap();
    assert!(agent.starts_with("Amazon Kinesis Data Firehose Agent"), "{agent}");
}

/// *Scenario:* a receiver that checks everything but answers a wrong or missing key with 204, with 202, or
/// with a 200 that Firehose would not take for a yes.
/// *Guarantees:* each lets strangers in; exit 1, and no word of what Firehose would do with it.
#[test]
fn strangers_are_taken_by_any_2xx() {
    for (status, body) in [(204, ""), (202, "{}"), (200, "OK")] {
        let peer =
            Peer::scripted(move |request| match request.header("x-amz-firehose-access-key") {
                Some("k1") => yes(request),
                _ => Reply::json(status, body),
            });
        let cases = ["--case", "json", "--case", "wrong-key", "--case", "missing-key"];
        let (code, report, words) = conform(&peer.url("/"), &[&KEY[..], &cases].concat());
        assert_eq!((code, report["conformant"].as_bool()), (1, Some(false)), "{words}");
        for case in ["wrong-key", "missing-key"] {
            let (verdict, notes) = of(&report, case);
            assert_eq!(verdict, "takes anyone", "{status}: {report}");
            assert!(notes.contains("401 or 403") && !notes.contains("Firehose"), "{notes}");
        }
    }
}

/// *Scenario:* receivers that answer 413, or name another request id.
/// *Guarantees:* 413 would lose data whatever was sent; a yes in another name would stall.
#[test]
fn refusals_for_good_and_wrong_names() {
    let answer = r#"{"requestId":"another","timestamp":1795176000123}"#;
    let peer = Peer::start(Reply::json(413, answer));
    let (code, report, _) = conform(&peer.url("/"), &KEY);
    assert_eq!(code, 1);
    for case in ["json", "cut-gzip", "wrong-key", "no-metrics"] {
        let (verdict, notes) = of(&report, case);
        assert_eq!(verdict, "would lose data", "{report}");
        assert!(notes.contains("413"), "{notes}");
    }

    let peer = Peer::start(Reply::json(200, answer));
    let (code, report, _) = conform(&peer.url("/"), &KEY);
    assert_eq!(code, 1);
    let (verdict, notes) = of(&report, "json");
    assert_eq!(verdict, "would stall", "{report}");
    assert!(notes.contains("200, not valid") && notes.contains("requestId"), "{notes}");
    assert_eq!(report["counts"]["would lose data"], 0, "{report}");
}

/// *Scenario:* a receiver that never answers, with a patience of 300 ms; one that closes every
/// connection; one that says yes until a large head comes and then closes.
/// *Guarantees:* each would stall; nobody waits three dozen times for silence; one broken case does not
/// spoil the others.
#[test]
fn silence_stalls() {
    let peer = Peer::start(Reply::Hang);
    let (code, report, _) = conform(&peer.url("/"), &["--timeout", "300ms"]);
    assert_eq!(code, 1);
    let (verdict, notes) = of(&report, "json");
    assert_eq!(verdict, "would stall", "{report}");
    assert!(notes.contains("HttpEndpoint.RequestTimeout"), "{notes}");
    assert_eq!(of(&report, "get").0, "not tried", "{report}");
    assert_eq!(report["counts"]["would stall"], 3, "{report}");

    let peer = Peer::start(Reply::Close);
    let (code, report, _) = conform(&peer.url("/"), &[]);
    assert_eq!(code, 1);
    let (verdict, notes) = of(&report, "json");
    assert_eq!(verdict, "would stall", "{report}");
    assert!(notes.contains("HttpEndpoint.ConnectionReset"), "{notes}");

    let peer = Peer::scripted(|request| {
        let attributes = request.header("x-amz-firehose-common-attributes");
        if attributes.is_some_and(|value| value.len() > 16_384) {
            Reply::Close
        } else {
            yes(request)
        }
    });
    let (_, report, _) = conform(&peer.url("/"), &[]);
    assert_eq!(of(&report, "largest-headers").0, "would stall", "{report}");
    assert_eq!(of(&report, "odd-attributes").0, "ok", "{report}");
}

/// *Scenario:* a receiver that reads bodies with a patience of five seconds.
/// *Guarantees:* the slow sender takes longer, and the receiver's hurry is seen.
#[test]
fn an_impatient_receiver_is_seen() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let receiver = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let begun = std::time::Instant::now();
        let (mut seen, mut piece) = (0, [0; 4096]);
        while begun.elapsed() < Duration::from_secs(5) {
            stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            seen += std::io::Read::read(&mut &stream, &mut piece).unwrap_or(0);
        }
        seen
    });
    let folder = TempDir::new("conform-slow");
    let run = std::process::Command::new(binary())
        .args(["conform", &format!("http://{address}"), "--case", "slow", "--output", "json"])
        .current_dir(folder.path())
        .output();
    let output = run.unwrap();
    assert!(receiver.join().unwrap() > 0);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(of(&report, "slow").0, "would stall", "{report}");
    assert_eq!(output.status.code(), Some(1));
}

/// *Scenario:* nobody listens; the receiver refuses our key; the command line is wrong.
/// *Guarantees:* 69, 77 and 2, each with words and without a report.
#[test]
fn nobody_to_grade() {
    let (code, report, words) =
        conform(&format!("http://127.0.0.1:{}", testkit::closed_port()), &[]);
    assert_eq!((code, report), (69, Value::Null), "{words}");
    let peer = Peer::start(Reply::json(401, r#"{"errorMessage":"who are you"}"#));
    let (code, report, words) = conform(&peer.url("/"), &[]);
    assert_eq!((code, report), (77, Value::Null), "{words}");
    assert!(words.contains("--access-key"), "{words}");
    assert_eq!(peer.count(), 1, "it asks once");
    let (code, _, words) = conform("ftp://127.0.0.1", &[]);
    assert_eq!(code, 2, "{words}");
    let (code, _, words) = conform(&peer.url("/"), &["--case", "jsn"]);
    assert_eq!(code, 2, "{words}");
    assert!(words.contains("otel07-gzip"), "{words}");
}

/// *Scenario:* URLs that no client can use and keys that no header can carry, given to every command
/// that takes one; a URL whose scheme is in capitals.
/// *Guarantees:* exit 2 with the fault, before anything is sent and without the key; the last is used.
#[test]
fn what_cannot_be_sent_is_told_first() {
    let folder = TempDir::new("conform-usage");
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(binary())
            .args(arguments)
            .env_remove("HYDRANT_ACCESS_KEY")
            .current_dir(folder.path())
            .output()
            .expect("the binary starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (url, why) in [
        ("http://", "empty host"),
        ("http://127.0.0.1:99999/", "invalid port number"),
        ("http://[::1/", "invalid IPv6 address"),
        ("http://a b/", "a blank"),
        ("ftp://127.0.0.1", "http://"),
    ] {
        for command in [
            &["conform", url][..],
            &["simulate", "--points", "1", "--to", url],
            &["simulate", "--put-metric-data", "--points", "1", "--to", url],
            &["replay", ".", "--data-dir", ".", "--to-endpoint", url],
            &["replay", ".", "--to", "x", "--endpoint-url", url],
            &["tags", "fetch", "--endpoint-url", url],
        ] {
            let (code, words) = run(command);
            assert_eq!(code, Some(2), "{command:?}: {words}");
            assert!(words.contains(why), "{command:?}: {words}");
        }
    }
    let peer = Peer::scripted(yes);
    let url = peer.url("/");
    folder.write("kept.ndjson", "");
    let key = ["--access-key", "secret\n"];
    for command in [
        &["conform", &url][..],
        &["simulate", "--points", "1", "--to", &url],
        &["replay", "kept.ndjson", "--data-dir", ".", "--to-endpoint", &url],
    ] {
        let (code, words) = run(&[command, &key].concat());
        assert_eq!(code, Some(2), "{command:?}: {words}");
        assert!(words.contains("character 7") && !words.contains("secret"), "{words}");
    }
    assert_eq!(peer.count(), 0, "nothing was sent");
    let (code, words) = run(&["conform", &url.replace("http", "HTTP"), "--case", "json"]);
    assert_eq!(code, Some(0), "{words}");
}

/// *Scenario:* a receiver by HTTPS with a certificate of its own.
/// *Guarantees:* 69 unless its authority is named, or any certificate is taken.
#[test]
fn certificates_are_checked() {
    let authority = testkit::Authority::new();
    let peer = Peer::start_tls(authority.sign("127.0.0.1").server_config(), Reply::status(404));
    let folder = TempDir::new("conform-tls");
    let file = folder.write("ca.pem", authority.ca_pem());
    let url = peer.url("/");
    let only = ["--case", "get"];
    assert_eq!(conform(&url, &only).0, 69);
    assert_eq!(conform(&url, &[&only[..], &["--insecure"]].concat()).0, 0);
    let trusting = ["--ca-file", file.to_str().unwrap()];
    assert_eq!(conform(&url, &[&only[..], &trusting].concat()).0, 0);

    // As openssl makes it, with CA:TRUE: the remedy is told.
    let own = testkit::Identity::self_signed_authority("127.0.0.1");
    let file = folder.write("own.pem", &own.cert_pem);
    let peer = Peer::start_tls(own.server_config(), Reply::status(404));
    let trusting = ["--ca-file", file.to_str().unwrap()];
    let (code, _, words) = conform(&peer.url("/"), &[&only[..], &trusting].concat());
    assert_eq!(code, 69, "{words}");
    assert!(words.contains("CA:FALSE") && !words.contains("OtherError"), "{words}");
}
