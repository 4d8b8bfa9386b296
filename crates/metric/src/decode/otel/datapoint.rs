//! One data point of a summary, in the layout of 0.7, of 1.0, or of both at once.
//!
//! Owns the meaning of its fields: labels and attributes become namespace, name and dimensions;
//! quantiles become minimum, maximum and percentiles. Absent numbers are zero, as in proto3; an
//! empty quantile message is a minimum of zero.

use super::resource::Resource;
use super::{Fault, is_text, reject};
use crate::decode::scratch::{DIMENSIONS_MAX, EXTRA_MAX, Scratch};
use crate::decode::tolerant::INSTANTS_NS;
use crate::decode::{Pass, Visit};
use crate::wire::{self, Reader};
use crate::{Extra, Point, Source, Statistic, Unit};

mod attribute;
use attribute::Value;

/// Bit of `flags` that says the point holds no value.
const NO_RECORDED_VALUE: u64 = 1;

/// Decodes a data point. `whole` is the metric it is in, when it may be copied.
#[inline]
pub(super) fn decode<'a, V: Visit>(
    pass: &mut Pass<'a, '_, V>,
    at: &Resource<'a>,
    unit: Unit<'a>,
    body: &'a [u8],
    whole: Option<&'a [u8]>,
) {
    let mut fields = Fields::default();
    match fields.read(body, &mut pass.scratch) {
        Ok(()) if fields.is_rare() => rare(pass, at, unit, body, &fields),
        Ok(()) => {
            let source = fields.source(whole);
            let Scratch { dimensions, extra } = &pass.scratch;
            match fields.point(at, unit, dimensions, extra, source) {
                Ok(point) => pass.visit.point(&point),
                Err(fault) => reject(pass, body, fault),
            }
        }
        Err(fault) => reject(pass, body, fault),
    }
}

/// A data point with labels and attributes at once, or with dimensions that are not strings: they
/// are gathered anew, with text of their own.
#[cold]
fn rare<'a, V: Visit>(
    pass: &mut Pass<'a, '_, V>,
    at: &Resource<'a>,
    unit: Unit<'a>,
    body: &'a [u8],
    fields: &Fields<'a>,
) {
    let gathered = attribute::gather(body);
    let point = gathered.as_ref().map_err(|fault| *fault).and_then(|gathered| {
        let dimensions = gathered.dimensions();
        let source = fields.source(None);
        let named = Fields { namespace: gathered.namespace, name: gathered.name, ..*fields };
        let point = named.point(at, unit, &dimensions, &pass.scratch.extra, source)?;
        pass.visit.point(&point);
        Ok(())
    });
    if let Err(fault) = point {
        reject(pass, body, fault);
    }
}

/// The double at the start of `bytes`.
#[inline]
fn double(bytes: &[u8]) -> f64 {
    bytes.first_chunk::<8>().map_or(0.0, |bytes| f64::from_le_bytes(*bytes))
}

/// A `ValueAtQuantile` in any order.
#[cold]
fn any_quantile(body: &[u8]) -> Option<(f64, f64)> {
    let (mut quantile, mut value) = (0.0, 0.0);
    let mut reader = Reader::new(body);
    while !reader.is_empty() {
        match reader.tag()? {
            0x09 => quantile = reader.double()?,
            0x11 => value = reader.double()?,
            tag => reader.skip(tag)?,
        }
    }
    Some((quantile, value))
}

/// The fields of one data point, but for its lists.
#[derive(Clone, Copy, Default)]
struct Fields<'a> {
    start_ns: u64,
    end_ns: u64,
    count: u64,
    sum: f64,
    min: Option<f64>,
    max: Option<f64>,
    flags: u64,
    namespace: &'a [u8],
    name: &'a [u8],
    /// Labels of 0.7 were there.
    labels: bool,
    /// Attributes of 1.0 were there.
    attributes: bool,
    /// An attribute is not a string.
    not_strings: bool,
    /// Something that was not checked is in it: the metric must not be copied.
    unchecked: bool,
}

