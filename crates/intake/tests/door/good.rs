//! Deliveries as they should be, and as emulators send them.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use entry::{Encoding, Kind, LaneId, TailKey};
use intake::firehose::{Admission, Admit, Denied, Reason};
use testkit::{exchange, read_answer, testdata};

use crate::common::{ARN, Door, ID, METRIC, NOW, Plan, Post, check_contract, open};

/// *Scenario:* a plain delivery.
/// *Guarantees:* the answer is exactly what the contract asks for, byte by byte; the body is stored as
/// received with all that is known of it.
#[test]
fn answer_and_entry_are_exact() {
    let door = open(Plan::default());
    let post = Post::metrics();
    let answer = door.send(&post);
    assert_eq!((answer.status, answer.reason.as_str()), (200, "OK"));
    let expect = format!("{{\"requestId\":\"{ID}\",\"timestamp\":{}}}", NOW + 1);
    assert_eq!(answer.text(), expect);
    let mut names: Vec<_> =
        answer.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    assert_eq!(names, ["content-length", "content-type", "date"]);
    let stored = door.stored();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].body, post.body);
    let header = &stored[0].header;
    assert_eq!(header.kind, Kind::FirehoseDelivery);
    assert_eq!((header.encoding, header.records), (Encoding::Identity, 2));
    assert_eq!((header.arrival_ms, header.plain_bytes), (NOW, post.body.len() as u64));
    assert_eq!((header.source.as_str(), header.source_arn.as_str()), ("aws", ARN));
    assert_eq!((header.request_id.as_str(), header.lane), (ID, None));
    let stats = door.source.stats();
    assert_eq!((stats.requests.get(), stats.accepted.get()), (1, 1));
    assert_eq!((stats.records.get(), stats.bytes.get()), (2, post.body.len() as u64));
}

/// *Scenario:* a gzip delivery on some path, header names in odd case.
/// *Guarantees:* stored compressed as it came; its records are in the tail under its sequence.
#[test]
fn gzip_is_stored_as_received_and_its_records_are_kept_in_the_tail() {
    let door = open(Plan::default());
    let plain = Post::metrics().body;
    let mut post = Post::metrics().gzip();
    post.target = "/metrics?x=1";
    for (name, _) in &mut post.headers {
        *name = name.to_ascii_uppercase();
    }
    assert_eq!(door.send(&post).status, 200);
    let stored = &door.stored()[0];
    assert_eq!(stored.body, post.body);
    assert_eq!(stored.header.encoding, Encoding::Gzip);
    assert_eq!(stored.header.plain_bytes, plain.len() as u64);
    let key = TailKey { topic: door.topic.name().clone(), sequence: stored.sequence };
    let kept = door.tail.get(&key).unwrap();
    let kept: Vec<_> = entry::records::each(&kept).map(Result::unwrap).collect();
    assert_eq!(kept, [METRIC.as_bytes(), METRIC.as_bytes()]);
}

/// *Scenario:* the same delivery, plain and gzip, with the tail on and off.
/// *Guarantees:* the same entry.
#[test]
fn tail_changes_nothing_that_is_stored() {
    for post in [Post::metrics(), Post::metrics().gzip()] {
        let (on, off) = (open(Plan::default()), open(Plan { tail_bytes: 0, ..Plan::default() }));
        assert_eq!((on.send(&post).status, off.send(&post).status), (200, 200));
        let (on, off) = (on.stored(), off.stored());
        assert_eq!((&on[0].body, &on[0].header), (&off[0].body, &off[0].header));
    }
}

/// *Scenario:* records without data, ten thousand of them, and one of the largest size.
/// *Guarantees:* all legal, all stored.
#[test]
fn empty_many_and_largest_records_are_legal() {
    let door = open(Plan::default());
    assert_eq!(door.send(&Post::with_id("a", &["", ""])).status, 200);
    assert_eq!(door.send(&Post::with_id("b", &vec!["x"; 10_000]).gzip()).status, 200);
    assert_eq!(door.send(&Post::with_id("c", &[vec![b'x'; 1_024_000]])).status, 200);
    let counts: Vec<_> = door.stored().iter().map(|s| s.header.records).collect();
    assert_eq!(counts, [2, 10_000, 1]);
    assert_eq!(door.source.stats().records.get(), 10_003);
}

