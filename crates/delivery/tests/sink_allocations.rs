//! Nothing is allocated per metric, and a handful per request, from record to payload.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

#[expect(dead_code, reason = "only some of it is needed here")]
mod sink_support;

use metric::{Decoder, Format, Point, Reject, Shapes, Visit};
use rehearsal::payload::{self, Options};
use rules::{Decision, Selection};
use sink_support::{NOW, build, client, dynatrace_config, otlp_config, prometheus_config};

use delivery::sink::{self, Offer, Packer, Payload, http_endpoint, otlp, prometheus};

#[global_allocator]
static ALLOC: testkit::alloc::Counting = testkit::alloc::Counting;

/// Allocations allowed for one request: its body, the handle on it, and a buffer for the next.
const PER_REQUEST: u64 = 8;

struct Sieve {
    shapes: Shapes,
    selection: Selection,
    packer: Packer,
    closed: Vec<Payload>,
}

impl Visit for Sieve {
    fn point(&mut self, point: &Point<'_>) {
        let shape = self.shapes.intern(point);
        assert_eq!(self.selection.decide(point, shape), Decision::Keep);
        if self.packer.full() {
            let payload = self.packer.close();
            self.closed.push(payload);
        }
        assert_eq!(self.packer.offer(point, shape, NOW), Offer::Taken);
    }
    fn reject(&mut self, reject: &Reject<'_>) {
        panic!("{reject:?}");
    }
}

#[track_caller]
fn check(config: &sink::Config, format: Format) {
    let options = Options { metrics: 2_200, series: 2_200, ..Options::default() };
    let records = payload::records(&options, format);
    let mut sieve = Sieve {
        shapes: Shapes::new(),
        selection: Selection::compile(Vec::new(), Vec::new()).unwrap(),
        packer: build(config).0,
        closed: Vec::with_capacity(100),
    };
    let mut decoder = Decoder::new();
    let mut pass = |sieve: &mut Sieve| {
        sieve.closed.clear();
        records.iter().for_each(|record| decoder.decode(record, sieve));
        let payload = sieve.packer.close();
        sieve.closed.push(payload);
    };
    for _ in 0..2 {
        pass(&mut sieve);
    }
    let (allocations, _) = testkit::alloc::counted(|| pass(&mut sieve));
    let requests = sieve.closed.len() as u64;
    assert!(requests >= 2, "{requests} requests");
    assert!(
        allocations <= requests * PER_REQUEST,
        "{allocations} allocations for {requests} requests of {format:?}"
    );
}

/// *Scenario:* two thousand metrics of OTel 1.0, 0.7 and JSON become lines, gzip and plain, with
/// metadata; every buffer is warm.
/// *Guarantees:* at most eight allocations a request, so none a metric.
#[test]
fn lines_allocate_nothing_per_metric() {
    for format in [Format::Otel10, Format::Otel07, Format::Json] {
        for compression in [true, false] {
            let mut config = dynatrace_config("http://127.0.0.1:9");
            config.compression = compression;
            config.metadata = true;
            check(&sink::Config::Dynatrace(config), format);
        }
    }
}

/// *Scenario:* the same as OTLP: copied or written, in every form, protocol and compression.
/// *Guarantees:* the same.
#[test]
fn otlp_allocates_nothing_per_metric() {
    use otlp::{Compression, Points, Protocol};
    for format in [Format::Otel10, Format::Json] {
        for points in [Points::Summary, Points::Gauges, Points::DeltaHistogram] {
            for protocol in [Protocol::HttpProtobuf, Protocol::HttpJson] {
                for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
                    // The compressors see nothing of the form.
                    if points != Points::Summary && compression != Compression::None {
                        continue;
                    }
                    let mut config = otlp_config("http://127.0.0.1:9");
                    config.points = points;
                    config.protocol = protocol;
                    config.compression = compression;
                    config.resource_attributes = vec![("service.name".into(), "x".into())];
                    check(&sink::Config::Otlp(config), format);
                }
            }
        }
    }
}

/// *Scenario:* the same as deliveries of Firehose, from every format to every format.
/// *Guarantees:* the same.
#[test]
fn deliveries_allocate_nothing_per_metric() {
    let formats = [Format::Otel10, Format::Otel07, Format::Json];
    for (from, to) in formats.into_iter().flat_map(|from| formats.map(|to| (from, to))) {
        let config = http_endpoint::Config {
            url: "http://127.0.0.1:9".to_owned(),
            access_key: None,
            common_attributes: Vec::new(),
            source_arn: String::new(),
            gzip: to != Format::Json,
            content: http_endpoint::Content::Points(to),
            record_bytes: 16 * 1024,
            bytes_max: 256 * 1024,
            client: client(),
        };
        check(&sink::Config::HttpEndpoint(config), from);
    }
}

/// *Scenario:* the same as remote write, in both namings, with metadata and an external label.
/// *Guarantees:* the same.
#[test]
fn remote_write_allocates_nothing_per_metric() {
    use prometheus::Naming;
    for format in [Format::Otel10, Format::Otel07, Format::Json] {
        for naming in [Naming::Yace, Naming::Otel] {
            let mut config = prometheus_config("http://127.0.0.1:9");
            config.naming = naming;
            config.metadata = true;
            config.external_labels = vec![("cluster".into(), "x".into())];
            check(&sink::Config::Prometheus(config), format);
        }
    }
}

/// *Scenario:* the same counter around something that does allocate.
/// *Guarantees:* it would be seen.
#[test]
fn the_counter_counts() {
    let (allocations, bytes) = testkit::alloc::counted(|| drop(std::hint::black_box(vec![0; 100])));
    assert_eq!((allocations, bytes), (1, 400));
}
