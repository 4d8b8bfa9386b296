//! What a delivery costs from body to request, in units of one gunzip of the same body (1 G).
//!
//! Stages are timed one after the other, interleaved round by round with the anchor, in one process
//! on one thread; a path is the sum of the minima of its stages. The clock of a shared machine
//! drifts, the ratio does not. `cargo bench -p delivery --bench paths` measures; without `--bench`
//! (as `cargo test --benches` calls it) one small round shows that every path works. `-- --check`
//! fails when a path is above its ceiling by more than a tenth.
#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws::firehose::envelope::{EnvelopeReader, Limits};
use bytes::Bytes;
use codec::gzip::{Deflater, Inflater};
use codec::zstd::ZstdEncoder;
use delivery::sink::{self, Moment, Offer, Packer, dynatrace, otlp, prometheus};
use metric::{Decoder, Format, Point, Reject, Shapes, Visit};
use rehearsal::payload::{self, Options};
use remote::{ClientConfig, Secret, TlsConfig};
use rules::{Decision, Filter, Selection};

/// Rounds of a measurement (`limits.md` 6, rule 13: at least 25).
const ROUNDS: usize = 40;

/// What `--check` forgives: a shared machine is not the one the ceilings were measured on.
const TOLERANCE: f64 = 1.1;

/// Measurements before a path counts as above its ceiling: a neighbour's burst is no regression.
const ATTEMPTS: usize = 3;

/// Most plain bytes of the bodies made here.
const PLAIN_MAX: usize = 64 << 20;

fn main() {
    let measuring = std::env::args().any(|arg| arg == "--bench");
    // `-- lines` measures the paths whose name holds "lines".
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let (metrics, rounds) = if measuring { (10_000, ROUNDS) } else { (500, 1) };
    println!("{metrics} metrics, {rounds} rounds; G = one libdeflate gunzip of the same body");
    println!(
        "path | G | ceiling | ns/metric | gunzip | walk | compress | whole G | bytes/metric out"
    );
    let mut above = Vec::new();
    for format in [Format::Otel10, Format::Json] {
        let input = Input::new(format, metrics);
        if only.is_empty() {
            breakdown(&input, rounds, metrics);
        }
        for path in paths().iter().filter(|path| path.format == format && path.name.contains(&only))
        {
            let is_above = |_| {
                let ratio = report(path, &measure(path, &input, rounds), metrics);
                ratio > path.ceiling * TOLERANCE
            };
            if (0..ATTEMPTS).all(is_above) {
                above.push(path.name);
            }
        }
    }
    let checking = std::env::args().any(|arg| arg == "--check");
    assert!(!checking || above.is_empty(), "above their ceiling: {above:?}");
}

/// Which way bytes go.
struct Path {
    name: &'static str,
    format: Format,
    config: sink::Config,
    compress: Compress,
    gzip_in: bool,
    ceiling: f64,
}

#[derive(Clone, Copy)]
enum Compress {
    No,
    Gzip,
    Zstd,
}

fn paths() -> Vec<Path> {
    use Compress::{Gzip, No, Zstd};
    let path = |name, format, config, compress, gzip_in, ceiling| Path {
        name,
        format,
        config,
        compress,
        gzip_in,
        ceiling,
    };
    let (otel, json) = (Format::Otel10, Format::Json);
    vec![
        path("otel.gz -> lines.gz", otel, lines(), Gzip, true, 3.6),
        path("otel -> lines", otel, lines(), No, false, 1.0),
        path("otel.gz -> otlp", otel, splice(), No, true, 1.6),
        path("otel.gz -> otlp.zst", otel, splice(), Zstd, true, 2.8),
        path("otel.gz -> otlp.gz", otel, splice(), Gzip, true, 3.9),
        path("otel -> otlp", otel, splice(), No, false, f64::NAN),
        path("otel.gz -> remote write", otel, series(), No, true, 4.3),
        path("json.gz -> lines.gz", json, lines(), Gzip, true, 4.4),
        path("json -> lines", json, lines(), No, false, f64::NAN),
        path("json.gz -> otlp.gz", json, splice(), Gzip, true, f64::NAN),
    ]
}

fn client() -> ClientConfig {
    ClientConfig {
        tls: TlsConfig::default(),
        connect_timeout: Duration::from_secs(1),
        request_timeout: Duration::from_secs(1),
        answer_bytes: 65_536,
    }
}

fn lines() -> sink::Config {
    sink::Config::Dynatrace(dynatrace::Config {
        url: "http://127.0.0.1:9".to_owned(),
        api_token: Secret::new("token"),
        too_old: dynatrace::TooOld::Quarantine,
        percentiles: false,
        metadata: false,
        digit_section: dynatrace::DigitSection::AsIs,
        compression: false,
        client: client(),
    })
}

