//! What a stranger can make the port hold: bodies that are too large, cut, slow, without a length,
//! or much larger than they look.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{RawAnswer, read_answer};

use super::caller::{head, told};
use super::{Request, caller, put, record, to_endpoint, write};
use crate::memory::{ANONYMOUS_MAX_KIB, highest_kib};
use crate::service::Home;

const MIB: usize = 1 << 20;

/// A call whose body is filled up with blanks to this length.
fn wide(length: usize) -> Request {
    let input = json!({"Namespace": "Shop", "MetricData": [{"MetricName": "m", "Value": 1}]});
    let mut request = Request::metrics("PutMetricData", &input);
    request.body.resize(length, b' ');
    request
}

/// Sends these bytes on a connection of its own, all that the other side takes, and reads.
fn exchange(home: &Home, bytes: &[u8]) -> RawAnswer {
    testkit::exchange(home.source, bytes).expect("it is answered")
}

/// *Scenario:* bodies of one byte more than `limits.body`, with a length, without one, and inflated;
/// bodies as large as it; a gzip that is cut, and another encoding; one in capitals.
/// *Guarantees:* 413 for those too large, the others are taken; 400 for what cannot be read.
#[test]
fn bodies_of_every_size() {
    let home = Home::new("cloud-bodies");
    write(&home, "    limits: { body: 1MiB }\n", "");
    let service = home.start();
    let caller = caller(&home);
    let chunked = |request: &Request| {
        let mut bytes = head(&request.path, &caller.signed(request)).into_bytes();
        bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
        for chunk in request.body.chunks(100_000) {
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        exchange(&home, &bytes)
    };
    let mut capitals = wide(MIB).gzip();
    capitals.headers.retain(|(name, _)| name != "content-encoding");
    let capitals = capitals.with("content-encoding", "GZIP");
    for request in [wide(MIB), wide(MIB).gzip(), capitals, wide(200)] {
        let answer = caller.send(&request).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = chunked(&request);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let large = wide(MIB + 1);
    let packed = wide(MIB + 1).gzip();
    for answer in [caller.send(&large).unwrap(), chunked(&large), caller.send(&packed).unwrap()] {
        let (status, name, message) = told(&answer);
        assert_eq!((status, name.as_str()), (413, "RequestEntityTooLargeException"), "{message}");
    }
    let mut cut = wide(5_000).gzip();
    cut.body.truncate(cut.body.len() - 5);
    let other = wide(200).with("content-encoding", "br");
    for request in [cut, other] {
        let (status, name, message) = caller.refused(&request);
        assert_eq!((status, name.as_str()), (400, "SerializationException"), "{message}");
    }
    service.stop();
}

/// *Scenario:* thirty senders begin bodies without a length and stop sending; others call meanwhile.
/// *Guarantees:* the others are served at once; the slow ones are told after `limits.body_time`.
#[test]
fn slow_bodies_keep_nobody_waiting() {
    let home = Home::new("cloud-slow");
    write(&home, "    limits: { body_time: 3s }\n", "");
    let service = home.start();
    let caller = caller(&home);
    let request = wide(300);
    let mut slow: Vec<TcpStream> = Vec::new();
    for _ in 0..30 {
        let mut stream = TcpStream::connect(home.source).unwrap();
        let mut bytes = head(&request.path, &caller.signed(&request)).into_bytes();
        bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n10\r\n0123456789");
        stream.write_all(&bytes).unwrap();
        slow.push(stream);
    }
    // What was written is with the port before what follows.
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    for _ in 0..5 {
        assert_eq!(caller.send(&request).unwrap().status, 200);
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    for stream in &slow {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let answer = read_answer(&mut BufReader::new(stream)).unwrap();
        assert_eq!(told(&answer).1, "RequestTimeoutException");
    }
    service.stop();
}

/// Two members, the second of which says how little it holds: the first is large.
fn lies(length: usize) -> Vec<u8> {
    let mut lies = wide(length).gzip().body;
    lies.extend_from_slice(&wide(0).gzip().body);
    lies
}

/// *Scenario:* 64 senders at once: batches of 4 MiB of records, and bodies of gzip
/// that inflate to 8 MiB but say that they do not.
/// *Guarantees:* anonymous memory stays under the promise; every batch is kept in the end.
#[test]
fn memory_is_bounded_under_64_senders() {
    let home = Home::new("cloud-memory");
    write(&home, "", "");
    let service = home.start();
    let caller = caller(&home);
    caller.firehose("CreateDeliveryStream", &to_endpoint("large", "http://127.0.0.1:9/", 7200));
    let data = record(&vec![7; 1_000_000]);
    let batch = json!({"DeliveryStreamName": "large", "Records": [data, data, data, data]});
    let large = caller.bytes(&Request::firehose("PutRecordBatch", &batch));
    let mut lying = wide(0).with("content-encoding", "gzip");
    lying.body = lies(8 * MIB);
    let lying = caller.bytes(&lying);
    let highest = highest_kib(service.process.id(), || {
        std::thread::scope(|scope| {
            for sender in 0..64 {
                let (large, lying, home) = (&large, &lying, &home);
                scope.spawn(move || {
                    if sender % 8 == 0 {
                        let answer = exchange(home, large);
                        assert_eq!(answer.status, 200, "{}", answer.text());
                    }
                    let answer = exchange(home, lying);
                    if answer.status != 200 {
                        assert_eq!(told(&answer).1, "ThrottlingException");
                    }
                });
            }
        });
    });
    println!("64 senders: anonymous memory at most {:.1} MiB", highest as f64 / 1024.0);
    assert!(highest > 0 && highest < ANONYMOUS_MAX_KIB, "{highest} KiB of anonymous memory");
    put(&caller, "large", &["and it goes on"]);
    service.stop();
}
