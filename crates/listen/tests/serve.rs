//! What strangers can and cannot do to the accept loop.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use listen::{Limits, Listener, Peer, serve};
use testkit::{RawAnswer, exchange, read_answer};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

const LIMITS: Limits = Limits {
    header_bytes: 16 * 1024,
    header_time: Duration::from_secs(10),
    connections: 64,
    idle_time: Duration::from_secs(30),
    drain_time: Duration::from_secs(5),
};

struct Door {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
    entered: mpsc::Receiver<()>,
    release: watch::Sender<bool>,
    runtime: Runtime,
}

/// A server with a few paths: `/echo` answers the body's length, `/refuse` answers without reading it,
/// `/wait` answers when released, `/panic` and `/panic-later` panic.
fn door(limits: Limits) -> Door {
    let runtime = Runtime::new().unwrap();
    let (stop, stopped) = watch::channel(false);
    let (release, released) = watch::channel(false);
    let (enter, entered) = mpsc::channel(16);
    let listener = runtime.block_on(Listener::bind("127.0.0.1:0")).unwrap();
    let address = listener.address();
    let handler = move |request: Request<Incoming>, _peer: Peer| {
        let (enter, mut released) = (enter.clone(), released.clone());
        assert_ne!(request.uri().path(), "/panic", "asked to panic");
        async move {
            let mut response = Response::new(Full::new(Bytes::from_static(b"ok")));
            match request.uri().path() {
                "/echo" => {
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    *response.body_mut() = Full::new(Bytes::from(body.len().to_string()));
                }
                "/refuse" => {
                    response.headers_mut().insert("connection", "close".parse().unwrap());
                }
                "/wait" => {
                    enter.send(()).await.unwrap();
                    released.wait_for(|released| *released).await.unwrap();
                }
                "/panic-later" => {
                    tokio::task::yield_now().await;
                    panic!("asked to panic");
                }
                _ => {}
            }
            response
        }
    };
    let served = runtime.spawn(serve(listener, None, limits, stopped, handler));
    Door { address, stop, served, entered, release, runtime }
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes()
}

fn ask(stream: &TcpStream, bytes: &[u8]) -> RawAnswer {
    let mut writer = stream;
    writer.write_all(bytes).unwrap();
    read_answer(&mut BufReader::new(stream)).unwrap()
}

/// Reads to the end; the time it took until the server closed.
fn until_closed(mut stream: &TcpStream) -> Duration {
    let start = Instant::now();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).ok();
    start.elapsed()
}

/// *Scenario:* several requests on one connection.
/// *Guarantees:* each is answered, the connection is kept, the answer has a length.
#[test]
fn requests_are_answered_on_one_connection() {
    let door = door(LIMITS);
    let stream = TcpStream::connect(door.address).unwrap();
    for _ in 0..3 {
        let answer =
            ask(&stream, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
        assert_eq!((answer.status, answer.text().as_str()), (200, "5"));
        assert_eq!(answer.header("content-length"), Some("1"));
    }
}

/// *Scenario:* a head just under the limit, one over it.
/// *Guarantees:* the first passes, the second is answered 431.
#[test]
fn header_limit_is_enforced_with_an_answer() {
    let door = door(LIMITS);
    let with_header = |bytes: usize| {
        let value = "v".repeat(bytes);
        format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {value}\r\n\r\n").into_bytes()
    };
    assert_eq!(exchange(door.address, &with_header(15 * 1024)).unwrap().status, 200);
    assert_eq!(exchange(door.address, &with_header(40 * 1024)).unwrap().status, 431);
    assert_eq!(exchange(door.address, &get("/")).unwrap().status, 200);
}

/// *Scenario:* a client that sends one byte of a head now and then, and one that sends nothing.
/// *Guarantees:* both are let go after the head's time, not after the idle time.
#[test]
fn slow_head_is_cut_off() {
    let door = door(Limits { header_time: Duration::from_millis(300), ..LIMITS });
    let silent = TcpStream::connect(door.address).unwrap();
    let slow = TcpStream::connect(door.address).unwrap();
    let mut drip = slow.try_clone().unwrap();
    std::thread::spawn(move || {
        for byte in b"GET / HTTP/1.1\r\nHost: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n" {
            if drip.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(40));
        }
    });
    assert!(until_closed(&slow) < Duration::from_secs(5));
    assert!(until_closed(&silent) < Duration::from_secs(5));
}

/// *Scenario:* an answered connection begins a second head and never ends it.
/// *Guarantees:* it is let go after the head's time, not after the idle time.
#[test]
fn slow_head_on_a_kept_connection_is_cut_off() {
    let door = door(Limits { header_time: Duration::from_secs(1), ..LIMITS });
    let stream = TcpStream::connect(door.address).unwrap();
    assert_eq!(ask(&stream, &get("/")).status, 200);
    (&stream).write_all(b"GET / HT").unwrap();
    let closed = until_closed(&stream);
    assert!(closed > Duration::from_millis(900) && closed < Duration::from_secs(8), "{closed:?}");
}

/// *Scenario:* a connection that has been answered stays silent, with a short idle time.
/// *Guarantees:* it is closed after the idle time, not before, and not by the longer time for a head.
#[test]
fn idle_connection_is_closed() {
    let idle_time = Duration::from_millis(500);
    let door = door(Limits { idle_time, ..LIMITS });
    let stream = TcpStream::connect(door.address).unwrap();
    assert_eq!(ask(&stream, &get("/")).status, 200);
    let closed = until_closed(&stream);
    assert!(closed > Duration::from_millis(400) && closed < Duration::from_secs(8), "{closed:?}");
}