impl<'a> Fields<'a> {
    /// Reads all fields; dimensions and percentiles go to `scratch`.
    #[inline]
    fn read(&mut self, body: &'a [u8], scratch: &mut Scratch<'a>) -> Result<(), Fault> {
        scratch.dimensions.clear();
        scratch.extra.clear();
        let mut reader = Reader::new(body);
        // First the order in which CloudWatch writes; what is left then may come in any order.
        while reader.take(0x0a) {
            self.label(reader.bytes().ok_or(Fault::DataPoint)?, scratch)?;
        }
        if reader.take(0x11) {
            self.start_ns = reader.fixed64().ok_or(Fault::DataPoint)?;
        }
        if reader.take(0x19) {
            self.end_ns = reader.fixed64().ok_or(Fault::DataPoint)?;
        }
        if reader.take(0x21) {
            self.count = reader.fixed64().ok_or(Fault::DataPoint)?;
        }
        if reader.take(0x29) {
            self.sum = reader.double().ok_or(Fault::DataPoint)?;
        }
        while reader.take(0x32) {
            self.quantile(reader.bytes().ok_or(Fault::DataPoint)?, scratch)?;
        }
        if let Some((namespace, name, rest)) = attribute::names(reader.rest()) {
            (self.namespace, self.name, self.attributes) = (namespace, name, true);
            reader = Reader::new(rest);
        }
        while reader.take(0x3a) {
            self.attribute(reader.bytes().ok_or(Fault::DataPoint)?, scratch)?;
        }
        if reader.is_empty() { Ok(()) } else { self.read_any(reader, scratch) }
    }

    /// Reads fields in any order.
    #[cold]
    fn read_any(&mut self, mut reader: Reader<'a>, scratch: &mut Scratch<'a>) -> Result<(), Fault> {
        while !reader.is_empty() {
            match reader.tag().ok_or(Fault::DataPoint)? {
                0x0a => self.label(reader.bytes().ok_or(Fault::DataPoint)?, scratch)?,
                0x11 => self.start_ns = reader.fixed64().ok_or(Fault::DataPoint)?,
                0x19 => self.end_ns = reader.fixed64().ok_or(Fault::DataPoint)?,
                0x21 => self.count = reader.fixed64().ok_or(Fault::DataPoint)?,
                0x29 => self.sum = reader.double().ok_or(Fault::DataPoint)?,
                0x32 => self.quantile(reader.bytes().ok_or(Fault::DataPoint)?, scratch)?,
                0x3a => self.attribute(reader.bytes().ok_or(Fault::DataPoint)?, scratch)?,
                0x40 => self.flags = reader.varint().ok_or(Fault::DataPoint)?,
                tag if (1..=8).contains(&(tag >> 3)) => return Err(Fault::DataPoint),
                tag => {
                    // Not every reader passes over a group.
                    self.unchecked |= tag & 7 == 3;
                    reader.skip(tag).ok_or(Fault::DataPoint)?;
                }
            }
        }
        Ok(())
    }

    /// `ValueAtQuantile`: 0 is the minimum, 1 the maximum, all between are percentiles.
    #[inline]
    fn quantile(&mut self, body: &[u8], scratch: &mut Scratch<'a>) -> Result<(), Fault> {
        // What is zero is left out, so the length nearly always says what is there.
        let (quantile, value) = match body {
            [] => (0.0, 0.0),
            [0x09, quantile @ ..] if quantile.len() == 8 => (double(quantile), 0.0),
            [0x11, value @ ..] if value.len() == 8 => (0.0, double(value)),
            [0x09, both @ ..] if both.len() == 17 && both.get(8) == Some(&0x11) => {
                (double(both), both.get(9..).map_or(0.0, double))
            }
            _ => any_quantile(body).ok_or(Fault::DataPoint)?,
        };
        if !(quantile.is_finite() && value.is_finite()) {
            return Err(Fault::NotFinite);
        }
        // A percentile 0 or 100 is the same number as minimum or maximum; the wider one stays.
        if quantile == 0.0 {
            self.min = Some(self.min.map_or(value, |min| min.min(value)));
        } else if quantile == 1.0 {
            self.max = Some(self.max.map_or(value, |max| max.max(value)));
        } else if !(0.0..1.0).contains(&quantile) {
            return Err(Fault::QuantileRange);
        } else if scratch.extra.len() == EXTRA_MAX {
            return Err(Fault::ManyStatistics);
        } else {
            scratch.extra.push(Extra { statistic: Statistic::Quantile(quantile), value });
        }
        Ok(())
    }

    /// `StringKeyValue` of 0.7. The first `Namespace` and `MetricName` are CloudWatch's.
    #[inline]
    fn label(&mut self, body: &'a [u8], scratch: &mut Scratch<'a>) -> Result<(), Fault> {
        self.labels = true;
        let (key, value) = attribute::label(body).ok_or(Fault::DataPoint)?;
        // One look at the whole message is enough: its tags and short lengths are ASCII too.
        if !(body.is_ascii() || is_text(key) && is_text(value)) {
            return Err(Fault::AttributeText);
        }
        self.named(key, value, scratch)
    }

    /// Checks the text of an attribute whose message is not all ASCII.
    #[cold]
    fn check(&mut self, body: &[u8], key: &[u8], value: &[u8]) -> Result<(), Fault> {
        // Any other length means that there is more in it than this key and this value.
        let exact = wire::field_len(key.len()) + wire::field_len(wire::field_len(value.len()));
        self.unchecked |= body.len() != exact;
        if is_text(key) && is_text(value) { Ok(()) } else { Err(Fault::AttributeText) }
    }

