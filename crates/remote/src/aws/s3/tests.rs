//! Tests that need what is private: downloads that break, with less patience; AWS's own endpoints,
//! led to a peer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use testkit::{Authority, Peer, Received, Reply, TempDir};

use super::super::{IdentityConfig, Variables};
use super::*;
use crate::{Client, ClientConfig, TlsConfig};

const LENGTH: usize = 5000;

fn body() -> Vec<u8> {
    (0..LENGTH).map(|i| (i * 7 % 251) as u8).collect()
}

fn config(endpoint: Option<String>) -> IdentityConfig {
    IdentityConfig {
        region: Some("eu-west-1".to_owned()),
        profile: None,
        endpoint_url: endpoint,
        assume_role: None,
        client: ClientConfig {
            tls: TlsConfig::default(),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(5),
            answer_bytes: 0,
        },
    }
}

fn variables() -> Variables {
    [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "s")].into_iter().collect()
}

async fn s3(peer: &Peer) -> S3 {
    S3::new(Identity::load_with(config(Some(peer.url(""))), variables()).await.unwrap())
}

async fn read(s3: &S3) -> Result<Vec<u8>, (usize, Fault)> {
    let mut download = s3.get("b", "k", Some("v1"), None).await.map_err(|fault| (0, fault))?;
    let mut all = Vec::new();
    loop {
        match download.chunk().await {
            Ok(Some(bytes)) => all.extend_from_slice(&bytes),
            Ok(None) => return Ok(all),
            Err(fault) => return Err((all.len(), fault)),
        }
    }
}

/// The first byte that a request asks for.
fn asked_from(request: &Received) -> usize {
    let range = request.header("range").unwrap_or("bytes=0-");
    range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap()
}

/// The head of a right answer, and `count` bytes of its body.
fn part(request: &Received, count: usize, etag: &str) -> Vec<u8> {
    let from = asked_from(request);
    let left = LENGTH - from;
    let first = if from == 0 {
        "200 OK\r\n".to_owned()
    } else {
        format!("206 Partial\r\nContent-Range: bytes {from}-{}/{LENGTH}\r\n", LENGTH - 1)
    };
    let head = format!("HTTP/1.1 {first}ETag: {etag}\r\nContent-Length: {left}\r\n\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&body()[from..from + count.min(left)]);
    bytes
}

/// *Scenario:* the connection breaks in the head, right behind it, after one byte, in the middle,
/// before the last byte; once, and each time again; closed, reset, answered 503 and HTML between.
/// *Guarantees:* every byte once and in order; resumed with Range and If-Match, and the version.
#[test]
fn broken_download_is_resumed_where_it_broke() {
    for count in [0, 1, 7, LENGTH / 2, LENGTH - 1] {
        let number = AtomicUsize::new(0);
        let peer = Peer::scripted(move |request| match number.fetch_add(1, Ordering::SeqCst) {
            0 | 2 => Reply::Raw(part(request, count, "\"e\"")),
            1 => Reply::Reset,
            3 => Reply::body(503, "text/html", "<html>"),
            4 => Reply::Raw(b"HTTP/1.1 206 Par".to_vec()),
            _ => Reply::Raw(part(request, LENGTH, "\"e\"")),
        });
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let got = runtime.block_on(async { read(&s3(&peer).await).await }).unwrap();
        assert!(got == body(), "{count}");
        let seen = peer.requests();
        assert!(seen.len() >= 3, "{count}: {}", seen.len());
        for request in seen.iter().skip(1) {
            assert_eq!(request.header("if-match"), Some("\"e\""));
            assert_eq!(request.target, "/b/k?versionId=v1");
        }
        if count > 0 {
            assert_eq!(asked_from(seen.get(1).unwrap()), count);
        }
    }
}

/// *Scenario:* a server that takes no notice of Range; one whose object changed between, told by 412
/// and by another tag; one that says the wrong range; one that never comes back; one that is silent.
/// *Guarantees:* the bytes are right, or the fault is: changed, not S3's, broken at a byte.
#[test]
fn what_cannot_be_resumed_is_told() {
    let check = |later: fn(&Received) -> Reply| {
        let number = AtomicUsize::new(0);
        let peer = Peer::scripted(move |request| match number.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::Raw(part(request, 1234, "\"e\"")),
            _ => later(request),
        });
        let runtime = tokio::runtime::Runtime::new().unwrap();
        (runtime.block_on(async { read(&s3(&peer).await).await }), peer.count())
    };
    let ignores = |_: &Received| Reply::body(200, "x", body()).with("ETag", "\"e\"");
    assert!(check(ignores).0.unwrap() == body());
    let longer = |request: &Received| {
        let from = asked_from(request);
        let range = format!("bytes {from}-{}/{LENGTH}", LENGTH - 1);
        let more = [&body()[from..], b"more".as_slice()].concat();
        Reply::body(206, "x", more).with("ETag", "\"e\"").with("Content-Range", &range)
    };
    assert!(check(longer).0.unwrap() == body());
    let gone = |_: &Received| {
        let text = "<Error><Code>PreconditionFailed</Code><Message>m</Message></Error>";
        Reply::body(412, "application/xml", text)
    };
    let (at, fault) = check(gone).0.unwrap_err();
    assert_eq!((at, fault.kind), (1234, Kind::Changed));
    let other = |request: &Received| Reply::Raw(part(request, LENGTH, "\"f\""));
    let (at, fault) = check(other).0.unwrap_err();
    assert_eq!((at, fault.kind, fault.code.as_str()), (1234, Kind::Changed, "Changed"));
    let elsewhere = |_: &Received| {
        let range = format!("bytes 9-{}/{LENGTH}", LENGTH - 1);
        Reply::body(206, "x", body()).with("ETag", "\"e\"").with("Content-Range", &range)
    };
    assert_eq!(check(elsewhere).0.unwrap_err().1.code, "NotAws");
    let (result, count) = check(|_| Reply::Close);
    let (at, fault) = result.unwrap_err();
    assert_eq!((at, fault.kind, fault.code.as_str(), count), (1234, Kind::Unwell, "Broken", 7));
    assert!(fault.message.contains("at byte 1234 of 5000, 7 times"), "{fault}");
    let deleted = |_: &Received| {
        let text = "<Error><Code>NoSuchKey</Code><Message>m</Message></Error>";
        Reply::body(404, "application/xml", text)
    };
    assert_eq!(check(deleted).0.unwrap_err().1.kind, Kind::NoSuchObject);
}

