//! Drop-in for Dynatrace's own endpoint: each target and token has a lane of its own.

use std::io::ErrorKind;
use std::net::SocketAddr;

use metric::Format;
use rehearsal::Fault;
use rehearsal::ledger::View;
use rehearsal::sender::Sender;
use testkit::RawAnswer;

use crate::load;
use crate::points::{Batch, now_ms};
use crate::receivers::{Book, Dynatrace};
use crate::service::{Home, Service, files_below, free_port};

/// What seals tokens at rest; not a secret of anybody.
const TOKEN_KEY: &str = "0123456789abcdef0123456789abcdef";

/// An environment with its one token, and its ledger.
struct Target {
    port: u16,
    token: String,
    book: Book,
    dynatrace: Dynatrace,
}

impl Target {
    fn new(name: &str) -> Target {
        let (port, book) = (free_port(), Book::new(View::Dynatrace));
        let token = format!("dt0c01.{name}.0123456789-THIS-IS-NO-TOKEN");
        let dynatrace = Dynatrace::start(port, &token, &book);
        Target { port, token, book, dynatrace }
    }

    fn attributes(&self) -> Vec<(String, String)> {
        let pairs = [
            ("dt-url", format!("http://127.0.0.1:{}/", self.port)),
            ("require-valid-certificate", "true".to_owned()),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    /// One delivery of 20 points to this target.
    fn deliver(&self, source: SocketAddr, path: &str, number: u64) -> RawAnswer {
        let batch = Batch::new(number, 20);
        batch.each(|_, point| self.book.lock().expect(number, point));
        let id = format!("{}-{number}", self.port);
        let answer = send(source, path, (&id, number), &self.token, self.attributes());
        if answer.status == 200 {
            self.book.lock().acknowledge(number);
        }
        answer
    }
}

fn send(
    source: SocketAddr,
    path: &str,
    (id, number): (&str, u64),
    token: &str,
    attributes: Vec<(String, String)>,
) -> RawAnswer {
    let sender = Sender { access_key: Some(token.to_owned()), attributes, ..load::sender() };
    let records = Batch::new(number, 20).records(Format::Otel10);
    let request = sender.compose(id, now_ms(), &records);
    load::post(source, path, &request).unwrap()
}

fn settings(home: &Home, targets: &[&Target]) {
    let hosts: Vec<String> = targets.iter().map(|t| format!("'127.0.0.1:{}'", t.port)).collect();
    let stream = format!(
        "  drop-in:\n    source: aws\n    destination:\n      type: dynatrace\n      from_request:\n        \
         allowed_hosts: [{}]\n        token_key: {TOKEN_KEY}\n",
        hosts.join(", ")
    );
    home.write_with("lenient: false", &stream);
}

fn base64(text: &str) -> String {
    let mut out = Vec::new();
    codec::base64::encode_into(text.as_bytes(), &mut out);
    String::from_utf8(out).unwrap()
}

/// No file below the data folder and no line of the log holds a token, raw or as base64.
#[track_caller]
fn no_token_shows(home: &Home, log: &str, targets: &[&Target]) {
    let mut looked_at: Vec<(String, Vec<u8>)> = vec![("the log".to_owned(), log.into())];
    for file in files_below(&home.data()) {
        match std::fs::read(&file) {
            Ok(bytes) => looked_at.push((file.display().to_string(), bytes)),
            // The process is at work: a file that was listed may have been renamed or be done with.
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{}", file.display()),
        }
    }
    assert!(looked_at.iter().any(|(name, _)| name.contains("lanes")), "lanes are kept in files");
    for target in targets {
        // Base64 of the middle depends on where it begins: three ways of it.
        let mut marks = vec![target.token.clone(), TOKEN_KEY.to_owned()];
        for skip in 0..3 {
            let encoded = base64(target.token.get(skip..).unwrap());
            marks.push(encoded.get(..encoded.len() - 4).unwrap().to_owned());
        }
        for (name, bytes) in &looked_at {
            for mark in &marks {
                let held = bytes.windows(mark.len()).any(|window| window == mark.as_bytes());
                assert!(!held, "{name} holds {mark}");
            }
        }
    }
}

fn lanes(service: &Service<'_>) -> Vec<serde_json::Value> {
    let streams = service.status()["streams"].as_array().unwrap().clone();
    streams.into_iter().filter(|s| s["name"].as_str().unwrap().starts_with("drop-in.")).collect()
}

/// *Scenario:* deliveries with two targets and two tokens on the paths of Dynatrace's endpoint; one
/// token is revoked, the process is killed and started again, the token becomes good again.
/// *Guarantees:* each target gets its own points and no others; the revoked token delays nobody and
/// goes back as 401 or is held; what is held survives the restart and arrives in the end; no token is
/// readable in the data folder or the log.
#[test]
fn a_revoked_token_delays_nobody() {
    let (good, bad) = (Target::new("GOOD"), Target::new("BAD"));
    let home = Home::new("lanes");
    settings(&home, &[&good, &bad]);
    let service = home.start();
    let before = &service.status()["streams"][0];
    assert_eq!(before["name"], "drop-in");
    assert!(before["destination"].as_str().unwrap().contains("no delivery has named a target yet"));
    let (_, _, said) = home.command(&["tap", "drop-in", "--data-dir", "data"]);
    assert!(said.contains("stream drop-in is drop-in, and no delivery has named"), "{said}");
    for (number, path) in (0..).zip(["/", "/metrics", "/metrics/"]) {
        for target in [&good, &bad] {
            let answer = target.deliver(home.source, path, number);
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        }
    }
    good.book.settle("the first target", || service.log());
    bad.book.settle("the second target", || service.log());
    assert_eq!(lanes(&service).len(), 2);

    bad.dynatrace.receiver.faults().always(Fault::Status(401, None));
    let mut held = 0;
    for number in 10..20 {
        // Taken until the lane has heard of it; then its sender is told.
        let answer = bad.deliver(home.source, "/", number);
        assert!(matches!(answer.status, 200 | 401), "{}: {}", answer.status, answer.text());
        held += u64::from(answer.status == 200);
        assert_eq!(good.deliver(home.source, "/", number).status, 200);
    }
    good.book.settle("the good token goes on", || service.log());
    assert!(held > 0);
    service.until("the lane is loud", |_| lanes(&service).iter().any(|l| l["loud"] == true));
    let answer = bad.deliver(home.source, "/", 30);
    assert_eq!(answer.status, 401, "its sender is told: {}", answer.text());
    let first_log = service.log();
    service.kill();

    let service = home.start();
    assert_eq!(lanes(&service).len(), 2, "lanes survive a restart");
    assert_eq!(good.deliver(home.source, "/", 40).status, 200);
    good.book.settle("the good token after the restart", || service.log());
    assert_eq!(bad.book.compare().missing, 20 * held);
    bad.dynatrace.receiver.faults().clear();
    bad.book.settle("what was held arrives", || service.log());
    no_token_shows(&home, &(first_log + &service.log()), &[&good, &bad]);
    service.stop();
}

/// *Scenario:* a target that is not allowed, none at all, no token, a token that the target refuses.
/// *Guarantees:* 400, 400, 401, 401, each with what to do; no lane is made and nothing is stored.
#[test]
fn a_delivery_that_names_no_usable_target_is_refused() {
    let target = Target::new("ONLY");
    let home = Home::new("lanes-refused");
    settings(&home, &[&target]);
    let service = home.start();
    let attributes = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let refusals = [
        (attributes("dt-url", "http://127.0.0.1:9"), target.token.as_str(), 400, "allowed_hosts"),
        (attributes("dt-url", "https://evil.example.com"), &target.token, 400, "allowed_hosts"),
        (attributes("other", "x"), &target.token, 400, "dt-url"),
        (Vec::new(), &target.token, 400, "dt-url"),
        (target.attributes(), "dt0c01.WRONG.token", 401, "401"),
        (target.attributes(), "", 401, "access key"),
    ];
    for (number, (attributes, token, status, says)) in (0..).zip(refusals) {
        let answer = send(home.source, "/", ("refused", number), token, attributes);
        assert_eq!(answer.status, status, "{number}: {}", answer.text());
        assert!(answer.text().contains(says), "{number}: {}", answer.text());
    }
    assert_eq!(service.metric("hydrant_journal_entries_total{topic=\"aws\"}"), 0.0);
    assert_eq!(lanes(&service).len(), 0);
    service.stop();
}

/// *Scenario:* a second target is allowed by a reload while the first one delivers; then the first
/// is taken off the list.
/// *Guarantees:* the lane of the first goes on after the reload without a loss or a second copy, the
/// second gets one, and a target taken off the list is refused.
#[test]
fn a_reload_changes_who_is_allowed() {
    let (first, second) = (Target::new("FIRST"), Target::new("SECOND"));
    let home = Home::new("lanes-reload");
    settings(&home, &[&first]);
    let service = home.start();
    let reload = |targets: &[&Target]| {
        let before = service.logged("settings reloaded");
        settings(&home, targets);
        service.process.hang_up();
        service.until("the reload", |s| s.logged("settings reloaded") > before);
    };
    assert_eq!(first.deliver(home.source, "/", 1).status, 200);
    first.book.settle("before the reload", || service.log());
    assert_eq!(second.deliver(home.source, "/", 1).status, 400);
    reload(&[&first, &second]);
    for target in [&first, &second] {
        assert_eq!(target.deliver(home.source, "/", 2).status, 200);
        let compared = target.book.settle("after the reload", || service.log());
        assert_eq!(compared.duplicates, 0, "{compared:?}");
    }
    assert_eq!(lanes(&service).len(), 2);
    reload(&[&second]);
    assert_eq!(first.deliver(home.source, "/", 3).status, 400);
    assert_eq!(second.deliver(home.source, "/", 3).status, 200);
    second.book.settle("after the second reload", || service.log());
    service.stop();
}
