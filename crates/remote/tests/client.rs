//! A client against peers that behave, and peers that do not.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Method};
use remote::{Answer, Client, ClientConfig, Request, TlsConfig, Unreachable, Why};
use testkit::{Authority, Peer, Reply, TempDir, closed_port};

fn config() -> ClientConfig {
    ClientConfig {
        tls: TlsConfig::default(),
        connect_timeout: Duration::from_secs(5),
        request_timeout: Duration::from_secs(5),
        answer_bytes: 64 * 1024,
    }
}

fn request(url: &str) -> Request {
    Request {
        method: Method::POST,
        url: url.to_owned(),
        headers: vec![(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer t0ken"))],
        body: Bytes::from_static(b"hello"),
    }
}

fn send(config: &ClientConfig, url: &str) -> Result<Answer, Unreachable> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { Client::new(config).unwrap().send(request(url)).await })
}

#[track_caller]
fn check_failure(config: &ClientConfig, url: &str, why: Why, parts: &[&str]) {
    let error = send(config, url).unwrap_err();
    assert_eq!(error.why, why, "{error}");
    for part in parts {
        assert!(error.detail.contains(part), "'{part}' is not in: {error}");
    }
    for secret in ["t0ken", "user", "pa55", "query"] {
        assert!(!error.to_string().contains(secret), "'{secret}' is in: {error}");
    }
}

/// *Scenario:* a POST with a header and a body.
/// *Guarantees:* both arrive, with our User-Agent and no wish for an encoding; the answer is whole.
#[test]
fn request_and_answer_are_whole() {
    let peer = Peer::start(Reply::json(202, "{}").with("X-A", "1").with("Retry-After", "7"));
    let answer = send(&config(), &peer.url("/a?b=c")).unwrap();
    assert_eq!((answer.status, answer.body.as_ref()), (202, b"{}".as_slice()));
    assert_eq!(answer.headers.get("x-a").unwrap(), "1");
    assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));
    let seen = peer.requests().remove(0);
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/a?b=c"));
    assert_eq!(seen.body, b"hello");
    assert_eq!(seen.header("authorization"), Some("Bearer t0ken"));
    let agent = format!("hydrant/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(seen.header("user-agent"), Some(agent.as_str()));
    assert_eq!(seen.header("accept-encoding"), None);
}

