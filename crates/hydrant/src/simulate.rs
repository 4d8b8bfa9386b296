//! `hydrant simulate`: deterministic, realistic traffic, to a Firehose HTTP endpoint, to the CloudWatch
//! API, or into files.

mod put;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderName, HeaderValue, Method};
use rehearsal::sender::Sender;
use rehearsal::services::Delivery;
use remote::{Answer, Client, ClientConfig, TlsConfig, Why};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::access_key;
use crate::cli::SimulateArgs;
use crate::exit::Exit;
use crate::run::{runtime, wall_clock};
use crate::terminal::{self, fail};
use crate::traffic::{SOURCE_ARN, Traffic, Wish};

/// Firehose waits this long for an answer.
const ANSWER_TIME: Duration = Duration::from_secs(180);
/// A delivery that is not taken is repeated under its id, as Firehose does, this many times.
const ATTEMPTS: u32 = 8;
/// As many while nobody has ever answered there: a person has mistaken the address, or has not
/// started the receiver yet.
const ATTEMPTS_UNHEARD: u32 = 3;
/// Between attempts, doubling from this.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs the command.
pub fn command(args: &SimulateArgs) -> Exit {
    let wish = Wish {
        seed: args.seed,
        rate: args.rate,
        points: args.points,
        format: args.format.into(),
        delivery_bytes: args.delivery_size,
    };
    if let Some(directory) = &args.directory {
        return write_files(args, &wish, directory);
    }
    if args.put_metric_data {
        return match runtime() {
            Ok(runtime) => runtime.block_on(put::put(args)),
            Err(error) => fail(Exit::Failed, &format!("starting threads: {error}"), None),
        };
    }
    let key = match access_key::of(args.access_key.as_ref()) {
        Ok(key) => key,
        Err(why) => return fail(Exit::Usage, &why, Some(access_key::HINT)),
    };
    let sender = Sender {
        source_arn: SOURCE_ARN.to_owned(),
        access_key: key,
        attributes: args.attributes.clone(),
        gzip: args.gzip,
    };
    match runtime() {
        Ok(runtime) => runtime.block_on(deliver(args, &wish, sender)),
        Err(error) => fail(Exit::Failed, &format!("starting threads: {error}"), None),
    }
}

/// The client of a Firehose: it waits as long, and follows nothing.
pub fn firehose_client(tls: TlsConfig) -> Result<Client, String> {
    let config = ClientConfig {
        tls,
        connect_timeout: Duration::from_secs(10),
        request_timeout: ANSWER_TIME,
        answer_bytes: 1024 * 1024,
    };
    Client::new(&config).map_err(|e| e.to_string())
}

/// One delivery as an HTTP request.
pub fn request(
    url: &str,
    sender: &Sender,
    delivery: &Delivery,
    now_ms: i64,
) -> Result<remote::Request, String> {
    let composed = sender.compose(&delivery.request_id, now_ms, &delivery.records);
    let headers = composed.headers.iter().map(|(name, value)| header(name, value));
    Ok(remote::Request {
        method: Method::POST,
        url: url.to_owned(),
        headers: headers.collect::<Result<_, _>>()?,
        body: composed.body.into(),
    })
}

/// A header of a delivery; an attribute may hold what none can carry.
pub(crate) fn header(name: &'static str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let value = HeaderValue::from_str(value)
        .map_err(|_| format!("{name} cannot be sent: it holds a control character"))?;
    Ok((HeaderName::from_static(name), value))
}

/// Counters shared by the requests under way.
#[derive(Default)]
struct Counts {
    points: AtomicU64,
    deliveries: AtomicU64,
    bytes: AtomicU64,
    repeated: AtomicU64,
    failed: AtomicU64,
    /// Somebody has been told of a failure; the rest is in the summary.
    told: AtomicBool,
    /// Refused for the key.
    denied: AtomicBool,
    /// Somebody has answered, whatever it was.
    heard: AtomicBool,
    /// Nobody has, and no more is tried.
    nobody: AtomicBool,
}

impl Counts {
    /// After `n` failed attempts to reach anybody: is that enough?
    fn nobody_after(&self, n: u32) -> bool {
        let nobody = n >= ATTEMPTS_UNHEARD && !self.heard.load(Ordering::Relaxed);
        self.nobody.fetch_or(nobody, Ordering::Relaxed) || nobody
    }

    fn tell_first(&self, why: &str) {
        if !self.told.swap(true, Ordering::Relaxed) {
            terminal::say(&format!("a delivery was not taken, trying again: {why}"));
        }
    }
}

