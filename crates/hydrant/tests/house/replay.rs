//! What was kept is put back: to one stream, once, beside a running process and without one.

use std::path::{Path, PathBuf};

use aws::firehose::failed::{self, FailedRecord, Origin};
use metric::Format;
use rehearsal::ledger::View;
use serde_json::Value;
use testkit::{Peer, Process, Reply};

use crate::load;
use crate::points::{Batch, NAMESPACE, now_ms};
use crate::receivers::{Book, Dynatrace, TOKEN, to_blackhole, to_dynatrace};
use crate::service::{Home, PATIENCE, binary, eventually, free_port};

const STREAM: &str = "to-dynatrace";

/// The failed-record lines of a batch, of which these items of each record were not delivered.
fn lines_of(batch: &Batch, format: Format, undelivered: Option<&[(u32, u32)]>) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, record) in batch.records(format).iter().enumerate() {
        let mut raw = Vec::new();
        codec::base64::encode_into(record, &mut raw);
        let points = (batch.count - 100 * index as u32).min(100);
        let origin = Origin {
            version: 1,
            stream: STREAM.to_owned(),
            source: "aws".to_owned(),
            topic: "aws".to_owned(),
            sequence: batch.number,
            record: index as u32,
            request_id: format!("first-{}", batch.number),
            source_arn: "arn:aws:firehose:eu-west-1:111122223333:deliverystream/house".to_owned(),
            attributes: [("team".to_owned(), "sre".to_owned())].into(),
            points,
            undelivered: undelivered.map_or_else(|| vec![(0, points)], <[_]>::to_vec),
        };
        let line = FailedRecord {
            attempts_made: 3,
            arrival_timestamp: now_ms() - 60_000,
            error_code: "HttpEndpoint.DestinationException".to_owned(),
            error_message: "503".to_owned(),
            attempt_ending_timestamp: now_ms(),
            raw_data: String::from_utf8(raw).unwrap(),
            subsequence_number: 0,
            data_id: format!("aws-{:016}-{index:05}.0", batch.number),
            hydrant: Some(origin),
        };
        failed::write(&line, &mut out);
    }
    out
}

/// A file in a folder of the home.
fn write(home: &Home, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = home.dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path
}

fn expect(book: &Book, batch: &Batch, wanted: impl Fn(u32) -> bool) {
    let mut ledger = book.lock();
    batch.each(|n, point| {
        if wanted(n) {
            ledger.expect(batch.number, point);
        }
    });
    ledger.acknowledge(batch.number);
}

/// Runs `hydrant replay` and reads its JSON: exit code, account, words.
fn replay(home: &Home, arguments: &[&str]) -> (i32, Value, String) {
    let all = [&["replay", "-c", "hydrant.yaml", "--output", "json"], arguments].concat();
    let (code, stdout, stderr) = home.command(&all);
    (code, serde_json::from_str(&stdout).unwrap_or(Value::Null), stderr)
}

/// A backup of `count` points in records of a hundred, and their book.
fn backup(home: &Home, count: u32) -> (Batch, Book, PathBuf) {
    let batch = Batch::new(1, count);
    let path = write(home, "backup/a.json", lines_of(&batch, Format::Otel10, None));
    let book = Book::new(View::Dynatrace);
    expect(&book, &batch, |_| true);
    (batch, book, path)
}

