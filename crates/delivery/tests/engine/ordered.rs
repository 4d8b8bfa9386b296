//! A stream to a receiver that keeps order: it stores a request as a whole or not at all, and takes
//! no sample that is older than the newest of its series, as Prometheus does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::firehose::failed::FailedRecord;
use delivery::Stats;
use delivery::sink::{Config as Sink, prometheus};
use metric::wire::Reader;
use remote::{ClientConfig, TlsConfig};
use testkit::{Received, Reply};

use super::queues;
use crate::world::{MINUTE_MS, World, backed_up, delivered, wait_until};

type Samples = Vec<(i64, f64)>;

/// What a receiver holds, by labels.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<BTreeMap<Vec<u8>, Samples>>>);

impl Store {
    /// Takes a request, or says as Prometheus does why none of it was taken.
    fn take(&self, request: &Received) -> Result<(), &'static str> {
        let plain = snap::raw::Decoder::new().decompress_vec(&request.body).unwrap();
        let mut held = self.0.lock().unwrap();
        let mut next = held.clone();
        for (labels, samples) in series(&plain) {
            let known = next.entry(labels).or_default();
            for (at, value) in samples {
                match known.last() {
                    Some((last, _)) if at < *last => return Err("out of order sample\n"),
                    Some((last, old)) if at == *last && value != *old => {
                        return Err("duplicate sample for timestamp\n");
                    }
                    Some((last, _)) if at == *last => {}
                    _ => known.push((at, value)),
                }
            }
        }
        *held = next;
        Ok(())
    }

    fn answer(&self, request: &Received) -> Reply {
        match self.take(request) {
            Ok(()) => Reply::status(204),
            Err(why) => Reply::body(400, "text/plain", why),
        }
    }

    fn samples(&self) -> usize {
        self.0.lock().unwrap().values().map(Vec::len).sum()
    }
}

fn series(request: &[u8]) -> Vec<(Vec<u8>, Samples)> {
    let mut all = Vec::new();
    let mut reader = Reader::new(request);
    while reader.tag().is_some() {
        let (mut labels, mut samples) = (Vec::new(), Vec::new());
        let mut fields = Reader::new(reader.bytes().unwrap());
        while let Some(tag) = fields.tag() {
            let content = fields.bytes().unwrap();
            if tag >> 3 == 1 {
                labels.extend_from_slice(content);
                continue;
            }
            let mut sample = Reader::new(content);
            sample.tag().unwrap();
            let value = sample.double().unwrap();
            sample.tag().unwrap();
            samples.push((sample.varint().unwrap().cast_signed(), value));
        }
        all.push((labels, samples));
    }
    all
}

fn sink(world: &World) -> Sink {
    Sink::Prometheus(prometheus::Config {
        url: world.peer.url("/api/v1/write"),
        naming: prometheus::Naming::Yace,
        headers: Vec::new(),
        basic_auth: None,
        bearer_token: None,
        oauth2: None,
        external_labels: Vec::new(),
        metadata: false,
        // Twenty points a request.
        samples_max: 100,
        bytes_max: 1 << 20,
        client: ClientConfig {
            tls: TlsConfig::default(),
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(5),
            answer_bytes: 1 << 20,
        },
    })
}

/// Scenario: two minutes of a hundred series, a delivery each, to a receiver that keeps order and
/// answers every fourth request with 503; the settings allow eight requests in flight.
/// Guarantees: every sample arrives, no request comes out of order, nothing goes to backup.
#[test]
fn order_is_kept_through_failures() {
    let world = World::new("ordered");
    let (store, refused) = (Store::default(), Arc::<Mutex<u32>>::default());
    let (taking, counting) = (store.clone(), Arc::clone(&refused));
    let mut requests = 0_u32;
    world.peer.set_script(move |request| {
        requests += 1;
        if requests % 4 == 2 {
            return Reply::status(503);
        }
        let answer = taking.take(request);
        *counting.lock().unwrap() += u32::from(answer.is_err());
        Reply::status(if answer.is_ok() { 204 } else { 500 })
    });
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.concurrency = 8;
    // Two deliveries fill ten requests: three outages of a second each.
    for minute in 0..2 {
        world.deliver(&queues(0..100, MINUTE_MS + minute * 60_000), true);
    }
    let stream = world.start_to(config, &sink(&world), &stats);
    wait_until("200 points", || delivered(&stats) == 200);
    assert!(stream.join());
    assert_eq!(store.samples(), 200 * 5);
    assert_eq!((*refused.lock().unwrap(), backed_up(&stats)), (0, 0));
}

/// Scenario: a delivery in which two of a hundred points are late by a minute, and one comes again
/// with another value; the receiver refuses the request of each as a whole.
/// Guarantees: the requests are divided until these three are alone; they are in the backup with the
/// receiver's own words, all others are stored, in order.
#[test]
fn only_what_is_refused_goes_to_backup() {
    let world = World::new("divided");
    let store = Store::default();
    let taking = store.clone();
    world.peer.set_script(move |request| taking.answer(request));
    let stats = Arc::<Stats>::default();
    world.deliver(&queues(0..100, MINUTE_MS), true);
    let mut records = queues(0..30, MINUTE_MS + 60_000);
    records.extend(queues(30..32, MINUTE_MS - 60_000));
    let corrected = String::from_utf8(queues(32..33, MINUTE_MS).remove(0)).unwrap();
    records.push(corrected.replace(r#""max":1.0"#, r#""max":9.0"#).into_bytes());
    records.extend(queues(33..100, MINUTE_MS + 60_000));
    world.deliver(&records, true);
    let stream = world.start_to(world.config("s"), &sink(&world), &stats);
    wait_until("197 points", || delivered(&stats) == 197 && backed_up(&stats) == 3);
    assert!(stream.join());
    assert_eq!(store.samples(), 197 * 5);
    let lines = world.lines_below("backup");
    let records: Vec<FailedRecord> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts: Vec<&str> = records.iter().map(|r| r.error_message.as_str()).collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts.iter().filter(|t| t.contains("out of order sample")).count() == 2, "{texts:?}");
    assert!(texts.iter().any(|t| t.contains("duplicate sample for timestamp")), "{texts:?}");
    for record in &records {
        let undelivered = &record.hydrant.as_ref().unwrap().undelivered;
        assert_eq!(undelivered.iter().map(|(from, to)| to - from).sum::<u32>(), 1);
    }
}

/// Scenario: a receiver that is down for longer than the retry duration, then comes back.
/// Guarantees: what ran out of retries is in the backup, the rest arrives, still in order.
#[test]
fn an_ordered_outage_ends_in_the_backup() {
    let world = World::new("ordered-backup");
    world.peer.set(Reply::status(500));
    let stats = Arc::<Stats>::default();
    let mut config = world.config("s");
    config.retry_duration = Duration::from_millis(500);
    let stream = world.start_to(config, &sink(&world), &stats);
    world.deliver(&queues(0..100, MINUTE_MS), true);
    wait_until("the backup", || backed_up(&stats) > 0);
    let store = Store::default();
    let taking = store.clone();
    world.peer.set_script(move |request| taking.answer(request));
    world.deliver(&queues(0..100, MINUTE_MS + 60_000), true);
    wait_until("all", || delivered(&stats) + backed_up(&stats) == 200);
    assert!(stream.join());
    assert!(delivered(&stats) >= 100, "{}", delivered(&stats));
    assert_eq!(store.samples() as u64, delivered(&stats) * 5);
}
