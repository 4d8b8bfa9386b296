//! Bad input, and what it gets. Nothing of it is stored; each answer says what to do.

use std::io::{BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use aws::firehose::request;
use codec::gzip::Deflater;
use intake::firehose::Reason;
use testkit::{RawAnswer, exchange, read_answer};

use crate::common::{Door, ID, METRIC, NOW, Plan, Post, check_contract, open};

#[track_caller]
fn check(door: &Door, post: &Post, status: u16, reason: Reason, says: &[&str]) -> RawAnswer {
    let before = door.source.stats().rejected(reason);
    let answer = door.send(post);
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    for part in says {
        assert!(text.contains(part), "'{part}' is not in: {text}");
    }
    assert_eq!(door.source.stats().rejected(reason), before + 1, "{reason:?}: {text}");
    door.check_nothing_stored();
    answer
}

/// *Scenario:* bodies that are not the JSON of a delivery.
/// *Guarantees:* 400 with the place; the header's request id is answered.
#[test]
fn malformed_json() {
    let door = open(Plan::default());
    let bodies = ["", "{", "[]", "nonsense", "{}", "{\"requestId\":1,\"records\":[]}"];
    for body in bodies {
        let post = Post::metrics().body(body);
        let answer = check(&door, &post, 400, Reason::MalformedJson, &["not the JSON", "byte"]);
        assert!(answer.text().contains(ID));
    }
    let trailing = [Post::metrics().body, b" x".to_vec()].concat();
    check(&door, &Post::metrics().body(trailing), 400, Reason::MalformedJson, &["not the JSON"]);
}

/// *Scenario:* records that are not standard padded base64, the last of several among them.
/// *Guarantees:* 400 names the record.
#[test]
fn wrong_base64() {
    let door = open(Plan::default());
    for text in ["a", "ab=", "abc-", "ab c", "=abc", "abcd="] {
        let body = format!(
            "{{\"requestId\":\"{ID}\",\"timestamp\":1,\"records\":[{{\"data\":\"eyJ9\"}},{{\"data\":\"{text}\"}}]}}"
        );
        let post = Post::metrics().body(body);
        check(&door, &post, 400, Reason::MalformedBase64, &["record 1", "base64"]);
        check(&door, &post.gzip(), 400, Reason::MalformedBase64, &["record 1"]);
    }
}

/// *Scenario:* gzip that is cut, damaged, followed by rubbish, not gzip at all, or not announced.
/// *Guarantees:* 400 says which.
#[test]
fn cut_and_damaged_gzip() {
    let door = open(Plan::default());
    let good = Post::metrics().gzip();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut post = good.clone();
        change(&mut post.body);
        post
    };
    let cut = with(&|body| body.truncate(body.len() / 2));
    check(&door, &cut, 400, Reason::MalformedGzip, &["cut short"]);
    let crc = with(&|body| {
        let at = body.len() - 8;
        body[at] ^= 1;
    });
    check(&door, &crc, 400, Reason::MalformedGzip, &["does not inflate"]);
    let rubbish = with(&|body| body.extend_from_slice(b"rubbish"));
    check(&door, &rubbish, 400, Reason::MalformedGzip, &["does not inflate"]);
    // Large enough to be read in a window, where the damage shows as text that makes no sense first.
    let mut large = Post::of(&vec![METRIC; 3_000]).gzip();
    assert_eq!(open(Plan::default()).send(&large).status, 200);
    let middle = large.body.len() / 2;
    large.body[middle] ^= 0x55;
    check(&door, &large, 400, Reason::MalformedGzip, &["does not inflate"]);
    let plain = Post::metrics().header("Content-Encoding", "gzip");
    check(&door, &plain, 400, Reason::MalformedGzip, &["not gzip"]);
    let unannounced = good.clone().without("Content-Encoding");
    check(&door, &unannounced, 400, Reason::MalformedJson, &["content-encoding"]);
}

/// *Scenario:* small bodies that inflate beyond the limit: one that is a legal delivery but for its
/// size, with a trailer that tells the truth and one that lies; a ratio limit.
/// *Guarantees:* 400 names limit and setting; little memory is asked for on a trailer's word.
#[test]
fn gzip_bomb() {
    let door = open(Plan::limits(|limits| limits.body_bytes = 8 << 20));
    let records = vec![vec![b'x'; 1_000_000]; 10];
    let bomb = Post::of(&records).gzip();
    assert!(bomb.body.len() < 200_000);
    check(&door, &bomb, 400, Reason::BodyTooLarge, &["limits.body", "8388608", "buffer size"]);
    let mut lying = bomb.clone();
    let at = lying.body.len() - 4;
    lying.body[at..].copy_from_slice(&1000_u32.to_le_bytes());
    check(&door, &lying, 400, Reason::BodyTooLarge, &["limits.body"]);
    let mut zeros = Vec::new();
    Deflater::new(9).gzip(&vec![0; 64 << 20], &mut zeros);
    let zeros = Post::metrics().gzip().body(zeros);
    assert_eq!(door.send(&zeros).status, 400);
    let strict = open(Plan::limits(|limits| limits.ratio = 20));
    check(&strict, &bomb, 400, Reason::Ratio, &["20 times", "limits.ratio"]);
}

