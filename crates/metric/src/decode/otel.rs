//! The body of an `ExportMetricsServiceRequest`, of 0.7 and 1.0 alike.
//!
//! Owns the walk from the message to its data points. The two versions differ in one field of the
//! data point: labels are field 1 in 0.7, attributes are field 7 in 1.0; so the version is decided by
//! what each data point holds. Fields come in any order, unknown ones are passed over, and a
//! malformed piece is rejected by itself. Deliberately not here: framing (`frame`).

mod datapoint;
mod resource;

use super::{Pass, Visit};
use crate::wire::{Reader, tag_bytes};
use crate::{Reason, Unit};
use resource::Resource;

/// Why a piece is rejected; the detail is put into words only then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) detail: &'static str,
}

impl Fault {
    pub(super) const fn malformed(detail: &'static str) -> Self {
        Self { reason: Reason::MalformedMessage, detail }
    }
}

/// Decodes a message whose fields are known to be well-formed.
pub(super) fn message<'a, V: Visit>(pass: &mut Pass<'a, '_, V>, message: &'a [u8]) {
    let mut reader = Reader::new(message);
    while let Some(tag) = reader.tag() {
        if tag == tag_bytes(1) {
            let Some(body) = reader.bytes() else { return };
            resource_metrics(pass, body);
        } else if reader.skip(tag).is_none() {
            return;
        }
    }
}

/// `ResourceMetrics`: the resource may stand anywhere in it, so it is looked for first.
fn resource_metrics<'a, V: Visit>(pass: &mut Pass<'a, '_, V>, body: &'a [u8]) {
    let mut resource = Resource::default();
    let mut reader = Reader::new(body);
    let (mut known, mut well_formed) = (body.is_empty(), body);
    while !reader.is_empty() {
        let left = reader.rest().len();
        let step = match reader.tag() {
            Some(0x0a) => reader.bytes().map(|content| {
                known = true;
                resource.merge(content)
            }),
            Some(tag) => {
                known |= tag == 0x12;
                reader.skip(tag).map(|()| Ok(()))
            }
            None => None,
        };
        match step {
            Some(Ok(())) => {}
            Some(Err(fault)) => return reject(pass, body, fault),
            None => {
                well_formed = body.get(..body.len() - left).unwrap_or(&[]);
                break;
            }
        }
    }
    if !known {
        return reject(pass, body, Fault::malformed("holds neither a resource nor metrics"));
    }
    let mut reader = Reader::new(well_formed);
    while let Some(tag) = reader.tag() {
        if tag == 0x12 {
            let Some(body) = reader.bytes() else { break };
            scope_metrics(pass, &resource, body);
        } else if reader.skip(tag).is_none() {
            break;
        }
    }
    if well_formed.len() < body.len() {
        let bad = body.get(well_formed.len()..).unwrap_or(&[]);
        reject(pass, bad, Fault::malformed("a field of the resource's metrics is malformed"));
    }
}

/// `ScopeMetrics`, called `InstrumentationLibraryMetrics` in 0.7; the scope itself holds nothing.
fn scope_metrics<'a, V: Visit>(pass: &mut Pass<'a, '_, V>, at: &Resource<'a>, body: &'a [u8]) {
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        let rest = reader.rest();
        let passed = match reader.tag() {
            Some(0x12) => reader.bytes().map(|content| metric(pass, at, content)),
            Some(tag) => reader.skip(tag),
            None => None,
        };
        if passed.is_none() {
            return reject(
                pass,
                rest,
                Fault::malformed("a field of the scope's metrics is malformed"),
            );
        }
    }
}

/// A metric, taken apart as far as its data points.
struct Metric<'a> {
    body: &'a [u8],
    name: &'a [u8],
    unit: &'a [u8],
    summary: Option<&'a [u8]>,
    /// Further `summary` fields follow the first one.
    summaries: usize,
    /// Name of the kind of data that is no summary.
    other_kind: Option<&'static str>,
    /// Nothing but name, unit and summary is in it.
    plain: bool,
}

