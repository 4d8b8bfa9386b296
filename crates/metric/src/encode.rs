//! The three formats, written as CloudWatch writes them.
//!
//! Owns the grouping of points into records: JSON lines in the order they came, or one
//! length-prefixed message for each resource in the order the resources came. What a format cannot
//! carry is listed in docs/formats.md; a statistic that had to be left out is counted
//! ([`Encoder::left_out`]). Deliberately not here: the limits of a Firehose record.

mod json;
mod otel;

pub use json::{json_line, ndjson_line};
pub use otel::{
    enriched_metric, exporter_arn, extremes, otel07_metric, otel10_metric, resource, whole_count,
};

use crate::{Point, wire};

/// An output format of a metric stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `json`: one object a line.
    Json,
    /// `opentelemetry0.7`.
    Otel07,
    /// `opentelemetry1.0`.
    Otel10,
}

impl Format {
    /// The value of `OutputFormat` in CloudWatch's API.
    pub fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Otel07 => "opentelemetry0.7",
            Format::Otel10 => "opentelemetry1.0",
        }
    }
}

/// Resources that are looked through for the one of a point. A record of more than this many
/// accounts and regions gets a resource twice, which every decoder takes.
const OPEN_RESOURCES_MAX: usize = 64;

/// The metrics of one resource.
#[derive(Default)]
struct Group {
    /// Body of the `Resource` message; equal bytes are the same resource.
    resource: Vec<u8>,
    /// Fields `metrics` of the `ScopeMetrics` message.
    metrics: Vec<u8>,
}

/// Writes records of one format, reusing its buffers from record to record.
pub struct Encoder {
    format: Format,
    /// Attributes of points are written where the format has a place for them.
    attributes: bool,
    lines: Vec<u8>,
    groups: Vec<Group>,
    /// How many of `groups` belong to the open record; the others are kept for their buffers.
    open: usize,
    scratch: Vec<u8>,
    left_out: u64,
}

impl Encoder {
    /// An encoder of `format`.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            attributes: false,
            lines: Vec::new(),
            groups: Vec::new(),
            open: 0,
            scratch: Vec::new(),
            left_out: 0,
        }
    }

    /// The same, with the attributes that enrichment added: CloudWatch writes none, so this is for
    /// readers who know. Format 0.7 has no place for them.
    pub fn with_attributes(self) -> Self {
        Self { attributes: true, ..self }
    }

    /// Adds a point to the open record.
    pub fn push(&mut self, point: &Point<'_>) {
        if self.format == Format::Json {
            match self.attributes {
                true => ndjson_line(point, &mut self.lines),
                false => json_line(point, &mut self.lines),
            }
            return;
        }
        self.scratch.clear();
        resource(point, &mut self.scratch);
        let at = self.group();
        let Some(group) = self.groups.get_mut(at) else { return };
        self.scratch.clear();
        self.left_out += match self.format {
            Format::Otel07 => otel07_metric(point, &mut self.scratch),
            _ if self.attributes => enriched_metric(point, &mut self.scratch),
            _ => otel10_metric(point, &mut self.scratch),
        };
        wire::put_bytes(2, &self.scratch, &mut group.metrics);
    }

    /// Where the group of the resource in `scratch` is; opens it when there is none.
    fn group(&mut self) -> usize {
        let from = self.open.saturating_sub(OPEN_RESOURCES_MAX);
        let open = self.groups.get(from..self.open).unwrap_or(&[]);
        if let Some(found) = open.iter().rposition(|group| group.resource == self.scratch) {
            return from + found;
        }
        if self.open == self.groups.len() {
            self.groups.push(Group::default());
        }
        if let Some(group) = self.groups.get_mut(self.open) {
            group.resource.clear();
            group.resource.extend_from_slice(&self.scratch);
            group.metrics.clear();
        }
        self.open += 1;
        self.open - 1
    }

    /// Bytes of the open record so far, to within a few for each resource.
    pub fn len(&self) -> usize {
        let groups = self.groups.iter().take(self.open);
        self.lines.len()
            + groups.map(|group| group.resource.len() + group.metrics.len()).sum::<usize>()
    }

    /// True when no point was added since the last [`finish`](Self::finish).
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.open == 0
    }

    /// Additional statistics that the format could not carry, since this encoder was made.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Appends the open record to `out` (JSON lines, or one length-prefixed message per resource).
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.lines);
        for group in self.groups.iter().take(self.open) {
            let scope = group.metrics.len();
            let body = wire::field_len(group.resource.len()) + wire::field_len(scope);
            wire::put_varint(wire::field_len(body) as u64, out);
            wire::put_head(1, body, out);
            wire::put_bytes(1, &group.resource, out);
            wire::put_bytes(2, &group.metrics, out);
        }
        self.open = 0;
    }
}

#[cfg(test)]
mod tests;
