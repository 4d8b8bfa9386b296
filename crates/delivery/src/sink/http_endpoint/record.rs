//! The open record: points in one of the formats of a metric stream, as CloudWatch writes them.
//!
//! Points of one resource stay in their order, and so do those of every series. In steady state
//! nothing is allocated per point.

use metric::{Format, Point, Source, encode, wire};

use super::losses::Losses;
use crate::sink::otlp::groups::{GROUPS_MAX, Group, Groups};
use crate::sink::otlp::protobuf::{push_copy, push_resource};
use crate::sink::otlp::reading::Reading;

/// Bytes around the metrics of a resource, besides its account, region and twice its ARN: the names
/// of the attributes, tags and lengths.
const RESOURCE_BYTES: usize = 160;
/// Buffers for records of usual size, when the settings want tiny ones.
const KEPT_MIN: usize = 256 * 1024;
/// Bytes around a metric: its tag and length.
const METRIC_BYTES: usize = 5;

/// The open record.
pub(crate) struct Record {
    format: Format,
    /// Bytes of buffers that are kept from record to record.
    kept: usize,
    lines: Vec<u8>,
    groups: Groups,
    /// At least what [`finish`](Record::finish) will write.
    bytes: usize,
    points: u32,
    /// The point at hand, encoded, unless it is copied.
    piece: Vec<u8>,
    resource: Vec<u8>,
}

impl Record {
    /// `record_bytes` is how large a record gets, mostly.
    pub(crate) fn new(format: Format, record_bytes: usize) -> Record {
        Record {
            format,
            kept: record_bytes.saturating_mul(4).max(KEPT_MIN),
            lines: Vec::new(),
            groups: Groups::default(),
            bytes: 0,
            points: 0,
            piece: Vec::new(),
            resource: Vec::new(),
        }
    }

    /// Encodes a point and tells how many bytes it may add; [`push`](Record::push) takes it then.
    pub(crate) fn measure(
        &mut self,
        point: &Point<'_>,
        losses: &mut Losses,
    ) -> Result<usize, &'static str> {
        losses.attributes_left_out += u64::from(!point.attributes.is_empty());
        if let Some(body) = self.copied(point) {
            losses.copied += 1;
            return Ok(body.len() + around(point));
        }
        self.piece.clear();
        if self.format == Format::Json {
            encode::json_line(point, &mut self.piece);
            return Ok(self.piece.len());
        }
        let mut lost = crate::sink::otlp::Losses::default();
        let reading = Reading::of(point, &mut lost)?;
        losses.periods_assumed += lost.periods_assumed;
        losses.counts_rounded += u64::from(point.count.fract() != 0.0);
        let point = &Point { sum: Some(reading.sum), ..*point };
        losses.statistics_left_out += match self.format {
            Format::Otel07 => encode::otel07_metric(point, &mut self.piece),
            _ => encode::otel10_metric(point, &mut self.piece),
        };
        Ok(self.piece.len() + around(point))
    }

    /// Takes the point that was measured last.
    pub(crate) fn push(&mut self, point: &Point<'_>, size: usize) {
        self.bytes += size;
        self.points += 1;
        if self.format == Format::Json {
            self.lines.extend_from_slice(&self.piece);
            return;
        }
        let copied = self.copied(point);
        let Record { groups, piece, .. } = self;
        push_copy(&mut groups.of(point).metrics, copied.unwrap_or(piece));
    }

    /// The bytes of a point that came as it will go.
    fn copied<'a>(&self, point: &Point<'a>) -> Option<&'a [u8]> {
        match point.source {
            Source::Otel10 { metric } if self.format == Format::Otel10 => metric,
            _ => None,
        }
    }

    /// At least what it will have.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn points(&self) -> u32 {
        self.points
    }

    /// No further resource fits.
    pub(crate) fn is_crowded(&self) -> bool {
        self.groups.len() >= GROUPS_MAX
    }

    /// Appends the record to `out` and begins the next one.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.lines);
        for group in self.groups.iter() {
            self.resource.clear();
            push_resource(&mut self.resource, attributes(group));
            let body = wire::field_len(self.resource.len()) + wire::field_len(group.metrics.len());
            wire::put_varint(wire::field_len(body) as u64, out);
            wire::put_head(1, body, out);
            wire::put_bytes(1, &self.resource, out);
            wire::put_bytes(2, &group.metrics, out);
        }
        self.clear();
    }

    /// Forgets the open record.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
        self.groups.clear(self.kept);
        self.bytes = 0;
        self.points = 0;
    }
}

/// Bytes around the point, if it is the first one of its resource.
fn around(point: &Point<'_>) -> usize {
    let arn = point.exporter_arn.len().max(60 + point.stream.len());
    METRIC_BYTES + RESOURCE_BYTES + point.account.len() + point.region.len() + arn
}

/// What CloudWatch says of a resource, in its order.
fn attributes(group: &Group) -> impl Iterator<Item = (&[u8], &[u8])> {
    let known: [(&[u8], &[u8]); 4] = [
        (b"cloud.provider", b"aws"),
        (b"cloud.account.id", &group.account),
        (b"cloud.region", &group.region),
        (b"aws.exporter.arn", &group.exporter_arn),
    ];
    known.into_iter().filter(|(_, value)| !value.is_empty())
}
