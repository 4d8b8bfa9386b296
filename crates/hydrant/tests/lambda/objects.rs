//! Objects to a destination: every kind of event, what is refused, what cannot be delivered in time.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Peer, Reply};

use crate::cloud::{
    batch, bucket, bucket_busy, delivered, event_bridge, expected, lines, notification,
};
use crate::emulator::{Given, Lambda, PATIENCE};

/// A function between this bucket and this destination, which takes OTLP uncompressed.
pub(crate) fn start(given: Vec<Given>, s3: &Peer, backend: &Peer, more: &[(&str, &str)]) -> Lambda {
    let (s3, backend) = (s3.url(""), backend.url("/v1/metrics"));
    let mut variables = vec![
        ("AWS_ENDPOINT_URL", s3.as_str()),
        ("HYDRANT_STREAM__DESTINATION__TYPE", "otlp"),
        ("HYDRANT_STREAM__DESTINATION__ENDPOINT", backend.as_str()),
        ("HYDRANT_STREAM__DESTINATION__COMPRESSION", "none"),
    ];
    variables.extend(more);
    Lambda::start(given, &variables)
}

pub(crate) fn taking() -> Peer {
    Peer::start(Reply::json(200, "{}"))
}

/// *Scenario:* one object each by S3's own event, SNS, EventBridge, and a queue with all three within;
/// keys with a blank and a letter beyond ASCII; then S3's test event.
/// *Guarantees:* every point of every object arrives exactly once, and the answers say so.
#[test]
fn every_kind_of_notification() {
    let key = "year=2026/a b+\u{e4}.gz";
    let spelled = "year%3D2026/a+b%2B%C3%A4.gz";
    let s3 = bucket(vec![
        (key.to_owned(), rehearsal::payload::gzip(&lines("one", 0, 10))),
        ("two".to_owned(), lines("two", 0, 3)),
        ("three".to_owned(), lines("three", 0, 4)),
        ("four".to_owned(), lines("four", 0, 5)),
    ]);
    let sns = json!({ "Records": [{
        "EventSource": "aws:sns", "Sns": { "Message": notification("two").to_string() },
    }]});
    let within_sns = json!({ "Type": "Notification", "Message": event_bridge("four").to_string() });
    let bodies = [("m1", within_sns.to_string()), ("m2", notification("two").to_string())];
    let given = vec![
        Given::new(notification(spelled).to_string()),
        Given::new(sns.to_string()),
        Given::new(event_bridge("three").to_string()),
        Given::new(batch(&bodies)),
        Given::new(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"metrics"}"#),
    ];
    let backend = taking();
    let lambda = start(given, &s3, &backend, &[]);
    let answers = lambda.answers(5);
    for (answer, count) in answers[..3].iter().zip([10, 3, 4]) {
        assert_eq!(answer.body["statusCode"], 200, "{answer:?}\n{:?}", lambda.log());
        assert_eq!(answer.body["points"]["delivered"], count, "{answer:?}");
    }
    assert_eq!(answers[3].body, json!({ "batchItemFailures": [] }));
    assert_eq!(answers[4].body["objects"], 0);
    // The second time "two" is told of within a process it is known.
    let all = [("one", 0, 10), ("two", 0, 3), ("three", 0, 4), ("four", 0, 5)];
    assert_eq!(delivered(&backend.requests()), expected(&all));
    let told = &lambda.logged("object delivered", 1)[0];
    assert_eq!(
        (told["object"].as_str(), told["delivered"].as_u64()),
        (Some(&*format!("s3://metrics/{key}")), Some(10))
    );
    assert_eq!(told["requestId"], "request-1");
}