/// *Scenario:* a stream beside a healthy one fails until its data is in the backup; the backup is put
/// back through the running process while the destination is still down, so that it lands in the backup
/// a second time; then, after a restart, the destination is well and everything kept is put back,
/// twice over.
/// *Guarantees:* every point arrives once, the healthy stream gets nothing a second time, what is in
/// the list is not put back again, and status shows the replay under its stream.
#[test]
fn a_backup_is_put_back_beside_a_running_house() {
    let port = free_port();
    let home = Home::new("replay-beside");
    home.write(&(to_dynatrace(STREAM, port, &["retry_duration: 1s"]) + &to_blackhole("healthy")));
    let book = Book::new(View::Dynatrace);
    let service = home.start();
    let batch = Batch::new(1, 250);
    assert_eq!(load::deliver(home.source, &load::sender(), "one", &batch, &[&book]).status, 200);
    service.until("it is in the backup", |s| s.points(STREAM, "backed_up") == 250.0);

    let backup = "data/backup/to-dynatrace";
    let (code, told, words) = replay(&home, &[backup, "--to", STREAM]);
    assert_eq!((code, &told["points"], &told["broken"]), (0, &250.into(), &0.into()), "{words}");
    assert!(words.contains("delivers it now"), "{words}");
    service.until("it is there again", |s| s.points(STREAM, "backed_up") == 500.0);
    assert_eq!(service.points("healthy", "delivered"), 250.0);

    // A new process: in the old one's outage the next probe may be later than the retry duration.
    service.stop();
    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let service = home.start();
    let (code, told, words) = replay(&home, &[backup, "--to", STREAM]);
    assert_eq!((code, &told["points"]), (0, &250.into()), "{words}");
    assert_eq!(told["already_records"], 3, "{told}");
    let compared = book.settle("all arrived", || service.log());
    assert_eq!((compared.sent, compared.duplicates), (250, 0), "{compared:?}");

    let (code, told, words) = replay(&home, &[backup, "--to", STREAM]);
    assert_eq!((code, &told["points"], &told["already_records"]), (0, &0.into(), &6.into()));
    assert!(!words.contains("delivers it now"), "nothing was put back: {words}");
    service.until("it is delivered", |s| s.points(STREAM, "delivered") == 250.0);
    assert_eq!(service.points("healthy", "delivered"), 0.0, "nothing since the restart");
    service.until("status shows no backlog", |s| s.stream(STREAM)["backlog_bytes"] == 0);
    let status = service.status();
    let topics = status["journal"]["topics"].as_array().unwrap();
    assert!(topics.iter().any(|topic| topic["name"] == "replay~to-dynatrace"), "{status}");
    service.stop();
}

/// *Scenario:* of each of three records, in each format, only some items were not delivered; no
/// process runs.
/// *Guarantees:* exactly the missing half arrives, the command ends when it has, and tells so.
#[test]
fn of_a_half_delivered_record_only_the_missing_half() {
    let port = free_port();
    let home = Home::new("replay-half");
    home.write(&(to_dynatrace(STREAM, port, &[]) + &to_blackhole("healthy")));
    let book = Book::new(View::Dynatrace);
    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let wanted = [(10, 20), (95, 100)];
    for (number, format) in [(1, Format::Otel10), (2, Format::Otel07), (3, Format::Json)] {
        let batch = Batch::new(number, 100);
        expect(&book, &batch, |n| wanted.iter().any(|(from, to)| (*from..*to).contains(&n)));
        let lines = lines_of(&batch, format, Some(&wanted));
        write(&home, &format!("backup/{number}.json"), lines);
    }
    let (code, told, words) = replay(&home, &["backup", "--to", STREAM]);
    assert_eq!((code, &told["points"]), (0, &45.into()), "{words}");
    assert_eq!(
        (&told["stream"]["delivered"], &told["stream"]["held_bytes"]),
        (&45.into(), &0.into())
    );
    let compared = book.settle("the missing half", || words.clone());
    assert_eq!((compared.sent, compared.duplicates), (45, 0), "{compared:?}");
    let (_, told, _) = replay(&home, &["backup", "--to", STREAM]);
    assert_eq!((&told["points"], &told["already_records"]), (&0.into(), &3.into()));
}