/// *Scenario:* fifty attributes of 256 + 1,024 characters and a key of 4 KB: the largest head there is.
/// *Guarantees:* accepted, and every attribute kept in order.
#[test]
fn largest_headers_are_accepted() {
    let key = "k".repeat(4096);
    let door = open(Plan::keys(&[&key]));
    let attributes: Vec<_> =
        (0..50).map(|n| (format!("{n:0>256}"), format!("{n:v>1024}"))).collect();
    let json = aws::firehose::attributes::format(&attributes);
    let post = Post::metrics().key(&key).header("X-Amz-Firehose-Common-Attributes", &json);
    assert!(post.head().len() > 68_000);
    assert_eq!(door.send(&post).status, 200);
    assert_eq!(door.stored()[0].header.attributes, attributes);
}

/// *Scenario:* attributes that are not JSON.
/// *Guarantees:* no data is lost for it: accepted without attributes, and counted.
#[test]
fn malformed_attributes_cost_no_data() {
    let door = open(Plan::default());
    let post = Post::metrics().header("X-Amz-Firehose-Common-Attributes", "{nonsense");
    assert_eq!(door.send(&post).status, 200);
    assert_eq!(door.stored()[0].header.attributes, []);
    assert_eq!(door.source.stats().attributes_malformed.get(), 1);
}

/// *Scenario:* several keys, then a reload that takes one away and adds one.
/// *Guarantees:* any one is accepted, while it is configured.
#[test]
fn keys_rotate() {
    let door = open(Plan::keys(&["old", "new"]));
    let post = |id: &str, key: &str| Post::with_id(id, &[METRIC]).key(key);
    assert_eq!(door.send(&post("1", "old")).status, 200);
    assert_eq!(door.send(&post("2", "new")).status, 200);
    door.set_access(&["new", "newer"], false);
    assert_eq!(door.send(&post("3", "old")).status, 401);
    assert_eq!(door.send(&post("4", "new")).status, 200);
    assert_eq!(door.send(&post("5", "newer")).status, 200);
    assert_eq!(door.stored().len(), 4);
}

/// *Scenario:* a body in chunks, one by one, without a length.
/// *Guarantees:* taken like any other.
#[test]
fn chunked_body_is_taken() {
    let door = open(Plan::default());
    let post = Post::metrics();
    let plain = post.body.clone();
    let mut chunks = Vec::new();
    for piece in plain.chunks(100) {
        chunks.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        chunks.extend_from_slice(piece);
        chunks.extend_from_slice(b"\r\n");
    }
    chunks.extend_from_slice(b"0\r\n\r\n");
    let post = post.header("Transfer-Encoding", "chunked").body(chunks);
    assert_eq!(door.send(&post).status, 200);
    assert_eq!(door.stored()[0].body, plain);
}

/// *Scenario:* a client that asks for leave to send its body (`Expect: 100-continue`), with the right
/// key and with a wrong one.
/// *Guarantees:* leave, then 200; with the wrong key 401 at once and no leave.
#[test]
fn leave_to_send_is_given_only_to_those_who_may() {
    let door = open(Plan::keys(&["key"]));
    let ask = |key: &str| {
        let stream = TcpStream::connect(door.address).unwrap();
        let post = Post::metrics().key(key).header("Expect", "100-continue");
        (&stream).write_all(post.head().as_bytes()).unwrap();
        let mut first = String::new();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        reader.read_line(&mut first).unwrap();
        (stream, reader, first, post)
    };
    let (_, _, first, _) = ask("wrong");
    assert!(first.starts_with("HTTP/1.1 401"), "{first}");
    let (mut stream, mut reader, first, post) = ask("key");
    assert!(first.starts_with("HTTP/1.1 100"), "{first}");
    reader.read_line(&mut String::new()).unwrap();
    stream.write_all(&post.body).unwrap();
    assert_eq!(read_answer(&mut reader).unwrap().status, 200);
}