/// *Scenario:* a batch of four: a good object, one that may not be read, one that is gone, and a text
/// that means nothing; then a batch of only the bad ones.
/// *Guarantees:* exactly the messages that failed are named; the good one is delivered; a batch of
/// failures fails as a whole; the log says what and where.
#[test]
fn a_batch_fails_message_by_message() {
    let s3 = bucket(vec![("good".to_owned(), lines("good", 0, 7))]);
    let message = |id, key| (id, notification(key).to_string());
    let bad = ("m4", "hello".to_owned());
    let given = vec![
        Given::new(batch(&[
            message("m1", "denied/x"),
            message("m2", "good"),
            message("m3", "gone"),
            bad.clone(),
        ])),
        Given::new(batch(&[message("m5", "denied/x"), bad])),
    ];
    let backend = taking();
    let lambda = start(given, &s3, &backend, &[]);
    let answers = lambda.answers(2);
    let failures = json!([{ "itemIdentifier": "m1" }, { "itemIdentifier": "m4" }]);
    assert_eq!(answers[0].body["batchItemFailures"], failures, "{:?}", lambda.log());
    assert_eq!(delivered(&backend.requests()), expected(&[("good", 0, 7)]));
    answers[1].error();
    let failed = lambda.logged("message failed", 4);
    let kinds: Vec<_> = failed
        .iter()
        .map(|l| (l["message_id"].as_str().unwrap(), l["kind"].as_str().unwrap()))
        .collect();
    let (unreadable, unknown) = ("Hydrant.ObjectUnreadable", "Hydrant.UnknownEvent");
    assert_eq!(kinds, [("m1", unreadable), ("m4", unknown), ("m5", unreadable), ("m4", unknown)]);
    let reason = failed[0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("s3://metrics/denied/x") && reason.contains("AccessDenied"),
        "{reason}"
    );
    assert_eq!(lambda.logged("object is gone", 1).len(), 1);
}

