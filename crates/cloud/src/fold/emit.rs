//! From a window to the entries of a delivery stream.
//!
//! Owns how sets become records and records become entries, and the keys that make a repeat
//! harmless. Always: the same window, revision and configuration give the same entries under the
//! same keys. Not here: waiting for the disk (`deliver`).

use std::borrow::Cow;
use std::io;

use bytes::Bytes;
use codec::checksum::Hasher128;
use entry::{Encoding, Header, Kind};
use journal::{Body, Item, Key};
use metric::{Encoder, Point, Source};

use super::file::{Meta, Row, Scan, pairs};
use super::select::{Stream, compute};
use super::windows;
use crate::put::{Checked, Entry, Samples, wire};

/// A record is closed when it has this many bytes. CloudWatch's own have 58 to 135 KB; with the
/// largest point there is (77 KB and its statistics) it stays below 256 KiB.
const RECORD: usize = 128 << 10;

/// An entry is closed when it has this many bytes: with one more record it stays below 2 MiB.
const ENTRY: usize = (2 << 20) - (256 << 10);

/// Additional statistics that cost one update.
const EXTRAS_OF_AN_UPDATE: usize = 5;

/// Nanoseconds of a millisecond and milliseconds of a minute.
const NS: u64 = 1_000_000;
const MINUTE_MS: i64 = 60_000;

/// Namespace of the streams' own metrics.
pub(crate) const OWN: &str = "AWS/CloudWatch/MetricStreams";

/// What a stream sent of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Sets.
    pub(crate) updates: u64,
    /// The same with what additional statistics cost.
    pub(crate) billed: u64,
}

/// Names of things in entries.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) source: String,
    pub(crate) region: String,
}

/// Gives `take` the entries that a stream gets of a window, in order.
pub(crate) fn entries(
    names: &Names,
    stream: &Stream,
    meta: &Meta,
    scan: &mut Scan,
    now_ms: i64,
    mut take: impl FnMut(Item) -> io::Result<()>,
) -> io::Result<Sent> {
    let mut out = Packing { now_ms, ..Packing::new(names, stream, meta) };
    let mut selected = Selected::default();
    while let Some(row) = scan.next()? {
        if row.changed && selected.has(stream, row.key) {
            out.point(&row);
            if out.body.len() >= ENTRY {
                take(out.item())?;
            }
        }
    }
    out.record();
    if out.records > 0 {
        take(out.item())?;
    }
    Ok(out.sent)
}

/// The last answer: rows of one metric lie together.
#[derive(Default)]
struct Selected {
    begin: Vec<u8>,
    answer: bool,
}

impl Selected {
    fn has(&mut self, stream: &Stream, key: &[u8]) -> bool {
        if !self.begin.is_empty() && key.starts_with(&self.begin) {
            return self.answer;
        }
        self.begin.clear();
        let Some((account, namespace, series)) = windows::parts(key) else { return false };
        self.answer = stream.selects(account, namespace, series.name);
        let length = account.len() + 1 + namespace.len() + 1 + 2 + series.name.len();
        self.begin.extend_from_slice(key.get(..length).unwrap_or_default());
        self.answer
    }
}

struct Packing<'a> {
    names: &'a Names,
    stream: &'a Stream,
    meta: &'a Meta,
    now_ms: i64,
    encoder: Encoder,
    record: Vec<u8>,
    body: Vec<u8>,
    records: u32,
    chunk: u32,
    sent: Sent,
}

