//! What the source writes to the log: a line per fact, few of them in a flood, and never a key.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::firehose::request::{self, Delivery};
use entry::Tail;
use intake::firehose::{Access, Config, Limits, Permits, Reason, Source};
use journal::{Journal, Options};
use listen::Listener;
use remote::Secret;
use testkit::{TempDir, exchange};
use tokio::sync::watch;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn post(key: &str) -> Vec<u8> {
    let delivery = Delivery { request_id: "id", access_key: Some(key), ..Delivery::default() };
    let mut body = Vec::new();
    request::body("id", 1, &["{}"], &mut body);
    let mut bytes = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in delivery.headers() {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    bytes.push_str("\r\n");
    [bytes.as_bytes(), &body].concat()
}

/// *Scenario:* thirty deliveries with a wrong key, one with the right one, everything logged.
/// *Guarantees:* one line of refusal with its facts, all thirty counted, neither key in any line.
#[test]
fn refusals_are_logged_seldom_and_without_the_key() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    let dir = TempDir::new("intake");
    let (journal, _) = Journal::open(dir.path(), Options::default()).unwrap();
    let keys = vec![Secret::new("c0nfigured-k3y")];
    let (_access, access) = watch::channel(Arc::new(Access { keys, lenient: false }));
    let config = Config { name: "aws".to_owned(), limits: Limits::default(), access, admit: None };
    let (tail, permits) = (Arc::new(Tail::new(0)), Arc::new(Permits::new(32 << 20)));
    let source = Source::new(config, journal.topic("aws").unwrap(), tail, permits, Arc::new(|| 1));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(Listener::bind("127.0.0.1:0")).unwrap();
    let address = listener.address();
    let (_stop, stopped) = watch::channel(false);
    let serving = source.clone();
    runtime
        .spawn(async move { serving.serve(listener, None, Duration::from_secs(5), stopped).await });
    for _ in 0..30 {
        assert_eq!(exchange(address, &post("wr0ng-k3y")).unwrap().status, 401);
    }
    assert_eq!(exchange(address, &post("c0nfigured-k3y")).unwrap().status, 200);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let refusals: Vec<_> = text.lines().filter(|line| line.contains("delivery refused")).collect();
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    let refusal = refusals.first().unwrap();
    for fact in ["WARN", "source=\"aws\"", "reason=\"access_key_wrong\"", "status=401", "127.0.0.1"]
    {
        assert!(refusal.contains(fact), "'{fact}' is not in: {refusal}");
    }
    assert!(text.contains("delivery stored"));
    assert!(!text.contains("c0nfigured-k3y") && !text.contains("wr0ng-k3y"));
    assert_eq!(source.stats().rejected(Reason::AccessKeyWrong), 30);
}