/// *Scenario:* a peer that closes a kept connection when the next request comes; one that closes every one.
/// *Guarantees:* the first costs nothing but a connection; the second is a failure, after few attempts,
/// and once known as that after one.
#[test]
fn kept_connection_that_is_closed_is_no_failure() {
    let peer = Peer::start(Reply::status(200));
    let mut seen = 0;
    peer.set_script(move |_| {
        seen += 1;
        if seen == 2 { Reply::Close } else { Reply::status(200) }
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = Client::new(&config()).unwrap();
    let send = || runtime.block_on(client.send(request(&peer.url("/"))));
    assert_eq!(send().unwrap().status, 200);
    assert_eq!(send().unwrap().status, 200);
    let (requests, connections) = (peer.count(), peer.connections());
    assert_eq!((requests, connections), (3, 2));
    peer.set(Reply::Close);
    assert_eq!(send().unwrap_err().why, Why::Reset);
    assert_eq!(peer.count(), requests + 3);
    assert_eq!(send().unwrap_err().why, Why::Reset);
    assert_eq!(peer.count(), requests + 4);
}

/// *Scenario:* an answer with Content-Encoding gzip nobody asked for.
/// *Guarantees:* its bytes are handed on as they are.
#[test]
fn encoded_answer_is_not_decoded() {
    let bytes = [0x1f, 0x8b, 8, 0, 1, 2, 3];
    let reply = Reply::body(200, "text/plain", bytes).with("Content-Encoding", "gzip");
    let answer = send(&config(), &Peer::start(reply).url("/")).unwrap();
    assert_eq!(answer.body.as_ref(), bytes);
}

/// *Scenario:* a redirect, a 503.
/// *Guarantees:* both are answers; nothing is followed, nothing is sent again.
#[test]
fn redirects_and_refusals_are_answers() {
    let other = Peer::start(Reply::status(200));
    let peer = Peer::start(Reply::redirect(&other.url("/elsewhere")));
    assert_eq!(send(&config(), &peer.url("/")).unwrap().status, 302);
    assert_eq!(other.count(), 0);
    peer.set(Reply::status(503));
    assert_eq!(send(&config(), &peer.url("/")).unwrap().status, 503);
    assert_eq!(peer.count(), 2);
}

/// *Scenario:* an answer of a megabyte where 1,000 bytes are wanted.
/// *Guarantees:* 1,000 bytes are read.
#[test]
fn answer_is_cut_at_its_limit() {
    let peer = Peer::start(Reply::body(200, "text/plain", vec![b'x'; 1_000_000]));
    let answer = send(&ClientConfig { answer_bytes: 1000, ..config() }, &peer.url("/")).unwrap();
    assert_eq!(answer.body.len(), 1000);
}

/// *Scenario:* every way not to answer, on URLs that hold a password and a query.
/// *Guarantees:* each has its kind, told from no text; host and port are named, secrets are not.
#[test]
fn failures_are_told_apart() {
    let peer = Peer::start(Reply::Reset);
    let port = peer.address().port().to_string();
    let url = format!("http://user:pa55@127.0.0.1:{port}/?query=1");
    let at = format!("127.0.0.1:{port}");
    check_failure(&config(), &url, Why::Reset, &[&at]);
    peer.set(Reply::Close);
    check_failure(&config(), &url, Why::Reset, &[&at]);
    peer.set(Reply::Half);
    check_failure(&config(), &url, Why::Reset, &[&at]);
    peer.set(Reply::garbage());
    check_failure(&config(), &url, Why::Protocol, &[&at]);
    let closed = format!("http://user:pa55@127.0.0.1:{}/?query", closed_port());
    check_failure(&config(), &closed, Why::Connect, &["127.0.0.1:"]);
    check_failure(
        &config(),
        "http://user:pa55@nowhere.invalid/query",
        Why::Dns,
        &["nowhere.invalid:80", "not resolved"],
    );
    check_failure(&config(), "user:pa55@nowhere/query", Why::Request, &["not a"]);
    check_failure(&config(), "ftp://user:pa55@host/query", Why::Request, &["http"]);
}

/// *Scenario:* a peer that takes the request and never answers; one that answers too late.
/// *Guarantees:* a timeout, in time, that names the setting's value; nothing is sent twice.
#[test]
fn silence_is_a_timeout() {
    let short = ClientConfig { request_timeout: Duration::from_millis(200), ..config() };
    let peer = Peer::start(Reply::Hang);
    let start = Instant::now();
    check_failure(&short, &peer.url("/"), Why::Timeout, &["200ms"]);
    assert!(start.elapsed() < Duration::from_secs(3));
    peer.set(Reply::status(200).after(Duration::from_millis(600)));
    check_failure(&short, &peer.url("/"), Why::Timeout, &["200ms"]);
    assert_eq!(peer.wait_for(2, Duration::from_secs(10)).len(), 2);
}

/// *Scenario:* a server whose certificate the system does not know; then its CA is given; then the
/// name differs; then nothing is verified.
/// *Guarantees:* tls, 200, tls, 200.
#[test]
fn certificates_are_verified_unless_told_otherwise() {
    let authority = Authority::new();
    let dir = TempDir::new("remote");
    let ca_file = Some(dir.write("ca.pem", authority.ca_pem()));
    let good = Peer::start_tls(authority.sign("127.0.0.1").server_config(), Reply::status(200));
    let other = Peer::start_tls(authority.sign("example.com").server_config(), Reply::status(200));
    let expired = authority.sign_expired("127.0.0.1").server_config();
    let expired = Peer::start_tls(expired, Reply::status(200));
    let own = ClientConfig { tls: TlsConfig { ca_file, accept_invalid: false }, ..config() };
    let any = ClientConfig { tls: TlsConfig { ca_file: None, accept_invalid: true }, ..config() };
    check_failure(&config(), &good.url("/"), Why::Tls, &["127.0.0.1:", "certificate"]);
    assert_eq!(send(&own, &good.url("/")).unwrap().status, 200);
    check_failure(&own, &other.url("/"), Why::Tls, &["certificate"]);
    check_failure(&own, &expired.url("/"), Why::Tls, &["expired"]);
    assert_eq!(send(&any, &other.url("/")).unwrap().status, 200);
    assert_eq!(send(&any, &expired.url("/")).unwrap().status, 200);
}

/// *Scenario:* the certificates that people have trouble with: of an unknown authority, signed by itself with
/// CA:TRUE as openssl makes it and trusted, expired, for another name; and a port without TLS.
/// *Guarantees:* each is told with its fault and a remedy, and without the names of Rust's types.
#[test]
fn a_bad_certificate_is_told_with_its_remedy() {
    let authority = Authority::new();
    let dir = TempDir::new("remote");
    let openssl = testkit::Identity::self_signed_authority("127.0.0.1");
    let trusted = dir.write("ca.pem", format!("{}{}", authority.ca_pem(), openssl.cert_pem));
    let tls = TlsConfig { ca_file: Some(trusted), accept_invalid: false };
    let own = ClientConfig { tls, ..config() };
    let stranger = Authority::new().sign("127.0.0.1");
    for (identity, parts) in [
        (stranger, ["UnknownIssuer", "ca_file (--ca-file)"]),
        (openssl, ["(CA:TRUE)", "basicConstraints=critical,CA:FALSE"]),
        (authority.sign_expired("127.0.0.1"), ["expired at 2001-01-01T00:00:00Z", "renew it"]),
        (
            authority.sign("in.example.com"),
            ["is for in.example.com, not for 127.0.0.1", "use a name"],
        ),
    ] {
        let peer = Peer::start_tls(identity.server_config(), Reply::status(200));
        let error = send(&own, &peer.url("/")).unwrap_err();
        assert_eq!(error.why, Why::Tls, "{error}");
        for part in parts {
            assert!(error.detail.contains(part), "{part}: {error}");
        }
        for riddle in ["Error(", "Name(", "invalid peer", "UNIX"] {
            assert!(!error.detail.contains(riddle), "{error}");
        }
    }
}

/// *Scenario:* https to a port that speaks plain HTTP.
/// *Guarantees:* tls, not a riddle.
#[test]
fn plain_peer_behind_https_is_a_tls_failure() {
    let peer = Peer::start(Reply::status(200));
    let url = format!("https://127.0.0.1:{}/", peer.address().port());
    // The peer waits for a line that never comes; what is told is bounded by the connect timeout.
    let short = ClientConfig { connect_timeout: Duration::from_millis(300), ..config() };
    let error = send(&short, &url).unwrap_err();
    assert!(matches!(error.why, Why::Tls | Why::Timeout), "{error}");
}

/// *Scenario:* CA files that are missing, empty, not PEM.
/// *Guarantees:* each text names setting, file and cause.
#[test]
fn unusable_ca_files_are_named() {
    let dir = TempDir::new("remote");
    let check = |file: std::path::PathBuf, part: &str| {
        let tls = TlsConfig { ca_file: Some(file), accept_invalid: false };
        let error = Client::new(&ClientConfig { tls, ..config() }).unwrap_err().to_string();
        assert!(error.contains("ca_file") && error.contains(part), "{error}");
    };
    check(dir.join("none.pem"), "No such file");
    check(dir.write("empty.pem", ""), "no certificate");
    check(dir.write("text.pem", "hello"), "no certificate");
    check(
        dir.write("bad.pem", "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n"),
        "bad.pem",
    );
}

/// *Scenario:* this test once more, in a process whose system has no CA certificates.
/// *Guarantees:* a client is built and reaches http; https fails per request.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the process that this test starts is told by its environment"
)]
fn machine_without_ca_certificates_can_still_speak_http() {
    if std::env::var_os("SSL_CERT_FILE").is_none() {
        let dir = TempDir::new("remote");
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "machine_without_ca_certificates_can_still_speak_http"])
            .env("SSL_CERT_FILE", dir.write("none.pem", ""))
            .env("SSL_CERT_DIR", dir.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let plain = Peer::start(Reply::status(200));
    assert_eq!(send(&config(), &plain.url("/")).unwrap().status, 200);
    let tls = Authority::new().sign("127.0.0.1").server_config();
    let tls = Peer::start_tls(tls, Reply::status(200));
    assert_eq!(send(&config(), &tls.url("/")).unwrap_err().why, Why::Tls);
}

