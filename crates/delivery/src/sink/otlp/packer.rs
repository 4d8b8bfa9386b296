//! The packing half: points become metrics of the open parcel, grouped by resource.
//!
//! A point that came as a metric of its own in format 1.0, and got no attributes on its way, is
//! forwarded by copying its bytes; others are written anew. In steady state nothing is allocated per point.

use codec::gzip::Deflater;
use codec::zstd::ZstdEncoder;
use metric::{Point, Source};

use super::groups::{GROUPS_MAX, Group, Groups};
use super::reading::{Reading, quantiles};
use super::{Compression, Config, Dimensions, Losses, Points, Protocol, json, protobuf};
use crate::sink::shelf::Shelf;
use crate::sink::{Offer, Payload};

/// Room kept for the next point and for the frame around it: the largest real metrics have a few
/// kilobytes (thirty dimensions of 255 characters with name), five gauges of them less than this.
const RESERVE: usize = 64 * 1024;

/// Room before the metrics of a resource for what a request begins with: four attributes of AWS have
/// some 300 bytes, of which a third is the name of the metric stream. A longer one is put together.
const HEAD_ROOM: usize = 1024;

/// Gauges of a point: five, and one for each of the additional statistics, of which CloudWatch
/// allows twenty.
const GAUGES_MAX: usize = 25;

/// Level 1 of both: the next ones cost a third more time for a tenth less on the wire.
const LEVEL: u32 = 1;

/// The packing half.
pub struct Packer {
    form: Points,
    protocol: Protocol,
    dimensions: Dimensions,
    points_max: usize,
    bytes_max: usize,
    attributes: Vec<(String, String)>,
    groups: Groups,
    points: u32,
    data_points: usize,
    bytes: usize,
    quantiles: Vec<(f64, f64)>,
    /// A suffix, or a metric, while it is made.
    scratch: Vec<u8>,
    resource: Vec<u8>,
    head: Vec<u8>,
    plain: Vec<u8>,
    shelf: Shelf,
    compressor: Coder,
    losses: Losses,
}

enum Coder {
    None,
    Gzip(Deflater),
    Zstd(Box<ZstdEncoder>),
}

impl Packer {
    /// A packer for these settings.
    pub(crate) fn new(config: &Config) -> Packer {
        Packer {
            form: config.points,
            protocol: config.protocol,
            dimensions: config.dimensions,
            points_max: config.points_max as usize,
            bytes_max: config.bytes_max,
            attributes: config.resource_attributes.clone(),
            groups: match config.protocol {
                Protocol::HttpProtobuf | Protocol::Grpc => Groups::with_room(HEAD_ROOM),
                Protocol::HttpJson => Groups::default(),
            },
            points: 0,
            data_points: 0,
            bytes: 0,
            quantiles: Vec::new(),
            scratch: Vec::new(),
            resource: Vec::new(),
            head: Vec::new(),
            plain: Vec::new(),
            shelf: Shelf::default(),
            compressor: match config.compression {
                Compression::None => Coder::None,
                Compression::Gzip => Coder::Gzip(Deflater::new(LEVEL)),
                Compression::Zstd => Coder::Zstd(Box::new(ZstdEncoder::new(1))),
            },
            losses: Losses::default(),
        }
    }

    /// Offers a point.
    pub(crate) fn offer(&mut self, point: &Point<'_>) -> Offer {
        let spliced = self.form == Points::Summary && self.protocol != Protocol::HttpJson;
        if spliced
            && point.attributes.is_empty()
            && let Source::Otel10 { metric: Some(body) } = point.source
        {
            if body.len() > self.bytes_max {
                return Offer::Refused("too_large");
            }
            let metrics = &mut self.groups.of(point).metrics;
            let before = metrics.len();
            protobuf::push_copy(metrics, body);
            self.bytes += metrics.len() - before;
            self.losses.copied += 1;
            self.data_points += 1;
            self.points += 1;
            return Offer::Taken;
        }
        self.offer_anew(point)
    }

