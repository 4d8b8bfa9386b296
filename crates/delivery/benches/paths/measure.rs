//! The paths, and how one is measured.

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

/// Most plain bytes of the bodies made here.
const PLAIN_MAX: usize = 64 << 20;

/// Which way bytes go.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    pub(crate) format: Format,
    config: sink::Config,
    compress: Compress,
    pub(crate) gzip_in: bool,
    /// What it shall cost at most on any machine; NaN where nobody has set one.
    pub(crate) ceiling: f64,
}

#[derive(Clone, Copy)]
enum Compress {
    No,
    Gzip,
    Zstd,
}

pub(crate) fn paths() -> Vec<Path> {
    use Compress::{Gzip, No, Zstd};
    let path = |name, format, config, compress, gzip_in, ceiling| Path {
        name,
        format,
        config,
        compress,
        gzip_in,
        ceiling,
    };
    let (otel, old, json) = (Format::Otel10, Format::Otel07, Format::Json);
    vec![
        path("otel.gz -> lines.gz", otel, lines(), Gzip, true, 3.6),
        path("otel -> lines", otel, lines(), No, false, 1.0),
        path("otel.gz -> otlp", otel, splice(), No, true, 1.6),
        path("otel.gz -> otlp.zst", otel, splice(), Zstd, true, 2.8),
        path("otel.gz -> otlp.gz", otel, splice(), Gzip, true, 3.9),
        path("otel -> otlp", otel, splice(), No, false, f64::NAN),
        path("otel.gz -> remote write", otel, series(), No, true, 4.3),
        path("otel07.gz -> otlp.gz", old, splice(), Gzip, true, f64::NAN),
        path("json.gz -> lines.gz", json, lines(), Gzip, true, 4.4),
        path("json -> lines", json, lines(), No, false, f64::NAN),
        path("json.gz -> otlp.gz", json, splice(), Gzip, true, f64::NAN),
        path("json.gz -> remote write", json, series(), No, true, f64::NAN),
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
pub(crate) struct Input {
    pub(crate) plain: Vec<u8>,
    pub(crate) gzip: Vec<u8>,
    pub(crate) moment: Moment,
}

impl Input {
    pub(crate) fn new(format: Format, metrics: usize) -> Input {
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

    /// A lap is a record; the last is the end.
    fn walk(&mut self, plain: &[u8], laps: &mut Laps) {
        laps.start();
        let mut envelope =
            EnvelopeReader::whole(plain, Limits { records: 10_000, record_text: 8 << 20 });
        while let Some(text) = envelope.next().expect("the body is well-formed") {
            codec::base64::decode_into(text, &mut self.record).expect("base64");
            self.decoder.decode(&self.record, &mut self.sieve);
            laps.lap();
        }
        if self.sieve.packer.points() > 0 {
            self.sieve.close();
        }
        laps.lap();
    }
}

/// The shortest time that each lap of a stage took in any round. A round of a whole stage is seldom
/// undisturbed on a shared machine; of a tenth of a millisecond some always are.
#[derive(Default)]
struct Laps {
    best: Vec<Duration>,
    at: usize,
    last: Option<Instant>,
}

impl Laps {
    fn start(&mut self) {
        self.at = 0;
        self.last = Some(Instant::now());
    }

    fn lap(&mut self) {
        let now = Instant::now();
        let time = self.last.map_or(Duration::MAX, |last| now - last);
        match self.best.get_mut(self.at) {
            Some(best) => *best = time.min(*best),
            None => self.best.push(time),
        }
        self.at += 1;
        self.last = Some(now);
    }

    fn once(&mut self, work: impl FnOnce()) {
        self.start();
        work();
        self.lap();
    }

    fn sum(&self) -> Duration {
        self.best.iter().sum()
    }
}

/// What the stages take at best.
pub(crate) struct Measured {
    pub(crate) anchor: Duration,
    pub(crate) gunzip: Duration,
    pub(crate) walk: Duration,
    pub(crate) compress: Duration,
    pub(crate) out_bytes: usize,
}

pub(crate) fn measure(path: &Path, input: &Input, rounds: usize) -> Measured {
    let mut worker = Worker::new(&path.config, input.moment);
    worker.sieve.bodies = Some(Vec::new());
    worker.walk(&input.plain, &mut Laps::default());
    let bodies = worker.sieve.bodies.take().unwrap_or_default();
    let mut anchor = libdeflater::Decompressor::new();
    let mut anchor_out = vec![0; input.plain.len()];
    let mut gzip = Deflater::new(1);
    let mut zstd = ZstdEncoder::new(1);
    let mut out = Vec::new();
    let [mut anchors, mut gunzip, mut walk, mut compress] = [(); 4].map(|()| Laps::default());
    for _ in 0..=rounds {
        anchors.once(|| {
            anchor.gzip_decompress(&input.gzip, &mut anchor_out).expect("gzip");
        });
        // What was just inflated is walked, as a worker does.
        let mut plain = std::mem::take(&mut worker.plain);
        if path.gzip_in {
            let inflater = &mut worker.inflater;
            gunzip.once(|| inflater.gunzip(&input.gzip, &mut plain, PLAIN_MAX).expect("gzip"));
            worker.walk(black_box(&plain), &mut walk);
        } else {
            worker.walk(black_box(&input.plain), &mut walk);
        }
        worker.plain = plain;
        out.clear();
        compress.start();
        for text in &bodies {
            match path.compress {
                Compress::No => {}
                Compress::Gzip => gzip.gzip(text, &mut out),
                Compress::Zstd => zstd.compress(text, &mut out).expect("zstd"),
            }
            compress.lap();
        }
        black_box(&out);
    }
    let plain_out: usize = bodies.iter().map(Bytes::len).sum();
    Measured {
        anchor: anchors.sum(),
        gunzip: gunzip.sum(),
        walk: walk.sum(),
        compress: compress.sum(),
        out_bytes: if out.is_empty() { plain_out } else { out.len() },
    }
}
