//! The API on a loopback port, for trying SDKs against it: `port <port> <folder>`.
//!
//! Development only: one request a connection, no limits. The key is that of AWS's documents.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cloud::api::{Config, Context, Credential, Incoming};
use cloud::fold::{self, Fold};
use cloud::registry::Registry;
use journal::{Journal, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().and_then(|port| port.parse().ok()).expect("a port");
    let folder = arguments.next().expect("a folder");
    let (context, _fold) = built(Path::new(&folder));
    let context = Arc::new(context);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
        loop {
            let (socket, _) = listener.accept().await.expect("a connection");
            let context = Arc::clone(&context);
            tokio::spawn(async move { serve(&context, socket).await });
        }
    });
}

fn built(folder: &Path) -> (Context, Fold) {
    let (journal, _) = Journal::open(&folder.join("journal"), Options::default()).expect("journal");
    let topic = journal.topic("cloud").expect("topic");
    let registry = Registry::open(&folder.join("resources.json")).expect("resources");
    let clock: cloud::Clock = Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_millis() as i64
    });
    let config = fold::Config {
        source: "cloud".to_owned(),
        region: "us-east-1".to_owned(),
        grace: Duration::from_secs(5),
        windows_bytes: 1 << 30,
        raw_values_max: 1 << 20,
    };
    let parts = fold::Parts {
        journal: journal.clone(),
        topic: topic.clone(),
        registry: registry.clone(),
        folder: folder.join("windows"),
        clock: Arc::clone(&clock),
    };
    let fold = Fold::start(config, parts).expect("the fold starts");
    let credential = Credential {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        session_token: None,
        account_id: "123456789012".to_owned(),
        policy: None,
    };
    let config = Config {
        source: "cloud".to_owned(),
        region: "us-east-1".to_owned(),
        credentials: vec![credential],
        unsigned: None,
        allow_http_endpoints: false,
        delivery_streams: vec!["s".to_owned()],
    };
    let seal = entry::seal::SealKey::from_text("a key of more than thirty-two characters");
    let context = Context {
        config: Arc::new(config),
        registry,
        journal,
        topic,
        windows: fold.windows(),
        keys: Arc::default(),
        seal: Arc::new(seal.expect("a key")),
        clock,
    };
    (context, fold)
}

async fn serve(context: &Context, mut socket: TcpStream) -> Option<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes.get(..end)?.to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?, first.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(&str, &str)> =
        lines.filter_map(|line| line.split_once(':')).map(|(n, v)| (n, v.trim())).collect();
    let header = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| *value)
    };
    let length: usize = header("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    while bytes.len() < end + 4 + length {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = bytes.get(end + 4..)?;
    let mut plain = Vec::new();
    if header("content-encoding") == Some("gzip") {
        codec::gzip::Inflater::new().gunzip(body, &mut plain, 64 << 20).ok()?;
    } else {
        plain.extend_from_slice(body);
    }
    let incoming = Incoming { method, path, query, headers: &headers, body, plain: &plain };
    let answer = context.respond(&incoming).await;
    let mut out = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str(&format!("content-length: {}\r\n\r\n", answer.body.len()));
    socket.write_all(out.as_bytes()).await.ok()?;
    socket.write_all(&answer.body).await.ok()
}
