//! A channel against peers that speak gRPC, and peers that do not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use remote::grpc::{Call, Channel, Code, Message, Outcome, Status};
use remote::{ClientConfig, TlsConfig, Unreachable, Why};
use testkit::{Authority, GrpcPeer, GrpcReply, Peer, Reply, TempDir, closed_port};

const PATH: &str = "/test.Service/Do";
/// How every HTTP/2 client begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// An empty SETTINGS frame, with which every HTTP/2 server begins.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

fn config() -> ClientConfig {
    ClientConfig {
        tls: TlsConfig::default(),
        connect_timeout: Duration::from_secs(5),
        request_timeout: Duration::from_secs(5),
        answer_bytes: 64 * 1024,
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

fn call_of(message: &'static [u8]) -> Call {
    Call { path: PATH, metadata: Vec::new(), encoding: None, message: Bytes::from_static(message) }
}

fn call(config: &ClientConfig, endpoint: &str) -> Result<Outcome, Unreachable> {
    run(async { Channel::new(endpoint, config).unwrap().call(call_of(b"hello")).await })
}

#[track_caller]
fn status(reply: Result<Outcome, Unreachable>) -> Status {
    match reply {
        Ok(Outcome::Status(status)) => status,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_failure(endpoint: &str, why: Why, parts: &[&str]) {
    let error = call(&config(), endpoint).unwrap_err();
    assert_eq!(error.why, why, "{error}");
    for part in parts {
        assert!(error.detail.contains(part), "'{part}' is not in: {error}");
    }
}

/// *Scenario:* a compressed message with metadata, answered by a message and a status in trailers.
/// *Guarantees:* path, headers and prefix as gRPC wants them; the answer's message without prefix.
#[test]
fn a_call_and_its_answer_are_whole() {
    let peer = GrpcPeer::start(GrpcReply::message(b"fine"));
    let name = HeaderName::from_static("x-tenant");
    let metadata = vec![(name, HeaderValue::from_static("blue"))];
    let call = Call { metadata, encoding: Some("gzip"), ..call_of(b"hello") };
    let reply = run(async { Channel::new(&peer.url(), &config()).unwrap().call(call).await });
    let status = status(reply);
    let message = Message { encoding: None, bytes: Bytes::from_static(b"fine") };
    assert_eq!((status.code, status.answer), (Code::Ok, Some(message)));
    let seen = peer.requests().remove(0);
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", PATH));
    assert_eq!(seen.body, b"\x01\0\0\0\x05hello");
    let agent = format!("hydrant/{}", env!("CARGO_PKG_VERSION"));
    for (name, value) in [
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("grpc-timeout", "5000m"),
        ("grpc-encoding", "gzip"),
        ("x-tenant", "blue"),
        ("user-agent", &agent),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    assert_eq!(seen.header("content-length"), None, "the length is in the prefix");
}

/// *Scenario:* an empty message; a message of a megabyte.
/// *Guarantees:* the prefix alone; every byte, within the peer's flow control.
#[test]
fn messages_of_any_size_arrive() {
    let peer = GrpcPeer::start(GrpcReply::status(0, ""));
    let large = Bytes::from(vec![7; 1 << 20]);
    run(async {
        let channel = Channel::new(&peer.url(), &config()).unwrap();
        for message in [Bytes::new(), large] {
            let call = Call { message, ..call_of(b"") };
            assert_eq!(status(channel.call(call).await).code, Code::Ok);
        }
    });
    let seen = peer.requests();
    assert_eq!(seen[0].body, [0; 5]);
    assert_eq!(seen[1].body.len(), (1 << 20) + 5);
    assert_eq!(seen[1].body[..6], [0, 0, 16, 0, 0, 7]);
}

/// *Scenario:* many calls at once, and more after them.
/// *Guarantees:* one connection carries them all.
#[test]
fn one_connection_carries_all_calls() {
    let peer = GrpcPeer::start(GrpcReply::status(0, ""));
    run(async {
        let channel = Channel::new(&peer.url(), &config()).unwrap();
        for _ in 0..2 {
            let calls: Vec<_> = (0..20)
                .map(|_| {
                    let channel = channel.clone();
                    tokio::spawn(async move { channel.call(call_of(b"x")).await })
                })
                .collect();
            for call in calls {
                assert_eq!(status(call.await.unwrap()).code, Code::Ok);
            }
        }
    });
    assert_eq!((peer.requests().len(), peer.connections()), (40, 1));
}

/// *Scenario:* a status in trailers with details; a status in the headers.
/// *Guarantees:* code, decoded text and details, wherever they stand.
#[test]
fn a_status_is_read_wherever_it_stands() {
    let reply = GrpcReply::status(14, "try%20later").with("grpc-status-details-bin", "CA4");
    let status_of = |reply| status(call(&config(), &GrpcPeer::start(reply).url()));
    let read = status_of(reply);
    assert_eq!((read.code, read.message.as_str()), (Code::Unavailable, "try later"));
    assert_eq!(read.details, "CA4");
    let read = status_of(GrpcReply::HeadersOnly(16, "who are you?".to_owned()));
    assert_eq!((read.code, read.message.as_str()), (Code::Unauthenticated, "who are you?"));
}

/// *Scenario:* answers whose message has an unknown flag, is cut, or comes twice.
/// *Guarantees:* the status is read, and no message is made up.
#[test]
fn a_broken_message_is_none() {
    for data in
        [&b"\x02\0\0\0\x02ab"[..], b"\0\0\0\0\x09ab", b"\0\0\0", b"\0\0\0\0\x01a\0\0\0\0\x01b"]
    {
        let (text, trailers) = (String::new(), Vec::new());
        let reply = GrpcReply::Status { code: 0, text, trailers, data: data.to_vec() };
        let read = status(call(&config(), &GrpcPeer::start(reply).url()));
        assert_eq!((read.code, read.answer), (Code::Ok, None), "{data:?}");
    }
}

/// *Scenario:* an answer that is compressed, as grpc-go answers a compressed call.
/// *Guarantees:* its bytes as they came, and the name of their encoding.
#[test]
fn a_compressed_message_is_handed_on() {
    let (text, trailers) = (String::new(), Vec::new());
    let data = b"\x01\0\0\0\x02ab".to_vec();
    let reply = GrpcReply::Status { code: 0, text, trailers, data };
    let read = status(call(&config(), &GrpcPeer::start(reply).url()));
    let message = Message { encoding: Some("gzip".to_owned()), bytes: Bytes::from_static(b"ab") };
    assert_eq!(read.answer, Some(message));
}

/// *Scenario:* an answer of gRPC without trailers; a page of HTML; a 502 with `Retry-After`.
/// *Guarantees:* told apart from a status, with all that was said.
#[test]
fn what_is_no_answer_of_grpc_is_told_apart() {
    let reply = |reply| call(&config(), &GrpcPeer::start(reply).url()).unwrap();
    assert!(matches!(reply(GrpcReply::NoTrailers(vec![0; 5])), Outcome::NoStatus));
    let html = ("content-type", "text/html".to_owned());
    let page = GrpcReply::Http { status: 200, headers: vec![html], body: b"<html>".to_vec() };
    let Outcome::Http(answer) = reply(page) else { panic!() };
    assert_eq!((answer.status, &answer.body[..]), (200, &b"<html>"[..]));
    let after = ("retry-after", "7".to_owned());
    let gateway = GrpcReply::Http { status: 502, headers: vec![after], body: Vec::new() };
    let Outcome::Http(answer) = reply(gateway) else { panic!() };
    assert_eq!((answer.status, answer.retry_after), (502, Some(Duration::from_secs(7))));
}

/// *Scenario:* a server that goes away in good order, before and after it has seen the call; one that
/// refuses a stream; one that does so for ever.
/// *Guarantees:* made again at once, after GOAWAY on a new connection; given up after a few.
#[test]
fn a_call_that_was_let_go_is_made_again_at_once() {
    // For the last stream it will serve, and for the reason, zero.
    let go_away = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for after in [PREFACE, b"hello"] {
        let peer = GrpcPeer::start(GrpcReply::status(0, ""));
        peer.answer_connection(after, [&SETTINGS[..], &go_away].concat());
        assert_eq!(status(call(&config(), &peer.url())).code, Code::Ok);
        assert_eq!((peer.requests().len(), peer.connections()), (1, 2));
    }

    const REFUSED_STREAM: u32 = 7;
    let mut first = true;
    let peer = GrpcPeer::scripted(move |_| {
        let refuse = std::mem::take(&mut first);
        if refuse { GrpcReply::Reset(REFUSED_STREAM) } else { GrpcReply::status(0, "") }
    });
    assert_eq!(status(call(&config(), &peer.url())).code, Code::Ok);
    assert_eq!(peer.requests().len(), 2);

    let peer = GrpcPeer::start(GrpcReply::Reset(REFUSED_STREAM));
    check_failure(&peer.url(), Why::Reset, &["refused"]);
    assert_eq!(peer.requests().len(), 3);
}

/// *Scenario:* RST_STREAM with other codes, GOAWAY in anger, a connection cut in the middle.
/// *Guarantees:* a reset with the peer's reason, made once: the peer may have looked at the call.
#[test]
fn a_broken_call_is_a_reset() {
    const INTERNAL_ERROR: u32 = 2;
    const ENHANCE_YOUR_CALM: u32 = 11;
    for (reply, part) in [
        (GrpcReply::Reset(INTERNAL_ERROR), "internal error"),
        (GrpcReply::GoAway(ENHANCE_YOUR_CALM), ""),
        (GrpcReply::Cut, ""),
    ] {
        let peer = GrpcPeer::start(reply);
        check_failure(&peer.url(), Why::Reset, &[part, "127.0.0.1:"]);
        assert_eq!(peer.requests().len(), 1);
        if !part.is_empty() {
            let error = call(&config(), &peer.url()).unwrap_err();
            assert!(!error.detail.contains("4318"), "it does speak HTTP/2: {error}");
        }
    }
}

/// *Scenario:* a connection that broke, then one that works.
/// *Guarantees:* the channel connects anew by itself.
#[test]
fn a_channel_connects_anew() {
    let mut replies =
        [GrpcReply::status(0, ""), GrpcReply::Cut, GrpcReply::status(0, "")].into_iter();
    let peer = GrpcPeer::scripted(move |_| replies.next().unwrap());
    run(async {
        let channel = Channel::new(&peer.url(), &config()).unwrap();
        assert_eq!(status(channel.call(call_of(b"1")).await).code, Code::Ok);
        assert_eq!(channel.call(call_of(b"2")).await.unwrap_err().why, Why::Reset);
        // The end of the old connection may not have been noticed yet.
        let again = match channel.call(call_of(b"3")).await {
            Err(_) => channel.call(call_of(b"3")).await,
            done => done,
        };
        assert_eq!(status(again).code, Code::Ok);
    });
    assert_eq!(peer.connections(), 2);
}

/// *Scenario:* an HTTP/1.1 server in plaintext and by TLS, TLS asked in plaintext, plaintext asked
/// by TLS, one that closes, one that talks nonsense.
/// *Guarantees:* a text that says what is wrong with the port or the scheme.
#[test]
fn peers_of_other_kinds_are_named() {
    remote::install_provider();
    let authority = Authority::new();
    let identity = authority.sign("127.0.0.1").server_config();
    let http = Peer::start(Reply::body(400, "text/html", "<html>"));
    let garbage = Peer::start(Reply::garbage());
    let tls = GrpcPeer::start_tls(&identity, GrpcReply::Hang);
    let closing = Peer::start(Reply::Close);
    let plain_to_tls = tls.url().replace("https", "http");
    for endpoint in [http.url(""), garbage.url(""), plain_to_tls, closing.url("")] {
        let error = call(&config(), &endpoint).unwrap_err();
        // Whether the end of the connection or its reason is seen first is a race.
        assert!(matches!(error.why, Why::Protocol | Why::Reset), "{error}");
        for part in ["gRPC needs HTTP/2", "4318", "TLS"] {
            assert!(error.detail.contains(part), "{error}");
        }
    }
    let place = http.address();
    check_failure(&format!("https://{place}"), Why::Tls, &["speak TLS here?", "http://"]);
    let nobody = format!("http://127.0.0.1:{}", closed_port());
    check_failure(&nobody, Why::Connect, &[]);
}

/// *Scenario:* TLS with an unknown authority, with its CA file, and without HTTP/2.
/// *Guarantees:* refused, taken, and named.
#[test]
fn tls_is_verified_and_http2_agreed_on() {
    remote::install_provider();
    let authority = Authority::new();
    let dir = TempDir::new("grpc-ca");
    let identity = authority.sign("127.0.0.1").server_config();
    let peer = GrpcPeer::start_tls(&identity, GrpcReply::status(0, ""));
    check_failure(&peer.url(), Why::Tls, &["certificate"]);
    let mut trusting = config();
    trusting.tls.ca_file = Some(dir.write("ca.pem", authority.ca_pem()));
    assert_eq!(status(call(&trusting, &peer.url())).code, Code::Ok);
    let bare = peer.url().replace("https://", "");
    assert_eq!(status(call(&trusting, &bare)).code, Code::Ok);
    let old = Peer::start_tls(identity, Reply::status(200));
    let error = call(&trusting, &old.url("")).unwrap_err();
    assert!(error.detail.contains("gRPC needs HTTP/2"), "{error}");
    assert_eq!(error.why, Why::Tls);
}

/// *Scenario:* a server that never answers, and a connection nobody reads.
/// *Guarantees:* given up in time; a dead connection is noticed by its pings and not used again.
#[test]
fn silence_is_given_up() {
    let peer = GrpcPeer::start(GrpcReply::Hang);
    let mut config = config();
    config.request_timeout = Duration::from_millis(900);
    let error = call(&config, &peer.url()).unwrap_err();
    assert_eq!(error.why, Why::Timeout, "{error}");
    assert!(error.detail.contains("900ms"), "{error}");

    let peer = GrpcPeer::start(GrpcReply::status(0, ""));
    peer.answer_connection(PREFACE, SETTINGS);
    run(async {
        let channel = Channel::new(&peer.url(), &config).unwrap();
        let error = channel.call(call_of(b"lost")).await.unwrap_err();
        assert_eq!(error.why, Why::Timeout, "{error}");
        assert!(error.detail.contains("ping"), "{error}");
        assert_eq!(status(channel.call(call_of(b"again")).await).code, Code::Ok);
    });
    assert_eq!(peer.connections(), 2);
}

/// *Scenario:* an answer longer than the limit.
/// *Guarantees:* not read further, and said.
#[test]
fn a_long_answer_is_refused() {
    let peer = GrpcPeer::start(GrpcReply::message(&vec![0; 70_000]));
    check_failure(&peer.url(), Why::Protocol, &["over 65536 bytes"]);
}
