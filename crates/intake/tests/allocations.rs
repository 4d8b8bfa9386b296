//! A delivery costs as many allocations with five thousand metrics as with five hundred.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use aws::firehose::headers::GZIP;
use aws::firehose::request::Delivery;
use entry::Tail;
use intake::firehose::{Access, Config, Limits, Permits, Source};
use journal::{Journal, Options, Start};
use listen::Listener;
use metric::Format;
use rehearsal::payload;
use testkit::{TempDir, read_answer};
use tokio::sync::watch;

#[global_allocator]
static ALLOC: testkit::alloc::Counting = testkit::alloc::Counting;

/// Rounds before counting: buffers, tail and threads are warm then.
const WARM: usize = 4;
/// Rounds that are counted.
const COUNTED: usize = 6;
/// A body of 400 kB arrives in pieces that hyper allocates; a metric must not cost any.
const PIECES_MAX: u64 = 150;

fn request(metrics: usize, round: usize) -> Vec<u8> {
    let options = payload::Options { metrics, ..payload::Options::default() };
    let id = format!("{metrics}-{round}");
    let body = payload::gzip(&payload::body(&payload::records(&options, Format::Otel10), &id));
    let delivery =
        Delivery { request_id: &id, content_encoding: Some(GZIP), ..Delivery::default() };
    let mut head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in delivery.headers() {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    [head.as_bytes(), &body].concat()
}

/// Allocations of the whole process per delivery.
fn cost(stream: &TcpStream, metrics: usize) -> u64 {
    let requests: Vec<_> = (0..WARM + COUNTED).map(|round| request(metrics, round)).collect();
    let (warm, counted) = requests.split_at(WARM);
    let send = |requests: &[Vec<u8>]| {
        for request in requests {
            let mut writer = stream;
            writer.write_all(request).unwrap();
            assert_eq!(read_answer(&mut BufReader::new(stream)).unwrap().status, 200);
        }
    };
    send(warm);
    let before = testkit::alloc::total().0;
    send(counted);
    (testkit::alloc::total().0 - before) / COUNTED as u64
}

/// *Scenario:* deliveries of 500 and of 5,000 metrics, gzip, once all is warm.
/// *Guarantees:* no allocation per metric: the larger ones cost a few more for their pieces only.
#[test]
fn allocations_do_not_grow_with_metrics() {
    let dir = TempDir::new("intake");
    let (journal, _) = Journal::open(dir.path(), Options::default()).unwrap();
    let topic = journal.topic("aws").unwrap();
    let _cursor = topic.cursor("test", Start::Oldest).unwrap();
    let (_access, access) = watch::channel(Arc::new(Access::default()));
    let limits = Limits::default();
    let config = Config { name: "aws".to_owned(), limits, access, admit: None };
    let (tail, permits) = (Arc::new(Tail::new(24 << 20)), Arc::new(Permits::new(32 << 20)));
    let source = Source::new(config, topic, tail, permits, Arc::new(|| 1));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(Listener::bind("127.0.0.1:0")).unwrap();
    let address = listener.address();
    let (_stop, stopped) = watch::channel(false);
    runtime.spawn(source.serve(listener, None, Duration::from_secs(5), stopped));
    let stream = TcpStream::connect(address).unwrap();
    let (small, large) = (cost(&stream, 500), cost(&stream, 5_000));
    assert!(large < small + PIECES_MAX, "{small} allocations, {large} with ten times the metrics");
    assert!(small < 200, "{small} allocations for a delivery");
    println!("{small} allocations with 500 metrics, {large} with 5,000");
}