/// *Scenario:* a replay at a slow pace is killed half way, beside a running process; the next one is
/// interrupted, the one after it ends; then the list of what was put back is lost and it is run a third time.
/// *Guarantees:* every point arrives exactly once: the list, and behind it the journal's keys, see to it.
#[test]
fn a_replay_killed_half_way_goes_on() {
    let port = free_port();
    let home = Home::new("replay-kill");
    home.write(&to_dynatrace(STREAM, port, &[]));
    let (_, book, _) = backup(&home, 4_000);
    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let service = home.start();
    let list = home.data().join("replay").join("stream-to-dynatrace.done");
    let slow = ["replay", "-c", "hydrant.yaml", "backup", "--to", STREAM, "--rate", "1500"];
    let mut process = Process::start(binary(), slow, home.dir.path());
    until_listed(&list, 8);
    process.kill();
    let mut process = Process::start(binary(), slow, home.dir.path());
    until_listed(&list, 16);
    process.interrupt();
    assert_eq!(process.wait(PATIENCE).code(), Some(130), "{}", process.stderr().join("\n"));

    let (code, told, words) = replay(&home, &["backup", "--to", STREAM]);
    assert_eq!(code, 0, "{words}");
    let (now, before) =
        (told["records"].as_u64().unwrap(), told["already_records"].as_u64().unwrap());
    assert!(now + before == 40 && before >= 16, "{told}");
    let compared = book.settle("all arrived", || service.log());
    assert_eq!((compared.sent, compared.duplicates), (4_000, 0), "{compared:?}");

    std::fs::remove_file(&list).unwrap();
    let (code, told, words) = replay(&home, &["backup", "--to", STREAM]);
    assert_eq!((code, &told["already_records"]), (0, &0.into()), "{words}");
    let status = service.status();
    let topics = status["journal"]["topics"].as_array().unwrap();
    let topic = topics.iter().find(|topic| topic["name"] == "replay~to-dynatrace").unwrap();
    // What a kill hid from the list was a repeat before, too.
    assert_eq!(topic["appended"], 40, "{topic}");
    assert!(topic["repeats"].as_u64().unwrap() >= 40, "{topic}");
    service.stop();
}

/// Waits until the list of what was put back has so many entries.
fn until_listed(list: &Path, entries: u64) {
    let length = || std::fs::metadata(list).map_or(0, |about| about.len());
    eventually("records are put back", || length() >= 16 * (entries + 1), || length().to_string());
}

/// *Scenario:* without a process, a replay is killed by SIGKILL half way, another one interrupted, and
/// the last one ends; another stream has data of its own in the journal all along.
/// *Guarantees:* every point arrives, an interrupted run exits 130 and says how to go on, and the other
/// stream's data is left alone.
#[test]
fn a_replay_alone_survives_kill_and_interrupt() {
    let (port, other) = (free_port(), free_port());
    let home = Home::new("replay-alone");
    home.write(&(to_dynatrace(STREAM, port, &[]) + &to_dynatrace("other", other, &[])));
    let held = Book::new(View::Dynatrace);
    let service = home.start();
    let waiting = Batch::new(9, 50);
    assert_eq!(load::deliver(home.source, &load::sender(), "one", &waiting, &[&held]).status, 200);
    service.stop();

    let (_, book, _) = backup(&home, 4_000);
    expect(&book, &waiting, |_| true);
    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let list = home.data().join("replay").join("stream-to-dynatrace.done");
    let slow = ["replay", "-c", "hydrant.yaml", "backup", "--to", STREAM, "--rate", "1500"];
    let mut process = Process::start(binary(), slow, home.dir.path());
    until_listed(&list, 8);
    process.kill();
    let mut process = Process::start(binary(), slow, home.dir.path());
    until_listed(&list, 20);
    process.interrupt();
    let status = process.wait(PATIENCE);
    let words = process.stderr().join("\n");
    assert_eq!(status.code(), Some(130), "{words}");
    assert!(words.contains("run the same command again"), "{words}");

    let (code, told, words) = replay(&home, &["backup", "--to", STREAM]);
    assert_eq!((code, &told["stream"]["held_bytes"]), (0, &0.into()), "{words}");
    assert!(told["already_records"].as_u64().unwrap() >= 20, "{told}");
    // Everything of both streams, the ordinary data by the next run.
    let _other = Dynatrace::start(other, TOKEN, &held);
    let service = home.start();
    held.settle("the other stream's data", || service.log());
    book.settle("all of the replay, and the ordinary data", || service.log());
    service.stop();
}

