//! SIGKILL under load: no acknowledged sample is missing from the sums or in them twice, and no
//! acknowledged record is missing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rehearsal::random::Random;
use serde_json::json;
use testkit::Reply;

use super::path::minute_before;
use super::{Caller, Endpoint, Request, Sums, batch, caller, home, metric_stream, to_endpoint};
use crate::service::{Home, eventually};

const KILLS: u32 = 4;
/// Between a start and its kill at most, ms.
const MOMENT_MS: u64 = 700;
/// Samples of a series: each has a power of two as its value, so that the sum names them all, and
/// a sample that is counted twice cannot hide.
const SERIES_SAMPLES: u64 = 50;
const SENDERS: u64 = 3;

/// What one sample was told.
#[derive(Default)]
struct Told {
    /// By series: bits of the samples sent, and of those answered with yes.
    samples: std::collections::BTreeMap<String, (u64, u64)>,
    /// Records answered with yes.
    records: BTreeSet<String>,
}

/// Senders of samples and of records, which never repeat a call.
struct Load {
    told: Arc<Mutex<Told>>,
    yes: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(caller: &Caller, minutes: [i64; 2]) -> Load {
        let mut load = Load {
            told: Arc::default(),
            yes: Arc::default(),
            stop: Arc::default(),
            threads: Vec::new(),
        };
        for sender in 0..SENDERS {
            let each = |send: fn(&Caller, &Mutex<Told>, u64, u64, [i64; 2]) -> bool| {
                let (caller, told) = (caller.clone(), Arc::clone(&load.told));
                let (yes, stop) = (Arc::clone(&load.yes), Arc::clone(&load.stop));
                std::thread::spawn(move || {
                    for number in 0.. {
                        if stop.load(Ordering::SeqCst) {
                            return;
                        }
                        if send(&caller, &told, sender, number, minutes) {
                            yes.fetch_add(1, Ordering::SeqCst);
                        } else {
                            std::thread::sleep(Duration::from_millis(10));
                        }
                    }
                })
            };
            let threads = [each(sample), each(record)];
            load.threads.extend(threads);
        }
        load
    }

    fn yes(&self) -> u64 {
        self.yes.load(Ordering::SeqCst)
    }

    fn finish(self) -> Told {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().expect("a sender does not panic");
        }
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

/// One sample, in one of two minutes; true when it was answered with yes.
fn sample(
    caller: &Caller,
    told: &Mutex<Told>,
    sender: u64,
    number: u64,
    minutes: [i64; 2],
) -> bool {
    let (series, bit) = (number / SERIES_SAMPLES, 1_u64 << (number % SERIES_SAMPLES));
    let name = format!("m-{sender}-{series}");
    let minute = minutes[usize::from(series % 2 == 1)];
    told.lock().unwrap().samples.entry(name.clone()).or_default().0 |= bit;
    let data = json!([{"MetricName": name, "Timestamp": minute / 1000, "Value": bit as f64}]);
    let input = json!({"Namespace": "Shop", "MetricData": data});
    let answer = caller.send(&Request::metrics("PutMetricData", &input));
    let yes = answer.is_ok_and(|answer| answer.status == 200);
    if yes {
        told.lock().unwrap().samples.entry(name).or_default().1 |= bit;
    }
    yes
}

/// A batch of records; those that are kept are noted.
fn record(caller: &Caller, told: &Mutex<Told>, sender: u64, number: u64, _: [i64; 2]) -> bool {
    let texts: Vec<String> = (0..20).map(|n| format!("r-{sender}-{number}-{n}")).collect();
    let answer = caller.send(&Request::firehose("PutRecordBatch", &batch("records", &texts)));
    let Ok(answer) = answer else { return false };
    let Ok(answered) = serde_json::from_slice::<serde_json::Value>(&answer.body) else {
        return false;
    };
    let Some(answers) = answered["RequestResponses"].as_array() else { return false };
    let kept = texts.into_iter().zip(answers).filter(|(_, answer)| answer["RecordId"].is_string());
    told.lock().unwrap().records.extend(kept.map(|(text, _)| text));
    answer.status == 200
}

/// What is wrong with the sums so far, against what the samples were told.
fn faults(sums: &Sums, told: &Told) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, (sent, yes)) in &told.samples {
        let found: Vec<&[f64; 4]> = sums
            .sets
            .iter()
            .filter(|((metric, ..), _)| metric == name)
            .map(|(_, set)| set)
            .collect();
        if found.is_empty() && *yes == 0 {
            continue;
        }
        let [[count, sum, least, most]] = found[..] else {
            faults.push(format!("{name}: {} sets", found.len()));
            continue;
        };
        let bits = *sum as u64;
        let right = bits & yes == *yes
            && bits & !sent == 0
            && *sum == bits as f64
            && *count == f64::from(bits.count_ones())
            && *least == (bits & bits.wrapping_neg()) as f64
            && *most == (1_u64 << (63 - bits.leading_zeros())) as f64;
        if !right {
            faults.push(format!("{name}: {count} {bits:#x}, yes to {yes:#x}, sent {sent:#x}"));
        }
    }
    faults
}

