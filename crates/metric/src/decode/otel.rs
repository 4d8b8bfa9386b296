//! The body of an `ExportMetricsServiceRequest`, of 0.7 and 1.0 alike.
//!
//! Owns the walk from the message to its data points. The two versions differ in one field of the
//! data point: labels are field 1 in 0.7, attributes are field 7 in 1.0; so the version is decided by
//! what each data point holds. Fields come in any order, unknown ones are passed over, and a
//! malformed piece is rejected by itself. Deliberately not here: framing (`frame`).

mod datapoint;
mod fault;
mod resource;

use super::{Pass, Visit};
use crate::wire::{Reader, tag_bytes};
use crate::{Reason, Unit};
use fault::Fault;
use resource::Resource;

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
        return reject(pass, body, Fault::NoMetrics);
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
        reject(pass, bad, Fault::ResourceMetrics);
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
            return reject(pass, rest, Fault::ScopeMetrics);
        }
    }
}

/// One `Metric`: each data point of its summary is a point.
#[inline]
fn metric<'a, V: Visit>(pass: &mut Pass<'a, '_, V>, at: &Resource<'a>, body: &'a [u8]) {
    // As CloudWatch writes nearly all of them: name, unit, a summary of one data point.
    let mut reader = Reader::new(body);
    if reader.take(0x0a)
        && let Some(name) = reader.bytes()
        && reader.take(0x1a)
        && let Some(unit @ Unit::Known(_)) = unit(&mut reader)
        && reader.take(0x5a)
        && let Some(summary) = reader.bytes()
        && reader.is_empty()
    {
        let mut reader = Reader::new(summary);
        if reader.take(0x0a)
            && let Some(data_point) = reader.bytes()
            && reader.is_empty()
        {
            let whole = if is_text(name) { Some(body) } else { None };
            return datapoint::decode(pass, at, unit, data_point, whole);
        }
    }
    any_metric(pass, at, body);
}

/// A metric in any layout, taken apart as far as its summaries. Its data is one of several kinds, of
/// which protobuf keeps the last that came.
struct Metric<'a> {
    body: &'a [u8],
    name: &'a [u8],
    unit: Unit<'a>,
    /// What follows the last data of another kind.
    data: &'a [u8],
    /// The first `summary` in it.
    summary: Option<&'a [u8]>,
    /// How many fields `summary` there are in it.
    summaries: usize,
    /// Name of the last kind of data that is no summary.
    other_kind: Option<&'static str>,
    /// Nothing but one name, one unit and one summary is in it.
    plain: bool,
}

impl<'a> Metric<'a> {
    fn parse(body: &'a [u8]) -> Option<Self> {
        let mut metric = Self {
            body,
            name: &[],
            unit: Unit::NONE,
            data: body,
            summary: None,
            summaries: 0,
            other_kind: None,
            plain: true,
        };
        let mut reader = Reader::new(body);
        let (mut names, mut units) = (0, 0);
        while !reader.is_empty() {
            match reader.tag()? {
                0x0a => {
                    names += 1;
                    metric.name = reader.bytes()?;
                }
                0x1a => {
                    units += 1;
                    metric.unit = unit(&mut reader)?;
                }
                0x5a => {
                    metric.summaries += 1;
                    let content = reader.bytes()?;
                    metric.summary.get_or_insert(content);
                }
                tag => metric.other(tag, &mut reader)?,
            }
        }
        metric.plain &= names <= 1 && units <= 1 && metric.summaries == 1;
        Some(metric)
    }

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
        reader.skip(tag)?;
        (self.data, self.summary, self.summaries) = (reader.rest(), None, 0);
        self.other_kind = Some(kind);
        Some(())
    }
}

/// The unit whose length is next.
#[inline]
fn unit<'a>(reader: &mut Reader<'a>) -> Option<Unit<'a>> {
    let length = usize::try_from(reader.varint()?).ok()?;
    let rest = reader.rest();
    let (text, after) = rest.split_at_checked(length)?;
    *reader = Reader::new(after);
    Some(Unit::parse_at(rest, text))
}

/// One `Metric` in any layout.
#[inline(never)]
fn any_metric<'a, V: Visit>(pass: &mut Pass<'a, '_, V>, at: &Resource<'a>, body: &'a [u8]) {
    let Some(metric) = Metric::parse(body) else { return reject(pass, body, Fault::Metric) };
    if let Unit::Other(text) = metric.unit
        && !is_text(text)
    {
        return reject(pass, body, Fault::Unit);
    }
    match (metric.summary, metric.summaries) {
        (Some(summary), 1) => data_points(pass, at, &metric, summary),
        (Some(_), _) => merged_summaries(pass, at, &metric),
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
                datapoint::decode(pass, at, metric.unit, body, whole);
            }),
            Some(tag) => reader.skip(tag),
            None => None,
        };
        if passed.is_none() {
            return reject(pass, rest, Fault::Summary);
        }
    }
}

/// A `Metric` whose summary came in several pieces, which protobuf takes together.
#[cold]
fn merged_summaries<'a, V: Visit>(
    pass: &mut Pass<'a, '_, V>,
    at: &Resource<'a>,
    metric: &Metric<'a>,
) {
    let mut reader = Reader::new(metric.data);
    while let Some(tag) = reader.tag() {
        if tag == tag_bytes(11) {
            let Some(summary) = reader.bytes() else { return };
            data_points(pass, at, metric, summary);
        } else if reader.skip(tag).is_none() {
            return;
        }
    }
}

/// True when `bytes` is UTF-8; ASCII is told fast.
#[inline]
fn is_text(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

#[cold]
fn unsupported<V: Visit>(pass: &mut Pass<'_, '_, V>, metric: &Metric<'_>) {
    let kind = metric.other_kind.unwrap_or("without data");
    let name = super::excerpt(metric.name);
    let detail = match metric.summary {
        None => format!("metric \"{name}\" is {kind}, not a summary"),
        Some(_) => {
            format!("metric \"{name}\" is {kind} before it is a summary; the last one counts")
        }
    };
    pass.reject(metric.body, Reason::UnsupportedMetric, detail);
}

#[cold]
fn reject<V: Visit>(pass: &mut Pass<'_, '_, V>, bytes: &[u8], fault: Fault) {
    pass.reject(bytes, fault.reason(), fault.detail().to_owned());
}
