//! Certificates: served, replaced while running, and refused with a text that helps.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use listen::{Limits, Listener, Peer, ServerTls, serve};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use testkit::{Authority, RawAnswer, TempDir, read_answer};
use tokio::runtime::Runtime;
use tokio::sync::watch;

const LIMITS: Limits = Limits {
    header_bytes: 16 * 1024,
    header_time: Duration::from_secs(2),
    connections: 64,
    idle_time: Duration::from_secs(30),
    drain_time: Duration::from_secs(5),
};

fn start(runtime: &Runtime, tls: ServerTls) -> (SocketAddr, watch::Sender<bool>) {
    let (stop, stopped) = watch::channel(false);
    let listener = runtime.block_on(Listener::bind("127.0.0.1:0")).unwrap();
    let address = listener.address();
    let handler = |_: Request<Incoming>, _: Peer| async {
        Response::new(Full::new(Bytes::from_static(b"ok")))
    };
    runtime.spawn(serve(listener, Some(tls), LIMITS, stopped, handler));
    (address, stop)
}

/// One request by TLS 1.2 or 1.3, trusting only `ca_pem`; also says which protocol was agreed.
fn ask(address: SocketAddr, ca_pem: &str) -> std::io::Result<(RawAnswer, Option<Vec<u8>>)> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address)?);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    let alpn = stream.conn.alpn_protocol().map(<[u8]>::to_vec);
    Ok((read_answer(&mut BufReader::new(&mut stream))?, alpn))
}

fn write(dir: &TempDir, authority: &Authority) {
    let identity = authority.sign("localhost");
    dir.write("server.crt", &identity.cert_pem);
    dir.write("server.key", &identity.key_pem);
}

/// *Scenario:* a certificate is served, the files are replaced by another authority's, reload.
/// *Guarantees:* HTTP/1.1 is agreed; after the reload new connections see the new certificate only.
#[test]
fn certificate_is_replaced_while_running() {
    let runtime = Runtime::new().unwrap();
    let dir = TempDir::new("listen");
    let (old, new) = (Authority::new(), Authority::new());
    write(&dir, &old);
    let tls = ServerTls::load(&dir.join("server.crt"), &dir.join("server.key")).unwrap();
    let (address, _stop) = start(&runtime, tls.clone());
    let (answer, alpn) = ask(address, &old.ca_pem()).unwrap();
    assert_eq!((answer.status, alpn.as_deref()), (200, Some(b"http/1.1".as_slice())));
    write(&dir, &new);
    tls.reload(&dir.join("server.crt"), &dir.join("server.key")).unwrap();
    assert_eq!(ask(address, &new.ca_pem()).unwrap().0.status, 200);
    assert!(ask(address, &old.ca_pem()).is_err());
}

/// *Scenario:* a reload of files that do not belong together.
/// *Guarantees:* an error, and the old certificate is still served.
#[test]
fn failed_reload_keeps_the_old_certificate() {
    let runtime = Runtime::new().unwrap();
    let dir = TempDir::new("listen");
    let authority = Authority::new();
    write(&dir, &authority);
    let (cert, key) = (dir.join("server.crt"), dir.join("server.key"));
    let tls = ServerTls::load(&cert, &key).unwrap();
    let (address, _stop) = start(&runtime, tls.clone());
    dir.write("server.key", authority.sign("localhost").key_pem);
    let error = tls.reload(&cert, &key).unwrap_err().to_string();
    assert!(error.contains("server.key") && error.contains("does not belong"), "{error}");
    assert_eq!(ask(address, &authority.ca_pem()).unwrap().0.status, 200);
}

#[track_caller]
fn check_refused(cert: &Path, key: &Path, expect: &[&str]) {
    let error = ServerTls::load(cert, key).unwrap_err().to_string();
    for part in expect {
        assert!(error.contains(part), "'{part}' is not in: {error}");
    }
}

/// *Scenario:* files that are missing, not PEM, swapped, without a key, with an encrypted key.
/// *Guarantees:* each text names the setting, the file and the cause.
#[test]
fn unusable_files_are_named_with_their_cause() {
    let dir = TempDir::new("listen");
    let identity = Authority::new().sign("localhost");
    let cert = dir.write("good.crt", &identity.cert_pem);
    let key = dir.write("good.key", &identity.key_pem);
    let text = dir.write("text", "hello");
    let empty = dir.write("empty", "");
    let broken =
        dir.write("broken", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    let junk = dir.write("junk", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let locked = dir.write("locked", locked);
    check_refused(&dir.join("none"), &key, &["cert_file", "none", "No such file"]);
    check_refused(&cert, &dir.join("none"), &["key_file", "none", "No such file"]);
    check_refused(&text, &key, &["cert_file", "text", "no certificate found"]);
    check_refused(&key, &cert, &["cert_file", "good.key", "swapped"]);
    check_refused(&cert, &empty, &["key_file", "empty", "no private key found"]);
    check_refused(&broken, &key, &["cert_file", "broken", "not PEM"]);
    check_refused(&junk, &key, &["cert_file", "junk"]);
    check_refused(&cert, &locked, &["key_file", "locked", "encrypted"]);
}

/// *Scenario:* a certificate that ended in 2001.
/// *Guarantees:* it loads (with a warning); a reload is no reason to stop serving.
#[test]
fn expired_certificate_is_loaded() {
    let dir = TempDir::new("listen");
    let identity = Authority::new().sign_expired("localhost");
    let cert = dir.write("a.crt", &identity.cert_pem);
    let key = dir.write("a.key", &identity.key_pem);
    ServerTls::load(&cert, &key).unwrap();
}

/// *Scenario:* clients that speak plain HTTP to a TLS port, or nothing at all.
/// *Guarantees:* they are let go within the head's time; others are served.
#[test]
fn bad_handshake_harms_nobody() {
    let runtime = Runtime::new().unwrap();
    let dir = TempDir::new("listen");
    let authority = Authority::new();
    write(&dir, &authority);
    let tls = ServerTls::load(&dir.join("server.crt"), &dir.join("server.key")).unwrap();
    let (address, _stop) = start(&runtime, tls);
    let silent = TcpStream::connect(address).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert!(testkit::exchange(address, b"GET / HTTP/1.1\r\n\r\n").is_err());
    assert_eq!(ask(address, &authority.ca_pem()).unwrap().0.status, 200);
    let begun = Instant::now();
    assert!(read_answer(&mut BufReader::new(&silent)).is_err());
    assert!(begun.elapsed() < Duration::from_secs(8));
}