impl<'a> Metric<'a> {
    #[inline]
    fn parse(body: &'a [u8]) -> Option<Self> {
        let mut metric = Self {
            body,
            name: &[],
            unit: &[],
            summary: None,
            summaries: 0,
            other_kind: None,
            plain: true,
        };
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            match reader.tag()? {
                0x0a => {
                    metric.plain &= metric.name.is_empty();
                    metric.name = reader.bytes()?;
                }
                0x1a => {
                    metric.plain &= metric.unit.is_empty();
                    metric.unit = reader.bytes()?;
                }
                0x5a => {
                    let content = reader.bytes()?;
                    metric.summaries += 1;
                    metric.summary.get_or_insert(content);
                }
                tag => metric.other(tag, &mut reader)?,
            }
        }
        Some(metric)
    }

    #[cold]
    fn other(&mut self, tag: u32, reader: &mut Reader<'a>) -> Option<()> {
        self.plain = false;
        // The numbers of 0.7 and 1.0; both agree that these are not summaries.
        let kind = match tag >> 3 {
            4 | 5 => "a gauge",
            6 | 7 => "a sum",
            8 | 9 => "a histogram",
            10 => "an exponential histogram",
            1 | 3 | 11 => return None,
            _ => return reader.skip(tag),
        };
        self.other_kind = Some(kind);
        reader.skip(tag)
    }
}

/// One `Metric`: each data point of its summary is a point.
fn metric<'a, V: Visit>(pass: &mut Pass<'a, '_, V>, at: &Resource<'a>, body: &'a [u8]) {
    let Some(metric) = Metric::parse(body) else {
        return reject(pass, body, Fault::malformed("a field of the metric is malformed"));
    };
    let unit = Unit::parse(metric.unit);
    if matches!(unit, Unit::Other(_)) && std::str::from_utf8(metric.unit).is_err() {
        let detail = "the unit is not UTF-8";
        return reject(pass, body, Fault { reason: Reason::InvalidUtf8, detail });
    }
    match (metric.summary, metric.summaries) {
        (Some(summary), 1) => data_points(pass, at, &metric, unit, summary),
        (Some(_), _) => merged_summaries(pass, at, &metric, unit),
        (None, _) => {}
    }
    if metric.other_kind.is_some() || metric.summary.is_none() {
        unsupported(pass, &metric);
    }
}

/// `Summary`: its data points. Other fields are unknown and passed over.
fn data_points<'a, V: Visit>(
    pass: &mut Pass<'a, '_, V>,
    at: &Resource<'a>,
    metric: &Metric<'a>,
    unit: Unit<'a>,
    summary: &'a [u8],
) {
    let mut reader = Reader::new(summary);
    while !reader.is_empty() {
        let rest = reader.rest();
        let passed = match reader.tag() {
            Some(0x0a) => reader.bytes().map(|body| {
                // The metric may be copied when this point is all there is in it.
                let alone = rest.len() == summary.len() && reader.is_empty();
                let copyable = alone && metric.plain && is_text(metric.name);
                let whole = copyable.then_some(metric.body);
                datapoint::decode(pass, at, unit, body, whole);
            }),
            Some(tag) => reader.skip(tag),
            None => None,
        };
        if passed.is_none() {
            return reject(pass, rest, Fault::malformed("a field of the summary is malformed"));
        }
    }
}

/// A `Metric` whose summary came in several pieces, which protobuf takes together.
#[cold]
fn merged_summaries<'a, V: Visit>(
    pass: &mut Pass<'a, '_, V>,
    at: &Resource<'a>,
    metric: &Metric<'a>,
    unit: Unit<'a>,
) {
    let metric = Metric { plain: false, ..*metric };
    let mut reader = Reader::new(metric.body);
    while let Some(tag) = reader.tag() {
        if tag == tag_bytes(11) {
            let Some(summary) = reader.bytes() else { return };
            data_points(pass, at, &metric, unit, summary);
        } else if reader.skip(tag).is_none() {
            return;
        }
    }
}

/// True when `bytes` is UTF-8; ASCII is told fast.
#[inline]
pub(super) fn is_text(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

#[cold]
fn unsupported<V: Visit>(pass: &mut Pass<'_, '_, V>, metric: &Metric<'_>) {
    let kind = metric.other_kind.unwrap_or("without data");
    let name = super::excerpt(metric.name);
    let detail = format!("metric \"{name}\" is {kind}, not a summary");
    pass.reject(metric.body, Reason::UnsupportedMetric, detail);
}

#[cold]
pub(super) fn reject<V: Visit>(pass: &mut Pass<'_, '_, V>, bytes: &[u8], fault: Fault) {
    pass.reject(bytes, fault.reason, fault.detail.to_owned());
}
