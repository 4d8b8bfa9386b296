//! Measures the codecs against G, one libdeflate gunzip of the same body in the same process.
//!
//! `cargo bench -p codec [--profile dist] [-- METRICS ROUNDS]`. Stages are interleaved round by
//! round and the least time of each counts: absolute times follow the clock of the machine, the
//! ratio to G does not.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod payload;

use std::hint::black_box;
use std::io::Read;
use std::time::{Duration, Instant};

use codec::base64;
use codec::container::{CONTAINERS, Compressor, Container, Reader};
use codec::gzip::{Deflater, Inflater, StreamInflater};
use codec::zstd::ZstdEncoder;

/// Metrics in the body: a delivery of 1 MiB of JSON holds about three thousand.
const METRICS: usize = 3000;

/// Rounds: enough for each stage to meet a quiet moment.
const ROUNDS: usize = 60;

/// A stage: what it is, over how many plain bytes it runs, and the run, which returns bytes out.
struct Stage<'a> {
    name: &'static str,
    plain: usize,
    run: Box<dyn FnMut() -> usize + 'a>,
    best: Duration,
    out: usize,
}

fn stage<'a>(name: &'static str, plain: usize, run: impl FnMut() -> usize + 'a) -> Stage<'a> {
    Stage { name, plain, run: Box::new(run), best: Duration::MAX, out: 0 }
}

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<usize>().ok());
    let metrics = numbers.next().unwrap_or(METRICS);
    let rounds = numbers.next().unwrap_or(ROUNDS);

    let records = payload::records(metrics);
    let plain = payload::body(&records);
    let raw = records.concat();
    let lines = payload::lines(metrics);
    let mut body = Vec::new();
    Deflater::new(6).gzip(&plain, &mut body);
    println!(
        "{metrics} metrics, {rounds} rounds: body {} B, gzip {} B; records {} B; lines {} B",
        plain.len(),
        body.len(),
        raw.len(),
        lines.len()
    );

    let objects = CONTAINERS.map(|container| (container, object(container, &raw)));
    let mut raw_body = Vec::new();
    Deflater::new(6).gzip(&raw, &mut raw_body);
    let mut stages = inflating(&body, plain.len());
    stages.extend(inflating_records(&raw_body, raw.len()));
    stages.extend(base64s(&plain, &raw));
    stages.extend(deflating(&lines, &raw));
    stages.extend(reading(&objects, raw.len()));
    stages.extend(CONTAINERS.map(|container| writing(container, &raw)));
    for _ in 0..rounds {
        for stage in &mut stages {
            let begin = Instant::now();
            stage.out = black_box((stage.run)());
            stage.best = stage.best.min(begin.elapsed());
        }
    }
    print(&stages, metrics);
}

fn print(stages: &[Stage<'_>], metrics: usize) {
    let per_metric = |duration: Duration| duration.as_nanos() as f64 / metrics as f64;
    let anchor = stages.first().map_or(1.0, |stage| per_metric(stage.best));
    println!("{:<34}{:>9}{:>10}{:>8}{:>9}", "stage", "ns/byte", "ns/metric", "G", "B/metric");
    for stage in stages {
        let ns = per_metric(stage.best);
        println!(
            "{:<34}{:>9.3}{:>10.1}{:>8.3}{:>9.1}",
            stage.name,
            stage.best.as_nanos() as f64 / stage.plain as f64,
            ns,
            ns / anchor,
            stage.out as f64 / metrics as f64,
        );
    }
}

fn inflating(body: &[u8], plain: usize) -> Vec<Stage<'_>> {
    let mut anchor = libdeflater::Decompressor::new();
    let mut anchor_out = vec![0; plain];
    let mut inflater = Inflater::new();
    let mut stale = Vec::new();
    let mut cleared_inflater = Inflater::new();
    let mut cleared = Vec::new();
    let mut window = vec![0; 128 * 1024];
    vec![
        stage("G: libdeflate gunzip", plain, move || {
            anchor.gzip_decompress(body, &mut anchor_out).unwrap_or_default()
        }),
        stage("Inflater, stale buffer", plain, move || {
            inflater.gunzip(body, &mut stale, plain).map_or(0, |()| stale.len())
        }),
        stage("Inflater, cleared buffer", plain, move || {
            cleared.clear();
            cleared_inflater.gunzip(body, &mut cleared, plain).map_or(0, |()| cleared.len())
        }),
        stage("StreamInflater, 128 KiB window", plain, move || {
            let mut reader = StreamInflater::new(body, plain as u64);
            let mut total = 0;
            while let Ok(read) = reader.read(&mut window)
                && read > 0
            {
                total += read;
            }
            total
        }),
    ]
}

/// The same without base64, as in objects: fewer, longer literals.
fn inflating_records(body: &[u8], plain: usize) -> Vec<Stage<'_>> {
    let mut peer = libdeflater::Decompressor::new();
    let mut peer_out = vec![0; plain];
    let mut inflater = Inflater::new();
    let mut out = Vec::new();
    vec![
        stage("libdeflate gunzip, records (a peer)", plain, move || {
            peer.gzip_decompress(body, &mut peer_out).unwrap_or_default()
        }),
        stage("Inflater, records", plain, move || {
            inflater.gunzip(body, &mut out, plain).map_or(0, |()| out.len())
        }),
    ]
}