/// *Scenario:* the destination answers 503 while the first message's time runs out; it is back when the
/// message comes again.
/// *Guarantees:* the invocation fails before its deadline and says what the destination said; the
/// second time every point arrives, and nothing that was left behind the first time arrives besides.
#[test]
fn what_is_not_delivered_in_time_fails() {
    let s3 = bucket(vec![("object".to_owned(), lines("m", 0, 50))]);
    let backend = Peer::start(Reply::json(503, r#"{"message":"overloaded"}"#));
    let event = batch(&[("m1", notification("object").to_string())]);
    let given = vec![Given::new(&*event).within_ms(3_500), Given::new(&*event)];
    let begun = Instant::now();
    let lambda = start(given, &s3, &backend, &[]);
    let answer = lambda.answer();
    let took = begun.elapsed();
    assert!(took < Duration::from_millis(3_500) && took > Duration::from_millis(2_000), "{took:?}");
    let (kind, message) = answer.error();
    assert_eq!(kind, "Hydrant.NotDelivered");
    for part in ["s3://metrics/object", "0 points were", "time is up", "503", "overloaded"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    let before = backend.count();
    backend.set(Reply::json(200, "{}"));
    let answers = lambda.answers(2);
    assert_eq!(answers[1].body, json!({ "batchItemFailures": [] }), "{:?}", lambda.log());
    let after = backend.requests();
    // A request of the first time may have been on its way.
    let good = after[before..].iter().filter(|request| !request.body.is_empty()).count();
    assert!((1..=2).contains(&good), "{good}");
    assert_eq!(delivered(&after[after.len() - 1..]), expected(&[("m", 0, 50)]));
}

/// *Scenario:* a batch of two when time is up after the first one's failure.
/// *Guarantees:* the second is not begun, and named among the failures: nothing is taken for done.
#[test]
fn what_was_not_begun_fails() {
    let s3 = bucket(vec![("a".to_owned(), lines("a", 0, 5)), ("b".to_owned(), lines("b", 0, 5))]);
    let backend = Peer::start(Reply::Hang);
    let message = |id, key| (id, notification(key).to_string());
    let event = batch(&[message("m1", "a"), message("m2", "b")]);
    let lambda = start(vec![Given::new(event).within_ms(2_500)], &s3, &backend, &[]);
    let (kind, message) = &lambda.answer().error_owned();
    assert_eq!(kind, "Hydrant.NotDelivered");
    assert!(message.contains("s3://metrics/b was not begun"), "{message}");
    let failed = lambda.logged("message failed", 2);
    assert!(failed[0]["reason"].as_str().unwrap().contains("has not answered"), "{failed:?}");
    assert!(!s3.requests().iter().any(|request| request.target.ends_with("/b")));
}

/// *Scenario:* credentials that are refused (401), with an hour of time.
/// *Guarantees:* the invocation gives up long before, and says that it is the credentials.
#[test]
fn refused_credentials_do_not_wait() {
    let s3 = bucket(vec![("a".to_owned(), lines("a", 0, 5))]);
    let backend = Peer::start(Reply::json(401, "{}"));
    let event = notification("a").to_string();
    let lambda = start(vec![Given::new(event).within_ms(3_600_000)], &s3, &backend, &[]);
    let (kind, message) = &lambda.answer().error_owned();
    assert_eq!(kind, "Hydrant.NotDelivered");
    assert!(message.contains("given up after 1") && message.contains("401"), "{message}");
}

/// *Scenario:* the destination refuses a request for good; an object holds some lines that are none;
/// another is no metric stream at all; under each value of `HYDRANT_ON_REFUSED`.
/// *Guarantees:* by default only the object without any point fails, the others are told with reason,
/// count and sample, also the second time; `fail` fails all, also when it comes again, `log` none;
/// nothing stays behind.
#[test]
fn refused_points_are_told_or_fail() {
    let mut half = lines("half", 0, 3);
    half.extend_from_slice(b"{\"metric_name\":\"cut\n");
    let s3 = || {
        bucket(vec![
            ("refused".to_owned(), lines("refused", 0, 4)),
            ("half".to_owned(), half.clone()),
            ("again".to_owned(), half.clone()),
            ("page".to_owned(), b"<html><body>not found</body></html>".to_vec()),
        ])
    };
    let keys = ["refused", "half", "again", "page", "page"];
    let cases = [("", [false, false, false, true, true]), ("fail", [true; 5]), ("log", [false; 5])];
    for (value, fails) in cases {
        let s3 = s3();
        let backend = Peer::scripted(|request| {
            let refused = request.text().contains("refused");
            if refused {
                Reply::json(400, r#"{"message":"no such tenant"}"#)
            } else {
                Reply::json(200, "{}")
            }
        });
        let given = keys.map(|key| Given::new(notification(key).to_string()));
        let lambda = start(given.into(), &s3, &backend, &[("HYDRANT_ON_REFUSED", value)]);
        let answers = lambda.answers(keys.len());
        let failed: Vec<bool> = answers.iter().map(|a| a.path.ends_with("/error")).collect();
        assert_eq!(failed, fails, "{value}: {answers:?}\n{:?}", lambda.log());
        for answer in answers.iter().filter(|answer| answer.path.ends_with("/error")) {
            assert_eq!(answer.error().0, "Hydrant.Refused");
        }
        let told = lambda.logged("points were refused", keys.len());
        let counts: Vec<_> = told
            .iter()
            .map(|l| (l["delivered"].as_u64().unwrap(), l["refused"].as_u64().unwrap()))
            .collect();
        assert_eq!(counts, [(0, 4), (3, 1), (3, 1), (0, 1), (0, 1)], "{told:?}");
        let samples: Vec<_> = told.iter().map(|l| l["samples"].as_str().unwrap()).collect();
        assert!(samples[0].contains("no such tenant"), "{samples:?}");
        for sample in &samples[1..3] {
            assert!(sample.contains("malformed_json") && sample.contains("cut"), "{samples:?}");
        }
        let remedy = "markup (narrow the prefix";
        assert!(samples[3..].iter().all(|sample| sample.starts_with(remedy)), "{samples:?}");
        let left = files_below(lambda.dir.path());
        let left: Vec<_> = left
            .iter()
            .filter(|f| !f.ends_with("bootstrap") && !f.to_string_lossy().contains("/state/"))
            .collect();
        let left: Vec<_> =
            left.iter().filter(|f| std::fs::metadata(f).unwrap().len() > 0).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// *Scenario:* a bucket with versions, and a role that may read objects only, as the recipes' has;
/// notifications of a version, of an object from before there were versions, of a folder.
/// *Guarantees:* the objects are read; a folder, in which there is nothing, is no failure.
#[test]
fn versions_and_folders_of_a_bucket() {
    let object = lines("a", 0, 2);
    let told = |key: &str, more: Value| {
        let mut event = notification(key);
        let told = event["Records"][0]["s3"]["object"].as_object_mut().unwrap();
        told.extend(more.as_object().unwrap().clone());
        Given::new(event.to_string())
    };
    let etag = format!("{:x}", object.len());
    let given = vec![
        told("a", json!({ "versionId": "v1", "eTag": etag })),
        told("b", json!({ "versionId": "null" })),
        told("folder/", json!({ "size": 0 })),
    ];
    let s3 = bucket(vec![
        ("a".to_owned(), object),
        ("b".to_owned(), lines("b", 0, 3)),
        ("folder/".to_owned(), Vec::new()),
    ]);
    let backend = taking();
    let lambda = start(given, &s3, &backend, &[]);
    for (answer, objects) in lambda.answers(3).iter().zip([1, 1, 0]) {
        assert_eq!(answer.body["objects"], objects, "{answer:?}");
    }
    assert_eq!(delivered(&backend.requests()), expected(&[("a", 0, 2), ("b", 0, 3)]));
}

/// *Scenario:* a backfill whose second page S3 is too busy to list, once; then for ever.
/// *Guarantees:* it is asked for again; at the end of its time the answer holds the event that goes on.
#[test]
fn a_backfill_is_patient_with_listings() {
    for (busy, objects, next) in [(1, 3, Value::Null), (100, 2, json!("p/1"))] {
        let objects_of =
            bucket_busy((0..3).map(|n| (format!("p/{n}"), lines("m", n, n + 1))), busy);
        let backend = taking();
        let event = r#"{"bucket_name":"metrics","prefix":"p/"}"#;
        let given = vec![Given::new(event).within_ms(4_000)];
        let lambda = start(given, &objects_of, &backend, &[]);
        let body = lambda.answer().body;
        assert_eq!(body["objects"], objects, "{body}\n{:?}", lambda.log());
        assert_eq!(body["next"]["start_after"], next, "{body}");
    }
}

/// *Scenario:* among lines of ordinary size one of almost four megabytes, in the smallest function.
/// *Guarantees:* it passes through a journal whose segments are hardly larger, and all arrive.
#[test]
fn a_line_as_long_as_a_segment() {
    let mut object = lines("before", 0, 3);
    let long =
        String::from_utf8(lines("long", 0, 1)).unwrap().replace("i-0", &"x".repeat(4_150_000));
    object.extend_from_slice(long.as_bytes());
    object.extend(lines("after", 0, 3));
    let s3 = bucket(vec![("object".to_owned(), object)]);
    let backend = taking();
    let lambda = start(vec![Given::new(notification("object").to_string())], &s3, &backend, &[]);
    let answer = lambda.answer();
    let points = json!({ "delivered": 7, "filtered": 0, "refused": 0 });
    assert_eq!(answer.body["points"], points, "{answer:?}");
    assert_eq!(delivered(&backend.requests()).len(), 7);
}

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// *Scenario:* a backfill of five objects under a prefix, three pages; one by the event, one by the
/// environment with an empty event; and one that time ends in the middle.
/// *Guarantees:* all pages are read and nothing besides the prefix; the environment comes before the
/// event; where time ended, the answer holds the event that goes on after the last whole object.
#[test]
fn a_backfill_reads_every_page() {
    let mut objects: Vec<_> =
        (0..5).map(|n| (format!("p/{n}"), lines(&format!("m{n}"), 0, 2))).collect();
    objects.push(("other/x".to_owned(), lines("other", 0, 2)));
    let s3 = bucket(objects.clone());
    let all: Vec<(String, u32, u32)> = (0..5).map(|n| (format!("m{n}"), 0, 2)).collect();
    let all: Vec<(&str, u32, u32)> = all.iter().map(|(m, a, b)| (m.as_str(), *a, *b)).collect();
    let twice = [all.clone(), all.clone()].concat();

    let event = r#"{"bucket_name":"metrics","prefix":"p/"}"#;
    let backend = taking();
    let lambda = start(vec![Given::new(event), Given::new(event)], &s3, &backend, &[]);
    let answers = lambda.answers(2);
    assert_eq!(answers[0].body["objects"], 5, "{:?}", lambda.log());
    assert_eq!(answers[1].body["points"]["delivered"], 10, "asked for again, sent again");
    assert_eq!(delivered(&backend.requests()), expected(&twice));

    let backend = taking();
    let environment = [("S3_BUCKET_NAME", "metrics"), ("S3_PREFIX", "p/")];
    let given = vec![Given::new(r#"{"bucket_name":"another-bucket"}"#), Given::new("{}")];
    let lambda = start(given, &s3, &backend, &environment);
    assert_eq!(lambda.answers(2)[1].body["objects"], 5);
    assert_eq!(delivered(&backend.requests()), expected(&twice));
    assert_eq!(lambda.logged("S3_BUCKET_NAME comes before the event", 1).len(), 1);

    let backend = Peer::scripted(|request| {
        if request.text().contains("m3") { Reply::Hang } else { Reply::json(200, "{}") }
    });
    let lambda = start(vec![Given::new(event).within_ms(3_000)], &s3, &backend, &[]);
    let body = lambda.answer().body;
    assert_eq!((&body["statusCode"], &body["objects"]), (&json!(206), &json!(3)), "{body}");
    let next = json!({ "bucket_name": "metrics", "prefix": "p/", "start_after": "p/2" });
    assert_eq!(body["next"], next);
    let backend = taking();
    let lambda = start(vec![Given::new(next.to_string())], &s3, &backend, &[]);
    assert_eq!(lambda.answer().body["objects"], 2);
    assert_eq!(delivered(&backend.requests()), expected(&[("m3", 0, 2), ("m4", 0, 2)]));
}

/// *Scenario:* a backfill over a folder marker, an empty object, a page of HTML and two good objects;
/// then over the page alone.
/// *Guarantees:* the good ones are delivered and the page is named, with 206; alone it is an error.
#[test]
fn a_backfill_goes_on_behind_a_bad_object() {
    let page = b"<html>no metrics</html>".to_vec();
    let s3 = bucket(vec![
        ("p/".to_owned(), Vec::new()),
        ("p/a".to_owned(), lines("a", 0, 2)),
        ("p/b.html".to_owned(), page),
        ("p/c".to_owned(), Vec::new()),
        ("p/d".to_owned(), lines("d", 0, 2)),
    ]);
    let backend = taking();
    let given = ["p/", "p/b"].map(|prefix| {
        Given::new(json!({ "bucket_name": "metrics", "prefix": prefix }).to_string())
    });
    let lambda = start(given.into(), &s3, &backend, &[]);
    let answers = lambda.answers(2);
    let body = &answers[0].body;
    assert_eq!((&body["statusCode"], &body["objects"]), (&json!(206), &json!(2)), "{body}");
    assert_eq!(body["failed"]["objects"], 1);
    assert!(body["failed"]["reasons"][0].as_str().unwrap().contains("p/b.html"), "{body}");
    assert_eq!(answers[1].body["errorType"], "Hydrant.Refused");
    assert_eq!(delivered(&backend.requests()), expected(&[("a", 0, 2), ("d", 0, 2)]));
}

/// *Scenario:* an object of 60 MB inflated, in a function of 128 MB, whose destination is slow.
/// *Guarantees:* every point arrives once, and the process never holds what the object holds.
#[test]
fn a_large_object_passes_in_little_memory() {
    let mut compressed = Vec::new();
    for part in 0..20 {
        compressed.extend(rehearsal::payload::gzip(&lines(
            "m",
            part * 10_000,
            (part + 1) * 10_000,
        )));
    }
    let s3 = bucket(vec![("large".to_owned(), compressed)]);
    let backend = Peer::start(Reply::json(200, "{}").after(Duration::from_millis(20)));
    let mut lambda = start(vec![Given::new(notification("large").to_string())], &s3, &backend, &[]);
    let answer = lambda.answer();
    assert_eq!(answer.body["points"]["delivered"], 200_000, "{:?}", lambda.log());
    assert_eq!(delivered(&backend.requests()).len(), 200_000);
    let status = std::fs::read_to_string(format!("/proc/{}/status", lambda.process.id())).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    println!("peak of a 60 MB object: {kilobytes} KB");
    assert!(kilobytes < 110_000, "{kilobytes} KB");
    lambda.process.terminate();
    lambda.process.wait(PATIENCE);
}