fn splice() -> sink::Config {
    sink::Config::Otlp(otlp::Config {
        endpoint: "http://127.0.0.1:9".to_owned(),
        protocol: otlp::Protocol::HttpProtobuf,
        compression: otlp::Compression::None,
        headers: Vec::new(),
        bearer_token: None,
        oauth2: None,
        resource_attributes: vec![("service.name".to_owned(), "cloudwatch".to_owned())],
        points: otlp::Points::Summary,
        dimensions: otlp::Dimensions::List,
        points_max: 8_192,
        bytes_max: 4 << 20,
        client: client(),
    })
}

/// Snappy is part of the form: packing includes it.
fn series() -> sink::Config {
    sink::Config::Prometheus(prometheus::Config {
        url: "http://127.0.0.1:9".to_owned(),
        naming: prometheus::Naming::Yace,
        headers: Vec::new(),
        basic_auth: None,
        bearer_token: None,
        oauth2: None,
        external_labels: Vec::new(),
        metadata: true,
        samples_max: 10_000,
        bytes_max: 4 << 20,
        client: client(),
    })
}

/// One delivery, plain and compressed.
struct Input {
    plain: Vec<u8>,
    gzip: Vec<u8>,
    moment: Moment,
}

impl Input {
    fn new(format: Format, metrics: usize) -> Input {
        let options = Options { metrics, series: metrics, ..Options::default() };
        let plain = payload::body(&payload::records(&options, format), "bench");
        let gzip = payload::gzip(&plain);
        let now_ms = i64::try_from(options.start_ms).unwrap_or(0) + 180_000;
        Input { plain, gzip, moment: Moment { now_ms, arrival_ms: now_ms } }
    }
}

/// A worker: everything a stream's thread keeps from delivery to delivery.
struct Worker {
    inflater: Inflater,
    plain: Vec<u8>,
    record: Vec<u8>,
    decoder: Decoder,
    sieve: Sieve,
}

/// Select, number the shape, pack.
struct Sieve {
    selection: Selection,
    shapes: Shapes,
    packer: Packer,
    moment: Moment,
    /// Bodies, where they are wanted; otherwise they are gone at once, as if sent.
    bodies: Option<Vec<Bytes>>,
}

impl Visit for Sieve {
    fn point(&mut self, point: &Point<'_>) {
        let shape = self.shapes.intern(point);
        if self.selection.decide(point, shape) != Decision::Keep {
            return;
        }
        if self.packer.full() {
            self.close();
        }
        assert_eq!(self.packer.offer(point, shape, self.moment), Offer::Taken);
    }
    fn reject(&mut self, reject: &Reject<'_>) {
        panic!("{reject:?}");
    }
}

impl Sieve {
    fn close(&mut self) {
        let body = self.packer.close().body;
        if let Some(bodies) = &mut self.bodies {
            bodies.push(body);
        }
    }
}

impl Worker {
    fn new(config: &sink::Config, moment: Moment) -> Worker {
        let exclude = |namespace: &str, name: &str| Filter {
            namespace: Some(namespace.to_owned()),
            metric_names: vec![name.to_owned()],
            ..Filter::default()
        };
        // Some of the catalogue, as a user would leave out what is not looked at.
        let exclude = vec![exclude("AWS/EBS", "VolumeIdleTime"), exclude("AWS/S3", "AllRequests")];
        remote::install_provider();
        Worker {
            inflater: Inflater::new(),
            plain: Vec::new(),
            record: Vec::new(),
            decoder: Decoder::new(),
            sieve: Sieve {
                selection: Selection::compile(Vec::new(), exclude).expect("filters compile"),
                shapes: Shapes::new(),
                packer: sink::build(config).expect("settings are right").0,
                moment,
                bodies: None,
            },
        }
    }

    fn walk(&mut self, plain: &[u8]) {
        let mut envelope =
            EnvelopeReader::whole(plain, Limits { records: 10_000, record_text: 8 << 20 });
        while let Some(text) = envelope.next().expect("the body is well-formed") {
            codec::base64::decode_into(text, &mut self.record).expect("base64");
            self.decoder.decode(&self.record, &mut self.sieve);
        }
        if self.sieve.packer.points() > 0 {
            self.sieve.close();
        }
    }
}

/// How far a visit goes.
#[derive(Clone, Copy, PartialEq)]
enum Depth {
    Envelope,
    Decode,
    Shape,
    Select,
}

/// A visit that stops early, to tell what each step adds.
struct Shallow {
    depth: Depth,
    shapes: Shapes,
    selection: Selection,
    seen: usize,
}