/// *Scenario:* this test once more, in a process with a proxy in its environment.
/// *Guarantees:* requests go through it, but for those that NO_PROXY names.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the process that this test starts is told by its environment"
)]
fn proxies_of_the_environment_are_used() {
    let Some(at) = std::env::var_os("HYDRANT_TEST_PROXY") else {
        let proxy = Peer::start(Reply::status(207));
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "proxies_of_the_environment_are_used"])
            .env("HYDRANT_TEST_PROXY", proxy.url("/"))
            .env("HTTP_PROXY", proxy.url("/"))
            .env("http_proxy", proxy.url("/"))
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        let seen = proxy.requests();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen.first().unwrap().target, "http://nowhere.invalid/a");
        return;
    };
    assert!(!at.is_empty());
    assert_eq!(send(&config(), "http://nowhere.invalid/a").unwrap().status, 207);
    let direct = Peer::start(Reply::status(200));
    assert_eq!(send(&config(), &direct.url("/")).unwrap().status, 200);
}

/// *Scenario:* one client, several requests one after the other.
/// *Guarantees:* the connection is used again.
#[test]
fn connections_are_kept() {
    let peer = Peer::start(Reply::json(200, "{}"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = Client::new(&config()).unwrap();
        for _ in 0..3 {
            assert_eq!(client.send(request(&peer.url("/"))).await.unwrap().status, 200);
            // It goes back to the pool in a task of its own.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert_eq!(peer.connections(), 1);
}
