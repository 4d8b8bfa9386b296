//! The harness itself: a harness that cannot fail proves nothing.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use testkit::{Peer, Process, Reply, TempDir, exchange, read_answer};

#[global_allocator]
static ALLOC: testkit::alloc::Counting = testkit::alloc::Counting;

const POST: &[u8] = b"POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";

/// *Scenario:* a folder with a file in it goes out of scope.
/// *Guarantees:* nothing is left.
#[test]
fn temp_dir_is_removed() {
    let dir = TempDir::new("testkit");
    let file = dir.write("a", "b");
    assert!(file.exists());
    let path = dir.path().to_owned();
    drop(dir);
    assert!(!path.exists());
}

/// *Scenario:* two requests on one connection, behaviour switched between them.
/// *Guarantees:* both are answered as scripted, and recorded.
#[test]
fn peer_answers_and_records() {
    let peer = Peer::start(Reply::json(200, "{}").with("X-A", "1"));
    let stream = TcpStream::connect(peer.address()).unwrap();
    (&stream).write_all(POST).unwrap();
    let first = read_answer(&mut BufReader::new(&stream)).unwrap();
    assert_eq!((first.status, first.text().as_str(), first.header("x-a")), (200, "{}", Some("1")));
    peer.set(Reply::status(503));
    (&stream).write_all(POST).unwrap();
    assert_eq!(read_answer(&mut BufReader::new(&stream)).unwrap().status, 503);
    let seen = peer.wait_for(2, Duration::from_secs(5));
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("POST", "/a?b"));
    assert_eq!(seen[1].body, b"hi");
    assert_eq!(peer.connections(), 1);
}

/// *Scenario:* the peer resets, closes, answers half.
/// *Guarantees:* the client meets each of these and not another.
#[test]
fn peer_misbehaves_as_told() {
    let peer = Peer::start(Reply::Reset);
    let mut stream = TcpStream::connect(peer.address()).unwrap();
    stream.write_all(POST).unwrap();
    let reset = stream.read(&mut [0; 8]).unwrap_err();
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
    peer.set(Reply::Close);
    assert!(exchange(peer.address(), POST).is_err());
    peer.set(Reply::Half);
    let half = exchange(peer.address(), POST).unwrap_err();
    assert_eq!(half.kind(), std::io::ErrorKind::UnexpectedEof);
}

/// *Scenario:* one allocation of 100 bytes, then none.
/// *Guarantees:* the counter sees exactly that.
#[test]
fn allocations_are_counted() {
    let (allocations, bytes) = testkit::alloc::counted(|| drop(Vec::<u8>::with_capacity(100)));
    assert_eq!((allocations, bytes), (1, 100));
    assert_eq!(testkit::alloc::counted(|| ()), (0, 0));
    let before = testkit::alloc::total();
    std::thread::spawn(|| drop(Vec::<u8>::with_capacity(100_000))).join().unwrap();
    let after = testkit::alloc::total();
    assert!(after.0 > before.0 && after.1 >= before.1 + 100_000);
}

/// *Scenario:* a program prints, gets SIGTERM, ends.
/// *Guarantees:* its lines are seen, the signal reaches it, its exit code is known.
#[test]
fn process_is_watched_and_signalled() {
    let dir = TempDir::new("testkit");
    let script = "trap 'echo bye; exit 7' TERM; echo ready >&2; while :; do sleep 0.01; done";
    let mut process = Process::start("/bin/sh", ["-c", script], dir.path());
    process.wait_for_line("ready", Duration::from_secs(10));
    process.terminate();
    assert_eq!(process.wait(Duration::from_secs(10)).code(), Some(7));
    assert_eq!(process.stdout(), ["bye"]);
    assert_eq!(process.stderr(), ["ready"]);
}