/// *Scenario:* 10,001 records; a record over its limit.
/// *Guarantees:* 400 names the limit and the settings, of ours and of Firehose.
#[test]
fn too_many_and_too_long_records() {
    let door = open(Plan::limits(|limits| limits.record_bytes = 3000));
    let post = Post::of(&vec!["x"; 10_001]);
    check(&door, &post, 400, Reason::TooManyRecords, &["10000", "limits.records", "buffer size"]);
    check(&door, &post.gzip(), 400, Reason::TooManyRecords, &["limits.records"]);
    let long = Post::of(&[vec![b'x'; 10], vec![b'x'; 3001]]);
    check(&door, &long, 400, Reason::RecordTooLong, &["record 1", "3000", "limits.record"]);
    assert_eq!(door.send(&Post::of(&[vec![b'x'; 3000]])).status, 200);
}

/// *Scenario:* a body of 97 MiB is announced; the client waits for leave, or sends all of it.
/// *Guarantees:* 400 with `Connection: close` from the head alone, and never 413.
#[test]
fn body_of_97_mib() {
    let door = open(Plan::default());
    let length = (97 << 20).to_string();
    let announced = Post::metrics().header("Content-Length", &length).body("");
    let says = ["limits.body", "100663296", "buffer size"];
    let answer = check(&door, &announced, 400, Reason::BodyTooLarge, &says);
    assert_eq!(answer.header("connection"), Some("close"));
    let mut sent = announced.bytes();
    sent.resize(sent.len() + (97 << 20), b'x');
    let answer = exchange(door.address, &sent).unwrap();
    check_contract(&answer);
    assert_eq!(answer.status, 400);
}

/// *Scenario:* more than the limit in chunks, whose length nobody announced.
/// *Guarantees:* 400 once the limit is passed.
#[test]
fn endless_chunks() {
    let door = open(Plan::limits(|limits| limits.body_bytes = 1 << 20));
    let mut record = Vec::new();
    request::body(ID, NOW, &[vec![b'x'; 1 << 20]], &mut record);
    let mut body = format!("{:x}\r\n", record.len()).into_bytes();
    body.extend_from_slice(&record);
    body.extend_from_slice(b"\r\n0\r\n\r\n");
    let post = Post::metrics().header("Transfer-Encoding", "chunked").body(body);
    check(&door, &post, 400, Reason::BodyTooLarge, &["limits.body"]);
}

/// *Scenario:* no key, a wrong one, one in other case, one twice, a prefix, an empty one.
/// *Guarantees:* 401, and nothing of the configured key or the sent one is told.
#[test]
fn missing_and_wrong_keys() {
    let door = open(Plan::keys(&["Secret-Key", "other"]));
    check(&door, &Post::metrics(), 401, Reason::AccessKeyMissing, &["missing"]);
    for key in
        ["wrong", "secret-key", "SECRET-KEY", "Secret-Ke", "Secret-Key2", "", "Secret-Key,other"]
    {
        let answer = check(&door, &Post::metrics().key(key), 401, Reason::AccessKeyWrong, &[]);
        assert!(!answer.text().contains("ecret-"), "{}", answer.text());
    }
    let mut twice = Post::metrics().key("other");
    twice.headers.push(("X-Amz-Firehose-Access-Key".to_owned(), "other".to_owned()));
    check(&door, &twice, 401, Reason::AccessKeyWrong, &[]);
    assert_eq!(door.send(&Post::metrics().key("Secret-Key")).status, 200);
}

/// *Scenario:* a post without any Firehose header; a request id that is empty or endless.
/// *Guarantees:* 400 says what is missing, and that there is a mode for emulators.
#[test]
fn no_headers() {
    let door = open(Plan::default());
    let bare = Post { headers: Vec::new(), ..Post::metrics() };
    let says = ["x-amz-firehose-request-id", "missing", "lenient"];
    let answer = check(&door, &bare, 400, Reason::RequestId, &says);
    assert!(answer.text().starts_with("{\"requestId\":\"\","));
    for id in ["", &"i".repeat(2000)] {
        let post = Post::metrics().header("X-Amz-Firehose-Request-Id", id);
        check(&door, &post, 400, Reason::RequestId, &["x-amz-firehose-request-id"]);
    }
}

/// *Scenario:* a request id in the body that differs, or is not there.
/// *Guarantees:* 400, with the header's id in the answer.
#[test]
fn request_id_that_differs() {
    let door = open(Plan::default());
    let other = Post::metrics().header("X-Amz-Firehose-Request-Id", "other");
    let answer = check(&door, &other, 400, Reason::RequestIdMismatch, &["requestId"]);
    assert!(answer.text().starts_with("{\"requestId\":\"other\","));
    let none = Post::metrics().body("{\"timestamp\":1,\"records\":[{\"data\":\"\"}]}");
    check(&door, &none, 400, Reason::RequestIdMismatch, &["missing"]);
    check(&door, &other.gzip(), 400, Reason::RequestIdMismatch, &["requestId"]);
}