impl Visit for Shallow {
    fn point(&mut self, point: &Point<'_>) {
        self.seen += 1;
        if self.depth == Depth::Decode {
            black_box(point);
            return;
        }
        let shape = self.shapes.intern(point);
        if self.depth == Depth::Select {
            black_box(self.selection.decide(point, shape));
        }
        black_box(shape);
    }
    fn reject(&mut self, reject: &Reject<'_>) {
        panic!("{reject:?}");
    }
}

/// What the steps before packing cost.
fn breakdown(input: &Input, rounds: usize, metrics: usize) {
    for depth in [Depth::Envelope, Depth::Decode, Depth::Shape, Depth::Select] {
        let selection = Selection::compile(Vec::new(), Vec::new()).expect("no filters");
        let mut shallow = Shallow { depth, shapes: Shapes::new(), selection, seen: 0 };
        let mut decoder = Decoder::new();
        let mut record = Vec::new();
        let mut best = Duration::MAX;
        for _ in 0..=rounds {
            let limits = Limits { records: 10_000, record_text: 8 << 20 };
            let time = timed(|| {
                let mut envelope = EnvelopeReader::whole(&input.plain, limits);
                while let Some(text) = envelope.next().expect("the body is well-formed") {
                    codec::base64::decode_into(text, &mut record).expect("base64");
                    if depth != Depth::Envelope {
                        decoder.decode(&record, &mut shallow);
                    }
                }
            });
            best = best.min(time);
        }
        let step = match depth {
            Depth::Envelope => "envelope and base64",
            Depth::Decode => "+ decode",
            Depth::Shape => "+ shape",
            Depth::Select => "+ select",
        };
        println!("  {step:<20} {:.0} ns/metric", best.as_nanos() as f64 / metrics as f64);
    }
}

/// Minima of the stages.
struct Measured {
    anchor: Duration,
    gunzip: Duration,
    walk: Duration,
    compress: Duration,
    whole: Duration,
    out_bytes: usize,
}

fn measure(path: &Path, input: &Input, rounds: usize) -> Measured {
    let mut worker = Worker::new(&path.config, input.moment);
    worker.sieve.bodies = Some(Vec::new());
    worker.walk(&input.plain);
    let bodies = worker.sieve.bodies.take().unwrap_or_default();
    let mut anchor = libdeflater::Decompressor::new();
    let mut anchor_out = vec![0; input.plain.len()];
    let mut gzip = Deflater::new(1);
    let mut zstd = ZstdEncoder::new(1);
    let mut out = Vec::new();
    let mut best = [Duration::MAX; 5];
    for _ in 0..=rounds {
        let times = [
            timed(|| {
                anchor.gzip_decompress(&input.gzip, &mut anchor_out).expect("gzip");
            }),
            timed(|| {
                let plain = &mut worker.plain;
                worker.inflater.gunzip(&input.gzip, plain, PLAIN_MAX).expect("gzip");
            }),
            timed(|| {
                let plain = std::mem::take(&mut worker.plain);
                worker.walk(black_box(&plain));
                worker.plain = plain;
            }),
            timed(|| {
                out.clear();
                for text in &bodies {
                    match path.compress {
                        Compress::No => {}
                        Compress::Gzip => gzip.gzip(text, &mut out),
                        Compress::Zstd => zstd.compress(text, &mut out).expect("zstd"),
                    }
                }
                black_box(&out);
            }),
        ];
        let [anchor, gunzip, walk, compress] = times;
        let whole = walk + compress + if path.gzip_in { gunzip } else { Duration::ZERO };
        for (best, time) in best.iter_mut().zip([anchor, gunzip, walk, compress, whole]) {
            *best = time.min(*best);
        }
    }
    let plain_out: usize = bodies.iter().map(Bytes::len).sum();
    let [anchor, gunzip, walk, compress, whole] = best;
    let out_bytes = if out.is_empty() { plain_out } else { out.len() };
    Measured { anchor, gunzip, walk, compress, whole, out_bytes }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn report(path: &Path, measured: &Measured, metrics: usize) -> f64 {
    let per_metric = |time: Duration| time.as_nanos() as f64 / metrics as f64;
    let gunzip = if path.gzip_in { measured.gunzip } else { Duration::ZERO };
    let sum = gunzip + measured.walk + measured.compress;
    let ratio = |time: Duration| time.as_secs_f64() / measured.anchor.as_secs_f64();
    println!(
        "{:<20} | {:.2} | {:.1} | {:.0} | {:.0} | {:.0} | {:.0} | {:.2} | {:.1}",
        path.name,
        ratio(sum),
        path.ceiling,
        per_metric(sum),
        per_metric(gunzip),
        per_metric(measured.walk),
        per_metric(measured.compress),
        ratio(measured.whole),
        measured.out_bytes as f64 / metrics as f64,
    );
    ratio(sum)
}