/// *Scenario:* a connection is silent between two requests for longer than a head may take.
/// *Guarantees:* the second is answered: silence between requests is not a slow head.
#[test]
fn idle_time_is_not_header_time() {
    let door = door(Limits { header_time: Duration::from_secs(1), ..LIMITS });
    let stream = TcpStream::connect(door.address).unwrap();
    assert_eq!(ask(&stream, &get("/")).status, 200);
    // Silence is what is tested; no event ends it.
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(ask(&stream, &get("/")).status, 200);
}

/// *Scenario:* more connections than seats.
/// *Guarantees:* the last one waits and is served when a seat is free.
#[test]
fn connections_are_capped() {
    let door = door(Limits { connections: 2, ..LIMITS });
    let first = TcpStream::connect(door.address).unwrap();
    let second = TcpStream::connect(door.address).unwrap();
    assert_eq!(ask(&first, &get("/")).status, 200);
    assert_eq!(ask(&second, &get("/")).status, 200);
    let third = TcpStream::connect(door.address).unwrap();
    (&third).write_all(&get("/")).unwrap();
    third.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!((&third).read(&mut [0; 1]).is_err(), "served without a seat");
    drop(first);
    third.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert_eq!(read_answer(&mut BufReader::new(&third)).unwrap().status, 200);
}

/// *Scenario:* handlers that panic at once, and after their first await.
/// *Guarantees:* each is answered 500 and the next request is served.
#[test]
fn panic_is_answered_500() {
    let door = door(LIMITS);
    assert_eq!(exchange(door.address, &get("/panic")).unwrap().status, 500);
    assert_eq!(exchange(door.address, &get("/panic-later")).unwrap().status, 500);
    assert_eq!(exchange(door.address, &get("/")).unwrap().status, 200);
}

/// *Scenario:* a body of 20 MB is refused from the head while the client keeps sending all of it.
/// *Guarantees:* the client can read the answer after its last byte; no reset swallows it.
#[test]
fn early_refusal_reaches_a_client_that_is_still_sending() {
    let door = door(LIMITS);
    let stream = TcpStream::connect(door.address).unwrap();
    let body = vec![b'x'; 20_000_000];
    let head =
        format!("POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    (&stream).write_all(head.as_bytes()).unwrap();
    (&stream).write_all(&body).unwrap();
    let answer = read_answer(&mut BufReader::new(&stream)).unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
}

/// *Scenario:* the client shuts its sending side after the request, before it is answered.
/// *Guarantees:* it is answered.
#[test]
fn half_closed_connection_is_answered() {
    let mut door = door(LIMITS);
    let stream = TcpStream::connect(door.address).unwrap();
    (&stream).write_all(&get("/wait")).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    door.runtime.block_on(door.entered.recv()).unwrap();
    door.release.send(true).unwrap();
    assert_eq!(read_answer(&mut BufReader::new(&stream)).unwrap().status, 200);
}

/// *Scenario:* stop, with one request in flight and one idle connection.
/// *Guarantees:* the port closes, the idle connection too, the request is answered, then serve ends.
#[test]
fn stop_drains() {
    let mut door = door(LIMITS);
    let idle = TcpStream::connect(door.address).unwrap();
    assert_eq!(ask(&idle, &get("/")).status, 200);
    let busy = TcpStream::connect(door.address).unwrap();
    (&busy).write_all(&get("/wait")).unwrap();
    door.runtime.block_on(door.entered.recv()).unwrap();
    door.stop.send(true).unwrap();
    assert!(until_closed(&idle) < Duration::from_secs(5));
    // The port and the idle connection are closed by two tasks, in whatever order.
    let start = Instant::now();
    while TcpStream::connect(door.address).is_ok() {
        assert!(start.elapsed() < Duration::from_secs(5), "still accepting");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!door.served.is_finished());
    door.release.send(true).unwrap();
    assert_eq!(read_answer(&mut BufReader::new(&busy)).unwrap().status, 200);
    drop(busy);
    door.runtime.block_on(door.served).unwrap();
}

/// *Scenario:* stop, with a request that never ends.
/// *Guarantees:* serve ends after the drain time all the same.
#[test]
fn drain_is_bounded() {
    let mut door = door(Limits { drain_time: Duration::from_millis(200), ..LIMITS });
    let busy = TcpStream::connect(door.address).unwrap();
    (&busy).write_all(&get("/wait")).unwrap();
    door.runtime.block_on(door.entered.recv()).unwrap();
    let start = Instant::now();
    door.stop.send(true).unwrap();
    door.runtime.block_on(door.served).unwrap();
    assert!(start.elapsed() < Duration::from_secs(3));
}

/// *Scenario:* something that is not HTTP.
/// *Guarantees:* 400, and others are served.
#[test]
fn garbage_is_answered_400() {
    let door = door(LIMITS);
    assert_eq!(exchange(door.address, b"\x16\x03\x01 nonsense\r\n\r\n").unwrap().status, 400);
    assert_eq!(exchange(door.address, &get("/")).unwrap().status, 200);
}
