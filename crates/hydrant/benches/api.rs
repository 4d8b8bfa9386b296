//! The port for SDKs on loopback: signed calls in, verified, durable, and folded. Prints what a
//! CPU-second of the Hydrant process takes in, and its memory.
//!
//! `cargo bench -p hydrant --bench api` measures; without `--bench` one small round shows that it
//! works. Calls are made and signed before; a connection is kept for many of them, as SDKs do.
#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot run should stop"
)]

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use aws::api::{Seen, Shape, Value, answer, call};
use aws::sigv4::{KeyCache, Paths, Signer, hash};
use testkit::{Process, TempDir, read_answer};

const REGION: &str = "eu-west-1";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// Datums of a call, and records of a batch.
const EACH: usize = 500;
const RECORD_BYTES: usize = 200;
/// Calls that differ: this many times 500 series.
const DIFFERENT: usize = 40;
/// Connections, as of a few busy callers.
const CONNECTIONS: usize = 4;
const PUT_PATH: &str = "/service/GraniteServiceVersion20100801/operation/PutMetricData";

fn main() {
    let measuring = std::env::args().any(|arg| arg == "--bench");
    // Records stay below the largest buffer of a stream: their delivery is not measured.
    let (puts, batches) = if measuring { (4_000, 600) } else { (40, 10) };
    let dir = TempDir::new("api-bench");
    let config = dir.write("hydrant.yaml", settings(dir.path()));
    let args = ["run".as_ref(), "-c".as_ref(), config.as_os_str()];
    let mut hydrant = Process::start(Path::new(env!("CARGO_BIN_EXE_hydrant")), args, dir.path());
    let line = hydrant.wait_for_line("source listens", Duration::from_secs(20));
    let port = Port { address: address_in(&line, "\"address\":\"") };
    let line = hydrant.wait_for_line("hydrant runs", Duration::from_secs(20));
    let admin = address_in(&line, "\"admin\":\"");
    port.send(&[port.firehose("CreateDeliveryStream", stream())], 1);

    let calls: Vec<Vec<u8>> = (0..DIFFERENT).map(|n| port.put_metric_data(n)).collect();
    let (cpu, begun) = (cpu_seconds(hydrant.id()), Instant::now());
    port.send(&calls, puts);
    let took = begun.elapsed();
    let datums = puts * EACH;
    while folded(admin) < datums as f64 {
        assert!(begun.elapsed() < Duration::from_secs(300), "the fold does not come after");
        std::thread::sleep(Duration::from_millis(20));
    }
    row(
        "PutMetricData gzip CBOR, durable and folded",
        datums,
        cpu_seconds(hydrant.id()) - cpu,
        took,
    );

    let calls = [port.firehose("PutRecordBatch", batch())];
    let (cpu, begun) = (cpu_seconds(hydrant.id()), Instant::now());
    port.send(&calls, batches);
    let took = begun.elapsed();
    row("PutRecordBatch of 200 B, durable", batches * EACH, cpu_seconds(hydrant.id()) - cpu, took);
    println!("anonymous memory: {:.0} MiB", anonymous_kib(hydrant.id()) / 1024.0);
    hydrant.terminate();
    hydrant.wait(Duration::from_secs(60));
}

fn row(name: &str, count: usize, cpu: f64, took: Duration) {
    let (by_cpu, by_clock) = (count as f64 / cpu, count as f64 / took.as_secs_f64());
    println!("{name:<46}{by_cpu:>12.0} a CPU-second{by_clock:>12.0} a second");
}

fn settings(dir: &Path) -> String {
    format!(
        "data_dir: {}\ndisk_budget: 4GiB\nadmin: {{ listen: 127.0.0.1:0 }}\nlog: {{ format: json }}\n\
         sources:\n  cloud:\n    type: aws_api\n    listen: 127.0.0.1:0\n    region: {REGION}\n    \
         allow_http_endpoints: true\n    credentials: [ {{ access_key_id: AKIDEXAMPLE, \
         secret_access_key: \"{SECRET}\", account_id: \"111122223333\" }} ]\n",
        dir.join("data").display()
    )
}

fn address_in(line: &str, before: &str) -> SocketAddr {
    line.split(before).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
}

struct Port {
    address: SocketAddr,
}

impl Port {
    /// Sends `count` calls, those of `calls` in turn, over a few connections; each must be done.
    fn send(&self, calls: &[Vec<u8>], count: usize) {
        let connection = |number: usize| {
            let mut stream = TcpStream::connect(self.address).unwrap();
            stream.set_nodelay(true).unwrap();
            let mut answers = BufReader::new(stream.try_clone().unwrap());
            for n in (number..count).step_by(CONNECTIONS) {
                stream.write_all(&calls[n % calls.len()]).unwrap();
                let answer = read_answer(&mut answers).unwrap();
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
        };
        std::thread::scope(|scope| {
            for number in 0..CONNECTIONS {
                scope.spawn(move || connection(number));
            }
        });
    }

    fn firehose(&self, operation: &str, body: Vec<u8>) -> Vec<u8> {
        let target = format!("Firehose_20150804.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", &target)];
        self.signed("firehose", "/", &headers, &body)
    }

