//! The whole service on loopback: real HTTP in, fsync, real HTTP out to a Dynatrace receiver that
//! counts. Prints CPU-seconds per million metrics of the Hydrant process, its memory, throughput, and
//! the time to acknowledge at a fixed load.
//!
//! `cargo bench -p hydrant --bench service` measures; without `--bench` one small round shows that
//! it works. `HYDRANT_BENCH_METRICS` sets the number of metrics.
#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot run should stop"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hydrant::simulate::{firehose_client, is_yes};
use metric::Format;
use rehearsal::sender::{Sender, request_id};
use rehearsal::{Checking, dynatrace, payload};
use remote::{Client, Request};
use testkit::{Process, TempDir};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Metrics of a delivery: about 1 MiB of gzip, as buffered by default recipes.
const DELIVERY: usize = 13_000;
const KEY: &str = "bench-key";

fn main() {
    let measuring = std::env::args().any(|arg| arg == "--bench");
    let metrics = if measuring { 2_600_000 } else { 26_000 };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(run(metrics, measuring));
}

async fn run(metrics: usize, measuring: bool) {
    remote::install_provider();
    let (stop, stopped) = watch::channel(false);
    let receiver = dynatrace::Receiver::new(dynatrace::Options {
        tokens: vec![dynatrace::Token { secret: "dt0c01.A.B".to_owned(), may_ingest: true }],
        checking: Checking::Counting,
        ledger: None,
        now_ms,
    });
    let listener = listen::Listener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.address();
    let serving = tokio::spawn(receiver.clone().serve(listener, stopped));
    let dir = TempDir::new("service");
    let config = dir.write("hydrant.yaml", settings(dir.path(), &target.to_string()));
    let args = ["run".as_ref(), "-c".as_ref(), config.as_os_str()];
    let mut hydrant = Process::start(Path::new(env!("CARGO_BIN_EXE_hydrant")), args, dir.path());
    let line = hydrant.wait_for_line("source listens", Duration::from_secs(20));
    let address =
        line.split("\"address\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let url = format!("http://{address}/");
    let deliveries = prebuilt(metrics, &url);
    let bytes: usize = deliveries.iter().map(|(_, r)| r.body.len()).sum();
    let sent = (deliveries.len() * DELIVERY) as u64;
    let client = firehose_client(remote::TlsConfig::default()).unwrap();

    let (cpu, begun) = (cpu_seconds(hydrant.id()), Instant::now());
    deliver(&client, &deliveries, 4, None).await;
    let acknowledged = begun.elapsed();
    wait_for(&receiver, sent).await;
    let arrived = begun.elapsed();
    let cpu = cpu_seconds(hydrant.id()) - cpu;
    let million = sent as f64 / 1e6;
    println!(
        "{sent} metrics in {} deliveries of {} KiB gzip",
        deliveries.len(),
        bytes / deliveries.len() / 1024
    );
    println!("CPU-seconds per million metrics: {:.3}", cpu / million);
    println!("acknowledged: {:.0} metrics/s", sent as f64 / acknowledged.as_secs_f64());
    println!("delivered:    {:.0} metrics/s", sent as f64 / arrived.as_secs_f64());
    println!("anonymous memory: {:.0} MiB", rss_anon_kib(hydrant.id()) / 1024.0);
    if measuring {
        latency(&client, &url, &receiver, sent).await;
    }
    hydrant.terminate();
    hydrant.wait(Duration::from_secs(20));
    stop.send_replace(true);
    serving.abort();
}

/// Time to acknowledge at 200,000 metrics a second for ten seconds.
async fn latency(client: &Client, url: &str, receiver: &dynatrace::Receiver, before: u64) {
    let count = 200_000 * 10 / DELIVERY;
    let deliveries = prebuilt_from(5_000, count, url);
    let pause = Duration::from_secs_f64(DELIVERY as f64 / 200_000.0);
    let mut times = deliver(client, &deliveries, 16, Some(pause)).await;
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "acknowledged at 200,000 metrics/s: median {:.1} ms, 99 % {:.1} ms, worst {:.1} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    wait_for(receiver, before + (count * DELIVERY) as u64).await;
}

type Prebuilt = Vec<(String, Request)>;

fn prebuilt(metrics: usize, url: &str) -> Prebuilt {
    prebuilt_from(0, metrics / DELIVERY, url)
}

fn prebuilt_from(first: u64, count: usize, url: &str) -> Prebuilt {
    let sender = Sender {
        source_arn: hydrant::traffic::SOURCE_ARN.to_owned(),
        access_key: Some(KEY.to_owned()),
        attributes: Vec::new(),
        gzip: true,
    };
    // Eight bodies' worth of records, each under many request ids: the bytes differ, the work is the same.
    let start_ms = now_ms().unsigned_abs() / 60_000 * 60_000 - 120_000;
    let records: Vec<_> = (0..8)
        .map(|seed| {
            let options = payload::Options {
                seed,
                metrics: DELIVERY,
                series: DELIVERY,
                start_ms,
                ..Default::default()
            };
            payload::records(&options, Format::Otel10)
        })
        .collect();
    let build = |n: u64| {
        let id = request_id(99, n);
        let composed = sender.compose(&id, now_ms(), &records[(n % 8) as usize]);
        let headers = composed.headers.into_iter();
        let headers = headers.map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_str(&value).unwrap())
        });
        let request = Request {
            method: http::Method::POST,
            url: url.to_owned(),
            headers: headers.collect(),
            body: composed.body.into(),
        };
        (id, request)
    };
    (first..first + count as u64).map(build).collect()
}

/// Sends all; the times to acknowledge.
async fn deliver(
    client: &Client,
    all: &Prebuilt,
    connections: usize,
    pace: Option<Duration>,
) -> Vec<Duration> {
    let slots = Arc::new(Semaphore::new(connections));
    let mut tasks = JoinSet::new();
    let mut ticks = pace.map(tokio::time::interval);
    for (id, request) in all {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        let slot = Arc::clone(&slots).acquire_owned().await.unwrap();
        let (client, id, request) = (client.clone(), id.clone(), request.clone());
        tasks.spawn(async move {
            let begun = Instant::now();
            let answer = client.send(request).await.unwrap();
            let took = begun.elapsed();
            assert!(is_yes(&answer, &id), "{}: {:?}", answer.status, answer.body);
            drop(slot);
            took
        });
    }
    tasks.join_all().await
}

async fn wait_for(receiver: &dynatrace::Receiver, points: u64) {
    let begun = Instant::now();
    loop {
        let told = receiver.stats().snapshot();
        if told.accepted >= points {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(300),
            "{points} points did not arrive: {told:?}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn settings(dir: &Path, target: &str) -> String {
    format!(
        r#"data_dir: {}
disk_budget: 4GiB
admin: {{ listen: 127.0.0.1:0 }}
log: {{ format: json }}
sources:
  aws: {{ type: firehose, listen: 127.0.0.1:0, access_keys: [{KEY}] }}
streams:
  to-dynatrace:
    source: aws
    destination: {{ type: dynatrace, url: "http://{target}", api_token: dt0c01.A.B, metadata: false }}
"#,
        dir.join("data").display()
    )
}

fn now_ms() -> i64 {
    hydrant::run::wall_clock()()
}

/// User and system time of a process, by the kernel's count (10 ms ticks).
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |n: usize| fields[n].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn rss_anon_kib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