/// *Scenario:* another protocol version, another encoding, another method.
/// *Guarantees:* 400, 400, 405 with the methods there are.
#[test]
fn unknown_version_encoding_and_method() {
    let door = open(Plan::default());
    let version = Post::metrics().header("X-Amz-Firehose-Protocol-Version", "2.0");
    check(&door, &version, 400, Reason::ProtocolVersion, &["1.0"]);
    for encoding in ["br", "deflate", "gzip, gzip", "zstd"] {
        let post = Post::metrics().header("Content-Encoding", encoding);
        check(&door, &post, 400, Reason::Encoding, &["gzip"]);
    }
    for method in ["PUT", "DELETE", "PATCH", "BREW"] {
        let post = Post { method, ..Post::metrics() };
        let answer = check(&door, &post, 405, Reason::Method, &["POST"]);
        assert_eq!(answer.header("allow"), Some("POST, GET, HEAD, OPTIONS"));
    }
}

/// *Scenario:* a delivery without records.
/// *Guarantees:* 400: AWS's schema has at least one, and there is nothing to store.
#[test]
fn no_records() {
    let door = open(Plan::default());
    let none: [&str; 0] = [];
    check(&door, &Post::of(&none), 400, Reason::NoRecords, &["no records"]);
}

fn logs() -> Vec<u8> {
    let text = concat!(
        r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","#,
        r#""subscriptionFilters":["f"],"logEvents":[{"id":"1","timestamp":1,"message":"m"}]}"#
    );
    let mut packed = Vec::new();
    Deflater::new(6).gzip(text.as_bytes(), &mut packed);
    packed
}

/// *Scenario:* a delivery of nothing but CloudWatch Logs; one with a metric among them; one empty
/// record and logs.
/// *Guarantees:* 400 says what to change; the mixed one is stored, since the metric is wanted.
#[test]
fn cloudwatch_logs() {
    let door = open(Plan::default());
    let says = ["CloudWatch Logs", "subscription filter", "metric stream"];
    check(&door, &Post::of(&[logs(), logs()]), 400, Reason::CloudWatchLogs, &says);
    check(&door, &Post::of(&[Vec::new(), logs()]).gzip(), 400, Reason::CloudWatchLogs, &says);
    assert_eq!(door.send(&Post::of(&[logs(), METRIC.into()])).status, 200);
}

/// *Scenario:* the head arrives and the body drips, under a body time of 200 ms.
/// *Guarantees:* 400 names the time; the share of memory is free again.
#[test]
fn slow_client() {
    let door = open(Plan::limits(|limits| limits.body_time = Duration::from_millis(200)));
    let free = door.permits.free_bytes();
    let post = Post::metrics();
    for length in [post.body.len(), 5 << 20] {
        let stream = TcpStream::connect(door.address).unwrap();
        let head = post.clone().header("Content-Length", &length.to_string()).head();
        (&stream).write_all(head.as_bytes()).unwrap();
        (&stream).write_all(&post.body[..10]).unwrap();
        let start = Instant::now();
        let answer = read_answer(&mut BufReader::new(&stream)).unwrap();
        check_contract(&answer);
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("200ms"), "{}", answer.text());
        assert!(start.elapsed() < Duration::from_secs(5));
    }
    assert_eq!(door.source.stats().rejected(Reason::SlowBody), 2);
    door.until(|door| door.permits.free_bytes() == free);
    door.check_nothing_stored();
}

/// *Scenario:* a client that shuts its sending side after the body; one that goes away inside it.
/// *Guarantees:* the first is answered 200; of the second nothing is stored, small or large.
#[test]
fn half_closed_and_broken_connections() {
    let door = open(Plan::default());
    let free = door.permits.free_bytes();
    let post = Post::metrics();
    for length in [post.body.len() + 1, 5 << 20] {
        let stream = TcpStream::connect(door.address).unwrap();
        let head = post.clone().header("Content-Length", &length.to_string()).head();
        (&stream).write_all(head.as_bytes()).unwrap();
        (&stream).write_all(&post.body).unwrap();
        drop(stream);
    }
    door.until(|door| door.source.stats().rejected(Reason::Disconnected) == 2);
    door.until(|door| door.permits.free_bytes() == free);
    door.check_nothing_stored();
    let stream = TcpStream::connect(door.address).unwrap();
    (&stream).write_all(&post.bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_answer(&mut BufReader::new(&stream)).unwrap().status, 200);
    assert_eq!(door.stored().len(), 1);
}

/// *Scenario:* a head over the limit.
/// *Guarantees:* 431: refused before there is a request; still not 413.
#[test]
fn head_over_the_limit() {
    let door = open(Plan::default());
    let post = Post::metrics().header("X-Long", &"x".repeat(200 * 1024));
    assert_eq!(exchange(door.address, &post.bytes()).unwrap().status, 431);
    assert_eq!(door.send(&Post::metrics()).status, 200);
}