/// *Scenario:* an answer longer than the object; an object without an entity tag; one without a length.
/// *Guarantees:* never more than the object; what S3 did not write is not believed.
#[test]
fn strange_answers_are_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let raw = |text: &str| Peer::start(Reply::Raw(text.as_bytes().to_vec()));
        let peer = raw("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 2\r\n\r\nabcdef");
        assert_eq!(read(&s3(&peer).await).await.unwrap(), b"ab");
        for head in ["Content-Length: 2\r\n", "ETag: \"e\"\r\n"] {
            let peer = raw(&format!("HTTP/1.1 200 OK\r\n{head}\r\nab"));
            let (_, fault) = read(&s3(&peer).await).await.unwrap_err();
            assert_eq!((fault.kind, fault.code.as_str()), (Kind::Unwell, "NotAws"));
        }
    });
}

/// *Scenario:* a bucket in another region, at AWS's own endpoints: 301, 307 and 400 with a body, 301
/// and 400 of a HEAD without one; each answered right by the region's own host.
/// *Guarantees:* followed once and at once the next time; signed for the right region; a region that
/// sends elsewhere again is a fault.
#[test]
fn bucket_in_another_region_is_followed_once() {
    let wrong = |status: u16, code: &str, body: bool| {
        let text = format!("<Error><Code>{code}</Code><Region>us-east-2</Region></Error>");
        let text = if body { text } else { String::new() };
        Reply::body(status, "application/xml", text).with("x-amz-bucket-region", "us-east-2")
    };
    let replies = [
        wrong(301, "PermanentRedirect", true),
        wrong(307, "TemporaryRedirect", true),
        wrong(400, "AuthorizationHeaderMalformed", true),
        wrong(301, "", false),
        wrong(400, "", false),
    ];
    let hosts = ["my-b.s3.eu-west-1.amazonaws.com", "my-b.s3.us-east-2.amazonaws.com"];
    let authority = Authority::new();
    let dir = TempDir::new("s3");
    let ca = dir.write("ca.pem", authority.ca_pem());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (index, reply) in replies.into_iter().enumerate() {
        let here = Peer::start_tls(authority.sign(hosts[0]).server_config(), reply.clone());
        // The peer would send the body of a HEAD, too.
        let right =
            Reply::body(200, "x", if index < 3 { "hello" } else { "" }).with("ETag", "\"e\"");
        let there = Peer::start_tls(authority.sign(hosts[1]).server_config(), right);
        let client = of_aws(&[&here, &there], ca.clone(), &hosts);
        runtime.block_on(async {
            for _ in 0..2 {
                let head = index >= 3;
                if head {
                    client.head("my-b", "a/k").await.unwrap();
                } else {
                    client.get("my-b", "a/k", None, None).await.unwrap();
                }
            }
        });
        assert_eq!((here.count(), there.count()), (1, 2));
        let request = there.requests().remove(0);
        assert_eq!((request.target.as_str(), request.header("host")), ("/a/k", Some(hosts[1])));
        assert!(request.header("authorization").unwrap().contains("/us-east-2/s3/aws4_request"));
        there.set(wrong(301, "PermanentRedirect", true));
        let fault = runtime.block_on(async { client.get("my-b", "k", None, None).await });
        assert_eq!(fault.unwrap_err().kind, Kind::WrongRegion);
        assert_eq!(there.count(), 3);
    }
}