/// Every set that ever came is the sum of samples that were sent, none of them twice.
fn never_wrong(sums: &Sums, told: &Told) {
    for ((name, about, _), [count, sum, ..]) in &sums.all {
        let sent = told.samples.get(name).map_or(0, |(sent, _)| *sent);
        let bits = *sum as u64;
        let right = bits & !sent == 0 && *count == f64::from(bits.count_ones());
        assert!(right, "{name} {about}: {count} {bits:#x}, sent {sent:#x}");
    }
}

fn under_load(
    home: &Home,
    seed: u64,
    metrics: &Endpoint,
    records: &Endpoint,
    last: impl FnOnce(),
) -> String {
    let caller = caller(home);
    let service = home.start();
    caller.firehose("CreateDeliveryStream", &to_endpoint("metrics", &metrics.url(), 7200));
    caller.firehose("CreateDeliveryStream", &to_endpoint("records", &records.url(), 7200));
    caller.metrics("PutMetricStream", &metric_stream("all", "metrics", "opentelemetry1.0"));
    let load = Load::start(&caller, [minute_before(3), minute_before(2)]);
    let mut random = Random::new(seed);
    let mut running = service;
    for _ in 0..KILLS {
        let wanted = load.yes() + random.between(5, 60);
        eventually("calls are answered", || load.yes() >= wanted, || running.log());
        std::thread::sleep(Duration::from_millis(random.below(MOMENT_MS)));
        running.kill();
        running = home.start();
    }
    let wanted = load.yes() + 20;
    eventually("calls are answered", || load.yes() >= wanted, || running.log());
    let yes = load.yes();
    let told = load.finish();
    last();
    let missing = || {
        let there: BTreeSet<String> = records.texts().into_iter().collect();
        told.records.difference(&there).count()
    };
    eventually(
        "every record arrives",
        || missing() == 0,
        || format!("{}\n{}", missing(), running.log()),
    );
    let wrong = || faults(&metrics.sums(), &told);
    eventually(
        "every sum is right",
        || wrong().is_empty(),
        || format!("{:#?}\n{}", wrong(), running.log()),
    );
    never_wrong(&metrics.sums(), &told);
    let told = format!(
        "seed {seed:#x}: yes to {yes} calls, {} series, {} sets, {} records",
        told.samples.len(),
        metrics.sums().all.len(),
        told.records.len()
    );
    running.stop();
    told
}

/// *Scenario:* threads put samples of past minutes and batches of records, while the process is killed
/// by SIGKILL four times at seeded moments; the endpoints take all the time.
/// *Guarantees:* the last set of each series and minute holds every acknowledged sample once and
/// nothing that was not sent; no set ever holds a sample twice; every acknowledged record arrives.
#[test]
fn sums_and_records_under_sigkill() {
    let home = home("cloud-kill", "");
    let (metrics, records) = (Endpoint::start(), Endpoint::start());
    let told = under_load(&home, 0x5eed_0011, &metrics, &records, || {});
    println!("{told}");
}

/// *Scenario:* the same while the endpoints are down until the last start.
/// *Guarantees:* the same, once they are there.
#[test]
fn sums_and_records_under_sigkill_with_the_endpoints_down() {
    let home = home("cloud-kill-down", "");
    let (metrics, records) = (Endpoint::start(), Endpoint::start());
    metrics.ill(Reply::Reset);
    records.ill(Reply::Reset);
    let told = under_load(&home, 0x5eed_0012, &metrics, &records, || {
        assert!(metrics.records().is_empty() && records.records().is_empty());
        metrics.heal();
        records.heal();
    });
    println!("{told}");
}