    /// `KeyValue` of 1.0: the two names, the nested `Dimensions`, or a dimension of its own.
    #[inline]
    fn attribute(&mut self, body: &'a [u8], scratch: &mut Scratch<'a>) -> Result<(), Fault> {
        self.attributes = true;
        let (key, value) = attribute::key_value(body).ok_or(Fault::DataPoint)?;
        match value {
            Value::List(list) if key == b"Dimensions" => {
                let exact = 12 + wire::field_len(wire::field_len(list.len()));
                self.unchecked |= body.len() != exact;
                self.dimensions(list, scratch)
            }
            Value::Text(text) => {
                if !body.is_ascii() {
                    self.check(body, key, text)?;
                }
                self.named(key, text, scratch)
            }
            _ => {
                self.not_strings = true;
                Ok(())
            }
        }
    }

    /// The entries of `Dimensions`.
    #[inline]
    fn dimensions(&mut self, list: &'a [u8], scratch: &mut Scratch<'a>) -> Result<(), Fault> {
        let ascii = list.is_ascii();
        let mut reader = Reader::new(list);
        while reader.take(0x0a) {
            let body = reader.bytes().ok_or(Fault::DataPoint)?;
            let (key, text) = match attribute::short_pair(body) {
                Some(pair) => pair,
                None => match attribute::key_value(body).ok_or(Fault::DataPoint)? {
                    (key, Value::Text(text)) => (key, text),
                    _ => {
                        self.not_strings = true;
                        continue;
                    }
                },
            };
            if !ascii && !body.is_ascii() {
                self.check(body, key, text)?;
            }
            if scratch.dimensions.len() == DIMENSIONS_MAX {
                return Err(Fault::ManyDimensions);
            }
            scratch.dimensions.push((key, text));
        }
        if reader.is_empty() {
            return Ok(());
        }
        // An unknown field among the entries: the slow way reads the list from its start.
        self.not_strings = true;
        Ok(())
    }

    #[inline]
    fn named(
        &mut self,
        key: &'a [u8],
        value: &'a [u8],
        scratch: &mut Scratch<'a>,
    ) -> Result<(), Fault> {
        if key == b"Namespace" && self.namespace.is_empty() {
            self.namespace = value;
        } else if key == b"MetricName" && self.name.is_empty() {
            self.name = value;
        } else if scratch.dimensions.len() == DIMENSIONS_MAX {
            return Err(Fault::ManyDimensions);
        } else {
            scratch.dimensions.push((key, value));
        }
        Ok(())
    }

    #[inline]
    fn source<'p>(&self, whole: Option<&'p [u8]>) -> Source<'p> {
        if self.labels {
            Source::Otel07
        } else {
            // A copy with one time would not say when its period began, or ended in 1970.
            let both_times = self.start_ns != 0 && self.end_ns != 0;
            Source::Otel10 { metric: whole.filter(|_| both_times && !self.unchecked) }
        }
    }

    #[inline]
    fn is_rare(&self) -> bool {
        (self.labels && self.attributes) || self.not_strings
    }

    /// The point of these fields, or why there is none.
    #[inline]
    fn point<'p>(
        &self,
        at: &Resource<'p>,
        unit: Unit<'p>,
        dimensions: &'p [crate::Dimension<'p>],
        extra: &'p [Extra<'p>],
        source: Source<'p>,
    ) -> Result<Point<'p>, Fault>
    where
        'a: 'p,
    {
        if self.namespace.is_empty() || self.name.is_empty() {
            return Err(Fault::NoName);
        }
        if !self.sum.is_finite() {
            return Err(Fault::NotFinite);
        }
        if self.flags & NO_RECORDED_VALUE != 0 {
            return Err(Fault::NoValue);
        }
        // Writers that know one time only leave the start out; then the one time is the instant.
        let (start_ns, end_ns) = match (self.start_ns, self.end_ns) {
            (0, only) => (only, None),
            (start, 0) => (start, None),
            (start, end) => (start, Some(end)),
        };
        if !INSTANTS_NS.contains(&start_ns) || !INSTANTS_NS.contains(&start_ns.max(self.end_ns)) {
            return Err(Fault::NoInstant);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts are far below 2^53; above, the nearest"
        )]
        let count = self.count as f64;
        Ok(Point {
            stream: at.stream,
            exporter_arn: at.exporter_arn,
            account: at.account,
            region: at.region,
            namespace: self.namespace,
            name: self.name,
            dimensions,
            attributes: &[],
            unit,
            start_ns,
            end_ns,
            min: self.min,
            max: self.max,
            sum: Some(self.sum),
            count,
            extra,
            source,
        })
    }
}
