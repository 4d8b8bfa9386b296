//! A slow body and a reason phrase, against a scripted peer.

use std::time::Instant;

use http::Method;
use testkit::{Peer, Reply};

use super::*;
use crate::{ClientConfig, TlsConfig};

fn client() -> Client {
    let config = ClientConfig {
        tls: TlsConfig::default(),
        connect_timeout: Duration::from_secs(5),
        request_timeout: Duration::from_secs(20),
        answer_bytes: 1000,
    };
    Client::new(&config).unwrap()
}

fn request(url: String, body: &'static [u8]) -> Request {
    Request { method: Method::POST, url, headers: Vec::new(), body: Bytes::from_static(body) }
}

/// *Scenario:* a body of ten bytes in four pieces, 40 ms apart.
/// *Guarantees:* it arrives whole with its length and without chunks, and not before three pauses.
#[tokio::test]
async fn a_slow_body_arrives_whole() {
    let peer = Peer::start(Reply::json(200, "{}"));
    let begun = Instant::now();
    let pace = Pace { pieces: 4, pause: Duration::from_millis(40) };
    let observed = client().observe(request(peer.url("/a?b=c"), b"0123456789"), Some(pace)).await;
    assert_eq!(observed.unwrap().answer.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(120), "{:?}", begun.elapsed());
    let [seen] = peer.requests().try_into().unwrap();
    assert_eq!((seen.body.as_slice(), seen.target.as_str()), (&b"0123456789"[..], "/a?b=c"));
    assert_eq!(seen.header("content-length"), Some("10"));
    assert_eq!(seen.header("transfer-encoding"), None);
}

/// *Scenario:* one peer with a reason phrase of its own, one with the usual one, one with none.
/// *Guarantees:* each is told as it came.
#[tokio::test]
async fn the_reason_phrase_is_kept() {
    for (line, wanted) in [("200 Scripted", "Scripted"), ("200 OK", "OK"), ("200 ", "")] {
        let answer = format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n");
        let peer = Peer::start(Reply::Raw(answer.into_bytes()));
        let observed = client().observe(request(peer.url("/"), b"x"), None).await.unwrap();
        assert_eq!(observed.reason, wanted, "{line}");
    }
}