    /// Offers a point that is written, not copied.
    fn offer_anew(&mut self, point: &Point<'_>) -> Offer {
        let reading = match Reading::of(point, &mut self.losses) {
            Ok(reading) => reading,
            Err(reason) => return Offer::Refused(reason),
        };
        let before = self.groups.of(point).metrics.len();
        let data_points = self.write(point, &reading);
        let metrics = &mut self.groups.of(point).metrics;
        let size = metrics.len() - before;
        if size > self.bytes_max {
            metrics.truncate(before);
            return Offer::Refused("too_large");
        }
        self.bytes += size;
        self.data_points += data_points;
        self.points += 1;
        Offer::Taken
    }

    /// Writes a point in the form asked for; how many data points that made.
    fn write(&mut self, point: &Point<'_>, reading: &Reading) -> usize {
        let Packer { losses, groups, .. } = self;
        let out = &mut groups.of(point).metrics;
        let json = self.protocol == Protocol::HttpJson;
        if reading.count.fract() != 0.0 && self.form != Points::Gauges {
            losses.counts_rounded += 1;
        }
        match self.form {
            Points::Summary => {
                if json {
                    separate(out);
                    quantiles(point, &mut self.quantiles, losses);
                    json::push_summary(out, point, (reading, self.dimensions), &self.quantiles);
                } else {
                    // The sum may have been worked out: without one, a summary would say zero.
                    let point = &Point { sum: Some(reading.sum), ..*point };
                    losses.statistics_left_out +=
                        protobuf::push_summary(out, point, &mut self.scratch);
                }
                1
            }
            Points::DeltaHistogram => {
                for extra in point.extra {
                    match extra.statistic.quantile() {
                        Some(_) => losses.percentiles_left_out += 1,
                        None => losses.statistics_left_out += 1,
                    }
                }
                if json {
                    separate(out);
                    json::push_histogram(out, point, (reading, self.dimensions));
                } else {
                    protobuf::push_histogram(out, point, reading);
                }
                1
            }
            Points::Gauges => self.write_gauges(point, reading),
        }
    }

    fn write_gauges(&mut self, point: &Point<'_>, reading: &Reading) -> usize {
        let Packer { losses, groups, scratch, protocol, dimensions, .. } = self;
        let out = &mut groups.of(point).metrics;
        let mut written = 0;
        let mut push = |suffix: &[u8], unit: &[u8], value: f64| {
            written += 1;
            if *protocol == Protocol::HttpJson {
                separate(out);
                json::push_gauge(out, point, (reading, *dimensions), (suffix, unit), value);
            } else {
                protobuf::push_gauge(out, point, reading, (suffix, unit), value);
            }
        };
        let unit = point.unit.otel();
        let all = [
            (&b".min"[..], reading.min),
            (b".max", reading.max),
            (b".sum", Some(reading.sum)),
            (b".avg", reading.mean()),
        ];
        for (suffix, value) in all {
            if let Some(value) = value {
                push(suffix, unit, value);
            }
        }
        // However the metric is measured, its samples are counted.
        push(b".count", b"{Count}", reading.count);
        for extra in point.extra {
            if extra.statistic.quantile().is_none() {
                losses.statistics_left_out += 1;
                continue;
            }
            scratch.clear();
            scratch.push(b'.');
            extra.statistic.write_name(scratch);
            push(scratch, unit, extra.value);
        }
        written
    }

    /// The next point might not fit.
    pub(crate) fn full(&self) -> bool {
        let next = if self.form == Points::Gauges { GAUGES_MAX } else { 1 };
        let reserve = RESERVE.min(self.bytes_max / 8);
        self.points > 0
            && (self.data_points + next > self.points_max
                || self.bytes + reserve > self.bytes_max
                || self.groups.len() >= GROUPS_MAX)
    }

    /// Points in the open parcel.
    pub(crate) fn points(&self) -> u32 {
        self.points
    }