impl<'a> Packing<'a> {
    fn new(names: &'a Names, stream: &'a Stream, meta: &'a Meta) -> Packing<'a> {
        Packing {
            names,
            stream,
            meta,
            now_ms: 0,
            encoder: Encoder::new(stream.format),
            record: Vec::new(),
            body: Vec::new(),
            records: 0,
            chunk: 0,
            sent: Sent::default(),
        }
    }

    fn point(&mut self, row: &Row<'_>) {
        let Some((account, namespace, series)) = windows::parts(row.key) else { return };
        let dimensions: Vec<metric::Dimension<'_>> =
            series.dimensions.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
        let extras = self.stream.extras(namespace, series.name);
        let extra = match row.raw {
            Some(raw) if !extras.is_empty() => compute(extras, row.set, pairs(raw)),
            _ => Vec::new(),
        };
        let [count, sum, min, max] = row.set;
        let start_ns = u64::try_from(self.meta.minute_ms).unwrap_or(0) * NS;
        self.encoder.push(&Point {
            stream: self.stream.name.as_bytes(),
            exporter_arn: self.stream.arn.as_bytes(),
            account: account.as_bytes(),
            region: self.names.region.as_bytes(),
            namespace: namespace.as_bytes(),
            name: series.name.as_bytes(),
            dimensions: &dimensions,
            attributes: &[],
            unit: series.unit,
            start_ns,
            end_ns: Some(start_ns + MINUTE_MS.unsigned_abs() * NS),
            min: Some(min),
            max: Some(max),
            sum: Some(sum),
            count,
            extra: &extra,
            source: Source::Json,
        });
        self.sent.updates += 1;
        self.sent.billed += 1 + extra.len().div_ceil(EXTRAS_OF_AN_UPDATE) as u64;
        if self.encoder.len() >= RECORD {
            self.record();
        }
    }

    fn record(&mut self) {
        if !self.encoder.is_empty() {
            self.record.clear();
            self.encoder.finish(&mut self.record);
            entry::records::push(&self.record, &mut self.body);
            self.records += 1;
        }
    }

    fn item(&mut self) -> Item {
        let body = std::mem::take(&mut self.body);
        let Meta { minute_ms, revision, .. } = self.meta;
        let head = Header {
            kind: Kind::Records,
            encoding: Encoding::Identity,
            arrival_ms: self.now_ms,
            plain_bytes: body.len() as u64,
            records: std::mem::take(&mut self.records),
            source: self.names.source.clone(),
            source_arn: self.stream.firehose_arn.clone(),
            request_id: format!("{}/{minute_ms}/{revision}/{}", self.stream.name, self.chunk),
            attributes: Vec::new(),
            lane: None,
            only: Vec::new(),
        };
        let key = key(self.stream, self.meta, self.chunk, &body);
        self.chunk += 1;
        Item { key: Some(key), head: head.encode(), body: Body::Bytes(Bytes::from(body)) }
    }
}

/// Stream, minute, revision and chunk; the stream's configuration too, since another one makes
/// other chunks. Two windows of one minute and revision differ in when they were written, which can
/// be only when the first of them was never whole on the disk.
fn key(stream: &Stream, meta: &Meta, chunk: u32, body: &[u8]) -> Key {
    let mut name = Hasher128::new();
    name.update(stream.arn.as_bytes());
    name.update(&stream.updated_ms.to_le_bytes());
    name.update(&meta.minute_ms.to_le_bytes());
    name.update(&meta.revision.to_le_bytes());
    name.update(&chunk.to_le_bytes());
    let mut data = Hasher128::new();
    data.update(body);
    Key { name: name.digest(), data: data.digest() }
}

/// The stream's own metrics about what it sent, as a call that the fold reads: samples of the
/// minute after the window, or of the one it was written in when that is later.
pub(crate) fn own(names: &Names, stream: &Stream, meta: &Meta, sent: Result<Sent, ()>) -> Item {
    let at_ms = (meta.minute_ms + MINUTE_MS).max(meta.written_ms);
    let sent_some = sent.ok().filter(|sent| sent.updates > 0);
    let values = [
        ("MetricUpdate", sent_some.map(|sent| sent.updates as f64)),
        ("TotalMetricUpdate", sent_some.map(|sent| sent.billed as f64)),
        ("PublishErrorRate", Some(if sent.is_err() { 1.0 } else { 0.0 })),
    ];
    let mut entries = Vec::new();
    for (name, value) in values {
        let Some(value) = value else { continue };
        for named in [true, false] {
            let pair = (Cow::Borrowed("MetricStreamName"), Cow::Borrowed(stream.name.as_str()));
            entries.push(Entry {
                name: Cow::Borrowed(name),
                dimensions: if named { vec![pair] } else { Vec::new() },
                unit: Cow::Borrowed("None"),
                timestamp_ms: at_ms,
                high_resolution: false,
                samples: Samples::Raw(vec![(value, 1.0)]),
            });
        }
    }
    let records = entries.len() as u32;
    let call = Checked { namespace: Cow::Borrowed(OWN), entries, wrong_entity: None };
    let mut body = Vec::new();
    wire::encode(&stream.account, &call, &mut body);
    let head = Header {
        kind: Kind::Metrics,
        encoding: Encoding::Identity,
        arrival_ms: at_ms,
        plain_bytes: body.len() as u64,
        records,
        source: names.source.clone(),
        source_arn: String::new(),
        request_id: String::new(),
        attributes: Vec::new(),
        lane: None,
        only: Vec::new(),
    };
    let key = key(stream, meta, u32::MAX, &body);
    Item { key: Some(key), head: head.encode(), body: Body::Bytes(Bytes::from(body)) }
}