fn base64s<'a>(plain: &'a [u8], raw: &'a [u8]) -> Vec<Stage<'a>> {
    let texts: Vec<&[u8]> =
        plain.split(|byte| *byte == b'"').filter(|text| text.len() > 1000).collect();
    let checked = texts.clone();
    let mut record = Vec::new();
    let mut encoded = Vec::new();
    vec![
        stage("base64 check", plain.len(), move || {
            checked.iter().map(|text| base64::check(text).unwrap_or_default()).sum()
        }),
        stage("base64 decode, record by record", plain.len(), move || {
            let mut total = 0;
            for text in &texts {
                total += base64::decode_into(text, &mut record).map_or(0, |()| record.len());
            }
            total
        }),
        stage("base64 encode", raw.len(), move || {
            encoded.clear();
            base64::encode_into(raw, &mut encoded);
            encoded.len()
        }),
    ]
}

fn deflating<'a>(lines: &'a [u8], raw: &'a [u8]) -> Vec<Stage<'a>> {
    vec![
        deflate("Deflater 1, lines", lines, lines.len()),
        deflate("Deflater 1, lines, 128 KiB pieces", lines, 128 * 1024),
        deflate("Deflater 1, records", raw, raw.len()),
        zstd("zstd 1, lines", lines),
        zstd("zstd 1, records", raw),
        zlib_rs("zlib-rs 1, lines (a peer)", lines),
        zlib_rs("zlib-rs 1, records (a peer)", raw),
        libdeflate("libdeflate 1, lines (a peer)", lines),
    ]
}

fn deflate<'a>(name: &'static str, plain: &'a [u8], piece: usize) -> Stage<'a> {
    let mut deflater = Deflater::new(1);
    let mut out = Vec::new();
    stage(name, plain.len(), move || {
        out.clear();
        for piece in plain.chunks(piece) {
            deflater.gzip(piece, &mut out);
        }
        out.len()
    })
}

fn zstd<'a>(name: &'static str, plain: &'a [u8]) -> Stage<'a> {
    let mut encoder = ZstdEncoder::new(1);
    let mut out = Vec::new();
    stage(name, plain.len(), move || {
        out.clear();
        encoder.compress(plain, &mut out).map_or(0, |()| out.len())
    })
}

/// Raw deflate with its state reused, and the checksum a gzip member needs.
fn zlib_rs<'a>(name: &'static str, plain: &'a [u8]) -> Stage<'a> {
    let mut peer = flate2::Compress::new(flate2::Compression::new(1), false);
    let mut out = Vec::with_capacity(plain.len() + plain.len() / 4 + 1000);
    stage(name, plain.len(), move || {
        out.clear();
        let status = peer.compress_vec(plain, &mut out, flate2::FlushCompress::Finish);
        assert!(matches!(status, Ok(flate2::Status::StreamEnd)), "the space is enough");
        peer.reset();
        black_box(libdeflater::crc32(plain));
        out.len()
    })
}

fn libdeflate<'a>(name: &'static str, plain: &'a [u8]) -> Stage<'a> {
    let mut peer =
        libdeflater::Compressor::new(libdeflater::CompressionLvl::new(1).unwrap_or_default());
    let mut out = vec![0; peer.gzip_compress_bound(plain.len())];
    stage(name, plain.len(), move || peer.gzip_compress(plain, &mut out).unwrap_or_default())
}

fn object(container: Container, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let written = Compressor::new(container).compress("entry", plain, &mut out);
    assert!(written.is_ok(), "{container}: {written:?}");
    out
}

/// Objects read as a stream; the first of them is plain, what the layers themselves cost.
fn reading<'a>(objects: &'a [(Container, Vec<u8>)], plain: usize) -> Vec<Stage<'a>> {
    let read = |(container, object): &'a (Container, Vec<u8>)| {
        let mut window = vec![0; 128 * 1024];
        stage(container_name(*container, true), plain, move || {
            let mut reader = Reader::new(&object[..], plain as u64);
            let mut total = 0;
            while let Ok(read) = reader.read(&mut window)
                && read > 0
            {
                total += read;
            }
            total
        })
    };
    objects.iter().map(read).collect()
}

fn writing(container: Container, plain: &[u8]) -> Stage<'_> {
    let mut compressor = Compressor::new(container);
    let mut out = Vec::new();
    stage(container_name(container, false), plain.len(), move || {
        out.clear();
        compressor.compress("entry", plain, &mut out).map_or(0, |()| out.len())
    })
}

fn container_name(container: Container, is_read: bool) -> &'static str {
    match (container, is_read) {
        (Container::Plain, true) => "read an object: plain",
        (Container::Gzip, true) => "read an object: gzip",
        (Container::Zip, true) => "read an object: zip",
        (Container::Snappy, true) => "read an object: snappy",
        (Container::HadoopSnappy, true) => "read an object: hadoop snappy",
        (Container::Zstd, true) => "read an object: zstd",
        (Container::Plain, false) => "write an object: plain",
        (Container::Gzip, false) => "write an object: gzip",
        (Container::Zip, false) => "write an object: zip",
        (Container::Snappy, false) => "write an object: snappy",
        (Container::HadoopSnappy, false) => "write an object: hadoop snappy",
        (Container::Zstd, false) => "write an object: zstd",
    }
}