    fn put_metric_data(&self, number: usize) -> Vec<u8> {
        let mut body = Vec::new();
        codec::gzip::Deflater::default().gzip(&metrics(number), &mut body);
        let headers = [
            ("content-type", "application/cbor"),
            ("smithy-protocol", "rpc-v2-cbor"),
            ("content-encoding", "gzip"),
        ];
        self.signed("monitoring", PUT_PATH, &headers, &body)
    }

    /// A whole request on the wire.
    fn signed(&self, service: &str, path: &str, own: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let now = jiff::Timestamp::from_millisecond(hydrant::run::wall_clock()()).unwrap();
        let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let host = self.address.to_string();
        let mut headers = vec![("host", host.as_str()), ("x-amz-date", date.as_str())];
        headers.extend_from_slice(own);
        let keys = KeyCache::default();
        let (access_key_id, region, paths) = ("AKIDEXAMPLE", REGION, Paths::Normal);
        let signer = Signer { keys: &keys, access_key_id, region, service, paths };
        let payload_hash = &hash(body);
        let request = aws::sigv4::Request {
            method: "POST",
            path,
            query: "",
            headers: &headers,
            payload_hash,
        };
        let authorization = signer.authorization(SECRET, &date, &request);
        let mut head = format!("POST {path} HTTP/1.1\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("authorization: {authorization}\r\n"));
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        [head.as_bytes(), body].concat()
    }
}

/// A stream that buffers more than is put into it.
fn stream() -> Vec<u8> {
    let hints = r#"{"SizeInMBs":64,"IntervalInSeconds":900}"#;
    let text = format!(
        r#"{{"DeliveryStreamName":"s","HttpEndpointDestinationConfiguration":{{
            "EndpointConfiguration":{{"Url":"http://127.0.0.1:9/"}},"BufferingHints":{hints},
            "S3Configuration":{{"RoleARN":"arn:aws:iam::111122223333:role/r",
            "BucketARN":"arn:aws:s3:::b"}}}}}}"#
    );
    text.into_bytes()
}

fn batch() -> Vec<u8> {
    let mut random = rehearsal::random::Random::new(7);
    let mut out = b"{\"DeliveryStreamName\": \"s\", \"Records\": [".to_vec();
    for index in 0..EACH {
        let record: Vec<u8> = (0..RECORD_BYTES).map(|_| random.below(256) as u8).collect();
        out.extend_from_slice(if index == 0 { b"" } else { b", " });
        out.extend_from_slice(b"{\"Data\": \"");
        codec::base64::encode_into(&record, &mut out);
        out.extend_from_slice(b"\"}");
    }
    out.extend_from_slice(b"]}");
    out
}

/// A call as an SDK sends it: one value and three dimensions each.
fn metrics(number: usize) -> Vec<u8> {
    let seconds = hydrant::run::wall_clock()() as f64 / 1e3;
    let dimension = |name: &'static str, value: String| {
        Value::map([("Name", Some(Value::text(name))), ("Value", Some(Value::text(value)))])
    };
    let datum = |n: usize| {
        let dimensions = vec![
            dimension("Service", format!("checkout-{}", n % 7)),
            dimension("InstanceId", format!("i-{:017x}", (n + number * EACH) * 7_919)),
            dimension("Stage", "production".to_owned()),
        ];
        Value::map([
            ("MetricName", Some(Value::text(format!("Latency{}", n % 10)))),
            ("Dimensions", Some(Value::List(dimensions))),
            ("Timestamp", Some(Value::Time(seconds))),
            ("Value", Some(Value::Float(n as f64 * 1.37))),
            ("Unit", Some(Value::text("Milliseconds"))),
        ])
    };
    let input = Value::map([
        ("Namespace", Some(Value::text("Shop"))),
        ("MetricData", Some(Value::List((0..EACH).map(datum).collect()))),
    ]);
    // An answer in CBOR is written as an SDK writes its input.
    let seen = Seen { path: PUT_PATH, smithy_protocol: Some("rpc-v2-cbor"), ..Seen::default() };
    answer(&call(&seen, b"").expect("a known operation"), &Shape::Members(input), "id").body
}

/// Samples that the fold has read.
fn folded(admin: SocketAddr) -> f64 {
    let request = b"GET /metrics HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n";
    let page = testkit::exchange(admin, request).unwrap().text();
    let line = page.lines().find(|line| line.starts_with("hydrant_fold_samples_total{"));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0)
}

/// Time of a process on its processors, by the kernel's count (10 ms ticks).
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |n: usize| fields[n].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn anonymous_kib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