/// *Scenario:* points of two hours ago for a stream to Dynatrace, with some of now; put back plainly,
/// with `--too-old skip`, then with `send`.
/// *Guarantees:* the first is refused before anything is sent, with the remedy; the second delivers the
/// young ones alone; the third sends the rest, which ends in quarantine, once.
#[test]
fn age_is_told_before_sending() {
    let port = free_port();
    let home = Home::new("replay-age");
    home.write(&to_dynatrace(STREAM, port, &[]));
    let (_, book, _) = backup(&home, 100);
    let mut old = String::new();
    for n in 0..10 {
        let time = now_ms() - 7_200_000;
        old.push_str(&format!(
            r#"{{"metric_stream_name":"m","account_id":"1","region":"r","namespace":"{NAMESPACE}","metric_name":"Old","dimensions":{{"Q":"{n}"}},"timestamp":{time},"value":{{"max":1.0,"min":1.0,"sum":1.0,"count":1.0}},"unit":"Count"}}
"#
        ));
    }
    write(&home, "backup/s-1-2026-11-20-10-00-00-x", old);
    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let (code, _, words) = replay(&home, &["backup", "--to", STREAM]);
    assert_eq!(code, 1, "{words}");
    assert!(words.contains("10 of 110 points") && words.contains("--too-old skip"), "{words}");
    assert_eq!(book.compare().arrived, 0);

    let (code, told, words) = replay(&home, &["backup", "--to", STREAM, "--too-old", "skip"]);
    assert_eq!(
        (code, &told["points"], &told["skipped_points"]),
        (0, &100.into(), &10.into()),
        "{words}"
    );
    book.settle("the young ones", || words.clone());
    let (code, told, words) = replay(&home, &["backup", "--to", STREAM, "--too-old", "send"]);
    assert_eq!((code, &told["points"]), (0, &10.into()), "{words}");
    assert_eq!(told["stream"]["quarantined"], 10, "{told}");
    assert_eq!(book.compare().duplicates, 0);
}