async fn deliver(args: &SimulateArgs, wish: &Wish, sender: Sender) -> Exit {
    let url = args.to.clone().unwrap_or_default();
    let tls = TlsConfig { ca_file: args.ca_file.clone(), accept_invalid: args.insecure };
    let client = match firehose_client(tls) {
        Ok(client) => client,
        Err(error) => return fail(Exit::Failed, &error, None),
    };
    let (clock, counts, sender) = (wall_clock(), Arc::<Counts>::default(), Arc::new(sender));
    let now_ms = || u64::try_from(clock()).unwrap_or(0);
    let mut traffic = Traffic::new(wish, now_ms());
    let slots = Arc::new(Semaphore::new(usize::try_from(args.connections).unwrap_or(1)));
    let mut tasks = JoinSet::new();
    let (begun, mut sent) = (Instant::now(), 0_u64);
    let mut interrupted = false;
    loop {
        let over = args.run_for.is_some_and(|limit| begun.elapsed() >= limit);
        let enough = over || args.points.is_some_and(|limit| sent >= limit);
        if enough || counts.nobody.load(Ordering::Relaxed) {
            break;
        }
        let Some(delivery) = traffic.next(now_ms(), |_, _, _| {}) else { break };
        sent += delivery.points;
        let pause = pause_for(wish.rate, sent.saturating_sub(delivery.points), begun);
        let interrupt = tokio::signal::ctrl_c();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = interrupt => { interrupted = true; break; }
        }
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
        let request = match request(&url, &sender, &delivery, clock()) {
            Ok(request) => request,
            Err(error) => return fail(Exit::Usage, &error, None),
        };
        let (client, counts) = (client.clone(), Arc::clone(&counts));
        tasks.spawn(async move {
            attempt(&client, request, &delivery, &counts).await;
            drop(slot);
        });
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
    summary(&counts, begun.elapsed(), interrupted)
}

/// How long to wait before the next delivery, to keep the pace.
fn pause_for(rate: u32, sent: u64, begun: Instant) -> Duration {
    if rate == 0 {
        return Duration::ZERO;
    }
    let due = Duration::from_secs_f64(sent as f64 / f64::from(rate));
    due.saturating_sub(begun.elapsed())
}

async fn attempt(client: &Client, request: remote::Request, delivery: &Delivery, counts: &Counts) {
    let bytes = request.body.len() as u64;
    let mut pause = PAUSE;
    let mut last = String::new();
    for n in 0..ATTEMPTS {
        if n > 0 {
            counts.repeated.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        let outcome = client.send(request.clone()).await;
        counts.heard.fetch_or(outcome.is_ok(), Ordering::Relaxed);
        match outcome {
            Ok(answer) if is_yes(&answer, &delivery.request_id) => {
                counts.points.fetch_add(delivery.points, Ordering::Relaxed);
                counts.deliveries.fetch_add(1, Ordering::Relaxed);
                counts.bytes.fetch_add(bytes, Ordering::Relaxed);
                return;
            }
            Ok(answer) => {
                last = format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
                counts.denied.fetch_or(answer.status == 401, Ordering::Relaxed);
                // Firehose would go on; a person wants to know now.
                if matches!(answer.status, 400..=413) {
                    break;
                }
                counts.tell_first(&last);
            }
            Err(error) => {
                last = error.to_string();
                let for_good = matches!(error.why, Why::Tls | Why::Request);
                if for_good || counts.nobody_after(n + 1) {
                    break;
                }
                counts.tell_first(&last);
            }
        }
    }
    counts.failed.fetch_add(1, Ordering::Relaxed);
    terminal::say(&format!("delivery {} was not taken: {last}", delivery.request_id));
}

/// Success is exactly 200 with a body that echoes the request id.
pub fn is_yes(answer: &Answer, request_id: &str) -> bool {
    let body = serde_json::from_slice::<serde_json::Value>(&answer.body);
    answer.status == 200
        && body.is_ok_and(|b| b.get("requestId").and_then(|v| v.as_str()) == Some(request_id))
}

fn summary(counts: &Counts, took: Duration, interrupted: bool) -> Exit {
    let points = counts.points.load(Ordering::Relaxed);
    let failed = counts.failed.load(Ordering::Relaxed);
    let rate = points as f64 / took.as_secs_f64().max(0.001);
    terminal::say(&format!(
        "{points} points in {} deliveries ({}), {:.1} s, {rate:.0} points/s, {} repeated, {failed} not taken",
        counts.deliveries.load(Ordering::Relaxed),
        crate::settings::quantity::size_about(counts.bytes.load(Ordering::Relaxed)),
        took.as_secs_f64(),
        counts.repeated.load(Ordering::Relaxed),
    ));
    if points == 0 && counts.denied.load(Ordering::Relaxed) {
        return Exit::Denied;
    }
    match (failed, points, interrupted) {
        (0, _, true) => Exit::Interrupted,
        (0, _, false) => Exit::Done,
        (_, 0, _) => Exit::Unreachable,
        _ => Exit::Failed,
    }
}

fn write_files(args: &SimulateArgs, wish: &Wish, directory: &Path) -> Exit {
    let clock = wall_clock();
    let now_ms = u64::try_from(clock()).unwrap_or(0);
    let limit = args.points.unwrap_or(10_000);
    let mut traffic = Traffic::new(&Wish { points: Some(limit), ..*wish }, now_ms);
    let extension = if wish.format == metric::Format::Json { "json" } else { "otlp" };
    let (mut points, mut files) = (0, 0_u32);
    if let Err(error) = std::fs::create_dir_all(directory) {
        return fail(Exit::Disk, &format!("creating {}: {error}", directory.display()), None);
    }
    while points < limit {
        let Some(delivery) = traffic.next(now_ms, |_, _, _| {}) else { break };
        points += delivery.points;
        for record in &delivery.records {
            let path = directory.join(format!("record-{files:06}.{extension}"));
            if let Err(error) = std::fs::write(&path, record) {
                return fail(Exit::Disk, &format!("writing {}: {error}", path.display()), None);
            }
            files += 1;
        }
    }
    terminal::say(&format!("{points} points in {files} files in {}", directory.display()));
    Exit::Done
}