/// *Scenario:* a delivery as an emulator posts it: no Firehose header, seconds for milliseconds, no
/// type, no id in the last one; then a wrong key.
/// *Guarantees:* lenient takes it and answers its id; strict refuses it; a wrong key is wrong in both.
#[test]
fn lenient_takes_bare_posts_and_no_wrong_key() {
    let bare = |body: &str| Post { headers: Vec::new(), ..Post::metrics() }.body(body);
    let body =
        r#"{"requestId": "abc", "timestamp": 1795188646, "records": [{"data": "eyJhIjoxfQo="}]}"#;
    let strict = open(Plan::default());
    assert_eq!(strict.send(&bare(body)).status, 400);
    strict.check_nothing_stored();
    let lenient = open(Plan::lenient(&["key"]));
    let answer = lenient.send(&bare(body));
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with(r#"{"requestId":"abc","#));
    assert_eq!(lenient.stored()[0].header.request_id, "abc");
    assert_eq!(lenient.send(&bare(body).key("wrong")).status, 401);
    let nameless = lenient.send(&bare(r#"{"records":[{"data":""}]}"#));
    assert_eq!(nameless.status, 200);
    assert!(nameless.text().starts_with(r#"{"requestId":"hydrant-"#), "{}", nameless.text());
    assert_eq!(lenient.stored()[1].header.request_id, "");
}

fn check_capture(name: &str) {
    let Some(bytes) = testdata(name) else { return };
    let door = open(Plan::lenient(&[]));
    let answer = exchange(door.address, &bytes).unwrap();
    check_contract(&answer);
    assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    assert_eq!(door.stored()[0].header.records, 2);
    let strict = open(Plan::default());
    assert_eq!(exchange(strict.address, &bytes).unwrap().status, 400);
}

/// *Scenario:* the requests of two emulators as captured (where the captures are laid out).
/// *Guarantees:* lenient takes them to the byte, strict refuses them.
#[test]
fn captured_emulators_are_taken() {
    check_capture("sdk-requests/emulator-firehose-delivery-localstack.bin");
    check_capture("sdk-requests/emulator-firehose-delivery-moto.bin");
}

fn drop_in(seen: Arc<Mutex<Vec<(String, String)>>>) -> Door {
    let admit: Admit = Arc::new(move |admission: Admission| {
        let token = admission.access_key.expose().to_owned();
        let url = admission.attributes.first().map_or_else(String::new, |(_, v)| v.clone());
        seen.lock().unwrap().push((url, token.clone()));
        Box::pin(async move {
            match token.as_str() {
                "good" => Ok(LaneId([7; 16])),
                "revoked" => Err(Denied { status: 401, message: "token revoked".to_owned() }),
                _ => Err(Denied { status: 418, message: "teapot".to_owned() }),
            }
        })
    });
    open(Plan { admit: Some(admit), ..Plan::default() })
}

/// *Scenario:* drop-in mode: a good token, a revoked one, a strange verdict, bad attributes.
/// *Guarantees:* the lane is in the entry and the token is not; the verdict's status is answered, but
/// only statuses of the contract; bad attributes are refused before anyone is asked.
#[test]
fn drop_in_mode_decides_before_the_body() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let door = drop_in(Arc::clone(&seen));
    let attributes = r#"{"commonAttributes":{"dt-url":"https://abc.live.dynatrace.com"}}"#;
    let post =
        |key: &str| Post::metrics().key(key).header("X-Amz-Firehose-Common-Attributes", attributes);
    assert_eq!(door.send(&post("good")).status, 200);
    let stored = door.stored();
    assert_eq!(stored[0].header.lane, Some(LaneId([7; 16])));
    assert!(!format!("{:?}", stored[0].header).contains("good"));
    let revoked = door.send(&post("revoked"));
    assert_eq!(revoked.status, 401);
    assert!(revoked.text().contains("token revoked"));
    assert_eq!(door.send(&post("odd")).status, 503);
    let bad = post("good").header("X-Amz-Firehose-Common-Attributes", "[]");
    assert_eq!(door.send(&bad).status, 400);
    assert_eq!(door.source.stats().rejected(Reason::NotAdmitted), 2);
    assert_eq!(door.source.stats().rejected(Reason::Attributes), 1);
    let asked = seen.lock().unwrap();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[0], ("https://abc.live.dynatrace.com".to_owned(), "good".to_owned()));
}
