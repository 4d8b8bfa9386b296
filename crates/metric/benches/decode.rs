//! What decoding a metric costs, in nanoseconds and in G.
//!
//! G is one libdeflate gunzip of the same metrics as a Firehose body (base64 in JSON, gzip) in the
//! same process, so that ratios hold on any machine and at any clock. The payload is made by a
//! seeded generator: 10,000 metrics of 20 namespaces and 3 accounts, 1 to 4 dimensions, 50 to 150
//! metrics a message, 5 messages a record, shuffled. Variants take turns; a figure is the sum over
//! records of the fastest round. Run with `cargo bench -p metric --profile dist`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a generator that misses its own tables should stop"
)]

mod payload;

use std::hint::black_box;
use std::time::{Duration, Instant};

use codec::gzip::Deflater;
use metric::{Decoder, Format, Point, Reject, Shapes, Visit};

/// Metrics of one payload.
const METRICS: usize = 10_000;
/// Rounds; the fastest of each record counts.
const ROUNDS: usize = 60;

/// Reads every field a sink would read.
#[derive(Default)]
struct Sum {
    points: usize,
    state: u64,
}

impl Visit for Sum {
    #[inline]
    fn point(&mut self, point: &Point<'_>) {
        self.points += 1;
        let numbers = [point.min, point.max, point.sum, Some(point.count)];
        for number in numbers.into_iter().flatten() {
            self.state = self.state.wrapping_add(number.to_bits());
        }
        for (name, value) in point.dimensions {
            self.state = self.state.wrapping_add((name.len() * value.len()) as u64);
        }
        let texts = [point.account, point.region, point.namespace, point.name];
        for text in texts {
            self.state = self.state.wrapping_add(text.len() as u64);
        }
        self.state ^= point.start_ns.wrapping_add(point.extra.len() as u64);
    }
    fn reject(&mut self, reject: &Reject<'_>) {
        panic!("the generator made bad input: {reject:?}");
    }
}

/// Decodes and interns.
struct Intern<'s> {
    shapes: &'s mut Shapes,
    state: u64,
}

impl Visit for Intern<'_> {
    #[inline]
    fn point(&mut self, point: &Point<'_>) {
        let shape = self.shapes.intern(point).map_or(0, |shape| shape.0);
        self.state = self.state.wrapping_add(u64::from(shape));
    }
    fn reject(&mut self, _: &Reject<'_>) {}
}

/// A variant: one piece of work for each record, and the fastest time of each.
struct Variant<'a> {
    name: &'static str,
    pieces: Vec<Box<dyn FnMut() + 'a>>,
    best: Vec<Duration>,
}

impl<'a> Variant<'a> {
    fn new(name: &'static str, pieces: Vec<Box<dyn FnMut() + 'a>>) -> Self {
        let best = vec![Duration::MAX; pieces.len()];
        Self { name, pieces, best }
    }

    fn round(&mut self) {
        for (piece, best) in self.pieces.iter_mut().zip(&mut self.best) {
            let start = Instant::now();
            piece();
            *best = start.elapsed().min(*best);
        }
    }

    fn ns_per_metric(&self) -> f64 {
        self.best.iter().sum::<Duration>().as_secs_f64() * 1e9 / METRICS as f64
    }
}

/// A gzip Firehose body of the records, and its size when inflated.
fn body(records: &[Vec<u8>]) -> (Vec<u8>, usize) {
    let mut plain = b"{\"requestId\":\"r\",\"timestamp\":1,\"records\":[".to_vec();
    for (at, record) in records.iter().enumerate() {
        plain.extend_from_slice(if at == 0 { b"{\"data\":\"" } else { b",{\"data\":\"" });
        codec::base64::encode_into(record, &mut plain);
        plain.extend_from_slice(b"\"}");
    }
    plain.extend_from_slice(b"]}");
    let mut packed = Vec::new();
    Deflater::new(6).gzip(&plain, &mut packed);
    (packed, plain.len())
}

fn decoding<'a>(name: &'static str, records: &'a [Vec<u8>]) -> Variant<'a> {
    let pieces = records.iter().map(|record| {
        let mut decoder = Decoder::new();
        Box::new(move || {
            let mut sum = Sum::default();
            decoder.decode(black_box(record), &mut sum);
            black_box((sum.points, sum.state));
        }) as Box<dyn FnMut() + 'a>
    });
    Variant::new(name, pieces.collect())
}

fn interning<'a>(name: &'static str, records: &'a [Vec<u8>]) -> Variant<'a> {
    let shapes = std::rc::Rc::new(std::cell::RefCell::new(Shapes::new()));
    let pieces = records.iter().map(|record| {
        let (shapes, mut decoder) = (shapes.clone(), Decoder::new());
        Box::new(move || {
            let mut shapes = shapes.borrow_mut();
            let mut intern = Intern { shapes: &mut shapes, state: 0 };
            decoder.decode(black_box(record), &mut intern);
            black_box(intern.state);
        }) as Box<dyn FnMut() + 'a>
    });
    Variant::new(name, pieces.collect())
}

fn gunzip<'a>(name: &'static str, packed: &'a [u8], plain: usize) -> Variant<'a> {
    let mut inflater = libdeflater::Decompressor::new();
    let mut out = vec![0; plain];
    let work = move || {
        let done = inflater.gzip_decompress(black_box(packed), &mut out);
        assert_eq!(black_box(done), Ok(plain));
    };
    Variant::new(name, vec![Box::new(work)])
}

fn main() {
    let formats = [Format::Json, Format::Otel07, Format::Otel10];
    let records = formats.map(|format| payload::records(1, METRICS, format));
    for (format, records) in formats.iter().zip(&records) {
        let bytes: usize = records.iter().map(Vec::len).sum();
        let mut sum = Sum::default();
        records.iter().for_each(|record| Decoder::new().decode(record, &mut sum));
        assert_eq!(sum.points, METRICS);
        let per_metric = bytes as f64 / METRICS as f64;
        println!("{}: {} records, {per_metric:.1} bytes a metric", format.name(), records.len());
    }
    let [json, otel07, otel10] = &records;
    let (json_body, json_plain) = body(json);
    let (otel_body, otel_plain) = body(otel10);
    let mut variants = [
        gunzip("G of OTel 1.0: libdeflate gunzip", &otel_body, otel_plain),
        gunzip("G of JSON: libdeflate gunzip", &json_body, json_plain),
        decoding("decode OTel 1.0", otel10),
        decoding("decode OTel 0.7", otel07),
        decoding("decode JSON", json),
        interning("decode OTel 1.0 and intern shapes", otel10),
    ];
    // Words after `--` choose variants by name; cargo itself adds `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word));
    for _ in 0..ROUNDS {
        for variant in variants.iter_mut().filter(|v| is_wanted(v.name)) {
            variant.round();
        }
    }
    let [otel_g, json_g, ..] = &variants;
    let (otel_g, json_g) = (otel_g.ns_per_metric(), json_g.ns_per_metric());
    for variant in variants.iter().filter(|variant| is_wanted(variant.name)) {
        let ns = variant.ns_per_metric();
        let g = if variant.name.contains("JSON") { json_g } else { otel_g };
        println!("{:<36} {ns:>7.1} ns/metric  {:>6.3} G", variant.name, ns / g);
    }
}