/// *Scenario:* a dry run over our lines, Firehose's, an archive and a broken line, with and without
/// filters, before and after a part of it was put back.
/// *Guarantees:* the numbers by hour, stream, code, kind and format are right; nothing is sent; a
/// broken line is told with its place and exits 65; namespaces put back alone are not put back again.
#[test]
fn a_dry_run_tells_what_would_happen() {
    let port = free_port();
    let home = Home::new("replay-dry");
    home.write(&to_dynatrace(STREAM, port, &[]));
    let (batch, book, _) = backup(&home, 150);
    let archive = batch.records(Format::Json).concat();
    write(&home, "archive/all-1-2026-11-20-10-59-59-x", &archive);
    // Other points: the same bytes would be the same record, and put back once.
    let other = Batch::new(batch.number + 1, 150).records(Format::Json).concat();
    let mut raw = Vec::new();
    codec::base64::encode_into(&other, &mut raw);
    let raw = String::from_utf8(raw).unwrap();
    let line = format!(
        r#"{{"errorCode":"Lambda.FunctionError","arrivalTimestamp":1795176000000,"rawData":"{raw}"}}"#
    );
    write(&home, "processing-failed/s-2-2026-11-20-12-00-00-x", format!("{line}\n{{\"rawData\n"));
    let all = ["backup", "archive", "processing-failed", "--to", STREAM];
    let (code, told, words) = replay(&home, &[&all[..], &["--dry-run"]].concat());
    assert_eq!(code, 65, "{words}");
    assert!(words.contains("processing-failed/s-2-2026-11-20-12-00-00-x:2: "), "{words}");
    assert_eq!(
        (&told["records"], &told["points"], &told["broken"]),
        (&4.into(), &450.into(), &1.into())
    );
    let groups = told["groups"].as_array().unwrap();
    let group = |kind: &str| groups.iter().find(|g| g["kind"] == kind).unwrap();
    let ours = group("hydrant_backup");
    assert_eq!((&ours["stream"], &ours["format"]), (&STREAM.into(), &"opentelemetry1.0".into()));
    assert_eq!((&ours["records"], &ours["points"]), (&2.into(), &150.into()));
    let firehose = group("firehose_failed");
    assert_eq!((&firehose["hour"], &firehose["stream"]), (&"2026-11-20T12".into(), &"s".into()));
    assert_eq!(firehose["code"], "Lambda.FunctionError");
    let records = group("records");
    assert_eq!((&records["hour"], &records["stream"]), (&"2026-11-20T10".into(), &"all".into()));
    assert!(!home.data().join("journal").exists(), "a dry run touches nothing");

    let dry = |more: &[&str]| replay(&home, &[&all[..], &["--dry-run"], more].concat()).1;
    assert_eq!(dry(&["--code", "Lambda.*"])["points"], 150);
    assert_eq!(dry(&["--until", "2026-11-20T11:00:00Z"])["points"], 150);
    assert_eq!(dry(&["--from", "2026-11-20T11:00:00Z"])["points"], 300);
    assert_eq!(dry(&["--source-stream", STREAM])["points"], 150);
    assert_eq!(dry(&["--namespace", "AWS/EC2"])["points"], 0);

    let _dynatrace = Dynatrace::start(port, TOKEN, &book);
    let (code, told, words) = replay(&home, &["backup", "--to", STREAM, "--namespace", NAMESPACE]);
    assert_eq!((code, &told["points"]), (0, &150.into()), "{words}");
    let told = dry(&[]);
    assert_eq!((&told["already_points"], &told["points"]), (&150.into(), &300.into()), "{told}");
    let (code, stdout, _) =
        home.command(&["replay", "-c", "hydrant.yaml", "backup", "--to", STREAM, "--dry-run"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("HOUR") && stdout.contains("150 points"), "{stdout}");
}

/// *Scenario:* half-delivered records are put back to a receiver of deliveries that first refuses the
/// key, then is down for a moment, then takes them; and once more.
/// *Guarantees:* exit 77 for the key; one delivery with the first one's attributes and the missing half
/// alone; nothing the second time.
#[test]
fn records_are_put_back_to_an_endpoint() {
    let home = Home::new("replay-endpoint");
    let batch = Batch::new(1, 100);
    write(&home, "backup/a.json", lines_of(&batch, Format::Json, Some(&[(10, 15)])));
    let peer = Peer::scripted(|_| Reply::status(401));
    let url = peer.url("/in?x=1");
    let run = |more: &[&str]| {
        let fixed =
            ["replay", "backup", "--to-endpoint", &url, "--data-dir", "state", "-o", "json"];
        home.command(&[&fixed[..], more].concat())
    };
    let (code, _, words) = run(&["--access-key", "wrong"]);
    assert_eq!(code, 77, "{words}");
    assert!(words.contains("--access-key") && !words.contains("wrong"), "{words}");
    assert!(words.contains("put back: 0 records with 0 points (0 B)"), "nothing was: {words}");

    let asked = std::sync::atomic::AtomicU32::new(0);
    peer.set_script(move |request| {
        if asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            return Reply::status(503);
        }
        let id = request.header("x-amz-firehose-request-id").unwrap_or_default();
        Reply::json(200, &format!(r#"{{"requestId":"{id}","timestamp":1}}"#))
    });
    let (code, stdout, words) = run(&["--access-key", "right"]);
    let told: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &told["points"]), (0, &5.into()), "{words}");
    let taken = peer.requests().pop().unwrap();
    let attributes = taken.header("x-amz-firehose-common-attributes").unwrap();
    assert_eq!(attributes, r#"{"commonAttributes":{"team":"sre"}}"#);
    assert!(taken.header("x-amz-firehose-source-arn").unwrap().ends_with("deliverystream/house"));
    let body: Value = serde_json::from_slice(&taken.body).unwrap();
    let mut record = Vec::new();
    let data = body["records"][0]["data"].as_str().unwrap();
    codec::base64::decode_into(data.as_bytes(), &mut record).unwrap();
    assert_eq!(String::from_utf8(record).unwrap().lines().count(), 5);
    let before = peer.requests().len();
    let (code, ..) = run(&["--access-key", "right"]);
    assert_eq!((code, peer.requests().len()), (0, before));

    // Two copies of a folder, and a line that stands twice in a file.
    let lines = lines_of(&Batch::new(2, 100), Format::Json, None);
    write(&home, "backup/b.json", [&lines[..], &lines].concat());
    write(&home, "backup/copy/b.json", &lines);
    for points in [100, 0] {
        let dry = run(&["--dry-run", "--access-key", "right"]).1;
        let told: Value = serde_json::from_str(&dry).unwrap();
        assert_eq!(told["points"], points, "{told}");
        let (code, stdout, words) = run(&["--access-key", "right"]);
        let told: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((code, &told["points"]), (0, &points.into()), "{words}");
    }
}

/// *Scenario:* a stream that is not there, an empty folder, a folder that is not there, a data folder
/// held by another process, and a second replay to the same target.
/// *Guarantees:* each has its exit code and says what to do.
#[test]
fn what_cannot_be_is_told() {
    let home = Home::new("replay-errors");
    home.write(&to_blackhole("nowhere"));
    let (code, _, words) = replay(&home, &["backup", "--to", "elsewhere"]);
    assert!(code == 2 && words.contains("its streams are nowhere"), "{code} {words}");
    std::fs::create_dir(home.dir.join("empty")).unwrap();
    let (code, _, words) = replay(&home, &["empty", "--to", "nowhere"]);
    assert!(code == 1 && words.contains("holds no file"), "{code} {words}");
    let (code, _, words) = replay(&home, &["absent", "--to", "nowhere"]);
    assert!(code == 1 && words.contains("absent"), "{code} {words}");
    backup(&home, 100);
    let folder = hydrant::run::Folder::open(&home.data()).unwrap();
    let (code, _, words) = replay(&home, &["backup", "--to", "nowhere"]);
    assert!(code == 1 && words.contains("in use by another hydrant process"), "{code} {words}");
    drop(folder);
    let slow = ["replay", "-c", "hydrant.yaml", "backup", "--to", "nowhere", "--rate", "10"];
    let first = Process::start(binary(), slow, home.dir.path());
    until_listed(&home.data().join("replay").join("stream-nowhere.done"), 1);
    let (code, _, words) = replay(&home, &["backup", "--to", "nowhere"]);
    assert!(code == 1 && words.contains("another hydrant replay"), "{code} {words}");
    let (code, status, words) = home.command(&["status", "--data-dir", "data"]);
    assert!(code == 0 && status.contains("nowhere"), "{code} {status} {words}");
    drop(first);
}

/// *Scenario:* S3 throttles the second listing of a replay and the object, once each.
/// *Guarantees:* both are asked for again, and all is put back.
#[test]
fn a_busy_bucket_does_not_end_a_replay() {
    let home = Home::new("replay-busy");
    home.write(&to_blackhole("hole"));
    let object = lines_of(&Batch::new(1, 250), Format::Json, None);
    let (mut listed, mut read) = (0, 0);
    let s3 = Peer::scripted(move |request| {
        let lists = request.target.contains("list-type=2");
        let seen = if lists { &mut listed } else { &mut read };
        *seen += 1;
        match (lists, *seen) {
            (true, 2) | (false, 1) => Reply::body(
                503,
                "application/xml",
                "<Error><Code>SlowDown</Code><Message>as scripted</Message></Error>",
            ),
            (true, _) => {
                let page = format!(
                    "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key>\
                     <LastModified>2026-11-20T12:00:00.000Z</LastModified><ETag>&quot;e&quot;\
                     </ETag><Size>{}</Size></Contents></ListBucketResult>",
                    object.len()
                );
                Reply::body(200, "application/xml", page)
            }
            (false, _) => {
                Reply::body(200, "application/octet-stream", object.clone()).with("ETag", "\"e\"")
            }
        }
    });
    let output = std::process::Command::new(binary())
        .args(["replay", "s3://metrics/", "--to", "hole", "-c", "hydrant.yaml"])
        .args(["--endpoint-url", &s3.url(""), "--region", "eu-west-1"])
        .envs([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")])
        .env_remove("HYDRANT_CONFIG")
        .current_dir(home.dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("250 points delivered"), "{said}");
}