    /// Closes the open parcel.
    pub(crate) fn close(&mut self) -> Payload {
        debug_assert!(self.points > 0, "an empty parcel is not sent");
        let begin = self.in_place().unwrap_or_else(|| {
            self.assemble();
            0
        });
        let plain = self.plain.get(begin..).unwrap_or_default();
        let plain_bytes = plain.len();
        let mut buffer = self.shelf.take();
        buffer.clear();
        let mut skip = 0;
        match &mut self.compressor {
            Coder::None => {
                skip = begin;
                std::mem::swap(&mut self.plain, &mut buffer);
            }
            Coder::Gzip(deflater) => deflater.gzip(plain, &mut buffer),
            Coder::Zstd(compressor) => compressor
                .compress(plain, &mut buffer)
                .expect("zstd only fails without memory or room, and it makes its own room"),
        }
        let body = self.shelf.body(buffer).slice(skip..);
        let payload = Payload { body, points: self.points, plain_bytes, ..Payload::default() };
        self.discard();
        payload
    }

    /// Writes what a request begins with right before the metrics of the only resource, and takes
    /// that buffer for `plain`; where the request begins in it. `None` when there are several
    /// resources, or no room. Most requests have one, and are not copied for it.
    fn in_place(&mut self) -> Option<usize> {
        let Packer { plain, resource, head, groups, attributes, protocol, .. } = self;
        if *protocol == Protocol::HttpJson {
            return None;
        }
        let group = groups.only()?;
        resource.clear();
        protobuf::push_resource(resource, resource_attributes(group, attributes));
        head.clear();
        protobuf::push_group_head(head, resource, group.metrics.len() - HEAD_ROOM);
        let begin = HEAD_ROOM.checked_sub(head.len())?;
        group.metrics.get_mut(begin..HEAD_ROOM)?.copy_from_slice(head);
        std::mem::swap(&mut group.metrics, plain);
        Some(begin)
    }

    /// Writes the whole request, from its groups, into `plain`.
    fn assemble(&mut self) {
        let Packer { plain, resource, groups, attributes, protocol, .. } = self;
        plain.clear();
        match *protocol {
            Protocol::HttpProtobuf | Protocol::Grpc => {
                for group in groups.iter() {
                    resource.clear();
                    protobuf::push_resource(resource, resource_attributes(group, attributes));
                    let metrics = group.metrics.get(HEAD_ROOM..).unwrap_or_default();
                    protobuf::push_group(plain, resource, metrics);
                }
            }
            Protocol::HttpJson => {
                plain.extend_from_slice(b"{\"resourceMetrics\":[");
                for (index, group) in groups.iter().enumerate() {
                    if index > 0 {
                        plain.push(b',');
                    }
                    resource.clear();
                    json::push_resource(resource, resource_attributes(group, attributes));
                    json::push_group(plain, resource, &group.metrics);
                }
                plain.extend_from_slice(b"]}");
            }
        }
    }

    /// Forgets the open parcel.
    pub(crate) fn discard(&mut self) {
        // A buffer has up to twice what it held; two full parcels hold the buffers of real traffic.
        self.groups.clear(self.bytes_max.saturating_mul(4));
        self.points = 0;
        self.data_points = 0;
        self.bytes = 0;
    }

    /// What data points could not carry, by name, since the start.
    pub(crate) fn losses(&self) -> Vec<(&'static str, u64)> {
        self.losses.list()
    }
}

/// A comma before every metric of a group but the first.
fn separate(metrics: &mut Vec<u8>) {
    if !metrics.is_empty() {
        metrics.push(b',');
    }
}

/// What is known of the resource, by OpenTelemetry's semantic conventions, then the configured
/// attributes, which win.
fn resource_attributes<'a>(
    group: &'a Group,
    configured: &'a [(String, String)],
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    let known = [
        (&b"cloud.provider"[..], &b"aws"[..]),
        (b"cloud.account.id", &group.account),
        (b"cloud.region", &group.region),
        (b"aws.exporter.arn", &group.exporter_arn),
    ];
    let overridden = |key: &[u8]| configured.iter().any(|(name, _)| name.as_bytes() == key);
    let known = known.into_iter().filter(move |(key, value)| !value.is_empty() && !overridden(key));
    let own = configured.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()));
    known.chain(own)
}