/// An S3 at AWS's own host names, each of which leads to a peer.
fn of_aws(peers: &[&Peer], ca_file: std::path::PathBuf, hosts: &[&str]) -> S3 {
    let mut config = config(None);
    config.client.tls.ca_file = Some(ca_file);
    let client = Client::shaped(&config.client, |mut builder| {
        for (peer, host) in peers.iter().zip(hosts) {
            builder = builder.resolve(host, peer.address());
        }
        builder.no_proxy()
    });
    S3::new(Identity::with_client(&config, &variables(), client.unwrap()).unwrap())
}

/// *Scenario:* buckets and regions at AWS, with dots, in China, by FIPS and dual stack.
/// *Guarantees:* the host names that AWS documents; a bucket with dots is in the path.
#[test]
fn places_of_buckets() {
    let places = |more: &[(&str, &str)]| {
        let variables: Variables = more.iter().copied().collect();
        let none = super::super::profiles::Profiles::default();
        super::super::places::Places::read(None, &variables, &none, "default").unwrap()
    };
    let check = |more: &[(&str, &str)], bucket: &str, region: &str, expect: &str| {
        let (place, path) = places(more).bucket(bucket, region);
        assert_eq!(format!("{}{path}", place.url), expect);
    };
    check(&[], "a-b", "eu-west-1", "https://a-b.s3.eu-west-1.amazonaws.com");
    check(&[], "a.b", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/a.b");
    check(&[], "A_b", "us-east-1", "https://s3.us-east-1.amazonaws.com/A_b");
    check(&[], "b", "cn-north-1", "https://b.s3.cn-north-1.amazonaws.com.cn");
    let fips = ("AWS_USE_FIPS_ENDPOINT", "true");
    let dual = ("AWS_USE_DUALSTACK_ENDPOINT", "true");
    check(&[fips], "b", "us-gov-west-1", "https://b.s3-fips.us-gov-west-1.amazonaws.com");
    check(&[dual], "b", "eu-west-1", "https://b.s3.dualstack.eu-west-1.amazonaws.com");
    check(&[fips, dual], "b", "us-east-2", "https://b.s3-fips.dualstack.us-east-2.amazonaws.com");
    let own = ("AWS_ENDPOINT_URL_S3", "http://h:9000/");
    check(&[own, fips], "b", "eu-west-1", "http://h:9000/b");
    let service =
        |more: &[(&str, &str)], service, region: &str| places(more).place(service, region).url;
    assert_eq!(service(&[dual], Service::Sqs, "eu-west-1"), "https://sqs.eu-west-1.api.aws");
    assert_eq!(
        service(&[fips], Service::Sts, "us-east-1"),
        "https://sts-fips.us-east-1.amazonaws.com"
    );
    assert_eq!(
        service(&[], Service::Tagging, "eu-west-1"),
        "https://tagging.eu-west-1.amazonaws.com"
    );
}
